//! tokio-util decoders as decoders whose frames and errors can be compared.

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
pub struct TokioDecoder<D: Decoder, E = AnyError, F = <D as Decoder>::Item> {
    decoder: D,
    map_error: fn(D::Error) -> E,
    map_frame: fn(D::Item) -> F,
    buffered_bytes: Option<fn(&D) -> usize>,
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
            map_frame: |frame| frame,
            buffered_bytes: None,
        }
    }
}

impl<D: Decoder, E, F> TokioDecoder<D, E, F> {
    /// Compares errors by the value that `map_error` makes of them, such as
    /// [`io::Error::kind`](std::io::Error::kind).
    ///
    /// The value must depend on the stream alone. The `Debug` text of an `anyhow::Error` may hold a
    /// backtrace, which differs from run to run, and an offset in the buffer depends on the split.
    pub fn with_errors<G>(self, map_error: fn(D::Error) -> G) -> TokioDecoder<D, G, F> {
        TokioDecoder {
            decoder: self.decoder,
            map_error,
            map_frame: self.map_frame,
            buffered_bytes: self.buffered_bytes,
        }
    }

    /// Compares frames by the value that `map_frame` makes of them, for frames that are not
    /// `Clone + PartialEq + Debug`. What the value leaves out is not compared.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit::Harness;
    /// use everysplit::subject::{AnyError, TokioDecoder};
    /// use tokio_util::codec::Decoder;
    ///
    /// // Can be neither compared nor cloned.
    /// struct Letter {
    ///     byte: u8,
    ///     read: Box<dyn Fn()>,
    /// }
    ///
    /// #[derive(Clone, PartialEq, Eq)]
    /// struct Letters;
    ///
    /// impl Decoder for Letters {
    ///     type Item = Letter;
    ///     type Error = std::io::Error;
    ///
    ///     fn decode(&mut self, buffer: &mut BytesMut) -> std::io::Result<Option<Letter>> {
    ///         let letter = |byte| Letter { byte, read: Box::new(|| ()) };
    ///         Ok((!buffer.is_empty()).then(|| letter(buffer.split_to(1)[0])))
    ///     }
    /// }
    ///
    /// let make = || TokioDecoder::new(Letters).with_frames(|letter| letter.byte);
    /// let harness = Harness::decoder(make)
    ///     .encoder(|&byte| vec![byte])
    ///     .messages(*b"abc")
    ///     .truncation_error(AnyError::ANY);
    /// for stream in harness.all_streams() {
    ///     println!("{}", harness.check(&stream)?);
    /// }
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    pub fn with_frames<G>(self, map_frame: fn(D::Item) -> G) -> TokioDecoder<D, E, G> {
        TokioDecoder {
            decoder: self.decoder,
            map_error: self.map_error,
            map_frame,
            buffered_bytes: self.buffered_bytes,
        }
    }

    /// Takes a function that returns how many bytes of memory the decoder itself holds, beside its
    /// caller's buffer, so that [`Property::Memory`](crate::Property::Memory) is checked. It is
    /// needed only for a decoder that owns memory.
    #[must_use]
    pub fn with_buffered_bytes(self, buffered_bytes: fn(&D) -> usize) -> Self {
        Self {
            buffered_bytes: Some(buffered_bytes),
            ..self
        }
    }
}

/// Not derived, as a derived `Clone` would need `D::Error: Clone`, which `io::Error` is not.
impl<D: Decoder + Clone, E, F> Clone for TokioDecoder<D, E, F> {
    fn clone(&self) -> Self {
        Self {
            decoder: self.decoder.clone(),
            map_error: self.map_error,
            map_frame: self.map_frame,
            buffered_bytes: self.buffered_bytes,
        }
    }
}

/// Equal if the decoders are.
impl<D: Decoder + PartialEq, E, F> PartialEq for TokioDecoder<D, E, F> {
    fn eq(&self, other: &Self) -> bool {
        self.decoder == other.decoder
    }
}

impl<D: Decoder + Eq, E, F> Eq for TokioDecoder<D, E, F> {}

impl<D, E, F> Decode for TokioDecoder<D, E, F>
where
    D: Decoder,
    E: Clone + PartialEq + Debug,
    F: Clone + PartialEq + Debug,
{
    type Frame = F;
    type Error = E;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<F>, E> {
        let decoded = self.decoder.decode(buffer).map_err(self.map_error)?;
        Ok(decoded.map(self.map_frame))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<F>, E> {
        let decoded = self.decoder.decode_eof(buffer).map_err(self.map_error)?;
        Ok(decoded.map(self.map_frame))
    }

    fn buffered_bytes(&self) -> Option<usize> {
        super::buffered_bytes(&self.decoder, self.buffered_bytes)
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
