//! Mutants: deliberately buggy framers. Each rebuilds a bug that shipped, and names the property
//! that must catch it. No code is copied from the products: the bug is written again, in the wire
//! format that shows it best.
//!
//! The tests print the kill matrix: which way of choosing splits kills which mutant.

mod after_end;
mod after_error;
mod allocates;
mod consumes;
mod encoders;
mod formats;
mod interrupted;
mod keyed;
mod len32;
mod limits;
mod one_recv;
mod overflow;
mod prefix;
mod quadratic;
mod readers;
mod sampling;
mod stall;
mod toy;
mod trailing;
mod truncated_end;
mod unit;
mod upload;
mod writers;
mod zero;

use std::collections::HashSet;

use everysplit::oracle::Parse;
use everysplit::{Case, EveryStream, Fed, Harness, Interruption, Property, Split, Tier, Violation};

use formats::Format;
use toy::{Expected, Framed, Toy};

/// The largest number of streams of one length with which a violation is compared.
const STREAMS: usize = 1024;

/// The maximum number of states at an offset. A proof that reaches more stops.
const MAX_STATES: usize = 16;

/// The ways to choose splits, in the order of the matrix.
const COLUMNS: [&str; 8] = [
    "whole",
    "byte by byte",
    "every 1 cut",
    "every 2 cuts",
    "256 random",
    "proof",
    "byte by byte, timed",
    "whole, timed",
];
const PROOF: usize = 5;
const TIMED: usize = 6;
const TIMED_WHOLE: usize = 7;

/// The result of a framer's proof, or of the check for slow or interrupted framers if the proof
/// finds nothing or there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The framer violates this property.
    Caught(Property),
    /// The framer had too many states.
    NotProved,
    /// No check found a violation.
    Correct,
}

impl From<Property> for Verdict {
    fn from(property: Property) -> Self {
        Self::Caught(property)
    }
}

/// A buggy framer, the sources of the bug that it rebuilds, and streams that show the bug.
struct Mutant {
    name: &'static str,
    source: &'static str,
    /// The expected verdict.
    verdict: Verdict,
    streams: &'static [&'static [u8]],
    judge: Box<Judge>,
    /// Returns the violation of a stream and a smaller one that brute force finds.
    smaller: Box<Smaller>,
    /// Runs the same checks on the correct framer of the same format.
    judge_correct: Box<Judge>,
    /// Proves all streams of the format up to a length; none for readers and writers.
    every_stream: Option<Box<EveryStreams>>,
}

type EveryStreams = dyn Fn(usize) -> Result<EveryStream, Violation>;

/// Runs every column on a framer and a stream, and returns what each found and the verdict.
type Judge = dyn Fn(&[u8]) -> (Kills, Verdict);

type Smaller = dyn Fn(&[u8]) -> Option<(Violation, Case)>;

/// One row of the matrix.
type Kills = [Kill; COLUMNS.len()];

/// The result of a column for a framer. The greatest of several results is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kill {
    NotTried,
    Survives,
    /// The framer had too many states for a proof.
    NotProved,
    /// Killed by splits read or written with an interruption before each chunk.
    Interrupted,
    Killed,
}

impl Kill {
    const fn mark(self) -> char {
        match self {
            Self::NotTried => '-',
            Self::Survives => '.',
            Self::NotProved => '~',
            Self::Interrupted => 'i',
            Self::Killed => 'x',
        }
    }
}

/// Checks one split of a stream through a reader or a writer that is interrupted.
type ReadCheck = fn(&[u8], &Split, Interruption) -> Result<(), Violation>;

