//! The adapters of `everysplit::subject`, each around a correct framer and around buggy ones; and
//! harnesses without an oracle.
#![allow(
    clippy::ptr_arg,
    clippy::unnecessary_wraps,
    reason = "the adapters fix the signatures of the functions"
)]

use std::{io, mem};

use bytes::{Buf, BytesMut};
use everysplit::reference::{Config, Framer};
use everysplit::subject::{
    Buffered, Decode, DecodeFn, ErrorsAsFrames, FeedFn, Frames, JoinPieces, Keyed, ParseFn,
    StopAtError, Subject, TokioDecoder, with_length,
};
use everysplit::{Case, Certificate, Expected, Harness, Outcome, Property, Split, Tier, Violation};
use tokio_util::codec::{Decoder, LinesCodec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Truncated;

/// Writes the smallest format: a length of one byte, then the body.
fn encode(body: &Vec<u8>) -> Vec<u8> {
    [&[u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

const BODIES: [&[u8]; 3] = [b"ok", b"", b"abc"];

/// Proves a framer of the format on every stream made of `BODIES`.
fn prove<S>(make: impl Fn() -> S + 'static) -> Result<(), Violation>
where
    S: Subject<Frame = Vec<u8>, Error = Truncated> + Clone + Eq + 'static,
{
    let harness = Harness::framer(make)
        .encoder(encode)
        .messages(BODIES)
        .truncation_error(Truncated);
    for stream in harness.all_streams() {
        assert_proved(&harness.check(&stream)?);
    }
    Ok(())
}

/// Proves a parser of the format twice: by the search for parsers, and, with a buffer, by the one
/// for framers that are fed.
fn prove_parser<P>(parse: P) -> [Result<(), Violation>; 2]
where
    P: Fn(&[u8]) -> Result<Option<(Vec<u8>, usize)>, Truncated> + Clone + 'static,
{
    let harness = Harness::parser(parse.clone(), Truncated)
        .encoder(encode)
        .messages(BODIES)
        .truncation_error(Truncated);
    let streams = harness.all_streams();
    let proved = streams.iter().try_for_each(|stream| {
        assert_proved(&harness.check(stream)?);
        Ok(())
    });
    let fed = prove(move || Buffered::new(ParseFn::new(parse.clone(), Truncated)));
    [proved, fed]
}

#[track_caller]
fn assert_proved(certificate: &Certificate) {
    assert!(
        matches!(certificate.tier, Tier::Proved { .. }),
        "{certificate}"
    );
}

#[track_caller]
fn assert_violates(result: Result<(), Violation>, property: Property) {
    let violation = result.unwrap_err();
    assert_eq!(violation.property, property, "{violation}");
}

#[test]
fn a_parser_returns_the_number_of_bytes_it_takes() {
    type Parsed = Result<Option<(Vec<u8>, usize)>, Truncated>;

    fn correct(bytes: &[u8]) -> Parsed {
        let Some((&length, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let body = rest.get(..length.into());
        Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
    }

    fn takes_all_bytes(bytes: &[u8]) -> Parsed {
        Ok(correct(bytes)?.map(|(frame, _)| (frame, bytes.len())))
    }

    fn takes_one_byte_too_many(bytes: &[u8]) -> Parsed {
        Ok(correct(bytes)?.map(|(frame, taken)| (frame, taken + 1)))
    }

    for result in prove_parser(correct) {
        result.unwrap();
    }
    for result in prove_parser(takes_all_bytes) {
        assert_violates(result, Property::RoundTrip);
    }
    for result in prove_parser(takes_one_byte_too_many) {
        assert_violates(result, Property::Progress);
    }
}

#[test]
fn with_length_makes_a_parser_of_two_functions() {
    let parse = |frame: &[u8]| Ok(frame[1..].to_vec());
    let correct = |bytes: &[u8]| Ok(bytes.first().map(|&length| 1 + usize::from(length)));
    for result in prove_parser(with_length(correct, parse)) {
        result.unwrap();
    }
    let without_header = |bytes: &[u8]| Ok(bytes.first().map(|&length| usize::from(length).max(1)));
    for result in prove_parser(with_length(without_header, parse)) {
        assert_violates(result, Property::RoundTrip);
    }
    let reads_an_absent_byte = |bytes: &[u8]| Ok(Some(1 + usize::from(bytes[0])));
    for result in prove_parser(with_length(reads_an_absent_byte, parse)) {
        assert_violates(result, Property::Progress);
    }
}

fn take_frame(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = 1 + usize::from(*buffer.first()?);
    (end <= buffer.len()).then(|| buffer.drain(..end).skip(1).collect())
}

fn feed(buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), Truncated> {
    buffer.extend(chunk);
    frames.extend(std::iter::from_fn(|| take_frame(buffer)));
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
fn feed_fn_makes_a_subject_of_two_functions() {
    prove(|| FeedFn::new(Vec::new(), feed, finish)).unwrap();
    let one_frame_per_chunk = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        buffer.extend(chunk);
        frames.extend(take_frame(buffer));
        Ok(())
    };
    assert_violates(
        prove(move || FeedFn::new(Vec::new(), one_frame_per_chunk, finish)),
        Property::Prompt,
    );
}

/// The closures of a `FeedFn` may capture values, and are cloned with it.
#[test]
fn feed_fn_takes_closures_that_capture() {
    fn delimited(
        delimiter: String,
        left: usize,
    ) -> impl Subject<Frame = Vec<u8>, Error = Truncated> + Clone + Eq {
        let unfinished = delimiter.clone();
        FeedFn::new(
            Vec::new(),
            move |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
                buffer.extend(chunk);
                let delimiter = delimiter.as_bytes();
                let find = |buffer: &[u8]| {
                    let mut windows = buffer.windows(delimiter.len());
                    windows.position(|window| window == delimiter)
                };
                while let Some(end) = find(buffer) {
                    frames.push(buffer[..end].to_vec());
                    buffer.drain(..end + delimiter.len() - left);
                }
                Ok(())
            },
            move |buffer, _| {
                assert!(
                    !buffer
                        .windows(unfinished.len())
                        .any(|window| window == unfinished.as_bytes())
                );
                finish(buffer, &mut Frames::new(0))
            },
        )
    }

    let check = |left| {
        let harness = Harness::framer(move || delimited("\r\n".to_owned(), left))
            .encoder(|line: &Vec<u8>| [line, &b"\r\n"[..]].concat())
            .messages(BODIES)
            .truncation_error(Truncated);
        for stream in harness.all_streams() {
            assert_proved(&harness.check(&stream)?);
        }
        Ok(())
    };
    check(0).unwrap();
    assert_violates(check(1), Property::RoundTrip);
}

/// A part of a body, and whether it is the last.
type Piece = (Vec<u8>, bool);

/// Emits the bytes of a body as they arrive. The state is the number of bytes still missing.
fn feed_pieces(
    missing: &mut Option<u8>,
    chunk: &[u8],
    pieces: &mut Frames<Piece>,
) -> Result<(), Truncated> {
    let mut rest = chunk;
    while let Some((&first, after_first)) = rest.split_first() {
        let length = missing.take().unwrap_or_else(|| {
            rest = after_first;
            first
        });
        let (piece, after_piece) = rest.split_at(rest.len().min(length.into()));
        let left = length - u8::try_from(piece.len()).unwrap();
        rest = after_piece;
        *missing = (left > 0).then_some(left);
        pieces.push((piece.to_vec(), left == 0));
    }
    Ok(())
}

fn finish_pieces(missing: &mut Option<u8>, _: &mut Frames<Piece>) -> Result<(), Truncated> {
    if missing.is_none() {
        Ok(())
    } else {
        Err(Truncated)
    }
}

#[test]
fn join_pieces_makes_whole_frames() {
    fn joined(
        join: fn(&mut Vec<u8>, Piece) -> Option<Vec<u8>>,
    ) -> impl Subject<Frame = Vec<u8>, Error = Truncated> + Clone + Eq {
        let pieces = FeedFn::new(None, feed_pieces, finish_pieces);
        JoinPieces::new(pieces, Vec::new(), join)
    }

    prove(|| {
        joined(|body, (piece, last)| {
            body.extend(piece);
            last.then(|| mem::take(body))
        })
    })
    .unwrap();
    let keeps_only_the_last_piece = || joined(|_, (piece, last)| last.then_some(piece));
    assert_violates(prove(keeps_only_the_last_piece), Property::EverySplit);
}

/// Emits bytes. At the end of the stream it emits the last byte this many times.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RepeatsLast(usize);

impl Decode for RepeatsLast {
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

#[test]
fn frames_emitted_at_the_end_are_compared() {
    fn oracle(stream: &[u8]) -> Option<Expected<u8, Truncated>> {
        (stream == b"abc").then(|| Expected {
            frames: vec![(2, b'a'), (3, b'b')],
            at_end: vec![b'c'],
            outcome: Outcome::Clean,
        })
    }

    let decoder = |times| {
        Harness::decoder(move || RepeatsLast(times))
            .oracle(oracle)
            .check(b"abc")
    };
    let fed = |times| {
        Harness::framer(move || Buffered::new(RepeatsLast(times)))
            .oracle(oracle)
            .check(b"abc")
    };
    assert_proved(&decoder(1).unwrap());
    assert_proved(&fed(1).unwrap());
    for (times, actual) in [
        (0, "at the end ([], Ok(()))"),
        (2, "at the end ([99, 99], Ok(()))"),
        (5, "at the end ([99, 99, 99, 99, 99], Ok(()))"),
    ] {
        for violation in [decoder(times).unwrap_err(), fed(times).unwrap_err()] {
            assert_eq!(violation.property, Property::Truncation, "{violation}");
            assert_eq!(*violation.actual, *actual);
        }
    }
    assert_violates(decoder(usize::MAX).map(drop), Property::Progress);
    assert_violates(fed(usize::MAX).map(drop), Property::Progress);
}

/// The adapters compare the framer's state and their own: unequal states must not be merged.
#[test]
fn adapters_with_different_states_are_not_equal() {
    let join = |body: &mut Vec<u8>, (piece, _): Piece| -> Option<()> {
        body.extend(piece);
        None
    };
    let joined = |stream: &[u8]| {
        let pieces = FeedFn::new(None, feed_pieces, finish_pieces);
        let mut joined = JoinPieces::new(pieces, Vec::new(), join);
        joined.feed(stream, &mut Frames::new(0)).unwrap();
        joined
    };
    assert!(joined(b"\x02a") == joined(b"\x02a"));
    // The accumulators differ.
    assert!(joined(b"\x02a") != joined(b"\x02b"));
    // The framers differ.
    assert!(joined(b"\x02") != joined(b"\x03"));

    let feed_fn = |stream: &[u8]| FeedFn::new(stream.to_vec(), feed, finish);
    assert!(feed_fn(b"a") == feed_fn(b"a"));
    assert!(feed_fn(b"a") != feed_fn(b"b"));

    let lines = |max_length| {
        TokioDecoder::new(LinesCodec::new_with_max_length(max_length)).with_errors(|_| ())
    };
    assert!(lines(1) == lines(1));
    assert!(lines(1) != lines(2));
}

/// Reports that it holds three bytes.
struct HoldsThree;

impl Subject for HoldsThree {
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

/// Closures have no `Debug`.
#[test]
fn adapters_of_closures_show_what_they_hold() {
    let feed_fn = FeedFn::new(b"ok".to_vec(), feed, finish);
    assert_eq!(format!("{feed_fn:?}"), "FeedFn([111, 107])");
    let decode = |_: &mut u8, _: &mut BytesMut| Ok::<Option<()>, ()>(None);
    let decode_fn = DecodeFn::new(7, decode, decode);
    assert_eq!(format!("{decode_fn:?}"), "DecodeFn(7)");
}

#[test]
fn buffered_bytes_are_reported_where_they_are_known() {
    assert_eq!(
        JoinPieces::new(HoldsThree, (), |(), ()| Some(())).buffered_bytes(),
        Some(3)
    );
    let feed_fn = FeedFn::new(b"ok".to_vec(), feed, finish);
    assert_eq!(feed_fn.buffered_bytes(), None);
    let feed_fn = feed_fn.with_buffered_bytes(Vec::len);
    assert_eq!(feed_fn.buffered_bytes(), Some(2));
    let mut framer = Framer::new(Config::default());
    Subject::feed(&mut framer, &[0; 5], &mut Frames::new(0)).unwrap();
    assert!(framer.buffered_bytes() > 1);
    assert_eq!(
        Subject::buffered_bytes(&framer),
        Some(framer.buffered_bytes())
    );
}

/// Says nothing of the memory that it may hold.
struct Silent<T>(T);

impl<T> Decode for Silent<T> {
    type Frame = ();
    type Error = ();

    fn decode(&mut self, _: &mut BytesMut) -> Result<Option<()>, ()> {
        Ok(None)
    }

    fn decode_eof(&mut self, _: &mut BytesMut) -> Result<Option<()>, ()> {
        Ok(None)
    }
}

impl<T> Subject for Silent<T> {
    type Frame = ();
    type Error = ();

    fn feed(&mut self, _: &[u8], _: &mut Frames<()>) -> Result<(), ()> {
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<()>) -> Result<(), ()> {
        Ok(())
    }
}

/// Only a decoder whose type owns nothing is known to hold nothing.
#[test]
fn buffered_bytes_are_unknown_unless_they_are_said() {
    assert_eq!(Decode::buffered_bytes(&Silent(0)), Some(0));
    assert_eq!(Decode::buffered_bytes(&Silent(vec![0])), None);
    assert_eq!(Subject::buffered_bytes(&Silent(0)), None);
}

#[test]
fn adapters_report_the_bytes_of_what_they_hold() {
    assert_eq!(Keyed::new(HoldsThree, |_| ()).buffered_bytes(), Some(3));
    let stops = StopAtError::<_, ()>::new(HoldsThree);
    assert_eq!(Subject::buffered_bytes(&stops), Some(3));
    let holds_four = || {
        let decode = |(): &mut (), _: &mut BytesMut| Ok::<Option<()>, ()>(None);
        DecodeFn::new((), decode, decode).with_buffered_bytes(|()| 4)
    };
    let stops = StopAtError::<_, ()>::new(holds_four());
    assert_eq!(Decode::buffered_bytes(&stops), Some(4));
    assert_eq!(ErrorsAsFrames(holds_four()).buffered_bytes(), Some(4));
    assert_eq!(Decode::buffered_bytes(&&mut holds_four()), Some(4));
}

#[test]
fn a_feed_fn_that_reports_its_memory_is_checked_for_it() {
    let feed_fn = |reserved| {
        let feed = move |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
            feed(buffer, chunk, frames)?;
            if !buffer.is_empty() {
                buffer.reserve_exact(reserved);
            }
            Ok(())
        };
        FeedFn::new(Vec::new(), feed, finish)
    };
    prove(move || feed_fn(1 << 20)).unwrap();
    prove(move || feed_fn(0).with_buffered_bytes(Vec::capacity)).unwrap();
    let reserves = prove(move || feed_fn(1 << 20).with_buffered_bytes(Vec::capacity));
    assert_violates(reserves, Property::Memory);
}

/// A body that can be neither compared, cloned nor printed, and an error that cannot be compared.
struct Opaque(Box<dyn Fn() -> Vec<u8>>);

#[derive(Clone, PartialEq, Eq)]
struct OpaqueDecoder {
    drops_last: bool,
}

impl Decoder for OpaqueDecoder {
    type Item = Opaque;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Opaque>> {
        let Some(&length) = buffer.first() else {
            return Ok(None);
        };
        let length = usize::from(length);
        if buffer.len() <= length {
            return Ok(None);
        }
        buffer.advance(1);
        let mut body = buffer.split_to(length).to_vec();
        if self.drops_last {
            body.pop();
        }
        Ok(Some(Opaque(Box::new(move || body.clone()))))
    }
}

#[test]
fn frames_that_cannot_be_compared_are_mapped() {
    let check = |drops_last| {
        let make = move || {
            TokioDecoder::new(OpaqueDecoder { drops_last })
                .with_frames(|body| body.0())
                .with_errors(|error| error.kind())
        };
        let harness = Harness::decoder(make)
            .encoder(encode)
            .messages(BODIES)
            .truncation_error(io::ErrorKind::Other);
        for stream in harness.all_streams() {
            assert_proved(&harness.check(&stream)?);
        }
        Ok(())
    };
    check(false).unwrap();
    assert_violates(check(true), Property::RoundTrip);
}

/// `f32` is not `Eq`.
#[test]
fn frames_need_not_be_eq() {
    let harness = |bytes| {
        Harness::parser(
            move |stream: &[u8]| {
                let number = stream.first_chunk().copied().map(f32::from_be_bytes);
                Ok(number.map(|number| (number, bytes)))
            },
            Truncated,
        )
        .encoder(|number: &f32| number.to_be_bytes().to_vec())
        .messages([0.5, f32::INFINITY])
        .truncation_error(Truncated)
    };
    let stream = &harness(4).all_streams()[1];
    assert_proved(&harness(4).check(stream).unwrap());
    assert_violates(harness(3).check(stream).map(drop), Property::RoundTrip);
}

/// Nothing was encoded, so the violation is not one of `round_trip`, and it names the side that
/// stands for what is expected.
#[test]
fn pieces_that_are_not_joined_depend_on_the_split() {
    let harness = Harness::framer(|| FeedFn::new(None, feed_pieces, finish_pieces));
    let violation = harness.check(b"\x02ab").unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
    assert!(
        violation.expected.starts_with("byte by byte: "),
        "{violation}"
    );
    assert!(!violation.actual.contains("byte by byte"), "{violation}");
}

#[test]
fn without_an_oracle_every_split_is_compared_with_byte_by_byte() {
    let harness = Harness::framer(|| FeedFn::new(Vec::new(), feed, finish));
    for stream in [&b""[..], b"\x02ok\0", b"\x02ok\x03ab"] {
        harness.check(stream).unwrap();
    }
    // Emits a frame that makes up a whole chunk twice.
    let repeats = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        feed(buffer, chunk, frames)?;
        let repeated: Vec<_> = frames
            .iter()
            .filter(|frame| frame.len() + 1 == chunk.len())
            .cloned()
            .collect();
        frames.extend(repeated.into_iter().filter(|frame| !frame.is_empty()));
        Ok(())
    };
    let buggy = Harness::framer(move || FeedFn::new(Vec::new(), repeats, finish));
    for harness in [buggy.clone(), buggy.byte_by_byte()] {
        let violation = harness.check(b"\0\x02ok\0").unwrap_err();
        assert_eq!(violation.property, Property::EverySplit, "{violation}");
        assert_eq!(violation.case.to_string(), "0100@whole", "{violation}");
        assert_eq!(
            (&*violation.expected, &*violation.actual),
            ("byte by byte: ([[0]], Ok(()))", "([[0], [0]], Ok(()))")
        );
    }
}

/// The framer is its own oracle here, and its panic is a violation, not a panic of the harness.
#[test]
fn a_panic_byte_by_byte_is_a_violation_of_progress() {
    let panics = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        assert!(chunk.len() != 1 || buffer.is_empty(), "a bug of the framer");
        feed(buffer, chunk, frames)
    };
    let harness = Harness::framer(move || FeedFn::new(Vec::new(), panics, finish));
    let violation = harness
        .one_split(&"026f6b@1,2".parse().unwrap())
        .unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
}

/// Without an oracle any bytes can be judged; an oracle made of messages judges only streams of
/// them, and lets others pass.
#[test]
fn any_bytes_can_be_fuzzed() {
    let byte_by_byte = Harness::framer(|| FeedFn::new(Vec::new(), feed, finish));
    let messages = byte_by_byte.clone().encoder(encode).messages(["ok"]);
    let clears_its_buffer = |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
        buffer.clear();
        feed(buffer, chunk, frames)
    };
    let buggy = Harness::framer(move || FeedFn::new(Vec::new(), clears_its_buffer, finish))
        .encoder(encode)
        .messages(["ok"]);
    let mut found = 0;
    for count in 1..20 {
        let stream = b"\x02ok".repeat(count);
        byte_by_byte.fuzz(&stream).unwrap();
        byte_by_byte.fuzz(&stream[1..]).unwrap();
        messages.fuzz(&stream).unwrap();
        messages.fuzz(&stream[1..]).unwrap();
        if let Err(violation) = buggy.fuzz(&stream) {
            assert_eq!(violation.case.stream, b"\x02ok", "{violation}");
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}

#[test]
fn a_corpus_is_read_in_the_order_of_its_file_names() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/decode");
    let harness = Harness::framer(|| FeedFn::new(Vec::new(), feed, finish));
    let streams = harness.clone().corpus(folder).unwrap().all_streams();
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!streams.is_empty());
    assert_eq!(streams.len(), paths.len());
    for (stream, path) in streams.iter().zip(paths) {
        assert_eq!(stream, &std::fs::read(path).unwrap());
    }
    let error = harness.corpus("no/such/folder").err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let text = error.to_string();
    assert!(
        text.starts_with("cannot read the corpus no/such/folder: "),
        "{text}"
    );
}

#[test]
fn the_empty_stream_is_checked() -> Result<(), Violation> {
    let harness = Harness::framer(|| {
        FeedFn::new(
            BytesMut::new(),
            |_, _, _: &mut Frames<()>| Ok::<(), ()>(()),
            |_, _| Ok(()),
        )
    });
    let certificate = harness.check(b"")?;
    assert_eq!(certificate.bytes, 0);
    harness.one_split(&Case::new(b"", Split::whole()))
}

#[test]
fn a_buffered_decoder_shows_what_it_has_left() {
    use everysplit::reference::Decoder;

    let fresh = Decoder::new(Config::default());
    let mut subject = Buffered::new(fresh.clone());
    let mut frames = Frames::new(14);
    let stream = b"\x01\0\0\0\0\0\0\0\0\0\0\0x\x02";
    subject.feed(stream, &mut frames).unwrap();
    assert_eq!(frames.into_iter().count(), 1);
    assert_eq!(subject.buffer(), [2]);
    // It counts the bytes that it has taken.
    assert_ne!(*subject.decoder(), fresh);
}
