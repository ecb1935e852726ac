//! Panics and hangs in the code that a proof calls beside the framer itself: in its `Clone`, `Eq`,
//! `Debug` and `Drop`, and in those of its frames and errors. None leaves the check.

use std::fmt;
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use everysplit::subject::{Buffered, Decode, Frames, Subject};
use everysplit::{Expected, Harness, Outcome, Property, Violation, watchdog};

/// A trait's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Clone,
    Eq,
    Debug,
    Drop,
}

/// How a method fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Panics,
    Hangs,
}

/// What fails in a value.
type Failing = Option<(Method, Failure)>;

/// Fails if the method is the failing one.
fn call(method: Method, failing: Failing) {
    match failing {
        Some((failing, failure)) if failing == method => match failure {
            // Not again while a panic unwinds: that would end the process.
            Failure::Panics if thread::panicking() => {}
            Failure::Panics => panic!("a bug in {method:?}"),
            Failure::Hangs => loop {
                thread::park();
            },
        },
        _ => {}
    }
}

/// A byte whose methods fail as it says, if it is `x`.
struct Byte(u8, Failing);

impl Byte {
    fn call(&self, method: Method) {
        if self.0 == b'x' {
            call(method, self.1);
        }
    }
}

impl Clone for Byte {
    fn clone(&self) -> Self {
        self.call(Method::Clone);
        Self(self.0, self.1)
    }
}

impl PartialEq for Byte {
    fn eq(&self, other: &Self) -> bool {
        self.call(Method::Eq);
        other.call(Method::Eq);
        self.0 == other.0
    }
}

impl fmt::Debug for Byte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call(Method::Debug);
        self.0.fmt(f)
    }
}

impl Drop for Byte {
    fn drop(&mut self) {
        self.call(Method::Drop);
    }
}

/// Every byte is a frame, and `!` an error. Its methods fail after `x`.
#[derive(Clone, PartialEq)]
struct Framer {
    last: Byte,
    values: Failing,
}

impl Framer {
    const fn new(framer: Failing, values: Failing) -> Self {
        let last = Byte(0, framer);
        Self { last, values }
    }
}

impl Eq for Framer {}

