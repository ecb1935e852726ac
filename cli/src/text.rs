//! Numbers in messages: counts with their noun, and rates.

use std::time::Duration;

/// Returns a count with its noun, of which the plural is regular: `1 feed`, `2 feeds`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Returns a total time and the rate per second: `in 1.5 s, 200 per second`.
pub(crate) fn pace(count: u64, time: Duration) -> String {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let rate = count.saturating_mul(1000) / milliseconds.max(1);
    format!("in {:.1} s, {rate} per second", time.as_secs_f64())
}
