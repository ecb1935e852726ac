//! Mutants: deliberately wrong framers, each rebuilt from a bug that shipped, and
//! the property that must catch it. They hold no code of the products: the mistake
//! is made again, in the wire format that shows it best.
//!
//! What is printed is the kill matrix: which way of choosing splits finds which
//! mutant.

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
mod sampling;
mod stall;
mod toy;
mod trailing;
mod truncated_end;
mod unit;
mod upload;
mod zero;

use std::collections::HashSet;

use everysplit::check::{self, Interruption, Property, Violation};
use everysplit::{Split, Subject};

use formats::Format;
use toy::{Answer, Error, Frame, Run, Toy};

/// On how many states at an offset the proof gives up.
const BOUND: usize = 16;

/// The ways to choose splits, in the order of the matrix.
const COLUMNS: [&str; 7] = [
    "whole",
    "byte by byte",
    "every 1 cut",
    "every 2 cuts",
    "256 random",
    "proof",
    "byte by byte, timed",
];
const PROOF: usize = 5;
const TIMED: usize = 6;

/// What comes of a mutant: of its proof, if it is proved, and of the check that is
/// made for it, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// This property does not hold.
    Caught(Property),
    /// It was in too many states.
    NotProved,
    /// It is right.
    Right,
}

impl From<Property> for Verdict {
    fn from(property: Property) -> Self {
        Self::Caught(property)
    }
}

/// A wrong framer, the bugs that it rebuilds, and streams that show the mistake.
struct Mutant {
    name: &'static str,
    source: &'static str,
    /// What must come of it.
    verdict: Verdict,
    streams: &'static [&'static [u8]],
    judge: Box<Judge>,
    judge_right: Box<Judge>,
}

/// Tells which of the columns kill a framer on a stream, and what comes of it.
type Judge = dyn Fn(&[u8]) -> (Kills, Verdict);

type Kills = [Kill; COLUMNS.len()];

/// What a column does to a framer; the last says most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kill {
    NotTried,
    Survives,
    /// It was in too many states for a proof.
    NotProved,
    /// Killed by splits whose chunks are read with an interruption before each.
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

/// Checks one split of a stream through a reader that is interrupted.
type Reads = fn(&[u8], &Split, Interruption) -> Result<(), Violation>;

impl Mutant {
    /// Makes a mutant of the format `F`.
    fn new<F: Format>(
        name: &'static str,
        source: &'static str,
        verdict: impl Into<Verdict>,
        toy: impl Toy + 'static,
        streams: &'static [&'static [u8]],
    ) -> Self {
        Self {
            name,
            source,
            verdict: verdict.into(),
            streams,
            judge: Box::new(move |stream| judge(&Run::new(toy.clone()), stream, &F::parse(stream))),
            judge_right: Box::new(judge_right::<F>),
        }
    }

    /// Makes a mutant of the format `F` that gives what it should, and takes too long
    /// for streams such as `long` makes of a length.
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
                judge_timed(&Run::new(toy.clone()), stream, &F::parse(stream), long)
            }),
            judge_right: Box::new(move |stream| {
                judge_timed(&Run::new(F::default()), stream, &F::parse(stream), long)
            }),
        }
    }

    /// Makes a mutant that reads, and does not do what it should when it is
    /// interrupted.
    fn reads(
        name: &'static str,
        source: &'static str,
        (between, property): (Interruption, Property),
        wrong: Reads,
        right: Reads,
        streams: &'static [&'static [u8]],
    ) -> Self {
        Self {
            name,
            source,
            verdict: Verdict::Caught(property),
            streams,
            judge: Box::new(move |stream| judge_reads(wrong, stream, between)),
            judge_right: Box::new(move |stream| judge_reads(right, stream, between)),
        }
    }

    /// What kills it on any of its streams, and the first that is said against it.
    fn judge(&self) -> (Kills, Verdict) {
        let mut all = ([Kill::NotTried; COLUMNS.len()], Verdict::Right);
        for stream in self.streams {
            let (kills, verdict) = (self.judge)(stream);
            for (all, kill) in all.0.iter_mut().zip(kills) {
                *all = kill.max(*all);
            }
            if all.1 == Verdict::Right {
                all.1 = verdict;
            }
        }
        all
    }
}

fn judge<S>(subject: &S, stream: &[u8], answer: &Answer) -> (Kills, Verdict)
where
    S: Subject<Frame = Frame, Error = Error> + Clone + Eq,
{
    let columns = columns(stream.len(), |split| {
        check::split(subject.clone(), stream, split, answer)
    });
    let mut kills = kills(columns, Kill::Killed);
    let verdict = match check::prove(subject.clone(), stream, answer, BOUND) {
        Ok(Ok(_)) => Verdict::Right,
        Ok(Err(_)) => Verdict::NotProved,
        Err(violation) => {
            // What the proof found is there without it.
            let replayed = check::split(subject.clone(), stream, &violation.case.split, answer);
            assert_eq!(replayed.unwrap_err(), violation);
            Verdict::Caught(violation.property)
        }
    };
    kills[PROOF] = match verdict {
        Verdict::Right => Kill::Survives,
        Verdict::NotProved => Kill::NotProved,
        Verdict::Caught(_) => Kill::Killed,
    };
    (kills, verdict)
}

/// What a framer found in the columns that are splits alone is to it.
fn kills(columns: [Option<Property>; PROOF], found: Kill) -> Kills {
    let mut kills = [Kill::NotTried; COLUMNS.len()];
    for (kill, column) in kills.iter_mut().zip(columns) {
        *kill = column.map_or(Kill::Survives, |_| found);
    }
    kills
}

/// What the splits of each column find, in the columns that are splits alone.
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

