//! The framer under test, as the checks see it, and the reference framer as
//! one. What is expected of it is for `check` to say.

mod buffered;
mod errors_as_frames;
mod feed_fn;
mod frames;
mod join_pieces;
mod parse_fn;
#[cfg(feature = "tokio")]
mod tokio;

pub use buffered::Buffered;
pub use errors_as_frames::ErrorsAsFrames;
pub use feed_fn::FeedFn;
pub use frames::Frames;
pub use join_pieces::JoinPieces;
pub use parse_fn::{ParseFn, with_length};
#[cfg(feature = "tokio")]
pub use tokio::{Tokio, encoder};

use core::fmt::Debug;

use bytes::BytesMut;

/// A framer under test, at the beginning of a stream.
///
/// Frames and errors are compared by value: an error should hold what it is
/// about and where, not a text.
pub trait Subject {
    /// What it puts back together.
    type Frame: Clone + Eq + Debug;
    /// What it says of bad input.
    type Error: Clone + Eq + Debug;

    /// Takes the next chunk and appends the frames that it gives to `frames`.
    ///
    /// # Errors
    ///
    /// The subject's own, for a stream that it refuses.
    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Self::Frame>) -> Result<(), Self::Error>;

    /// Takes the end of the stream and appends the frames that it gives, if any,
    /// to `frames`.
    ///
    /// # Errors
    ///
    /// The subject's own, for a stream that must not end here.
    fn finish(&mut self, frames: &mut Frames<Self::Frame>) -> Result<(), Self::Error>;

    /// Returns how many bytes of memory it holds for what it has been fed, `None`
    /// if it cannot say: then the property is not checked.
    fn buffered_bytes(&self) -> Option<usize> {
        None
    }
}

/// A decoder whose caller owns the buffer, of tokio-util's kind.
pub trait Decode {
    /// What it puts back together.
    type Frame: Clone + Eq + Debug;
    /// What it says of bad input.
    type Error: Clone + Eq + Debug;

    /// Takes the next frame off the front of `buffer`, or returns `None` when
    /// more bytes must come first.
    ///
    /// # Errors
    ///
    /// The decoder's own, for a stream that it refuses.
    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, Self::Error>;

    /// Takes the next frame off the front of a buffer that will not grow any
    /// more.
    ///
    /// # Errors
    ///
    /// The decoder's own, for a stream that must not end here too.
    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, Self::Error>;
}
