//! Prints the first table of `docs/performance.md`: the reference framer compared with
//! tokio-util's codec and `memcpy`, interleaved in one run.

mod contestants;

use std::time::{Duration, Instant};

use contestants::{Contestant, SIZES, Stream, decoders, encoders};

/// Number of runs of each contestant on each stream, interleaved with the others.
const ROUNDS: usize = 2001;

fn main() {
    println!(
        "| body, bytes | tokio-util decodes a frame in | `decode` | `feed` | `walk` | `walk` to memcpy \
         | tokio-util encodes a frame in | `encode` | `encode_header` |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for size in SIZES {
        let stream = Stream::new(size);
        let [peer_decode, decode, feed, walk, memcpy] = medians(decoders(&stream));
        let [peer_encode, encode, header] = medians(encoders(&stream));
        let frame = |stream_time: f64| stream_time / f64::from(stream.frames);
        println!(
            "| {size} | {:.1} ns | {:.2} | {:.2} | {:.3} | {:.2} | {:.1} ns | {:.2} | {:.2} |",
            frame(peer_decode),
            decode / peer_decode,
            feed / peer_decode,
            walk / peer_decode,
            walk / memcpy,
            frame(peer_encode),
            encode / peer_encode,
            header / peer_encode,
        );
    }
}

/// Returns the median time of each contestant for the stream, in nanoseconds.
fn medians<const N: usize>(mut contestants: [Contestant<'_>; N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (times, (_, run)) in times.iter_mut().zip(&mut contestants) {
            // Loads the stream into the cache, where it is after a read.
            run();
            let start = Instant::now();
            run();
            times.push(start.elapsed());
        }
    }
    times.map(|mut times: Vec<Duration>| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64() * 1e9
    })
}
