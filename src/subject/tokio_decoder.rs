//! tokio-util decoders as decoders that the checks can compare: what is missing is errors that are
//! values.

use alloc::boxed::Box;
use alloc::format;
use core::fmt::{self, Debug};

use bytes::BytesMut;
use tokio_util::codec::Decoder;

use super::Decode;

/// A tokio-util [`Decoder`] under test.
///
/// [`Harness::codec`](crate::Harness::codec) makes one of a codec. For a decoder without an encoder:
///
/// ```
/// use everysplit::Harness;
/// use everysplit::subject::TokioDecoder;
/// use tokio_util::codec::AnyDelimiterCodec;
///
/// let make = || AnyDelimiterCodec::new(b",".to_vec(), b",".to_vec());
/// let harness = Harness::decoder(move || TokioDecoder::new(make()));
/// println!("{}", harness.check(b"one,two,")?);
/// # Ok::<(), everysplit::Violation>(())
/// ```
#[derive(Debug)]
pub struct TokioDecoder<D: Decoder, E = AnyError> {
    decoder: D,
    map_error: fn(D::Error) -> E,
}

impl<D> TokioDecoder<D>
where
    D: Decoder<Error: Debug>,
{
    /// Takes a decoder at the beginning of a stream. Its errors are all taken for equal.
    pub fn new(decoder: D) -> Self {
        Self {
            decoder,
            map_error: |error| AnyError::new(&error),
        }
    }
}

impl<D: Decoder, E> TokioDecoder<D, E> {
    /// Compares errors by the value that `map_error` makes of them, such as
    /// [`io::Error::kind`](std::io::Error::kind). The value must not depend on anything but the
    /// stream: a text with a backtrace in it, as `anyhow`'s `Debug` is, would differ from run to run.
    pub fn with_errors<G>(self, map_error: fn(D::Error) -> G) -> TokioDecoder<D, G> {
        TokioDecoder {
            decoder: self.decoder,
            map_error,
        }
    }
}

/// Not derived, as a derived `Clone` would need `D::Error: Clone`, which `io::Error` is not.
impl<D: Decoder + Clone, E> Clone for TokioDecoder<D, E> {
    fn clone(&self) -> Self {
        Self {
            decoder: self.decoder.clone(),
            map_error: self.map_error,
        }
    }
}

/// Equal if the decoders are.
impl<D: Decoder + PartialEq, E> PartialEq for TokioDecoder<D, E> {
    fn eq(&self, other: &Self) -> bool {
        self.decoder == other.decoder
    }
}

impl<D: Decoder + Eq, E> Eq for TokioDecoder<D, E> {}

impl<D, E> Decode for TokioDecoder<D, E>
where
    D: Decoder<Item: Clone + PartialEq + Debug>,
    E: Clone + PartialEq + Debug,
{
    type Frame = D::Item;
    type Error = E;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Item>, E> {
        self.decoder.decode(buffer).map_err(self.map_error)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Item>, E> {
        self.decoder.decode_eof(buffer).map_err(self.map_error)
    }
}

/// An error that equals every other error: the checks compare where it occurs, not which one it is.
#[derive(Clone)]
pub struct AnyError(Option<Box<str>>);

impl AnyError {
    /// Stands for any error in what is expected.
    pub const ANY: Self = Self(None);

    /// Takes an error, of which only the `Debug` text is kept for reports.
    pub fn new(error: &impl Debug) -> Self {
        Self(Some(format!("{error:?}").into()))
    }
}

impl PartialEq for AnyError {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for AnyError {}

impl Debug for AnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("any error"))
    }
}
