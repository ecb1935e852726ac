//! Prints how long the proof of a stream takes, and the ratio to the time of the bare calls
//! of the framer that the proof makes; and how much of it is for the splits that are replayed. Then
//! proofs of every stream, and checks on two threads.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use everysplit::oracle::Oracle;
use everysplit::reference::{Config, Decoder, FrameRef, Framer, Header, naive};
use everysplit::{Case, Certificate, Door, Harness, Split, SplitHarness, Tier, on_threads};

/// Bodies of at most two bytes, so that a short stream has many frames.
const SMALL: Config = Config {
    max_body_size: 2,
    ..Config::DEFAULT
};

/// Enough for all offsets of each stream.
const MAX_WORK: u64 = 1 << 40;

fn main() {
    fed();
    println!();
    caller_buffered();
    println!();
    every_stream();
    println!();
    threads();
}

fn fed() {
    println!("| fed: stream | proof | calls of `feed` | to bare calls | replays |");
    println!("|---|---:|---:|---:|---:|");
    for len in [256, 1024, 4096] {
        let (name, stream) = mixed(len);
        let config = Config::default();
        let harness = Harness::framer(move || Framer::new(config))
            .oracle(move |stream| naive::parse(config, stream))
            .max_work(MAX_WORK);
        let (time, proof) = least(|| harness.check(&stream));
        let (bare, ()) = least(|| bare_feeds(config, &stream));
        print_row(&name, &proof.unwrap(), time, bare, &harness, &stream);
    }
}

fn caller_buffered() {
    println!("| caller-buffered: stream | proof | calls of `decode` | to bare calls | replays |");
    println!("|---|---:|---:|---:|---:|");
    let mixed = [1 << 10, 4 << 10, 16 << 10, 64 << 10].map(mixed);
    let one_body = [256 << 10, 1 << 20].map(one_body);
    for (name, stream) in mixed.into_iter().chain(one_body) {
        let config = Config::default();
        let harness = Harness::decoder(move || Decoder::new(config))
            .oracle(move |stream| naive::parse(config, stream))
            .max_work(MAX_WORK);
        let (time, proof) = least(|| harness.check(&stream));
        let (bare, ()) = least(|| bare_decodes(config, &stream));
        print_row(&name, &proof.unwrap(), time, bare, &harness, &stream);
    }
}

fn print_row<T: Door, O: Oracle<T>>(
    name: &str,
    proof: &Certificate,
    time: Duration,
    bare: Duration,
    harness: &SplitHarness<T, O>,
    stream: &[u8],
) {
    println!(
        "| {name} | {time:.1?} | {} | {:.2} | {} |",
        proof.calls,
        time.as_secs_f64() / bare.as_secs_f64(),
        replays(harness, stream, proof),
    );
}

fn every_stream() {
    println!("| every stream of up to | proof | streams of that length | calls | states |");
    println!("|---|---:|---:|---:|---:|");
    for longest in [16, 28, 40] {
        let harness = Harness::framer(|| Framer::new(SMALL)).max_work(MAX_WORK);
        let (time, every) = least(|| harness.every_stream(longest));
        let every = every.unwrap();
        println!(
            "| {longest} bytes | {time:.1?} | {} | {} | {} |",
            every.streams, every.calls, every.states
        );
    }
}

fn threads() {
    println!("| on two threads | one thread | two | ratio |");
    println!("|---|---:|---:|---:|");
    let harness = || Harness::framer(|| Framer::new(Config::default())).max_work(MAX_WORK);
    print_threads("fed, 2048 bytes, mixed frames", move || {
        harness().check(&mixed(2048).1).unwrap();
    });
    let harness = || Harness::decoder(|| Decoder::new(Config::default())).max_work(MAX_WORK);
    print_threads("caller-buffered, 16384 bytes, mixed frames", move || {
        harness().check(&mixed(16384).1).unwrap();
    });
    print_threads("100000 random splits of 512 bytes", || {
        let config = Config::default();
        let harness = Harness::decoder(move || Decoder::new(config))
            .oracle(move |stream| naive::parse(config, stream));
        harness.sampled(&mixed(512).1, 0, 100_000).unwrap();
    });
    print_threads("every stream of up to 28 bytes", || {
        let harness = Harness::framer(|| Framer::new(SMALL)).max_work(MAX_WORK);
        harness.every_stream(28).unwrap();
    });
}

fn print_threads(name: &str, run: impl Fn() + Copy + Send + Sync + 'static) {
    let [one, two] = [1, 2].map(|threads| least(|| on_threads(threads, run)).0);
    let ratio = one.as_secs_f64() / two.as_secs_f64();
    println!("| {name} | {one:.2?} | {two:.2?} | {ratio:.2} |");
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

/// Returns a stream of frames of many sizes, with its name. The last frame is truncated.
fn mixed(len: usize) -> (String, BytesMut) {
    let sizes = [0, 5, 64, 1, 200, 17, 33, 0, 100, 12, 500, 3];
    let mut stream = BytesMut::new();
    for size in sizes.into_iter().cycle() {
        if stream.len() >= len {
            break;
        }
        encode(size, &mut stream);
    }
    stream.truncate(len);
    (format!("{len} bytes, mixed frames"), stream)
}

/// Returns a stream of one frame, with its name.
fn one_body(len: usize) -> (String, BytesMut) {
    let mut stream = BytesMut::new();
    encode(len - Header::LEN, &mut stream);
    (format!("{len} bytes, one frame"), stream)
}

fn encode(size: usize, stream: &mut BytesMut) {
    let (cmd, recv, body) = (1, 0, &vec![b'x'; size][..]);
    let frame = FrameRef { cmd, recv, body };
    Config::default().encode(frame, stream).unwrap();
}

/// Makes the same calls as the proof, on clones of the framer as the proof does.
fn bare_feeds(config: Config, stream: &[u8]) {
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

/// Makes the same calls as the proof, on clones of the decoder, with one buffer for the calls that
/// follow one another.
fn bare_decodes(config: Config, stream: &[u8]) {
    let mut buffer = BytesMut::new();
    let mut waits_at_start = true;
    for end in 0..=stream.len() {
        if waits_at_start {
            buffer.extend_from_slice(&stream[buffer.len()..end]);
        } else {
            buffer = BytesMut::from(&stream[..end]);
        }
        let mut decoder = Decoder::new(config);
        while let Some(frame) = {
            decoder = decoder.clone();
            decoder.decode(&mut buffer).unwrap()
        } {
            black_box(frame);
        }
        waits_at_start = buffer.len() == end;
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
