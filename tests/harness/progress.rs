//! Framers that panic, that never return, and that give frames without end: each
//! is told with where it happens, and whoever asked goes on.

use std::thread;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use everysplit::check::{self, Certificate, Expected, Harness, Interruption, Outcome, Property};
use everysplit::check::{ChunkReader, Violation};
use everysplit::{Buffered, Decode, Frames, Split, Subject};

/// Where it goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the call that brings the last byte of this body.
    Body(&'static [u8]),
    /// At the end of the stream.
    End,
    Nowhere,
}

/// How it goes wrong.
type Wrong = fn(&mut Frames<Vec<u8>>);

fn panics(_: &mut Frames<Vec<u8>>) {
    panic!("a bug of the framer")
}

/// Never returns, and leaves the processor to others.
fn hangs(_: &mut Frames<Vec<u8>>) {
    loop {
        thread::park();
    }
}

fn floods(frames: &mut Frames<Vec<u8>>) {
    loop {
        frames.push(Vec::new());
    }
}

/// A length of one byte, then the body.
#[derive(Clone)]
struct Framer {
    buffer: BytesMut,
    at: At,
    wrong: Wrong,
}

impl Framer {
    fn new(at: At, wrong: Wrong) -> Self {
        let buffer = BytesMut::new();
        Self { buffer, at, wrong }
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
            if matches!(self.at, At::Body(body) if body == frame) {
                (self.wrong)(frames);
            }
            frames.push(frame.to_vec());
        }
        Ok(())
    }

    fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
        if self.at == At::End {
            (self.wrong)(frames);
        }
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(())
        }
    }
}

fn take(buffer: &mut BytesMut) -> Option<BytesMut> {
    let length = usize::from(*buffer.first()?);
    if buffer.len() <= length {
        return None;
    }
    buffer.advance(1);
    Some(buffer.split_to(length))
}

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

