//! The entry point: a framer under test together with the expected results of its streams.
//!
//! - `build`: what is expected of it, and the streams to check
//! - `splits`: checks of one split at a time, for every framer
//! - `coverage`: the properties that a stream checks, and what to add to check the others
//! - `mutated`: streams with one change
//! - `mutator`: mutations by whole messages, for fuzzers
//! - `verdicts`: the results of several streams
//! - this file: the strongest check that the framer's type allows

mod build;
mod coverage;
mod mutated;
mod mutator;
mod splits;
mod verdicts;

pub use splits::SplitHarness;
pub use verdicts::{Status, Verdicts};

use core::ops::Deref;

use crate::check::input::Input;
use crate::check::prove::{Proof, Stop, prove_caller_buffered, prove_fed};
use crate::door::{CallerBuffered, Door, Fed};
use crate::oracle::{ByteByByte, Oracle};
use crate::report::{Certificate, Tier, Violation};
use crate::subject::{Decode, Subject};

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
/// 3. [`check`](SplitHarness::check) checks a stream, and [`framer_tests!`](crate::framer_tests)
///    makes a test module of the harness.
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
///     "proved: 14 bytes, all 8192 splits, 120 calls, at most 1 state per offset"
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
/// | fed, `Clone + Eq` | proof of all splits |
/// | caller-buffered, `Clone + Eq` | proof of all splits, in far fewer calls |
/// | any other | every split of up to two cuts, and byte by byte, with interruptions |
///
/// A proof that gives up (see [`NotProved`](crate::NotProved)) is followed by the check of the last
/// row. This choice is made by method resolution: `Harness` has the method `check` only where the
/// bounds hold, and otherwise dereferences to [`SplitHarness`], whose `check` has none. So call it
/// where the framer's type is known; a generic function sees only the bounds that it declares.
///
/// # Violations
///
/// Every violation that a method of the harness returns is minimal: the fewest cuts, at field edges
/// where possible, on a stream that cannot be shortened by a field or by its end.
pub struct Harness<T, O = ByteByByte> {
    splits: SplitHarness<T, O>,
    /// The largest number of states at one offset that a proof follows.
    max_states: usize,
}

impl<T: Clone, O: Clone> Clone for Harness<T, O> {
    fn clone(&self) -> Self {
        Self {
            splits: self.splits.clone(),
            max_states: self.max_states,
        }
    }
}

impl<T, O> Deref for Harness<T, O> {
    type Target = SplitHarness<T, O>;

    fn deref(&self) -> &SplitHarness<T, O> {
        &self.splits
    }
}

impl<S, O> Harness<Fed<S>, O>
where
    S: Subject + Clone + Eq,
    O: Oracle<Fed<S>>,
{
    /// Proves every split of a stream, all 2^(n-1), by merging equal states.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        let input = self.input(stream)?;
        let proof = prove_fed((self.door.make)(), &input, self.max_states);
        self.certify(&input, proof)
    }
}

impl<D, O> Harness<CallerBuffered<D>, O>
where
    D: Decode + Clone + Eq,
    O: Oracle<CallerBuffered<D>>,
{
    /// Proves every split of a stream, all 2^(n-1), by merging equal states. As the caller owns the
    /// buffer, all offsets inside one wait share a state.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        let input = self.input(stream)?;
        let proof = prove_caller_buffered((self.door.make)(), &input, self.max_states);
        self.certify(&input, proof)
    }
}

impl<T: Door, O: Oracle<T>> Harness<T, O> {
    /// Makes a certificate of a proof; without one, checks every split of up to two cuts.
    fn certify(
        &self,
        input: &Input<'_, T::Frame, T::Error>,
        proof: Result<Proof, Stop>,
    ) -> Result<Certificate, Violation> {
        match proof {
            Ok(Proof { states, calls }) => {
                Ok(self.certificate(input, Tier::Proved { states }, calls))
            }
            Err(Stop::NotProved(reason)) => self.check_bounded(input.stream, 2, Some(reason)),
            Err(Stop::Violation(violation)) => Err(self.minimal(*violation)),
        }
    }
}
