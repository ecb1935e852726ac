//! A framer with an interface of its own.
//!
//! What to learn: a framer that is fed implements `Subject`. Without an encoder, a parser of whole
//! streams says what a stream must give. It sees all bytes at once, so it is too simple to have the
//! framer's bugs, and it judges hostile streams too.
//!
//! The buggy framer drops what follows the first frame of a chunk: coalesced frames (粘包) are lost.
//!
//! Prints the violation of `round_trip`, and the certificates of the fixed framer.
//! Run it with `cargo run --example own_framer`.

use bytes::Bytes;
use everysplit::subject::{Frames, Subject};
use everysplit::{Expected, Harness, Outcome, Property, Violation};

const MAX_BODY: u8 = 99;

/// Takes a length of one byte, then the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct MyFramer<const BUGGY: bool> {
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    TooLong,
    Truncated,
}

impl<const BUGGY: bool> Subject for MyFramer<BUGGY> {
    type Frame = Bytes;
    type Error = Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Bytes>) -> Result<(), Error> {
        self.buffer.extend(chunk);
        while let Some(&length) = self.buffer.first() {
            if length > MAX_BODY {
                return Err(Error::TooLong);
            }
            let end = 1 + usize::from(length);
            let Some(body) = self.buffer.get(1..end) else {
                break;
            };
            frames.push(Bytes::copy_from_slice(body));
            self.buffer.drain(..end);
            if BUGGY {
                self.buffer.clear();
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<Bytes>) -> Result<(), Error> {
        match self.buffer.first() {
            None => Ok(()),
            Some(&length) if length > MAX_BODY => Err(Error::TooLong),
            Some(_) => Err(Error::Truncated),
        }
    }
}

/// Parses a whole stream.
fn parse(stream: &[u8]) -> Expected<Bytes, Error> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let at = start + 1;
        match stream[start..] {
            [] => break Outcome::Clean,
            [length, ..] if length > MAX_BODY => {
                let error = Error::TooLong;
                break Outcome::Rejected { at, error };
            }
            [length, ref rest @ ..] if rest.len() >= length.into() => {
                start = at + usize::from(length);
                frames.push((start, Bytes::copy_from_slice(&stream[at..start])));
            }
            _ => break Outcome::Truncated(Error::Truncated),
        }
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

fn main() -> Result<(), Violation> {
    let buggy = Harness::framer(MyFramer::<true>::default).oracle(parse);
    let violation = buggy.check(b"\x05hello\0\x05world").unwrap_err();
    println!("{violation}\n");
    assert_eq!(violation.property, Property::RoundTrip);

    let fixed = Harness::framer(MyFramer::<false>::default).oracle(parse);
    for stream in [&b"\x05hello\0\x05world"[..], b"\x02ok\xff", b"\x02ok\x02o"] {
        println!("{}", fixed.check(stream)?);
    }
    Ok(())
}
