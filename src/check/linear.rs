//! Checks that cost is in proportion to the bytes. The only check with a clock.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use std::time::{Duration, Instant};

use super::finding::{Difference, Finding};
use super::isolate::isolate;
use crate::case::Case;
use crate::report::Violation;
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// The lengths of the shorter streams, in bytes.
const LENGTHS: [usize; 5] = [1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16];
/// How many times as long the longer stream is.
const TIMES: usize = 4;
/// From this ratio of the times on, the cost is not in proportion: halfway, by ratio, between 4 for
/// cost in proportion and 16 for a framer that reads all earlier bytes again for each byte.
const TOO_LONG: f64 = 8.0;
/// If a stream takes this long, no longer ones are tried.
const ENOUGH: Duration = Duration::from_millis(20);
/// How many bytes are timed at once.
const LAP: usize = 256;
/// How many tries a ratio is based on.
const TRIES: usize = 5;
/// How many rounds of tries it takes to report a violation.
const ROUNDS: usize = 5;

/// Compares the time for a stream with the time for one four times as long, fed byte by byte.
/// `stream` makes a stream of about the requested number of bytes.
pub(crate) fn linear<S: Subject>(
    make: impl Fn() -> S,
    stream: impl Fn(usize) -> Vec<u8>,
) -> Result<(), Violation> {
    let mut compared = false;
    for len in LENGTHS {
        let (short, long) = (stream(len), stream(TIMES * len));
        // A stream of whole frames cannot have every length.
        let least = short.len().max(1);
        if !(3 * least..=5 * least).contains(&long.len()) {
            continue;
        }
        compared = true;
        let (mut short_laps, mut long_laps) = (Laps::new(&short), Laps::new(&long));
        let mut ratio = f64::INFINITY;
        for _ in 0..ROUNDS {
            for _ in 0..TRIES {
                short_laps.run(make(), &short)?;
                long_laps.run(make(), &long)?;
            }
            ratio = long_laps.sum().div_duration_f64(short_laps.sum());
            if ratio < TOO_LONG {
                break;
            }
        }
        if ratio >= TOO_LONG {
            let (short_len, long_len) = (short.len(), long.len());
            return Err(violation(
                short,
                Finding::new(
                    Difference::Cost,
                    short_len,
                    format!("{long_len} bytes take about {TIMES} times as long as {short_len}"),
                    format!("they take {ratio:.1} times as long"),
                ),
            ));
        }
        if long_laps.sum() >= ENOUGH {
            break;
        }
    }
    assert!(
        compared,
        "the streams do not grow with the requested length: return about as many bytes as requested"
    );
    Ok(())
}

/// The least time over all tries of each part of [`LAP`] bytes. Other work on the machine only adds
/// to a time, and rarely to the same part in every try.
struct Laps(Vec<Duration>);

impl Laps {
    fn new(stream: &[u8]) -> Self {
        Self(vec![Duration::MAX; stream.len().div_ceil(LAP)])
    }

    /// Feeds the stream byte by byte.
    fn run<S: Subject>(&mut self, mut subject: S, stream: &[u8]) -> Result<(), Violation> {
        let mut frames = Frames::for_stream(stream.len());
        for (lap, least) in stream.chunks(LAP).zip(&mut self.0) {
            frames.clear();
            let start = Instant::now();
            let laps = isolate(stream.len(), || {
                for byte in lap.chunks(1) {
                    let _ = subject.feed(byte, &mut frames);
                }
            });
            *least = start.elapsed().min(*least);
            laps.map_err(|finding| violation(stream.to_vec(), finding))?;
            black_box(&frames);
        }
        black_box(subject);
        Ok(())
    }

    fn sum(&self) -> Duration {
        // Never zero, even if the clock is coarse.
        self.0.iter().sum::<Duration>().max(Duration::from_nanos(1))
    }
}

fn violation(stream: Vec<u8>, finding: Finding) -> Violation {
    let split = Split::bytes(stream.len());
    Violation::without_expectation(finding, &Case::new(stream, split))
}
