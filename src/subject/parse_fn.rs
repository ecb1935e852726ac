//! Functions that parse a slice, as decoders whose caller owns the buffer.

use core::fmt::Debug;

use bytes::{Buf, BytesMut};

use super::Decode;

/// A function that parses the first frame of a slice, as a [`Decode`]:
/// [`Buffered`](crate::Buffered) makes a subject of it.
///
/// ```
/// use everysplit::check::{Harness, Messages};
/// use everysplit::{Buffered, ParseFn};
///
/// #[derive(Clone, Debug, PartialEq, Eq)]
/// struct Truncated;
///
/// // A length of one byte, then the body.
/// fn parse(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Truncated> {
///     let Some((&length, rest)) = bytes.split_first() else {
///         return Ok(None);
///     };
///     let body = rest.get(..length.into());
///     Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
/// }
///
/// let messages = Messages::new(|body: &Vec<u8>| [&[body.len() as u8], &body[..]].concat())
///     .messages([b"ok".to_vec(), Vec::new()])
///     .truncation_error(Truncated);
/// let harness = messages.harness(|| Buffered::new(ParseFn::new(parse, Truncated)));
/// for stream in harness.streams() {
///     harness.prove_decoder(stream)?;
/// }
/// # Ok::<(), everysplit::check::Violation>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ParseFn<P, E> {
    parse: P,
    truncated: E,
}

impl<P, E> ParseFn<P, E> {
    /// Takes a function that returns the first frame of a slice with the number of
    /// bytes that it takes, or `None` when more must come first, and the error for
    /// a stream that ends inside a frame. It is to do the same whenever it is given
    /// the same bytes.
    pub const fn new<F>(parse: P, truncated: E) -> Self
    where
        P: Fn(&[u8]) -> Result<Option<(F, usize)>, E>,
    {
        Self { parse, truncated }
    }
}

/// Makes of a function that parses a whole frame, and does not tell how many bytes
/// it takes, one that does: `length` returns how long the first frame of a slice is,
/// or `None` when more bytes must come before it can be told.
///
/// ```
/// use everysplit::{Buffered, ParseFn, with_length};
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

/// A function has no state: any two are in the same.
impl<P, E> PartialEq for ParseFn<P, E> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<P, E> Eq for ParseFn<P, E> {}

impl<P, F, E> Decode for ParseFn<P, E>
where
    P: Fn(&[u8]) -> Result<Option<(F, usize)>, E>,
    F: Clone + Eq + Debug,
    E: Clone + Eq + Debug,
{
    type Frame = F;
    type Error = E;

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
}
