//! Where a framer puts its frames. It is bounded, so that a framer that emits frames without end is
//! stopped.

use alloc::vec::Vec;
use core::ops::Deref;

use crate::expected::Expected;

/// So that a few frames too many are reported as such, and not as frames without end.
const SLACK: usize = 64;

/// Returns how many frames a framer may emit for `len` bytes where no oracle says how many. More
/// are frames without end.
///
/// One call may emit the frames of all bytes fed so far, and one byte may make 256 frames, as the
/// count of a run-length format does. From 1 KiB on, fewer per byte are allowed, but always one, so
/// that a framer that emits all of its buffer without end fills at most 256 MiB up to 16 KiB.
pub(crate) fn most_frames(len: usize) -> usize {
    /// Frames per byte.
    const DENSE: usize = 256;
    /// Bytes, if each frame is as long as the stream.
    const MEMORY: usize = 1 << 28;
    let most = len.saturating_mul(DENSE).min(MEMORY / len.max(1));
    most.max(len).saturating_add(SLACK)
}

/// The frames that a framer emits in one call, with room for a fixed number.
///
/// ```
/// use everysplit::subject::Frames;
///
/// let mut frames = Frames::new(2);
/// frames.push("one");
/// frames.extend(["two"]);
/// assert_eq!(*frames, ["one", "two"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames<F> {
    frames: Vec<F>,
    capacity: usize,
}

impl<F> Frames<F> {
    /// Makes an empty list with room for `capacity` frames.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        let frames = Vec::new();
        Self { frames, capacity }
    }

    /// Makes room for [`most_frames`] of the `len` bytes fed so far.
    pub(crate) fn for_stream(len: usize) -> Self {
        Self::new(most_frames(len))
    }

    /// Makes room for the frames of a stream of `len` bytes, and for all that are expected of it.
    pub(crate) fn for_expected<E>(len: usize, expected: &Expected<F, E>) -> Self {
        let expected = expected.frames.len() + expected.at_end.len();
        Self::new(most_frames(len).max(expected + SLACK))
    }

    /// Appends a frame.
    ///
    /// # Panics
    ///
    /// Panics if there is no room. The checks leave room for 256 frames for each byte of a stream
    /// of up to 1 KiB, and for all frames that the oracle expects. They report the panic as a
    /// violation of [`Property::Progress`](crate::Property::Progress).
    #[track_caller]
    pub fn push(&mut self, frame: F) {
        assert!(
            self.frames.len() < self.capacity,
            "more than {} frames in one call: they come without end",
            self.capacity
        );
        self.frames.push(frame);
    }

    /// Returns the list itself, without a bound, for the reference framer.
    pub(crate) const fn frames(&mut self) -> &mut Vec<F> {
        &mut self.frames
    }

    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }
}

impl<F> Deref for Frames<F> {
    type Target = [F];

    fn deref(&self) -> &[F] {
        &self.frames
    }
}

impl<F> IntoIterator for Frames<F> {
    type Item = F;
    type IntoIter = alloc::vec::IntoIter<F>;

    fn into_iter(self) -> Self::IntoIter {
        self.frames.into_iter()
    }
}

impl<F> Extend<F> for Frames<F> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, frames: I) {
        frames.into_iter().for_each(|frame| self.push(frame));
    }
}
