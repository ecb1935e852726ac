//! Runs a framer that reads from a reader over one split of a stream, and judges what it returns.

use alloc::vec::Vec;
use core::fmt::Debug;

use super::finding::{Difference, Finding};
use super::input::Input;
use super::isolate::isolate;
use super::judge::{Call, stopped_early};
use crate::case::Interruption;
use crate::expected::{Expected, Outcome};
use crate::split::Split;
use crate::subject::ChunkReader;

/// Calls `next` until it returns no frame, or an error. It must return what is expected, and must
/// not wait for more bytes while a frame or an error is due. Returns the number of chunks.
pub(crate) fn run<F: PartialEq + Debug, E: PartialEq + Debug>(
    next: &mut impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    split: &Split,
    interruption: Interruption,
    input: &Input<'_, F, E>,
) -> Result<u64, Finding> {
    let (len, expected) = (input.stream.len(), &input.expected);
    let mut reader = ChunkReader::new(input.stream, split, interruption);
    let (mut delivered, mut at_end) = (0, Vec::new());
    loop {
        let returned =
            isolate(0, || next(&mut reader)).map_err(|finding| finding.at(reader.offset()))?;
        if reader.take_blocked() && returned.is_err() {
            // The framer correctly returned `WouldBlock` to its caller.
            continue;
        }
        for offset in reader.take_waits() {
            expected.judge_wait(delivered, 0, offset, &Ok(()))?;
        }
        let result = match returned {
            Ok(Some(frame)) if delivered < expected.frames.len() => {
                expected.judge_frame(delivered, 0, reader.offset(), &frame)?;
                delivered += 1;
                continue;
            }
            Ok(Some(frame)) if at_end.len() <= expected.at_end.len() => {
                at_end.push(frame);
                continue;
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        let decided = match expected.outcome {
            Outcome::Rejected { at, .. } => at,
            Outcome::Clean | Outcome::Truncated(_) => len,
        };
        if reader.offset() < decided {
            return Err(stopped_early(reader.offset(), &result));
        }
        if let Outcome::Rejected { .. } = expected.outcome {
            expected.judge_wait(delivered, 0, reader.offset(), &result)?;
        } else {
            let (frames, result) = (&at_end[..], &result);
            expected.judge_finish(len, &Call { frames, result })?;
        }
        return Ok(split.chunks(input.stream).count() as u64);
    }
}

/// Records what `next` returns for one split. Fails if it gets stuck.
pub(crate) fn record<F, E>(
    next: &mut impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    stream: &[u8],
    split: &Split,
) -> Result<Expected<F, E>, Finding> {
    let mut reader = ChunkReader::new(stream, split, Interruption::None);
    let mut expected = Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    // A frame takes at least one byte.
    for _ in 0..=stream.len() + 1 {
        let returned =
            isolate(0, || next(&mut reader)).map_err(|finding| finding.at(reader.offset()))?;
        match returned {
            Ok(Some(frame)) if reader.at_end() => expected.at_end.push(frame),
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
    Err(Finding::new(
        Difference::Stuck,
        reader.offset(),
        "at most one frame per byte",
        "frames without end",
    ))
}

/// Polls a framer that reads asynchronously until it returns, once for each call of `next`.
///
/// With [`Interruption::Dropped`] the future is dropped whenever it is pending, and a new one is
/// made, as `select!` and timeouts do.
#[cfg(feature = "tokio")]
pub(crate) fn blocking<F, E>(
    mut next: impl AsyncFnMut(&mut crate::subject::AsyncChunkReader<'_, '_>) -> Result<Option<F>, E>,
    len: usize,
    interruption: Interruption,
) -> impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E> {
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use crate::subject::{AsyncChunkReader, PATIENCE};

    // The reader is pending once per chunk.
    let mut polls = 0..len + PATIENCE;
    move |reader| loop {
        let mut reader = AsyncChunkReader(reader);
        let mut future = pin!(next(&mut reader));
        loop {
            assert!(polls.next().is_some(), "pending {} times", polls.end);
            match future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(returned) => return returned,
                Poll::Pending if interruption == Interruption::Dropped => break,
                Poll::Pending => {}
            }
        }
    }
}
