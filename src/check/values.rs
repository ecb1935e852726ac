//! Isolates what frames and errors do when they are compared, printed and dropped.

use super::finding::Finding;
use super::isolate::isolate_as;
use super::judge::Call;
use crate::subject::Frames;

/// Calls the `==`, `Debug` and `drop` of frames and errors after `offset` bytes.
pub(crate) fn isolate_values<T>(
    offset: usize,
    judge: impl FnOnce() -> Result<T, Finding>,
) -> Result<T, Finding> {
    let expected = "`==`, `Debug` and `drop` of frames and errors return";
    isolate_as(expected, offset, judge)?
}

/// Judges what a call returned, and drops it.
pub(crate) fn judge_values<F, E>(
    offset: usize,
    frames: &mut Frames<F>,
    result: Result<(), E>,
    judge: impl FnOnce(&Call<'_, F, E>) -> Result<(), Finding>,
) -> Result<(), Finding> {
    isolate_values(offset, move || {
        let judged = judge(&Call {
            frames: &frames[..],
            result: &result,
        });
        drop(result);
        frames.clear();
        judged
    })
}
