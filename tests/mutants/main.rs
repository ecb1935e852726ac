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
mod limits;
mod one_recv;
mod overflow;
mod prefix;
mod sampling;
mod stall;
mod toy;
mod trailing;
mod truncated_end;
mod unit;
mod zero;

use std::collections::HashSet;

use everysplit::check::{self, Property};
use everysplit::{Split, Subject};

use formats::Format;
use toy::{Answer, Error, Frame, Run, Toy};

/// On how many states at an offset the proof gives up.
const BOUND: usize = 16;

/// The ways to choose splits, in the order of the matrix.
const COLUMNS: [&str; 6] = [
    "whole",
    "byte by byte",
    "every 1 cut",
    "every 2 cuts",
    "256 random",
    "proof",
];

/// What comes of the proof of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// This property does not hold.
    Caught(Property),
    /// It was in too many states.
    Unmerged,
    /// It is right.
    Proved,
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
    /// What must come of its proof.
    verdict: Verdict,
    streams: &'static [&'static [u8]],
    judge: Box<Judge>,
    judge_right: fn(&[u8]) -> (Kills, Verdict),
}

/// Tells which of the columns kill a framer on a stream, and what the proof says.
type Judge = dyn Fn(&[u8]) -> (Kills, Verdict);
type Kills = [bool; COLUMNS.len()];

/// What comes of a right framer.
const PASSES: (Kills, Verdict) = ([false; COLUMNS.len()], Verdict::Proved);

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
            judge_right: judge_right::<F>,
        }
    }

    /// What kills it on any of its streams, and the first that the proof says
    /// against it.
    fn judge(&self) -> (Kills, Verdict) {
        let mut all = PASSES;
        for stream in self.streams {
            let (kills, verdict) = (self.judge)(stream);
            for (all, kill) in all.0.iter_mut().zip(kills) {
                *all |= kill;
            }
            if all.1 == Verdict::Proved {
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
    let len = stream.len();
    let kills = |mut splits: Box<dyn Iterator<Item = Split>>| {
        splits.any(|split| check::split(subject.clone(), stream, &split, answer).is_err())
    };
    let cuts = |count| Split::up_to(len, count).filter(move |split| split.cuts().len() == count);
    let verdict = match check::prove(subject.clone(), stream, answer, BOUND) {
        Ok(Ok(_)) => Verdict::Proved,
        Ok(Err(_)) => Verdict::Unmerged,
        Err(violation) => {
            // What the proof found is there without it.
            let replayed = check::split(subject.clone(), stream, &violation.case.split, answer);
            assert_eq!(replayed.unwrap_err(), violation);
            Verdict::Caught(violation.property)
        }
    };
    let kills = [
        kills(Box::new([Split::whole()].into_iter())),
        kills(Box::new([Split::bytes(len)].into_iter())),
        kills(Box::new(cuts(1))),
        kills(Box::new(cuts(2))),
        kills(Box::new(
            (0..256).map(move |seed| Split::sample(len, &[], seed)),
        )),
        matches!(verdict, Verdict::Caught(_)),
    ];
    (kills, verdict)
}

fn judge_right<F: Format>(stream: &[u8]) -> (Kills, Verdict) {
    judge(&Run::new(F::default()), stream, &F::parse(stream))
}

/// The mutants by what kind of mistake they are.
fn classes() -> [(&'static str, Vec<Mutant>); 13] {
    [
        ("cut inside the prefix", prefix::mutants()),
        ("consumes before complete", consumes::mutants()),
        ("stall", stall::mutants()),
        ("trailing bytes dropped", trailing::mutants()),
        ("limit logic", limits::mutants()),
        ("allocates before it validates", allocates::mutants()),
        ("overflow, negative, undersized", overflow::mutants()),
        ("truncated end", truncated_end::mutants()),
        ("after an error", after_error::mutants()),
        ("zero length", zero::mutants()),
        ("byte order and length unit", unit::mutants()),
        ("one recv, one message", one_recv::mutants()),
        ("what plain sampling misses", sampling::mutants()),
    ]
}

fn mutants() -> impl Iterator<Item = Mutant> {
    classes().into_iter().flat_map(|(_, mutants)| mutants)
}

#[test]
fn every_mutant_is_caught() {
    let (mut count, mut killed) = (0, [0; COLUMNS.len()]);
    println!("x killed, . survives, ~ the proof stops at its bound and says so");
    for (class, mutants) in classes() {
        println!("\n{class:50}{}", COLUMNS.join("  "));
        for mutant in mutants {
            let (kills, verdict) = mutant.judge();
            assert_eq!(verdict, mutant.verdict, "{}", mutant.name);
            let mut marks = kills.map(|kill| if kill { 'x' } else { '.' });
            if verdict == Verdict::Unmerged {
                marks[COLUMNS.len() - 1] = '~';
            }
            print!("  {:48}", mutant.name);
            for (column, mark) in COLUMNS.iter().zip(marks) {
                print!("{mark:^width$}  ", width = column.len());
            }
            println!("{}", mutant.source);
            for (killed, kill) in killed.iter_mut().zip(kills) {
                *killed += u32::from(kill);
            }
            count += 1;
        }
    }
    let rows = COLUMNS.iter().zip(killed);
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
    let alone = [false, false, false, false, false, true];
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
            let right = (mutant.judge_right)(stream);
            assert_eq!(right, PASSES, "{}: {}", mutant.name, stream.escape_ascii());
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
}

/// Holds a right framer to the streams of its format and to all that they begin
/// with.
#[track_caller]
fn passes<F: Format>() {
    for stream in F::STREAMS {
        for end in 0..=stream.len() {
            let stream = &stream[..end];
            assert_eq!(
                judge_right::<F>(stream),
                PASSES,
                "{}",
                stream.escape_ascii()
            );
        }
    }
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
