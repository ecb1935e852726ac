//! Proofs: searches that judge every call that any split of a stream can lead to, by merging equal
//! states. One file for each kind of framer.

mod caller_buffered;
mod fed;

pub(crate) use caller_buffered::prove as prove_caller_buffered;
pub(crate) use fed::prove as prove_fed;

use alloc::boxed::Box;

use crate::report::{NotProved, Violation};

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
