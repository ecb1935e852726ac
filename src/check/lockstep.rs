//! Runs a subject over one split of a stream and has every call judged.

use super::guard::guard;
use super::judge::{Call, Found, judge_held};
use super::{Expected, Property, Violation};
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// Checks a subject on one split of a stream, call by call: [`EverySplit`],
/// [`Prompt`], [`Limit`], [`Truncation`], [`Poisoned`], [`Memory`] and, with the
/// feature `std`, [`Progress`]. After an error the remaining chunks are fed all the
/// same.
///
/// # Errors
///
/// The first violation.
///
/// [`EverySplit`]: Property::EverySplit
/// [`Prompt`]: Property::Prompt
/// [`Limit`]: Property::Limit
/// [`Truncation`]: Property::Truncation
/// [`Poisoned`]: Property::Poisoned
/// [`Memory`]: Property::Memory
/// [`Progress`]: Property::Progress
pub fn split<S: Subject>(
    subject: S,
    stream: &[u8],
    split: &Split,
    expected: &Expected<S::Frame, S::Error>,
) -> Result<(), Violation> {
    run(subject, split.chunks(stream), stream.len(), expected)
        .map_err(|found| found.in_stream(stream, split.clone()))
}

/// Checks as [`split`] does that what was encoded comes back: `expected` holds
/// the frames that were encoded, with the lengths that the output then had.
///
/// # Errors
///
/// [`Property::RoundTrip`].
pub fn round_trip<S: Subject>(
    subject: S,
    stream: &[u8],
    split: &Split,
    expected: &Expected<S::Frame, S::Error>,
) -> Result<(), Violation> {
    self::split(subject, stream, split, expected).map_err(|violation| Violation {
        property: Property::RoundTrip,
        ..violation
    })
}

/// Checks that feeding no bytes changes nothing: what passes [`split`] passes
/// with an empty chunk before each chunk and after the last.
///
/// # Errors
///
/// [`Property::EmptyChunk`], or what [`split`] returns without empty chunks.
pub fn empty_chunk<S: Subject>(
    make: impl Fn() -> S,
    stream: &[u8],
    split: &Split,
    expected: &Expected<S::Frame, S::Error>,
) -> Result<(), Violation> {
    self::split(make(), stream, split, expected)?;
    let empty = &stream[..0];
    let chunks = split.chunks(stream).flat_map(|chunk| [empty, chunk]);
    run(make(), chunks.chain([empty]), stream.len(), expected)
        .map_err(|found| found.with_empty_chunks(stream, split.clone()))
}

fn run<'a, S: Subject>(
    mut subject: S,
    chunks: impl Iterator<Item = &'a [u8]>,
    len: usize,
    expected: &Expected<S::Frame, S::Error>,
) -> Result<(), Found> {
    let (mut offset, mut most) = (0, 0);
    let mut frames = Frames::for_stream(len);
    for chunk in chunks {
        let from = offset;
        offset += chunk.len();
        frames.clear();
        let call = || (subject.feed(chunk, &mut frames), subject.buffered_bytes());
        let (result, held) = &guard(offset, call)?;
        let frames = &frames[..];
        expected.judge_feed(from, offset, &Call { frames, result })?;
        most = most.max(expected.need(from, offset));
        judge_held(offset, most, *held)?;
    }
    frames.clear();
    let result = &guard(offset, || subject.finish(&mut frames))?;
    let frames = &frames[..];
    expected.judge_finish(len, &Call { frames, result })
}
