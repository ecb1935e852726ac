//! Decoders whose caller owns the buffer, put under test with two functions.

use core::fmt::{self, Debug};

use bytes::BytesMut;

use super::Decode;

/// A decoder with functions that decode from a buffer, as a [`Decode`]: for the codecs of other
/// crates.
///
/// The functions map errors to values that can be compared, and frames if need be. They may be
/// closures that capture values. The decoder holds all of the state: two `DecodeFn` are equal if
/// their decoders are.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit::Harness;
/// use everysplit::subject::DecodeFn;
///
/// // A decoder of another crate: its lines end with this byte.
/// #[derive(Clone, PartialEq, Eq)]
/// struct Lines(u8);
///
/// impl Lines {
///     fn decode(&mut self, buffer: &mut BytesMut) -> std::io::Result<Option<BytesMut>> {
///         let end = buffer.iter().position(|&byte| byte == self.0);
///         Ok(end.map(|end| buffer.split_to(end + 1)))
///     }
/// }
///
/// let harness = Harness::decoder(|| {
///     DecodeFn::new(
///         Lines(b'\n'),
///         |lines, buffer| lines.decode(buffer).map_err(|error| error.kind()),
///         |lines, buffer| lines.decode(buffer).map_err(|error| error.kind()),
///     )
/// });
/// harness.check(b"one\ntwo\n")?;
/// # Ok::<(), everysplit::Violation>(())
/// ```
#[derive(Clone, Copy)]
pub struct DecodeFn<T, A, B> {
    decoder: T,
    decode: A,
    decode_eof: B,
    buffered_bytes: Option<fn(&T) -> usize>,
}

impl<T, A, B> DecodeFn<T, A, B> {
    /// Takes the decoder at the beginning of a stream, a function that removes the next frame from
    /// the front of a buffer, and one that does so when no more bytes will come. Both return `None`
    /// if more bytes are needed.
    pub const fn new<F, E>(decoder: T, decode: A, decode_eof: B) -> Self
    where
        A: Fn(&mut T, &mut BytesMut) -> Result<Option<F>, E>,
        B: Fn(&mut T, &mut BytesMut) -> Result<Option<F>, E>,
    {
        Self {
            decoder,
            decode,
            decode_eof,
            buffered_bytes: None,
        }
    }

    /// Takes a function that returns how many bytes of memory the decoder itself holds, beside its
    /// caller's buffer, so that [`Property::Memory`](crate::Property::Memory) is checked. It is
    /// needed only for a decoder that owns memory.
    #[must_use]
    pub fn with_buffered_bytes(self, buffered_bytes: fn(&T) -> usize) -> Self {
        Self {
            buffered_bytes: Some(buffered_bytes),
            ..self
        }
    }
}

/// Equal if the decoders are.
impl<T: PartialEq, A, B> PartialEq for DecodeFn<T, A, B> {
    fn eq(&self, other: &Self) -> bool {
        self.decoder == other.decoder
    }
}

impl<T: Eq, A, B> Eq for DecodeFn<T, A, B> {}

/// Not derived, as closures are not `Debug`.
impl<T: Debug, A, B> Debug for DecodeFn<T, A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecodeFn").field(&self.decoder).finish()
    }
}

impl<T, A, B, F, E> Decode for DecodeFn<T, A, B>
where
    A: Fn(&mut T, &mut BytesMut) -> Result<Option<F>, E>,
    B: Fn(&mut T, &mut BytesMut) -> Result<Option<F>, E>,
    F: Clone + PartialEq + Debug,
    E: Clone + PartialEq + Debug,
{
    type Frame = F;
    type Error = E;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<F>, E> {
        (self.decode)(&mut self.decoder, buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<F>, E> {
        (self.decode_eof)(&mut self.decoder, buffer)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        super::buffered_bytes(&self.decoder, self.buffered_bytes)
    }
}
