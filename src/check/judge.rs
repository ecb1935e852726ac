//! Compares one call of a framer with what is expected of it.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::iter;
use core::ops::Deref;

use super::finding::{Difference, Finding, excerpt};
use super::isolate::{Guarded, isolate};
use crate::deviation::Deviation;
use crate::expected::{Expected, Outcome};

/// The longest header of a frame, in bytes. After a longer one a framer may hold more than a frame
/// claims.
pub(crate) const LONGEST_HEADER: usize = 64;

/// What a call of a framer returned.
pub(crate) struct Call<'a, F, E> {
    pub(crate) frames: &'a [F],
    pub(crate) result: &'a Result<(), E>,
}

/// An offset of a stream, with the number of frames that must have been emitted after so many bytes.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) offset: usize,
    pub(crate) due: usize,
}

impl At {
    /// The beginning of each stream: no frame ends there.
    pub(crate) const START: Self = Self { offset: 0, due: 0 };
}

/// The expected result of a stream, and where a size limit is at stake in it.
pub struct Expectation<F, E> {
    pub(crate) expected: Guarded<Expected<F, E>>,
    pub(crate) limit: AtStake<E>,
    /// The length of the longest frame whose header the stream has, where it is known.
    pub(crate) longest_frame: Option<usize>,
    /// The bytes that would complete the frame inside which the stream ends, if they are known.
    pub(crate) unfinished: Option<Vec<u8>>,
}

/// Where a size limit is at stake.
pub(crate) struct AtStake<E> {
    /// The indices of the frames whose bodies have exactly the size of the limit, increasing.
    pub(crate) frames: Vec<usize>,
    /// Whether the stream is rejected because a body is over the limit.
    pub(crate) rejection: bool,
    /// Whether an error rejects a body over the limit, as far as it is known.
    pub(crate) errors: Option<LimitErrors<E>>,
}

/// Returns whether an error rejects a body over the size limit.
pub(crate) type LimitErrors<E> = Rc<dyn Fn(&E) -> bool>;

impl<E> AtStake<E> {
    /// No size limit is known.
    pub(crate) const NOWHERE: Self = Self {
        frames: Vec::new(),
        rejection: false,
        errors: None,
    };
}

impl<F, E> Deref for Expectation<F, E> {
    type Target = Expected<F, E>;

    fn deref(&self) -> &Expected<F, E> {
        &self.expected
    }
}

impl<F: PartialEq + Debug, E: PartialEq + Debug> Expectation<F, E> {
    /// Judges a call that fed the bytes `from..to`, after all earlier bytes were fed and judged.
    pub(crate) fn judge_feed(
        &self,
        from: At,
        to: At,
        call: &Call<'_, F, E>,
    ) -> Result<(), Finding> {
        let due = &self.frames[from.due..to.due];
        let rejection = self.rejection(to.offset);
        // Frames first: those before an error must be emitted with it.
        let same = due.iter().map(|(_, frame)| frame).eq(call.frames);
        let error = call.result.as_ref().err();
        if same && error == rejection {
            return Ok(());
        }
        Err(self.misfed(from, to, call))
    }

    /// Makes the finding of a call that fed the bytes `from..to`, and returned something else than
    /// expected.
    #[cold]
    fn misfed(&self, from: At, to: At, call: &Call<'_, F, E>) -> Finding {
        let coming = &self.frames[from.due..];
        let due = &self.frames[from.due..to.due];
        let rejection = self.rejection(to.offset);
        let error = call.result.as_ref().err();
        let emitted = call.frames.iter().take(due.len());
        let same = due.iter().map(|(_, frame)| frame).eq(call.frames);
        let accepted = due.iter().map(|(_, frame)| frame).eq(emitted);
        let coming = coming.iter().map(|(_, frame)| frame);
        let in_order = call.frames.iter().eq(coming.take(call.frames.len()));
        let difference = if self.rejection(from.offset).is_some() {
            Difference::AfterError
        } else if rejection.is_some() && error.is_none() && accepted {
            Difference::ErrorTime
        } else if !in_order {
            Difference::Content
        } else if error.is_some() != rejection.is_some() {
            self.misplaced(error)
        } else if call.frames.len() < due.len() {
            Difference::MissingFrame
        } else if !same {
            Difference::FrameTime
        } else {
            Difference::WrongError
        };
        let due: Vec<&F> = due.iter().map(|(_, frame)| frame).collect();
        let finding = Finding::of_values(
            difference,
            to.offset,
            &(due, rejection.map_or(Ok(()), Err)),
            &(call.frames, call.result),
        );
        self.complete(finding, from.due + call.frames.len(), error)
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
        let finding = Finding::of_values(
            difference,
            to,
            &(self.coming(delivered, to), self.result(to)),
            &([frame], Ok::<(), E>(())),
        );
        Err(self.complete(finding, delivered, None))
    }

