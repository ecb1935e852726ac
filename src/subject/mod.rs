//! Framers under test: the two traits that the checks call, and adapters for what implements
//! neither.
//!
//! | a framer | adapter |
//! |---|---|
//! | that is fed | implement [`Subject`], or [`FeedFn`] |
//! | whose caller owns the buffer | implement [`Decode`], or [`DecodeFn`] |
//! | of tokio-util | [`TokioDecoder`] |
//! | that is a function over a slice | [`ParseFn`] |
//! | that emits a body in pieces | [`JoinPieces`] around it |
//! | whose states are compared by a key | [`Keyed`] around it |
//! | that goes on after an error | [`ErrorsAsFrames`] around its [`Decode`] |
//! | whose caller stops at the first error | [`StopAtError`] around it |
//! | that borrows a reader | a closure that takes a [`ChunkReader`] |
//! | that owns its reader or stream | a [`Queue`], through [`owning_reader`] |
//!
//! Senders write to a [`ChunkWriter`].
//!
//! [`owning_reader`]: crate::Harness::owning_reader

mod buffered;
#[cfg(feature = "std")]
mod chunk_reader;
#[cfg(feature = "std")]
mod chunk_writer;
#[cfg(feature = "std")]
mod chunks;
mod decode_fn;
mod errors_as_frames;
mod feed_fn;
mod frames;
mod join_pieces;
mod keyed;
mod parse_fn;
#[cfg(feature = "std")]
mod queue;
mod stop_at_error;
#[cfg(feature = "tokio")]
mod tokio_decoder;

pub use buffered::Buffered;
#[cfg(feature = "tokio")]
pub use chunk_reader::AsyncChunkReader;
#[cfg(feature = "std")]
pub use chunk_reader::ChunkReader;
#[cfg(feature = "tokio")]
pub use chunk_writer::AsyncChunkWriter;
#[cfg(feature = "std")]
pub use chunk_writer::ChunkWriter;
#[cfg(feature = "std")]
pub(crate) use chunk_writer::excerpt;
#[cfg(feature = "tokio")]
pub(crate) use chunks::PATIENCE;
pub use decode_fn::DecodeFn;
pub use errors_as_frames::ErrorsAsFrames;
pub use feed_fn::FeedFn;
pub use frames::Frames;
#[cfg(feature = "std")]
pub(crate) use frames::most_frames;
pub use join_pieces::JoinPieces;
pub use keyed::Keyed;
pub use parse_fn::{ParseFn, with_length};
#[cfg(feature = "std")]
pub use queue::Queue;
pub use stop_at_error::StopAtError;
#[cfg(feature = "tokio")]
pub use tokio_decoder::{AnyError, TokioDecoder};

use core::fmt::Debug;
use core::mem;

use bytes::BytesMut;

/// A framer under test that is fed chunks.
///
/// Frames and errors are compared with `==`. An error should hold its kind, and may hold an offset
/// in the stream. An offset in a buffer, or a text that differs from run to run (the `Debug` text
/// of an `anyhow::Error` may hold a backtrace), makes a correct framer look buggy.
pub trait Subject {
    /// What the framer emits.
    type Frame: Clone + PartialEq + Debug;
    /// The framer's error for bad input.
    type Error: Clone + PartialEq + Debug;

    /// Feeds the next chunk, and appends the frames that are complete with it to `frames`.
    ///
    /// # Errors
    ///
    /// Returns the framer's error if it rejects the stream.
    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Self::Frame>) -> Result<(), Self::Error>;

    /// Ends the stream, and appends the frames that its end completes to `frames`.
    ///
    /// # Errors
    ///
    /// Returns the framer's error if the stream must not end here.
    fn finish(&mut self, frames: &mut Frames<Self::Frame>) -> Result<(), Self::Error>;

    /// Returns how many bytes of memory are held for what was fed. Without a number (`None`, the
    /// default) [`Property::Memory`](crate::Property::Memory) is not checked.
    fn buffered_bytes(&self) -> Option<usize> {
        None
    }
}

/// A decoder under test whose caller owns the buffer.
///
/// [`Buffered`] adds the buffer and makes a [`Subject`] of it.
pub trait Decode {
    /// What the decoder returns.
    type Frame: Clone + PartialEq + Debug;
    /// The decoder's error for bad input.
    type Error: Clone + PartialEq + Debug;

    /// Whether it only reads the bytes that it leaves in the buffer, so that a proof does not compare
    /// them after each call.
    #[doc(hidden)]
    const READS_ONLY: bool = false;

    /// Removes the next frame from the front of `buffer` and returns it, or returns `None` if more
    /// bytes are needed.
    ///
    /// # Errors
    ///
    /// Returns the decoder's error if it rejects the stream.
    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, Self::Error>;

    /// Like [`decode`](Self::decode), when no more bytes will come.
    ///
    /// # Errors
    ///
    /// Returns the decoder's error if it rejects the stream, or if the stream must not end here.
    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, Self::Error>;

    /// Returns how many bytes of memory the decoder itself holds for what was decoded, beside its
    /// caller's buffer. Without a number (`None`) [`Property::Memory`](crate::Property::Memory) is
    /// not checked.
    ///
    /// By default 0 if nothing in the decoder needs to be dropped, so that it owns no memory, and
    /// `None` otherwise.
    fn buffered_bytes(&self) -> Option<usize> {
        buffered_bytes(self, None)
    }
}

/// Returns how many bytes a decoder holds, as `says` does. Without that, 0 if nothing in the decoder
/// needs to be dropped.
fn buffered_bytes<D: ?Sized>(decoder: &D, says: Option<fn(&D) -> usize>) -> Option<usize> {
    match says {
        Some(says) => Some(says(decoder)),
        None => (!mem::needs_drop::<D>()).then_some(0),
    }
}

impl<D: Decode> Decode for &mut D {
    type Frame = D::Frame;
    type Error = D::Error;

    const READS_ONLY: bool = D::READS_ONLY;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, D::Error> {
        (**self).decode(buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, D::Error> {
        (**self).decode_eof(buffer)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        (**self).buffered_bytes()
    }
}
