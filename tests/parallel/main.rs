//! Checks on several threads: the same verdict, violation and counts as on one, for framers that are
//! not `Send`.

use std::cell::Cell;
use std::env;
use std::fmt::Display;
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use everysplit::oracle::Parse;
use everysplit::subject::{Decode, Frames, Subject};
use everysplit::{
    CallerBuffered, Expected, Fed, Harness, Outcome, Violation, on_threads, parallel, watchdog,
};

/// What is wrong with a [`Framer`], or makes its states many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Correct,
    /// Counts its calls on all threads in [`FEEDS`].
    Counted,
    /// Remembers whether the last chunk was one byte: two states at each offset.
    TwoStates,
    /// Counts the chunks: never in one state twice.
    ManyStates,
    /// Loses a frame of more than 5 bytes of which a chunk brought exactly 3.
    Loses,
    /// Panics after a chunk of 2 bytes, one of 3, and one of 2.
    Panics,
    /// Does not return, then.
    Hangs,
    /// Changes the second frame if it is cut.
    Changes,
}

/// A length of one byte, of at most 9, then the body. Not `Send`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Framer {
    kind: Kind,
    buffer: Vec<u8>,
    last: [usize; 2],
    memory: usize,
    rejected: bool,
    not_send: Rc<Cell<u8>>,
}

impl Framer {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            buffer: Vec::new(),
            last: [0; 2],
            memory: 0,
            rejected: false,
            not_send: Rc::default(),
        }
    }
}

static FEEDS: AtomicU64 = AtomicU64::new(0);

impl Subject for Framer {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        let cut = !self.buffer.is_empty();
        match self.kind {
            Kind::Counted => _ = FEEDS.fetch_add(1, Ordering::Relaxed),
            Kind::TwoStates => self.memory = usize::from(chunk.len() == 1),
            Kind::ManyStates => self.memory += 1,
            Kind::Loses if cut && self.buffer[0] > 5 && chunk.len() == 3 => self.memory = 1,
            Kind::Changes if self.memory == 1 && cut => self.buffer[0] = 1,
            Kind::Panics | Kind::Hangs => {
                if self.last == [2, 3] && chunk.len() == 2 {
                    assert!(self.kind == Kind::Hangs, "2, 3 and 2");
                    loop {
                        thread::park();
                    }
                }
                self.last = [self.last[1], chunk.len()];
                if self.last != [2, 3] && self.last[1] != 2 {
                    self.last = [0; 2];
                }
            }
            _ => {}
        }
        if !self.rejected {
            self.buffer.extend_from_slice(chunk);
        }
        while let Some(&length) = self.buffer.first().filter(|_| !self.rejected) {
            self.rejected = length > 9;
            if self.rejected {
                self.buffer.clear();
                break;
            }
            if self.buffer.len() <= length.into() {
                break;
            }
            let rest = self.buffer.split_off(usize::from(length) + 1);
            let frame = self.buffer.split_off(1);
            self.buffer = rest;
            match self.kind {
                Kind::Loses if self.memory == 1 => self.memory = 0,
                _ => frames.push(frame),
            }
            if self.kind == Kind::Changes {
                self.memory += 1;
            }
        }
        if self.rejected {
            Err("too long")
        } else {
            Ok(())
        }
    }

    fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        match (self.rejected, self.buffer.is_empty()) {
            (true, _) => Err("too long"),
            (false, true) => Ok(()),
            (false, false) => Err("truncated"),
        }
    }
}

/// The same format, with the buffer of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decoder {
    kind: Kind,
    frames: usize,
    memory: usize,
    rejected: bool,
}

impl Decoder {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            frames: 0,
            memory: 0,
            rejected: false,
        }
    }
}

impl Decode for Decoder {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        if self.kind == Kind::Counted {
            FEEDS.fetch_add(1, Ordering::Relaxed);
        }
        self.rejected |= buffer.first().is_some_and(|&length| length > 9);
        if self.rejected {
            return Err("too long");
        }
        let len = buffer.first().map_or(1, |&length| 1 + usize::from(length));
        if buffer.len() < len {
            match self.kind {
                Kind::TwoStates => self.memory = buffer.len() % 2,
                Kind::ManyStates | Kind::Changes => self.memory += 1,
                Kind::Loses => self.memory = buffer.len(),
                Kind::Panics => assert!(self.frames < 2 || buffer.len() != 3, "2 and 3"),
                _ => {}
            }
            return Ok(None);
        }
        let mut frame = buffer.split_to(len).to_vec();
        self.frames += 1;
        if self.kind == Kind::Loses && self.memory == 4 {
            self.memory = 0;
            return self.decode(buffer);
        }
        if self.kind == Kind::Changes && self.frames == 2 && self.memory == 3 {
            frame[1] ^= 1;
        }
        Ok(Some(frame.split_off(1)))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() => Err("truncated"),
            frame => Ok(frame),
        }
    }
}

