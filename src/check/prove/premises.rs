//! Checks what a proof rests on, on fresh framers, without `Clone`, `==` and `Debug`: that they cover
//! the framer's state. A proof that passes is followed by real splits; a violation that a proof finds
//! must occur on its path.

use alloc::vec::Vec;

use super::{Proof, State, Work};
use crate::case::Interruption;
use crate::check::finding::{Difference, Finding};
use crate::check::input::Input;
use crate::check::one_split;
use crate::door::{Door, Value};
use crate::report::{Premise, ProvedBy};
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// The largest number of random splits that are replayed.
const RANDOM: u64 = 100;
/// The largest number of offsets at each of which one cut is replayed.
const SINGLE: usize = 64;
/// The least and the largest amount of work of the random splits; between them it is that of the
/// proof.
const LEAST_WORK: u64 = 1 << 12;
const MOST_WORK: u64 = 1 << 21;

/// A split on which a fresh framer violates what was proved.
pub(crate) struct Contradiction {
    pub(crate) finding: Finding,
    pub(crate) split: Split,
    pub(crate) interruption: Interruption,
}

/// Runs fresh framers over splits that a proof covers, which cut at `ends`: the whole stream, all
/// cuts, single cuts, and random ones, half of them with empty chunks. Returns the number of splits.
pub(crate) fn replay<F: Value, E: Value>(
    door: &dyn Door<Frame = F, Error = E>,
    input: &Input<'_, F, E>,
    ends: &[usize],
    proof: &Proof,
) -> Result<u64, Contradiction> {
    let len = input.stream.len();
    let cuts = || ends.iter().copied().filter(|&end| end < len);
    let single = cuts().take(if ends.len() <= SINGLE + 1 { SINGLE } else { 0 });
    let always = [Split::whole(), Split::new(cuts())]
        .into_iter()
        .chain(single.map(|cut| Split::new([cut])))
        .map(|split| (split, Interruption::None));
    // Among some offsets only, none is an edge more than the others.
    let edges = if ends.len() > len {
        input.edges()
    } else {
        Vec::new()
    };
    let random = (0..RANDOM).map(|seed| {
        let interruption = match seed % 2 {
            0 => Interruption::None,
            _ => Interruption::EmptyChunk,
        };
        let sample = Split::sample(ends.len() - 1, &edges, seed);
        let cuts = sample.cuts().iter().map(|&index| ends[index]);
        (Split::new(cuts), interruption)
    });

    let mut replayed = Vec::new();
    let mut run = |replay: (Split, Interruption)| {
        if replayed.contains(&replay) {
            return Ok(0);
        }
        let (split, interruption) = &replay;
        match door.run(split, *interruption, input) {
            Ok(calls) => {
                replayed.push(replay);
                Ok(calls * Work::PER_CALL + len as u64)
            }
            Err(finding) => Err(Contradiction {
                finding,
                split: replay.0,
                interruption: replay.1,
            }),
        }
    };
    for replay in always {
        run(replay)?;
    }
    let mut work = proof.work.clamp(LEAST_WORK, MOST_WORK);
    for replay in random {
        work = match work.checked_sub(run(replay)?) {
            Some(work) => work,
            None => break,
        };
    }
    // A split with and without empty chunks is one.
    let mut splits: Vec<&[usize]> = replayed.iter().map(|(split, _)| split.cuts()).collect();
    splits.sort_unstable();
    splits.dedup();
    Ok(splits.len() as u64)
}

/// Returns the premise that does not hold for the framers of a passed proof, as one of them violates
/// it. None has to for bytes held: how many a framer may hold depends on its path, and a proof judges
/// one path to each state.
pub(crate) fn broken<W: State<Framer: Subject>>(
    fresh: &dyn Fn() -> W::Framer,
    input: &Input<'_, <W::Framer as Subject>::Frame, <W::Framer as Subject>::Error>,
    contradiction: &Contradiction,
) -> Option<Premise> {
    if contradiction.finding.difference == Difference::Held {
        return None;
    }
    if let Some(clone) = W::CLONE {
        let subject = fresh();
        let cloned = Recloned { subject, clone };
        let Contradiction {
            split,
            interruption,
            ..
        } = contradiction;
        if one_split::run(cloned, split, *interruption, input).is_ok() {
            return Some(Premise::Clone);
        }
    }
    Some(match W::BY {
        ProvedBy::CloneEq | ProvedBy::RebuildEq => Premise::Eq,
        ProvedBy::CloneDebug | ProvedBy::RebuildDebug => Premise::Debug,
    })
}

/// Feeds a fresh subject along a path: the offsets at which chunks end, from 0. Then ends the stream.
///
/// # Errors
///
/// Returns what differs from what is expected.
pub(crate) fn follow<S: Subject>(
    subject: S,
    input: &Input<'_, S::Frame, S::Error>,
    path: &[usize],
) -> Result<(), Finding> {
    one_split::feed(subject, &mut chunks_on(path, input.stream), input).map(drop)
}

fn chunks_on<'a>(path: &'a [usize], stream: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let len = stream.len();
    let rest = path.last().filter(|&&end| end < len).map(|&end| (end, len));
    let chunks = path.windows(2).map(|ends| (ends[0], ends[1])).chain(rest);
    chunks.map(|(from, to)| &stream[from..to])
}

/// A subject that a clone replaces before each call.
struct Recloned<S> {
    subject: S,
    clone: fn(&S) -> S,
}

impl<S: Subject> Subject for Recloned<S> {
    type Frame = S::Frame;
    type Error = S::Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<S::Frame>) -> Result<(), S::Error> {
        self.subject = (self.clone)(&self.subject);
        self.subject.feed(chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<S::Frame>) -> Result<(), S::Error> {
        self.subject = (self.clone)(&self.subject);
        self.subject.finish(frames)
    }
}
