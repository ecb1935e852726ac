//! A custom mutator and crossover for fuzzers. They change whole frames and keep bodySize
//! consistent with the body, so that the frames after a change are still parsed. Invalid bytes are
//! only added at the end of a stream.
//!
//! Both are plain functions over byte slices and need no particular fuzzer. [`mutate`] follows
//! libFuzzer's conventions: `data` is the buffer, its first `size` bytes are the input, and the
//! returned new size is at most `max_size`.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::iter;
use core::ops::Range;

use fastrand::Rng;

use super::decoder::Walk;
use super::frame::{ByteOrder, Config, FrameRef, Header};

/// The length of the longest output, in bytes. A few frames are enough to expose a framer's bugs,
/// and short inputs run fast.
const LONGEST: u32 = 256;

/// Mutates the input in `data[..size]` and returns its new size in bytes.
///
/// It inserts, duplicates, removes or resizes a frame, or changes a body. It may also remove the
/// bytes after the last whole frame, or replace them with a header over the limit or a truncated
/// frame. One time in four it leaves the mutation to `base`, the fuzzer's own mutator.
///
/// The new size is at most `max_size` and at most 256. A longer input is only shortened: it keeps
/// the bytes that fit, starting with one of its frames. A frame that is inserted or changed has a
/// body of at most `max_body_size` bytes.
///
/// `base` takes a buffer, the size of the input in it and the maximum new size, at least 1, and
/// returns the new size.
///
/// # Panics
///
/// May panic if `size` or `max_size` is larger than `data.len()`.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    max_body_size: u32,
    seed: u32,
    mut base: impl FnMut(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut rng = Rng::with_seed(seed.into());
    let max_size = max_size.min(LONGEST as usize);
    let max_body_size = max_body_size.min(LONGEST);
    if size > max_size {
        let (_, mut starts) = read(&data[..size], max_body_size, &mut rng);
        starts.insert(0, 0);
        let start = starts[rng.usize(..starts.len())];
        data.copy_within(start..size, 0);
        return (size - start).min(max_size);
    }
    if max_size > 0 && rng.u8(..4) == 0 {
        return base(data, size, max_size);
    }
    let input = &data[..size];
    let (config, ends) = read(input, max_body_size, &mut rng);
    let frames = ends.len();
    let tail = ends.last().copied().unwrap_or(0)..size;
    let frame = |index: usize| index.checked_sub(1).map_or(0, |before| ends[before])..ends[index];
    let mut generator = Generator { config, rng };

    let (place, bytes) = match generator.rng.u8(..8) {
        0 => (tail, generator.tail()),
        1 => (tail, Vec::new()),
        change if change < 4 || frames == 0 => {
            let place = generator.rng.choice(&ends).map_or(0, |&end| end);
            (place..place, generator.frame())
        }
        change => {
            let place = frame(generator.rng.usize(..frames));
            let old = &input[place.clone()];
            match change {
                4 => (place.start..place.start, old.to_vec()),
                5 => (place, Vec::new()),
                6 => {
                    let body_size = generator.body_size();
                    (
                        place,
                        with_body(config, old, |body| body.resize(body_size, 0)),
                    )
                }
                _ => {
                    let refill = |body: &mut Vec<u8>| {
                        let size = body.len();
                        let most = (2 * size + 4).min(max_body_size as usize).max(size);
                        body.resize(most, 0);
                        let size = if most > 0 { base(body, size, most) } else { 0 };
                        body.truncate(size);
                    };
                    (place, with_body(config, old, refill))
                }
            }
        }
    };
    splice(data, size, max_size, place, &bytes)
}

/// Writes to `out` the first frames of one input and the last frames of another, and returns the
/// number of bytes written, at most 256.
pub fn crossover(
    first: &[u8],
    second: &[u8],
    out: &mut [u8],
    max_body_size: u32,
    seed: u32,
) -> usize {
    let mut rng = Rng::with_seed(seed.into());
    let (config, first_ends) = read(first, max_body_size, &mut rng);
    let second_ends = ends(config, second);
    let head = rng.choice(first_ends).unwrap_or(0);
    let tail = rng.choice(second_ends).unwrap_or(0);
    let max_size = out.len().min(LONGEST as usize);
    let size = splice(out, 0, max_size, 0..0, &first[..head]);
    splice(out, size, max_size, size..size, &second[tail..])
}

