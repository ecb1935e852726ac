//! Why a framer was not proved.

use core::fmt;

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
