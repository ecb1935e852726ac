//! Ends a stream, and calls the framer again after that.

use super::finding::Finding;
use super::input::Input;
use super::isolate::{Calls, RETURNS};
use super::judge::judge_held;
use super::values::judge_values;
use crate::door::Value;
use crate::expected::Outcome;
use crate::subject::{Frames, Subject};

/// Ends the stream for a framer that was fed all of it, and may hold `most` bytes. Then ends it
/// again and, after an error, feeds one byte more.
///
/// After an end inside a frame, ending again may return no error, as some framers consume what they
/// report. The byte must not make the framer panic. What else it does with the byte is judged only if
/// it rejected the stream: then it must return the same error again.
pub(crate) fn end<F: Value, E: Value>(
    calls: &Calls,
    subject: &mut dyn Subject<Frame = F, Error = E>,
    frames: &mut Frames<F>,
    most: usize,
    input: &Input<'_, F, E>,
) -> Result<(), Finding> {
    let (len, expected) = (input.stream.len(), &input.expected);
    calls.at(len);
    calls.next(RETURNS)?;
    let result = subject.finish(frames);
    let held = subject.buffered_bytes();
    judge_values(calls, frames, result, |call| {
        expected.judge_finish(len, call)
    })?;
    judge_held(len, most, held)?;
    let clean = matches!(expected.outcome, Outcome::Clean);
    if !clean && input.caller_stops() {
        return Ok(());
    }
    calls.next("the call returns when the stream is ended again")?;
    let result = subject.finish(frames);
    judge_values(calls, frames, result, |call| {
        expected.judge_after_end(len, "when the stream is ended again", call)
    })?;
    if clean {
        return Ok(());
    }
    calls.next("the call returns when it is fed 00 after the end")?;
    let result = subject.feed(b"\0", frames);
    judge_values(calls, frames, result, |call| match expected.outcome {
        Outcome::Rejected { .. } => {
            expected.judge_after_end(len, "when it is fed 00 after the end", call)
        }
        Outcome::Clean | Outcome::Truncated(_) => Ok(()),
    })
}
