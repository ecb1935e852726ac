//! How much a check does: everything where that is affordable, and of a long stream what can be done
//! at some of its offsets.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use super::under_test::UnderTest;
use crate::check::prove::{Bounds, Proof, Stop, offsets};
use crate::door::Value;
use crate::report::{Certificate, NotProved, Tier, Violation};
use crate::split::Split;

/// How far a proof goes.
#[derive(Clone)]
pub(super) struct Effort {
    /// The largest number of states at one offset that it follows.
    max_states: usize,
    /// The number of bytes that may be fed, if it was set.
    max_work: Option<u64>,
    given_up: Rc<GivenUp>,
}

/// The lengths of the shortest streams whose proofs were given up: for longer ones they are not tried.
/// A decoder that moves each chunk into a buffer of its own takes far more calls than its door lets
/// expect.
struct GivenUp {
    /// At all offsets, for each [`Feeding`].
    at_all: [Cell<usize>; 3],
    /// At some offsets, for [`Feeding::Buffers`].
    at_some: Cell<usize>,
}

/// What the bytes that a proof feeds depend on.
#[derive(Clone, Copy)]
pub(super) enum Feeding {
    /// The chunks: n^3/6 bytes in all splits of n bytes.
    Chunks,
    /// As `Chunks`, with states that are formatted.
    Texts,
    /// What is left in the caller's buffer: n^2/2 bytes, for a stream of one frame.
    Buffers,
}

impl Feeding {
    /// Returns how many bytes may be fed by default, at all offsets and at some of them.
    const fn default_work(self) -> (u64, u64) {
        match self {
            Self::Chunks => (1 << 30, 1 << 26),
            Self::Texts => (1 << 26, 1 << 22),
            Self::Buffers => (1 << 27, 1 << 26),
        }
    }

    /// Returns the least work of a proof at `count` offsets of a stream of `len` bytes.
    const fn work(self, len: u64, count: u64) -> u128 {
        let (len, count) = (len as u128, count as u128);
        match self {
            Self::Chunks | Self::Texts => count * count * (len / 6 + 32),
            Self::Buffers => count * (len / 2),
        }
    }

    /// Returns how many times the least work a proof may take at all offsets, as a framer may have
    /// more states, and streams more frames.
    const fn slack(self) -> u64 {
        match self {
            Self::Chunks | Self::Buffers => 4,
            Self::Texts => 64,
        }
    }
}

impl Default for GivenUp {
    fn default() -> Self {
        Self {
            at_all: [const { Cell::new(usize::MAX) }; 3],
            at_some: Cell::new(usize::MAX),
        }
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            max_states: 64,
            max_work: None,
            given_up: Rc::default(),
        }
    }
}

impl Effort {
    /// Sets the largest number of states at one offset that a proof follows.
    pub(super) fn set_max_states(&mut self, max_states: usize) {
        self.max_states = max_states;
        self.given_up = Rc::default();
    }

    /// Sets the number of bytes that may be fed.
    pub(super) fn set_max_work(&mut self, bytes: u64) {
        self.max_work = Some(bytes);
        self.given_up = Rc::default();
    }

    /// Returns how far a proof of all streams goes.
    pub(super) fn of_streams(&self) -> Bounds {
        /// About two million calls.
        const WORK: u64 = 1 << 27;
        Bounds {
            max_states: self.max_states,
            max_work: self.max_work.unwrap_or(WORK),
        }
    }

    /// Runs a proof: at all offsets if the stream is short enough, or else at as many as the work
    /// allows. Returns its result with the offsets.
    pub(super) fn prove(
        &self,
        feeding: Feeding,
        edges: &[usize],
        len: usize,
        run: &mut dyn FnMut(&[usize], Bounds) -> Result<Proof, Stop>,
    ) -> (Vec<usize>, Result<Proof, Stop>) {
        let (all, some) = feeding.default_work();
        let max_states = self.max_states;
        let bounds = |max_work: u64, slack: u64| Bounds {
            max_states,
            max_work: max_work.saturating_mul(slack),
        };
        let work = |count: usize| feeding.work(len as u64, count as u64);
        let all = self.max_work.unwrap_or(all);
        let GivenUp { at_all, at_some } = &*self.given_up;
        let at_all = &at_all[feeding as usize];
        if work(len) <= all.into() && len < at_all.get() {
            let ends = offsets::all(len);
            let proof = run(&ends, bounds(all, feeding.slack()));
            if !is_too_much(&proof) {
                return (ends, proof);
            }
            at_all.set(len);
        }
        let some = self.max_work.unwrap_or(some);
        let mut count = len.min(MOST);
        while count > LEAST && work(count) > some.into() {
            count -= count.div_ceil(8);
        }
        let buffers = matches!(feeding, Feeding::Buffers);
        loop {
            let ends = offsets::pick(len, edges, count);
            if buffers && len >= at_some.get() {
                let reason = NotProved::TooMuchWork { calls: 0 };
                return (ends, Err(Stop::NotProved(reason)));
            }
            let proof = run(&ends, bounds(some, SLACK));
            count /= 2;
            if !is_too_much(&proof) {
                return (ends, proof);
            }
            // Fewer offsets do not make frames larger: those of a decoder are then fed instead.
            if buffers {
                at_some.set(len);
                return (ends, proof);
            }
            if count < LEAST {
                return (ends, proof);
            }
        }
    }
}

/// Returns whether a proof was given up.
const fn is_too_much(proof: &Result<Proof, Stop>) -> bool {
    matches!(proof, Err(Stop::NotProved(NotProved::TooMuchWork { .. })))
}

/// How many times the least work a proof may take at some offsets.
const SLACK: u64 = 4;
/// The least and the largest number of offsets of a long stream.
const LEAST: usize = 4;
const MOST: usize = 1024;
/// The least number of offsets at which two cuts are tried, and not one.
const ENOUGH: usize = 32;
/// The longest stream of which every split of two cuts is tried, in bytes.
const SHORT: usize = 1024;
/// How many bytes are fed for the splits of a longer stream.
const BYTES: usize = 1 << 26;

impl<F: Value, E: Value> dyn UnderTest<F, E> + '_ {
    /// Checks every split of up to two cuts; of a long stream, those at some offsets.
    pub(super) fn check_few_cuts(
        &self,
        stream: &[u8],
        not_proved: NotProved,
    ) -> Result<Certificate, Violation> {
        let (len, not_proved) = (stream.len(), Some(not_proved));
        if len <= SHORT {
            return self.check_bounded(stream, 2, not_proved);
        }
        let input = self.input(stream)?;
        // Each split is run with two or three interruptions. There are half as many splits of two
        // cuts as the square of the offsets.
        let runs = BYTES / len;
        let (cuts, count) = match runs.isqrt() {
            count @ ENOUGH.. => (2, count.min(MOST)),
            _ => (1, (runs / 2).max(LEAST)),
        };
        let ends = offsets::pick(len, &input.edges(), count);
        let inner = &ends[1..ends.len() - 1];
        let few = Split::up_to(ends.len() - 1, cuts);
        let few = few.map(|split| Split::new(split.cuts().iter().map(|&index| ends[index])));
        let mut splits = few.chain([Split::new(inner.iter().copied())]);
        let (splits, calls) = self.each(&input, &mut splits, Split::clone)?;
        let tier = Tier::BoundedAt {
            offsets: inner.len(),
            cuts,
            splits,
            not_proved,
        };
        Ok(self.certificate(&input, tier, calls))
    }
}
