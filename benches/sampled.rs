//! Prints how many splits per second are checked one by one, compared with the crate
//! partial-io: the same codec on the same splits of the same streams, interleaved in one
//! run. A proof needs far fewer calls; `prove` measures that.

#[allow(dead_code, reason = "only the peer is used here")]
mod contestants;

use std::hint::black_box;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use contestants::peer;
use everysplit::oracle::Parse;
use everysplit::reference::{Config, FrameRef, naive};
use everysplit::subject::TokioDecoder;
use everysplit::{CallerBuffered, Case, Expected, Harness, Outcome, Split};
use partial_io::{PartialAsyncRead, PartialOp};
use tokio::runtime::{Builder, Runtime};
use tokio_stream::StreamExt;
use tokio_util::codec::{Decoder, FramedRead, LengthDelimitedCodec};

/// Number of runs of each contestant on each stream, interleaved with the others.
const ROUNDS: usize = 2001;

/// Number of splits that each contestant checks in one run.
const SPLITS: u32 = 200;

/// Seed of the splits.
const SEED: u64 = 0;

fn main() {
    // A run enters the runtime once. No future here is ever pending.
    let runtime = Builder::new_current_thread().build().unwrap();
    println!(
        "| stream, bytes | bare calls | partial-io | `one_split` | to partial-io | `sampled` | to partial-io |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for len in [64, 256, 1024] {
        let workload = Workload::new(len);
        workload.assert_that_partial_io_makes_the_splits(&runtime);
        let [bare, partial_io, split, sampled] = medians([
            &|| workload.bare(),
            &|| workload.partial_io(&runtime),
            &|| workload.split(),
            &|| workload.sampled(),
        ]);
        let millions = |time: f64| f64::from(SPLITS) / time / 1e6;
        println!(
            "| {len} | {:.2} M | {:.2} M | {:.2} M | {:.2} | {:.2} M | {:.2} |",
            millions(bare),
            millions(partial_io),
            millions(split),
            partial_io / split,
            millions(sampled),
            partial_io / sampled,
        );
    }
}

/// A stream, its expected frames, and its splits, also as operations of partial-io.
struct Workload {
    stream: BytesMut,
    expected: Expectation,
    splits: Vec<Split>,
    /// The stream with each of the splits.
    cases: Vec<Case>,
    ops: Vec<Vec<PartialOp>>,
}

impl Workload {
    fn new(len: usize) -> Self {
        let stream = stream(len);
        let edges = edges(&stream);
        let sample = |n| Split::sample(len, &edges, SEED + n);
        let splits: Vec<Split> = (0..SPLITS.into()).map(sample).collect();
        let ops = |split: &Split| {
            let chunks = split.chunks(&stream);
            chunks
                .map(|chunk| PartialOp::Limited(chunk.len()))
                .collect()
        };
        Self {
            expected: expected(&stream),
            ops: splits.iter().map(ops).collect(),
            cases: splits
                .iter()
                .map(|split| Case::new(&stream[..], split.clone()))
                .collect(),
            splits,
            stream,
        }
    }

