//! Checks that cost is in proportion to the bytes. The only check with a clock.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use super::finding::{Difference, Finding};
use super::isolate::isolate;
use crate::case::Case;
use crate::report::Violation;
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// The lengths of the shorter streams, in bytes. The last is too long to be fed byte by byte.
const LENGTHS: [usize; 6] = [1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18];
/// How many times as long the longer stream is.
const TIMES: u8 = 4;
/// From this ratio of the times on, the cost is not in proportion: halfway, by ratio, between 4 for
/// cost in proportion and 16 for a framer that reads all earlier bytes again for each byte.
const TOO_LONG: f64 = 8.0;
/// If a stream takes this long byte by byte, no longer ones are tried.
const ENOUGH: Duration = Duration::from_millis(20);
/// The same for a stream that is fed as one chunk: shorter, as no part of it can be timed alone.
const ENOUGH_WHOLE: Duration = Duration::from_millis(8);
/// How many bytes are timed at once when they are fed byte by byte.
const LAP: usize = 256;
/// How many copies of a chunk are allowed for. A large copy is slower, byte for byte, than a small
/// one: its memory is new to the process, and in no cache.
const COPIES: u32 = 8;
/// How many tries a ratio is based on.
const TRIES: usize = 5;
/// How many times a ratio that is too large is measured anew before it is reported. Other work may
/// have slowed the machine down while the longer stream was fed, and not while the shorter one was.
const AGAIN: u32 = 4;
/// How long to wait before each of these, so that other work may end.
const PAUSE: Duration = Duration::from_millis(40);

/// Compares the time for a stream with the time for one four times as long, both fed byte by byte,
/// and both as one chunk. `stream` makes a stream of about the requested number of bytes.
pub(crate) fn linear<S: Subject>(
    make: impl Fn() -> S,
    stream: impl Fn(usize) -> Vec<u8>,
) -> Result<(), Violation> {
    let mut compared = false;
    for feeding in [Feeding::ByteByByte, Feeding::Whole] {
        for &len in feeding.lengths() {
            let (short, long) = (stream(len), stream(usize::from(TIMES) * len));
            // A stream of whole frames cannot have every length.
            let least = short.len().max(1);
            if !(3 * least..=5 * least).contains(&long.len()) {
                continue;
            }
            compared = true;
            let mut times = Times::measure(feeding, &short, &long, &make)?;
            let mut again = 0;
            while times.ratio() >= TOO_LONG {
                if again == AGAIN {
                    return Err(feeding.too_long(times.ratio(), &short, &long));
                }
                again += 1;
                thread::sleep(PAUSE);
                times = Times::measure(feeding, &short, &long, &make)?;
            }
            if times.long.sum() >= feeding.enough() {
                break;
            }
        }
    }
    assert!(
        compared,
        "the streams do not grow with the requested length: return about as many bytes as requested"
    );
    Ok(())
}

/// How a stream is fed.
#[derive(Clone, Copy)]
enum Feeding {
    ByteByByte,
    /// As one chunk.
    Whole,
}

impl Feeding {
    fn lengths(self) -> &'static [usize] {
        match self {
            Self::ByteByByte => &LENGTHS[..LENGTHS.len() - 1],
            Self::Whole => &LENGTHS,
        }
    }

    fn enough(self) -> Duration {
        match self {
            Self::ByteByByte => ENOUGH,
            Self::Whole => ENOUGH_WHOLE,
        }
    }

    /// Makes the violation of a longer stream that takes `ratio` times as long as a shorter one.
    fn too_long(self, ratio: f64, short: &[u8], long: &[u8]) -> Violation {
        let (short_len, long_len) = (short.len(), long.len());
        let how = match self {
            Self::ByteByByte => "one byte at a time",
            Self::Whole => "in one chunk",
        };
        let finding = Finding::new(
            Difference::Cost,
            short_len,
            format!("{how}, {long_len} bytes take about {TIMES} times as long as {short_len}"),
            format!("they take {ratio:.1} times as long"),
        );
        self.violation(finding, short)
    }

    fn violation(self, finding: Finding, stream: &[u8]) -> Violation {
        let split = match self {
            Self::ByteByByte => Split::bytes(stream.len()),
            Self::Whole => Split::whole(),
        };
        Violation::without_expectation(finding, &Case::new(stream, split))
    }
}

