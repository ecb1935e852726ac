//! Where a subject puts its frames. It has an end, so that a framer that never
//! stops giving frames does.

use alloc::vec::Vec;
use core::ops::Deref;

/// The frames that a subject gives in one call.
///
/// ```
/// use everysplit::Frames;
///
/// let mut frames = Frames::new(2);
/// frames.push("one");
/// frames.extend(["two"]);
/// assert_eq!(*frames, ["one", "two"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames<F> {
    frames: Vec<F>,
    most: usize,
}

impl<F> Frames<F> {
    /// Starts empty, with room for no more than `most` frames.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        let frames = Vec::new();
        Self { frames, most }
    }

    /// Makes room for what a call can give that was fed no more than a stream of
    /// so many bytes: a frame takes at least one.
    pub(crate) const fn for_stream(len: usize) -> Self {
        /// What may be wrong and not yet without end.
        const SLACK: usize = 64;
        Self::new(len.saturating_add(SLACK))
    }

    /// Appends a frame.
    ///
    /// # Panics
    ///
    /// When there are more frames than the stream can hold, which the checks take
    /// for a violation like any other panic of a subject.
    #[track_caller]
    pub fn push(&mut self, frame: F) {
        assert!(
            self.frames.len() < self.most,
            "more than {} frames in one call, which is more than the stream has bytes",
            self.most
        );
        self.frames.push(frame);
    }

    /// Returns where the reference framer puts frames: it is known to stop.
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
