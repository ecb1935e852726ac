//! Which properties the check of a stream covers, and what to add for the others.

use alloc::vec::Vec;

use crate::case::Interruption;
use crate::check::input::Input;
use crate::check::judge::LONGEST_HEADER;
use crate::deviation::Deviation;
use crate::door::{Door, Value};
use crate::expected::{Outcome, Source};
use crate::property::Property;

/// What streams check, if they violate nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Covered {
    pub(super) properties: Vec<Property>,
    /// Whether one of them has a frame at the size limit, and whether one is over it.
    pub(super) at_limit: bool,
    pub(super) over_limit: bool,
}

/// Returns the properties that a stream of so many bytes checks, whatever is expected of it.
/// `interruptions` may happen.
pub(super) fn checked_anyway(
    interruptions: &[Interruption],
    len: usize,
    deviations: &[Deviation],
) -> Vec<Property> {
    let may_happen = |interruption| interruptions.contains(&interruption);
    // Of an empty stream nothing must be read, so nothing may be interrupted.
    let happens = |interruption| may_happen(interruption) && len > 0;
    let is_resumable = !deviations.contains(&Deviation::NotResumable);
    let checked = |property| match property {
        Property::EverySplit => len > 1,
        Property::EmptyChunk => may_happen(Interruption::EmptyChunk),
        Property::Interrupted => {
            happens(Interruption::Interrupted) || happens(Interruption::Pending)
        }
        Property::Cancelled => happens(Interruption::Dropped) && is_resumable,
        Property::Progress => true,
        _ => false,
    };
    let all = Property::ALL.into_iter();
    all.filter(|&property| checked(property)).collect()
}

/// Returns the properties that the checks of a stream cover, if they find nothing.
pub(super) fn checked<F: Value, E: Value>(
    door: &dyn Door<Frame = F, Error = E>,
    input: &Input<'_, F, E>,
) -> Vec<Property> {
    let expected = &input.expected;
    let judged = input.source != Source::ByteByByte;
    let rejected = matches!(expected.outcome, Outcome::Rejected { .. });
    let incomplete = match expected.outcome {
        Outcome::Truncated(_) => true,
        Outcome::Clean => discards_frame(input),
        Outcome::Rejected { .. } => false,
    };
    let anyway = checked_anyway(door.interruptions(), input.stream.len(), input.deviations);
    let checked = |property| match property {
        Property::RoundTrip | Property::Prompt => judged && !expected.frames.is_empty(),
        Property::Limit => over_limit(input) || at_limit(input),
        Property::Rejection => judged && rejected && !expected.limit.rejection,
        Property::Truncation => judged && incomplete,
        Property::Poisoned => rejected && !input.caller_stops(),
        Property::Memory => {
            let may_be_held = |initial| input.held(LONGEST_HEADER, initial);
            let initial = door.initial_memory();
            initial.is_some_and(|it| expected.longest_frame() > may_be_held(it))
        }
        _ => anyway.contains(&property),
    };
    Property::ALL
        .into_iter()
        .filter(|&it| checked(it))
        .collect()
}

/// Returns whether a stream with a clean end ends inside a frame, which is discarded as declared.
fn discards_frame<F, E>(input: &Input<'_, F, E>) -> bool {
    let (expected, declared) = (&input.expected, input.deviations);
    let may_be_padding = match input.source {
        Source::Encoder => expected.unfinished.is_none(),
        Source::Parser | Source::ByteByByte => declared.contains(&Deviation::BytesBetweenFrames),
    };
    declared.contains(&Deviation::DiscardsAtEnd)
        && !may_be_padding
        && expected.at_end.is_empty()
        && expected.last_end() < input.stream.len()
}

/// Returns whether a stream has a frame whose body has exactly the size of the limit.
pub(super) fn at_limit<F, E>(input: &Input<'_, F, E>) -> bool {
    let whole = input.expected.frames.len();
    let mut at_limit = input.expected.limit.frames.iter();
    at_limit.any(|&index| index < whole)
}

/// Returns whether a stream has a frame that is over the size limit.
pub(super) const fn over_limit<F, E>(input: &Input<'_, F, E>) -> bool {
    input.expected.limit.rejection
}