impl Mutant {
    /// Returns a mutant of the format `F`.
    fn new<F: Format>(
        name: &'static str,
        source: &'static str,
        verdict: impl Into<Verdict>,
        toy: impl Toy + 'static,
        streams: &'static [&'static [u8]],
    ) -> Self {
        let subject = Framed::new(toy.clone());
        let every = subject.clone();
        Self {
            name,
            source,
            verdict: verdict.into(),
            streams,
            judge: Box::new(move |stream| judge(&Framed::new(toy.clone()), stream, F::parse)),
            smaller: Box::new(move |stream| smaller(&subject, stream, F::parse)),
            judge_correct: Box::new(judge_correct::<F>),
            every_stream: Some(Box::new(move |longest| {
                harness(&every, F::parse).every_stream(longest)
            })),
        }
    }

    /// Returns a mutant of the format `F` that emits the correct frames but is too slow on long
    /// streams. `long` makes a stream of a given length.
    fn slow<F: Format>(
        name: &'static str,
        source: &'static str,
        toy: impl Toy + 'static,
        streams: &'static [&'static [u8]],
        long: fn(usize) -> Vec<u8>,
    ) -> Self {
        Self {
            name,
            source,
            verdict: Verdict::Caught(Property::Linear),
            streams,
            judge: Box::new(move |stream| {
                judge_timed(&Framed::new(toy.clone()), stream, F::parse, long)
            }),
            smaller: Box::new(|_| None),
            judge_correct: Box::new(move |stream| {
                judge_timed(&Framed::new(F::default()), stream, F::parse, long)
            }),
            every_stream: None,
        }
    }

    /// Returns a mutant that reads from a reader or writes to a writer, and violates `property` when
    /// `interruption` precedes each chunk.
    fn reader(
        name: &'static str,
        source: &'static str,
        (interruption, property): (Interruption, Property),
        buggy: ReadCheck,
        correct: ReadCheck,
        streams: &'static [&'static [u8]],
    ) -> Self {
        Self {
            name,
            source,
            verdict: Verdict::Caught(property),
            streams,
            judge: Box::new(move |stream| judge_reads(buggy, stream, interruption)),
            smaller: Box::new(|_| None),
            judge_correct: Box::new(move |stream| judge_reads(correct, stream, interruption)),
            every_stream: None,
        }
    }

    /// Returns the columns that kill the mutant on any of its streams, and the first verdict that
    /// is not [`Verdict::Correct`].
    fn judge(&self) -> (Kills, Verdict) {
        let mut all = ([Kill::NotTried; COLUMNS.len()], Verdict::Correct);
        for stream in self.streams {
            let (kills, verdict) = (self.judge)(stream);
            for (all, kill) in all.0.iter_mut().zip(kills) {
                *all = kill.max(*all);
            }
            if all.1 == Verdict::Correct {
                all.1 = verdict;
            }
        }
        all
    }
}

/// Parses a whole stream of a format.
type Expectation = fn(&[u8]) -> Expected;

fn harness(
    subject: &Framed,
    expected: Expectation,
) -> Harness<Fed<Framed>, Parse<Expectation, Vec<u8>, toy::Error>> {
    let subject = subject.clone();
    Harness::framer(move || subject.clone())
        .oracle(expected)
        .limit_errors(|error| *error == toy::Error::TooLong)
        .max_states(MAX_STATES)
}

/// Runs every column but the timed ones.
fn judge(subject: &Framed, stream: &[u8], expected: Expectation) -> (Kills, Verdict) {
    let harness = harness(subject, expected);
    let columns = columns(stream.len(), |split| {
        harness.one_split(&Case::new(stream, split.clone()))
    });
    let mut kills = kills(columns, Kill::Killed);
    let verdict = match harness.check(stream) {
        Ok(certificate) => match certificate.tier {
            Tier::Proved { .. } => Verdict::Correct,
            _ => Verdict::NotProved,
        },
        Err(violation) => {
            // The violation occurs on a fresh subject too, without the proof.
            assert_eq!(harness.one_split(&violation.case), Err(violation.clone()));
            Verdict::Caught(violation.property)
        }
    };
    kills[PROOF] = match verdict {
        Verdict::Correct => Kill::Survives,
        Verdict::NotProved => Kill::NotProved,
        Verdict::Caught(_) => Kill::Killed,
    };
    (kills, verdict)
}

