//! Framers that panic, that do not return from a call, and that emit frames without end: each is
//! reported with the call in which it happens, and the caller of the check goes on.

use std::io::{ErrorKind, Read};
use std::thread;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use everysplit::oracle::Parse;
use everysplit::subject::{
    AsyncChunkReader, Buffered, ChunkReader, Decode, FeedFn, Frames, Subject, TokioDecoder,
};
use everysplit::{
    Allocated, Case, Certificate, Expected, Fed, Harness, Interruption, Outcome, Property, Split,
    Verdicts, Violation, watchdog,
};

/// When a [`Framer`] fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// In the call that feeds the last byte of this body.
    Body(&'static [u8]),
    /// At the end of the stream.
    End,
    Never,
}

/// How a [`Framer`] fails.
type Failure = fn(&mut Frames<Vec<u8>>);

fn panics(_: &mut Frames<Vec<u8>>) {
    panic!("a bug of the framer")
}

/// Never returns, without using the processor.
fn hangs(_: &mut Frames<Vec<u8>>) {
    loop {
        thread::park();
    }
}

fn emits_without_end(frames: &mut Frames<Vec<u8>>) {
    loop {
        frames.push(Vec::new());
    }
}

/// A length of one byte, then the body.
#[derive(Clone)]
struct Framer {
    buffer: BytesMut,
    when: When,
    failure: Failure,
}

impl Framer {
    fn new(when: When, failure: Failure) -> Self {
        let buffer = BytesMut::new();
        Self {
            buffer,
            when,
            failure,
        }
    }
}

impl PartialEq for Framer {
    fn eq(&self, other: &Self) -> bool {
        self.buffer == other.buffer
    }
}

impl Eq for Framer {}

impl Subject for Framer {
    type Frame = Vec<u8>;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
        self.buffer.extend_from_slice(chunk);
        while let Some(frame) = take(&mut self.buffer) {
            if matches!(self.when, When::Body(body) if body == frame) {
                (self.failure)(frames);
            }
            frames.push(frame.to_vec());
        }
        Ok(())
    }

    fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
        if self.when == When::End {
            (self.failure)(frames);
        }
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(())
        }
    }
}

/// Removes the first frame from the buffer.
fn take(buffer: &mut BytesMut) -> Option<BytesMut> {
    let length = usize::from(*buffer.first()?);
    if buffer.len() <= length {
        return None;
    }
    buffer.advance(1);
    Some(buffer.split_to(length))
}

