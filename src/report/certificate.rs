//! What a check covered. Never more than was checked.

use alloc::vec::Vec;
use core::fmt;

use super::not_proved::NotProved;
use crate::deviation::{Declared, Deviation};
use crate::expected::Source;
use crate::property::Property;

/// What a check without a violation covered. Its text is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// How far the check went.
    pub tier: Tier,
    /// The length of the stream, in bytes.
    pub bytes: usize,
    /// How many calls of `feed` (of `decode`, for a decoder whose caller owns the buffer) were made.
    pub calls: u64,
    /// The properties that were checked and hold on this stream.
    pub held: Vec<Property>,
    /// Where the expected result came from.
    pub source: Source,
    /// The declared deviations from the strict policy.
    pub deviations: Vec<Deviation>,
}

/// How far a check went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tier {
    /// Every split of the stream, all 2^(n-1) of them.
    Proved {
        /// The largest number of different states at one offset.
        states: usize,
    },
    /// Every split of up to so many cuts, and byte by byte.
    Bounded {
        /// The largest number of cuts.
        cuts: usize,
        /// The number of splits.
        splits: u64,
        /// Why it is not a proof, if a proof was tried.
        not_proved: Option<NotProved>,
    },
    /// Random splits.
    Sampled {
        /// The seed: the same seed makes the same splits.
        seed: u64,
        /// The number of splits.
        splits: u64,
    },
}

impl Tier {
    /// Returns its name, such as `proved`.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Proved { .. } => "proved",
            Self::Bounded { .. } => "bounded",
            Self::Sampled { .. } => "sampled",
        }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = Count(self.bytes as u64, "byte");
        let calls = Count(self.calls, "call");
        match self.tier {
            Tier::Proved { states } => {
                write!(f, "proved: {bytes}, ")?;
                match self.bytes.saturating_sub(1) {
                    0 => f.write_str("its only split")?,
                    cuts @ 1..64 => write!(f, "all {} splits", 1_u64 << cuts)?,
                    cuts => write!(f, "all 2^{cuts} splits")?,
                }
                let states = Count(states as u64, "state");
                write!(f, ", {calls}, at most {states} per offset")?;
            }
            Tier::Bounded {
                cuts,
                splits,
                not_proved,
            } => {
                let (cuts, splits) = (Count(cuts as u64, "cut"), Count(splits, "split"));
                write!(
                    f,
                    "bounded: {bytes}, {splits} (up to {cuts}, and byte by byte), {calls}"
                )?;
                if let Some(reason) = not_proved {
                    write!(f, "; not proved: {reason}")?;
                }
            }
            Tier::Sampled { seed, splits } => {
                let splits = Count(splits, "random split");
                write!(f, "sampled: {bytes}, {splits} from seed {seed}, {calls}")?;
            }
        }
        write!(f, "{}", Declared("; declared: ", &self.deviations))
    }
}

/// A number of things whose plural ends in `s`.
struct Count(u64, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        write!(f, "{count} {noun}{}", if *count == 1 { "" } else { "s" })
    }
}
