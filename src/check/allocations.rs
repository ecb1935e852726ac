//! Checks what a framer allocates, for framers that cannot report what they hold.

use alloc::format;

use super::finding::{Difference, Finding};
use super::isolate::isolate;
use crate::case::Case;
use crate::report::Violation;
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// How many bytes may be allocated for each byte that was fed: enough for a buffer that grows by
/// doubling and is copied as it does, a frame with a copy of its body, and the list of frames.
const PER_BYTE: u64 = 64;
/// How many bytes may be allocated without any input, such as a first buffer.
const FIXED: u64 = 16 * 1024;

/// What one call allocated, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// The largest amount at any one time, beyond what was allocated before the call.
    pub peak: u64,
    /// What was still allocated after the call, minus earlier allocations that it freed.
    pub kept: i64,
}

/// Feeds the chunks of a split and compares what `measure` counts with the bytes fed so far.
pub(crate) fn allocations<S: Subject>(
    mut subject: S,
    stream: &[u8],
    split: &Split,
    mut measure: impl FnMut(&mut dyn FnMut()) -> Allocated,
) -> Result<(), Violation> {
    let mut frames = Frames::for_stream(stream.len());
    let (mut offset, mut held) = (0, 0);
    for chunk in split.chunks(stream) {
        offset += chunk.len();
        let mut fed = Ok(());
        let Allocated { peak, kept } = measure(&mut || {
            frames.clear();
            fed = isolate(offset, || drop(subject.feed(chunk, &mut frames)));
        });
        let allocated = peak.saturating_add_signed(held);
        held += kept;
        fed.and_then(|()| judge(offset, allocated))
            .map_err(|finding| {
                Violation::without_expectation(finding, &Case::new(stream, split.clone()))
            })?;
    }
    Ok(())
}

fn judge(offset: usize, allocated: u64) -> Result<(), Finding> {
    let most = FIXED + PER_BYTE * offset as u64;
    if allocated <= most {
        return Ok(());
    }
    Err(Finding::new(
        Difference::Held,
        offset,
        format!("at most {most} bytes allocated"),
        format!("{allocated} bytes allocated"),
    ))
}