/// Parses a whole stream.
fn parse(stream: &[u8]) -> Expected<Vec<u8>, ()> {
    let mut rest = BytesMut::from(stream);
    let mut frames = Vec::new();
    while let Some(frame) = take(&mut rest) {
        frames.push((stream.len() - rest.len(), frame.to_vec()));
    }
    let outcome = if rest.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Truncated(())
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

const STREAM: &[u8] = b"\x01a\x02ok\x00\x03xyz";

type Oracle = fn(&[u8]) -> Expected<Vec<u8>, ()>;

fn harness(when: When, failure: Failure) -> Harness<Fed<Framer>, Parse<Oracle, Vec<u8>, ()>> {
    Harness::framer(move || Framer::new(when, failure)).oracle(parse)
}

type Check = fn(&'static [u8], When, Failure) -> Result<Certificate, Violation>;

/// A proof, a bounded check and a sampled one.
const CHECKS: [Check; 3] = [
    |stream, when, failure| harness(when, failure).check(stream),
    |stream, when, failure| harness(when, failure).bounded(stream, 1),
    |stream, when, failure| harness(when, failure).sampled(stream, 1, 50),
];

#[track_caller]
fn assert_no_progress(violation: &Violation, token: &str, actual: &str) {
    assert_eq!(violation.property, Property::Progress, "{violation}");
    assert_eq!(violation.case.to_string(), token, "{violation}");
    assert!(violation.actual.contains(actual), "{violation}");
}

/// The violation has the panic's message and location, on the shortest stream.
#[test]
fn a_panic_is_a_violation() {
    for check in CHECKS {
        let violation = check(STREAM, When::Body(b"ok"), panics).unwrap_err();
        assert_no_progress(&violation, "026f6b@whole", "a bug of the framer");
        assert!(violation.actual.contains(file!()), "{violation}");
        let violation = check(STREAM, When::End, panics).unwrap_err();
        assert_no_progress(&violation, "@whole", "a bug of the framer");
        check(STREAM, When::Never, panics).unwrap();
    }
}

#[test]
fn frames_without_end_are_a_violation() {
    for check in CHECKS {
        let violation = check(STREAM, When::Body(b"ok"), emits_without_end).unwrap_err();
        assert_no_progress(
            &violation,
            "026f6b@whole",
            "more than 832 frames in one call",
        );
        let violation = check(STREAM, When::End, emits_without_end).unwrap_err();
        assert_no_progress(&violation, "@whole", "more than 64 frames in one call");
    }
}

/// It is a violation of `progress`, and not of `empty_chunk`.
#[test]
fn a_panic_on_an_empty_chunk_is_a_violation() {
    #[derive(Clone, PartialEq, Eq)]
    struct NeedsBytes(Framer);

    impl Subject for NeedsBytes {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            assert_ne!(chunk[0], 255);
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.finish(frames)
        }
    }

    let harness = Harness::framer(|| NeedsBytes(Framer::new(When::Never, panics))).oracle(parse);
    for found in [harness.check(STREAM), harness.bounded(STREAM, 1)] {
        assert_no_progress(&found.unwrap_err(), "@whole+empty", "index out of bounds");
    }
}

/// The call is given up, and the bytes after it are removed from the stream.
#[test]
fn a_call_that_does_not_return_is_a_violation() {
    let limit = Duration::from_millis(100);
    for check in CHECKS {
        let found = watchdog(limit, move || check(STREAM, When::Body(b"ok"), hangs));
        let violation = found.unwrap_err();
        assert_eq!(violation.property, Property::Progress, "{violation}");
        assert_eq!(&*violation.actual, "it did not return within 100ms");
        assert!(STREAM.starts_with(&violation.case.stream), "{violation}");
        let found = watchdog(limit, move || check(STREAM, When::End, hangs));
        assert_eq!(found.unwrap_err().property, Property::Progress);
    }
    let found = watchdog(limit, || CHECKS[0](STREAM, When::Body(b"ok"), hangs));
    assert_no_progress(
        &found.unwrap_err(),
        "0161026f6b000378797a@whole",
        "within 100ms",
    );
    // The limit does nothing to a framer that returns.
    let correct = watchdog(Duration::from_secs(10), || {
        CHECKS[0](STREAM, When::Never, hangs)
    });
    assert_eq!(correct.unwrap().bytes, STREAM.len());
}

/// The verdict says so.
#[test]
fn streams_after_a_call_that_does_not_return_are_not_checked() {
    let verdicts = Verdicts::collect("framer", |verdicts| {
        let streams = [&b""[..], STREAM, b"\x01a", b"\x01b"];
        let harness = harness(When::Body(b"ok"), hangs).streams(streams);
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    });
    let line = "not checked, as a call did not return: 2 streams";
    assert!(verdicts.to_string().contains(line), "{verdicts}");
}

/// Each is given up, and the checks after it run.
#[test]
fn several_calls_that_do_not_return_are_violations() {
    let found = watchdog(Duration::from_millis(100), || {
        let whens = [When::Body(b"ok"), When::End, When::Never];
        Ok(whens.map(|when| {
            harness(when, hangs)
                .check(STREAM)
                .map_err(|found| found.property)
        }))
    });
    let [body, end, never] = found.unwrap();
    assert_eq!(body, Err(Property::Progress));
    assert_eq!(end, Err(Property::Progress));
    assert_eq!(never.unwrap().bytes, STREAM.len());
}

#[test]
fn a_call_that_does_not_return_keeps_the_cuts_before_it() {
    /// Never returns from the chunk `k`, the last byte of a body of two.
    #[derive(Clone, PartialEq, Eq)]
    struct HangsOnSecondByte(Framer);

    impl Subject for HangsOnSecondByte {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            if chunk == b"k" {
                hangs(frames);
            }
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.finish(frames)
        }
    }

    let found = watchdog(Duration::from_millis(100), || {
        let make = || HangsOnSecondByte(Framer::new(When::Never, panics));
        Harness::framer(make).oracle(parse).bounded(STREAM, 2)
    });
    assert_no_progress(&found.unwrap_err(), "0161026f6b@4", "within 100ms");
}

