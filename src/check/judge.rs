//! Compares one call of a framer with what is expected of it.

use alloc::format;
use alloc::vec::Vec;
use core::fmt::Debug;

use super::finding::{Difference, Finding};
use crate::expected::{Expected, Outcome};

/// How many bytes a framer may hold beyond what it needs.
const SLACK: usize = 64;

/// What a call of a framer returned.
pub(crate) struct Call<'a, F, E> {
    pub(crate) frames: &'a [F],
    pub(crate) result: &'a Result<(), E>,
}

impl<F: PartialEq + Debug, E: PartialEq + Debug> Expected<F, E> {
    /// Judges a call that fed the bytes `from..to`, after all earlier bytes were fed and judged.
    pub(crate) fn judge_feed(
        &self,
        from: usize,
        to: usize,
        call: &Call<'_, F, E>,
    ) -> Result<(), Finding> {
        let coming = &self.frames[self.due(from)..];
        let due = &coming[..coming.partition_point(|&(end, _)| end <= to)];
        let rejection = self.rejection(to);
        // Frames first: those before an error must be emitted with it.
        let same = due.iter().map(|(_, frame)| frame).eq(call.frames);
        let error = call.result.as_ref().err();
        if same && error == rejection {
            return Ok(());
        }
        let emitted = call.frames.iter().take(due.len());
        let accepted = due.iter().map(|(_, frame)| frame).eq(emitted);
        let coming = coming.iter().map(|(_, frame)| frame);
        let in_order = call.frames.iter().eq(coming.take(call.frames.len()));
        let difference = if self.rejection(from).is_some() {
            Difference::AfterError
        } else if rejection.is_some() && error.is_none() && accepted {
            Difference::ErrorTime
        } else if !in_order {
            Difference::Content
        } else if error.is_some() != rejection.is_some() {
            Difference::ErrorTime
        } else if !same {
            Difference::FrameTime
        } else {
            Difference::Content
        };
        let due: Vec<&F> = due.iter().map(|(_, frame)| frame).collect();
        Err(Finding::of_values(
            difference,
            to,
            &(due, rejection.map_or(Ok(()), Err)),
            &(call.frames, call.result),
        ))
    }

    /// Judges a frame that was emitted after `delivered` others, when `to` bytes were fed.
    ///
    /// `from` bytes had been fed at the last call that returned no frame.
    pub(crate) fn judge_frame(
        &self,
        delivered: usize,
        from: usize,
        to: usize,
        frame: &F,
    ) -> Result<(), Finding> {
        let coming = self.frames.get(delivered);
        if coming.is_some_and(|(end, coming)| *end <= to && coming == frame) {
            return Ok(());
        }
        let difference = match coming {
            Some((_, coming)) if coming == frame => Difference::FrameTime,
            None if self.rejection(from).is_some() => Difference::AfterError,
            None if self.rejection(to).is_some() => Difference::ErrorTime,
            _ => Difference::Content,
        };
        let due = coming.filter(|(end, _)| *end <= to).map(|(_, frame)| frame);
        Err(Finding::of_values(difference, to, &due, &Some(frame)))
    }

    /// Judges a call that returned no frame, after `delivered` others, when `to` bytes were fed.
    ///
    /// `from` bytes had been fed at the call before.
    pub(crate) fn judge_wait(
        &self,
        delivered: usize,
        from: usize,
        to: usize,
        result: &Result<(), E>,
    ) -> Result<(), Finding> {
        let due = &self.frames[delivered..self.due(to).max(delivered)];
        let rejection = self.rejection(to);
        let error = result.as_ref().err();
        if due.is_empty() && error == rejection {
            return Ok(());
        }
        let difference = if self.rejection(from).is_some() {
            Difference::AfterError
        } else if error.is_some() != rejection.is_some() {
            Difference::ErrorTime
        } else if due.is_empty() {
            Difference::Content
        } else {
            Difference::FrameTime
        };
        let due: Vec<&F> = due.iter().map(|(_, frame)| frame).collect();
        let expected = (due, rejection.map_or(Ok(()), Err));
        Err(Finding::of_values(
            difference,
            to,
            &expected,
            &(&[(); 0], result),
        ))
    }

    /// Judges the call that ends the stream, after all `len` bytes.
    pub(crate) fn judge_finish(&self, len: usize, call: &Call<'_, F, E>) -> Result<(), Finding> {
        let (difference, result) = match &self.outcome {
            Outcome::Clean => (Difference::End, Ok(())),
            Outcome::Truncated(error) => (Difference::End, Err(error)),
            Outcome::Rejected { error, .. } => (Difference::AfterError, Err(error)),
        };
        if call.frames == self.at_end && call.result.as_ref().err() == result.err() {
            return Ok(());
        }
        let (expected, actual) = ((&self.at_end, result), (call.frames, call.result));
        Err(Finding::of_values(
            difference,
            len,
            &format_args!("at the end {expected:?}"),
            &format_args!("at the end {actual:?}"),
        ))
    }

    /// Returns how many bytes a framer must hold while it is fed the bytes `from..to`: those of
    /// the frame that is incomplete at `from`, and the chunk.
    pub(crate) fn need(&self, from: usize, to: usize) -> usize {
        let due = self.due(from);
        let start = due.checked_sub(1).map_or(0, |last| self.frames[last].0);
        to - start
    }

    /// Returns how many frames must have been emitted after `offset` bytes.
    fn due(&self, offset: usize) -> usize {
        self.frames.partition_point(|&(end, _)| end <= offset)
    }

    /// Returns the error that every call returns after `offset` bytes, if any.
    fn rejection(&self, offset: usize) -> Option<&E> {
        match &self.outcome {
            Outcome::Rejected { at, error } if *at <= offset => Some(error),
            _ => None,
        }
    }
}

/// Judges how many bytes a framer holds after `offset` bytes, when `most` is the largest number that
/// it has had to hold: a buffer that grows by doubling may hold twice that, and one that grew while
/// consumed bytes were still at its front three times.
pub(crate) fn judge_held(offset: usize, most: usize, held: Option<usize>) -> Result<(), Finding> {
    let most = 3 * most + SLACK;
    match held {
        Some(held) if held > most => Err(Finding::new(
            Difference::Held,
            offset,
            format!("at most {most} bytes held"),
            format!("{held} bytes held"),
        )),
        _ => Ok(()),
    }
}

/// Makes the finding of a reader that stopped before the stream did, after `offset` bytes.
#[cfg(feature = "std")]
pub(crate) fn stopped_early<E: Debug>(offset: usize, result: &Result<(), E>) -> Finding {
    let difference = match result {
        Ok(()) => Difference::Content,
        Err(_) => Difference::ErrorTime,
    };
    Finding::new(
        difference,
        offset,
        "more bytes are read",
        format!("{result:?}"),
    )
}
