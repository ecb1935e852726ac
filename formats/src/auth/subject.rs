//! Implements the harness's trait for [`Guarded`].

use core::error::Error;
use core::fmt;

use bytes::BytesMut;
use everysplit::subject::Decode;

use super::{AuthError, Guarded};

/// Why a [`Guarded`] under test rejected a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardedError<E> {
    /// The answer was rejected.
    Answer(AuthError),
    /// The inner decoder rejected the bytes after the answer. The offset in its error counts from
    /// the end of the answer.
    Inner(E),
}

impl<E: fmt::Display> fmt::Display for GuardedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(error) => error.fmt(f),
            Self::Inner(error) => write!(f, "after the answer: {error}"),
        }
    }
}

impl<E: Error> Error for GuardedError<E> {}

/// Returns the frames after the answer.
impl<D: Decode> Decode for Guarded<D> {
    type Frame = D::Frame;
    type Error = GuardedError<D::Error>;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, Self::Error> {
        match self.open(buffer).map_err(GuardedError::Answer)? {
            Some(inner) => inner.decode(buffer).map_err(GuardedError::Inner),
            None => Ok(None),
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, Self::Error> {
        let inner = self.open_eof(buffer).map_err(GuardedError::Answer)?;
        inner.decode_eof(buffer).map_err(GuardedError::Inner)
    }
}
