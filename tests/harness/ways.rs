//! The ways to prove a framer that is not `Clone + Eq`: by the text of its states, and by feeding
//! the path to a state again. And what is proved with a buffer only.

use std::fmt;
use std::io;

use bytes::{Buf, Bytes, BytesMut};
use everysplit::reference::ByteOrder;
use everysplit::subject::{Buffered, Decode, TokioDecoder};
use everysplit::{Certificate, Expected, Harness, NotProved, Outcome, Property, ProvedBy, Tier};
use tokio_util::codec::{AnyDelimiterCodec, LinesCodec};

use crate::common::oracles::{self, Lengths, Refusal};

#[track_caller]
fn assert_proved_by(certificate: &Certificate, way: ProvedBy) {
    assert!(
        matches!(certificate.tier, Tier::Proved { by, .. } if by == way),
        "{certificate}"
    );
}

/// tokio-util's `LengthDelimitedCodec` is `Clone + Debug`, and not `Eq`.
#[test]
fn length_delimited_codec_is_proved_by_text() {
    let lengths = Lengths {
        byte_order: ByteOrder::Big,
        offset: 1,
        field: 2,
        adjustment: 0,
        skip: 3,
        max: 9,
    };
    let make =
        move || TokioDecoder::new(lengths.codec()).with_errors(|error: io::Error| error.kind());
    let oracle = |stream: &[u8]| lengths.parse(stream);
    let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
    let caller_buffered = Harness::decoder(make).oracle(oracle);
    for stream in [
        &b""[..],
        b"\x07\0\x02ok\x07\0\0\x07\0\x09nine bytes",
        b"\x07\0\x02ok\x07\0\x0atoo long",
        b"\x07\0\x05he",
    ] {
        for certificate in [fed.check(stream), caller_buffered.check(stream)].map(Result::unwrap) {
            assert_proved_by(&certificate, ProvedBy::CloneDebug);
            let text = certificate.to_string();
            assert!(
                text.contains(", states compared by their Debug text"),
                "{text}"
            );
        }
    }
}

/// It remembers how far it has looked for the end of the line: one state for each number of bytes
/// that arrived, all of them before the first byte is consumed.
#[test]
fn codecs_that_remember_how_far_they_looked_are_proved() {
    let line = [&[b'a'; 70][..], b"\nb\n"].concat();
    let make = || TokioDecoder::new(LinesCodec::new()).with_errors(Refusal::from);
    let lines = Harness::decoder(make).oracle(|stream: &[u8]| oracles::lines(stream, usize::MAX));
    let certificate = lines.check(&line).unwrap();
    assert_proved_by(&certificate, ProvedBy::CloneEq);
    assert_eq!(certificate.calls, 74 * 75 / 2);

    let codec = || AnyDelimiterCodec::new(b"\n".to_vec(), Vec::new());
    let make = move || TokioDecoder::new(codec()).with_errors(Refusal::from);
    let chunks = Harness::decoder(make).oracle(|stream: &[u8]| {
        oracles::delimited(stream, b"\n", usize::MAX, |frame| {
            Ok(Bytes::copy_from_slice(frame))
        })
    });
    assert_proved_by(&chunks.check(&line).unwrap(), ProvedBy::CloneEq);
}

/// A length of one byte, then the body. `is_buggy` says whether a body that is cut is changed.
struct Handmade {
    length: Option<u8>,
    is_cut: bool,
    is_buggy: bool,
}

impl Handmade {
    const fn new(is_buggy: bool) -> Self {
        Self {
            length: None,
            is_cut: false,
            is_buggy,
        }
    }

    fn decode(&mut self, buffer: &mut BytesMut) -> Option<Vec<u8>> {
        let length = match self.length {
            Some(length) => length,
            None if buffer.is_empty() => return None,
            None => *self.length.insert(buffer.get_u8()),
        };
        if buffer.len() < length.into() {
            self.is_cut = !buffer.is_empty();
            return None;
        }
        self.length = None;
        let mut body = buffer.split_to(length.into()).to_vec();
        if self.is_cut && self.is_buggy {
            body.reverse();
        }
        self.is_cut = false;
        Some(body)
    }
}

/// Implements `Decode` with the [`Handmade`] decoder in the first field.
macro_rules! handmade {
    ($($name:ident)*) => {
        $(impl Decode for $name {
            type Frame = Vec<u8>;
            type Error = ();

            fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, ()> {
                Ok(self.0.decode(buffer))
            }

            fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, ()> {
                match self.0.decode(buffer) {
                    None if self.0.length.is_some() => Err(()),
                    decoded => Ok(decoded),
                }
            }
        })*
    };
}

fn parse(stream: &[u8]) -> Expected<Vec<u8>, ()> {
    crate::harness::parse_or(stream, ())
}

