//! Violations are the smallest ones: on random framers, brute force over short streams finds no
//! smaller violation of the same property. Long streams are made small in a bounded number of runs.

use std::cell::Cell;
use std::rc::Rc;

use bytes::{Buf, BytesMut};
use everysplit::oracle::Parse;
use everysplit::subject::{Decode, FeedFn, Frames, Subject};
use everysplit::{Case, Expected, Fed, Harness, Interruption, Outcome, Property, Split, Violation};

/// The number of different bytes that a random framer distinguishes.
const LETTERS: u8 = 3;
/// The longest stream of the brute force, in bytes.
const SHORT: usize = 6;

/// How many random framers of each kind are checked.
const FRAMERS: u64 = 500;

/// What a random framer does with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Goes(u8),
    Emits(u8),
    Rejects,
}

/// The table of a random framer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    /// For each state and the first byte of a token: how many bytes the token has, and what it does.
    steps: Vec<[(usize, Step); LETTERS as usize]>,
    /// For each state: whether the stream may end there.
    ends: Vec<bool>,
    /// For each state: the state after an incomplete token.
    waits: Vec<u8>,
    /// For each state: how many bytes of an incomplete token are lost.
    loses: Vec<usize>,
    /// For each state: the state at the beginning of a chunk.
    begins: Vec<u8>,
    /// Whether the error is forgotten.
    goes_on: bool,
}

impl Table {
    /// Makes a correct table of tokens with up to `most` bytes.
    fn random(rng: &mut fastrand::Rng, most: usize) -> Self {
        let states = rng.u8(1..=4);
        let step = |rng: &mut fastrand::Rng| {
            let step = match rng.u8(..8) {
                0..4 => Step::Goes(rng.u8(..states)),
                4..7 => Step::Emits(rng.u8(..states)),
                _ => Step::Rejects,
            };
            (rng.usize(1..=most), step)
        };
        Self {
            steps: (0..states)
                .map(|_| [(); LETTERS as usize].map(|()| step(rng)))
                .collect(),
            ends: (0..states).map(|_| rng.bool()).collect(),
            waits: (0..states).collect(),
            loses: vec![0; states.into()],
            begins: (0..states).collect(),
            goes_on: false,
        }
    }

    /// Makes one to three things wrong. Something wrong may show in no stream.
    fn with_bugs(&self, rng: &mut fastrand::Rng) -> Self {
        let mut buggy = self.clone();
        for _ in 0..rng.u8(1..=3) {
            let state = rng.usize(..self.ends.len());
            let other = self.waits[rng.usize(..self.waits.len())];
            let letter = rng.usize(..usize::from(LETTERS));
            match rng.u8(..8) {
                0..3 => buggy.begins[state] = other,
                3..5 => buggy.waits[state] = other,
                5 => buggy.loses[state] = 1,
                6 => buggy.steps[state][letter] = self.steps[usize::from(other)][letter],
                _ if rng.bool() => buggy.ends[state] ^= true,
                _ => buggy.goes_on = true,
            }
        }
        buggy
    }

    fn step(&self, state: u8, byte: u8) -> (usize, Step) {
        self.steps[usize::from(state)][usize::from(byte % LETTERS)]
    }

