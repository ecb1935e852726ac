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
    /// How many calls of `feed` were made; of `decode`, for a decoder whose caller owns the buffer;
    /// of `write`, by a sender.
    pub calls: u64,
    /// The properties that were checked and hold on this stream, for the splits that the
    /// [`tier`](Self::tier) names. A proof checks [`Memory`](Property::Memory) for some of them, as
    /// it judges the bytes held on one path to each state.
    pub held: Vec<Property>,
    /// Whether the stream has a body of exactly the size limit.
    pub(crate) at_limit: bool,
    /// Whether the stream is rejected for a body over the size limit.
    pub(crate) over_limit: bool,
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
        /// How the states were compared and continued.
        by: ProvedBy,
        /// How many splits were then replayed on fresh framers, without their `Clone` and `Eq`.
        replayed: u64,
    },
    /// Every split of the stream that cuts at certain offsets only, as the stream is long.
    ProvedAt {
        /// The number of offsets: close to the edges of the stream's fields, whole buffers after
        /// them, and random ones.
        offsets: usize,
        /// The largest number of different states at one offset.
        states: usize,
        /// How the states were compared and continued.
        by: ProvedBy,
        /// How many splits were then replayed on fresh framers, without their `Clone` and `Eq`.
        replayed: u64,
    },
    /// Every split of up to so many cuts at certain offsets only, as the stream is long; and the
    /// split that cuts at all of them.
    BoundedAt {
        /// The number of offsets.
        offsets: usize,
        /// The largest number of cuts.
        cuts: usize,
        /// The number of splits.
        splits: u64,
        /// Why it is not a proof, if a proof was tried.
        not_proved: Option<NotProved>,
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
    /// The name of every tier, the strongest first.
    pub(crate) const NAMES: [&'static str; 5] = [
        "proved",
        "proved at some offsets",
        "bounded",
        "bounded at some offsets",
        "sampled",
    ];

    /// Returns why it is no proof, if one was tried.
    pub(crate) const fn not_proved(&self) -> Option<NotProved> {
        match self {
            Self::Bounded { not_proved, .. } | Self::BoundedAt { not_proved, .. } => *not_proved,
            Self::Proved { .. } | Self::ProvedAt { .. } | Self::Sampled { .. } => None,
        }
    }

    /// Returns its name, such as `proved`.
    pub(crate) const fn name(&self) -> &'static str {
        let [proved, proved_at, bounded, bounded_at, sampled] = Self::NAMES;
        match self {
            Self::Proved { .. } => proved,
            Self::ProvedAt { .. } => proved_at,
            Self::Bounded { .. } => bounded,
            Self::BoundedAt { .. } => bounded_at,
            Self::Sampled { .. } => sampled,
        }
    }
}

/// How a proof compared a framer's states, and continued from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvedBy {
    /// States were cloned, and compared with `==`.
    CloneEq,
    /// States were cloned, and compared by their `Debug` texts.
    CloneDebug,
    /// States were made again by feeding their path to a fresh framer, and compared with `==`.
    RebuildEq,
    /// States were made again by feeding their path to a fresh framer, and compared by their
    /// `Debug` texts.
    RebuildDebug,
}

impl ProvedBy {
    /// Returns what follows the number of states: nothing for `CloneEq`.
    pub(crate) const fn note(self) -> &'static str {
        match self {
            Self::CloneEq => "",
            Self::CloneDebug => ", states compared by their Debug text",
            Self::RebuildEq => ", states rebuilt by feeding their path again",
            Self::RebuildDebug => {
                ", states rebuilt by feeding their path again, compared by their Debug text"
            }
        }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = Count(self.bytes as u64, "byte");
        let calls = Count(self.calls, "call");
        match self.tier {
            Tier::Proved {
                states,
                by,
                replayed,
            } => {
                let splits = Splits(self.bytes.saturating_sub(1));
                write!(f, "proved: {bytes}, {splits}, {calls}, ")?;
                write!(f, "{}", States(states, by, replayed))?;
            }
            Tier::ProvedAt {
                offsets,
                states,
                by,
                replayed,
            } => {
                let all = self.bytes.saturating_sub(1);
                write!(f, "proved at {offsets} of {all} offsets: {bytes}, ")?;
                write!(f, "{} that cut only there, {calls}, ", Splits(offsets))?;
                write!(f, "{}", States(states, by, replayed))?;
            }
            Tier::Bounded {
                cuts,
                splits,
                not_proved,
            } => {
                let (cuts, splits) = (Count(cuts as u64, "cut"), Count(splits, "split"));
                write!(
                    f,
                    "bounded: {bytes}, {splits} (up to {cuts}, and byte by byte), {calls}{}",
                    Reason(not_proved)
                )?;
            }
            Tier::BoundedAt {
                offsets,
                cuts,
                splits,
                not_proved,
            } => {
                let all = self.bytes.saturating_sub(1);
                let (cuts, splits) = (Count(cuts as u64, "cut"), Count(splits, "split"));
                write!(
                    f,
                    "bounded at {offsets} of {all} offsets: {bytes}, {splits} (up to {cuts} there, \
                     and all of them), {calls}{}",
                    Reason(not_proved)
                )?;
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
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        write!(f, "{count} {noun}{}", if *count == 1 { "" } else { "s" })
    }
}

/// All splits that cut at this number of offsets.
struct Splits(usize);

impl fmt::Display for Splits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("its only split"),
            cuts @ 1..64 => write!(f, "all {} splits", 1_u64 << cuts),
            cuts => write!(f, "all 2^{cuts} splits"),
        }
    }
}

/// The states of a proof, and the replays after it.
struct States(usize, ProvedBy, u64);

impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(states, by, replayed) = *self;
        let (states, replayed) = (Count(states as u64, "state"), Count(replayed, "split"));
        let note = by.note();
        write!(f, "at most {states} per offset{note}; {replayed} replayed")
    }
}

/// Why a check is no proof.
struct Reason(Option<NotProved>);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(reason) => write!(f, "; not proved: {reason}"),
            None => Ok(()),
        }
    }
}