/// The limit applies to each call, and not to all of them together.
#[test]
fn many_calls_may_take_longer_than_the_limit() {
    struct Slow(Framer);

    impl Subject for Slow {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            thread::sleep(Duration::from_millis(50));
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.finish(frames)
        }
    }

    let certificate = watchdog(Duration::from_millis(200), || {
        let make = || Slow(Framer::new(When::Never, panics));
        Harness::framer(make).oracle(parse).bounded(b"\x01a", 1)
    });
    assert_eq!(certificate.unwrap().bytes, 2);
}

/// A check may pause between the calls of the framer, such as to read its streams.
#[test]
fn a_pause_between_calls_is_no_violation() {
    let limit = Duration::from_millis(400);
    let checked = watchdog(limit, move || {
        let harness = harness(When::Never, panics);
        harness.check(b"\x01a")?;
        thread::sleep(3 * limit);
        harness.check(b"\x01b")
    });
    checked.unwrap();
}

#[test]
fn a_call_that_does_not_return_while_minimising_hides_no_violation() {
    /// Emits a frame too many after the second one, and never returns at an end after the first.
    #[derive(Clone, PartialEq, Eq)]
    struct Two(Framer, usize);

    impl Subject for Two {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            let before = frames.len();
            let result = self.0.feed(chunk, frames);
            self.1 += frames.len() - before;
            if self.1 == 2 {
                frames.push(b"surplus".to_vec());
            }
            result
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            if self.1 == 1 {
                hangs(frames);
            }
            self.0.finish(frames)
        }
    }

    let found = watchdog(Duration::from_millis(100), || {
        let make = || Two(Framer::new(When::Never, panics), 0);
        Harness::framer(make).oracle(parse).check(b"\x01a\x01b")
    });
    let violation = found.unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    assert_eq!(violation.case.to_string(), "01610162@whole");
}

/// It names the oracle, the stream, and the panic.
#[test]
fn a_panic_of_the_oracle_is_reported_with_the_stream() {
    let oracle = |stream: &[u8]| -> Expected<Vec<u8>, ()> {
        assert!(stream.len() < 3, "a bug of the oracle");
        parse(stream)
    };
    let harness = Harness::framer(|| Framer::new(When::Never, panics)).oracle(oracle);
    let violation = harness.check(STREAM).unwrap_err();
    assert_eq!(violation.property, Property::Progress);
    assert_eq!(*violation.expected, *"the oracle returns");
    assert!(
        violation.actual.ends_with("a bug of the oracle"),
        "{violation}"
    );
    assert_eq!(violation.case.stream.len(), 3, "{violation}");
}

/// Panics, or returns frames without consuming bytes.
#[derive(Clone, PartialEq, Eq)]
struct Decoder {
    panics: bool,
}

impl Decode for Decoder {
    type Frame = Vec<u8>;
    type Error = ();

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, ()> {
        assert!(!self.panics || buffer.is_empty(), "a bug of the decoder");
        Ok(buffer.first().map(|_| Vec::new()))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, ()> {
        self.decode(buffer)
    }
}

#[test]
fn decoders_are_isolated() {
    for panics in [true, false] {
        let fed = Harness::framer(move || Buffered::new(Decoder { panics })).oracle(parse);
        for found in [fed.bounded(b"\0", 0), fed.check(b"\0")] {
            let violation = found.unwrap_err();
            assert_eq!(violation.property, Property::Progress, "{violation}");
        }
    }
    let decoder = Harness::decoder(|| Decoder { panics: true }).oracle(parse);
    let violation = decoder.check(b"\0\x02").unwrap_err();
    assert_no_progress(&violation, "00@whole", "a bug of the decoder");
}

#[test]
fn framers_are_isolated_when_compared_with_a_peer() {
    let harness = Harness::framer(|| Framer::new(When::Body(b"ok"), panics));
    let peer = Framer::new(When::Never, panics);
    let case = Case::new(STREAM, Split::new([3]));
    let violation = harness.differential(peer, &case).unwrap_err();
    assert_no_progress(&violation, "0161026f6b000378797a@3", "a bug of the framer");
}

#[test]
fn a_specification_that_panics_is_not_the_framer() {
    let harness = Harness::framer(|| Framer::new(When::Never, panics));
    let specified = harness.specification(|| Framer::new(When::Body(b"ok"), panics));
    let violation = specified.check(STREAM).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
    assert_eq!(*violation.expected, *"the oracle returns", "{violation}");
}

/// One reader panics, one reads the end again and again, one never reads.
#[test]
fn readers_are_isolated() {
    use std::io::Read;

    type Returned = Result<Option<Vec<u8>>, ()>;

    let case = Case::new(b"\0", Split::whole());
    let harness =
        Harness::reader(|| |_: &mut ChunkReader<'_>| -> Returned { panic!("a bug of the reader") });
    let found = harness.oracle(parse).one_split(&case);
    assert_no_progress(&found.unwrap_err(), "00@whole", "a bug of the reader");

    let harness = Harness::reader(|| {
        |reader: &mut ChunkReader<'_>| -> Returned {
            loop {
                let _ = reader.read(&mut [0; 8]);
            }
        }
    });
    let found = harness.oracle(parse).one_split(&case);
    let violation = found.unwrap_err();
    assert_no_progress(
        &violation,
        "00@whole",
        "the end of the stream was read 1000 times",
    );
    assert_eq!(violation.offset, 1);

    let harness = Harness::async_reader(|| {
        async |_: &mut AsyncChunkReader<'_, '_>| -> Returned { std::future::pending().await }
    });
    let case = case.with(Interruption::Pending);
    let found = harness.oracle(parse).one_split(&case);
    assert_no_progress(
        &found.unwrap_err(),
        "00@whole",
        "pending, and nothing wakes it",
    );
}

/// Many frames from one byte, or from one call, are no frames without end.
mod many_frames {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::io::Read;