/// Returns whether a property is checked by a method that is called by itself, on no stream of the
/// harness.
pub(super) const fn has_own_method(property: Property) -> bool {
    matches!(
        property,
        Property::Linear | Property::Encode | Property::Differential
    )
}

/// Returns what to add so that both sides of the size limit are checked, if one was.
pub(super) const fn limit_advice(
    source: Source,
    at_limit: bool,
    over_limit: bool,
) -> Option<&'static str> {
    match (at_limit, over_limit, source) {
        (true, true, _) => None,
        (false, _, Source::Encoder) => Some("add a body of exactly the limit with `at_limit`"),
        (false, _, _) => {
            Some("call `limit_frames`, and add a stream with a body of exactly the limit")
        }
        (true, false, Source::Encoder) => Some("add a body over the limit with `over_limit`"),
        (true, false, _) => {
            Some("call `limit_errors`, and add a stream with a body over the limit")
        }
    }
}

/// Returns what to add so that a property is checked, `None` if it does not concern this kind of
/// framer.
pub(super) fn advice<T: Door>(
    door: &T,
    property: Property,
    source: Source,
    deviations: &[Deviation],
) -> Option<&'static str> {
    const ORACLE: &str = "the framer is its own oracle: add `messages` or an `oracle`";
    const NOT_EMPTY: &str = "add a stream that is not empty";
    let by_itself = source == Source::ByteByByte;
    let preallocates = |it: &Deviation| matches!(it, Deviation::Preallocates(_));
    let declared = |deviation| deviations.contains(&deviation);
    let happens = |interruption| door.interruptions().contains(&interruption);
    let advice = match property {
        Property::RoundTrip | Property::Prompt if by_itself => ORACLE,
        Property::RoundTrip | Property::Prompt if source == Source::Encoder => {
            "add a stream with a frame"
        }
        Property::RoundTrip | Property::Prompt => {
            "add a stream with a frame that the oracle judges"
        }
        Property::EverySplit => "add a stream of two bytes or more",
        Property::Rejection | Property::Poisoned if declared(Deviation::Resynchronises) => {
            "`Resynchronises` is declared"
        }
        Property::Limit if declared(Deviation::Unlimited) => "`unlimited` is declared",
        Property::Rejection | Property::Truncation | Property::Limit if by_itself => ORACLE,
        Property::Limit if source == Source::Encoder => "add `size_limit`",
        Property::Limit => "add a stream that is rejected for its size",
        Property::Rejection if source == Source::Encoder => "add an invalid frame with `rejects`",
        Property::Rejection => "add a stream with an invalid frame",
        Property::Truncation
            if source == Source::Encoder && !declared(Deviation::DiscardsAtEnd) =>
        {
            "set `truncation_error`"
        }
        Property::Truncation
            if source == Source::Parser
                && declared(Deviation::DiscardsAtEnd)
                && declared(Deviation::BytesBetweenFrames) =>
        {
            "with `DiscardsAtEnd` and `BytesBetweenFrames`, only `messages` show which end is \
             inside a frame"
        }
        Property::Truncation => "add a stream that ends inside a frame",
        Property::Poisoned if declared(Deviation::CallerStops) => "`CallerStops` is declared",
        Property::Poisoned if source == Source::Encoder => "add `size_limit` or `rejects`",
        Property::Poisoned => "add a stream that is rejected",
        Property::Memory if door.initial_memory().is_none() => door.memory_advice(),
        Property::Memory if deviations.iter().any(preallocates) => {
            "add a frame longer than 256 bytes and what is preallocated"
        }
        Property::Memory => "add a frame of more than 256 bytes",
        Property::Progress => "add a stream",
        Property::Cancelled
            if happens(Interruption::Dropped) && declared(Deviation::NotResumable) =>
        {
            "`NotResumable` is declared"
        }
        Property::Interrupted
            if happens(Interruption::Interrupted) || happens(Interruption::Pending) =>
        {
            NOT_EMPTY
        }
        Property::Cancelled if happens(Interruption::Dropped) => NOT_EMPTY,
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
