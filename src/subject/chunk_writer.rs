//! The writer that senders under test write to: it accepts few bytes at once, and is interrupted.

use alloc::boxed::Box;
use alloc::format;
use std::io::{self, IoSlice, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chunks::PATIENCE;
use crate::case::{Case, Interruption};

/// A writer that accepts at most the bytes up to the next cut in each call, also of
/// `write_vectored`. Before each chunk it does what the [`Interruption`] says. `flush` succeeds.
///
/// What would block, or is pending, stays so until the sender has returned that to its caller.
///
/// After a byte that is not the expected one, every call returns
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe). It panics after 1000 calls without an accepted byte,
/// which the checks report as a violation of [`Property::Progress`](crate::Property::Progress).
#[derive(Debug)]
pub struct ChunkWriter(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    case: Case,
    /// The index of the next cut.
    cut: usize,
    /// How many bytes have been accepted: the first of the stream.
    accepted: usize,
    /// Whether the next call is interrupted.
    pause: bool,
    /// Whether the last call returned [`io::ErrorKind::WouldBlock`], or was pending. The next one does
    /// too, until the sender has returned.
    blocked: bool,
    /// How many calls have been made.
    calls: u64,
    /// How many of them in a row accepted nothing.
    idle: usize,
    /// The first bytes that are not the expected ones, as text.
    wrong: Option<Box<str>>,
    /// Whether the sender's work is over. What it still writes, when it is dropped, is wrong.
    over: bool,
}

impl ChunkWriter {
    /// Makes a writer that expects the stream of a case.
    pub(crate) fn new(case: Case) -> Self {
        Self(Arc::new(Mutex::new(State {
            case,
            cut: 0,
            accepted: 0,
            pause: true,
            blocked: false,
            calls: 0,
            idle: 0,
            wrong: None,
            over: false,
        })))
    }

    /// Returns another handle of the same writer.
    pub(crate) fn handle(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    pub(crate) fn accepted(&self) -> usize {
        self.state().accepted
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Returns the first bytes that are not the expected ones, as text.
    pub(crate) fn take_wrong(&self) -> Option<Box<str>> {
        self.state().wrong.take()
    }

    /// Returns whether the last write was blocked. The sender has returned for that, so the next write
    /// is not.
    pub(crate) fn resume(&self) -> bool {
        let mut state = self.state();
        let blocked = core::mem::take(&mut state.blocked);
        state.pause &= !blocked;
        blocked
    }

    /// Expects no further bytes.
    pub(crate) fn end(&self) {
        self.state().over = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic of the sender leaves a state as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let (result, idle) = {
            let mut state = self.state();
            let result = state.accept(buffers);
            state.calls += 1;
            state.idle = match result {
                Ok(1..) => 0,
                _ => state.idle + 1,
            };
            (result, state.idle > PATIENCE && !state.over)
        };
        assert!(!idle, "{PATIENCE} calls of write accepted no byte");
        result
    }
}

impl State {
    fn accept(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.blocked = false;
        let offered = buffers.iter().flat_map(|buffer| buffer.iter().copied());
        let is_empty = offered.clone().next().is_none();
        if self.over || self.wrong.is_some() {
            if self.wrong.is_none() && !is_empty {
                self.wrong = Some(excerpt(offered));
            }
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if is_empty {
            return Ok(0);
        }
        let rest = &self.case.stream[self.accepted..];
        let cuts = &self.case.split.cuts()[self.cut..];
        let cut = cuts.first().filter(|&&cut| cut < self.case.stream.len());
        let room = cut.map_or(rest.len(), |cut| cut - self.accepted);
        if !rest.is_empty() {
            if self.case.interruption == Interruption::WriteZero && cut.is_none() {
                return Ok(0);
            }
            if self.pause {
                match self.case.interruption {
                    Interruption::Interrupted => {
                        self.pause = false;
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                    Interruption::WouldBlock | Interruption::Pending | Interruption::Dropped => {
                        self.blocked = true;
                        return Err(io::ErrorKind::WouldBlock.into());
                    }
                    Interruption::None | Interruption::EmptyChunk | Interruption::WriteZero => {}
                }
            }
        }
        self.pause = false;
        let same = rest[..room].iter().zip(offered.clone());
        let same = same
            .take_while(|(expected, byte)| *expected == byte)
            .count();
        self.accepted += same;
        // More than the bytes up to a cut is a short write, more than the last ones is wrong.
        let may_offer_more = cut.is_some() && same == room;
        let mut rest_offered = offered.skip(same).peekable();
        if !may_offer_more && rest_offered.peek().is_some() {
            self.wrong = Some(excerpt(rest_offered));
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if cut == Some(&self.accepted) {
            self.cut += 1;
            self.pause = true;
        }
        Ok(same)
    }
}

/// Returns the first bytes as text.
pub(crate) fn excerpt(bytes: impl Iterator<Item = u8>) -> Box<str> {
    let bytes: alloc::vec::Vec<u8> = bytes.take(16).collect();
    format!("\"{}\"", bytes.escape_ascii()).into()
}

impl Write for ChunkWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.accept(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.accept(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A [`ChunkWriter`] as an [`AsyncWrite`](tokio::io::AsyncWrite).
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct AsyncChunkWriter(pub(crate) ChunkWriter);

#[cfg(feature = "tokio")]
mod asynchronous {
    use core::pin::Pin;
    use core::task::{Context, Poll};
    use std::io::{self, IoSlice};

    use tokio::io::AsyncWrite;

    use super::AsyncChunkWriter;

    impl AsyncChunkWriter {
        fn poll(&self, context: &Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
            let result = self.0.accept(buffers);
            if self.0.state().blocked {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(result)
        }
    }

    impl AsyncWrite for AsyncChunkWriter {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll(context, &[IoSlice::new(buffer)])
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffers: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.poll(context, buffers)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
}
