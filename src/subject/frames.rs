//! Where a framer puts its frames. It is bounded, so that a framer that emits frames without end is
//! stopped.

use alloc::vec::Vec;
use core::ops::Deref;

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

    /// Makes room for the frames of a stream of `len` bytes: a frame takes at least one byte.
    pub(crate) const fn for_stream(len: usize) -> Self {
        /// So that a few frames too many are reported as such, and not as frames without end.
        const SLACK: usize = 64;
        Self::new(len.saturating_add(SLACK))
    }

    /// Appends a frame.
    ///
    /// # Panics
    ///
    /// Panics if there is no room: the stream is too short for so many frames. The checks report that
    /// as a violation of [`Property::Progress`](crate::Property::Progress).
    #[track_caller]
    pub fn push(&mut self, frame: F) {
        assert!(
            self.frames.len() < self.capacity,
            "more than {} frames in one call, which is more than the stream has bytes",
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