    use everysplit::subject::{
        AsyncChunkReader, ChunkReader, DecodeFn, FeedFn, Frames, JoinPieces, Subject,
    };
    use everysplit::{
        Case, Certificate, Deviation, Expected, Harness, Outcome, Property, Split, Tier, Violation,
    };
    use tokio::io::AsyncReadExt;

    /// Each run is a count, then the byte to emit so many times.
    const RUNS: &[u8] = b"\xffa\x00b\xffc\x01d\xff";

    /// Emits the bytes of a line when it is complete.
    const LINES: &[u8] =
        b"a line of more than sixty-five bytes, which are held until it is whole\nab\n\nc";

    /// The state of a framer of either format: what has arrived of the next run or line.
    type State = Vec<u8>;
    type Format = fn(&mut State, u8) -> Vec<u8>;

    fn run(count: &mut State, byte: u8) -> Vec<u8> {
        if let Some(count) = count.pop() {
            return vec![byte; count.into()];
        }
        count.push(byte);
        Vec::new()
    }

    fn line(line: &mut State, byte: u8) -> Vec<u8> {
        line.push(byte);
        if byte == b'\n' {
            std::mem::take(line)
        } else {
            Vec::new()
        }
    }

    const FORMATS: [(Format, &[u8]); 2] = [(run, RUNS), (line, LINES)];

    fn parse(format: Format, stream: &[u8]) -> Expected<u8, Infallible> {
        let mut state = State::new();
        let emitted = stream.iter().zip(1..).flat_map(|(&byte, end)| {
            let frames = format(&mut state, byte).into_iter();
            frames.map(move |frame| (end, frame))
        });
        Expected {
            frames: emitted.collect(),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        }
    }

    fn fed(format: Format) -> impl Subject<Frame = u8, Error = Infallible> + Clone + Eq {
        FeedFn::new(
            State::new(),
            move |state: &mut State, chunk: &[u8], frames: &mut Frames<u8>| {
                frames.extend(chunk.iter().flat_map(|&byte| format(state, byte)));
                Ok(())
            },
            |_, _| Ok(()),
        )
    }

    #[track_caller]
    fn assert_proved(result: Result<Certificate, Violation>) {
        let certificate = result.unwrap();
        assert!(
            matches!(certificate.tier, Tier::Proved { .. }),
            "{certificate}"
        );
    }

    #[test]
    fn pass_if_they_are_fed() {
        for (format, stream) in FORMATS {
            let harness = Harness::framer(move || fed(format)).declare([Deviation::DiscardsAtEnd]);
            assert_proved(harness.check(stream));
            assert_proved(
                harness
                    .oracle(move |stream| parse(format, stream))
                    .check(stream),
            );
        }
    }

