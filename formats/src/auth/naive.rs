//! The naive parser of an authenticated stream: the oracle for [`auth`](crate::auth).
//!
//! It compares the beginning of the whole stream with the correct answer. It computes no HMAC: the
//! caller passes the answer.

use alloc::vec::Vec;

use crate::auth::GuardedError;
use crate::auth::{Algorithm, AuthError};
use everysplit::{Expected, Outcome};

/// Parses a client's whole `stream`: an answer, which must be `due`, then the bytes that `inner`
/// parses.
///
/// Returns the frames of `inner`, each with the offset of its end in `stream` in bytes, and how the
/// stream ends. A stream without the correct answer has no frames.
#[must_use]
pub fn parse<F, E>(
    algorithm: Algorithm,
    due: &[u8],
    stream: &[u8],
    inner: impl Fn(&[u8]) -> Expected<F, E>,
) -> Expected<F, GuardedError<E>> {
    let rejected = |outcome| Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome,
    };
    if stream.len() < due.len() {
        return rejected(Outcome::Truncated(GuardedError::Answer(
            AuthError::AnswerTruncated {
                received: stream.len() as u64,
                due: due.len() as u64,
            },
        )));
    }
    if !stream.starts_with(due) {
        return rejected(Outcome::Rejected {
            at: due.len(),
            error: GuardedError::Answer(AuthError::WrongAnswer { algorithm }),
        });
    }
    let inner = inner(&stream[due.len()..]);
    let frames = inner.frames.into_iter();
    Expected {
        frames: frames
            .map(|(end, frame)| (due.len() + end, frame))
            .collect(),
        at_end: inner.at_end,
        outcome: match inner.outcome {
            Outcome::Clean => Outcome::Clean,
            Outcome::Truncated(error) => Outcome::Truncated(GuardedError::Inner(error)),
            Outcome::Rejected { at, error } => Outcome::Rejected {
                at: due.len() + at,
                error: GuardedError::Inner(error),
            },
        },
    }
}
