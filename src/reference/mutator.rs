//! A custom mutator and crossover for fuzzers: they change whole frames and keep
//! the length fields true, so that what lies behind a frame is reached. They
//! break a length only when they mean to.
//!
//! Plain functions over byte slices, with libFuzzer's conventions: `data` is
//! the room, its first `size` bytes are the input, the new size comes back and
//! is at most `max_size`.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::iter;
use core::ops::Range;

use fastrand::Rng;

use super::decoder::Walk;
use super::frame::{ByteOrder, Config, FrameRef, Header};

/// The longest input that is made, in bytes. What is wrong with a framer shows
/// within a few frames, and short inputs run fast.
const LONGEST: u32 = 256;

/// Changes the input in `data[..size]`: a frame inserted, doubled, removed,
/// resized or refilled, or what follows the frames made hostile. One time in
/// four the fuzzer's own mutator, `base`, does it.
///
/// Bodies keep to `max_body_size`, inputs to 256 bytes: of a longer one some
/// frames are kept. `base` takes room, size and the largest new size, at least
/// 1, and returns the new size.
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
    let mut draw = Draw { config, rng };

    let (place, bytes) = match draw.rng.u8(..8) {
        0 => (tail, draw.tail()),
        1 => (tail, Vec::new()),
        change if change < 4 || frames == 0 => {
            let place = draw.rng.choice(&ends).map_or(0, |&end| end);
            (place..place, draw.frame())
        }
        change => {
            let place = frame(draw.rng.usize(..frames));
            let old = &input[place.clone()];
            match change {
                4 => (place.start..place.start, old.to_vec()),
                5 => (place, Vec::new()),
                6 => {
                    let body_size = draw.body_size();
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

/// Writes to `out` the first frames of one input and the last of another, and
/// returns how many bytes that makes.
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

/// Returns the configuration under which `input` has more whole frames, either
/// if it is all the same, and where each of them ends.
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

/// Returns where each whole frame ends.
fn ends(config: Config, input: &[u8]) -> Vec<usize> {
    let mut walk = Walk::new(config, input);
    let mut ends = Vec::new();
    while let Ok(Some(_)) = walk.next_frame() {
        ends.push(input.len() - walk.rest().len());
    }
    ends
}

/// Returns a whole frame with its body changed and its bodySize true.
fn with_body(config: Config, frame: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let Ok(Some(FrameRef { cmd, recv, body })) = Walk::new(config, frame).next_frame() else {
        return frame.to_vec();
    };
    let mut body = body.to_vec();
    change(&mut body);
    encode(config, cmd, recv, &body)
}

fn encode(config: Config, cmd: u32, recv: u32, body: &[u8]) -> Vec<u8> {
    let header = config.encode_header(cmd, recv, body.len());
    let header = header.expect("every body here keeps to the limit");
    [&header, body].concat()
}

/// Puts `bytes` in the place of `place`; if they do not fit, nothing changes.
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

/// Draws choices and parts of an input, towards what breaks framers.
struct Draw {
    config: Config,
    rng: Rng,
}

impl Draw {
    /// A whole frame, its body random or one that looks like headers.
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

    /// A header over the limit, or a frame that is not whole.
    fn tail(&mut self) -> Vec<u8> {
        let max = self.config.max_body_size;
        if self.rng.bool() && max < u32::MAX {
            let sizes = [max + 1, i32::MAX as u32, 1 << 31, u32::MAX];
            let size = sizes[self.rng.usize(..sizes.len())].max(max + 1);
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

    /// 0, 1, limit - 1, limit, or any small one.
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

    /// An integer of any magnitude.
    fn integer(&mut self) -> u32 {
        self.rng.u32(..) >> self.rng.u32(..32)
    }
}
