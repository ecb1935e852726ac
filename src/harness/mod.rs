//! The entry point: a framer under test together with the expected results of its streams.
//!
//! - `build`: what is expected of it, and the streams to check
//! - `effort`: how much a check does
//! - `every_stream`: proofs of all streams, and not of one
//! - `prove`: proofs, the strongest that the framer's type allows
//! - `splits`: checks of one split at a time, for every framer
//! - `under_test`: the same without the types of the framer and the oracle
//! - `coverage`: the properties that a stream checks, and what to add to check the others
//! - `mutated`: streams with one change
//! - `mutator`: mutations by whole messages, for fuzzers
//! - `verdicts`: the results of several streams
//! - `writer`: the entry point for senders

mod build;
mod coverage;
mod effort;
mod every_stream;
mod mutated;
mod mutator;
mod prove;
mod splits;
mod under_test;
mod verdicts;
#[cfg(feature = "std")]
mod writer;

pub use prove::{RebuildHarness, RebuildTextHarness, TextHarness};
pub use splits::SplitHarness;
pub use verdicts::{Status, Verdicts};
#[cfg(feature = "std")]
pub use writer::WriterHarness;

use crate::oracle::ByteByByte;

/// A framer under test, and the expected results of streams of its format.
///
/// Three steps make one:
///
/// 1. A *door* takes the framer: `codec` for tokio-util, [`decoder`](Harness::decoder) if its caller
///    owns the buffer, [`framer`](Harness::framer) if it is fed, [`parser`](Harness::parser) for a
///    function over a slice, [`reader`](Harness::reader) and `async_reader` if it borrows what it
///    reads from, [`owning_reader`](Harness::owning_reader) and `owning_async_reader` if it owns
///    that.
/// 2. An *oracle* returns the expected result of a stream: [`messages`](Harness::messages) and their
///    encodings, a parser for whole streams ([`oracle`](Harness::oracle)), or, without either, the
///    framer itself byte by byte.
/// 3. [`check`](SplitHarness::check) checks a stream, [`every_stream`](Harness::every_stream) all
///    streams of up to a length, and [`framer_tests!`](crate::framer_tests) makes a test module of the
///    harness.
///
/// ```
/// use everysplit::Harness;
/// use everysplit::reference::{Config, Framer, naive};
///
/// let config = Config::default();
/// let harness = Harness::framer(move || Framer::new(config))
///     .oracle(move |stream| naive::parse(config, stream));
/// let certificate = harness.check(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")?;
/// assert_eq!(
///     certificate.to_string(),
///     "proved: 14 bytes, all 8192 splits, 120 calls, at most 1 state per offset; \
///      32 splits replayed"
/// );
/// # Ok::<(), everysplit::Violation>(())
/// ```
///
/// # Which check runs
///
/// `check` is the strongest one that the door and the framer's type allow, and the certificate names
/// it:
///
/// | framer | check |
/// |---|---|
/// | `Clone + Eq` | proof of all splits |
/// | `Clone + Debug` | proof of all splits, with states compared by their `Debug` text |
/// | `Eq` | proof of all splits, with states rebuilt by feeding their path again |
/// | `Debug` | the same, with states compared by their `Debug` text |
/// | any other, or one that reads | every split of up to two cuts, and byte by byte, with interruptions |
///
/// A long stream is proved at some of its offsets only, see [`max_work`](Harness::max_work); a
/// bounded check then cuts there too.
///
/// A caller-buffered framer is proved in far fewer calls than one that is fed. A proof that gives up
/// (see [`NotProved`](crate::NotProved)) is followed by the check of the last row.
///
/// This choice is made by method resolution: `Harness` has the method `check` only where the bounds
/// of the first row hold, and otherwise dereferences to [`TextHarness`], [`RebuildHarness`],
/// [`RebuildTextHarness`] and [`SplitHarness`], one for each row. So call it where the framer's type
/// is known; a generic function sees only the bounds that it declares.
///
/// # Violations
///
/// The checks make a violation small. The order is: fewer cuts, then fewer bytes, then smaller bytes
/// (compared from the first on), then fewer cuts that are not at field edges, then earlier cuts.
///
/// Where the docs of a method say *minimal*, they mean the smallest case that a search finds. A
/// violation of up to 8 bytes is compared with up to 4096 cases of short streams; the search is
/// exhaustive in no other way. It runs cases of 64 MiB in total, or as much as 64 uncut cases of a
/// longer stream. A run counts as 1 KiB in addition, and each cut as 64 bytes.
///
/// The smaller case violates the same property, with two exceptions. A violation of `every_split`
/// that the whole stream shows too becomes one of `round_trip`, `limit` or `rejection`. A proof can find what only some of
/// many empty chunks cause, which no [`Case`](crate::Case) can express: then the violation is what
/// the case shows, or as found if the case shows none.
#[derive(Clone)]
pub struct Harness<T, O = ByteByByte>(TextHarness<T, O>);