    /// A frame that is joined of so many pieces.
    #[test]
    fn pass_as_pieces() {
        for (format, stream) in FORMATS {
            let harness = Harness::framer(move || {
                JoinPieces::new(fed(format), Vec::new(), |body: &mut Vec<u8>, piece| {
                    body.push(piece);
                    (body.len() == 85).then(|| std::mem::take(body))
                })
            });
            let harness = harness.declare([Deviation::DiscardsAtEnd]);
            assert_proved(harness.check(stream));
        }
    }

    #[test]
    fn pass_if_the_caller_owns_the_buffer() {
        for (format, stream) in FORMATS {
            let decode = move |(state, ready): &mut (State, VecDeque<u8>),
                               buffer: &mut bytes::BytesMut| {
                while ready.is_empty() && !buffer.is_empty() {
                    ready.extend(format(state, buffer.split_to(1)[0]));
                }
                Ok::<_, Infallible>(ready.pop_front())
            };
            let harness = Harness::decoder(move || {
                DecodeFn::new((State::new(), VecDeque::new()), decode, decode)
            });
            let harness = harness.declare([Deviation::DiscardsAtEnd]);
            // One state for each frame.
            assert_proved(harness.max_states(256).check(stream));
        }
    }

    /// Reads a byte, returns the frames that it makes one by one.
    #[test]
    fn pass_if_they_are_read() {
        for (format, stream) in FORMATS {
            let blocking = Harness::reader(move || {
                let (mut state, mut ready) = (State::new(), VecDeque::new());
                move |reader: &mut ChunkReader<'_>| loop {
                    if let Some(frame) = ready.pop_front() {
                        return Ok(Some(frame));
                    }
                    let mut byte = [0];
                    match reader.read(&mut byte) {
                        Ok(0) => return Ok(None),
                        Ok(_) => ready.extend(format(&mut state, byte[0])),
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error.kind()),
                    }
                }
            });
            let blocking = blocking.declare([Deviation::DiscardsAtEnd]);
            blocking.bounded(stream, 1).unwrap();
            let asynchronous = Harness::async_reader(move || {
                let (mut state, mut ready) = (State::new(), VecDeque::new());
                async move |reader: &mut AsyncChunkReader<'_, '_>| loop {
                    if let Some(frame) = ready.pop_front() {
                        return Ok::<_, ()>(Some(frame));
                    }
                    let mut byte = [0];
                    match reader.read(&mut byte).await.unwrap() {
                        0 => return Ok(None),
                        _ => ready.extend(format(&mut state, byte[0])),
                    }
                }
            });
            let asynchronous = asynchronous.declare([Deviation::DiscardsAtEnd]);
            asynchronous.bounded(stream, 1).unwrap();
        }
    }

    /// An oracle knows how many frames are due, in streams of any length.
    #[test]
    fn pass_with_an_oracle_if_the_stream_is_long() {
        let stream = b"\xffa".repeat(4096);
        let harness = Harness::framer(|| fed(run)).oracle(|stream| parse(run, stream));
        harness
            .one_split(&Case::new(stream, Split::whole()))
            .unwrap();
    }

    /// A framer that keeps a stream to its end, and then emits all of it.
    #[test]
    fn pass_if_they_come_in_proportion() {
        let harness = Harness::framer(|| fed(line));
        let stream = |len| [vec![b'a'; len - 1], b"\n".to_vec()].concat();
        harness.linear(stream).unwrap();
    }

    #[track_caller]
    fn assert_without_end(result: Result<Certificate, Violation>, text: &str) {
        let violation = result.unwrap_err();
        assert_eq!(violation.property, Property::Progress, "{violation}");
        assert!(violation.actual.contains(text), "{violation}");
    }

    /// A decoder that returns all of its buffer, and consumes none of it.
    #[test]
    fn without_end_are_found_where_nothing_is_expected() {
        let endless = |in_feed: bool| {
            FeedFn::new(
                Vec::new(),
                move |buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
                    buffer.extend(chunk);
                    while in_feed && buffer.len() > 30 {
                        frames.push(buffer.clone());
                    }
                    Ok::<_, ()>(())
                },
                |buffer, frames| loop {
                    frames.push(buffer.clone());
                },
            )
        };
        let stream = [7; 40];
        for in_feed in [true, false] {
            let harness = Harness::framer(move || endless(in_feed));
            assert_without_end(harness.check(&stream), "frames in one call");
            let harness =
                Harness::framer(move || JoinPieces::new(endless(in_feed), (), |(), _| None::<()>));
            assert_without_end(harness.check(&stream), "frames in one call");
        }
        let harness = Harness::reader(|| {
            let mut first = Some([0]);
            move |reader: &mut ChunkReader<'_>| {
                first.take().map(|mut byte| reader.read_exact(&mut byte));
                Ok::<_, ()>(Some([7; 50]))
            }
        });
        assert_without_end(harness.check(&stream), "frames without end");
        let harness = Harness::async_reader(|| {
            let mut first = Some([0]);
            async move |reader: &mut AsyncChunkReader<'_, '_>| {
                if let Some(mut byte) = first.take() {
                    let _ = reader.read_exact(&mut byte).await;
                }
                Ok::<_, ()>(Some([7; 50]))
            }
        });
        assert_without_end(harness.check(&stream), "frames without end");
    }
}

