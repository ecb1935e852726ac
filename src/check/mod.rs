//! The oracles: functions that take what a subject did with a stream and return
//! a verdict. They know no format; what a stream must give is handed in.
//!
//! ```
//! use everysplit::{Config, Framer, Split, check, naive};
//!
//! let config = Config::default();
//! let stream = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
//! let expected = naive::parse(&config, stream);
//! for split in Split::all(stream.len()) {
//!     let trace = check::trace(Framer::new(config), stream, &split);
//!     check::all(&expected, &trace)?;
//! }
//! # Ok::<(), check::Violation>(())
//! ```

mod properties;
mod trace;
mod violation;

pub use properties::{
    all, empty_chunk, every_split, limit, memory, poisoned, prompt, round_trip, truncation,
};
pub use trace::{Step, Trace, trace, trace_with_empty_chunks};
pub use violation::{Property, Violation};

use alloc::vec::Vec;

/// What a stream must give, however it is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<F, E> {
    /// Every whole frame with the offset at which it is complete, in order.
    pub frames: Vec<(usize, F)>,
    /// How the stream ends.
    pub outcome: Outcome<E>,
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

impl<F, E> Expected<F, E> {
    /// Returns how many frames must be out once `offset` bytes are in.
    fn due(&self, offset: usize) -> usize {
        self.frames.partition_point(|&(end, _)| end <= offset)
    }

    /// Returns the error that every call must give once `offset` bytes are in.
    fn refusal(&self, offset: usize) -> Option<&E> {
        match &self.outcome {
            Outcome::Rejected { at, error } if *at <= offset => Some(error),
            _ => None,
        }
    }
}
