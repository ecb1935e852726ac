//! What the readers of one stream return next, and what was observed of the framer that reads.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::case::Interruption;
use crate::split::Split;

/// How often the end of the stream may be read, and how often a framer may try again what would
/// block before it returns.
pub(crate) const PATIENCE: usize = 1000;

/// The chunks of a stream, as offsets. Clones share one position.
#[derive(Clone, Debug)]
pub(super) struct Chunks(Arc<Mutex<State>>);

#[derive(Debug)]
pub(super) struct State {
    /// The ends of the chunks still to be returned, the next one last.
    ends: Vec<usize>,
    interruption: Interruption,
    /// Whether the next call is interrupted.
    pause: bool,
    /// Whether the last call returned [`io::ErrorKind::WouldBlock`], or was pending. The next one does
    /// too, until the framer has returned.
    blocked: bool,
    /// How many calls did so since the framer returned.
    retries: usize,
    /// How many bytes have been returned.
    pub(super) offset: usize,
    /// The offsets at which the framer waited for another chunk.
    pub(super) waits: Vec<usize>,
    /// How often the end of the stream has been read.
    pub(super) reads_at_end: usize,
}

impl Chunks {
    pub(super) fn new(stream: &[u8], split: &Split, interruption: Interruption) -> Self {
        let ends = split.chunks(stream).scan(0, |end, chunk| {
            *end += chunk.len();
            Some(*end)
        });
        let mut ends: Vec<usize> = ends.collect();
        ends.reverse();
        Self(Arc::new(Mutex::new(State {
            ends,
            interruption,
            pause: true,
            blocked: false,
            retries: 0,
            offset: 0,
            waits: Vec::new(),
            reads_at_end: 0,
        })))
    }

    /// Reads for a framer that blocks: it waits for each chunk.
    pub(super) fn read(&self, len: usize) -> io::Result<Range<usize>> {
        let mut state = self.state();
        if state.pause {
            state.wait();
        }
        state.read(len)
    }

    /// Reads for an asynchronous framer: it waits only if it is pending when this is.
    #[cfg(feature = "tokio")]
    pub(super) fn poll(&self, len: usize) -> io::Result<Range<usize>> {
        let mut state = self.state();
        let result = state.read(len);
        if state.interruption == Interruption::WouldBlock {
            // The framer blocks: it polls in an executor of its own, and does not return.
            state.pause = false;
        }
        result
    }

    /// A read that panicked leaves the state whole.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Begins a call of the framer.
    pub(super) fn begin(&mut self) {
        self.blocked = false;
        self.retries = 0;
    }

    /// Returns whether the last read was blocked. The framer has returned for that, so the next read
    /// is not.
    pub(super) fn resume(&mut self) -> bool {
        let blocked = core::mem::take(&mut self.blocked);
        self.pause &= !blocked;
        blocked
    }

    /// Notes that the framer waits for another chunk.
    pub(super) fn wait(&mut self) {
        self.waits.push(self.offset);
    }

    /// Returns the bytes of the stream to return next, at most `len` of them: none at the end of
    /// the stream. Fails if the call is interrupted.
    fn read(&mut self, len: usize) -> io::Result<Range<usize>> {
        self.blocked = false;
        if self.pause {
            match self.interruption {
                Interruption::None | Interruption::EmptyChunk | Interruption::WriteZero => {}
                Interruption::Interrupted => {
                    self.pause = false;
                    return Err(io::ErrorKind::Interrupted.into());
                }
                Interruption::WouldBlock | Interruption::Pending | Interruption::Dropped => {
                    self.blocked = true;
                    self.retries += 1;
                    assert!(
                        self.retries <= PATIENCE,
                        "a read that would block was tried {PATIENCE} times in one call"
                    );
                    return Err(io::ErrorKind::WouldBlock.into());
                }
            }
        }
        self.pause = false;
        let from = self.offset;
        let Some(&end) = self.ends.last() else {
            self.reads_at_end += 1;
            assert!(
                self.reads_at_end <= PATIENCE,
                "the end of the stream was read {PATIENCE} times"
            );
            return Ok(from..from);
        };
        self.offset = end.min(from.saturating_add(len));
        if self.offset == end {
            self.ends.pop();
            self.pause = true;
        }
        Ok(from..self.offset)
    }
}
