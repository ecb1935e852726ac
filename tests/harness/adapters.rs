//! Framers of every shape as subjects: right ones pass, wrong ones do not.
#![allow(
    clippy::ptr_arg,
    clippy::unnecessary_wraps,
    reason = "functions of the shape that is asked for"
)]

use bytes::{Buf, BytesMut};
use everysplit::check::{
    self, Certificate, Expected, Harness, Messages, Outcome, Property, Tier, Violation,
};
use everysplit::reference::{Config, Framer};
use everysplit::{
    Buffered, Decode, FeedFn, Frames, JoinPieces, ParseFn, Split, Subject, Tokio, with_length,
};
use tokio_util::codec::LinesCodec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Truncated;

fn encode(body: &Vec<u8>) -> Vec<u8> {
    [&[u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

/// Proves a framer of bodies behind a length of one byte, where it can be.
fn prove<S>(make: impl Fn() -> S) -> Result<(), Violation>
where
    S: Subject<Frame = Vec<u8>, Error = Truncated> + Clone + Eq,
{
    let messages = Messages::new(encode)
        .messages([&b"ok"[..], b"", b"abc"].map(<[u8]>::to_vec))
        .truncation_error(Truncated);
    let harness = messages.harness(make);
    for stream in harness.streams() {
        let certificate = harness.prove(stream)?;
        assert!(
            matches!(certificate.tier, Tier::Proved { .. }),
            "{certificate}"
        );
    }
    Ok(())
}

#[track_caller]
fn found(result: Result<(), Violation>, property: Property) {
    let violation = result.unwrap_err();
    assert_eq!(violation.property, property, "{violation}");
}

#[test]
fn a_parser_that_tells_what_it_took() {
    type Parsed = Result<Option<(Vec<u8>, usize)>, Truncated>;

    fn right(bytes: &[u8]) -> Parsed {
        let Some((&length, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let body = rest.get(..length.into());
        Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
    }

    /// Takes all that is there.
    fn greedy(bytes: &[u8]) -> Parsed {
        Ok(right(bytes)?.map(|(frame, _)| (frame, bytes.len())))
    }

    /// Tells of a byte more than there may be.
    fn lies(bytes: &[u8]) -> Parsed {
        Ok(right(bytes)?.map(|(frame, taken)| (frame, taken + 1)))
    }

    prove(|| Buffered::new(ParseFn::new(right, Truncated))).unwrap();
    found(
        prove(|| Buffered::new(ParseFn::new(greedy, Truncated))),
        Property::Prompt,
    );
    found(
        prove(|| Buffered::new(ParseFn::new(lies, Truncated))),
        Property::Progress,
    );
}

#[test]
fn a_parser_and_a_length() {
    let parse = |frame: &[u8]| Ok(frame[1..].to_vec());
    let right = |bytes: &[u8]| Ok(bytes.first().map(|&length| 1 + usize::from(length)));
    prove(|| Buffered::new(ParseFn::new(with_length(right, parse), Truncated))).unwrap();
    // The length byte itself is not counted.
    let short = |bytes: &[u8]| Ok(bytes.first().map(|&length| usize::from(length).max(1)));
    found(
        prove(|| Buffered::new(ParseFn::new(with_length(short, parse), Truncated))),
        Property::RoundTrip,
    );
    // The length is asked for before there is one.
    let early = |bytes: &[u8]| Ok(Some(1 + usize::from(bytes[0])));
    found(
        prove(|| Buffered::new(ParseFn::new(with_length(early, parse), Truncated))),
        Property::Progress,
    );
}

fn take(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = 1 + usize::from(*buffer.first()?);
    (end <= buffer.len()).then(|| buffer.drain(..end).skip(1).collect())
}

fn feed(buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), Truncated> {
    buffer.extend(chunk);
    frames.extend(std::iter::from_fn(|| take(buffer)));
    Ok(())
}

fn finish(buffer: &mut Vec<u8>, _: &mut Frames<Vec<u8>>) -> Result<(), Truncated> {
    if buffer.is_empty() {
        Ok(())
    } else {
        Err(Truncated)
    }
}

#[test]
fn what_is_pushed_with_functions() {
    prove(|| FeedFn::new(Vec::new(), feed, finish)).unwrap();
    let one_a_chunk = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        buffer.extend(chunk);
        frames.extend(take(buffer));
        Ok(())
    };
    found(
        prove(|| FeedFn::new(Vec::new(), one_a_chunk, finish)),
        Property::Prompt,
    );
}

/// A part of a body, and whether it is the last.
type Piece = (Vec<u8>, bool);

/// Gives the bytes of a body as they come: what is left to come is all it keeps.
fn pieces(
    left: &mut Option<u8>,
    chunk: &[u8],
    pieces: &mut Frames<Piece>,
) -> Result<(), Truncated> {
    let mut rest = chunk;
    while let Some((&first, behind)) = rest.split_first() {
        let length = left.take().unwrap_or_else(|| {
            rest = behind;
            first
        });
        let (piece, behind) = rest.split_at(rest.len().min(length.into()));
        let due = length - u8::try_from(piece.len()).unwrap();
        rest = behind;
        *left = (due > 0).then_some(due);
        pieces.push((piece.to_vec(), due == 0));
    }
    Ok(())
}

fn finish_pieces(left: &mut Option<u8>, _: &mut Frames<Piece>) -> Result<(), Truncated> {
    if left.is_none() {
        Ok(())
    } else {
        Err(Truncated)
    }
}

#[test]
fn pieces_are_joined() {
    let joined = |join| JoinPieces::new(FeedFn::new(None, pieces, finish_pieces), Vec::new(), join);
    prove(|| {
        joined(|body: &mut Vec<u8>, (piece, last): Piece| {
            body.extend(piece);
            last.then(|| std::mem::take(body))
        })
    })
    .unwrap();
    // The last piece alone is taken for the body.
    found(
        prove(|| joined(|_: &mut Vec<u8>, (piece, last): Piece| last.then_some(piece))),
        Property::EverySplit,
    );
}

/// Bytes, and so often what is called the last of them at the end of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Last(usize);

impl Decode for Last {
    type Frame = u8;
    type Error = Truncated;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, Truncated> {
        Ok((buffer.len() > 1).then(|| buffer.get_u8()))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, Truncated> {
        if let Some(byte) = self.decode(buffer)? {
            return Ok(Some(byte));
        }
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        Ok(left.map(|_| buffer[0]))
    }
}

/// A frame that the end gives is expected there, once.
#[test]
fn frames_at_the_end_are_held_to() {
    let expected = Expected {
        frames: vec![(2, b'a'), (3, b'b')],
        at_end: vec![b'c'],
        outcome: Outcome::Clean,
    };
    let prove = |times| check::prove_decoder(Last(times), b"abc", &expected, 8);
    let whole = |times| check::prove(Buffered::new(Last(times)), b"abc", &expected, 8);
    assert!(prove(1).unwrap().is_ok());
    assert!(whole(1).unwrap().is_ok());
    // Of too many, as many are asked for as show it.
    for (times, actual) in [
        (0, "at the end ([], Ok(()))"),
        (2, "at the end ([99, 99], Ok(()))"),
        (50, "at the end ([99, 99], Ok(()))"),
    ] {
        let violation = prove(times).unwrap_err();
        assert_eq!(violation.property, Property::Truncation, "{violation}");
        assert_eq!(*violation.actual, *actual);
        assert_eq!(whole(times).unwrap_err().property, Property::Truncation);
    }
}

/// States that are not the same are not merged: those of the framer, and those of what
/// is around it.
#[test]
fn states_are_told_apart() {
    let join = |body: &mut Vec<u8>, (piece, _): Piece| -> Option<()> {
        body.extend(piece);
        None
    };
    let joined = |stream: &[u8]| {
        let mut joined =
            JoinPieces::new(FeedFn::new(None, pieces, finish_pieces), Vec::new(), join);
        joined.feed(stream, &mut Frames::new(0)).unwrap();
        joined
    };
    assert!(joined(b"\x02a") == joined(b"\x02a"));
    // What is joined differs, and what is left to come.
    assert!(joined(b"\x02a") != joined(b"\x02b"));
    assert!(joined(b"\x02") != joined(b"\x03"));

    let push = |stream: &[u8]| FeedFn::new(stream.to_vec(), feed, finish);
    assert!(push(b"a") == push(b"a"));
    assert!(push(b"a") != push(b"b"));

    let lines = |most| Tokio::new(LinesCodec::new_with_max_length(most), |_| ());
    assert!(lines(1) == lines(1));
    assert!(lines(1) != lines(2));
}

/// Says that it holds three bytes.
struct Three;

impl Subject for Three {
    type Frame = ();
    type Error = ();

    fn feed(&mut self, _: &[u8], _: &mut Frames<()>) -> Result<(), ()> {
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<()>) -> Result<(), ()> {
        Ok(())
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(3)
    }
}

/// What is held is told by whoever knows it, and by nobody else.
#[test]
fn what_is_held_is_told() {
    assert_eq!(
        JoinPieces::new(Three, (), |(), ()| Some(())).buffered_bytes(),
        Some(3)
    );
    assert_eq!(FeedFn::new(Vec::new(), feed, finish).buffered_bytes(), None);
    let mut framer = Framer::new(Config::default());
    Subject::feed(&mut framer, &[0; 5], &mut Frames::new(0)).unwrap();
    assert!(framer.buffered_bytes() > 1);
    assert_eq!(
        Subject::buffered_bytes(&framer),
        Some(framer.buffered_bytes())
    );
}

/// The pieces themselves depend on the split, and that is seen.
#[test]
fn pieces_are_not_frames() {
    let make = || FeedFn::new(None, pieces, finish_pieces);
    let harness = Harness::new(make, check::itself(make));
    let violation = harness.prove(b"\x02ab").unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
}

/// Without an oracle, what byte by byte gives is expected.
#[test]
fn a_framer_is_held_to_itself() {
    let right = || FeedFn::new(Vec::new(), feed, finish);
    let harness = Harness::new(right, check::itself(right));
    for stream in [&b""[..], b"\x02ok\0", b"\x02ok\x03ab"] {
        harness.prove(stream).unwrap();
    }
    let at_once = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        feed(buffer, chunk, frames)?;
        // A frame that came in one chunk is given twice.
        let twice: Vec<_> = frames
            .iter()
            .filter(|frame| frame.len() + 1 == chunk.len())
            .cloned()
            .collect();
        frames.extend(twice.into_iter().filter(|frame| !frame.is_empty()));
        Ok(())
    };
    let wrong = || FeedFn::new(Vec::new(), at_once, finish);
    let harness = Harness::new(wrong, check::itself(wrong));
    let violation = harness.prove(b"\0\x02ok\0").unwrap_err();
    assert_eq!(violation.case.to_string(), "026f6b@whole", "{violation}");
}

/// A panic in the oracle is that of the framer, and told of the framer.
#[test]
fn a_framer_that_panics_is_no_oracle_for_itself() {
    let panics = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        assert!(chunk.len() != 1 || buffer.is_empty(), "a bug of the framer");
        feed(buffer, chunk, frames)
    };
    let wrong = || FeedFn::new(Vec::new(), panics, finish);
    let harness = Harness::new(wrong, check::itself(wrong));
    let violation = harness.check(&"026f6b@1,2".parse().unwrap()).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
}

/// What a fuzzer comes up with: any bytes, of which one harness can judge all and
/// the other those that it knows.
#[test]
fn any_bytes_are_fuzzed() {
    let right = || FeedFn::new(Vec::new(), feed, finish);
    let harness = Harness::new(right, check::itself(right));
    let known = Messages::new(encode).messages([b"ok".to_vec()]);
    let known = known.harness(right);
    let forgets = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        buffer.clear();
        feed(buffer, chunk, frames)
    };
    let wrong = || FeedFn::new(Vec::new(), forgets, finish);
    let wrong = Messages::new(encode)
        .messages([b"ok".to_vec()])
        .harness(wrong);
    let mut found = 0;
    for count in 1..20 {
        let stream = b"\x02ok".repeat(count);
        harness.fuzz(&stream).unwrap();
        harness.fuzz(&stream[1..]).unwrap();
        known.fuzz(&stream).unwrap();
        known.fuzz(&stream[1..]).unwrap();
        if let Err(violation) = wrong.fuzz(&stream) {
            assert_eq!(violation.case.stream, b"\x02ok", "{violation}");
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}

/// Files of a folder are streams, in the order of their names.
#[test]
fn a_corpus_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/decode");
    let streams = check::corpus(folder).unwrap();
    assert!(!streams.is_empty());
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let first = names.min().unwrap();
    assert_eq!(streams[0], std::fs::read(first).unwrap());
    check::corpus("no/such/folder").unwrap_err();
}

/// The certificate of a decoder counts what it took.
#[test]
fn a_split_of_nothing_is_whole() -> Result<(), Violation> {
    let make = || {
        FeedFn::new(
            BytesMut::new(),
            |_, _, _: &mut Frames<()>| Ok::<(), ()>(()),
            |_, _| Ok(()),
        )
    };
    let certificate: Certificate = Harness::new(make, check::itself(make)).prove(b"")?;
    assert_eq!(certificate.bytes, 0);
    check::split(make(), b"", &Split::whole(), &check::itself(make)(b""))
}