fn parse(stream: &[u8]) -> Expected<Vec<u8>, &'static str> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let Some((&length, rest)) = stream[start..].split_first() else {
            break Outcome::Clean;
        };
        if length > 9 {
            let (at, error) = (start + 1, "too long");
            break Outcome::Rejected { at, error };
        }
        let Some(body) = rest.get(..length.into()) else {
            break Outcome::Truncated("truncated");
        };
        start += 1 + body.len();
        frames.push((start, body.to_vec()));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

type Oracle = Parse<fn(&[u8]) -> Expected<Vec<u8>, &'static str>, Vec<u8>, &'static str>;

fn harness(kind: Kind) -> Harness<Fed<Framer>, Oracle> {
    Harness::framer(move || Framer::new(kind)).oracle(parse as fn(&[u8]) -> _)
}

fn decoder(kind: Kind) -> Harness<CallerBuffered<Decoder>, Oracle> {
    Harness::decoder(move || Decoder::new(kind)).oracle(parse as fn(&[u8]) -> _)
}

/// Returns frames of many lengths. The last one is truncated.
fn stream(len: usize) -> Vec<u8> {
    let lengths = [0, 8, 1, 9, 3].into_iter().cycle();
    let frames = lengths.flat_map(|length: u8| [vec![length], vec![b'x'; length.into()]].concat());
    frames.take(len).collect()
}

fn text<T: Display>(result: Result<T, Violation>) -> String {
    match result {
        Ok(certificate) => certificate.to_string(),
        Err(violation) => violation.to_string(),
    }
}

/// Runs a check on one thread, and on several. Returns the common result.
fn on_each_number(run: impl Fn() -> String + Clone + Send + Sync + 'static) -> String {
    let alone = run();
    for threads in [2, 5] {
        assert_eq!(on_threads(threads, run.clone()), alone, "{threads} threads");
    }
    alone
}

const KINDS: [Kind; 6] = [
    Kind::Correct,
    Kind::TwoStates,
    Kind::ManyStates,
    Kind::Loses,
    Kind::Panics,
    Kind::Changes,
];

#[test]
fn a_proof_is_the_same() {
    for kind in KINDS {
        for len in [0, 1, 40] {
            on_each_number(move || text(harness(kind).check(&stream(len))));
            on_each_number(move || text(decoder(kind).check(&stream(len))));
        }
    }
    let two = on_each_number(|| text(harness(Kind::TwoStates).check(&stream(60))));
    assert!(two.contains("at most 2 states per offset"), "{two}");
    let rejected = on_each_number(|| text(harness(Kind::Correct).check(b"\x02ok\xff\x01")));
    assert!(rejected.starts_with("proved"), "{rejected}");
}

/// At every bound of the work: where a proof gives up, the number of calls is the same too.
#[test]
fn a_proof_gives_up_at_the_same_call() {
    for max_work in (0..40_000).step_by(1500) {
        let kind = Kind::TwoStates;
        on_each_number(move || text(harness(kind).max_work(max_work).check(&stream(24))));
        on_each_number(move || text(decoder(kind).max_work(max_work).check(&stream(24))));
    }
}

#[test]
fn splits_one_by_one_are_the_same() {
    for kind in KINDS {
        on_each_number(move || text(harness(kind).sampled(&stream(60), 3, 1500)));
        on_each_number(move || text(harness(kind).bounded(&stream(30), 2)));
    }
}

#[test]
fn all_streams_are_the_same() {
    for kind in KINDS {
        for longest in [1, 5] {
            on_each_number(move || text(harness(kind).every_stream(longest)));
            let pieces = [&b"\0"[..], b"\x01a", b"\x03", b"\xff"];
            on_each_number(move || text(harness(kind).every_stream_of(pieces, longest)));
        }
    }
}

