//! Proofs: searches that judge every call that any split of a stream can lead to, by merging equal
//! states. One file for each kind of framer.

mod caller_buffered;
mod fed;

pub(crate) use caller_buffered::prove as prove_caller_buffered;
pub(crate) use fed::prove as prove_fed;

use alloc::boxed::Box;
use core::fmt;

use crate::report::Violation;

/// A finished search without a violation.
pub(crate) struct Proof {
    /// The largest number of different states at one offset.
    pub(crate) states: usize,
    /// The number of calls of `feed` or `decode`.
    pub(crate) calls: u64,
}

/// Why a search ended before it was done.
pub(crate) enum Stop {
    NotProved(NotProved),
    Violation(Box<Violation>),
}

impl Stop {
    #[cold]
    fn violation(violation: Violation) -> Self {
        Self::Violation(Box::new(violation))
    }
}

/// Why a framer was not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotProved {
    /// The framer is not `Clone + Eq`, or it reads from a reader: its states cannot be compared.
    NotComparable,
    /// The framer was in more different states at one offset than the search follows.
    TooManyStates {
        /// The offset.
        offset: usize,
        /// The largest number of states that is followed.
        max_states: usize,
    },
    /// The decoder changed bytes that it left in its caller's buffer.
    BufferRewritten {
        /// The offset of the first byte in the buffer.
        offset: usize,
    },
}

impl fmt::Display for NotProved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotComparable => f.write_str("the framer's states cannot be cloned and compared"),
            Self::TooManyStates { offset, max_states } => {
                write!(
                    f,
                    "more than {max_states} different states at offset {offset}"
                )
            }
            Self::BufferRewritten { offset } => {
                write!(
                    f,
                    "the decoder changed bytes in its buffer at offset {offset}"
                )
            }
        }
    }
}
