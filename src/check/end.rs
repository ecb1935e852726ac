//! Ends a stream, and calls the framer again after that.

use super::finding::Finding;
use super::input::Input;
use super::isolate::isolate;
use super::judge::judge_held;
use super::values::judge_values;
use crate::expected::Outcome;
use crate::subject::{Frames, Subject};

/// Ends the stream for a framer that was fed all of it, and may hold `most` bytes. Then ends it
/// again and, after an error, feeds one byte more.
///
/// A framer may consume what it reports at the end, so that ending again returns no error; and as no
/// caller has bytes after the end, the byte must not make it panic, but nothing more. Only one that
/// has rejected the stream before its end must go on doing so.
pub(crate) fn end<S: Subject>(
    subject: &mut S,
    frames: &mut Frames<S::Frame>,
    most: usize,
    input: &Input<'_, S::Frame, S::Error>,
) -> Result<(), Finding> {
    let (len, expected) = (input.stream.len(), &input.expected);
    let call = || (subject.finish(frames), subject.buffered_bytes());
    let (result, held) = isolate(len, call)?;
    judge_values(len, frames, result, |call| expected.judge_finish(len, call))?;
    judge_held(len, most, held)?;
    let clean = matches!(expected.outcome, Outcome::Clean);
    if !clean && input.caller_stops() {
        return Ok(());
    }
    let again = "when the stream is ended again";
    let result = isolate(len, || subject.finish(frames)).map_err(|stuck| stuck.during(again))?;
    judge_values(len, frames, result, |call| {
        expected.judge_after_end(len, again, call)
    })?;
    if clean {
        return Ok(());
    }
    let fed = "when it is fed after the end";
    let result = isolate(len, || subject.feed(b"\0", frames)).map_err(|stuck| stuck.during(fed))?;
    judge_values(len, frames, result, |call| match expected.outcome {
        Outcome::Rejected { .. } => expected.judge_after_end(len, fed, call),
        Outcome::Clean | Outcome::Truncated(_) => Ok(()),
    })
}
