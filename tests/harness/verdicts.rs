//! A green result says exactly what was checked, and a correct framer is left alone: each test is of
//! one way to say more, or to accuse.

use bytes::{Buf, BytesMut};
use everysplit::subject::{Buffered, Decode, FeedFn, Frames, StopAtError, Subject, TokioDecoder};
use everysplit::{
    Certificate, Deviation, Expected, Harness, Outcome, Property, Source, Status, Tier, Verdicts,
    Violation,
};
use tokio_util::codec::LinesCodec;

type Parsed = Result<Option<(Vec<u8>, usize)>, &'static str>;

/// A length of one byte, of at most 8, then the body.
fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] => Ok(None),
        &[length, ..] if length > 8 => Err("too long"),
        [length, rest @ ..] => {
            let body = rest.get(..(*length).into());
            Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
        }
    }
}

fn encode(body: &[u8]) -> Vec<u8> {
    [&[u8::try_from(body.len()).unwrap()], body].concat()
}

/// Returns the verdicts of a parser, with all that a harness can be given.
fn verdicts(parse: fn(&[u8]) -> Parsed) -> Verdicts {
    Verdicts::collect("parser", move |verdicts| {
        let harness = Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages(["ok", ""])
            .size_limit(8, |size| vec![b'x'; size], 1, "too long")
            .rejects(b"\xff", 1, "too long")
            .truncation_error("truncated");
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    })
}

fn fails(verdicts: &Verdicts) -> String {
    let verdicts = verdicts.clone();
    let panic = std::panic::catch_unwind(move || verdicts.assert_held()).unwrap_err();
    *panic.downcast().unwrap()
}

#[test]
fn a_line_says_what_was_checked_and_what_was_not() {
    let verdicts = self::verdicts(parse);
    verdicts.assert_held();
    assert_eq!(
        verdicts.summary().to_string(),
        "parser: proved on 46 streams (9 properties); not checked: memory (add a frame of more than \
         256 bytes), linear, encode, differential (methods of their own)"
    );
    for property in Property::ALL {
        match verdicts.status(property) {
            Status::Held { streams, proved } => assert!(streams > 0 && streams == proved),
            Status::NotChecked { .. } => {
                let panic = std::panic::catch_unwind({
                    let verdicts = verdicts.clone();
                    move || verdicts.assert(property)
                });
                panic.unwrap_err();
            }
            Status::NotConcerned => {}
            other => panic!("{property:?}: {other:?}"),
        }
    }
}

/// A cut body is rejected, so that every stream with a body violates `every_split`.
#[test]
fn no_property_holds_on_a_stream_that_violates_another() {
    fn rejects_cut_bodies(bytes: &[u8]) -> Parsed {
        match (bytes, parse(bytes)?) {
            (&[length, _, ..], None) if length > 0 => Err("malformed"),
            (_, parsed) => Ok(parsed),
        }
    }
    let verdicts = self::verdicts(rejects_cut_bodies);
    let violated = |property| verdicts.violations(property).count();
    assert!(violated(Property::EverySplit) > 0);
    assert_eq!(violated(Property::Limit), 0, "no size limit is at stake");
    let all = verdicts.certificates().len();
    let Status::Held { streams, .. } = verdicts.status(Property::Progress) else {
        panic!("it holds on some streams");
    };
    assert_eq!(streams, all);
    // Bodies over the limit are rejected all the same, but none at the limit passes.
    assert_eq!(
        verdicts.status(Property::Limit),
        Status::NotChecked {
            advice: "every stream that checks it violates another property"
        }
    );
    let text = fails(&verdicts);
    assert!(text.contains("  every_split   VIOLATED on "), "{text}");
    assert!(text.contains("\nevery_split: frames, errors"), "{text}");
}

