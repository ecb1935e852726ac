//! Holds what a subject allocates to what it was fed, for those that cannot say what
//! they hold. It looks at no frame.

use alloc::format;

use super::guard::guard;
use super::judge::Found;
use super::{Property, Violation};
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// How many bytes may be allocated for one that was fed: for a buffer that grows by
/// doubling and is copied as it does, a frame with a copy of its body, and what frames
/// are kept in.
const FOR_A_BYTE: u64 = 64;
/// How many bytes may be allocated for nothing, such as a first buffer.
const FOR_NOTHING: u64 = 16 * 1024;

/// What was allocated during a call, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// At most, at any one time, beyond what was allocated before.
    pub most: u64,
    /// When the call was over, less what of before was freed.
    pub kept: i64,
}

/// Checks that the bytes that a framer allocates are bounded by the bytes that it was
/// fed, whatever a header claims: 64 for each, and 16 KiB on top. So a header that
/// claims some mebibytes shows a framer that makes room for them; the limit must
/// allow it. `measure` makes a call and counts, as the crate allocation-counter does.
/// An allocation that the system refuses ends the process.
///
/// ```
/// use everysplit::check::{self, Allocated};
/// use everysplit::Split;
/// use everysplit::reference::{Config, Framer};
///
/// let measure = |call: &mut dyn FnMut()| {
///     let counted = allocation_counter::measure(call);
///     Allocated { most: counted.bytes_max, kept: counted.bytes_current }
/// };
/// let stream = b"\0\0\x80\0"; // claims 8 MiB
/// check::memory(|| Framer::new(Config::DEFAULT), stream, &Split::whole(), measure)?;
/// # Ok::<(), check::Violation>(())
/// ```
///
/// # Errors
///
/// [`Property::Memory`] or [`Property::Progress`].
pub fn memory<S: Subject>(
    make: impl Fn() -> S,
    stream: &[u8],
    split: &Split,
    mut measure: impl FnMut(&mut dyn FnMut()) -> Allocated,
) -> Result<(), Violation> {
    let (mut subject, mut frames) = (make(), Frames::for_stream(stream.len()));
    let (mut offset, mut held) = (0, 0);
    for chunk in split.chunks(stream) {
        offset += chunk.len();
        let mut fed = Ok(());
        let Allocated { most, kept } = measure(&mut || {
            frames.clear();
            fed = guard(offset, || drop(subject.feed(chunk, &mut frames)));
        });
        let allocated = most.saturating_add_signed(held);
        held += kept;
        let most = FOR_NOTHING + FOR_A_BYTE * offset as u64;
        fed.and_then(|()| judge(offset, most, allocated))
            .map_err(|found| found.in_stream(stream, split.clone()))?;
    }
    Ok(())
}

fn judge(offset: usize, most: u64, allocated: u64) -> Result<(), Found> {
    if allocated <= most {
        return Ok(());
    }
    Err(Found::told(
        Property::Memory,
        offset,
        &format!("at most {most} bytes allocated"),
        &format!("{allocated} bytes allocated"),
    ))
}
