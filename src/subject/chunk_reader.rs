//! The readers that framers under test read from: they return a stream chunk by chunk.

use alloc::vec::Vec;
use std::io::{self, Read};

use crate::case::Interruption;
use crate::split::Split;

/// How often the end of the stream may be read.
pub(crate) const PATIENCE: usize = 1000;

/// A reader that returns a stream chunk by chunk: at most one chunk per call of `read`, and less
/// if the buffer is smaller. Before each chunk, and before the end, it does what the
/// [`Interruption`] says.
///
/// It panics if its end is read 1000 times, which the checks report as a violation of
/// [`Property::Progress`](crate::Property::Progress).
#[derive(Debug)]
pub struct ChunkReader<'a> {
    /// The chunks still to be returned, the next one last.
    chunks: Vec<&'a [u8]>,
    interruption: Interruption,
    /// Whether the next call is interrupted.
    pause: bool,
    /// Whether the last call returned [`io::ErrorKind::WouldBlock`].
    blocked: bool,
    /// How many bytes have been returned.
    offset: usize,
    /// The offset at each call that needed another chunk.
    waits: Vec<usize>,
    /// How often the end of the stream has been read.
    reads_at_end: usize,
}

impl<'a> ChunkReader<'a> {
    pub(crate) fn new(stream: &'a [u8], split: &'a Split, interruption: Interruption) -> Self {
        let mut chunks: Vec<&[u8]> = split.chunks(stream).collect();
        chunks.reverse();
        Self {
            chunks,
            interruption,
            pause: true,
            blocked: false,
            offset: 0,
            waits: Vec::new(),
            reads_at_end: 0,
        }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    /// Returns whether the end of the stream has been read.
    pub(crate) const fn at_end(&self) -> bool {
        self.reads_at_end > 0
    }

    /// Returns the offsets at which the framer has waited for another chunk since the last call.
    pub(crate) fn take_waits(&mut self) -> Vec<usize> {
        core::mem::take(&mut self.waits)
    }

    /// Returns whether the last call of `read` returned [`io::ErrorKind::WouldBlock`], and forgets
    /// it.
    pub(crate) const fn take_blocked(&mut self) -> bool {
        core::mem::replace(&mut self.blocked, false)
    }
}

impl Read for ChunkReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.blocked = false;
        if core::mem::take(&mut self.pause) {
            self.waits.push(self.offset);
            match self.interruption {
                Interruption::None | Interruption::EmptyChunk => {}
                Interruption::Interrupted => return Err(io::ErrorKind::Interrupted.into()),
                Interruption::WouldBlock => {
                    self.blocked = true;
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Interruption::Pending | Interruption::Dropped => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
            }
        }
        let Some(chunk) = self.chunks.last_mut() else {
            self.reads_at_end += 1;
            assert!(
                self.reads_at_end <= PATIENCE,
                "the end of the stream was read {PATIENCE} times"
            );
            return Ok(0);
        };
        let read = chunk.read(buffer)?;
        self.offset += read;
        if chunk.is_empty() {
            self.chunks.pop();
            self.pause = true;
        }
        Ok(read)
    }
}

/// A [`ChunkReader`] as an [`AsyncRead`](tokio::io::AsyncRead).
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct AsyncChunkReader<'a, 's>(pub(crate) &'a mut ChunkReader<'s>);

#[cfg(feature = "tokio")]
impl tokio::io::AsyncRead for AsyncChunkReader<'_, '_> {
    fn poll_read(
        mut self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> core::task::Poll<io::Result<()>> {
        match self.0.read(buffer.initialize_unfilled()) {
            Ok(read) => {
                buffer.advance(read);
                core::task::Poll::Ready(Ok(()))
            }
            // The check polls again without being woken.
            Err(_) => core::task::Poll::Pending,
        }
    }
}