#[test]
fn a_size_limit_must_be_declared() {
    fn collect(unlimited: bool) -> Verdicts {
        Verdicts::collect("parser", move |verdicts| {
            let harness = Harness::parser(parse, "truncated");
            let harness = harness.encoder(|body| encode(body)).messages(["ok"]);
            let harness = if unlimited {
                harness.unlimited()
            } else {
                harness
            };
            for stream in verdicts.streams(&harness) {
                verdicts.add(harness.check(&stream))?;
            }
            Ok(())
        })
    }
    let text = fails(&collect(false));
    assert!(
        text.contains("no size limit is declared: add `size_limit`"),
        "{text}"
    );
    let declared = collect(true);
    declared.assert_held();
    let line = declared.summary().to_string();
    assert!(line.contains("limit (`unlimited` is declared)"), "{line}");
}

#[test]
fn a_framer_that_is_its_own_oracle_is_not_said_to_round_trip() {
    let harness = Harness::parser(parse, "truncated");
    let certificate = harness.check(b"\x02ok\x09").unwrap();
    assert_eq!(certificate.source, Source::ByteByByte);
    for property in [Property::RoundTrip, Property::Prompt, Property::Limit] {
        assert!(!certificate.held.contains(&property), "{property:?}");
    }
    assert!(certificate.held.contains(&Property::EverySplit));
    assert!(certificate.held.contains(&Property::Poisoned));
}

/// Both checks agree on what a framer may hold.
fn hold<S>(make: fn() -> S, declared: Option<Deviation>) -> [Option<Property>; 2]
where
    S: Subject<Frame = Vec<u8>, Error = &'static str> + Clone + Eq + 'static,
{
    let harness = Harness::framer(make).declare(declared);
    let violated = |result: Result<Certificate, Violation>| Some(result.err()?.property);
    [
        violated(harness.check(b"\x02ok")),
        violated(harness.bounded(b"\x02ok", 2)),
    ]
}

/// Reserves so many bytes when it is made, when it is fed, or at the end.
#[derive(Clone, PartialEq, Eq)]
struct Reserves {
    correct: Buffered<Decoder>,
    fed: usize,
    ended: usize,
    held: usize,
}

impl Reserves {
    fn new(held: usize, fed: usize, ended: usize) -> Self {
        let correct = Buffered::new(Decoder);
        Self {
            correct,
            fed,
            ended,
            held,
        }
    }
}

impl Subject for Reserves {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        self.held = self.held.max(self.fed);
        self.correct.feed(chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        self.held = self.held.max(self.ended);
        self.correct.finish(frames)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(self.held)
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Decoder;

impl Decode for Decoder {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        let parsed = parse(buffer)?;
        Ok(parsed.map(|(frame, taken)| {
            buffer.advance(taken);
            frame
        }))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() => Err("truncated"),
            decoded => Ok(decoded),
        }
    }
}

#[test]
fn every_entry_point_has_the_same_bound_of_memory() {
    let memory = [Some(Property::Memory); 2];
    assert_eq!(
        hold(|| Reserves::new(8192, 0, 0), None),
        [None; 2],
        "a first buffer"
    );
    assert_eq!(hold(|| Reserves::new(0, 64, 64), None), [None; 2]);
    assert_eq!(hold(|| Reserves::new(0, 8192, 0), None), memory);
    assert_eq!(
        hold(|| Reserves::new(0, 0, 8192), None),
        memory,
        "at the end"
    );
    let declared = Some(Deviation::Preallocates(8192));
    assert_eq!(hold(|| Reserves::new(0, 8192, 8192), declared), [None; 2]);
    assert_eq!(hold(|| Reserves::new(0, 8300, 0), declared), memory);
    let harness = Harness::framer(|| Reserves::new(0, 8000, 0));
    let violation = harness.check(b"\x02ok").unwrap_err();
    assert_eq!(violation.declare, [Deviation::Preallocates(8192)]);
}

/// Reserves the whole body in the buffer that its caller owns.
#[derive(Clone, PartialEq, Eq)]
struct Grows;

