//! What a check covered, so that it can be told and is never told for more.

use core::fmt;

use alloc::vec::Vec;

use super::deviation::Declared;
use super::{Deviation, NotProved};

/// What was covered, and held. Its text is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// How far it goes.
    pub tier: Tier,
    /// The length of the stream, in bytes.
    pub bytes: usize,
    /// How many calls of `feed` (or, of a caller-buffered decoder, of `decode`)
    /// it took.
    pub feeds: u64,
    /// Where the framer was declared to differ from the strict policy.
    pub declared: Vec<Deviation>,
}

/// How far a certificate goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tier {
    /// Every split of the stream, all 2^(n-1) of them.
    Proved {
        /// How many different states the subject was in, at the offset at which
        /// they were most.
        states: usize,
    },
    /// Every split of up to so many cuts, and byte by byte.
    Bounded {
        /// The number of cuts.
        cuts: usize,
        /// How many splits that is.
        splits: u64,
        /// Why it is not a proof, when one was asked for.
        unmerged: Option<NotProved>,
    },
    /// Splits drawn by chance.
    Sampled {
        /// What they were drawn from: the same seed draws the same splits.
        seed: u64,
        /// How many were drawn.
        splits: u64,
    },
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, feeds, .. } = self;
        match self.tier {
            Tier::Proved { states } => {
                write!(f, "proved: {bytes} bytes, all ")?;
                match bytes.saturating_sub(1) {
                    cuts @ 0..64 => write!(f, "{}", 1u64 << cuts)?,
                    cuts => write!(f, "2^{cuts}")?,
                }
                write!(
                    f,
                    " splits, {feeds} feeds, at most {states} states an offset"
                )?;
            }
            Tier::Bounded {
                cuts,
                splits,
                unmerged,
            } => {
                write!(
                    f,
                    "bounded: {bytes} bytes, {splits} splits (up to {cuts} cuts, and byte by byte), {feeds} feeds"
                )?;
                match unmerged {
                    None => {}
                    Some(NotProved { offset, bound }) => write!(
                        f,
                        "; not proved, as there were more than {bound} states at offset {offset}"
                    )?,
                }
            }
            Tier::Sampled { seed, splits } => write!(
                f,
                "sampled: {bytes} bytes, {splits} splits drawn from seed {seed}, {feeds} feeds"
            )?,
        }
        write!(f, "{}", Declared("; declared: ", &self.declared))
    }
}
