//! Framers that are not called any more after an error.

use bytes::BytesMut;

use super::{Decode, Frames, Subject};

/// A [`Subject`] or [`Decode`] that is dropped after its first error: every later call returns that
/// error again, and does not reach the framer.
///
/// It models a caller that closes the connection. To leave out the calls instead, declare
/// [`Deviation::CallerStops`](crate::Deviation::CallerStops).
///
/// ```
/// use everysplit::Harness;
/// use everysplit::subject::{StopAtError, TokioDecoder};
/// use tokio_util::codec::LinesCodec;
///
/// // It returns an error for a line over the limit, and then goes on with the next one.
/// let make = || TokioDecoder::new(LinesCodec::new_with_max_length(4));
/// let harness = Harness::decoder(move || StopAtError::new(make()));
/// println!("{}", harness.check(b"too long\nok\n")?);
/// # Ok::<(), everysplit::Violation>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopAtError<S, E> {
    framer: S,
    error: Option<E>,
}

impl<S, E: Clone> StopAtError<S, E> {
    /// Takes a framer at the beginning of a stream.
    pub const fn new(framer: S) -> Self {
        let error = None;
        Self { framer, error }
    }

    /// Calls the framer, or returns its error again.
    fn call<T>(&mut self, call: impl FnOnce(&mut S) -> Result<T, E>) -> Result<T, E> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        call(&mut self.framer).inspect_err(|error| self.error = Some(error.clone()))
    }
}

impl<S: Subject> Subject for StopAtError<S, S::Error> {
    type Frame = S::Frame;
    type Error = S::Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<S::Frame>) -> Result<(), S::Error> {
        self.call(|framer| framer.feed(chunk, frames))
    }

    fn finish(&mut self, frames: &mut Frames<S::Frame>) -> Result<(), S::Error> {
        self.call(|framer| framer.finish(frames))
    }

    fn buffered_bytes(&self) -> Option<usize> {
        self.framer.buffered_bytes()
    }
}

impl<D: Decode> Decode for StopAtError<D, D::Error> {
    type Frame = D::Frame;
    type Error = D::Error;

    const READS_ONLY: bool = D::READS_ONLY;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, D::Error> {
        self.call(|framer| framer.decode(buffer))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Frame>, D::Error> {
        self.call(|framer| framer.decode_eof(buffer))
    }

    fn buffered_bytes(&self) -> Option<usize> {
        self.framer.buffered_bytes()
    }
}