impl Decode for Grows {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        if let Some(&length) = buffer.first() {
            buffer.reserve(usize::from(length) << 20);
        }
        Decoder.decode(buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        self.decode(buffer).and_then(|_| Decoder.decode_eof(buffer))
    }
}

#[test]
fn a_buffer_that_the_caller_owns_is_checked_for_memory() {
    let harness = Harness::decoder(|| Grows);
    let violation = harness.check(b"\x08").unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
    let violation = harness.bounded(b"\x08", 1).unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
}

/// Panics if the end comes before any call of `decode`.
#[derive(Clone, PartialEq, Eq)]
struct NeedsDecode(bool);

impl Decode for NeedsDecode {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        self.0 = true;
        Decoder.decode(buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        assert!(self.0, "never called");
        Decoder.decode_eof(buffer)
    }
}

#[test]
fn an_empty_stream_ends_before_any_call() {
    let violation = Harness::decoder(|| NeedsDecode(false))
        .check(b"")
        .unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
    let fed = Harness::framer(|| Buffered::new(NeedsDecode(false)));
    assert_eq!(fed.check(b"").unwrap_err(), violation);
}

/// Waits while the buffer has room to spare.
#[derive(Clone, PartialEq, Eq)]
struct LooksAtCapacity;

impl Decode for LooksAtCapacity {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        if buffer.capacity() > buffer.len() {
            return Ok(None);
        }
        Decoder.decode(buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        Decoder.decode_eof(buffer)
    }
}

/// The proof gives it buffers without room. The replays do not.
#[test]
fn a_decoder_that_looks_at_the_capacity_is_not_proved() {
    let oracle = |stream: &[u8]| Expected {
        frames: vec![(stream.len(), stream[1..].to_vec())],
        at_end: Vec::new(),
        outcome: Outcome::<&str>::Clean,
    };
    let harness = Harness::decoder(|| LooksAtCapacity).oracle(oracle);
    let result = harness.minimize_while(|| false).check(b"\x04body");
    let violation = result.unwrap_err();
    assert!(violation.premise.is_some(), "{violation}");
}

#[test]
#[should_panic(expected = "the oracle expects something at offset 0 of the stream 00@whole")]
fn a_frame_before_the_first_byte_cannot_be_expected() {
    let expected = Expected {
        frames: vec![(0, Vec::new())],
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let harness = Harness::parser(parse, "truncated");
    let _ = harness
        .oracle(move |_: &[u8]| expected.clone())
        .check(b"\0");
}

#[test]
#[should_panic(expected = "an offset is a number of bytes from 1 to 1, and none is less")]
fn an_error_after_the_end_cannot_be_expected() {
    let expected = Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Rejected {
            at: 2,
            error: "too long",
        },
    };
    let harness = Harness::parser(parse, "truncated");
    let _ = harness
        .oracle(move |_: &[u8]| expected.clone())
        .check(b"\x09");
}

#[test]
#[should_panic(expected = "NoEmptyFrame is declared, and nothing is held to it")]
fn a_declared_deviation_must_be_used() {
    let harness = Harness::parser(parse, "truncated").declare([Deviation::NoEmptyFrame]);
    Verdicts::default().streams(&harness);
}

#[test]
fn a_framer_that_is_not_proved_is_said_to_be_bounded() {
    let verdicts = Verdicts::collect("closures", |verdicts| {
        // Closures are not `Debug`, and the state is not compared.
        struct Opaque;
        let feed = |_: &mut Opaque, chunk: &[u8], frames: &mut Frames<u8>| {
            frames.extend(chunk.iter().copied());
            Ok::<(), ()>(())
        };
        let harness = Harness::framer(move || FeedFn::new(Opaque, feed, |_, _| Ok(())));
        let harness = harness.streams([b"abc"]);
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    });
    verdicts.assert_held();
    let line = verdicts.summary().to_string();
    assert!(
        line.starts_with(
            "closures: bounded on 1 stream (3 properties; not proved: the framer's states cannot \
             be compared: derive `Eq` or `Debug` for it, unless it is a reader); not checked: "
        ),
        "{line}"
    );
    let advice = [
        "round_trip, prompt, limit, rejection, truncation (the framer is its own oracle: add \
         `messages` or an `oracle`)",
        "memory (implement `Subject::buffered_bytes`, or call `with_buffered_bytes` on the adapter)",
    ];
    for advice in advice {
        assert!(line.contains(advice), "{line}");
    }
}