fn judge_timed<S>(
    subject: &S,
    stream: &[u8],
    answer: &Answer,
    long: fn(usize) -> Vec<u8>,
) -> (Kills, Verdict)
where
    S: Subject<Frame = Frame, Error = Error> + Clone + Eq,
{
    let (mut kills, mut verdict) = judge(subject, stream, answer);
    let timed = check::linear(|| subject.clone(), long);
    kills[TIMED] = Kill::Survives;
    if let Err(violation) = timed {
        kills[TIMED] = Kill::Killed;
        // What is said against its frames comes first.
        if verdict == Verdict::Right {
            verdict = Verdict::Caught(violation.property);
        }
    }
    (kills, verdict)
}

fn judge_reads(reads: Reads, stream: &[u8], between: Interruption) -> (Kills, Verdict) {
    let columns = columns(stream.len(), |split| reads(stream, split, between));
    let verdict = columns.into_iter().flatten().next();
    (
        kills(columns, Kill::Interrupted),
        verdict.map_or(Verdict::Right, Verdict::Caught),
    )
}

fn judge_right<F: Format>(stream: &[u8]) -> (Kills, Verdict) {
    judge(&Run::new(F::default()), stream, &F::parse(stream))
}

/// The mutants by what kind of mistake they are.
fn classes() -> [(&'static str, Vec<Mutant>); 18] {
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
        ("cancel, WouldBlock, Interrupted", interrupted::mutants()),
        ("zero length", zero::mutants()),
        ("byte order and length unit", unit::mutants()),
        ("one recv, one message", one_recv::mutants()),
        ("keyed answer", keyed::mutants()),
        ("a signed length, then the body", len32::mutants()),
        ("upload", upload::mutants()),
        ("what plain sampling misses", sampling::mutants()),
    ]
}

fn mutants() -> impl Iterator<Item = Mutant> {
    classes().into_iter().flat_map(|(_, mutants)| mutants)
}

#[test]
fn every_mutant_is_caught() {
    let (mut count, mut killed, mut interrupted) = (0, [0; COLUMNS.len()], 0);
    println!(
        "x killed, i killed when each read is interrupted, . survives, - not tried,\n\
         ~ the proof stops at its bound and says so"
    );
    for (class, mutants) in classes() {
        println!("\n{class:50}{}", COLUMNS.join("  "));
        for mutant in mutants {
            let (kills, verdict) = mutant.judge();
            assert_eq!(verdict, mutant.verdict, "{}", mutant.name);
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
    let rows = COLUMNS.iter().zip(killed);
    let rows = rows.chain([(&"any, each read interrupted", interrupted)]);
    let rows: Vec<String> = rows
        .map(|(column, killed)| format!("| {column} | {killed} |"))
        .collect();
    let table = format!(
        "| splits tried | killed, of {count} |\n|---|---:|\n{}\n",
        rows.join("\n")
    );
    println!("\n{table}");
    assert!(
        include_str!("../../README.md").contains(&table),
        "the README says otherwise"
    );
}

/// Every split of up to two cuts is harmless, and chance is not on the side of the
/// 256.
#[test]
fn only_the_proof_finds_three_cuts() {
    let mut alone = [Kill::Survives; COLUMNS.len()];
    (alone[PROOF], alone[TIMED]) = (Kill::Killed, Kill::NotTried);
    let found = mutants().filter(|mutant| mutant.judge().0 == alone);
    let found: Vec<&str> = found.map(|mutant| mutant.name).collect();
    assert_eq!(found, ["three cuts together spoil a frame"]);
}

/// A check that says no to everything kills every mutant: the framers that they
/// were made from must pass, on the same streams and on hostile ones.
#[test]
fn the_right_ones_pass() {
    for mutant in mutants() {
        for stream in mutant.streams {
            assert_right((mutant.judge_right)(stream), stream);
        }
    }
    passes::<formats::Short>();
    passes::<formats::Pair>();
    passes::<formats::Int32>();
    passes::<formats::Varint>();
    passes::<formats::Extended>();
    passes::<formats::Line>();
    passes::<formats::Discard>();
    passes::<formats::Event>();
    passes::<formats::Header12>();
    passes::<formats::Decimal>();
    passes::<formats::Chunked>();
    passes::<formats::Typed>();
    passes::<formats::Total>();
    passes::<formats::Values>();
    passes::<formats::Greeting>();
    passes::<formats::Keyed>();
    passes::<formats::Head>();
    passes::<formats::Large>();
    passes::<formats::Array>();
    passes::<formats::Upload>();
}

/// Holds a right framer to the streams of its format and to all that they begin
/// with.
#[track_caller]
fn passes<F: Format>() {
    for stream in F::STREAMS {
        for end in 0..=stream.len() {
            let stream = &stream[..end];
            assert_right(judge_right::<F>(stream), stream);
        }
    }
}

#[track_caller]
fn assert_right((kills, verdict): (Kills, Verdict), stream: &[u8]) {
    let stream = stream.escape_ascii();
    assert_eq!(verdict, Verdict::Right, "{stream}");
    let passes = |kill| matches!(kill, Kill::NotTried | Kill::Survives);
    assert!(kills.into_iter().all(passes), "{stream}: {kills:?}");
}

/// Two mutants with one name would be one row too few.
#[test]
fn names_are_told_apart() {
    let mut names = HashSet::new();
    for mutant in mutants() {
        assert!(names.insert(mutant.name), "{}", mutant.name);
    }
}

/// Nothing that takes more than a glance: the proof of each takes no time.
#[test]
fn streams_are_short() {
    for mutant in mutants() {
        for stream in mutant.streams {
            assert!(stream.len() <= 28, "{}", mutant.name);
        }
    }
}
