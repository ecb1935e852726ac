//! The oracle of a keyed check: holds the beginning of a whole stream to the answer
//! that it must be. It computes no digest: the right answer is handed in.

use alloc::vec::Vec;

use crate::auth::GuardedError;
use crate::auth::{Algorithm, AuthError};
use everysplit::check::{Expected, Outcome};

/// Tells what a stream must give that begins with an answer, when `due` is the right
/// one and `behind` tells it of the bytes behind.
#[must_use]
pub fn parse<F, E>(
    algorithm: Algorithm,
    due: &[u8],
    stream: &[u8],
    behind: impl Fn(&[u8]) -> Expected<F, E>,
) -> Expected<F, GuardedError<E>> {
    let refused = |outcome| Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome,
    };
    if stream.len() < due.len() {
        return refused(Outcome::Truncated(GuardedError::Answer(
            AuthError::AnswerTruncated {
                received: stream.len() as u64,
                due: due.len() as u64,
            },
        )));
    }
    if !stream.starts_with(due) {
        return refused(Outcome::Rejected {
            at: due.len(),
            error: GuardedError::Answer(AuthError::WrongAnswer { algorithm }),
        });
    }
    let behind = behind(&stream[due.len()..]);
    let frames = behind.frames.into_iter();
    Expected {
        frames: frames
            .map(|(end, frame)| (due.len() + end, frame))
            .collect(),
        at_end: behind.at_end,
        outcome: match behind.outcome {
            Outcome::Clean => Outcome::Clean,
            Outcome::Truncated(error) => Outcome::Truncated(GuardedError::Inner(error)),
            Outcome::Rejected { at, error } => Outcome::Rejected {
                at: due.len() + at,
                error: GuardedError::Inner(error),
            },
        },
    }
}
