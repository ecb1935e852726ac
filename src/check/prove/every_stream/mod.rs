//! Proves all streams over certain letters, up to a length, in all splits.
//!
//! A specification says what each byte gives. A node is (position of the specification, state of the
//! framer). From each node each chunk is fed that can come next: every sequence of letters up to the
//! length. Each call must return what the specification gave for the chunk's bytes one by one, and
//! leads to a node. Nodes merge across streams, and across offsets: what follows depends on the
//! position and the state only.
//!
//! Every split of every stream is a path through these nodes, by induction on its chunks. A node is
//! first reached after some bytes, and gets the chunks that fit into the rest of the longest stream.
//! If no node without an error is first reached later than after `d` bytes of `n`, each has been fed
//! every chunk of up to `n - d` bytes. These nodes are then closed under such chunks, which proves
//! streams of any length, up to their first error.

mod automaton;
mod letters;
mod search;
mod whole;

use alloc::vec::Vec;

use automaton::Automaton;
use fastrand::Rng;
use letters::{Letters, Pieces};
use search::{Halt, Search};

use super::{Bounds, Fault, State, Work};
use crate::case::{Case, Interruption};
use crate::check::finding::Finding;
use crate::deviation::Deviation;
use crate::door::FeedDoor;
use crate::oracle::Specification;
use crate::report::NotProved;
use crate::split::Split;

/// Which streams are proved.
#[derive(Clone, Copy)]
pub(crate) struct Streams<'a> {
    /// What they are made of; without pieces, of letters that are inferred.
    pub(crate) pieces: Option<&'a [Vec<u8>]>,
    /// The length of the longest.
    pub(crate) longest: usize,
    pub(crate) deviations: &'a [Deviation],
    /// Whether the oracle may look back to whole frames, which makes streams differ for longer.
    pub(crate) remembers: bool,
}

/// A finished search without a violation.
pub(crate) struct Proof {
    /// How many streams have the largest length.
    pub(crate) streams: u128,
    /// If the nodes are closed: the length of the longest chunks.
    pub(crate) any_length: Option<usize>,
    /// The bytes that are letters somewhere, up to an error.
    pub(crate) letters: Vec<u8>,
    /// Whether the oracle does not judge some streams.
    pub(crate) unjudged: bool,
    /// Whether the oracle does not know the ends of some streams.
    pub(crate) open_ends: bool,
    /// Whether some streams go on after an error.
    pub(crate) after_errors: bool,
    /// How many chunks were tried with other bytes of their letters.
    pub(crate) varied: u64,
    pub(crate) states: usize,
    pub(crate) calls: u64,
    /// For each letter that may come next somewhere, the shortest stream that ends with it.
    pub(crate) streams_of_letters: Vec<Vec<u8>>,
    /// A stream of which the oracle expects something else as a whole, if one was found.
    pub(crate) differs: Option<Case>,
    /// Random cases among the streams.
    pub(crate) samples: Vec<Case>,
}

impl Proof {
    /// The empty stream, without a call.
    pub(crate) const NOTHING: Self = Self {
        streams: 1,
        any_length: None,
        letters: Vec::new(),
        unjudged: false,
        open_ends: false,
        after_errors: false,
        varied: 0,
        states: 0,
        calls: 0,
        streams_of_letters: Vec::new(),
        differs: None,
        samples: Vec::new(),
    };
}

/// Why a search ended before it was done.
pub(crate) enum Stop {
    NotProved(NotProved),
    Found(Found),
}

/// Where the framer, or the specification, does something else than expected or gets stuck.
pub(crate) struct Found {
    pub(crate) case: Case,
    /// The offsets at which chunks end, from 0. The same one twice is an empty chunk.
    pub(crate) path: Vec<usize>,
    /// What gets stuck, if it is a `clone`, a `==` or a `drop`.
    pub(crate) stuck: Option<Finding>,
}

impl Streams<'_> {
    /// Returns whether nothing follows an error.
    fn caller_stops(&self) -> bool {
        self.deviations.contains(&Deviation::CallerStops)
    }
}

/// Why an automaton is not complete.
enum Stuck {
    /// The specification gets stuck in a stream.
    At(Vec<u8>, Finding),
    TooMuch,
    /// The specification expects different things at equal positions.
    Varies,
}

impl From<Fault> for Stuck {
    /// Takes the only fault that work can have.
    fn from(_: Fault) -> Self {
        Self::TooMuch
    }
}

