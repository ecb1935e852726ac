//! The oracles: functions that run a subject and return a verdict. They know no
//! format; what a stream must give is handed in as [`Expected`].
//!
//! ```
//! use everysplit::{Split, check};
//! use everysplit::reference::{Config, Framer, naive};
//!
//! let config = Config::default();
//! let stream = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
//! let expected = naive::parse(config, stream);
//! for split in Split::all(stream.len()) {
//!     check::split(Framer::new(config), stream, &split, &expected)?;
//! }
//! # Ok::<(), check::Violation>(())
//! ```

mod agree;
mod certificate;
#[cfg(feature = "std")]
mod corpus;
mod deviation;
mod encode;
mod guard;
mod harness;
mod itself;
mod judge;
#[cfg(feature = "std")]
mod linear;
mod lockstep;
mod memory;
mod messages;
mod minimize;
mod prove;
mod prove_decoder;
#[cfg(feature = "std")]
mod pull;
mod split_map;
mod verdicts;
mod violation;
#[cfg(feature = "std")]
mod watch;

pub use agree::agree;
pub use certificate::{Certificate, Tier};
#[cfg(feature = "std")]
pub use corpus::corpus;
pub use deviation::Deviation;
pub use encode::encode;
pub use harness::Harness;
pub use itself::itself;
#[cfg(feature = "std")]
pub use linear::linear;
pub use lockstep::{empty_chunk, round_trip, split};
pub use memory::{Allocated, memory};
pub use messages::Messages;
pub use prove::{NotProved, prove};
pub use prove_decoder::prove_decoder;
#[cfg(feature = "tokio")]
pub use pull::{AsyncChunkReader, pull_async, pull_async_bounded};
#[cfg(feature = "std")]
pub use pull::{ChunkReader, Interruption, pull, pull_bounded};
pub use split_map::{Cell, SplitMap};
pub use verdicts::Verdicts;
pub use violation::{Property, Violation};
#[cfg(feature = "std")]
pub use watch::watch;

use alloc::vec::Vec;

/// What a stream must give, however it is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<F, E> {
    /// Every whole frame with the offset at which it is complete, in order.
    pub frames: Vec<(usize, F)>,
    /// The frames that the end of the stream gives; most framers give none.
    pub at_end: Vec<F>,
    /// How the stream ends.
    pub outcome: Outcome<E>,
}

impl<F, E> Expected<F, E> {
    /// Returns where frames begin and end.
    fn ends(&self) -> Vec<usize> {
        let ends = self.frames.iter().map(|&(end, _)| end);
        [0].into_iter().chain(ends).collect()
    }
}

/// How a stream ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<E> {
    /// On a frame boundary.
    Clean,
    /// Inside a frame; the end of the stream gives this error.
    Truncated(E),
    /// Refused.
    Rejected {
        /// How many bytes decide it: the error comes with the chunk that holds
        /// the last of them, and not before.
        at: usize,
        /// The error, the same in every later call.
        error: E,
    },
}
