//! [`Guarded`] as a tokio-util decoder.

use std::io;

use bytes::BytesMut;
use tokio_util::codec;

use super::{AuthError, Guarded};

/// Reads the answer, then decodes with the inner codec. To encode, use the inner codec alone.
impl<D> codec::Decoder for Guarded<D>
where
    D: codec::Decoder<Error: From<AuthError>>,
{
    type Item = D::Item;
    type Error = D::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Item>, D::Error> {
        match self.open(buffer)? {
            Some(codec) => codec.decode(buffer),
            None => Ok(None),
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Item>, D::Error> {
        self.open_eof(buffer)?.decode_eof(buffer)
    }
}

/// Has the kind `PermissionDenied` for a wrong answer, `UnexpectedEof` for a stream that ended.
impl From<AuthError> for io::Error {
    fn from(error: AuthError) -> Self {
        let kind = match error {
            AuthError::WrongAnswer { .. } => io::ErrorKind::PermissionDenied,
            AuthError::AnswerTruncated { .. } | AuthError::ChallengeTruncated { .. } => {
                io::ErrorKind::UnexpectedEof
            }
        };
        Self::new(kind, error)
    }
}
