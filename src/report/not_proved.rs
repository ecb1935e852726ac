//! Why a framer was not proved.

use core::fmt;

/// Why a framer was not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotProved {
    /// The framer is neither `Eq` nor `Debug`, or it reads from a reader: its states cannot be
    /// compared.
    NotComparable,
    /// The framer was in more different states at one offset than the search follows.
    TooManyStates {
        /// The offset.
        offset: usize,
        /// The largest number of states that is followed.
        max_states: usize,
    },
    /// The search would have taken more work than it may: its states are too long, or too far
    /// apart to be rebuilt by feeding their path again.
    TooMuchWork {
        /// The number of calls that it made before it gave up.
        calls: u64,
    },
    /// A clone of the framer violates what is expected, and a fresh framer that is fed the same does
    /// not. Clones may share state, through an `Rc` for example.
    UnfaithfulClone,
    /// A fresh framer does not do the same each time that it is fed the same: it has state outside of
    /// itself.
    NotRepeatable,
    /// What the search found does not occur on a fresh framer: its clones or its `==` are not faithful,
    /// or the oracle expects something else of a whole stream than byte by byte.
    Unconfirmed,
    /// The decoder changed bytes that it left in its caller's buffer.
    BufferRewritten {
        /// The offset of the first byte in the buffer.
        offset: usize,
    },
}

impl fmt::Display for NotProved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotComparable => f.write_str(
                "the framer's states cannot be compared: derive `Eq` or `Debug` for it, unless it is \
                 a reader",
            ),
            Self::TooManyStates { offset, max_states } => {
                write!(
                    f,
                    "more than {max_states} different states at offset {offset}"
                )
            }
            Self::TooMuchWork { calls } => write!(f, "too much work, given up after {calls} calls"),
            Self::UnfaithfulClone => {
                f.write_str("the framer's clones share state, or do not behave as it does")
            }
            Self::NotRepeatable => {
                f.write_str("the framer does not always do the same when it is fed the same")
            }
            Self::Unconfirmed => f.write_str(
                "a fresh framer does not do what the search found: its clones or its `==` are not \
                 faithful, or the oracle expects something else of a whole stream",
            ),
            Self::BufferRewritten { offset } => {
                write!(
                    f,
                    "the decoder changed bytes in its buffer at offset {offset}"
                )
            }
        }
    }
}
