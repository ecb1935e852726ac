//! Proofs: searches that judge every call that any split of a stream can lead to, by merging equal
//! states. One file for each kind of framer, and one for the ways to save a state.

mod caller_buffered;
pub(crate) mod every_stream;
mod fed;
pub(crate) mod offsets;
pub(crate) mod premises;
mod state;

pub(crate) use caller_buffered::prove as prove_caller_buffered;
pub(crate) use fed::prove as prove_fed;
pub(crate) use state::{Cloned, ClonedText, Rebuilt, RebuiltText, State};

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::finding::{Difference, Finding};
use super::input::Input;
use super::team::Cost;
use crate::report::{NotProved, ProvedBy, Violation};

/// How far a search may go.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// The largest number of states at one offset that it follows.
    pub(crate) max_states: usize,
    /// The largest amount of work, see [`Work`].
    pub(crate) max_work: u64,
}

/// A finished search without a violation.
pub(crate) struct Proof {
    /// The largest number of different states at one offset.
    pub(crate) states: usize,
    /// The number of calls of `feed` or `decode`.
    pub(crate) calls: u64,
    pub(crate) by: ProvedBy,
    /// How much work it took.
    pub(crate) work: u64,
}

/// Why a search ended before it was done.
pub(crate) enum Stop {
    NotProved(NotProved),
    Violation {
        violation: Box<Violation>,
        /// The offsets at which the chunks before it end, from 0.
        path: Vec<usize>,
    },
    /// A violation in code that no other check calls: it cannot be made smaller.
    StateViolation(Box<Violation>),
}

/// Why a step of a search failed.
pub(crate) enum Fault {
    /// A call of the framer returned what was not expected.
    Call(Finding),
    /// The framer's `clone`, `==`, `Debug` or `drop` did not return.
    State(Finding),
    NotProved(Box<NotProved>),
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        match finding.difference {
            Difference::StuckState => Self::State(finding),
            _ => Self::Call(finding),
        }
    }
}

impl From<NotProved> for Fault {
    fn from(reason: NotProved) -> Self {
        Self::NotProved(Box::new(reason))
    }
}

impl Fault {
    /// Adds the path on which it happened: the offsets at which chunks end, last first.
    #[cold]
    fn on_path<F, E>(self, input: &Input<'_, F, E>, path: impl Iterator<Item = usize>) -> Stop {
        match self {
            Self::Call(finding) => {
                let mut path: Vec<usize> = path.collect();
                let violation = input.violation_on_path(finding, path.iter().copied());
                path.reverse();
                let violation = Box::new(violation);
                Stop::Violation { violation, path }
            }
            Self::State(finding) => {
                Stop::StateViolation(Box::new(input.violation_on_path(finding, path)))
            }
            Self::NotProved(reason) => Stop::NotProved(*reason),
        }
    }
}

/// What a search has done so far.
struct Work {
    /// The calls of `feed` or `decode`, and the work: the bytes fed, with
    /// [`PER_CALL`](Self::PER_CALL) for each call and [`PER_TEXT`](Self::PER_TEXT) for each byte of
    /// `Debug` text.
    cost: Cost,
    max: u64,
}

impl Work {
    /// How many bytes a call counts as.
    pub(crate) const PER_CALL: u64 = 64;
    /// How many bytes a byte of text counts as: to format one takes longer than to copy it.
    const PER_TEXT: u64 = 16;

    fn new(max: u64) -> Self {
        let cost = Cost::default();
        Self { cost, max }
    }

    /// Counts a call with so many bytes.
    #[inline]
    fn call(&mut self, bytes: usize) -> Result<(), Fault> {
        self.cost.calls += 1;
        self.add(Self::PER_CALL + bytes as u64)
    }

    /// Counts a `Debug` text.
    #[inline]
    fn text(&mut self, len: usize) -> Result<(), Fault> {
        self.add(Self::PER_TEXT * len as u64)
    }

    #[inline]
    fn add(&mut self, bytes: u64) -> Result<(), Fault> {
        self.cost.work += bytes;
        if self.cost.work <= self.max {
            return Ok(());
        }
        let calls = self.cost.calls;
        Err(NotProved::TooMuchWork { calls }.into())
    }

    /// Counts what a thread has tried, unless that is more than allowed.
    fn add_done(&mut self, cost: Cost) -> bool {
        let fits = self.cost.work.saturating_add(cost.work) <= self.max;
        if fits {
            self.cost += cost;
        }
        fits
    }

    /// Goes back to what was done before a try. Returns what the try took.
    fn go_back(&mut self, before: Cost) -> Cost {
        mem::replace(&mut self.cost, before) - before
    }
}
