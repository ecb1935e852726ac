//! A pass that makes the bytes of a violation's stream smaller.

use alloc::vec::Vec;
use core::ops::Range;

use super::SHORT;
use super::search::Search;

/// Makes bytes smaller: ranges of them 0, half of the stream first; then each value of a short stream
/// wherever it occurs, and each byte.
pub(super) fn lower(search: &mut Search<'_>) {
    let len = search.stream().len();
    let mut size = len;
    while size > 1 {
        for from in (0..len).step_by(size) {
            if search.is_over() {
                return;
            }
            replace(search, from..len.min(from + size), |_| true, 0);
        }
        size /= 2;
    }
    if len <= SHORT {
        for at in 0..len {
            lower_value(search, at);
            lower_byte(search, at);
        }
    }
}

/// Replaces all bytes of the same value as the one at an offset.
fn lower_value(search: &mut Search<'_>, at: usize) {
    let len = search.stream().len();
    let value = search.stream()[at];
    if search.stream()[..at].contains(&value) {
        return;
    }
    for simpler in simpler(search, value) {
        if replace(search, 0..len, |byte| byte == value, simpler) {
            return;
        }
    }
}

/// Makes the byte at an offset smaller until no smaller one violates the property.
fn lower_byte(search: &mut Search<'_>, at: usize) {
    while {
        let mut values = simpler(search, search.stream()[at]).into_iter();
        values.any(|value| replace(search, at..at + 1, |_| true, value))
    } {}
}

/// Replaces bytes of a range. Returns whether that is a smaller violation.
fn replace(
    search: &mut Search<'_>,
    range: Range<usize>,
    is_replaced: impl Fn(u8) -> bool,
    value: u8,
) -> bool {
    let mut stream = search.stream().to_vec();
    for byte in &mut stream[range] {
        if is_replaced(*byte) {
            *byte = value;
        }
    }
    let split = search.split().clone();
    search.try_case(&stream, &split)
}

/// Returns values that are smaller than a byte: 0, 1, those that occur in the stream, then those that
/// differ by half of it, a quarter and so on.
fn simpler(search: &Search<'_>, value: u8) -> Vec<u8> {
    let mut letters: Vec<u8> = search.stream().to_vec();
    letters.extend([0, 1]);
    letters.retain(|&letter| letter < value);
    letters.sort_unstable();
    letters.dedup();
    let differences = core::iter::successors(Some(value / 2), |half| Some(half / 2));
    let differences = differences.take_while(|&half| half > 0);
    letters.extend(differences.map(|half| value - half));
    letters
}
