//! The reader for framers that own their source.

use std::io::{self, Read};

use bytes::Bytes;

use super::chunks::Chunks;

/// A stream that arrives chunk by chunk, for framers that own what they read from. It is a
/// [`Read`], and with the feature `tokio` an [`AsyncRead`](tokio::io::AsyncRead) and a
/// [`Stream`](futures_core::Stream) of `io::Result<Bytes>`.
///
/// [`Harness::owning_reader`](crate::Harness::owning_reader) and `owning_async_reader` pass it to
/// the framer's constructor. It returns the chunks that a [`ChunkReader`](super::ChunkReader) does,
/// with the same interruptions. Clones share one position.
///
/// A framer that also writes takes `tokio::io::join(queue, tokio::io::sink())`, and one that needs
/// the traits of the crate futures the `compat()` of tokio-util.
#[derive(Clone, Debug)]
pub struct Queue {
    stream: Bytes,
    chunks: Chunks,
}

impl Queue {
    pub(super) const fn new(stream: Bytes, chunks: Chunks) -> Self {
        Self { stream, chunks }
    }
}

impl Read for Queue {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = &self.stream[self.chunks.read(buffer.len())?];
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

#[cfg(feature = "tokio")]
pub(super) use asynchronous::poll_read;

#[cfg(feature = "tokio")]
mod asynchronous {
    use core::pin::Pin;
    use core::task::{Context, Poll};
    use std::io;

    use bytes::Bytes;
    use futures_core::Stream;
    use tokio::io::{AsyncRead, ReadBuf};

    use super::{Chunks, Queue};

    /// Reads once. An interrupted read is pending.
    pub(in super::super) fn poll_read(
        stream: &[u8],
        chunks: &Chunks,
        context: &Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match chunks.poll(buffer.remaining()) {
            Ok(bytes) => {
                buffer.put_slice(&stream[bytes]);
                Poll::Ready(Ok(()))
            }
            Err(_) => pending(context),
        }
    }

    /// The checks poll again without being woken, but executors inside the framer do not.
    fn pending<T>(context: &Context<'_>) -> Poll<T> {
        context.waker().wake_by_ref();
        Poll::Pending
    }

    impl AsyncRead for Queue {
        fn poll_read(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            poll_read(&self.stream, &self.chunks, context, buffer)
        }
    }

    impl Stream for Queue {
        type Item = io::Result<Bytes>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            match self.chunks.poll(usize::MAX) {
                Ok(chunk) if chunk.is_empty() => Poll::Ready(None),
                Ok(chunk) => Poll::Ready(Some(Ok(self.stream.slice(chunk)))),
                Err(_) => pending(context),
            }
        }
    }
}
