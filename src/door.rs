//! The doors: the ways in which a framer goes into a harness. A door runs its framer over one split.

use alloc::rc::Rc;
use core::fmt::Debug;
#[cfg(feature = "std")]
use core::marker::PhantomData;

use crate::case::Interruption;
use crate::check::finding::Finding;
use crate::check::input::Input;
use crate::check::isolate::{Guarded, isolate};
use crate::check::one_split;
#[cfg(feature = "std")]
use crate::check::read;
use crate::expected::Expected;
use crate::split::Split;
#[cfg(feature = "tokio")]
use crate::subject::AsyncChunkReader;
#[cfg(feature = "std")]
use crate::subject::ChunkReader;
use crate::subject::{Buffered, Decode, Subject};

/// Keeps the public traits of this crate to its own types.
pub trait Sealed {}

/// What frames and errors can do.
pub(crate) trait Value: Clone + PartialEq + Debug {}

impl<T: Clone + PartialEq + Debug> Value for T {}

/// The door that a framer went through, as part of the type of its [`Harness`](crate::Harness).
///
/// There are four: [`Fed`], [`CallerBuffered`], [`Reader`] and [`AsyncReader`].
pub trait Door: Sealed {
    /// What the framer emits.
    type Frame: Clone + PartialEq + Debug;
    /// The framer's error for bad input.
    type Error: Clone + PartialEq + Debug;

    /// Returns what may happen between the chunks.
    #[doc(hidden)]
    fn interruptions(&self) -> &'static [Interruption];

    /// Returns what to add for a framer that does not say how many bytes it holds.
    #[doc(hidden)]
    fn memory_advice(&self) -> &'static str {
        "the memory of a reader is not visible"
    }

    /// Returns how many bytes a fresh framer holds, if it says so.
    #[doc(hidden)]
    fn initial_memory(&self) -> Option<usize> {
        None
    }

    /// Runs a fresh framer over one split. Returns the number of calls that took a chunk.
    #[doc(hidden)]
    fn run(
        &self,
        split: &Split,
        interruption: Interruption,
        input: &Input<'_, Self::Frame, Self::Error>,
    ) -> Result<u64, Finding>;

    /// Records what a fresh framer emits for one split. Fails if it gets stuck.
    #[doc(hidden)]
    fn record(
        &self,
        stream: &[u8],
        split: &Split,
    ) -> Result<Guarded<Expected<Self::Frame, Self::Error>>, Finding>;

    /// Makes a framer, and drops it. Fails if that gets stuck.
    #[doc(hidden)]
    fn try_make(&self) -> Result<(), Finding>;
}

/// A door for framers that can be fed chunks, with a buffer if it needs one.
pub trait FeedDoor: Door {
    /// The framer with its buffer.
    type Subject: Subject<Frame = Self::Frame, Error = Self::Error>;

    /// Makes a fresh framer.
    fn subject(&self) -> Self::Subject;
}

/// A framer that is fed. Made by [`Harness::framer`](crate::Harness::framer).
pub struct Fed<S> {
    pub(crate) make: Rc<dyn Fn() -> S>,
}

/// A decoder whose caller owns the buffer. Made by [`Harness::decoder`](crate::Harness::decoder),
/// [`parser`](crate::Harness::parser) and `codec`.
pub struct CallerBuffered<D> {
    pub(crate) make: Rc<dyn Fn() -> D>,
}

impl<S: Subject> FeedDoor for Fed<S> {
    type Subject = S;

    fn subject(&self) -> S {
        (self.make)()
    }
}

impl<D: Decode> FeedDoor for CallerBuffered<D> {
    type Subject = Buffered<D>;

    fn subject(&self) -> Buffered<D> {
        Buffered::new((self.make)())
    }
}

macro_rules! feed_door {
    ($door:ident<$framer:ident: $bound:ident>, $memory_advice:literal) => {
        impl<$framer> Sealed for $door<$framer> {}

        impl<$framer> Clone for $door<$framer> {
            fn clone(&self) -> Self {
                Self {
                    make: Rc::clone(&self.make),
                }
            }
        }

        impl<$framer: $bound> Door for $door<$framer> {
            type Frame = $framer::Frame;
            type Error = $framer::Error;

            fn interruptions(&self) -> &'static [Interruption] {
                &[Interruption::None, Interruption::EmptyChunk]
            }

            fn memory_advice(&self) -> &'static str {
                $memory_advice
            }

            fn initial_memory(&self) -> Option<usize> {
                isolate(0, || (self.make)().buffered_bytes()).ok()?
            }

            fn run(
                &self,
                split: &Split,
                interruption: Interruption,
                input: &Input<'_, Self::Frame, Self::Error>,
            ) -> Result<u64, Finding> {
                let subject = isolate(0, || self.subject())?;
                one_split::run(subject, split, interruption, input)
            }

            fn record(
                &self,
                stream: &[u8],
                split: &Split,
            ) -> Result<Guarded<Expected<Self::Frame, Self::Error>>, Finding> {
                let subject = isolate(0, || self.subject())?;
                one_split::record(subject, stream, split)
            }

            fn try_make(&self) -> Result<(), Finding> {
                isolate(0, || drop((self.make)()))
            }
        }
    };
}

