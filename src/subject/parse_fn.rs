//! Functions that parse a slice, as decoders whose caller owns the buffer.

use core::fmt::Debug;

use bytes::{Buf, BytesMut};

use super::Decode;

/// A function that parses the first frame of a slice, as a [`Decode`].
///
/// [`Harness::parser`](crate::Harness::parser) makes one.
#[derive(Clone, Copy, Debug)]
pub struct ParseFn<P, E> {
    parse: P,
    truncated: E,
}

impl<P, E> ParseFn<P, E> {
    /// Takes a function, and the error for a stream that ends inside a frame.
    ///
    /// The function returns the first frame of a slice with the number of bytes that it takes, or
    /// `None` if more bytes are needed. For the same bytes it must always return the same.
    pub const fn new<F>(parse: P, truncated: E) -> Self
    where
        P: Fn(&[u8]) -> Result<Option<(F, usize)>, E>,
    {
        Self { parse, truncated }
    }
}

/// Makes a function for [`ParseFn`] of two: `length` returns the length of the first frame of a slice,
/// or `None` if more bytes are needed to know it, and `parse` parses a whole frame.
///
/// ```
/// use everysplit::subject::{Buffered, ParseFn, with_length};
///
/// let length = |bytes: &[u8]| Ok::<_, ()>(bytes.first().map(|&length| 1 + usize::from(length)));
/// let parse = |frame: &[u8]| Ok(frame[1..].to_vec());
/// let subject = Buffered::new(ParseFn::new(with_length(length, parse), ()));
/// ```
pub fn with_length<F, E>(
    length: impl Fn(&[u8]) -> Result<Option<usize>, E> + Clone,
    parse: impl Fn(&[u8]) -> Result<F, E> + Clone,
) -> impl Fn(&[u8]) -> Result<Option<(F, usize)>, E> + Clone {
    move |bytes| {
        let length = length(bytes)?.filter(|&length| length <= bytes.len());
        length
            .map(|length| Ok((parse(&bytes[..length])?, length)))
            .transpose()
    }
}

/// Always equal: a function has no state.
impl<P, E> PartialEq for ParseFn<P, E> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<P, E> Eq for ParseFn<P, E> {}

impl<P, F, E> Decode for ParseFn<P, E>
where
    P: Fn(&[u8]) -> Result<Option<(F, usize)>, E>,
    F: Clone + PartialEq + Debug,
    E: Clone + PartialEq + Debug,
{
    type Frame = F;
    type Error = E;

    /// It gets a shared slice.
    const READS_ONLY: bool = true;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<F>, E> {
        let parsed = (self.parse)(buffer)?;
        Ok(parsed.map(|(frame, taken)| {
            buffer.advance(taken);
            frame
        }))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<F>, E> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() => Err(self.truncated.clone()),
            decoded => Ok(decoded),
        }
    }

    /// Returns 0: a function has no state.
    fn buffered_bytes(&self) -> Option<usize> {
        Some(0)
    }
}
