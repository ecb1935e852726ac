//! The properties, one function each: a trace goes in, a verdict comes out. How
//! the trace was made is none of their business.

use alloc::vec::Vec;
use core::fmt::Debug;

use super::{Expected, Outcome, Property, Trace, Violation};

/// Checks everything that one trace can show: [`every_split`], [`prompt`],
/// [`limit`], [`truncation`] and [`poisoned`].
///
/// # Errors
///
/// The first violation.
pub fn all<F: Eq + Debug, E: Eq + Debug>(
    expected: &Expected<F, E>,
    trace: &Trace<'_, F, E>,
) -> Result<(), Violation> {
    every_split(expected, trace)?;
    prompt(expected, trace)?;
    limit(expected, trace)?;
    truncation(expected, trace)?;
    poisoned(trace)
}

/// Checks that what was encoded comes back equal, whatever the split.
///
/// # Errors
///
/// [`Property::RoundTrip`].
pub fn round_trip<F: Eq + Debug, E: Eq + Debug>(
    sent: &[F],
    trace: &Trace<'_, F, E>,
) -> Result<(), Violation> {
    let refused = trace.steps.iter().find(|step| step.result.is_err());
    let end = refused.map_or(&trace.end, |step| &step.result);
    if trace.frames == sent && end.is_ok() {
        return Ok(());
    }
    Err(Violation::new(
        Property::RoundTrip,
        trace,
        refused.map_or(trace.stream.len(), |step| step.offset),
        &(sent, Ok::<(), E>(())),
        &(&trace.frames, end),
    ))
}

/// Checks that frames, errors and their offsets do not depend on the split, on
/// valid and on hostile streams.
///
/// # Errors
///
/// [`Property::EverySplit`].
pub fn every_split<F: Eq + Debug, E: Eq + Debug>(
    expected: &Expected<F, E>,
    trace: &Trace<'_, F, E>,
) -> Result<(), Violation> {
    let offset = trace.stream.len();
    let frames = expected.frames.iter().map(|(_, frame)| frame);
    if !frames.clone().eq(&trace.frames) {
        let frames: Vec<&F> = frames.collect();
        return Err(Violation::new(
            Property::EverySplit,
            trace,
            offset,
            &frames,
            &trace.frames,
        ));
    }
    let error = trace
        .steps
        .iter()
        .find_map(|step| step.result.as_ref().err());
    let refusal = expected.refusal(offset);
    if error != refusal {
        return Err(Violation::new(
            Property::EverySplit,
            trace,
            offset,
            &refusal,
            &error,
        ));
    }
    Ok(())
}

/// Checks that a frame is out as soon as its last byte is in, and not before.
///
/// # Errors
///
/// [`Property::Prompt`], with the number of frames that were out.
pub fn prompt<F, E>(expected: &Expected<F, E>, trace: &Trace<'_, F, E>) -> Result<(), Violation> {
    for step in &trace.steps {
        let due = expected.due(step.offset);
        if step.frames != due {
            return Err(Violation::new(
                Property::Prompt,
                trace,
                step.offset,
                &format_args!("{due} frames out"),
                &format_args!("{} frames out", step.frames),
            ));
        }
    }
    Ok(())
}

/// Checks that a body at the limit passes; above it the header is refused at
/// the earliest byte that decides it.
///
/// # Errors
///
/// [`Property::Limit`].
pub fn limit<F, E: Debug>(
    expected: &Expected<F, E>,
    trace: &Trace<'_, F, E>,
) -> Result<(), Violation> {
    for step in &trace.steps {
        let refusal = expected.refusal(step.offset);
        if refusal.is_some() != step.result.is_err() {
            let expected = refusal.map_or(Ok(()), Err);
            return Err(Violation::new(
                Property::Limit,
                trace,
                step.offset,
                &expected,
                &step.result,
            ));
        }
    }
    Ok(())
}

/// Checks that a stream that ends inside a frame is reported, one that ends on
/// a boundary is clean.
///
/// # Errors
///
/// [`Property::Truncation`].
pub fn truncation<F, E: Eq + Debug>(
    expected: &Expected<F, E>,
    trace: &Trace<'_, F, E>,
) -> Result<(), Violation> {
    let end = match &expected.outcome {
        Outcome::Clean => Ok(()),
        Outcome::Truncated(error) => Err(error),
        // Not for the end of the stream to tell.
        Outcome::Rejected { .. } => return Ok(()),
    };
    if trace.end.as_ref() == end.as_ref().map_err(|error| *error) {
        return Ok(());
    }
    Err(Violation::new(
        Property::Truncation,
        trace,
        trace.stream.len(),
        &end,
        &trace.end,
    ))
}

/// Checks that after an error every call gives the same error and no frame.
///
/// # Errors
///
/// [`Property::Poisoned`].
pub fn poisoned<F: Debug, E: Eq + Debug>(trace: &Trace<'_, F, E>) -> Result<(), Violation> {
    let Some(first) = trace.steps.iter().position(|step| step.result.is_err()) else {
        return Ok(());
    };
    let (first, later) = (&trace.steps[first], &trace.steps[first + 1..]);
    let calls = later
        .iter()
        .map(|step| (step.offset, step.frames, &step.result))
        .chain([(trace.stream.len(), trace.frames.len(), &trace.end)]);
    for (offset, frames, result) in calls {
        if frames != first.frames || *result != first.result {
            return Err(Violation::new(
                Property::Poisoned,
                trace,
                offset,
                &(&trace.frames[..first.frames], &first.result),
                &(&trace.frames[..frames], result),
            ));
        }
    }
    Ok(())
}

/// Checks that feeding no bytes changes nothing: `trace` is one
/// [with empty chunks](super::trace_with_empty_chunks), `plain` one without, of
/// the same stream and split.
///
/// # Errors
///
/// [`Property::EmptyChunk`].
pub fn empty_chunk<F: Eq + Debug, E: Eq + Debug>(
    plain: &Trace<'_, F, E>,
    trace: &Trace<'_, F, E>,
) -> Result<(), Violation> {
    let mut steps = plain.steps.iter().peekable();
    let (mut frames, mut result) = (0, &Ok(()));
    for step in &trace.steps {
        if let Some(fed) = steps.next_if(|fed| fed.offset == step.offset) {
            (frames, result) = (fed.frames, &fed.result);
        }
        if (step.frames, &step.result) != (frames, result) {
            return Err(Violation::new(
                Property::EmptyChunk,
                trace,
                step.offset,
                &(&plain.frames[..frames], result),
                &(&trace.frames[..step.frames], &step.result),
            ));
        }
    }
    if (&plain.frames, &plain.end) == (&trace.frames, &trace.end) {
        return Ok(());
    }
    Err(Violation::new(
        Property::EmptyChunk,
        trace,
        trace.stream.len(),
        &(&plain.frames, &plain.end),
        &(&trace.frames, &trace.end),
    ))
}

/// Checks that bytes held are bounded by bytes received, whatever a header
/// claims: at most twice what was fed (a buffer that grows by doubling) and
/// `slack` bytes more.
///
/// # Errors
///
/// [`Property::Memory`].
pub fn memory<F, E>(trace: &Trace<'_, F, E>, slack: usize) -> Result<(), Violation> {
    for step in &trace.steps {
        let most = 2 * step.offset + slack;
        if step.held > most {
            return Err(Violation::new(
                Property::Memory,
                trace,
                step.offset,
                &format_args!("at most {most} bytes held"),
                &format_args!("{} bytes held", step.held),
            ));
        }
    }
    Ok(())
}
