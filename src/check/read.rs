//! Runs a framer that reads from a reader over one split of a stream, and judges what it returns.

use alloc::format;
use alloc::vec::Vec;
use core::fmt::Debug;

use super::finding::{Difference, Finding};
use super::input::Input;
use super::isolate::{Guarded, isolate};
use super::judge::{Call, stopped_early};
use super::values::isolate_values;
use crate::case::Interruption;
use crate::expected::{Expected, Outcome};
use crate::split::Split;
use crate::subject::{ChunkReader, most_frames};

/// Calls `next` until it returns no frame, or an error, and then again. It must return what is
/// expected, and must not wait for more bytes while a frame or an error is due. Returns the number
/// of chunks.
pub(crate) fn run<F: PartialEq + Debug, E: PartialEq + Debug>(
    mut next: impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    split: &Split,
    interruption: Interruption,
    input: &Input<'_, F, E>,
) -> Result<u64, Finding> {
    let mut run = Run {
        input,
        interruption,
        reader: ChunkReader::new(input.stream, split, interruption),
        delivered: 0,
        at_end: Vec::new(),
    };
    let result = run.all(&mut next);
    let offset = run.reader.offset();
    let dropped = isolate(offset, move || drop((next, run)));
    result.and(dropped)?;
    Ok(split.chunks(input.stream).count() as u64)
}

struct Run<'a, F, E> {
    input: &'a Input<'a, F, E>,
    interruption: Interruption,
    reader: ChunkReader<'a>,
    /// How many of the expected frames have been returned.
    delivered: usize,
    /// The frames after these.
    at_end: Vec<F>,
}

/// What a call of a reader returned.
type Returned<F, E> = Result<Option<F>, E>;

