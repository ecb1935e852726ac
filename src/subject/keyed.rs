//! Framers whose states are compared by a key.

use core::fmt::Debug;

use super::{Frames, Subject};

/// A [`Subject`] whose states are equal if a key is: for a framer that is not `Eq`, or whose states
/// hold what later calls do not depend on, such as the offset in the stream.
///
/// States with equal keys must do the same for all later chunks. With keys and errors that hold no
/// offset, states are equal at every offset of a stream, and
/// [`every_stream`](crate::Harness::every_stream) can prove streams of any length.
///
/// ```
/// use everysplit::Harness;
/// use everysplit::reference::{Config, DecodeError, Framer};
/// use everysplit::subject::Keyed;
///
/// /// The kind of an error, without its offset.
/// fn kind(error: DecodeError) -> &'static str {
///     match error {
///         DecodeError::Truncated { .. } => "truncated",
///         _ => "too large",
///     }
/// }
///
/// let config = Config { max_body_size: 1, ..Config::default() };
/// let key = |framer: &Framer| (framer.unfinished().to_vec(), framer.finish().map_err(kind));
/// let harness = Harness::framer(move || Keyed::new(Framer::new(config), key).with_errors(kind));
/// let every = harness.every_stream(16)?;
/// assert_eq!(every.any_length, Some(4), "{every}");
/// # Ok::<(), everysplit::Violation>(())
/// ```
#[derive(Debug)]
pub struct Keyed<S: Subject, K, E = <S as Subject>::Error> {
    framer: S,
    key: fn(&S) -> K,
    map_error: fn(S::Error) -> E,
}

impl<S: Subject, K> Keyed<S, K> {
    /// Takes a framer at the beginning of a stream, and the function that returns the key of a
    /// state.
    pub fn new(framer: S, key: fn(&S) -> K) -> Self {
        Self {
            framer,
            key,
            map_error: |error| error,
        }
    }
}

impl<S: Subject, K, E> Keyed<S, K, E> {
    /// Compares errors by the value that `map_error` makes of them, such as their kind without an
    /// offset.
    pub fn with_errors<G>(self, map_error: fn(S::Error) -> G) -> Keyed<S, K, G> {
        Keyed {
            framer: self.framer,
            key: self.key,
            map_error,
        }
    }
}

/// Not derived, as a derived `Clone` would need `K: Clone`.
impl<S: Subject + Clone, K, E> Clone for Keyed<S, K, E> {
    fn clone(&self) -> Self {
        Self {
            framer: self.framer.clone(),
            key: self.key,
            map_error: self.map_error,
        }
    }
}

/// Equal if the keys are.
impl<S: Subject, K: PartialEq, E> PartialEq for Keyed<S, K, E> {
    fn eq(&self, other: &Self) -> bool {
        (self.key)(&self.framer) == (other.key)(&other.framer)
    }
}

impl<S: Subject, K: Eq, E> Eq for Keyed<S, K, E> {}

impl<S, K, E> Subject for Keyed<S, K, E>
where
    S: Subject,
    E: Clone + PartialEq + Debug,
{
    type Frame = S::Frame;
    type Error = E;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<S::Frame>) -> Result<(), E> {
        self.framer.feed(chunk, frames).map_err(self.map_error)
    }

    fn finish(&mut self, frames: &mut Frames<S::Frame>) -> Result<(), E> {
        self.framer.finish(frames).map_err(self.map_error)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        self.framer.buffered_bytes()
    }
}