type Ask = fn(&'static [u8], At, Wrong) -> Result<Certificate, Violation>;

type Oracle = fn(&[u8]) -> Expected<Vec<u8>, ()>;

fn harness(at: At, wrong: Wrong) -> Harness<impl Fn() -> Framer, Oracle> {
    let oracle: Oracle = parse;
    Harness::new(move || Framer::new(at, wrong), oracle)
}

const ASK: [Ask; 3] = [
    |stream, at, wrong| harness(at, wrong).prove(stream),
    |stream, at, wrong| harness(at, wrong).bounded(stream, 1),
    |stream, at, wrong| harness(at, wrong).sampled(stream, 1, 50),
];

#[track_caller]
fn no_progress(violation: &Violation, token: &str, said: &str) {
    assert_eq!(violation.property, Property::Progress, "{violation}");
    assert_eq!(violation.case.to_string(), token, "{violation}");
    assert!(violation.actual.contains(said), "{violation}");
}

/// What it said and where is told, and the stream is as short as it gets.
#[test]
fn a_panic_is_a_violation() {
    for ask in ASK {
        let violation = ask(STREAM, At::Body(b"ok"), panics).unwrap_err();
        no_progress(&violation, "026f6b@whole", "a bug of the framer");
        assert!(violation.actual.contains(file!()), "{violation}");
        let violation = ask(STREAM, At::End, panics).unwrap_err();
        no_progress(&violation, "@whole", "a bug of the framer");
        ask(STREAM, At::Nowhere, panics).unwrap();
    }
}

#[test]
fn frames_without_end_are_a_violation() {
    for ask in ASK {
        let violation = ask(STREAM, At::Body(b"ok"), floods).unwrap_err();
        no_progress(
            &violation,
            "026f6b@whole",
            "more than 67 frames in one call",
        );
        let violation = ask(STREAM, At::End, floods).unwrap_err();
        no_progress(&violation, "@whole", "more than 64 frames in one call");
    }
}

/// Whoever finds it: a panic is told as a panic.
#[test]
fn a_panic_on_an_empty_chunk_is_one() {
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

    let harness = Harness::new(|| NeedsBytes(Framer::new(At::Nowhere, panics)), parse);
    for found in [harness.prove(STREAM), harness.bounded(STREAM, 1)] {
        no_progress(&found.unwrap_err(), "@whole", "index out of bounds");
    }
}

/// The call is given up, and the bytes behind it are left out.
#[test]
fn a_call_that_does_not_return_is_a_violation() {
    let limit = Duration::from_millis(100);
    for ask in ASK {
        let found = check::watch(limit, move || ask(STREAM, At::Body(b"ok"), hangs));
        let violation = found.unwrap_err();
        assert_eq!(violation.property, Property::Progress, "{violation}");
        assert_eq!(&*violation.actual, "it did not within 100ms");
        assert!(STREAM.starts_with(&violation.case.stream), "{violation}");
        let found = check::watch(limit, move || ask(STREAM, At::End, hangs));
        assert_eq!(found.unwrap_err().property, Property::Progress);
    }
    let found = check::watch(limit, || ASK[0](STREAM, At::Body(b"ok"), hangs));
    no_progress(
        &found.unwrap_err(),
        "0161026f6b000378797a@whole",
        "within 100ms",
    );
    // One that returns is none: the limit is for a call, not for all of them.
    let right = check::watch(Duration::from_secs(10), || {
        ASK[0](STREAM, At::Nowhere, hangs)
    });
    assert_eq!(right.unwrap().bytes, STREAM.len());
}

/// Each call that does not return is given up, and what comes behind it goes on.
#[test]
fn several_calls_do_not_return() {
    let found = check::watch(Duration::from_millis(100), || {
        let ends = [At::Body(b"ok"), At::End, At::Nowhere];
        Ok(ends.map(|at| {
            harness(at, hangs)
                .prove(STREAM)
                .map_err(|found| found.property)
        }))
    });
    let [body, end, nowhere] = found.unwrap();
    assert_eq!(body, Err(Property::Progress));
    assert_eq!(end, Err(Property::Progress));
    assert_eq!(nowhere.unwrap().bytes, STREAM.len());
}

/// Of the cuts, those before the call that does not return.
#[test]
fn a_call_that_does_not_return_is_told_with_the_cuts_before_it() {
    /// Never returns from a chunk that is the end of a body of two.
    #[derive(Clone, PartialEq, Eq)]
    struct Second(Framer);

    impl Subject for Second {
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

    let found = check::watch(Duration::from_millis(100), || {
        let make = || Second(Framer::new(At::Nowhere, panics));
        Harness::new(make, parse).bounded(STREAM, 2)
    });
    no_progress(&found.unwrap_err(), "0161026f6b@4", "within 100ms");
}

/// Many calls may take longer than one, each of which returns in time.
#[test]
fn calls_that_take_their_time_are_not_given_up() {
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

    let certificate = check::watch(Duration::from_millis(200), || {
        let make = || Slow(Framer::new(At::Nowhere, panics));
        Harness::new(make, parse).bounded(b"\x01a", 1)
    });
    assert_eq!(certificate.unwrap().bytes, 2);
}

/// What hangs while a violation is made small does not hide it.
#[test]
fn a_violation_survives_what_hangs_around_it() {
    /// Wrong on a stream of two frames, and never returns from one alone.
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

    let found = check::watch(Duration::from_millis(100), || {
        Harness::new(|| Two(Framer::new(At::Nowhere, panics), 0), parse).prove(b"\x01a\x01b")
    });
    let violation = found.unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    assert_eq!(violation.case.to_string(), "01610162@whole");
}

/// A panic that is not the subject's is nobody's violation.
#[test]
#[should_panic(expected = "a bug of the oracle")]
fn a_panic_of_the_oracle_goes_through() {
    let oracle = |_: &[u8]| -> Expected<Vec<u8>, ()> { panic!("a bug of the oracle") };
    let _ = check::watch(Duration::from_secs(10), move || {
        Harness::new(|| Framer::new(At::Nowhere, panics), oracle).prove(STREAM)
    });
}

/// Returns a frame without taking bytes, or panics.
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
fn decoders_are_caught_as_well() {
    for panics in [true, false] {
        let harness = Harness::new(|| Buffered::new(Decoder { panics }), parse);
        for found in [harness.bounded(b"\0", 0), harness.prove(b"\0")] {
            let violation = found.unwrap_err();
            assert_eq!(violation.property, Property::Progress, "{violation}");
        }
    }
    let harness = Harness::new(|| Buffered::new(Decoder { panics: true }), parse);
    let violation = harness.prove_decoder(b"\0\x02").unwrap_err();
    no_progress(&violation, "00@whole", "a bug of the decoder");
}

#[test]
fn a_peer_is_not_needed_to_see_a_panic() {
    let right = Framer::new(At::Nowhere, panics);
    let wrong = Framer::new(At::Body(b"ok"), panics);
    let violation = check::agree(right, wrong, STREAM, &Split::new([3])).unwrap_err();
    no_progress(&violation, "0161026f6b000378797a@3", "a bug of the framer");
}

/// Framers that pull: one panics, one reads on and on at the end, one never reads.
#[test]
fn readers_are_caught_as_well() {
    use std::io::Read;

    let (stream, split) = (b"\0", Split::whole());
    let expected = parse(stream);
    let found = check::pull(
        |_: &mut ChunkReader<'_>| panic!("a bug of the reader"),
        stream,
        &split,
        &expected,
        Interruption::Nothing,
    );
    no_progress(&found.unwrap_err(), "00@whole", "a bug of the reader");

    let found = check::pull(
        |reader: &mut ChunkReader<'_>| loop {
            let _ = reader.read(&mut [0; 8]);
        },
        stream,
        &split,
        &expected,
        Interruption::Nothing,
    );
    let violation = found.unwrap_err();
    no_progress(
        &violation,
        "00@whole",
        "the end of the stream was read 1000 times",
    );
    assert_eq!(violation.offset, 1);

    let found = check::pull_async(
        async |_: &mut check::AsyncChunkReader<'_, '_>| std::future::pending().await,
        stream,
        &split,
        &expected,
        Interruption::Pending,
    );
    no_progress(&found.unwrap_err(), "00@whole", "pending 1001 times");
}
