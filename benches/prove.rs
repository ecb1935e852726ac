//! Prints how long the proof of a stream takes, and the ratios to the time of the calls that the proof
//! makes: of the bare calls, and of the calls with the comparisons of frames and states that no proof
//! can leave out; and how much of it is for the splits that are replayed. Then proofs of every stream,
//! and checks on two threads.

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use everysplit::oracle::Oracle;
use everysplit::reference::{Config, Decoder, Frame, FrameRef, Framer, Header, naive};
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
    println!(
        "| fed: stream | proof | calls of `feed` | to bare calls | to compared calls | replays |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for len in [256, 1024, 4096] {
        let (name, stream) = mixed(len);
        let config = Config::default();
        let harness = Harness::framer(move || Framer::new(config))
            .oracle(move |stream| naive::parse(config, stream))
            .max_work(MAX_WORK);
        let (time, proof) = least(|| harness.check(&stream));
        let (bare, ()) = least(|| bare_feeds(config, &stream));
        let (compared, ()) = least(|| compared_feeds(config, &stream));
        let times = [time, bare, compared];
        print_row(&name, &proof.unwrap(), times, &harness, &stream);
    }
}

fn caller_buffered() {
    println!(
        "| caller-buffered: stream | proof | calls of `decode` | to bare calls | to compared calls \
         | replays |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let mixed = [1 << 10, 4 << 10, 16 << 10, 64 << 10].map(mixed);
    let one_body = [256 << 10, 1 << 20].map(one_body);
    for (name, stream) in mixed.into_iter().chain(one_body) {
        let config = Config::default();
        let harness = Harness::decoder(move || Decoder::new(config))
            .oracle(move |stream| naive::parse(config, stream))
            .max_work(MAX_WORK);
        let (time, proof) = least(|| harness.check(&stream));
        let (bare, ()) = least(|| bare_decodes(config, &stream));
        let (compared, ()) = least(|| compared_decodes(config, &stream));
        let times = [time, bare, compared];
        print_row(&name, &proof.unwrap(), times, &harness, &stream);
    }
}

fn print_row<T: Door, O: Oracle<T>>(
    name: &str,
    proof: &Certificate,
    [time, bare, compared]: [Duration; 3],
    harness: &SplitHarness<T, O>,
    stream: &[u8],
) {
    println!(
        "| {name} | {time:.1?} | {} | {:.2} | {:.2} | {} |",
        proof.calls,
        time.as_secs_f64() / bare.as_secs_f64(),
        time.as_secs_f64() / compared.as_secs_f64(),
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

/// Makes the same calls as the proof, on clones of the framer as the proof does. After each call,
/// `check` gets the framer with the offsets and the frames of the call.
fn feeds(config: Config, stream: &[u8], mut check: impl FnMut(&Framer, Range<usize>, &[Frame])) {
    let mut frames = Vec::new();
    for (from, at) in states(config, stream).iter().enumerate() {
        for to in from..=stream.len() {
            let mut framer = at.clone();
            framer.feed(&stream[from..to], &mut frames).unwrap();
            check(&framer, from..to, &frames);
            frames.clear();
        }
    }
}

fn bare_feeds(config: Config, stream: &[u8]) {
    feeds(config, stream, |_, _, frames| {
        black_box(frames);
    });
}

fn compared_feeds(config: Config, stream: &[u8]) {
    let expected = naive::parse(config, stream).frames;
    let states = states(config, stream);
    let (mut due, mut at) = (0..0, 0);
    feeds(config, stream, |framer, Range { start, end }, frames| {
        if start != at {
            at = start;
            due.start = expected.partition_point(|&(end, _)| end <= start);
            due.end = due.start;
        }
        while expected.get(due.end).is_some_and(|&(next, _)| next <= end) {
            due.end += 1;
        }
        let due = expected[due.clone()].iter().map(|(_, frame)| frame);
        assert!(due.eq(frames) && *framer == states[end]);
    });
}

/// Returns the framer's state at each offset.
fn states(config: Config, stream: &[u8]) -> Vec<Framer> {
    let mut framer = Framer::new(config);
    let mut states = vec![framer.clone()];
    for byte in stream.chunks(1) {
        framer.feed(byte, &mut Vec::new()).unwrap();
        states.push(framer.clone());
    }
    states
}

/// Makes the same calls as the proof, on clones of the decoder, with one buffer for the calls that
/// follow one another. After each call, `check` gets the decoder with the number of the call since the
/// beginning of the buffer, and its frame.
fn decodes(config: Config, stream: &[u8], mut check: impl FnMut(&Decoder, usize, Option<Frame>)) {
    let mut buffer = BytesMut::new();
    let mut waits_at_start = true;
    for end in 0..=stream.len() {
        if waits_at_start {
            buffer.extend_from_slice(&stream[buffer.len()..end]);
        } else {
            buffer = BytesMut::from(&stream[..end]);
        }
        let mut decoder = Decoder::new(config);
        for index in 0.. {
            decoder = decoder.clone();
            let frame = decoder.decode(&mut buffer).unwrap();
            let waits = frame.is_none();
            check(&decoder, index, frame);
            if waits {
                break;
            }
        }
        waits_at_start = buffer.len() == end;
    }
}

fn bare_decodes(config: Config, stream: &[u8]) {
    decodes(config, stream, |_, _, frame| {
        black_box(frame);
    });
}

fn compared_decodes(config: Config, stream: &[u8]) {
    let expected = naive::parse(config, stream).frames;
    let mut states = vec![Decoder::new(config)];
    let mut buffer = BytesMut::from(stream);
    let mut decoder = Decoder::new(config);
    while decoder.decode(&mut buffer).unwrap().is_some() {
        states.push(decoder.clone());
    }
    decodes(config, stream, |decoder, index, frame| {
        let next = if let Some(frame) = frame {
            assert_eq!(frame, expected[index].1);
            index + 1
        } else {
            index
        };
        assert!(*decoder == states[next]);
    });
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
