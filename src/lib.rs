//! Tests *framers*: the code that puts messages back together from a byte stream.
//!
//! TCP delivers bytes, not messages. A framer must emit the same messages however the stream is cut,
//! however many messages arrive at once, and whatever length a hostile header claims. This crate
//! checks that, and for most framers it *proves* it for all 2^(n-1) splits of a stream.
//!
//! ```
//! use everysplit::Harness;
//!
//! // A length of one byte, then the body.
//! fn parse(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
//!     let Some((&length, rest)) = bytes.split_first() else {
//!         return Ok(None);
//!     };
//!     let body = rest.get(..length.into());
//!     Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
//! }
//!
//! let harness = Harness::parser(parse, "truncated");
//! let certificate = harness.check(b"\x02ok\0\x05hello")?;
//! assert_eq!(
//!     certificate.to_string(),
//!     "proved: 10 bytes, all 512 splits, 27 calls, at most 1 state per offset; \
//!      18 splits replayed"
//! );
//! # Ok::<(), everysplit::Violation>(())
//! ```
//!
//! # Where to start
//!
//! - [`Harness`] is the entry point: it takes a framer and the expected results of its streams.
//! - [`WriterHarness`] is the entry point for the other direction: senders, and short writes.
//! - [`framer_tests!`] makes a test module of a harness, [`framer_fuzz!`] a fuzz target.
//! - [`Property`] lists what is checked, [`Violation`] and [`Certificate`] what is reported.
//! - [`subject`] has adapters for framers that are fed, that read, or that parse a slice.
//! - [`reference`](mod@reference) is a small framer that shows how framing is done, with its tools.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `std` (default) | reports of panics and hangs, framers that read, senders, cost over time |
//! | `tokio` | tokio-util codecs, asynchronous readers and senders |
//! | `proptest` | strategies for splits and for streams of the reference format |
//! | `arbitrary` | `Arbitrary` for the same types, and a mutator for the reference format |
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod case;
mod check;
mod deviation;
mod door;
mod expected;
#[cfg(doctest)]
mod guide_doctests;
mod harness;
mod macros;
pub mod oracle;
mod property;
pub mod reference;
mod report;
mod shard;
mod split;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod subject;

pub use case::{Case, Interruption, ParseCaseError};
pub use check::{Allocated, check_encoder};
#[cfg(feature = "std")]
pub use check::{on_threads, parallel, watchdog};
pub use deviation::Deviation;
#[cfg(feature = "tokio")]
pub use door::AsyncReader;
#[cfg(feature = "std")]
pub use door::Reader;
pub use door::{CallerBuffered, Door, Fed, FeedDoor};
pub use expected::{Expected, Outcome, Source};
#[cfg(feature = "std")]
pub use harness::WriterHarness;
pub use harness::{
    Harness, RebuildHarness, RebuildTextHarness, SplitHarness, Status, TextHarness, Verdicts,
};
pub use property::Property;
pub use report::{
    Cell, Certificate, EveryStream, Hexdump, MadeOf, NotProved, Premise, ProvedBy, Row, SplitMap,
    Tier, Violation,
};
pub use shard::{ParseShardError, Shard};
pub use split::{ParseSplitError, Split};

/// Compiles and runs the example of the README. It is buggy, so its tests fail.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;
