//! Which properties the check of a stream covers, and what to add for the others.

use alloc::vec::Vec;

use crate::case::Interruption;
use crate::check::input::Input;
use crate::deviation::Deviation;
use crate::door::Door;
use crate::expected::{Outcome, Source};
use crate::property::Property;

/// Returns the properties that the checks of a stream cover, if they find nothing.
pub(super) fn checked<T: Door>(door: &T, input: &Input<'_, T::Frame, T::Error>) -> Vec<Property> {
    let expected = &input.expected;
    let judged = input.source != Source::ByteByByte;
    let rejected = matches!(expected.outcome, Outcome::Rejected { .. });
    let incomplete = match expected.outcome {
        Outcome::Truncated(_) => true,
        // The rest is discarded, as declared.
        Outcome::Clean => expected.last_end() < input.stream.len(),
        Outcome::Rejected { .. } => false,
    };
    let happens = |interruption| T::INTERRUPTIONS.contains(&interruption);
    let checked = |property| match property {
        Property::RoundTrip | Property::Prompt => judged && !expected.frames.is_empty(),
        Property::EverySplit => input.stream.len() > 1,
        Property::Limit => expected.limit.rejection || !expected.limit.frames.is_empty(),
        Property::Rejection => judged && rejected && !expected.limit.rejection,
        Property::Truncation => judged && incomplete,
        Property::Poisoned => rejected && !input.caller_stops(),
        Property::EmptyChunk => happens(Interruption::EmptyChunk),
        Property::Memory => door.reports_memory(),
        Property::Interrupted => {
            happens(Interruption::Interrupted) || happens(Interruption::Pending)
        }
        Property::Cancelled => happens(Interruption::Dropped),
        Property::Progress => true,
        Property::Linear | Property::Encode | Property::Written | Property::Differential => false,
    };
    Property::ALL
        .into_iter()
        .filter(|&it| checked(it))
        .collect()
}

/// Returns what to add so that a property is checked, `None` if it does not concern this kind of
/// framer.
pub(super) fn advice<T: Door>(
    property: Property,
    source: Source,
    deviations: &[Deviation],
) -> Option<&'static str> {
    const ORACLE: &str = "the framer is its own oracle: add `messages` or an `oracle`";
    let by_itself = source == Source::ByteByByte;
    let declared = |deviation| deviations.contains(&deviation);
    let happens = |interruption| T::INTERRUPTIONS.contains(&interruption);
    let advice = match property {
        Property::RoundTrip | Property::Prompt if by_itself => ORACLE,
        Property::RoundTrip | Property::Prompt => "add a stream with a frame",
        Property::EverySplit => "add a stream of two bytes or more",
        Property::Limit if declared(Deviation::Unlimited) => "`unlimited` is declared",
        Property::Rejection | Property::Truncation | Property::Limit if by_itself => ORACLE,
        Property::Limit if source == Source::Encoder => "add `size_limit`",
        Property::Limit => "add a stream that is rejected for its size",
        Property::Rejection if source == Source::Encoder => "add an invalid frame with `rejects`",
        Property::Rejection => "add a stream with an invalid frame",
        Property::Truncation if source == Source::Encoder => "set `truncation_error`",
        Property::Truncation => "add a stream that ends inside a frame",
        Property::Poisoned if declared(Deviation::CallerStops) => "`CallerStops` is declared",
        Property::Poisoned if source == Source::Encoder => "add `size_limit` or `rejects`",
        Property::Poisoned => "add a stream that is rejected",
        Property::Memory if happens(Interruption::EmptyChunk) => {
            "implement `Subject::buffered_bytes`"
        }
        Property::Memory => "the memory of a reader is not visible",
        Property::Progress => "add a stream",
        Property::Linear if happens(Interruption::EmptyChunk) => "call `linear`",
        Property::Encode if source == Source::Encoder => "call `check_encoder`",
        Property::Differential if happens(Interruption::EmptyChunk) => "call `differential`",
        Property::EmptyChunk
        | Property::Interrupted
        | Property::Cancelled
        | Property::Linear
        | Property::Encode
        | Property::Written
        | Property::Differential => return None,
    };
    Some(advice)
}
