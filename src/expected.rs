//! The expected result of a stream, the same for every split.

use alloc::vec::Vec;

/// What a framer must emit for a stream, however the stream is split.
///
/// For a length of one byte followed by the body, and the stream `02 6f 6b 05 68`:
///
/// ```
/// use everysplit::{Expected, Outcome};
///
/// let expected = Expected {
///     frames: vec![(3, "ok")],
///     at_end: Vec::new(),
///     outcome: Outcome::Truncated("inside a frame"),
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<F, E> {
    /// Every whole frame in order, each with the offset of the byte after its last one: as soon
    /// as that many bytes have been fed, the frame must be emitted.
    pub frames: Vec<(usize, F)>,
    /// The frames emitted at the end of the stream; most framers emit none.
    pub at_end: Vec<F>,
    /// How the stream ends.
    pub outcome: Outcome<E>,
}

impl<F, E> Expected<F, E> {
    /// Returns where the last frame ends; 0 if there is none.
    pub(crate) fn last_end(&self) -> usize {
        self.frames.last().map_or(0, |&(end, _)| end)
    }

    /// Returns where frames begin and end.
    pub(crate) fn frame_edges(&self) -> Vec<usize> {
        let ends = self.frames.iter().map(|&(end, _)| end);
        [0].into_iter().chain(ends).collect()
    }
}

/// Where the expected result of a stream comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The messages that the stream was made of with the format's encoder.
    Encoder,
    /// A function that parses whole streams.
    Parser,
    /// The framer itself, byte by byte: only what depends on the split is found.
    ByteByByte,
}

/// How a stream ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<E> {
    /// On a frame boundary.
    Clean,
    /// Inside a frame. The end of the stream is reported with this error.
    Truncated(E),
    /// With an error before its end.
    Rejected {
        /// How many bytes decide it: the error is returned by the call that feeds the last of
        /// them, and not before.
        at: usize,
        /// The error. Every later call returns the same one.
        error: E,
    },
}
