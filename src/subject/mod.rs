//! The framer under test, as the checks see it, and the reference framer as
//! one. What is expected of it is for `check` to say.

mod buffered;
mod joined;
mod parser;
mod push;
mod resynchronises;
mod sink;
#[cfg(feature = "tokio")]
mod tokio;

pub use buffered::Buffered;
pub use joined::Joined;
pub use parser::{Parser, with_length};
pub use push::Push;
pub use resynchronises::Resynchronises;
pub use sink::Sink;
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
    fn feed(&mut self, chunk: &[u8], frames: &mut Sink<Self::Frame>) -> Result<(), Self::Error>;

    /// Takes the end of the stream and appends the frames that it gives, if any,
    /// to `frames`.
    ///
    /// # Errors
    ///
    /// The subject's own, for a stream that must not end here.
    fn finish(&mut self, frames: &mut Sink<Self::Frame>) -> Result<(), Self::Error>;

    /// Returns how many bytes of memory it holds for what it has been fed, `None`
    /// if it cannot say: then the property is not checked.
    fn held(&self) -> Option<usize> {
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