    /// Makes only the calls of the codec, with a buffer that never grows.
    fn bare(&self) {
        for split in &self.splits {
            let mut codec = peer();
            let mut buffer = BytesMut::with_capacity(self.room());
            for chunk in split.chunks(&self.stream) {
                buffer.extend_from_slice(chunk);
                while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                    black_box(frame);
                }
            }
            assert!(codec.decode_eof(&mut buffer).unwrap().is_none());
        }
    }

    fn partial_io(&self, runtime: &Runtime) {
        runtime.block_on(async {
            for ops in &self.ops {
                self.read(ops, peer()).await;
            }
        });
    }

    /// Compares the frames of tokio's reader with the expected ones, at the end of the stream
    /// and not after each call.
    async fn read<D>(&self, ops: &[PartialOp], codec: D) -> D
    where
        D: Decoder<Item = BytesMut, Error = io::Error>,
    {
        let reader = PartialAsyncRead::new(&self.stream[..], ops.to_vec());
        let mut frames = FramedRead::with_capacity(reader, codec, self.room());
        for (_, frame) in &self.expected.frames {
            assert_eq!(frames.next().await.unwrap().unwrap(), frame);
        }
        assert!(frames.next().await.is_none());
        frames.into_parts().codec
    }

    /// Returns a capacity with which the buffer never cuts a read short and never grows.
    fn room(&self) -> usize {
        self.stream.len() + 16
    }

    fn assert_that_partial_io_makes_the_splits(&self, runtime: &Runtime) {
        for (split, ops) in self.splits.iter().zip(&self.ops) {
            let seen = runtime.block_on(self.read(ops, Seen::new())).chunks;
            let planned: Vec<usize> = split.chunks(&self.stream).map(<[u8]>::len).collect();
            assert_eq!(seen, planned);
        }
    }

    fn split(&self) {
        let harness = self.harness();
        for case in &self.cases {
            harness.one_split(case).unwrap();
        }
    }

    /// Also generates the splits, and tries each split twice, the second time with empty
    /// chunks.
    fn sampled(&self) {
        let harness = self.harness().edges(edges);
        harness.sampled(&self.stream, SEED, SPLITS.into()).unwrap();
    }

    fn harness(
        &self,
    ) -> Harness<CallerBuffered<Codec>, Parse<impl Fn(&[u8]) -> Expectation, BytesMut, io::ErrorKind>>
    {
        Harness::decoder(|| TokioDecoder::new(peer()).with_errors(|error| error.kind()))
            .oracle(|_: &[u8]| self.expected.clone())
    }
}

type Codec = TokioDecoder<LengthDelimitedCodec, ErrorKind>;
type Expectation = Expected<BytesMut, ErrorKind>;

/// The codec, and the lengths of the chunks that arrive in its buffer.
struct Seen {
    codec: LengthDelimitedCodec,
    left: usize,
    chunks: Vec<usize>,
}

impl Seen {
    fn new() -> Self {
        Self {
            codec: peer(),
            left: 0,
            chunks: Vec::new(),
        }
    }
}

impl Decoder for Seen {
    type Item = BytesMut;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        if buffer.len() > self.left {
            self.chunks.push(buffer.len() - self.left);
        }
        let frame = self.codec.decode(buffer);
        self.left = buffer.len();
        frame
    }
}

/// Returns a stream of whole frames of many sizes.
fn stream(len: usize) -> BytesMut {
    let sizes = [0, 5, 64, 1, 200, 17, 33, 0, 100, 12, 500, 3];
    let mut stream = BytesMut::new();
    for size in sizes.into_iter().cycle() {
        let left = len - stream.len();
        if left == 0 {
            break;
        }
        // The last frame fills the rest of the stream.
        let size = if left < size + 24 { left - 12 } else { size };
        let (cmd, recv, body) = (1, 0, &[b'x'; 1024][..size]);
        let frame = FrameRef { cmd, recv, body };
        Config::default().encode(frame, &mut stream).unwrap();
    }
    stream
}

fn expected(stream: &[u8]) -> Expectation {
    let mut start = 0;
    let frames = naive::parse(Config::default(), stream).frames.into_iter();
    let frames = frames.map(|(end, _)| {
        let frame = BytesMut::from(&stream[start + 4..end]);
        start = end;
        (end, frame)
    });
    Expected {
        frames: frames.collect(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    }
}

fn edges(stream: &[u8]) -> Vec<usize> {
    naive::edges(Config::default(), stream)
}

/// Returns the median time of each contestant for all splits, in seconds.
fn medians<const N: usize>(contestants: [&dyn Fn(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (times, run) in times.iter_mut().zip(contestants) {
            let start = Instant::now();
            run();
            times.push(start.elapsed());
        }
    }
    times.map(|mut times: Vec<Duration>| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64()
    })
}
