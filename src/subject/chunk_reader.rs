//! The readers that framers under test borrow: they return a stream chunk by chunk.

use alloc::vec::Vec;
use std::io::{self, Read};

use bytes::Bytes;

use super::chunks::Chunks;
use super::queue::Queue;
use crate::case::Interruption;
use crate::split::Split;

/// A reader that returns a stream chunk by chunk: at most one chunk per call of `read`, and less
/// if the buffer is smaller. Before each chunk, and before the end, it does what the
/// [`Interruption`] says.
///
/// What would block, or is pending, stays so until the framer has returned that to its caller.
///
/// It panics if its end is read 1000 times, or if a framer reads 1000 times in one call while that
/// would block, which the checks report as a violation of
/// [`Property::Progress`](crate::Property::Progress).
#[derive(Debug)]
pub struct ChunkReader<'a> {
    stream: &'a [u8],
    chunks: Chunks,
}

impl<'a> ChunkReader<'a> {
    pub(crate) fn new(stream: &'a [u8], split: &Split, interruption: Interruption) -> Self {
        let chunks = Chunks::new(stream, split, interruption);
        Self { stream, chunks }
    }

    /// Returns a reader that owns its source. What it reads is not read here again.
    pub(crate) fn queue(&self) -> Queue {
        Queue::new(Bytes::copy_from_slice(self.stream), self.chunks.clone())
    }

    pub(crate) fn offset(&self) -> usize {
        self.chunks.state().offset
    }

    /// Returns whether the end of the stream has been read.
    pub(crate) fn at_end(&self) -> bool {
        self.chunks.state().reads_at_end > 0
    }

    /// Returns the offsets at which the framer has waited for another chunk since the last call.
    pub(crate) fn take_waits(&mut self) -> Vec<usize> {
        core::mem::take(&mut self.chunks.state().waits)
    }

    /// Begins a call of the framer.
    pub(crate) fn begin(&self) {
        self.chunks.state().begin();
    }

    /// Returns a function to call whenever the framer is pending. The function returns whether this
    /// reader was pending meanwhile, and notes that the framer waits. Until a framer waits, it may read
    /// ahead and keep its frames.
    #[cfg(feature = "tokio")]
    pub(crate) fn pended(&self) -> impl FnMut() -> bool + use<> {
        let chunks = self.chunks.clone();
        move || {
            let mut state = chunks.state();
            let pended = state.resume();
            if pended {
                state.wait();
            }
            pended
        }
    }

    /// Returns whether the last call of `read` returned [`io::ErrorKind::WouldBlock`], which the framer
    /// has returned to its caller. The next call of `read` does not.
    pub(crate) fn resume(&self) -> bool {
        self.chunks.state().resume()
    }
}

impl Read for ChunkReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = &self.stream[self.chunks.read(buffer.len())?];
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

/// A [`ChunkReader`] as an [`AsyncRead`](tokio::io::AsyncRead).
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct AsyncChunkReader<'a, 's>(pub(crate) &'a mut ChunkReader<'s>);

#[cfg(feature = "tokio")]
impl tokio::io::AsyncRead for AsyncChunkReader<'_, '_> {
    fn poll_read(
        self: core::pin::Pin<&mut Self>,
        context: &mut core::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> core::task::Poll<io::Result<()>> {
        super::queue::poll_read(self.0.stream, &self.0.chunks, context, buffer)
    }
}
