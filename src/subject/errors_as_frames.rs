//! Decoders that go on after an error: their errors are among the frames.

use bytes::BytesMut;

use super::Decode;

/// A [`Decode`] that is called again after an error: what it gives is a frame or an
/// error, each where it stands in the stream. A decoder that says the same error
/// over and over is found out as one that gives frames without end.
///
/// To be used with a harness that
/// [declares](crate::check::Deviation::Resynchronises) it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorsAsFrames<D>(pub D);

impl<D: Decode> Decode for ErrorsAsFrames<D> {
    type Frame = Result<D::Frame, D::Error>;
    type Error = D::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, D::Error> {
        Ok(self.0.decode(buffer).transpose())
    }

    /// An error of the end is the last thing that a stream gives.
    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, D::Error> {
        Ok(self.0.decode_eof(buffer)?.map(Ok))
    }
}
