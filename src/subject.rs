//! The framer under test, as the checks see it, and the reference framer as
//! one. What is expected of it is for `check` to say.

use alloc::vec::Vec;
use core::fmt::Debug;

use crate::decoder::Framer;
use crate::error::DecodeError;
use crate::frame::Frame;

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
    fn feed(&mut self, chunk: &[u8], frames: &mut Vec<Self::Frame>) -> Result<(), Self::Error>;

    /// Takes the end of the stream and appends the frames that it gives, if any,
    /// to `frames`.
    ///
    /// # Errors
    ///
    /// The subject's own, for a stream that must not end here.
    fn finish(&mut self, frames: &mut Vec<Self::Frame>) -> Result<(), Self::Error>;

    /// Returns how many bytes of memory it holds for what it has been fed, or
    /// 0 if it cannot say.
    fn held(&self) -> usize {
        0
    }
}

impl Subject for Framer {
    type Frame = Frame;
    type Error = DecodeError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Vec<Frame>) -> Result<(), DecodeError> {
        Framer::feed(self, chunk, frames)
    }

    fn finish(&mut self, _: &mut Vec<Frame>) -> Result<(), DecodeError> {
        Framer::finish(self)
    }

    fn held(&self) -> usize {
        Framer::held(self)
    }
}
