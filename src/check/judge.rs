//! Holds one call of a subject to what is expected of it there. How the call
//! came about is not its business.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::fmt::Debug;

use super::{Expected, Outcome, Property, Violation};
use crate::case::Case;
use crate::split::Split;

/// How many bytes a subject may hold for nothing.
const SLACK: usize = 64;

/// A violation that does not know its stream yet.
pub(super) struct Found {
    property: Property,
    offset: usize,
    expected: Box<str>,
    actual: Box<str>,
}

impl Found {
    /// Puts it at the end of a path through `stream`: the offsets at which chunks
    /// end, last first. The same offset twice is an empty chunk.
    pub(super) fn on_path(self, stream: &[u8], path: impl Iterator<Item = usize>) -> Violation {
        let mut cuts: Vec<usize> = path.collect();
        let empty = cuts.windows(2).any(|pair| pair[0] == pair[1]);
        cuts.retain(|&cut| cut < stream.len());
        let split = Split::new(cuts);
        if empty {
            self.with_empty_chunks(stream, split)
        } else {
            self.in_stream(stream, split)
        }
    }

    /// Blames the empty chunks for what was found with some between the others. A call
    /// that does not return as it should, and one that forgets an error, are told as
    /// such.
    pub(super) fn with_empty_chunks(self, stream: &[u8], split: Split) -> Violation {
        let mut violation = self.in_stream(stream, split);
        if !matches!(violation.property, Property::Progress | Property::Poisoned) {
            violation.property = Property::EmptyChunk;
        }
        violation
    }

    /// Tells what is said of it in words.
    #[cold]
    pub(super) fn told(property: Property, offset: usize, expected: &str, actual: &str) -> Self {
        Self {
            property,
            offset,
            expected: expected.into(),
            actual: actual.into(),
        }
    }

    /// Moves it to where the call turned out to be.
    #[cfg(feature = "std")]
    pub(super) fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }

    pub(super) fn in_stream(self, stream: &[u8], split: Split) -> Violation {
        let property = match self.property {
            // No split is to blame.
            Property::EverySplit if split.cuts().is_empty() => Property::RoundTrip,
            property => property,
        };
        let stream = stream.to_vec();
        Violation {
            property,
            case: Case { stream, split },
            edges: Vec::new(),
            declared: Vec::new(),
            offset: self.offset,
            expected: self.expected,
            actual: self.actual,
        }
    }
}

/// What a call of a subject gave.
pub(super) struct Call<'a, F, E> {
    pub(super) frames: &'a [F],
    pub(super) result: &'a Result<(), E>,
}

impl<F: Eq + Debug, E: Eq + Debug> Expected<F, E> {
    /// Judges a call that fed the bytes `from..to` after all before them were
    /// fed and judged.
    pub(super) fn judge_feed(
        &self,
        from: usize,
        to: usize,
        call: &Call<'_, F, E>,
    ) -> Result<(), Found> {
        let coming = &self.frames[self.due(from)..];
        let due = &coming[..coming.partition_point(|&(end, _)| end <= to)];
        let refusal = self.refusal(to);
        // Frames first: those before an error must be out with it.
        let same = due.iter().map(|(_, frame)| frame).eq(call.frames);
        let error = call.result.as_ref().err();
        if same && error == refusal {
            return Ok(());
        }
        // The frames before what had to be refused, and what came of that.
        let given = call.frames.iter().take(due.len());
        let accepted = due.iter().map(|(_, frame)| frame).eq(given);
        let coming = coming.iter().map(|(_, frame)| frame);
        let in_order = call.frames.iter().eq(coming.take(call.frames.len()));
        let property = if self.refusal(from).is_some() {
            Property::Poisoned
        } else if refusal.is_some() && error.is_none() && accepted {
            Property::Limit
        } else if !in_order {
            Property::EverySplit
        } else if error.is_some() != refusal.is_some() {
            Property::Limit
        } else if !same {
            Property::Prompt
        } else {
            Property::EverySplit
        };
        let due: Vec<&F> = due.iter().map(|(_, frame)| frame).collect();
        Err(found(
            property,
            to,
            &(due, refusal.map_or(Ok(()), Err)),
            &(call.frames, call.result),
        ))
    }

