//! Checks an expected result against the declared deviations.

use alloc::format;

use super::finding::{Difference, Finding, Source};
use crate::deviation::Deviation;
use crate::expected::{Expected, Outcome};

/// Checks that what is expected of a stream agrees with the declared deviations.
///
/// `discarded` says whether the stream has bytes after its last frame.
pub(crate) fn check_expected<F, E>(
    expected: &Expected<F, E>,
    source: Source,
    discarded: bool,
    len: usize,
    declared: &[Deviation],
) -> Result<(), Finding> {
    let oracle = match source {
        Source::ByteByByte => "byte by byte",
        Source::Encoder | Source::Parser => "the oracle",
    };
    let discards = declared.contains(&Deviation::DiscardsAtEnd);
    let resynchronises = declared.contains(&Deviation::Resynchronises);
    match expected.outcome {
        Outcome::Clean if discarded && expected.at_end.is_empty() && !discards => {
            Err(Finding::new(
                Difference::End,
                len,
                "an error at the end, as there are bytes after the last frame",
                format!("{oracle}: the end is clean"),
            )
            .declare(Deviation::DiscardsAtEnd))
        }
        Outcome::Truncated(_) if discards => Err(Finding::new(
            Difference::End,
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