    /// Judges a call that returned no frame but maybe an error, after `delivered` frames, when `to`
    /// bytes were fed.
    ///
    /// `from` bytes had been fed at the call before.
    pub(crate) fn judge_wait(
        &self,
        delivered: usize,
        from: usize,
        to: usize,
        error: Option<&E>,
    ) -> Result<(), Finding> {
        let rejection = self.rejection(to);
        let next = self.frames.get(delivered);
        if next.is_none_or(|&(end, _)| end > to) && error == rejection {
            return Ok(());
        }
        let due = self.coming(delivered, to);
        let difference = if self.rejection(from).is_some() {
            Difference::AfterError
        } else if error.is_some() != rejection.is_some() {
            self.misplaced(error)
        } else if due.is_empty() {
            Difference::WrongError
        } else {
            Difference::MissingFrame
        };
        let finding = Finding::of_values(
            difference,
            to,
            &(due, self.result(to)),
            &(&[(); 0], error.map_or(Ok(()), Err)),
        );
        Err(self.complete(finding, delivered, error))
    }

    /// Judges the call that ends the stream, after all `len` bytes.
    pub(crate) fn judge_finish(&self, len: usize, call: &Call<'_, F, E>) -> Result<(), Finding> {
        let difference = match &self.outcome {
            Outcome::Clean | Outcome::Truncated(_) => Difference::End,
            Outcome::Rejected { .. } => Difference::AfterError,
        };
        let result = self.final_result();
        if call.frames == self.at_end && call.result.as_ref().err() == result.err() {
            return Ok(());
        }
        Err(self.finding_at_end(difference, len, "at the end", &self.at_end, call))
    }

    /// Judges a call after the one that ended the stream: it must return no frame and the same result
    /// as that one; after an end inside a frame, it may return no error. `what` names the call.
    pub(crate) fn judge_after_end(
        &self,
        len: usize,
        what: &str,
        call: &Call<'_, F, E>,
    ) -> Result<(), Finding> {
        let result = self.final_result();
        let same = call.result.as_ref().err() == result.err();
        let reported = matches!(self.outcome, Outcome::Truncated(_)) && call.result.is_ok();
        if call.frames.is_empty() && (same || reported) {
            return Ok(());
        }
        let difference = match &self.outcome {
            Outcome::Clean => Difference::AfterEnd,
            Outcome::Truncated(_) | Outcome::Rejected { .. } => Difference::AfterError,
        };
        Err(self.finding_at_end(difference, len, what, &[], call))
    }

    /// Makes the finding of a call at the end or after it, which should have returned `frames`.
    #[cold]
    fn finding_at_end(
        &self,
        difference: Difference,
        len: usize,
        what: &str,
        frames: &[F],
        call: &Call<'_, F, E>,
    ) -> Finding {
        let expected = (frames, self.final_result());
        let actual = (call.frames, call.result);
        let finding = Finding::of_values(
            difference,
            len,
            &format_args!("{what} {expected:?}"),
            &format_args!("{what} {actual:?}"),
        );
        self.complete(finding, 0, None)
    }

    /// Adds to a finding whether a size limit is at stake, and the deviation to declare. The call
    /// emitted the frames before the frame `next`.
    fn complete(&self, finding: Finding, next: usize, error: Option<&E>) -> Finding {
        let by_limit = |error: &E| self.limit.errors.as_ref().is_some_and(|it| it(error));
        match finding.difference {
            Difference::ErrorTime | Difference::WrongError => {
                finding.at_stake(self.limit.rejection)
            }
            Difference::UnexpectedError if error.is_some_and(by_limit) => {
                finding.being(Difference::UnexpectedLimitError)
            }
            Difference::UnexpectedError => {
                let is_prefix =
                    matches!(self.outcome, Outcome::Truncated(_)) && next == self.frames.len();
                let difference = if is_prefix {
                    Difference::RejectedPrefix
                } else {
                    Difference::UnexpectedError
                };
                let limit = self.limit.frames.binary_search(&next).is_ok();
                finding.being(difference).at_stake(limit)
            }
            Difference::AfterError => finding.declare([Deviation::CallerStops]),
            _ => finding,
        }
    }

    /// Returns how an error that came, or did not come, differs from what was expected then.
    fn misplaced(&self, error: Option<&E>) -> Difference {
        match (&self.outcome, error) {
            (
                Outcome::Rejected {
                    error: expected, ..
                },
                Some(error),
            ) if error != expected => Difference::UnexpectedError,
            (Outcome::Rejected { .. }, _) | (_, None) => Difference::ErrorTime,
            (_, Some(_)) => Difference::UnexpectedError,
        }
    }

    /// Returns the text of a frame or an error that does not equal itself. A `==` or `Debug` that
    /// does not return is found where the framer's values are compared.
    #[expect(clippy::eq_op, reason = "it is not equal for every type")]
    pub(crate) fn unequal_to_itself(&self) -> Option<Box<str>> {
        let frames = self.frames.iter().map(|(_, frame)| frame);
        let mut frames = frames.chain(&self.at_end);
        let compare = || {
            let frame = frames.find(|&frame| frame != frame).map(|it| excerpt(it));
            let error = self.final_result().err().filter(|&error| error != error);
            frame.or_else(|| error.map(|it| excerpt(it)))
        };
        isolate(0, compare).ok()?
    }