/// The smallest case of a limit that is not checked is one byte.
#[test]
fn a_limit_that_is_not_checked_violates_limit() {
    fn unchecked(bytes: &[u8]) -> Parsed {
        match bytes {
            &[length, ..] if length > 8 => Ok(None),
            _ => parse(bytes),
        }
    }
    let verdicts = self::verdicts(unchecked);
    let violation = verdicts.smallest(Property::Limit).unwrap();
    assert_eq!(violation.case.to_string(), "09@whole");
}

/// Nothing is encoded: the sides are named for what they are, and the token shows it again.
#[test]
fn without_an_oracle_a_violation_is_of_every_split() {
    // It loses what comes in the chunk of a frame's end.
    let takes_all = |bytes: &[u8]| Ok(parse(bytes)?.map(|(body, _)| (body, bytes.len())));
    let harness = Harness::parser(takes_all, "truncated");
    let violation = harness.check(b"\x02ok\0").unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
    assert!(
        violation.expected.starts_with("byte by byte: "),
        "{violation}"
    );
    let token = violation.case.to_string();
    assert_eq!(harness.replay(&token), Err(violation));
}

/// Lines; empty ones belong to no frame.
#[derive(Clone, PartialEq, Eq)]
struct Lines {
    /// The bug: a line after an empty one is lost.
    loses: bool,
    after_empty: bool,
}

impl Decode for Lines {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        while let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
            let line = buffer.split_to(end + 1);
            let after_empty = std::mem::replace(&mut self.after_empty, line.len() == 1);
            if line.len() > 1 && !(self.loses && after_empty) {
                return Ok(Some(line[..end].to_vec()));
            }
        }
        Ok(None)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() => Err("truncated"),
            decoded => Ok(decoded),
        }
    }
}

#[test]
fn bytes_between_frames_can_be_declared() {
    let lines = |loses| {
        Harness::decoder(move || Lines {
            loses,
            after_empty: false,
        })
    };
    // The framer itself is the oracle: it ends cleanly after bytes, and truncated inside a line.
    let undeclared = lines(false).check(b"one\n\n").unwrap_err();
    assert!(undeclared.declare.contains(&Deviation::BytesBetweenFrames));
    let declared = lines(false).declare([Deviation::BytesBetweenFrames]);
    declared.check(b"one\n\n").unwrap();
    declared.check(b"one\n\ntw").unwrap();

    let check = |loses| {
        let harness = lines(loses)
            .encoder(|line| [&line[..], b"\n"].concat())
            .messages(["one", "two"])
            .ignores(b"\n")
            .messages(["three"])
            .truncation_error("truncated");
        let streams = harness.all_streams();
        streams
            .iter()
            .try_for_each(|stream| harness.check(stream).map(drop))
    };
    check(false).unwrap();
    assert_eq!(check(true).unwrap_err().property, Property::RoundTrip);
}

