//! Isolates what frames and errors do when they are compared, printed and dropped.

use core::mem;

use super::finding::Finding;
use super::isolate::Calls;
#[cfg(feature = "std")]
use super::isolate::isolate_as;
use super::judge::Call;
use crate::subject::Frames;

const RETURN: &str = "`==`, `Debug` and `drop` of frames and errors return";

/// Calls the `==`, `Debug` and `drop` of frames and errors after `offset` bytes.
#[cfg(feature = "std")]
pub(crate) fn isolate_values<T>(
    offset: usize,
    judge: impl FnOnce() -> Result<T, Finding>,
) -> Result<T, Finding> {
    isolate_as(RETURN, offset, judge)?
}

/// Judges a value of the user, and drops it.
#[inline]
pub(crate) fn judge_value<V, T>(
    calls: &Calls,
    value: V,
    judge: impl FnOnce(&V) -> Result<T, Finding>,
) -> Result<T, Finding> {
    match calls.next(RETURN) {
        Ok(()) => judge(&value),
        Err(finding) => {
            // Its drop may be what does not return.
            mem::forget(value);
            Err(finding)
        }
    }
}

/// Judges what a call returned, and drops it.
#[inline]
pub(crate) fn judge_values<F, E>(
    calls: &Calls,
    frames: &mut Frames<F>,
    result: Result<(), E>,
    judge: impl FnOnce(&Call<'_, F, E>) -> Result<(), Finding>,
) -> Result<(), Finding> {
    judge_value(calls, result, |result| {
        let judged = judge(&Call {
            frames: &frames[..],
            result,
        });
        frames.clear();
        judged
    })
}
