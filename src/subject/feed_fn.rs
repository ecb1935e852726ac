//! Framers that are fed and that are put under test with two functions.

use core::fmt::Debug;

use super::{Frames, Subject};

/// A framer with functions that feed and finish it, as a [`Subject`].
///
/// ```
/// use everysplit::{FeedFn, check::Harness};
/// use everysplit::check::{Expected, Outcome};
///
/// // What came of a body, and each byte of it is a frame.
/// let make = || FeedFn::new(
///     0u8,
///     |sum: &mut u8, chunk: &[u8], sums| {
///         for byte in chunk {
///             *sum = sum.wrapping_add(*byte);
///             sums.push(*sum);
///         }
///         Ok::<(), ()>(())
///     },
///     |_, _| Ok(()),
/// );
/// let oracle = |stream: &[u8]| Expected {
///     frames: (1..=stream.len())
///         .map(|end| (end, stream[..end].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte))))
///         .collect(),
///     at_end: Vec::new(),
///     outcome: Outcome::Clean,
/// };
/// Harness::new(make, oracle).prove(b"abc")?;
/// # Ok::<(), everysplit::check::Violation>(())
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
    /// Takes the framer at the beginning of a stream, what feeds it a chunk, and
    /// what tells it of the end of the stream.
    #[expect(
        clippy::type_complexity,
        reason = "a name would hide what is asked for"
    )]
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

/// Equal when the framers are.
impl<T: PartialEq, F, E> PartialEq for FeedFn<T, F, E> {
    fn eq(&self, other: &Self) -> bool {
        self.framer == other.framer
    }
}

impl<T: Eq, F, E> Eq for FeedFn<T, F, E> {}

impl<T, F, E> Subject for FeedFn<T, F, E>
where
    F: Clone + Eq + Debug,
    E: Clone + Eq + Debug,
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