/// `LinesCodec` returns an error for a line over the limit, and then goes on.
#[test]
fn a_decoder_whose_caller_stops_at_the_first_error_is_left_alone() {
    let make = || TokioDecoder::new(LinesCodec::new_with_max_length(3));
    let stream = b"long\nok\n";
    let strict = Harness::decoder(make).check(stream).unwrap_err();
    assert_eq!(strict.property, Property::Poisoned, "{strict}");
    assert_eq!(strict.declare, [Deviation::CallerStops]);
    let declared = Harness::decoder(make).declare([Deviation::CallerStops]);
    let certificate = declared.check(stream).unwrap();
    assert!(!certificate.held.contains(&Property::Poisoned));
    assert!(matches!(certificate.tier, Tier::Proved { .. }));
    let adapted = Harness::decoder(move || StopAtError::new(make()));
    assert!(
        adapted
            .check(stream)
            .unwrap()
            .held
            .contains(&Property::Poisoned)
    );

    let fed = Harness::framer(move || StopAtError::new(Buffered::new(make())));
    let certificate = fed.check(stream).unwrap();
    assert!(certificate.held.contains(&Property::Poisoned));
    assert!(matches!(certificate.tier, Tier::Proved { .. }));

    // Where the error occurs must not depend on the split all the same.
    let hasty = |bytes: &[u8]| match bytes {
        [2, b'o'] => Err("too long"),
        _ => parse(bytes),
    };
    let harness = Harness::parser(hasty, "truncated").declare([Deviation::CallerStops]);
    let violation = harness.check(b"\x02ok").unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
}

/// A clean end inside the very first frame, or after its first 100 bytes.
#[test]
fn messages_are_truncated_at_every_byte() {
    fn check(is_clean: fn(&[u8], bool) -> bool) -> Result<(), Violation> {
        let feed =
            |(buffer, emitted): &mut (Vec<u8>, bool), chunk: &[u8], frames: &mut Frames<_>| {
                buffer.extend(chunk);
                while let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
                    frames.push(buffer.drain(..=end).collect::<Vec<u8>>());
                    *emitted = true;
                }
                Ok(())
            };
        let finish = move |(buffer, emitted): &mut (Vec<u8>, bool), _: &mut Frames<_>| {
            let is_clean = buffer.is_empty() || is_clean(buffer, *emitted);
            is_clean.then_some(()).ok_or("truncated")
        };
        let line = |len| [vec![b'x'; len], vec![b'\n']].concat();
        let harness = Harness::framer(move || FeedFn::new((Vec::new(), false), feed, finish))
            .encoder(Vec::clone)
            .messages([line(2), line(120)])
            .truncation_error("truncated");
        let streams = harness.all_streams();
        streams
            .iter()
            .try_for_each(|stream| harness.check(stream).map(drop))
    }
    check(|_, _| false).unwrap();
    let clean: [fn(&[u8], bool) -> bool; 2] =
        [|_, emitted| !emitted, |buffer, _| buffer.len() == 101];
    for is_clean in clean {
        assert_eq!(check(is_clean).unwrap_err().property, Property::Truncation);
    }
}

/// Finds a bug that no stream of messages reaches: a length of 4 is taken for 5, when cut after it.
#[test]
fn mutated_streams_reach_what_no_message_does() {
    fn buggy(bytes: &[u8]) -> Parsed {
        match bytes {
            [4] => Err("malformed"),
            _ => parse(bytes),
        }
    }
    let check = |parse: fn(&[u8]) -> Parsed, mutated: bool| {
        let harness = Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages(["abc", "ab"])
            .truncation_error("truncated");
        let harness = if mutated { harness.mutated() } else { harness };
        let streams = harness.all_streams();
        streams
            .iter()
            .try_for_each(|stream| harness.check(stream).map(drop))
    };
    check(buggy, false).unwrap();
    let violation = check(buggy, true).unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
    check(parse, true).unwrap();
}

/// An oracle makes no streams, so those that were given are mutated.
#[test]
fn streams_of_an_oracle_are_mutated() {
    let judges_none = |_: &[u8]| None::<Expected<Vec<u8>, &'static str>>;
    let harness = Harness::parser(parse, "truncated").oracle(judges_none);
    let harness = harness.streams([&b"\x02ok"[..], b"\xe5"]);
    let streams = harness.mutated().all_streams();
    for mutated in [
        &b"\x01ok"[..],
        b"\x82ok",
        b"\x02o",
        b"\x02okk",
        b"\x02\x02ok",
        b"\x65",
    ] {
        assert!(
            streams.iter().any(|stream| stream == mutated),
            "{mutated:?}: {streams:?}"
        );
    }
}

