//! Runs a framer over one split of a stream, and judges every call.

use alloc::vec::Vec;

use super::end::end;
use super::finding::{Difference, Finding};
use super::input::Input;
use super::isolate::{Calls, Guarded, RETURNS, isolate, isolate_calls};
use super::judge::{At, judge_held};
use super::values::judge_values;
use crate::case::Interruption;
use crate::door::Value;
use crate::expected::{Expected, Outcome};
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// Feeds the chunks of `split`, with an empty chunk before each and after the last if
/// `interruption` says so, and ends the stream. After an error the remaining chunks are fed all the
/// same, unless the caller stops at the first error. Returns the number of calls of `feed`.
pub(crate) fn run<S: Subject>(
    subject: S,
    split: &Split,
    interruption: Interruption,
    input: &Input<'_, S::Frame, S::Error>,
) -> Result<u64, Finding> {
    if interruption == Interruption::EmptyChunk {
        let mut chunks = between_empty_chunks(split, input.stream);
        feed(subject, &mut chunks, input)
    } else {
        feed(subject, &mut split.chunks(input.stream), input)
    }
}

pub(crate) fn between_empty_chunks<'a>(
    split: &'a Split,
    stream: &'a [u8],
) -> impl Iterator<Item = &'a [u8]> {
    let empty = &stream[..0];
    let chunks = split.chunks(stream);
    chunks.flat_map(move |chunk| [empty, chunk]).chain([empty])
}

/// Feeds chunks, which may be empty, and ends the stream.
pub(crate) fn feed<'a, S: Subject>(
    subject: S,
    chunks: &mut dyn Iterator<Item = &'a [u8]>,
    input: &'a Input<'a, S::Frame, S::Error>,
) -> Result<u64, Finding> {
    let mut subject = Guarded::new(subject);
    let feeds = feed_all(&mut *subject, chunks, input)?;
    subject.release("the framer's `drop` returns", input.stream.len())?;
    Ok(feeds)
}

// What follows knows no type of a framer, so that it is compiled once for each type of frame and
// error.

fn feed_all<'a, F: Value, E: Value>(
    subject: &mut dyn Subject<Frame = F, Error = E>,
    chunks: &mut dyn Iterator<Item = &'a [u8]>,
    input: &'a Input<'a, F, E>,
) -> Result<u64, Finding> {
    let mut run = Run {
        input,
        frames: Guarded::new(Frames::for_expected(input.stream.len(), &input.expected)),
        subject,
        emitted: 0,
        initial: 0,
        from: At::START,
        to: At::START,
        most: 0,
        feeds: 0,
    };
    run.all(chunks)?;
    Ok(run.feeds)
}

struct Run<'s, 'a, F, E> {
    input: &'a Input<'a, F, E>,
    subject: &'s mut dyn Subject<Frame = F, Error = E>,
    frames: Guarded<Frames<F>>,
    /// How many frames the last call emitted.
    emitted: usize,
    /// How many bytes it held before it was fed.
    initial: usize,
    /// Where the last chunk begins and ends.
    from: At,
    to: At,
    /// The largest number of bytes that it has had to hold.
    most: usize,
    /// The number of calls of `feed`.
    feeds: u64,
}

impl<'a, F: Value, E: Value> Run<'_, 'a, F, E> {
    fn all(&mut self, chunks: &mut dyn Iterator<Item = &'a [u8]>) -> Result<(), Finding> {
        let judged = isolate_calls(0, |calls| self.feed_all(calls, chunks));
        judged.map_err(|finding| match finding.difference {
            Difference::MissingFrame if self.comes_later(chunks) => finding.late(),
            Difference::MissingFrame => finding.lost(),
            _ => finding,
        })
    }

    fn feed_all(
        &mut self,
        calls: &Calls,
        chunks: &mut dyn Iterator<Item = &'a [u8]>,
    ) -> Result<(), Finding> {
        calls.next(RETURNS)?;
        self.initial = self.subject.buffered_bytes().unwrap_or(0);
        for chunk in chunks {
            self.feed(calls, chunk)?;
            let rejected = self.input.expected.rejection(self.to.offset).is_some();
            if rejected && self.input.caller_stops() {
                return Ok(());
            }
        }
        let most = self.input.held(self.most, self.initial);
        end(calls, self.subject, &mut self.frames, most, self.input)
    }

    fn feed(&mut self, calls: &Calls, chunk: &[u8]) -> Result<(), Finding> {
        let expected = &self.input.expected;
        self.from = self.to;
        self.to = expected.advance(self.from, chunk.len());
        self.feeds += 1;
        self.most = self.most.max(expected.need(self.from, self.to));
        calls.at(self.to.offset);
        calls.next(RETURNS)?;
        let result = self.subject.feed(chunk, &mut self.frames);
        let held = self.subject.buffered_bytes();
        self.emitted = self.frames.len();
        judge_values(calls, &mut self.frames, result, |call| {
            expected.judge_feed(self.from, self.to, call)
        })?;
        let most = self.input.held(self.most, self.initial);
        judge_held(self.to.offset, most, held)
    }

    /// Returns whether the frames that were missing after the last chunk are emitted later: with the
    /// next chunks, no bytes, or as many bytes more, one at a time.
    fn comes_later(&mut self, chunks: &mut dyn Iterator<Item = &'a [u8]>) -> bool {
        let (stream, expected) = (self.input.stream, &self.input.expected);
        let mut missing = &expected.frames[self.from.due + self.emitted..];
        let more = &stream[..missing.len().min(stream.len())];
        let followed = isolate(self.to.offset, || {
            for chunk in chunks.chain([&stream[..0]]).chain(more.chunks(1)) {
                self.frames.clear();
                let result = self.subject.feed(chunk, &mut self.frames);
                for frame in &**self.frames {
                    match missing.split_first() {
                        Some(((_, next), rest)) if next == frame => missing = rest,
                        Some(_) => return false,
                        None => return true,
                    }
                }
                if result.is_err() {
                    break;
                }
            }
            missing.is_empty()
        });
        matches!(followed, Ok(true))
    }
}

/// Records what a framer emits for one split: each frame with the end of its chunk. Fails if it gets
/// stuck.
pub(crate) fn record<S: Subject>(
    subject: S,
    stream: &[u8],
    split: &Split,
) -> Result<Expected<S::Frame, S::Error>, Finding> {
    let mut subject = Guarded::new(subject);
    let expected = record_all(&mut *subject, stream, split)?;
    if !matches!(expected.outcome, Outcome::Rejected { .. }) {
        subject.release("the framer's `drop` returns", stream.len())?;
    }
    Ok(expected)
}

fn record_all<F: Value, E: Value>(
    subject: &mut dyn Subject<Frame = F, Error = E>,
    stream: &[u8],
    split: &Split,
) -> Result<Expected<F, E>, Finding> {
    let mut expected = Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let mut at = 0;
    for chunk in split.chunks(stream) {
        at += chunk.len();
        let mut emitted = Frames::for_stream(at);
        let result = isolate(at, || subject.feed(chunk, &mut emitted))?;
        let frames = emitted.into_iter().map(|frame| (at, frame));
        expected.frames.extend(frames);
        if let Err(error) = result {
            expected.outcome = Outcome::Rejected { at, error };
            return Ok(expected);
        }
    }
    let mut emitted = Frames::for_stream(at);
    let result = isolate(at, || subject.finish(&mut emitted))?;
    expected.at_end.extend(emitted);
    if let Err(error) = result {
        expected.outcome = Outcome::Truncated(error);
    }
    Ok(expected)
}
