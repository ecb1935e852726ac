//! Decoders that go on after an error: their errors become frames.

use bytes::BytesMut;

use super::Decode;

/// A [`Decode`] that is called again after an error: each frame is a `Result`, in stream order. A
/// decoder that returns the same error again and again is reported as one that emits frames without
/// end.
///
/// Declare [`Deviation::Resynchronises`](crate::Deviation::Resynchronises) on the harness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorsAsFrames<D>(pub D);

impl<D: Decode> Decode for ErrorsAsFrames<D> {
    type Frame = Result<D::Frame, D::Error>;
    type Error = D::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, D::Error> {
        Ok(self.0.decode(buffer).transpose())
    }

    /// An error at the end of the stream ends it.
    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, D::Error> {
        Ok(self.0.decode_eof(buffer)?.map(Ok))
    }

    fn buffered_bytes(&self) -> Option<usize> {
        self.0.buffered_bytes()
    }
}
