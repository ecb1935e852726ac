//! Tests of proofs of all streams, and not of one.

mod any_length;
mod automata;
mod claims;
mod letters;
mod macros;
mod verdicts;

use bytes::BytesMut;
use everysplit::Harness;
use everysplit::oracle::ByteByByte;
use everysplit::subject::{Decode, ParseFn};

type Parsed = Result<Option<(Vec<u8>, usize)>, &'static str>;

/// A length of one byte, of at most 2, then the body.
fn parse(bytes: &[u8]) -> Parsed {
    let Some((&length, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    if length > 2 {
        return Err("too long");
    }
    let body = rest.get(..length.into());
    Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
}

type Parser = ParseFn<fn(&[u8]) -> Parsed, &'static str>;

/// Makes a harness of a parser.
fn parser(parse: fn(&[u8]) -> Parsed) -> Harness<everysplit::CallerBuffered<Parser>, ByteByByte> {
    Harness::parser(parse, "truncated")
}

/// A function that decodes with a state.
type Function<T> = fn(&mut T, &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str>;

/// Makes a decoder of a function, which must not leave bytes at the end.
fn decoder<T: Default + Clone + PartialEq>(decode: Function<T>) -> StateFn<T> {
    StateFn {
        state: T::default(),
        decode,
    }
}

/// A decoder with a state.
#[derive(Clone)]
struct StateFn<T> {
    state: T,
    decode: Function<T>,
}

impl<T: PartialEq> PartialEq for StateFn<T> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl<T: PartialEq> Eq for StateFn<T> {}

impl<T> Decode for StateFn<T> {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        (self.decode)(&mut self.state, buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() => Err("truncated"),
            decoded => Ok(decoded),
        }
    }
}