/// The least times for two streams.
struct Times {
    feeding: Feeding,
    /// Of the shorter stream; as a whole, of feeding it to [`TIMES`] framers.
    short: Laps,
    long: Laps,
    /// Of a copy of the longer stream.
    copy: Duration,
}

impl Times {
    fn measure<S: Subject>(
        feeding: Feeding,
        short: &[u8],
        long: &[u8],
        make: impl Fn() -> S,
    ) -> Result<Self, Violation> {
        let laps = |stream: &[u8]| match feeding {
            Feeding::ByteByByte => stream.len().div_ceil(LAP),
            Feeding::Whole => 1,
        };
        let mut times = Self {
            feeding,
            short: Laps::new(laps(short)),
            long: Laps::new(laps(long)),
            copy: Duration::MAX,
        };
        // A long stream may be a little shorter than several short ones.
        let mut frames = Frames::for_stream(2 * long.len());
        for _ in 0..TRIES {
            match feeding {
                Feeding::ByteByByte => {
                    times.short.byte_by_byte(make(), short)?;
                    times.long.byte_by_byte(make(), long)?;
                }
                Feeding::Whole => {
                    let start = Instant::now();
                    black_box(long.to_vec());
                    times.copy = start.elapsed().min(times.copy);
                    // Both take about as long: other work on the machine slows both down alike.
                    times.short.whole(&make, TIMES, short, &mut frames)?;
                    times.long.whole(&make, 1, long, &mut frames)?;
                }
            }
        }
        Ok(times)
    }

    /// Returns how many times as long the longer stream takes.
    fn ratio(&self) -> f64 {
        let long = self.long.sum();
        match self.feeding {
            Feeding::ByteByByte => long.div_duration_f64(self.short.sum()),
            Feeding::Whole => {
                let in_proportion = self.short.sum() + COPIES * self.copy;
                f64::from(TIMES) * long.div_duration_f64(in_proportion)
            }
        }
    }
}

/// The least time over all tries of each part of a stream. Other work on the machine only adds to a
/// time, and rarely to the same part in every try.
struct Laps(Vec<Duration>);

impl Laps {
    fn new(count: usize) -> Self {
        Self(vec![Duration::MAX; count])
    }

    /// Feeds the stream byte by byte.
    fn byte_by_byte<S: Subject>(&mut self, mut subject: S, stream: &[u8]) -> Result<(), Violation> {
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
            laps.map_err(|finding| Feeding::ByteByByte.violation(finding, stream))?;
            black_box(&frames);
        }
        black_box(subject);
        Ok(())
    }

    /// Feeds the stream as one chunk to each of `count` framers. All of them, and their frames, are
    /// kept to the end, so that a long stream needs no more memory than several short ones.
    fn whole<S: Subject>(
        &mut self,
        make: impl Fn() -> S,
        count: u8,
        stream: &[u8],
        frames: &mut Frames<S::Frame>,
    ) -> Result<(), Violation> {
        let mut subjects: Vec<S> = (0..count).map(|_| make()).collect();
        frames.clear();
        let start = Instant::now();
        for subject in &mut subjects {
            let fed = isolate(stream.len(), || drop(subject.feed(stream, frames)));
            fed.map_err(|finding| Feeding::Whole.violation(finding, stream))?;
        }
        self.0[0] = start.elapsed().min(self.0[0]);
        black_box((subjects, &frames));
        Ok(())
    }

    fn sum(&self) -> Duration {
        // Never zero, even if the clock is coarse.
        self.0.iter().sum::<Duration>().max(Duration::from_nanos(1))
    }
}