    /// Returns the frames that must have been emitted after `to` bytes, without the first
    /// `delivered`.
    fn coming(&self, delivered: usize, to: usize) -> Vec<&F> {
        let coming = &self.frames[delivered..self.due(to).max(delivered)];
        coming.iter().map(|(_, frame)| frame).collect()
    }

    /// Returns the result of the call that ends the stream.
    fn final_result(&self) -> Result<(), &E> {
        match &self.outcome {
            Outcome::Clean => Ok(()),
            Outcome::Truncated(error) | Outcome::Rejected { error, .. } => Err(error),
        }
    }

    /// Returns the result of every call after `offset` bytes.
    fn result(&self, offset: usize) -> Result<(), &E> {
        self.rejection(offset).map_or(Ok(()), Err)
    }
}

impl<F, E> Expectation<F, E> {
    /// Takes an expected result in which no size limit is known.
    pub(crate) const fn of(expected: Guarded<Expected<F, E>>) -> Self {
        Self {
            expected,
            limit: AtStake::NOWHERE,
            longest_frame: None,
            unfinished: None,
        }
    }

    /// Returns an offset that no stream of `len` bytes can have for a frame or an error, or that is
    /// before the one of an earlier frame.
    pub(crate) fn misplaced_offset(&self, len: usize) -> Option<usize> {
        let rejected = match self.outcome {
            Outcome::Rejected { at, .. } => Some(at),
            Outcome::Clean | Outcome::Truncated(_) => None,
        };
        let frames = self.frames.iter().map(|&(at, _)| at);
        let mut least = 1;
        frames.chain(rejected).find(|&at| {
            let misplaced = !(least..=len).contains(&at);
            least = at;
            misplaced
        })
    }

    /// Returns how many bytes a framer must hold while it is fed the bytes `from..to`: those of
    /// the frame that is incomplete at `from`, and the chunk.
    pub(crate) fn need(&self, from: At, to: At) -> usize {
        to.offset - self.frame_start(from)
    }

    /// Returns where the frame begins that is incomplete at an offset.
    pub(crate) fn frame_start(&self, at: At) -> usize {
        let last = at.due.checked_sub(1);
        last.map_or(0, |last| self.frames[last].0)
    }

    /// Returns what is due after `offset` bytes.
    pub(crate) fn at(&self, offset: usize) -> At {
        let due = self.due(offset);
        At { offset, due }
    }

    /// Returns what is due after `bytes` more.
    pub(crate) fn advance(&self, At { offset, mut due }: At, bytes: usize) -> At {
        let offset = offset + bytes;
        while self.frames.get(due).is_some_and(|&(end, _)| end <= offset) {
            due += 1;
        }
        At { offset, due }
    }

    /// Returns the length of the longest frame, as far as lengths are known. Before a frame is
    /// complete, its header has claimed so many bytes.
    pub(crate) fn longest_frame(&self) -> usize {
        self.longest_frame
            .unwrap_or_else(|| *self.longest_frames().last().expect("it begins with 0"))
    }

    /// Returns for each number of frames, from 0, the length of the longest of the first so many: a
    /// framer has had to hold so many bytes.
    pub(crate) fn longest_frames(&self) -> Vec<usize> {
        let (mut longest, mut start) = (0, 0);
        let ends = self.frames.iter().map(|&(end, _)| {
            longest = longest.max(end - start);
            start = end;
            longest
        });
        iter::once(0).chain(ends).collect()
    }

    /// Returns how many frames must have been emitted after `offset` bytes.
    pub(crate) fn due(&self, offset: usize) -> usize {
        self.frames.partition_point(|&(end, _)| end <= offset)
    }

    /// Returns the error that every call returns after `offset` bytes, if any.
    pub(crate) fn rejection(&self, offset: usize) -> Option<&E> {
        match &self.outcome {
            Outcome::Rejected { at, error } if *at <= offset => Some(error),
            _ => None,
        }
    }
}

/// Judges how many bytes a framer holds after `offset` bytes, when it may hold `most`.
#[inline]
pub(crate) fn judge_held(offset: usize, most: usize, held: Option<usize>) -> Result<(), Finding> {
    match held {
        Some(held) if held > most => Err(Finding::new(
            Difference::Held,
            offset,
            format!("at most {most} bytes held"),
            format!("{held} bytes held"),
        )
        .declare([Deviation::Preallocates(
            held.checked_next_power_of_two().unwrap_or(held),
        )])),
        _ => Ok(()),
    }
}

/// Makes the finding of a reader that stopped before the stream did, after `offset` bytes.
#[cfg(feature = "std")]
pub(crate) fn stopped_early<E: Debug>(offset: usize, result: &Result<(), E>) -> Finding {
    let difference = match result {
        Ok(()) => Difference::Content,
        Err(_) => Difference::UnexpectedError,
    };
    Finding::new(
        difference,
        offset,
        "more bytes are read",
        format!("{result:?}"),
    )
}