/// The last message is followed by the first, and long ones are left out.
#[test]
fn pairs_of_messages_are_mutated() {
    let (longest, too_long) = ([b'x'; 63], [b'y'; 64]);
    let harness = Harness::parser(parse, "truncated")
        .encoder(|body| encode(body))
        .messages([&b"abc"[..], b"a", &longest, &too_long])
        .truncation_error("truncated");
    let streams = harness.mutated().all_streams();
    let changed = |bodies: &[&[u8]]| {
        let mut stream: Vec<u8> = bodies.iter().flat_map(|body| encode(body)).collect();
        *stream.last_mut().unwrap() = 0xff;
        streams.contains(&stream)
    };
    assert!(changed(&[b"abc", b"a"]));
    assert!(changed(&[b"a", &longest]));
    assert!(changed(&[&longest, b"abc"]));
    assert!(!changed(&[&longest, &too_long]));
    assert!(!changed(&[b"abc"]));
}

#[test]
fn every_declared_deviation_is_named() {
    let declared = [
        Deviation::Preallocates(64),
        Deviation::DiscardsAtEnd,
        Deviation::BytesBetweenFrames,
        Deviation::CallerStops,
    ];
    let harness = Harness::parser(parse, "truncated").declare(declared);
    let certificate = harness.check(b"\x02ok").unwrap().to_string();
    assert!(
        certificate.ends_with(
            "; declared: allocates 64 bytes in advance, discards at the end of the stream, drops \
             bytes between frames, its caller stops at the first error"
        ),
        "{certificate}"
    );
}

/// Emits each byte.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `FeedFn`")]
fn echo<T>(_: &mut T, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
    frames.extend(chunk.iter().copied());
    Ok(())
}

#[test]
fn a_line_counts_each_kind_of_result() {
    let verdicts = Verdicts::collect("echo", |verdicts| {
        struct Opaque;

        let harness = Harness::framer(|| FeedFn::new(0, echo::<u8>, |_, _| Ok(())));
        let harness = harness.max_work(1 << 14);
        let opaque = Harness::framer(|| FeedFn::new(Opaque, echo::<Opaque>, |_, _| Ok(())));
        let long = [b'x'; 2000];
        verdicts.streams(&harness.clone().streams([b"a"; 5]));
        verdicts.add(harness.check(b"ab"))?;
        verdicts.add(harness.check(&long))?;
        verdicts.add(opaque.check(b"ab"))?;
        verdicts.add(opaque.check(&long))?;
        verdicts.add(harness.sampled(b"ab", 1, 10))
    });
    verdicts.assert_held();
    let line = verdicts.summary().to_string();
    assert!(
        line.starts_with(
            "echo: proved on 1, proved at some offsets on 1, bounded on 1, bounded at some offsets \
             on 1, sampled on 1 streams (3 properties; not proved: "
        ),
        "{line}"
    );
    let table = verdicts.to_string();
    assert!(
        table.contains("every_split   held on 5, proved on 1 of them\n"),
        "{table}"
    );
}

/// A stream has a name only if the verdicts know it.
#[test]
fn a_certificate_without_a_stream_has_no_name() {
    let verdicts = Verdicts::collect("echo", |verdicts| {
        let harness = Harness::framer(|| FeedFn::new(0, echo::<u8>, |_, _| Ok(())));
        verdicts.add(harness.check(b"ab"))
    });
    let details = verdicts.details().to_string();
    assert!(details.contains("\nproved: 2 bytes"), "{details}");
}