impl Decode for Framer {
    type Frame = Byte;
    type Error = Byte;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Byte>, Byte> {
        if self.last.0 != b'!' {
            let Some(&byte) = buffer.first() else {
                return Ok(None);
            };
            let _ = buffer.split_to(1);
            self.last.0 = byte;
        }
        match self.last.0 {
            b'!' => Err(Byte(b'x', self.values)),
            byte => Ok(Some(Byte(byte, self.values))),
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Byte>, Byte> {
        self.decode(buffer)
    }
}

/// Returns the bytes up to `!`, with `x` replaced.
fn expect(stream: &[u8], x: u8) -> Expected<Byte, Byte> {
    let frames = stream.iter().take_while(|&&byte| byte != b'!');
    let replaced = |byte| Byte(if byte == b'x' { x } else { byte }, None);
    let frames = frames.enumerate();
    let frames: Vec<_> = frames.map(|(at, &byte)| (at + 1, replaced(byte))).collect();
    let at = frames.len() + 1;
    let error = replaced(b'x');
    Expected {
        outcome: if frames.len() < stream.len() {
            Outcome::Rejected { at, error }
        } else {
            Outcome::Clean
        },
        frames,
        at_end: Vec::new(),
    }
}

/// Checks `make` as a framer that is fed, and as a decoder. A macro, as the choice of the proof
/// depends on the type.
macro_rules! violations {
    ($make:expr, $stream:expr, $x:expr) => {{
        let oracle = |stream: &[u8]| expect(stream, $x);
        let fed = Harness::framer(move || Buffered::new($make())).oracle(oracle);
        let caller_buffered = Harness::decoder($make).oracle(oracle);
        [fed.check($stream), caller_buffered.check($stream)].map(|found| found.map(drop))
    }};
}

/// Runs both checks, each with a watchdog if the failure is a hang.
fn watched(
    failure: Failure,
    run: fn(Method, Failure) -> [Result<(), Violation>; 2],
    method: Method,
) -> [Violation; 2] {
    let check = |index: usize| {
        let found = match failure {
            Failure::Panics => run(method, failure)[index].clone(),
            Failure::Hangs => watchdog(Duration::from_millis(100), move || {
                run(method, failure)[index].clone()
            }),
        };
        found.expect_err("a violation")
    };
    // A hang takes time, so both are checked at once.
    thread::scope(|scope| {
        let checks = [0, 1].map(|index| scope.spawn(move || check(index)));
        checks.map(|check| check.join().expect("no panic leaves the check"))
    })
}

#[track_caller]
fn assert_isolated(violation: &Violation, failure: Failure, method: Method, expected: &str) {
    assert_eq!(violation.property, Property::Progress, "{violation}");
    assert_eq!(&*violation.expected, expected, "{violation}");
    let actual = match failure {
        Failure::Panics => format!("a bug in {method:?}"),
        Failure::Hangs => "it did not return within 100ms".into(),
    };
    assert!(violation.actual.contains(&actual), "{violation}");
}

const FAILURES: [Failure; 2] = [Failure::Panics, Failure::Hangs];

#[test]
fn failures_of_the_framers_own_traits_are_violations() {
    let methods = [
        (Method::Clone, "the framer's `clone` returns"),
        (Method::Eq, "the framer's `==` returns"),
        (Method::Drop, "the framer's `drop` returns"),
    ];
    for failure in FAILURES {
        for (method, expected) in methods {
            let run = |method, failure| {
                let make = move || Framer::new(Some((method, failure)), None);
                violations!(make, b"axb", b'x')
            };
            for violation in watched(failure, run, method) {
                assert_isolated(&violation, failure, method, expected);
                assert!(b"axb".starts_with(&violation.case.stream), "{violation}");
                assert!(
                    failure == Failure::Hangs || !violation.replays,
                    "{violation}"
                );
            }
        }
    }
}

#[test]
fn failures_of_the_framers_debug_are_violations() {
    struct Shown(Framer);

    impl fmt::Debug for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.last.fmt(f)
        }
    }

    impl Decode for Shown {
        type Frame = Byte;
        type Error = Byte;

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Byte>, Byte> {
            self.0.decode(buffer)
        }

        fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Byte>, Byte> {
            self.0.decode_eof(buffer)
        }
    }

    for failure in FAILURES {
        for method in [Method::Debug, Method::Drop] {
            let run = |method, failure| {
                let make = move || Shown(Framer::new(Some((method, failure)), None));
                violations!(make, b"axb", b'x')
            };
            let expected = match method {
                Method::Debug => "the framer's `Debug` returns",
                _ => "the framer's `drop` returns",
            };
            for violation in watched(failure, run, method) {
                assert_isolated(&violation, failure, method, expected);
            }
        }
    }
}

/// Frames and errors are compared and dropped after each call, and printed if they are not those
/// that were expected.
#[test]
fn failures_of_frames_and_errors_are_violations() {
    const EXPECTED: &str = "`==`, `Debug` and `drop` of frames and errors return";
    let of_frames = |method, failure| {
        let make = move || Framer::new(None, Some((method, failure)));
        violations!(
            make,
            b"axb",
            if method == Method::Debug { b'y' } else { b'x' }
        )
    };
    let of_errors = |method, failure| {
        let make = move || Framer::new(None, Some((method, failure)));
        violations!(
            make,
            b"a!b",
            if method == Method::Debug { b'y' } else { b'x' }
        )
    };
    for failure in FAILURES {
        for method in [Method::Eq, Method::Debug, Method::Drop] {
            for run in [of_frames, of_errors] {
                for violation in watched(failure, run, method) {
                    assert_isolated(&violation, failure, method, EXPECTED);
                }
            }
        }
    }
}