/// Returns the configuration whose byte order finds more whole frames in `input`, a random one if
/// both find as many, and the offset of the end of each frame.
fn read(input: &[u8], max_body_size: u32, rng: &mut Rng) -> (Config, Vec<usize>) {
    let [little, big] = [ByteOrder::Little, ByteOrder::Big].map(|byte_order| {
        let config = Config {
            byte_order,
            max_body_size,
        };
        (config, ends(config, input))
    });
    let big_reads = match big.1.len().cmp(&little.1.len()) {
        Ordering::Less => false,
        Ordering::Equal => rng.bool(),
        Ordering::Greater => true,
    };
    if big_reads { big } else { little }
}

/// Returns the offset of the end of each whole frame.
fn ends(config: Config, input: &[u8]) -> Vec<usize> {
    let mut walk = Walk::new(config, input);
    let mut ends = Vec::new();
    while let Ok(Some(_)) = walk.next_frame() {
        ends.push(input.len() - walk.rest().len());
    }
    ends
}

/// Returns the frame with its body changed and its bodySize updated.
fn with_body(config: Config, frame: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let whole = Walk::new(config, frame).next_frame().ok().flatten();
    let FrameRef { cmd, recv, body } = whole.expect("the frame is whole");
    let mut body = body.to_vec();
    change(&mut body);
    encode(config, cmd, recv, &body)
}

fn encode(config: Config, cmd: u32, recv: u32, body: &[u8]) -> Vec<u8> {
    let header = config.encode_header(cmd, recv, body.len());
    let header = header.expect("every body here is within the limit");
    [&header, body].concat()
}

/// Replaces the range `place` of `data[..size]` with `bytes` and returns the new size. If that is
/// larger than `max_size`, changes nothing.
fn splice(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    place: Range<usize>,
    bytes: &[u8],
) -> usize {
    let new_size = size - place.len() + bytes.len();
    if new_size > max_size {
        return size;
    }
    data.copy_within(place.end..size, place.start + bytes.len());
    data[place.start..][..bytes.len()].copy_from_slice(bytes);
    new_size
}

/// Generates random parts of an input, biased towards what breaks framers.
struct Generator {
    config: Config,
    rng: Rng,
}

impl Generator {
    /// Returns a whole frame. Its body is random or looks like a sequence of headers.
    fn frame(&mut self) -> Vec<u8> {
        let (cmd, recv) = (self.integer(), self.integer());
        let body_size = self.body_size();
        let mut body = if self.rng.bool() {
            self.header(u32::MAX).repeat(body_size / Header::LEN + 1)
        } else {
            iter::repeat_with(|| self.rng.u8(..))
                .take(body_size)
                .collect()
        };
        body.truncate(body_size);
        encode(self.config, cmd, recv, &body)
    }

    /// Returns a header over the limit or a truncated frame.
    fn tail(&mut self) -> Vec<u8> {
        let max = self.config.max_body_size;
        if self.rng.bool() {
            let sizes = [max + 1, i32::MAX as u32, 1 << 31, u32::MAX];
            let size = sizes[self.rng.usize(..sizes.len())];
            return self.header(size);
        }
        let mut frame = self.frame();
        frame.truncate(self.rng.usize(..frame.len()));
        frame
    }

    fn header(&mut self, body_size: u32) -> Vec<u8> {
        let (cmd, recv) = (self.integer(), self.integer());
        let header = Header {
            body_size,
            cmd,
            recv,
        };
        header.to_bytes(self.config.byte_order).to_vec()
    }

    /// Returns 0, 1, limit - 1, limit or a size of up to 32 bytes.
    fn body_size(&mut self) -> usize {
        let max = self.config.max_body_size;
        let sizes = [0, 1, max.saturating_sub(1), self.rng.u32(..=max.min(32))];
        let size = if self.rng.u8(..4) == 0 {
            max
        } else {
            sizes[self.rng.usize(..4)].min(max)
        };
        size as usize
    }

    /// Returns a random integer of random magnitude.
    fn integer(&mut self) -> u32 {
        self.rng.u32(..) >> self.rng.u32(..32)
    }
}
