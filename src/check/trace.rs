//! Runs a subject over one split of a stream and writes down what it did. It
//! does not judge.

use alloc::vec::Vec;

use crate::split::Split;
use crate::subject::Subject;

/// What a subject did with a stream under one split.
#[derive(Clone, Debug)]
pub struct Trace<'a, F, E> {
    /// The stream.
    pub stream: &'a [u8],
    /// How it was cut.
    pub split: &'a Split,
    /// One for each call of `feed`, in order. After an error the remaining
    /// chunks are fed all the same.
    pub steps: Vec<Step<E>>,
    /// Every frame that came out, in order.
    pub frames: Vec<F>,
    /// What `finish` returned.
    pub end: Result<(), E>,
}

/// What one call of `feed` did.
#[derive(Clone, Debug)]
pub struct Step<E> {
    /// How many bytes of the stream were in after it.
    pub offset: usize,
    /// How many frames were out after it.
    pub frames: usize,
    /// What it returned.
    pub result: Result<(), E>,
    /// How many bytes of memory the subject held after it.
    pub held: usize,
}

/// Feeds `stream`, cut by `split`, to `subject`.
pub fn trace<'a, S: Subject>(
    subject: S,
    stream: &'a [u8],
    split: &'a Split,
) -> Trace<'a, S::Frame, S::Error> {
    record(subject, stream, split, split.chunks(stream))
}

/// Feeds `stream`, cut by `split`, with an empty chunk before each chunk and
/// after the last.
pub fn trace_with_empty_chunks<'a, S: Subject>(
    subject: S,
    stream: &'a [u8],
    split: &'a Split,
) -> Trace<'a, S::Frame, S::Error> {
    let empty = &stream[..0];
    let chunks = split.chunks(stream).flat_map(|chunk| [empty, chunk]);
    record(subject, stream, split, chunks.chain([empty]))
}

fn record<'a, S: Subject>(
    mut subject: S,
    stream: &'a [u8],
    split: &'a Split,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> Trace<'a, S::Frame, S::Error> {
    let mut frames = Vec::new();
    let mut offset = 0;
    let steps = chunks
        .map(|chunk| {
            offset += chunk.len();
            let result = subject.feed(chunk, &mut frames);
            Step {
                offset,
                frames: frames.len(),
                result,
                held: subject.held(),
            }
        })
        .collect();
    let end = subject.finish();
    Trace {
        stream,
        split,
        steps,
        frames,
        end,
    }
}