impl From<Stuck> for Stop {
    fn from(stuck: Stuck) -> Self {
        match stuck {
            Stuck::At(stream, finding) => {
                let split = Split::bytes(stream.len());
                Self::Found(Found {
                    path: (0..=stream.len()).collect(),
                    case: Case::new(stream, split),
                    stuck: Some(finding),
                })
            }
            Stuck::TooMuch => Self::NotProved(NotProved::TooMuchWork { calls: 0 }),
            Stuck::Varies => Self::NotProved(NotProved::Unconfirmed),
        }
    }
}

/// How often letters are inferred again with the letters that were found as test bytes.
const ROUNDS: usize = 4;
/// The number of cases that are drawn to be replayed.
const SAMPLES: u64 = 64;

/// Proves all streams of a kind in all splits.
pub(crate) fn prove<T, O, W>(
    door: &T,
    oracle: &O,
    streams: Streams<'_>,
    bounds: Bounds,
) -> Result<Proof, Stop>
where
    T: FeedDoor,
    O: Specification<T>,
    W: State<Framer = T::Subject>,
{
    let mut automaton = learn(door, oracle, streams, bounds.max_work)?;
    let mut work = Work::new(bounds.max_work);
    loop {
        let mut search = Search::<T, O, W>::new(door, &automaton, bounds.max_states, &mut work);
        match search.run() {
            Ok(()) => {
                let deepest = search.deepest();
                let states = search.states();
                search.release()?;
                let chunk = streams.longest - deepest;
                let any_length = chunk > 0 && !automaton.unjudged;
                let whole = whole::compare(door, &automaton, any_length);
                let unjudged = automaton.unjudged || whole.unjudged;
                return Ok(Proof {
                    streams: automaton.count(streams.longest),
                    any_length: (any_length && !unjudged).then_some(chunk),
                    letters: automaton.letters(),
                    unjudged,
                    open_ends: automaton.has_open_ends(),
                    after_errors: automaton.goes_on_after_errors(),
                    varied: work.cost.varied,
                    states,
                    calls: work.cost.calls,
                    streams_of_letters: automaton.streams(),
                    differs: whole.differs,
                    samples: samples(&automaton),
                });
            }
            Err(Halt::Stop(stop)) => return Err(stop),
            // The byte is a letter of its own: search again with it.
            Err(Halt::Letter {
                position,
                byte,
                rest,
            }) => {
                drop(search);
                automaton.split(position, byte, &rest)?;
            }
        }
    }
}

/// Makes the automaton, and infers the letters if none are given: again with the letters that were
/// found as test bytes, until these are no more.
fn learn<'a, T: FeedDoor, O: Specification<T>>(
    door: &T,
    oracle: &'a O,
    streams: Streams<'a>,
    max_work: u64,
) -> Result<Automaton<'a, T, O>, Stuck> {
    if let Some(pieces) = streams.pieces {
        let letters = Letters::Pieces(Pieces(pieces.to_vec()));
        return Automaton::new(oracle, door, letters, streams, max_work);
    }
    let mut automaton = Automaton::new(oracle, door, Letters::Inferred, streams, max_work)?;
    for _ in 1..ROUNDS {
        if !automaton.infer_again()? {
            break;
        }
    }
    Ok(automaton)
}

/// Draws some different cases.
fn samples<T: FeedDoor, O: Specification<T>>(automaton: &Automaton<'_, T, O>) -> Vec<Case> {
    let mut samples = Vec::new();
    for seed in 0..SAMPLES {
        let sample = sample(automaton, seed);
        if !samples.contains(&sample) {
            samples.push(sample);
        }
    }
    samples
}

/// Draws a stream of the automaton, with any bytes of its letters, and a split of it.
fn sample<T: FeedDoor, O: Specification<T>>(automaton: &Automaton<'_, T, O>, seed: u64) -> Case {
    let mut rng = Rng::with_seed(seed);
    let (mut stream, mut position) = (Vec::new(), 0);
    while stream.len() < automaton.streams.longest {
        let Some(edge) = rng.choice(&automaton.positions[position].edges) else {
            break;
        };
        stream.extend(rng.choice(&edge.class));
        position = edge.to;
    }
    let split = Split::sample(stream.len(), &[], seed);
    let interruption = if rng.bool() {
        Interruption::EmptyChunk
    } else {
        Interruption::None
    };
    Case::new(stream, split).with(interruption)
}