feed_door!(
    Fed<S: Subject>,
    "implement `Subject::buffered_bytes`, or call `with_buffered_bytes` on the adapter"
);
feed_door!(
    CallerBuffered<D: Decode>,
    "the decoder owns memory beside its buffer: implement `Decode::buffered_bytes`, or call \
     `with_buffered_bytes`"
);

/// Defines a door for framers that read.
#[cfg(feature = "std")]
macro_rules! reading_door {
    ($(#[$doc:meta])* $door:ident) => {
        $(#[$doc])*
        pub struct $door<N, F, E> {
            pub(crate) make: Rc<dyn Fn() -> N>,
            pub(crate) returns: PhantomData<fn() -> Result<Option<F>, E>>,
        }

        impl<N, F, E> Sealed for $door<N, F, E> {}

        impl<N, F, E> Clone for $door<N, F, E> {
            fn clone(&self) -> Self {
                Self {
                    make: Rc::clone(&self.make),
                    returns: PhantomData,
                }
            }
        }
    };
}

#[cfg(feature = "std")]
reading_door! {
    /// A framer that reads. Made by [`Harness::reader`](crate::Harness::reader) and
    /// [`owning_reader`](crate::Harness::owning_reader).
    Reader
}

#[cfg(feature = "tokio")]
reading_door! {
    /// A framer that reads asynchronously. Made by
    /// [`Harness::async_reader`](crate::Harness::async_reader) and
    /// [`owning_async_reader`](crate::Harness::owning_async_reader).
    AsyncReader
}

#[cfg(feature = "std")]
impl<N, F, E> Door for Reader<N, F, E>
where
    N: FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    F: Clone + PartialEq + Debug,
    E: Clone + PartialEq + Debug,
{
    type Frame = F;
    type Error = E;

    fn interruptions(&self) -> &'static [Interruption] {
        &[
            Interruption::None,
            Interruption::Interrupted,
            Interruption::WouldBlock,
        ]
    }

    fn run(
        &self,
        split: &Split,
        interruption: Interruption,
        input: &Input<'_, F, E>,
    ) -> Result<u64, Finding> {
        let next = isolate(0, || (self.make)())?;
        read::run(next, split, interruption, input)
    }

    fn record(&self, stream: &[u8], split: &Split) -> Result<Guarded<Expected<F, E>>, Finding> {
        let mut next = isolate(0, || (self.make)())?;
        read::record(&mut next, stream, split, Interruption::None)
    }

    fn try_make(&self) -> Result<(), Finding> {
        isolate(0, || drop((self.make)()))
    }
}

#[cfg(feature = "tokio")]
impl<N, F, E> Door for AsyncReader<N, F, E>
where
    N: AsyncFnMut(&mut AsyncChunkReader<'_, '_>) -> Result<Option<F>, E>,
    F: Clone + PartialEq + Debug,
    E: Clone + PartialEq + Debug,
{
    type Frame = F;
    type Error = E;

    fn interruptions(&self) -> &'static [Interruption] {
        &[
            Interruption::None,
            Interruption::Pending,
            Interruption::Dropped,
        ]
    }

    fn run(
        &self,
        split: &Split,
        interruption: Interruption,
        input: &Input<'_, F, E>,
    ) -> Result<u64, Finding> {
        let next = isolate(0, || (self.make)())?;
        let next = read::blocking(next, input.stream.len(), interruption);
        read::run(next, split, interruption, input)
    }

    fn record(&self, stream: &[u8], split: &Split) -> Result<Guarded<Expected<F, E>>, Finding> {
        let record = |interruption| {
            let next = isolate(0, || (self.make)())?;
            let mut next = read::blocking(next, stream.len(), interruption);
            read::record(&mut next, stream, split, interruption)
        };
        let expected = record(Interruption::None)?;
        // A framer may read ahead while bytes are there. Where it waits, it has returned all that is
        // due. If it loses something there, the runs with interruptions find that.
        match record(Interruption::Pending) {
            Ok(waiting) if read::same_values(&waiting, &expected) => Ok(waiting),
            _ => Ok(expected),
        }
    }

    fn try_make(&self) -> Result<(), Finding> {
        isolate(0, || drop((self.make)()))
    }
}
