//! Compares proofs of all streams with brute force, on random automata.

use everysplit::subject::{Frames, Subject};
use everysplit::{
    Case, Deviation, EveryStream, Harness, Interruption, Property, Split, Violation, on_threads,
};

/// The bytes that the streams are made of.
const LETTERS: [u8; 2] = [0, 1];
/// The length of the longest streams that are compared, in bytes.
const LONGEST: usize = 5;
const STATES: usize = 4;

/// Numbers from a seed.
struct Random(u64);

impl Random {
    /// Returns a number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// Returns a state, which is `usual` in most cases.
    fn rarely(&mut self, usual: usize) -> usize {
        match self.below(12) {
            0 => self.below(STATES),
            _ => usual,
        }
    }
}

/// What a byte does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    to: usize,
    emits: bool,
    rejects: bool,
}

/// A framer whose states are numbers. What a call does before its first byte makes some of them
/// depend on the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Automaton {
    state: usize,
    rejected: bool,
    steps: [[Step; 2]; STATES],
    /// The state after the beginning of a call.
    begins: [usize; STATES],
    /// The same, for an empty chunk, and for one of three bytes or more.
    empty: [usize; STATES],
    long: [usize; STATES],
    /// Whether it may go on after an error.
    forgets: bool,
}

impl Automaton {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut step = |_| Step {
            to: random.below(STATES),
            emits: random.below(3) == 0,
            rejects: random.below(10) == 0,
        };
        let steps = [(); STATES].map(|()| [0, 1].map(&mut step));
        let mut rarely = || std::array::from_fn(|state| random.rarely(state));
        let (begins, empty, long) = (rarely(), rarely(), rarely());
        Self {
            state: 0,
            rejected: false,
            steps,
            begins,
            empty,
            long,
            forgets: random.below(12) == 0,
        }
    }
}

impl Subject for Automaton {
    type Frame = usize;
    type Error = &'static str;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<usize>) -> Result<(), &'static str> {
        if self.rejected {
            self.rejected = !self.forgets;
            return Err("rejected");
        }
        self.state = match chunk.len() {
            0 => self.empty[self.state],
            1 | 2 => self.begins[self.state],
            _ => self.long[self.state],
        };
        for &byte in chunk {
            let step = self.steps[self.state][usize::from(byte)];
            if step.rejects {
                self.rejected = true;
                return Err("rejected");
            }
            if step.emits {
                frames.push(self.state);
            }
            self.state = step.to;
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<usize>) -> Result<(), &'static str> {
        match self.state {
            _ if self.rejected => Err("rejected"),
            0 | 1 => Ok(()),
            _ => Err("truncated"),
        }
    }
}

fn harness(automaton: Automaton) -> Harness<everysplit::Fed<Automaton>> {
    Harness::framer(move || automaton).declare([Deviation::BytesBetweenFrames])
}

fn prove(automaton: Automaton) -> Result<EveryStream, Violation> {
    harness(automaton).every_stream_of(LETTERS.map(|letter| [letter]), LONGEST)
}

/// Returns every stream of a length.
fn streams(len: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..1_u8 << len).map(move |bits| (0..len).map(|place| bits >> place & 1).collect())
}

/// Returns whether a stream goes on with one letter only after an error.
fn goes_on(mut automaton: Automaton, stream: &[u8]) -> bool {
    let mut frames = Frames::new(stream.len());
    let mut bytes = stream.chunks(1);
    let rejected = bytes.find(|byte| automaton.feed(byte, &mut frames).is_err());
    rejected.is_none() || bytes.all(|byte| byte == [0])
}

/// Returns a case that violates what is expected: of all streams of some lengths, in all splits into
/// chunks of up to a length.
fn brute_force(
    automaton: Automaton,
    lengths: std::ops::RangeInclusive<usize>,
    longest_chunk: usize,
) -> Option<Case> {
    let harness = harness(automaton);
    let fits = |split: &Split, len| {
        let ends = split.cuts().iter().copied().chain([len]);
        let starts = [0].into_iter().chain(split.cuts().iter().copied());
        starts
            .zip(ends)
            .all(|(start, end)| end - start <= longest_chunk)
    };
    let streams = lengths
        .flat_map(streams)
        .filter(|stream| goes_on(automaton, stream));
    let mut cases = streams.flat_map(|stream| {
        let len = stream.len();
        let splits = Split::all(len).filter(move |split| fits(split, len));
        splits.map(move |split| Case::new(&stream[..], split))
    });
    cases.find(|case| {
        let interrupted = case.clone().with(Interruption::EmptyChunk);
        harness.one_split(&interrupted).is_err()
    })
}

#[test]
fn proofs_agree_with_brute_force() {
    let (mut violations, mut closed) = (0, 0);
    for seed in 0..500 {
        let automaton = Automaton::new(seed);
        let found = brute_force(automaton, 0..=LONGEST, LONGEST);
        match (prove(automaton), found) {
            (Err(violation), found) => {
                let again = harness(automaton).one_split(&violation.case);
                if again.is_ok() || found.is_none() {
                    // Some of many empty chunks show it, which no case has.
                    assert_eq!(violation.property, Property::EmptyChunk, "seed {seed}");
                } else {
                    assert_eq!(again, Err(violation));
                }
                violations += 1;
            }
            (Ok(every), None) => {
                assert_eq!(every.not_proved, None, "seed {seed}: {every}");
                assert_eq!(every.longest, LONGEST);
                let count = streams(LONGEST)
                    .filter(|stream| goes_on(automaton, stream))
                    .count();
                assert_eq!(every.streams, count as u128);
                if let Some(chunk) = every.any_length {
                    let longer = brute_force(automaton, LONGEST + 1..=7, chunk);
                    assert_eq!(longer, None, "seed {seed}: {every}");
                    closed += 1;
                }
            }
            (Ok(every), Some(case)) => panic!("seed {seed}: {case}, but {every}"),
        }
    }
    assert!(violations > 100 && closed > 100, "{violations}, {closed}");
}

/// A thread may try a state before it is known after how few bytes it can be reached.
#[test]
fn threads_agree_with_one() {
    for seed in 0..500 {
        let automaton = Automaton::new(seed);
        let result = move || match prove(automaton) {
            Ok(every) => every.to_string(),
            Err(violation) => violation.to_string(),
        };
        assert_eq!(on_threads(2, result), result(), "seed {seed}");
    }
}
