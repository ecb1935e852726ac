//! Where a framer is meant to differ from the strict policy: declared by whoever
//! puts it under test, told with every result, and held to.

use core::fmt;

use super::judge::Found;
use super::{Expected, Outcome, Property};

/// What a framer may be declared to do otherwise than the strict policy: that a
/// stream ends for good with an error, that an end inside a frame is one, that
/// the limit is on the body, and that a body can be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deviation {
    /// After an error the stream goes on: errors are among the frames, as with
    /// [`Resynchronises`](crate::ErrorsAsFrames), and no stream is refused for
    /// good.
    Resynchronises,
    /// The end of the stream drops what is not a whole frame, and is clean.
    DiscardsAtEnd,
    /// The limit is on header and body together.
    CountsHeader,
    /// A frame without a body is refused.
    NoEmptyFrame,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resynchronises => "resynchronises",
            Self::DiscardsAtEnd => "discards at the end of the stream",
            Self::CountsHeader => "counts the header toward the limit",
            Self::NoEmptyFrame => "has no empty frame",
        })
    }
}

/// Deviations as they are told behind a certificate or a violation: nothing when
/// there are none.
pub(super) struct Declared<'a>(pub(super) &'a str, pub(super) &'a [Deviation]);

impl fmt::Display for Declared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(before, deviations) = self;
        for (index, deviation) in deviations.iter().enumerate() {
            let before = if index == 0 { before } else { ", " };
            write!(f, "{before}{deviation}")?;
        }
        Ok(())
    }
}

/// Holds what is expected of a stream of `len` bytes to what is declared.
pub(super) fn hold<F, E>(
    expected: &Expected<F, E>,
    len: usize,
    declared: &[Deviation],
) -> Result<(), Found> {
    let framed = expected.frames.last().map_or(0, |&(end, _)| end);
    let discards = declared.contains(&Deviation::DiscardsAtEnd);
    let resynchronises = declared.contains(&Deviation::Resynchronises);
    let (property, at, due, told) = match expected.outcome {
        Outcome::Clean if framed < len && expected.at_end.is_empty() && !discards => (
            Property::Truncation,
            len,
            "an error at the end, as there are bytes behind the last frame",
            "the oracle takes the end for clean; declare `DiscardsAtEnd` if it is meant to be",
        ),
        Outcome::Truncated(_) if discards => (
            Property::Truncation,
            len,
            "a clean end, as `DiscardsAtEnd` is declared",
            "the oracle takes the end for an error",
        ),
        Outcome::Rejected { at, .. } if resynchronises => (
            Property::Poisoned,
            at,
            "no end of the stream by an error, as `Resynchronises` is declared",
            "the oracle takes the stream for refused for good",
        ),
        _ => return Ok(()),
    };
    Err(Found::told(property, at, due, told))
}