/// A frame of one byte, which cannot be dropped if it is an `x`.
#[derive(Clone, Debug, PartialEq)]
struct Bomb(u8);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(self.0 != b'x' || thread::panicking(), "a bug of the frame");
    }
}

#[test]
fn frames_that_panic_when_they_are_dropped_are_found() {
    let fed = Harness::framer(|| {
        let feed = |(): &mut (), chunk: &[u8], frames: &mut Frames<Bomb>| {
            frames.extend(chunk.iter().copied().map(Bomb));
            Ok::<_, ()>(())
        };
        FeedFn::new((), feed, |(), _| Ok(()))
    });
    let parsed = Harness::parser(|bytes| Ok(bytes.first().map(|&byte| (Bomb(byte), 1))), ());
    let reader = Harness::reader(|| {
        |reader: &mut ChunkReader<'_>| {
            let mut byte = [0];
            match reader.read_exact(&mut byte) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
                result => result
                    .map(|()| Some(Bomb(byte[0])))
                    .map_err(|error| error.kind()),
            }
        }
    });
    let asynchronous = Harness::async_reader(|| {
        async |reader: &mut AsyncChunkReader<'_, '_>| {
            let mut byte = [0];
            let read = tokio::io::AsyncReadExt::read(reader, &mut byte)
                .await
                .unwrap();
            Ok::<_, ()>((read > 0).then_some(Bomb(byte[0])))
        }
    });
    for (checked, result) in [
        ("fed", fed.check(b"abxc")),
        ("fed, bounded", fed.bounded(b"abxc", 1)),
        ("fed, sampled", fed.sampled(b"abxc", 0, 10)),
        ("parsed", parsed.check(b"abxc")),
        ("parsed, bounded", parsed.bounded(b"abxc", 1)),
        ("reader", reader.check(b"abxc")),
        ("asynchronous", asynchronous.check(b"abxc")),
    ] {
        let found = result.expect_err(checked);
        assert_eq!(found.property, Property::Progress, "{checked}: {found}");
        assert!(
            found.actual.contains("a bug of the frame"),
            "{checked}: {found}"
        );
    }
}

/// Like a call of the framer, before the first byte.
#[test]
fn a_framer_that_cannot_be_made_is_found() {
    fn fails<T>() -> T {
        panic!("a bug of the constructor")
    }
    let fed = Harness::framer(fails::<Framer>).oracle(parse as Oracle);
    let decoder = Harness::decoder(fails::<TokioDecoder<tokio_util::codec::LinesCodec>>);
    let reader = Harness::reader(|| fails::<fn(&mut ChunkReader<'_>) -> Result<Option<u8>, ()>>());
    let peer = Framer::new(When::Never, panics);
    let measure = |call: &mut dyn FnMut()| {
        call();
        Allocated { peak: 0, kept: 0 }
    };
    let whole = Split::whole();
    for found in [
        fed.check(STREAM).unwrap_err(),
        fed.bounded(STREAM, 1).unwrap_err(),
        fed.linear(|len| vec![0; len]).unwrap_err(),
        fed.differential(peer, &Case::new(b"", whole.clone()))
            .unwrap_err(),
        fed.allocations(b"", &whole, measure).unwrap_err(),
        fed.every_stream(2).unwrap_err(),
        decoder.check(STREAM).unwrap_err(),
        decoder.bounded(STREAM, 1).unwrap_err(),
        reader.check(STREAM).unwrap_err(),
    ] {
        assert_eq!(found.property, Property::Progress, "{found}");
        assert_eq!(found.case.to_string(), "@whole", "{found}");
        assert!(found.actual.contains("a bug of the constructor"), "{found}");
    }
}
