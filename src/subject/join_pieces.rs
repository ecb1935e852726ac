//! Framers that emit a frame in pieces. The pieces may depend on the split; the frames that they make
//! may not.

use core::fmt::Debug;

use super::{Frames, Subject};

/// A [`Subject`] whose pieces are joined to frames before they are compared.
///
/// ```
/// use everysplit::subject::{FeedFn, JoinPieces, Subject};
///
/// /// A part of a line, and whether it is the last.
/// type Piece = (Vec<u8>, bool);
///
/// let pieces = FeedFn::new(
///     (),
///     |(), chunk: &[u8], pieces| {
///         for part in chunk.split_inclusive(|&byte| byte == b'\n') {
///             pieces.push((part.to_vec(), part.ends_with(b"\n")));
///         }
///         Ok::<(), ()>(())
///     },
///     |(), _| Ok(()),
/// );
/// let lines = JoinPieces::new(pieces, Vec::new(), |line: &mut Vec<u8>, (part, last): Piece| {
///     line.extend(part);
///     last.then(|| std::mem::take(line))
/// });
/// # fn is_subject(_: impl Subject<Frame = Vec<u8>>) {}
/// # is_subject(lines);
/// ```
#[derive(Clone, Debug)]
pub struct JoinPieces<S: Subject, J, F> {
    pieces: S,
    unfinished: J,
    /// The number of bytes fed, which bounds the number of pieces.
    fed: usize,
    join: fn(&mut J, S::Frame) -> Option<F>,
}

impl<S: Subject, J, F> JoinPieces<S, J, F> {
    /// Takes a framer that emits pieces, an accumulator at the beginning of a stream, and a function
    /// that adds a piece to the accumulator and returns the frame that it completes, if any.
    pub const fn new(pieces: S, unfinished: J, join: fn(&mut J, S::Frame) -> Option<F>) -> Self {
        Self {
            pieces,
            unfinished,
            fed: 0,
            join,
        }
    }

    fn join(&mut self, pieces: Frames<S::Frame>, frames: &mut Frames<F>) {
        let joined = pieces.into_iter();
        frames.extend(joined.filter_map(|piece| (self.join)(&mut self.unfinished, piece)));
    }
}

/// Equal if the framers and the accumulators are.
impl<S: Subject + PartialEq, J: PartialEq, F> PartialEq for JoinPieces<S, J, F> {
    fn eq(&self, other: &Self) -> bool {
        self.pieces == other.pieces && self.unfinished == other.unfinished
    }
}

impl<S: Subject + Eq, J: Eq, F> Eq for JoinPieces<S, J, F> {}

impl<S: Subject, J, F: Clone + PartialEq + Debug> Subject for JoinPieces<S, J, F> {
    type Frame = F;
    type Error = S::Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<F>) -> Result<(), S::Error> {
        self.fed += chunk.len();
        let mut pieces = Frames::for_stream(self.fed);
        let result = self.pieces.feed(chunk, &mut pieces);
        self.join(pieces, frames);
        result
    }

    fn finish(&mut self, frames: &mut Frames<F>) -> Result<(), S::Error> {
        let mut pieces = Frames::for_stream(self.fed);
        let result = self.pieces.finish(&mut pieces);
        self.join(pieces, frames);
        result
    }

    fn buffered_bytes(&self) -> Option<usize> {
        self.pieces.buffered_bytes()
    }
}