/// In a team the call that does not return has no fixed number. It is found without the others.
#[test]
fn a_call_that_does_not_return_is_found() {
    let limit = Duration::from_millis(300);
    let check = || harness(Kind::Hangs).check(&stream(20));
    let alone = watchdog(limit, check).unwrap_err();
    let in_team = watchdog(limit, move || on_threads(2, check)).unwrap_err();
    assert_eq!(in_team.to_string(), alone.to_string());
}

/// Each item fits into the work that is left, and all of them together do not.
#[test]
fn what_threads_did_counts_toward_the_work() {
    for max_work in (2000..40_000).step_by(250) {
        let check = move || text(decoder(Kind::Correct).max_work(max_work).check(&stream(40)));
        assert_eq!(on_threads(2, check), check(), "{max_work}");
    }
}

/// A member of a team starts no team.
#[test]
fn a_check_on_several_threads_may_contain_another() {
    let check = || text(harness(Kind::Correct).check(&stream(40)));
    assert_eq!(on_threads(2, move || on_threads(2, check)), check());
}

/// Runs itself: a panic outside of the framer is printed by one thread only, the one that returns it.
#[test]
fn a_panic_of_the_check_itself_is_printed_once() {
    const NAME: &str = "a_panic_of_the_check_itself_is_printed_once";
    const VARIABLE: &str = "PANICS";
    static BOTH: Barrier = Barrier::new(2);

    /// Waits until both threads have panicked.
    struct Panicked;

    impl Drop for Panicked {
        fn drop(&mut self) {
            BOTH.wait();
        }
    }

    fn check() {
        let _panicked = Panicked;
        panic!("a bug in the check");
    }

    if env::var_os(VARIABLE).is_some() {
        on_threads(2, check);
    }
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command
        .args([NAME, "--exact", "--nocapture"])
        .env(VARIABLE, "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        printed.matches("a bug in the check").count(),
        1,
        "{printed}"
    );
}

/// Two threads that begin together call the framer less than twice as often as one.
#[test]
fn threads_divide_a_proof() {
    static BEGIN: Barrier = Barrier::new(2);
    let fed = || drop(harness(Kind::Counted).check(&stream(400)).unwrap());
    let caller_buffered = || drop(decoder(Kind::Counted).check(&stream(1500)).unwrap());
    for check in [fed, caller_buffered as fn()] {
        FEEDS.store(0, Ordering::Relaxed);
        check();
        let one = FEEDS.swap(0, Ordering::Relaxed);
        on_threads(2, move || {
            BEGIN.wait();
            check();
        });
        let two = FEEDS.load(Ordering::Relaxed);
        assert!(2 * two < 3 * one, "{one} calls on one thread, {two} on two");
    }
}

/// Runs itself with each value of the variable.
#[test]
fn the_environment_sets_the_number_of_threads() {
    const NAME: &str = "the_environment_sets_the_number_of_threads";
    const VARIABLE: &str = "EVERYSPLIT_THREADS";
    if let Ok(threads) = env::var(VARIABLE) {
        // Fails without a number.
        parallel(|| ());
        let threads = threads.parse().unwrap();
        let arrived = Arc::new(AtomicU64::new(0));
        let all = Arc::clone(&arrived);
        parallel(move || {
            arrived.fetch_add(1, Ordering::Relaxed);
            // Other threads join a check that takes long.
            let begin = Instant::now();
            while all.load(Ordering::Relaxed) < threads && begin.elapsed().as_secs() < 60 {
                harness(Kind::Correct).check(&stream(50)).unwrap();
            }
            assert_eq!(all.load(Ordering::Relaxed), threads);
        });
        return;
    }
    let run = |threads| {
        let output = Command::new(env::current_exe().unwrap())
            .args([NAME, "--exact", "--nocapture"])
            .env(VARIABLE, threads)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8(text).unwrap(), output.status.success())
    };
    for threads in ["1", "3"] {
        let (text, passes) = run(threads);
        assert!(passes, "{text}");
    }
    for threads in ["", "0", "-1", "two"] {
        let (text, passes) = run(threads);
        assert!(!passes, "{text}");
        let message =
            format!("EVERYSPLIT_THREADS is `{threads}`: expected a number of threads from 1");
        assert!(text.contains(&message), "{text}");
    }
}
