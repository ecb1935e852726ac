//! Prints how long the proof of a stream takes, and the ratio to the time of the bare calls
//! of the framer that the proof makes; and how much of it is for the splits that are replayed.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use everysplit::oracle::Oracle;
use everysplit::reference::{Config, Decoder, FrameRef, Framer, naive};
use everysplit::{Case, Certificate, Door, Harness, Split, SplitHarness, Tier};

/// Enough for all offsets of each stream.
const MAX_WORK: u64 = 1 << 36;

fn main() {
    println!(
        "| stream, bytes | fed | calls of `feed` | to bare calls | replays | caller-buffered | calls of `decode` | replays |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for len in [256, 1024, 4096, 16384] {
        let stream = stream(len);
        let config = Config::default();
        let parse = move |stream: &[u8]| naive::parse(config, stream);
        let decoder = Harness::decoder(move || Decoder::new(config)).oracle(parse);
        let decoder = decoder.max_work(MAX_WORK);
        let (decoder_time, proof) = least(|| decoder.check(&stream));
        let proof = proof.unwrap();
        let replays = replays(&decoder, &stream, &proof);
        let decodes = format!("{decoder_time:.1?} | {} | {replays}", proof.calls);
        if len > 4096 {
            println!("| {len} | | | | | {decodes} |");
            continue;
        }
        let framer = Harness::framer(move || Framer::new(config)).oracle(parse);
        let framer = framer.max_work(MAX_WORK);
        let (time, proof) = least(|| framer.check(&stream));
        let proof = proof.unwrap();
        let (bare, ()) = least(|| bare(config, &stream));
        println!(
            "| {len} | {time:.1?} | {} | {:.2} | {} | {decodes} |",
            proof.calls,
            time.as_secs_f64() / bare.as_secs_f64(),
            self::replays(&framer, &stream, &proof),
        );
    }
}

/// Runs as many splits as a proof replays, and of the same kinds. Returns their number and time.
fn replays<T: Door, O: Oracle<T>>(
    harness: &SplitHarness<T, O>,
    stream: &[u8],
    proof: &Certificate,
) -> String {
    let Tier::Proved { replayed, .. } = proof.tier else {
        panic!("{proof}");
    };
    let random = (2..replayed).map(|seed| Split::sample(stream.len(), &[], seed));
    let splits = [Split::whole(), Split::bytes(stream.len())].into_iter();
    let cases: Vec<Case> = splits
        .chain(random)
        .map(|split| Case::new(stream, split))
        .collect();
    let (time, ()) = least(|| {
        for case in &cases {
            harness.one_split(case).unwrap();
        }
    });
    format!("{replayed} in {time:.1?}")
}

/// Returns a stream of frames of many sizes. The last frame is truncated.
fn stream(len: usize) -> BytesMut {
    let sizes = [0, 5, 64, 1, 200, 17, 33, 0, 100, 12, 500, 3];
    let mut stream = BytesMut::new();
    for size in sizes.into_iter().cycle() {
        if stream.len() >= len {
            break;
        }
        let (cmd, recv, body) = (1, 0, &[b'x'; 500][..size]);
        let frame = FrameRef { cmd, recv, body };
        Config::default().encode(frame, &mut stream).unwrap();
    }
    stream.truncate(len);
    stream
}

/// Makes the same calls as the proof, on clones of the framer as the proof does.
fn bare(config: Config, stream: &[u8]) {
    let (mut at, mut frames) = (Framer::new(config), Vec::new());
    for from in 0..=stream.len() {
        for to in from..=stream.len() {
            let mut framer = at.clone();
            framer.feed(&stream[from..to], &mut frames).unwrap();
            black_box(&frames);
            frames.clear();
        }
        if let Some(byte) = stream.get(from..=from) {
            at.feed(byte, &mut frames).unwrap();
            frames.clear();
        }
    }
}

/// Returns the least time of three runs, and the result of that run.
fn least<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut time = || {
        let start = Instant::now();
        let outcome = run();
        (start.elapsed(), outcome)
    };
    let mut least = time();
    for _ in 0..2 {
        let next = time();
        if next.0 < least.0 {
            least = next;
        }
    }
    least
}