    /// Parses a whole stream.
    fn parse(&self, stream: &[u8]) -> Expected<Vec<u8>, ()> {
        let (mut frames, mut start, mut state) = (Vec::new(), 0, 0);
        let outcome = loop {
            let rest = &stream[start..];
            let Some(&byte) = rest.first() else {
                break if self.ends[usize::from(state)] {
                    Outcome::Clean
                } else {
                    Outcome::Truncated(())
                };
            };
            let (len, step) = self.step(state, byte);
            let Some(token) = rest.get(..len) else {
                break Outcome::Truncated(());
            };
            start += len;
            match step {
                Step::Goes(next) => state = next,
                Step::Emits(next) => {
                    frames.push((start, letters(token)));
                    state = next;
                }
                Step::Rejects => {
                    break Outcome::Rejected {
                        at: start,
                        error: (),
                    };
                }
            }
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    }
}

fn letters(token: &[u8]) -> Vec<u8> {
    token.iter().map(|byte| byte % LETTERS).collect()
}

/// A framer that follows a table.
#[derive(Clone, PartialEq, Eq)]
struct Random {
    table: Rc<Table>,
    state: u8,
    rejected: bool,
    /// Only if the framer is fed.
    buffer: BytesMut,
}

impl Random {
    fn new(table: &Rc<Table>) -> Self {
        Self {
            table: Rc::clone(table),
            state: 0,
            rejected: false,
            buffer: BytesMut::new(),
        }
    }

    fn is_clean(&self, rest: &BytesMut) -> bool {
        rest.is_empty() && self.table.ends[usize::from(self.state)]
    }
}

impl Decode for Random {
    type Frame = Vec<u8>;
    type Error = ();

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, ()> {
        if self.rejected {
            return Err(());
        }
        while let Some(&byte) = buffer.first() {
            let (len, step) = self.table.step(self.state, byte);
            if buffer.len() < len {
                buffer.advance(self.table.loses[usize::from(self.state)]);
                self.state = self.table.waits[usize::from(self.state)];
                return Ok(None);
            }
            let token = buffer.split_to(len);
            match step {
                Step::Goes(next) => self.state = next,
                Step::Emits(next) => {
                    self.state = next;
                    return Ok(Some(letters(&token)));
                }
                Step::Rejects => {
                    self.rejected = !self.table.goes_on;
                    return Err(());
                }
            }
        }
        Ok(None)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, ()> {
        match self.decode(buffer)? {
            None if self.is_clean(buffer) => Ok(None),
            None => Err(()),
            frame => Ok(frame),
        }
    }
}

impl Subject for Random {
    type Frame = Vec<u8>;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.state = self.table.begins[usize::from(self.state)];
        buffer.extend_from_slice(chunk);
        let result = loop {
            match self.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break Ok(()),
                Err(()) => break Err(()),
            }
        };
        self.buffer = buffer;
        result
    }

    fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), ()> {
        let clean = !self.rejected && self.is_clean(&self.buffer);
        clean.then_some(()).ok_or(())
    }
}

/// Returns every stream of `len` bytes.
fn streams(len: usize) -> Vec<Vec<u8>> {
    (0..len).fold(vec![Vec::new()], |shorter, _| {
        let longer = shorter
            .iter()
            .flat_map(|stream| (0..LETTERS).map(move |letter| [&stream[..], &[letter]].concat()));
        longer.collect()
    })
}

/// Returns the number of cuts and of bytes.
fn size(case: &Case) -> (usize, usize) {
    (case.split.cuts().len(), case.stream.len())
}

/// Returns the size of the smallest violation of a property in short streams: the fewest cuts, then
/// the fewest bytes. Sizes of `bound` and above are not tried.
fn brute_force(
    property: Property,
    interruption: Interruption,
    bound: (usize, usize),
    one_split: &dyn Fn(&Case) -> Result<(), Violation>,
) -> Option<(usize, usize)> {
    let sizes = (0..SHORT).flat_map(|cuts| (cuts..=SHORT).map(move |len| (cuts, len)));
    let mut sizes = sizes.take_while(|&size| size < bound);
    sizes.find(|&(cuts, len)| {
        let exactly = move |split: &Split| split.cuts().len() == cuts;
        streams(len).iter().any(|stream| {
            let mut splits = Split::up_to(len, cuts).filter(exactly);
            splits.any(|split| {
                let case = Case::new(&stream[..], split).with(interruption);
                one_split(&case).is_err_and(|found| found.property == property)
            })
        })
    })
}

/// The results of many violations.
#[derive(Default)]
struct Share {
    violations: usize,
    smallest: usize,
}