/// Returns the violation that the check of a stream returns, with a smaller case of the same property:
/// one of the streams of its letters, 0 and 1 with few bytes, with fewer cuts or fewer bytes.
fn smaller(subject: &Framed, stream: &[u8], expected: Expectation) -> Option<(Violation, Case)> {
    let harness = harness(subject, expected);
    let violation = harness.check(stream).err()?;
    let case = &violation.case;
    let mut letters = [&[0, 1], &case.stream[..]].concat();
    letters.sort_unstable();
    letters.dedup();
    let most = STREAMS.ilog(letters.len());
    let size = |split: &Split, len| (split.cuts().len(), len);
    let mut cases = (0..=most).flat_map(|len| {
        let streams = (0..letters.len().pow(len)).map({
            let letters = &letters;
            move |n| -> Vec<u8> {
                let places = (0..len).map(|place| n / letters.len().pow(place));
                places
                    .map(|digits| letters[digits % letters.len()])
                    .collect()
            }
        });
        streams.flat_map(|stream| {
            let splits = Split::up_to(stream.len(), case.split.cuts().len());
            splits.map(move |split| Case::new(&stream[..], split))
        })
    });
    let smaller = cases.find(|smaller| {
        size(&smaller.split, smaller.stream.len()) < size(&case.split, case.stream.len())
            && harness
                .one_split(&smaller.clone().with(case.interruption))
                .is_err_and(|found| found.property == violation.property)
    })?;
    drop(cases);
    Some((violation, smaller))
}

/// Returns a row in which each column that found a violation has the result `found`. Columns that
/// do more than run splits are not tried.
fn kills(columns: [Option<Property>; PROOF], found: Kill) -> Kills {
    let mut kills = [Kill::NotTried; COLUMNS.len()];
    for (kill, column) in kills.iter_mut().zip(columns) {
        *kill = column.map_or(Kill::Survives, |_| found);
    }
    kills
}

/// Returns the property that each column found violated, for the columns that only run splits.
fn columns(
    len: usize,
    check: impl Fn(&Split) -> Result<(), Violation>,
) -> [Option<Property>; PROOF] {
    let cuts = |count| Split::up_to(len, count).filter(move |split| split.cuts().len() == count);
    let splits: [Box<dyn Iterator<Item = Split>>; PROOF] = [
        Box::new([Split::whole()].into_iter()),
        Box::new([Split::bytes(len)].into_iter()),
        Box::new(cuts(1)),
        Box::new(cuts(2)),
        Box::new((0..256).map(|seed| Split::sample(len, &[], seed))),
    ];
    splits.map(|mut splits| {
        let violation = splits.find_map(|split| check(&split).err());
        violation.map(|violation| violation.property)
    })
}

/// Runs every column. A violation by the frames takes precedence over the time.
fn judge_timed(
    subject: &Framed,
    stream: &[u8],
    expected: Expectation,
    long: fn(usize) -> Vec<u8>,
) -> (Kills, Verdict) {
    let (mut kills, mut verdict) = judge(subject, stream, expected);
    let timed = harness(subject, expected).linear(long);
    kills[TIMED] = Kill::Survives;
    kills[TIMED_WHOLE] = Kill::Survives;
    if let Err(violation) = timed {
        // The check begins byte by byte, and stops at the first violation.
        if violation.case.split == Split::whole() {
            kills[TIMED_WHOLE] = Kill::Killed;
        } else {
            kills[TIMED] = Kill::Killed;
            kills[TIMED_WHOLE] = Kill::NotTried;
        }
        if verdict == Verdict::Correct {
            verdict = Verdict::Caught(violation.property);
        }
    }
    (kills, verdict)
}

/// Runs the columns that only run splits, through an interrupted reader or writer.
fn judge_reads(check: ReadCheck, stream: &[u8], interruption: Interruption) -> (Kills, Verdict) {
    let columns = columns(stream.len(), |split| check(stream, split, interruption));
    let verdict = columns.into_iter().flatten().next();
    let found = match interruption {
        Interruption::None => Kill::Killed,
        _ => Kill::Interrupted,
    };
    (
        kills(columns, found),
        verdict.map_or(Verdict::Correct, Verdict::Caught),
    )
}