/// The name of a stream is its first bytes.
#[test]
fn a_certificate_has_the_name_of_its_stream() {
    let verdicts = Verdicts::collect("echo", |verdicts| {
        let harness = Harness::framer(|| FeedFn::new(0, echo::<u8>, |_, _| Ok(()))).streams([
            Vec::new(),
            b"ab".to_vec(),
            vec![0; 16],
            vec![1; 17],
        ]);
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    });
    let details = verdicts.details().to_string();
    let names = [
        "empty".to_owned(),
        "6162".to_owned(),
        "00".repeat(16),
        "01".repeat(16) + "..",
    ];
    for name in names {
        let begin = format!("\n{name}  proved: ");
        assert!(details.contains(&begin), "{name}: {details}");
    }
}

/// A stream over the size limit is no other invalid frame.
#[test]
fn a_limit_does_not_check_other_rejections() {
    let verdicts = Verdicts::collect("parser", |verdicts| {
        let harness = Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages(["ok"])
            .size_limit(8, |size| vec![b'x'; size], 1, "too long")
            .truncation_error("truncated");
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    });
    assert!(matches!(
        verdicts.status(Property::Limit),
        Status::Held { .. }
    ));
    let advice = "add an invalid frame with `rejects`";
    assert_eq!(
        verdicts.status(Property::Rejection),
        Status::NotChecked { advice }
    );
}

#[test]
#[should_panic(expected = "written was not checked: it does not concern this kind of framer")]
fn a_property_of_senders_cannot_be_asserted_of_a_parser() {
    verdicts(parse).assert(Property::Written);
}

/// A caller stops at an error, and a clean end is none.
#[test]
fn a_caller_that_stops_may_end_a_stream_twice() {
    let finish = |ended: &mut usize, _: &mut Frames<u8>| {
        *ended += 1;
        if *ended > 1 { Err("ended") } else { Ok(()) }
    };
    let feed = |_: &mut usize, chunk: &[u8], frames: &mut Frames<u8>| {
        frames.extend(chunk.iter().copied());
        Ok(())
    };
    let clean = Harness::framer(move || FeedFn::new(0, feed, finish));
    let harness = clean.declare([Deviation::CallerStops]);
    let violation = harness.check(b"ab").unwrap_err();
    assert_eq!(violation.property, Property::Truncation, "{violation}");

    let holds = |_: &mut usize, _: &[u8], _: &mut Frames<u8>| Ok::<(), &str>(());
    let finish = |ended: &mut usize, _: &mut Frames<u8>| {
        *ended += 1;
        assert_eq!(*ended, 1, "it is called after its error");
        Err("truncated")
    };
    let truncated = Harness::framer(move || FeedFn::new(0, holds, finish));
    let harness = truncated.declare([Deviation::CallerStops]);
    harness.check(b"ab").unwrap();
}

/// Nothing is expected after an error, wherever a chunk ends.
#[test]
fn a_framer_whose_caller_stops_is_proved() {
    let feed = |rejected: &mut bool, chunk: &[u8], frames: &mut Frames<u8>| {
        for &byte in chunk {
            if byte == 0xff {
                assert!(!*rejected, "it is called after its error");
                *rejected = true;
                return Err("rejected");
            }
            frames.push(byte);
        }
        Ok(())
    };
    let harness = Harness::framer(move || FeedFn::new(false, feed, |_, _| Ok(()))).oracle(
        |stream: &[u8]| {
            let accepted = stream.iter().take_while(|&&byte| byte != 0xff).copied();
            let frames: Vec<_> = (1..).zip(accepted).collect();
            let at = frames.len() + 1;
            Expected {
                frames,
                at_end: Vec::new(),
                outcome: if at > stream.len() {
                    Outcome::Clean
                } else {
                    let error = "rejected";
                    Outcome::Rejected { at, error }
                },
            }
        },
    );
    let strict = harness.check(b"ab\xffc\xffd").unwrap_err();
    assert_ne!(strict.declare, [], "{strict}");
    let declared = harness.declare([Deviation::CallerStops]);
    let certificate = declared.check(b"ab\xffc\xffd").unwrap();
    assert!(
        matches!(certificate.tier, Tier::Proved { .. }),
        "{certificate}"
    );
}