impl Share {
    /// Compares a violation with brute force, and its token with a replay.
    fn add(&mut self, violation: &Violation, one_split: &dyn Fn(&Case) -> Result<(), Violation>) {
        let case = &violation.case;
        assert_eq!(one_split(case).as_ref(), Err(violation), "a replay differs");
        let smaller = brute_force(violation.property, case.interruption, size(case), one_split);
        self.violations += 1;
        self.smallest += usize::from(smaller.is_none());
        if let Some((cuts, len)) = smaller {
            println!("{cuts} cuts and {len} bytes are enough:\n{violation}");
        }
    }

    fn assert(&self, name: &str) {
        println!(
            "{name}: {} of {} are the smallest",
            self.smallest, self.violations
        );
        assert!(self.violations > 100, "{}", self.violations);
        assert!(100 * self.smallest >= 99 * self.violations);
    }
}

/// Returns a random framer and the correct table, and a stream of up to 24 bytes.
fn random(seed: u64, most: usize) -> (Table, Rc<Table>, Vec<u8>) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let table = Table::random(&mut rng, most);
    let buggy = Rc::new(table.with_bugs(&mut rng));
    let len = rng.usize(6..=24);
    let stream = (0..len).map(|_| rng.u8(..)).collect();
    (table, buggy, stream)
}

macro_rules! violations_are_the_smallest {
    ($($name:ident: $door:ident of $most:literal $($parse:ident)?;)*) => {
        $(#[test]
        fn $name() {
            let mut share = Share::default();
            for seed in 0..FRAMERS {
                let (_table, buggy, stream) = random(seed, $most);
                let harness = Harness::$door(move || Random::new(&buggy));
                $(let harness = harness.oracle(move |stream: &[u8]| _table.$parse(stream));)?
                if let Err(violation) = harness.check(&stream) {
                    share.add(&violation, &|case| harness.one_split(case));
                }
            }
            share.assert(stringify!($name));
        })*
    };
}

violations_are_the_smallest! {
    of_fed_framers: framer of 1 parse;
    of_fed_framers_with_a_buffer: framer of 3 parse;
    of_fed_framers_byte_by_byte: framer of 2;
    of_decoders: decoder of 3 parse;
    of_decoders_byte_by_byte: decoder of 3;
}

/// Every byte is a frame. The end is rejected if a function returns true of the stream and its cuts.
#[derive(Clone)]
struct Rejects<R> {
    is_rejected: R,
    stream: Vec<u8>,
    cuts: Vec<usize>,
}

impl<R: Fn(&[u8], &[usize]) -> bool> Subject for Rejects<R> {
    type Frame = u8;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
        if !chunk.is_empty() && !self.stream.is_empty() {
            self.cuts.push(self.stream.len());
        }
        self.stream.extend(chunk);
        frames.extend(chunk.iter().copied());
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<u8>) -> Result<(), ()> {
        if (self.is_rejected)(&self.stream, &self.cuts) {
            return Err(());
        }
        Ok(())
    }
}

fn every_byte(stream: &[u8]) -> Expected<u8, ()> {
    Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    }
}

type EveryByte = fn(&[u8]) -> Expected<u8, ()>;

fn rejects<R>(is_rejected: R) -> Harness<Fed<Rejects<R>>, Parse<EveryByte, u8, ()>>
where
    R: Fn(&[u8], &[usize]) -> bool + Clone + 'static,
{
    let subject = Rejects {
        is_rejected,
        stream: Vec::new(),
        cuts: Vec::new(),
    };
    Harness::framer(move || subject.clone()).oracle(every_byte as EveryByte)
}

/// Returns the token of the violation that a check of a stream finds.
fn token(stream: &[u8], is_rejected: impl Fn(&[u8], &[usize]) -> bool + Clone + 'static) -> String {
    let violation = rejects(is_rejected).check(stream).unwrap_err();
    violation.case.to_string()
}

