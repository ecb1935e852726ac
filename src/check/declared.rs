//! Checks an expected result against the declared deviations.

use alloc::format;

use super::finding::{Difference, Finding};
use super::input::Input;
use crate::deviation::Deviation;
use crate::expected::{Outcome, Source};

/// Checks that what is expected of a stream agrees with the declared deviations.
pub(crate) fn check_expected<F, E>(input: &Input<'_, F, E>) -> Result<(), Finding> {
    let (len, expected, declared) = (input.stream.len(), &input.expected, input.deviations);
    // Messages and a parser know which bytes belong to no frame.
    let discarded = input.source == Source::ByteByByte && expected.last_end() < len;
    let oracle = match input.source {
        Source::ByteByByte => "byte by byte",
        Source::Encoder | Source::Parser => "the oracle",
    };
    let between = declared.contains(&Deviation::BytesBetweenFrames);
    let discards = declared.contains(&Deviation::DiscardsAtEnd);
    let resynchronises = declared.contains(&Deviation::Resynchronises);
    match expected.outcome {
        Outcome::Clean if discarded && expected.at_end.is_empty() && !discards && !between => {
            Err(Finding::new(
                Difference::Undeclared,
                len,
                "an error at the end, as there are bytes after the last frame",
                format!("{oracle}: the end is clean"),
            )
            .declare([Deviation::DiscardsAtEnd, Deviation::BytesBetweenFrames]))
        }
        Outcome::Truncated(_) if discards => Err(Finding::new(
            Difference::Undeclared,
            len,
            "a clean end, as `DiscardsAtEnd` is declared",
            format!("{oracle}: an error at the end"),
        )),
        Outcome::Rejected { at, .. } if resynchronises => Err(Finding::new(
            Difference::AfterError,
            at,
            "no error that ends the stream, as `Resynchronises` is declared",
            format!("{oracle}: the stream is rejected"),
        )),
        _ => Ok(()),
    }
}