const STREAM: &[u8] = b"\x05hello\0\x02ok\x01";

/// Its text shows all of its state; there is neither `Clone` nor `Eq`.
struct DebugOnly(Handmade);

impl fmt::Debug for DebugOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0.length, self.0.is_cut).fmt(f)
    }
}

/// Nothing of it can be seen.
struct Opaque(Handmade);

/// Its text counts the calls, so that it is never the same. The first number is the least length of
/// the text.
#[derive(Clone)]
struct Counts(usize, usize);

handmade!(DebugOnly Opaque);

#[test]
fn a_framer_that_is_only_debug_is_proved_by_feeding_its_path_again() {
    let fed = Harness::framer(|| Buffered::new(DebugOnly(Handmade::new(false)))).oracle(parse);
    let caller_buffered = Harness::decoder(|| DebugOnly(Handmade::new(false))).oracle(parse);
    for certificate in [fed.check(STREAM), caller_buffered.check(STREAM)].map(Result::unwrap) {
        assert_proved_by(&certificate, ProvedBy::RebuildDebug);
        let text = certificate.to_string();
        assert!(
            text.contains(
                ", states rebuilt by feeding their path again, compared by their Debug text"
            ),
            "{text}"
        );
    }
    let fed = Harness::framer(|| Buffered::new(DebugOnly(Handmade::new(true)))).oracle(parse);
    let caller_buffered = Harness::decoder(|| DebugOnly(Handmade::new(true))).oracle(parse);
    for found in [fed.check(STREAM), caller_buffered.check(STREAM)] {
        let violation = found.unwrap_err();
        assert_eq!(violation.property, Property::EverySplit, "{violation}");
        assert_eq!(violation.case.split.cuts().len(), 1, "{violation}");
    }
}

#[test]
fn a_framer_that_shows_nothing_is_not_proved() {
    let decoder = Harness::decoder(|| Opaque(Handmade::new(false))).oracle(parse);
    crate::assert_not_comparable(&decoder.check(STREAM).unwrap());
}

/// The other methods of a harness are reached from each type in the chain.
#[test]
fn methods_of_every_harness_are_reached() {
    let decoder = Harness::decoder(|| Opaque(Handmade::new(false)))
        .max_states(3)
        .oracle(parse)
        .streams([STREAM]);
    assert_eq!(decoder.all_streams(), [STREAM]);
    assert_eq!(decoder.expected(STREAM), Some(parse(STREAM)));
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>width$}", self.1, width = self.0)
    }
}

impl Decode for Counts {
    type Frame = ();
    type Error = ();

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<()>, ()> {
        self.1 += 1;
        buffer.clear();
        Ok(None)
    }

    fn decode_eof(&mut self, _: &mut BytesMut) -> Result<Option<()>, ()> {
        Ok(None)
    }
}

fn nothing(_: &[u8]) -> Expected<(), ()> {
    Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    }
}

fn not_proved(certificate: &Certificate) -> Option<NotProved> {
    match certificate.tier {
        Tier::Bounded { not_proved, .. } => not_proved,
        _ => None,
    }
}

#[test]
fn a_text_that_is_never_the_same_ends_as_too_many_states() {
    let fed = Harness::framer(|| Buffered::new(Counts(0, 0))).oracle(nothing);
    let caller_buffered = Harness::decoder(|| Counts(0, 0)).oracle(nothing);
    for certificate in [fed.check(b"abcd"), caller_buffered.check(b"abcd")].map(Result::unwrap) {
        assert!(
            matches!(
                not_proved(&certificate),
                Some(NotProved::TooManyStates { max_states: 64, .. })
            ),
            "{certificate}"
        );
    }
}

/// A state that is too dear to be made again and again, and a text that is too long.
#[test]
fn too_much_work_ends_as_such() {
    let rebuilt = Harness::framer(|| Buffered::new(DebugOnly(Handmade::new(false))))
        .oracle(parse)
        .max_work(1);
    let certificate = rebuilt.check(STREAM).unwrap();
    assert!(
        matches!(
            not_proved(&certificate),
            Some(NotProved::TooMuchWork { calls: 0..=2 })
        ),
        "{certificate}"
    );
    let text = certificate.to_string();
    assert!(
        text.contains("; not proved: too much work, given up after "),
        "{text}"
    );

    let texts = Harness::framer(|| Buffered::new(Counts(1 << 15, 0)))
        .oracle(nothing)
        .max_work(10 << 13);
    let certificate = texts.check(b"abcd").unwrap();
    assert!(
        matches!(
            not_proved(&certificate),
            Some(NotProved::TooMuchWork { .. })
        ),
        "{certificate}"
    );
}
