//! Framers that are fed, put under test with two functions.

use core::fmt::{self, Debug};
use core::marker::PhantomData;

use super::{Frames, Subject};

/// A framer with functions that feed and finish it, as a [`Subject`].
///
/// The functions may be closures that capture values. The framer holds all of the state: two
/// `FeedFn` are equal if their framers are.
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
#[derive(Clone, Copy)]
pub struct FeedFn<T, F, E, A = FeedPtr<T, F, E>, B = FinishPtr<T, F, E>> {
    framer: T,
    feed: A,
    finish: B,
    buffered_bytes: Option<fn(&T) -> usize>,
    returns: PhantomData<fn() -> Result<F, E>>,
}

type FeedPtr<T, F, E> = fn(&mut T, &[u8], &mut Frames<F>) -> Result<(), E>;
type FinishPtr<T, F, E> = fn(&mut T, &mut Frames<F>) -> Result<(), E>;

impl<T, F, E, A, B> FeedFn<T, F, E, A, B>
where
    A: Fn(&mut T, &[u8], &mut Frames<F>) -> Result<(), E>,
    B: Fn(&mut T, &mut Frames<F>) -> Result<(), E>,
{
    /// Takes the framer at the beginning of a stream, a function that feeds it a chunk, and one that
    /// ends the stream.
    pub const fn new(framer: T, feed: A, finish: B) -> Self {
        Self {
            framer,
            feed,
            finish,
            buffered_bytes: None,
            returns: PhantomData,
        }
    }

    /// Takes a function that returns how many bytes of memory the framer holds for what was fed, so
    /// that [`Property::Memory`](crate::Property::Memory) is checked.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use everysplit::subject::{FeedFn, Frames};
    ///
    /// let lines = |buffer: &mut Vec<u8>, chunk: &[u8], lines: &mut Frames<Vec<u8>>| {
    ///     buffer.extend(chunk);
    ///     while let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
    ///         lines.push(buffer.drain(..=end).collect());
    ///     }
    ///     Ok::<(), ()>(())
    /// };
    /// let harness = Harness::framer(move || {
    ///     FeedFn::new(Vec::new(), lines, |_, _| Ok(())).with_buffered_bytes(Vec::capacity)
    /// });
    /// harness.check(b"one\ntwo\n")?;
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    #[must_use]
    pub fn with_buffered_bytes(self, buffered_bytes: fn(&T) -> usize) -> Self {
        Self {
            buffered_bytes: Some(buffered_bytes),
            ..self
        }
    }
}

/// Equal if the framers are.
impl<T: PartialEq, F, E, A, B> PartialEq for FeedFn<T, F, E, A, B> {
    fn eq(&self, other: &Self) -> bool {
        self.framer == other.framer
    }
}

impl<T: Eq, F, E, A, B> Eq for FeedFn<T, F, E, A, B> {}

/// Not derived, as closures are not `Debug`.
impl<T: Debug, F, E, A, B> Debug for FeedFn<T, F, E, A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FeedFn").field(&self.framer).finish()
    }
}

impl<T, F, E, A, B> Subject for FeedFn<T, F, E, A, B>
where
    A: Fn(&mut T, &[u8], &mut Frames<F>) -> Result<(), E>,
    B: Fn(&mut T, &mut Frames<F>) -> Result<(), E>,
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

    fn buffered_bytes(&self) -> Option<usize> {
        self.buffered_bytes.map(|bytes| bytes(&self.framer))
    }
}
