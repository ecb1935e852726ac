//! The framers of the documents' other formats, as subjects. What they are is for
//! `framing` to say.

#[cfg(feature = "auth")]
pub use auth::GuardedError;

#[cfg(feature = "auth")]
mod auth {
    use core::error::Error;
    use core::fmt;

    use bytes::BytesMut;

    use crate::framing::auth::{AuthError, Guarded};
    use crate::subject::Decode;

    /// What a decoder behind an answer says of bad input.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum GuardedError<E> {
        /// The answer is refused.
        Answer(AuthError),
        /// The stream behind it is.
        Behind(E),
    }

    impl<E: fmt::Display> fmt::Display for GuardedError<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Answer(error) => error.fmt(f),
                Self::Behind(error) => write!(f, "behind the answer: {error}"),
            }
        }
    }

    impl<E: Error> Error for GuardedError<E> {}

    /// Gives the frames behind the answer.
    impl<D: Decode> Decode for Guarded<D> {
        type Frame = D::Frame;
        type Error = GuardedError<D::Error>;

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, Self::Error> {
            match self.open(buffer).map_err(GuardedError::Answer)? {
                Some(inner) => inner.decode(buffer).map_err(GuardedError::Behind),
                None => Ok(None),
            }
        }

        fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, Self::Error> {
            let inner = self.open_eof(buffer).map_err(GuardedError::Answer)?;
            inner.decode_eof(buffer).map_err(GuardedError::Behind)
        }
    }
}

#[cfg(feature = "json_header")]
mod json_header {
    use bytes::BytesMut;

    use crate::framing::json_header::{DecodeError, Decoder, Part};
    use crate::subject::Decode;

    /// Its frames are parts: [`Joined`](crate::Joined) makes whole ones of them.
    impl Decode for Decoder {
        type Frame = Part;
        type Error = DecodeError;

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Part>, DecodeError> {
            Decoder::decode(self, buffer)
        }

        fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Part>, DecodeError> {
            Decoder::decode_eof(self, buffer)
        }
    }
}

mod len32 {
    use bytes::{Bytes, BytesMut};

    use crate::framing::len32;
    use crate::subject::Decode;

    impl Decode for len32::Decoder {
        type Frame = Bytes;
        type Error = len32::DecodeError;

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, len32::DecodeError> {
            len32::Decoder::decode(self, buffer)
        }

        fn decode_eof(
            &mut self,
            buffer: &mut BytesMut,
        ) -> Result<Option<Bytes>, len32::DecodeError> {
            len32::Decoder::decode_eof(self, buffer)
        }
    }
}
