//! A mutator for fuzzers that changes whole messages, so that their lengths stay correct. Plain
//! mutations of bytes break a length at once, and the framer rejects the rest.

use alloc::vec::Vec;
use core::ops::Range;

use fastrand::Rng;

use super::Harness;
use crate::door::Door;
use crate::oracle::Messages;
use crate::split::Split;

impl<T: Door> Harness<T, Messages<T::Frame, T::Error>> {
    /// Mutates a fuzzer's input in `data[..size]` by whole messages, and returns its new size in
    /// bytes, at most `max_size`. [`framer_fuzz!`](crate::framer_fuzz) calls it.
    ///
    /// It inserts, repeats, replaces or removes a message, or puts a rejected frame at the end. With a
    /// [`size_limit`](Self::size_limit), messages of any size up to the limit are encoded. One time
    /// in four it leaves the mutation to `base`, the fuzzer's own mutator, which takes a buffer, the
    /// size of the input in it and the maximum new size, and returns the new size.
    ///
    /// The messages in the input are those that the framer emits, byte by byte. The same arguments
    /// return the same result.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use everysplit::reference::{Codec, Config, Frame};
    ///
    /// let frame = |body: &'static str| Frame { cmd: 1, recv: 0, body: body.into() };
    /// let harness = Harness::codec(|| Codec::new(Config::default())).messages([frame("ok")]);
    /// let mut data = [0; 64];
    /// let size = harness.mutate(&mut data, 0, 64, 1, |_, size, _| size);
    /// assert_eq!(size, 14);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `size` or `max_size` is larger than `data.len()`.
    pub fn mutate(
        &self,
        data: &mut [u8],
        size: usize,
        max_size: usize,
        seed: u32,
        mut base: impl FnMut(&mut [u8], usize, usize) -> usize,
    ) -> usize {
        let mut rng = Rng::with_seed(seed.into());
        if size > 0 && rng.u8(..4) == 0 {
            return base(data, size, max_size);
        }
        let input = &data[..size];
        let frames = self.frames(input);
        let tail = frames.last().map_or(0, |last| last.end)..size;
        let Some(message) = self.oracle.random_message(&mut rng) else {
            return base(data, size, max_size);
        };
        let any = |rng: &mut Rng| rng.choice(frames.iter().cloned());
        let (place, bytes) = match (rng.u8(..8), any(&mut rng)) {
            (0, _) => (tail, self.oracle.random_rejected(&mut rng)),
            (1, _) => (tail, Vec::new()),
            (2, Some(frame)) => (frame.start..frame.start, input[frame].to_vec()),
            (3, Some(frame)) => (frame, Vec::new()),
            (4, Some(frame)) => (frame, message),
            (_, frame) => {
                let at = frame.map_or(0, |frame| if rng.bool() { frame.start } else { frame.end });
                (at..at, message)
            }
        };
        splice(data, size, max_size, place, &bytes)
    }

    /// Returns where the frames in a stream are; none if the framer gets stuck.
    fn frames(&self, stream: &[u8]) -> Vec<Range<usize>> {
        let recorded = self.door.record(stream, &Split::bytes(stream.len()));
        let frames = recorded.as_ref().map_or(&[][..], |it| &it.frames);
        let ends = frames.iter().map(|&(end, _)| end);
        ends.scan(0, |start, end| Some(core::mem::replace(start, end)..end))
            .collect()
    }
}

/// Replaces the bytes at `place` of the input, as far as there is room, and returns its new size.
fn splice(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    place: Range<usize>,
    bytes: &[u8],
) -> usize {
    let input = &data[..size];
    let mut spliced = [&input[..place.start], bytes, &input[place.end..]].concat();
    spliced.truncate(max_size);
    data[..spliced.len()].copy_from_slice(&spliced);
    spliced.len()
}