#[test]
fn fewer_cuts_come_before_fewer_bytes() {
    let is_rejected =
        |stream: &[u8], cuts: &[usize]| matches!((stream, cuts), ([0, 0], [1]) | ([0, 0, 0], []));
    assert_eq!(token(&[0, 0], is_rejected), "000000@whole");
    assert_eq!(token(&[0, 0, 0], is_rejected), "000000@whole");
}

#[test]
fn fewer_bytes_come_before_smaller_ones() {
    let is_rejected = |stream: &[u8], _: &[usize]| matches!(stream, [9, 9] | [0, 9, 9] | [0, 0, 0]);
    assert_eq!(token(&[0, 9, 9], is_rejected), "0909@whole");
}

#[test]
fn smaller_bytes_come_before_cuts_at_edges() {
    let is_rejected = |stream: &[u8], cuts: &[usize]| {
        matches!((stream, cuts), ([0, 0, 0], [2]) | ([0, 0, 1], [1]))
    };
    let harness = rejects(is_rejected).edges(|_| vec![0, 1]);
    let violation = harness.check(&[0, 0, 1]).unwrap_err();
    assert_eq!(violation.case.to_string(), "000000@2", "{violation}");
}

#[test]
fn cuts_at_edges_come_before_earlier_ones() {
    let is_rejected = |stream: &[u8], cuts: &[usize]| stream.len() > 4 && cuts.len() > 1;
    assert_eq!(token(&[7; 9], is_rejected), "0000000000@1,2");
    let harness = rejects(is_rejected).edges(|_| vec![4, 0, 3]);
    let violation = harness.check(&[7; 9]).unwrap_err();
    assert_eq!(violation.case.to_string(), "0000000000@3,4", "{violation}");
}

/// A palindrome stays one only if two ranges go at once.
#[test]
fn two_ranges_are_removed_at_once() {
    let is_rejected = |stream: &[u8], _: &[usize]| {
        stream.contains(&200) && stream.iter().eq(stream.iter().rev()) && stream.len() > 2
    };
    let stream = [1, 2, 3, 4, 200, 4, 3, 2, 1];
    assert_eq!(token(&stream, is_rejected), "00c800@whole");
}

/// Two bytes that must be equal become smaller together, and two that need not, each alone.
#[test]
fn equal_bytes_become_smaller_together_and_alone() {
    let stream = [[0; 3], [200, 0, 0], [0; 3], [200, 0, 0]].concat();
    let together = |stream: &[u8], _: &[usize]| {
        stream.len() == 12 && stream[3] == stream[9] && stream[3] >= 77
    };
    assert_eq!(token(&stream, together), "0000004d00000000004d0000@whole");
    let alone =
        |stream: &[u8], _: &[usize]| stream.len() == 12 && stream[3] >= 50 && stream[9] >= 90;
    assert_eq!(token(&stream, alone), "0000003200000000005a0000@whole");
}

/// Of a long stream, pairs of bytes become 0, but not each byte alone.
#[test]
fn ranges_of_a_long_stream_become_zero() {
    let is_rejected =
        |stream: &[u8], _: &[usize]| stream.len() == 300 && stream.get(151) == Some(&b'x');
    let violation = rejects(is_rejected).check(&[b'x'; 300]).unwrap_err();
    let stream = &violation.case.stream;
    let (before, after) = stream.split_at(150);
    assert_eq!(after[..2], *b"xx", "{violation}");
    assert!(before.iter().chain(&after[2..]).all(|&byte| byte == 0));
}

/// Emits bodies after a length of two bytes. One that is not empty gets a surplus byte if its frame
/// is cut.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `FeedFn`")]
fn feed_length(buffer: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
    let mut is_cut = !buffer.is_empty();
    buffer.extend(chunk);
    while let Some(end) = end_of_frame(buffer) {
        let mut body: Vec<u8> = buffer.drain(..end).skip(2).collect();
        body.extend((is_cut && !body.is_empty()).then_some(0));
        frames.push(body);
        is_cut = false;
    }
    Ok(())
}

