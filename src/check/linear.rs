//! Holds a subject to cost in proportion to the bytes. It is the one check with a
//! clock, and looks at no frame.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use std::time::{Duration, Instant};

use super::guard::guard;
use super::{Property, Violation};
use crate::case::Case;
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// The shorter streams that are tried, in bytes.
const LENGTHS: [usize; 5] = [1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16];
/// How many times as long as the shorter stream the longer is.
const TIMES: usize = 4;
/// How many times as long it must take to be held against the subject: halfway, by
/// ratio, between 4 where the cost is in proportion and 16 where each byte reads
/// again all before it.
const TOO_LONG: f64 = 8.0;
/// Behind a stream that takes this long there is no longer one.
const ENOUGH: Duration = Duration::from_millis(20);
/// How many bytes are timed at once.
const LAP: usize = 256;
/// How many tries a ratio is made of at least.
const TRIES: usize = 5;
/// How many times as many tries it takes to hold it against the subject.
const ROUNDS: usize = 5;

/// Checks that one byte at a time costs in proportion to the bytes: a stream of
/// four times the length takes about four times as long, and not sixteen.
///
/// `stream` makes a stream of about as many bytes as it is asked for, from 256 to
/// 262144, of any kind: one body, small frames, a header without an end, what is
/// refused. Nothing is expected of frames and errors, and after an error the
/// remaining bytes are fed all the same.
///
/// In short streams, what each call costs hides what is done again with each byte.
/// So they grow, until one is 262144 bytes long or takes 20 milliseconds, and what
/// shows only in longer ones is not found. That aside, no time decides, but a ratio
/// of two from the same tries.
///
/// ```
/// use everysplit::check;
/// use everysplit::reference::{Config, Framer, Header};
///
/// let config = Config::default();
/// let one_body = |len| {
///     let mut stream = vec![b'x'; len];
///     let header = config.encode_header(1, 0, len - Header::LEN).unwrap();
///     stream[..Header::LEN].copy_from_slice(&header);
///     stream
/// };
/// check::linear(|| Framer::new(config), one_body)?;
/// # Ok::<(), check::Violation>(())
/// ```
///
/// # Errors
///
/// [`Property::Linear`], with the shorter stream of the first two that show it.
///
/// # Panics
///
/// When no stream is longer than another as it should be: three to five times as
/// long where four times the bytes are asked for.
pub fn linear<S: Subject>(
    make: impl Fn() -> S,
    stream: impl Fn(usize) -> Vec<u8>,
) -> Result<(), Violation> {
    let mut compared = false;
    for len in LENGTHS {
        let (short, long) = (stream(len), stream(TIMES * len));
        // Whole frames do not come in all lengths.
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
            return Err(violation(short, long.len(), ratio));
        }
        if long_laps.sum() >= ENOUGH {
            break;
        }
    }
    assert!(
        compared,
        "the streams do not grow as they should: make them of about the lengths asked for"
    );
    Ok(())
}

/// The least times, in any try, of a stream's parts of [`LAP`] bytes. Other work on
/// the machine only adds to a time, and hardly to the same part in every try.
struct Laps(Vec<Duration>);

impl Laps {
    fn new(stream: &[u8]) -> Self {
        Self(vec![Duration::MAX; stream.len().div_ceil(LAP)])
    }

    /// Feeds the stream to a subject, a byte at a time.
    fn run<S: Subject>(&mut self, mut subject: S, stream: &[u8]) -> Result<(), Violation> {
        let mut frames = Frames::for_stream(LAP);
        for (lap, least) in stream.chunks(LAP).zip(&mut self.0) {
            frames.clear();
            let start = Instant::now();
            let laps = guard(stream.len(), || {
                for byte in lap.chunks(1) {
                    let _ = subject.feed(byte, &mut frames);
                }
            });
            *least = start.elapsed().min(*least);
            laps.map_err(|found| found.in_stream(stream, Split::bytes(stream.len())))?;
            black_box(&frames);
        }
        black_box(subject);
        Ok(())
    }

    fn sum(&self) -> Duration {
        // Not nothing, even where the clock is coarse.
        self.0.iter().sum::<Duration>().max(Duration::from_nanos(1))
    }
}

fn violation(stream: Vec<u8>, long: usize, ratio: f64) -> Violation {
    let short = stream.len();
    Violation {
        property: Property::Linear,
        case: Case {
            stream,
            split: Split::bytes(short),
        },
        edges: Vec::new(),
        declared: Vec::new(),
        offset: short,
        expected: format!("{long} bytes take about {TIMES} times as long as {short}").into(),
        actual: format!("they take {ratio:.1} times as long").into(),
    }
}