fn judge_correct<F: Format>(stream: &[u8]) -> (Kills, Verdict) {
    judge(&Framed::new(F::default()), stream, F::parse)
}

/// Returns the mutants by class of bug.
fn classes() -> [(&'static str, Vec<Mutant>); 21] {
    [
        ("cut inside the prefix", prefix::mutants()),
        ("consumes before complete", consumes::mutants()),
        ("stall", stall::mutants()),
        ("trailing bytes dropped", trailing::mutants()),
        ("limit logic", limits::mutants()),
        ("allocates before it validates", allocates::mutants()),
        ("overflow, negative, undersized", overflow::mutants()),
        ("quadratic", quadratic::mutants()),
        ("truncated end", truncated_end::mutants()),
        ("after an error", after_error::mutants()),
        ("after the end", after_end::mutants()),
        ("cancel, WouldBlock, Interrupted", interrupted::mutants()),
        ("readers", readers::mutants()),
        ("zero length", zero::mutants()),
        ("byte order and length unit", unit::mutants()),
        ("one recv, one message", one_recv::mutants()),
        ("keyed answer", keyed::mutants()),
        ("a signed length, then the body", len32::mutants()),
        ("upload", upload::mutants()),
        ("senders", writers::mutants()),
        ("what plain sampling misses", sampling::mutants()),
    ]
}

fn mutants() -> impl Iterator<Item = Mutant> {
    classes().into_iter().flat_map(|(_, mutants)| mutants)
}

#[test]
fn every_mutant_is_caught() {
    let mut unexpected = Vec::new();
    let (mut count, mut killed, mut interrupted) = (0, [0; COLUMNS.len()], 0);
    println!(
        "x killed, i killed when each read or write is interrupted, . survives, - not tried,\n\
         ~ the proof stops at its bound and says so"
    );
    for (class, mutants) in classes() {
        println!("\n{class:50}{}", COLUMNS.join("  "));
        for mutant in mutants {
            let (kills, verdict) = mutant.judge();
            if verdict != mutant.verdict {
                unexpected.push((mutant.name, mutant.verdict, verdict));
            }
            print!("  {:48}", mutant.name);
            for (column, mark) in COLUMNS.iter().zip(kills.map(Kill::mark)) {
                print!("{mark:^width$}  ", width = column.len());
            }
            println!("{}", mutant.source);
            for (killed, kill) in killed.iter_mut().zip(kills) {
                *killed += u32::from(kill == Kill::Killed);
            }
            interrupted += u32::from(kills.contains(&Kill::Interrupted));
            count += 1;
        }
    }
    assert_eq!(unexpected, [], "(mutant, expected, actual)");
    let rows = COLUMNS.iter().zip(killed);
    let rows = rows.chain([(&"any, each read or write interrupted", interrupted)]);
    let rows: Vec<String> = rows
        .map(|(column, killed)| format!("| {column} | {killed} |"))
        .collect();
    let table = format!(
        "| splits tried | killed, of {count} |\n|---|---:|\n{}\n",
        rows.join("\n")
    );
    println!("\n{table}");
    assert!(
        include_str!("../../docs/testing.md").contains(&table),
        "docs/testing.md holds another table"
    );
}

/// The mutant passes every split of up to two cuts, and none of the 256 random splits triggers it.
#[test]
fn only_the_proof_finds_three_cuts() {
    let mut alone = [Kill::Survives; COLUMNS.len()];
    alone[PROOF] = Kill::Killed;
    alone[TIMED..].fill(Kill::NotTried);
    let found = mutants().filter(|mutant| mutant.judge().0 == alone);
    let found: Vec<&str> = found.map(|mutant| mutant.name).collect();
    assert_eq!(found, ["three cuts together corrupt a frame"]);
}

/// Calls a function for the correct framer of each format.
macro_rules! each_format {
    ($check:ident) => {{
        $check::<formats::Short>();
        $check::<formats::Pair>();
        $check::<formats::Int32>();
        $check::<formats::Varint>();
        $check::<formats::Extended>();
        $check::<formats::Line>();
        $check::<formats::Discard>();
        $check::<formats::Event>();
        $check::<formats::Header12>();
        $check::<formats::Decimal>();
        $check::<formats::Chunked>();
        $check::<formats::Typed>();
        $check::<formats::Total>();
        $check::<formats::Values>();
        $check::<formats::Greeting>();
        $check::<formats::Keyed>();
        $check::<formats::Head>();
        $check::<formats::Large>();
        $check::<formats::Array>();
        $check::<formats::Upload>();
    }};
}

/// A check that rejects everything would kill every mutant. The correct framers must pass on the
/// streams of the mutants, and on hostile streams.
#[test]
fn correct_framers_pass() {
    for mutant in mutants() {
        for stream in mutant.streams {
            assert_correct((mutant.judge_correct)(stream), stream);
        }
    }
    each_format!(passes);
}

/// Checks that the correct framer of a format passes on the format's streams and on every prefix
/// of them.
#[track_caller]
fn passes<F: Format>() {
    for stream in F::STREAMS {
        for end in 0..=stream.len() {
            let stream = &stream[..end];
            assert_correct(judge_correct::<F>(stream), stream);
        }
    }
}

#[track_caller]
fn assert_correct((kills, verdict): (Kills, Verdict), stream: &[u8]) {
    let stream = stream.escape_ascii();
    assert_eq!(verdict, Verdict::Correct, "{stream}");
    let passes = |kill| matches!(kill, Kill::NotTried | Kill::Survives);
    assert!(kills.into_iter().all(passes), "{stream}: {kills:?}");
}

#[test]
fn no_short_stream_has_a_smaller_violation() {
    for mutant in mutants() {
        let smaller = mutant
            .streams
            .iter()
            .find_map(|stream| (mutant.smaller)(stream));
        assert_eq!(smaller, None, "{}", mutant.name);
    }
}

#[test]
fn mutant_names_are_unique() {
    let mut names = HashSet::new();
    for mutant in mutants() {
        assert!(names.insert(mutant.name), "{}", mutant.name);
    }
}

/// A person can read each stream, and its proof takes no noticeable time.
#[test]
fn streams_are_short() {
    for mutant in mutants() {
        for stream in mutant.streams {
            assert!(stream.len() <= 28, "{}", mutant.name);
        }
    }
}

/// The length of the longest streams that are made of letters, in bytes.
const LONGEST: usize = 16;

/// The mutants that a proof of certain streams kills, and a proof of all streams does not. Each needs
/// a row of bytes of which none changes anything alone.
const NEEDS_A_STREAM: [&str; 5] = [
    // A greeting.
    "frames that come with the greeting are lost",
    // An answer.
    "frames in the chunk of the answer are lost",
    "a prefix of the answer passes",
    // A name in a header of text.
    "the last of two sizes is taken",
    "received counts the header toward the size",
];

#[test]
fn mutants_are_killed_without_a_stream() {
    let (mut killed, mut missed) = (0, Vec::new());
    for mutant in mutants() {
        let Some(every_stream) = &mutant.every_stream else {
            continue;
        };
        if mutant.judge().0[PROOF] != Kill::Killed {
            continue;
        }
        match every_stream(LONGEST) {
            Ok(_) => missed.push(mutant.name),
            Err(_) => killed += 1,
        }
    }
    assert_eq!((killed, &missed[..]), (73, &NEEDS_A_STREAM[..]));
}

/// A correct framer of each format is proved on all streams, without a stream.
#[test]
fn correct_framers_pass_without_a_stream() {
    fn passes<F: Format>() {
        let every = harness(&Framed::new(F::default()), F::parse).every_stream(7);
        let every = every.unwrap_or_else(|violation| panic!("{violation}"));
        assert!(every.longest >= 4, "{every}");
    }
    each_format!(passes);
}
