//! Runs a framer over one split of a stream, and judges every call.

use alloc::vec::Vec;

use super::finding::Finding;
use super::input::Input;
use super::isolate::isolate;
use super::judge::{Call, judge_held};
use crate::case::Interruption;
use crate::expected::{Expected, Outcome};
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// Feeds the chunks of `split`, with an empty chunk before each and after the last if
/// `interruption` says so, and ends the stream. After an error the remaining chunks are fed all
/// the same. Returns the number of calls of `feed`.
pub(crate) fn run<S: Subject>(
    subject: S,
    split: &Split,
    interruption: Interruption,
    input: &Input<'_, S::Frame, S::Error>,
) -> Result<u64, Finding> {
    let stream = input.stream;
    let chunks = split.chunks(stream);
    if interruption == Interruption::EmptyChunk {
        let empty = &stream[..0];
        feed(
            subject,
            chunks.flat_map(|chunk| [empty, chunk]).chain([empty]),
            input,
        )
    } else {
        feed(subject, chunks, input)
    }
}

fn feed<'a, S: Subject>(
    mut subject: S,
    chunks: impl Iterator<Item = &'a [u8]>,
    input: &Input<'_, S::Frame, S::Error>,
) -> Result<u64, Finding> {
    let (len, expected) = (input.stream.len(), &input.expected);
    let (mut offset, mut most, mut feeds) = (0, 0, 0);
    let mut frames = Frames::for_stream(len);
    for chunk in chunks {
        let from = offset;
        offset += chunk.len();
        feeds += 1;
        frames.clear();
        let call = || (subject.feed(chunk, &mut frames), subject.buffered_bytes());
        let (result, held) = &isolate(offset, call)?;
        let frames = &frames[..];
        expected.judge_feed(from, offset, &Call { frames, result })?;
        most = most.max(expected.need(from, offset));
        judge_held(offset, most, *held)?;
    }
    frames.clear();
    let result = &isolate(offset, || subject.finish(&mut frames))?;
    let frames = &frames[..];
    expected.judge_finish(len, &Call { frames, result })?;
    Ok(feeds)
}

/// Records what a framer emits for one split: each frame with the end of its chunk. Fails if it gets
/// stuck.
pub(crate) fn record<S: Subject>(
    mut subject: S,
    stream: &[u8],
    split: &Split,
) -> Result<Expected<S::Frame, S::Error>, Finding> {
    let mut emitted = Frames::for_stream(stream.len());
    let mut expected = Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let mut at = 0;
    for chunk in split.chunks(stream) {
        at += chunk.len();
        emitted.clear();
        let result = isolate(at, || subject.feed(chunk, &mut emitted))?;
        let frames = emitted.iter().map(|frame| (at, frame.clone()));
        expected.frames.extend(frames);
        if let Err(error) = result {
            expected.outcome = Outcome::Rejected { at, error };
            return Ok(expected);
        }
    }
    emitted.clear();
    let result = isolate(stream.len(), || subject.finish(&mut emitted))?;
    expected.at_end.extend(emitted);
    if let Err(error) = result {
        expected.outcome = Outcome::Truncated(error);
    }
    Ok(expected)
}