/// None of these methods fails in a correct framer.
#[test]
fn correct_values_are_left_alone() {
    for stream in [&b"axb"[..], b"a!b", b""] {
        let make = || Framer::new(None, None);
        for found in violations!(make, stream, b'x') {
            found.unwrap();
        }
    }
}

/// Panics at `x`, and whenever it is dropped after that.
#[derive(Clone, PartialEq, Eq)]
struct Broken {
    is_broken: bool,
}

impl Decode for Broken {
    type Frame = u8;
    type Error = ();

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, ()> {
        let Some(&byte) = buffer.first() else {
            return Ok(None);
        };
        let _ = buffer.split_to(1);
        self.is_broken = byte == b'x';
        assert!(!self.is_broken, "a bug in `decode`");
        Ok(Some(byte))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, ()> {
        self.decode(buffer)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        assert!(!self.is_broken, "a bug in `drop`");
    }
}

#[test]
fn a_panic_of_a_call_and_of_the_drop_after_it_is_one_violation() {
    let make = || Broken { is_broken: false };
    let oracle = |stream: &[u8]| {
        let bytes = stream.iter().copied().enumerate();
        Expected::<_, ()> {
            frames: bytes.map(|(at, byte)| (at + 1, byte)).collect(),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        }
    };
    let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
    let caller_buffered = Harness::decoder(make).oracle(oracle);
    for found in [fed.check(b"axb"), caller_buffered.check(b"axb")] {
        let violation = found.expect_err("a violation");
        assert_eq!(violation.property, Property::Progress, "{violation}");
        assert!(
            violation.actual.contains("a bug in `decode`"),
            "{violation}"
        );
    }
}

/// Panics if it is dropped after it has waited for the second byte once. A framer that is fed the
/// whole stream is never dropped there, and a state that a proof has saved is.
#[derive(Clone, Default, PartialEq, Eq)]
struct Waiting {
    bytes: usize,
    waited: usize,
}

impl Decode for Waiting {
    type Frame = u8;
    type Error = ();

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, ()> {
        if buffer.is_empty() {
            self.waited = 2.min(self.waited + 1);
            return Ok(None);
        }
        self.bytes += 1;
        self.waited = 0;
        Ok(Some(buffer.split_to(1)[0]))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, ()> {
        self.waited = 2;
        self.decode(buffer)
    }
}

impl Subject for Waiting {
    type Frame = u8;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
        self.bytes += chunk.len();
        self.waited = self.waited.max(if chunk.is_empty() { 2 } else { 1 });
        frames.extend(chunk.iter().copied());
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<u8>) -> Result<(), ()> {
        self.waited = 2;
        Ok(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        assert!((self.bytes, self.waited) != (1, 1), "a bug in `drop`");
    }
}

/// Compared by its `Debug`.
#[derive(Clone, Default)]
struct Shown(Waiting);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.bytes, self.0.waited)
    }
}

/// Made again for each state, as it has no `Clone`.
#[derive(Default, PartialEq, Eq)]
struct Rebuilt(Waiting);

forward!(Shown, Waiting);
forward!(Rebuilt, Waiting);

#[test]
fn the_states_that_a_proof_has_saved_are_dropped_in_isolation() {
    let fed = Harness::framer(Waiting::default);
    let shown = Harness::framer(Shown::default);
    let rebuilt = Harness::framer(Rebuilt::default);
    let caller_buffered = Harness::decoder(Waiting::default);
    for found in [
        fed.check(b"ab"),
        shown.check(b"ab"),
        rebuilt.check(b"ab"),
        caller_buffered.check(b"ab"),
    ] {
        let violation = found.expect_err("a violation");
        assert_eq!(violation.property, Property::Progress, "{violation}");
        assert_eq!(&*violation.expected, "the framer's `drop` returns");
        assert!(violation.actual.contains("a bug in `drop`"), "{violation}");
    }
}