    /// Judges a frame that came out, after `delivered` others, with the bytes up
    /// to `to` in.
    pub(super) fn judge_frame(&self, delivered: usize, to: usize, frame: &F) -> Result<(), Found> {
        let coming = self.frames.get(delivered);
        if coming.is_some_and(|(end, coming)| *end <= to && coming == frame) {
            return Ok(());
        }
        let property = match coming {
            Some((_, coming)) if coming == frame => Property::Prompt,
            None if self.refusal(to).is_some() => Property::Poisoned,
            _ => Property::EverySplit,
        };
        let due = coming.filter(|(end, _)| *end <= to).map(|(_, frame)| frame);
        Err(found(property, to, &due, &Some(frame)))
    }

    /// Judges that no frame came out, after `delivered` others, with the bytes up
    /// to `to` in, or an error.
    pub(super) fn judge_wait(
        &self,
        delivered: usize,
        to: usize,
        result: &Result<(), E>,
    ) -> Result<(), Found> {
        let due = &self.frames[delivered..self.due(to).max(delivered)];
        let refusal = self.refusal(to);
        let error = result.as_ref().err();
        if due.is_empty() && error == refusal {
            return Ok(());
        }
        let property = if error.is_some() != refusal.is_some() {
            Property::Limit
        } else if due.is_empty() {
            Property::EverySplit
        } else {
            Property::Prompt
        };
        let due: Vec<&F> = due.iter().map(|(_, frame)| frame).collect();
        let expected = (due, refusal.map_or(Ok(()), Err));
        Err(found(property, to, &expected, &(&[(); 0], result)))
    }

    /// Judges the call that told the subject of the end, after all `len` bytes.
    pub(super) fn judge_finish(&self, len: usize, call: &Call<'_, F, E>) -> Result<(), Found> {
        let (property, result) = match &self.outcome {
            Outcome::Clean => (Property::Truncation, Ok(())),
            Outcome::Truncated(error) => (Property::Truncation, Err(error)),
            Outcome::Rejected { error, .. } => (Property::Poisoned, Err(error)),
        };
        if call.frames == self.at_end && call.result.as_ref().err() == result.err() {
            return Ok(());
        }
        let (expected, actual) = ((&self.at_end, result), (call.frames, call.result));
        Err(found(
            property,
            len,
            &format_args!("at the end {expected:?}"),
            &format_args!("at the end {actual:?}"),
        ))
    }

    /// Returns how many bytes a subject holds while it is fed the bytes `from..to`:
    /// those of the frame that is not whole at `from`, and the chunk.
    pub(super) fn need(&self, from: usize, to: usize) -> usize {
        let due = self.due(from);
        let start = due.checked_sub(1).map_or(0, |last| self.frames[last].0);
        to - start
    }

    /// Returns how many frames are out once `offset` bytes are in.
    fn due(&self, offset: usize) -> usize {
        self.frames.partition_point(|&(end, _)| end <= offset)
    }

    /// Returns the error that every call gives once `offset` bytes are in.
    fn refusal(&self, offset: usize) -> Option<&E> {
        match &self.outcome {
            Outcome::Rejected { at, error } if *at <= offset => Some(error),
            _ => None,
        }
    }
}

/// Judges what a subject holds after `offset` bytes, when `most` is the largest
/// number of bytes that it has had to hold: a buffer that grows by doubling may
/// hold twice that, and when it grew with as much taken off its front, three times.
pub(super) fn judge_held(offset: usize, most: usize, held: Option<usize>) -> Result<(), Found> {
    let most = 3 * most + SLACK;
    let Some(held) = held.filter(|&held| held > most) else {
        return Ok(());
    };
    let (expected, actual) = (
        format_args!("at most {most} bytes held"),
        format_args!("{held} bytes held"),
    );
    Err(found(Property::Memory, offset, &expected, &actual))
}

/// Tells of a framer that stopped before the stream did, after `offset` bytes.
#[cfg(feature = "std")]
pub(super) fn ended_early(offset: usize, result: &dyn Debug) -> Found {
    let (property, expected) = (Property::EverySplit, format_args!("more bytes are read"));
    found(property, offset, &expected, result)
}

#[cold]
fn found(property: Property, offset: usize, expected: &dyn Debug, actual: &dyn Debug) -> Found {
    Found {
        property,
        offset,
        expected: format!("{expected:?}").into(),
        actual: format!("{actual:?}").into(),
    }
}
