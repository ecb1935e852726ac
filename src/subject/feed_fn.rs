//! Framers that are fed, put under test with two functions.

use core::fmt::Debug;

use super::{Frames, Subject};

/// A framer with functions that feed and finish it, as a [`Subject`].
///
/// ```
/// use everysplit::Harness;
/// use everysplit::subject::{FeedFn, Frames};
///
/// // Each byte makes a frame: the sum so far.
/// fn feed(sum: &mut u8, chunk: &[u8], sums: &mut Frames<u8>) -> Result<(), ()> {
///     for byte in chunk {
///         *sum = sum.wrapping_add(*byte);
///         sums.push(*sum);
///     }
///     Ok(())
/// }
///
/// let harness = Harness::framer(|| FeedFn::new(0, feed, |_, _| Ok(())));
/// harness.check(b"abc")?;
/// # Ok::<(), everysplit::Violation>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FeedFn<T, F, E> {
    framer: T,
    feed: Feed<T, F, E>,
    finish: Finish<T, F, E>,
}

type Feed<T, F, E> = fn(&mut T, &[u8], &mut Frames<F>) -> Result<(), E>;
type Finish<T, F, E> = fn(&mut T, &mut Frames<F>) -> Result<(), E>;

impl<T, F, E> FeedFn<T, F, E> {
    /// Takes the framer at the beginning of a stream, a function that feeds it a chunk, and one that
    /// ends the stream.
    pub const fn new(
        framer: T,
        feed: fn(&mut T, &[u8], &mut Frames<F>) -> Result<(), E>,
        finish: fn(&mut T, &mut Frames<F>) -> Result<(), E>,
    ) -> Self {
        Self {
            framer,
            feed,
            finish,
        }
    }
}

/// Equal if the framers are.
impl<T: PartialEq, F, E> PartialEq for FeedFn<T, F, E> {
    fn eq(&self, other: &Self) -> bool {
        self.framer == other.framer
    }
}

impl<T: Eq, F, E> Eq for FeedFn<T, F, E> {}

impl<T, F, E> Subject for FeedFn<T, F, E>
where
    F: Clone + PartialEq + Debug,
    E: Clone + PartialEq + Debug,
{
    type Frame = F;
    type Error = E;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<F>) -> Result<(), E> {
        (self.feed)(&mut self.framer, chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<F>) -> Result<(), E> {
        (self.finish)(&mut self.framer, frames)
    }
}