impl<F: PartialEq + Debug, E: PartialEq + Debug> Run<'_, F, E> {
    fn all(
        &mut self,
        next: &mut impl FnMut(&mut ChunkReader<'_>) -> Returned<F, E>,
    ) -> Result<(), Finding> {
        let result = loop {
            let returned = Guarded::new(self.call(next)?);
            let (expected, offset) = (&self.input.expected, self.reader.offset());
            for wait in self.reader.take_waits() {
                let judged = isolate_values(wait, || {
                    Ok(expected.judge_wait(self.delivered, 0, wait, None))
                })?;
                judged.map_err(|finding| match finding.difference {
                    Difference::MissingFrame | Difference::ErrorTime
                        if self.comes_later(&finding, &returned, next) =>
                    {
                        finding.late()
                    }
                    Difference::MissingFrame => finding.lost(),
                    _ => finding,
                })?;
            }
            let expected = &self.input.expected;
            match returned.into_inner() {
                Ok(Some(frame)) if self.expects_frame() => {
                    let delivered = self.delivered;
                    isolate_values(offset, move || {
                        expected.judge_frame(delivered, 0, offset, &frame)
                    })?;
                    self.delivered += 1;
                }
                Ok(Some(frame)) if self.at_end.len() <= expected.at_end.len() => {
                    self.at_end.push(frame);
                }
                Ok(_) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let result = Guarded::new(result);
        let offset = self.reader.offset();
        isolate_values(offset, || self.judge_end(&result))?;
        if result.is_err() && self.input.caller_stops() {
            return Ok(());
        }
        for _ in 0..2 {
            let returned = self.call(next)?;
            isolate_values(offset, || self.judge_again(returned))?;
        }
        Ok(())
    }

    /// Calls `next` until it returns something else than `WouldBlock`, which it correctly returns to
    /// its caller.
    fn call(
        &mut self,
        next: &mut impl FnMut(&mut ChunkReader<'_>) -> Returned<F, E>,
    ) -> Result<Returned<F, E>, Finding> {
        loop {
            self.reader.begin();
            let returned = isolate(0, || next(&mut self.reader))
                .map_err(|finding| finding.at(self.reader.offset()))?;
            if !self.is_blocked(&returned) {
                return Ok(returned);
            }
        }
    }

    /// Returns whether a call returned an error because a read would block.
    fn is_blocked(&self, returned: &Returned<F, E>) -> bool {
        self.interruption == Interruption::WouldBlock && returned.is_err() && self.reader.resume()
    }

    /// Returns whether the next frame is one of the expected ones, or one too many before an error.
    fn expects_frame(&self) -> bool {
        let expected = &self.input.expected;
        self.delivered < expected.frames.len()
            || matches!(expected.outcome, Outcome::Rejected { .. })
    }

    /// Judges the call that returned no frame.
    fn judge_end(&self, result: &Result<(), E>) -> Result<(), Finding> {
        let (len, expected) = (self.input.stream.len(), &self.input.expected);
        let offset = self.reader.offset();
        let decided = match expected.outcome {
            Outcome::Rejected { at, .. } => at,
            Outcome::Clean | Outcome::Truncated(_) => len,
        };
        if offset < decided {
            return Err(stopped_early(offset, result));
        }
        if let Outcome::Rejected { .. } = expected.outcome {
            let judged = expected.judge_wait(self.delivered, 0, offset, result.as_ref().err());
            return judged.map_err(|finding| match finding.difference {
                Difference::MissingFrame => finding.lost(),
                _ => finding,
            });
        }
        let all = expected.judge_wait(self.delivered, 0, len, None);
        all.map_err(Finding::lost)?;
        let frames = &self.at_end[..];
        expected.judge_finish(len, &Call { frames, result })
    }

    /// Judges a call after the one that returned no frame: it must return the same.
    fn judge_again(&self, returned: Returned<F, E>) -> Result<(), Finding> {
        let (frame, result) = match returned {
            Ok(frame) => (frame, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let (frames, result) = (frame.as_slice(), &result);
        let what = "when it is called again";
        let offset = self.reader.offset();
        let expected = &self.input.expected;
        expected.judge_after_end(offset, what, &Call { frames, result })
    }

    /// Returns whether the frames or the error that were missing while the reader waited are returned
    /// by the end of the stream. `returned` is what it returned after it had waited.
    fn comes_later(
        &mut self,
        missing: &Finding,
        returned: &Returned<F, E>,
        next: &mut impl FnMut(&mut ChunkReader<'_>) -> Returned<F, E>,
    ) -> bool {
        let Expected {
            frames, outcome, ..
        } = &*self.input.expected;
        let is_last = |last: &Returned<F, E>| match (missing.difference, outcome, last) {
            (Difference::ErrorTime, Outcome::Rejected { error, .. }, Err(last)) => last == error,
            (Difference::ErrorTime, ..) => false,
            _ => true,
        };
        let followed = isolate(0, || {
            let mut delivered = self.delivered;
            let mut following;
            let mut last = returned;
            loop {
                match last {
                    Ok(Some(frame)) if frames.get(delivered).is_some_and(|(_, it)| it == frame) => {
                        delivered += 1;
                    }
                    last if self.is_blocked(last) => {}
                    _ => return delivered == frames.len() && is_last(last),
                }
                self.reader.begin();
                following = next(&mut self.reader);
                last = &following;
            }
        });
        matches!(followed, Ok(true))
    }
}

/// Records what `next` returns for one split. Fails if it gets stuck, or returns a frame before it
/// has read anything.
pub(crate) fn record<F, E>(
    next: &mut impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<Guarded<Expected<F, E>>, Finding> {
    let mut reader = ChunkReader::new(stream, split, interruption);
    let mut expected = Guarded::new(Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    });
    loop {
        let most = most_frames(reader.offset());
        if expected.frames.len() + expected.at_end.len() > most {
            return Err(Finding::new(
                Difference::Stuck,
                reader.offset(),
                format!("at most {most} frames"),
                "frames without end",
            ));
        }
        reader.begin();
        let returned =
            isolate(0, || next(&mut reader)).map_err(|finding| finding.at(reader.offset()))?;
        match returned {
            Ok(Some(frame)) if reader.at_end() => expected.at_end.push(frame),
            Ok(Some(frame)) if reader.offset() == 0 => {
                drop(Guarded::new(frame));
                let expected = "no frame before the first byte is read";
                return Err(Finding::new(Difference::Stuck, 0, expected, "a frame"));
            }
            Ok(Some(frame)) => expected.frames.push((reader.offset(), frame)),
            Ok(None) => return Ok(expected),
            Err(error) => {
                let at = reader.offset();
                expected.outcome = if reader.at_end() {
                    Outcome::Truncated(error)
                } else {
                    Outcome::Rejected { at, error }
                };
                return Ok(expected);
            }
        }
    }
}

/// Returns whether two results have equal frames and equal errors, at whatever offsets.
#[cfg(feature = "tokio")]
pub(crate) fn same_values<F: PartialEq, E: PartialEq>(
    left: &Expected<F, E>,
    right: &Expected<F, E>,
) -> bool {
    fn frames<F, E>(it: &Expected<F, E>) -> impl Iterator<Item = &F> {
        it.frames.iter().map(|(_, frame)| frame).chain(&it.at_end)
    }
    fn error<F, E>(it: &Expected<F, E>) -> Option<&E> {
        match &it.outcome {
            Outcome::Clean => None,
            Outcome::Truncated(error) | Outcome::Rejected { error, .. } => Some(error),
        }
    }
    let same = || frames(left).eq(frames(right)) && error(left) == error(right);
    matches!(isolate(0, same), Ok(true))
}

/// Polls a framer that reads asynchronously until it returns, once for each call of `next`.
///
/// With [`Interruption::Dropped`] the future is dropped whenever its read is pending, and a new one
/// is made, as `select!` and timeouts do.
#[cfg(feature = "tokio")]
pub(crate) fn blocking<F, E>(
    mut next: impl AsyncFnMut(&mut crate::subject::AsyncChunkReader<'_, '_>) -> Result<Option<F>, E>,
    len: usize,
    interruption: Interruption,
) -> impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E> {
    use super::executor::Executor;
    use crate::subject::AsyncChunkReader;

    let mut executor = Executor::new(len, interruption == Interruption::Dropped);
    move |reader| loop {
        let pended = reader.pended();
        let mut reader = AsyncChunkReader(reader);
        let future = core::pin::pin!(next(&mut reader));
        if let Some(returned) = executor.run(future, pended) {
            return returned;
        }
    }
}
