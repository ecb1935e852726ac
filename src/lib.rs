//! Tests framers: the code that puts messages back together from a byte stream.
//!
//! TCP delivers bytes, not messages. A framer must emit the same messages however the stream is
//! cut, however many arrive at once, and whatever length a hostile header claims.
//! [`check::Harness`] checks that for all splits of a stream.

#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod case;
pub mod check;
mod macros;
pub mod reference;
mod split;
mod subject;

pub use case::{Case, ParseCaseError};
pub use split::{ParseSplitError, Split};
pub use subject::{
    Buffered, Decode, ErrorsAsFrames, FeedFn, Frames, JoinPieces, ParseFn, Subject, with_length,
};
#[cfg(feature = "tokio")]
pub use subject::{Tokio, encoder};