fn end_of_frame(bytes: &[u8]) -> Option<usize> {
    let end = 2 + usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    (end <= bytes.len()).then_some(end)
}

fn parse_length(stream: &[u8]) -> Expected<Vec<u8>, ()> {
    let (mut frames, mut start) = (Vec::new(), 0);
    while let Some(end) = end_of_frame(&stream[start..]) {
        frames.push((start + end, stream[start + 2..start + end].to_vec()));
        start += end;
    }
    let outcome = if start == stream.len() {
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

/// The stream stays valid only if the length shrinks with the body.
#[test]
fn a_length_shrinks_with_its_body() {
    let finish =
        |buffer: &mut Vec<u8>, _: &mut Frames<Vec<u8>>| buffer.is_empty().then_some(()).ok_or(());
    let harness =
        Harness::framer(move || FeedFn::new(Vec::new(), feed_length, finish)).oracle(parse_length);
    for len in [1_u16, 2, 77, 255, 256, 1000, 40_000] {
        let frame = [&len.to_be_bytes()[..], &vec![b'x'; len.into()]].concat();
        for stream in [frame.clone(), frame.repeat(3)] {
            let violation = harness.sampled(&stream, 0, 10).unwrap_err();
            assert_eq!(violation.property, Property::EverySplit, "{violation}");
            assert_eq!(violation.case.to_string(), "000100@1", "{violation}");
        }
    }
}

/// There are no edges inside the lines.
#[test]
fn a_long_stream_is_shortened_between_edges() {
    let is_rejected = |stream: &[u8], cuts: &[usize]| {
        let line = stream.iter().position(|&byte| byte == b'\n');
        line.is_some_and(|line| line > 2 && cuts.iter().any(|cut| (1..=line).contains(cut)))
    };
    let harness = rejects(is_rejected).edges(|_| vec![0]);
    let stream = [&[b'x'; 9_000][..], b"\n", &[b'y'; 9_000]].concat();
    let violation = harness.sampled(&stream, 0, 10).unwrap_err();
    assert_eq!(violation.case.to_string(), "0000000a@1", "{violation}");
}

/// Finds a violation that needs `len` bytes and more than `cuts` cuts. Returns the number of runs,
/// their bytes, and the violation.
fn cost(len: usize, cuts: usize) -> (usize, usize, Violation) {
    let count = Rc::new(Cell::new((0, 0)));
    let counted = Rc::clone(&count);
    let harness = rejects(move |stream: &[u8], all: &[usize]| {
        let (runs, bytes) = counted.get();
        counted.set((runs + 1, bytes + stream.len()));
        stream.len() == len && stream.ends_with(&[9]) && all.len() > cuts
    });
    let violation = harness.bounded(&vec![9; len], 0).unwrap_err();
    let (calls, bytes) = count.get();
    // Each run ends the stream twice.
    (calls / 2, bytes / 2, violation)
}

/// The bound is 64 MiB in total, with 1 KiB for each run in addition, without the runs that find the
/// violation.
#[test]
fn the_cost_of_a_small_violation_is_bounded() {
    for (len, cuts) in [
        (5, 3),
        (24, 0),
        (24, 9),
        (128, 0),
        (128, 64),
        (2_000, 1_000),
        (100_000, 3),
        (100_000, 90_000),
    ] {
        let (runs, bytes, violation) = cost(len, cuts);
        println!("{len} bytes, more than {cuts} cuts: {runs} runs of {bytes} bytes");
        assert_eq!(violation.case.stream.len(), len);
        let counted = bytes + 1024 * runs;
        assert!(counted <= 64 * 1024 * 1024 + 10 * (len + 1024), "{counted}");
    }
}
