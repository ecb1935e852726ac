//! Checks of one split at a time. They work for every framer, `Clone` and `Eq` or not.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::mutated;
use super::under_test::{UnderTest, try_make};
use crate::case::Case;
use crate::check::allocations::{Allocated, allocations};
use crate::check::input::Edges;
use crate::deviation::Deviation;
use crate::door::{Door, FeedDoor};
use crate::expected::{Expected, Source};
use crate::oracle::{Judged, Oracle, differential};
use crate::report::{Certificate, NotProved, SplitMap, Violation};
use crate::split::Split;
use crate::subject::Subject;

/// The part of a [`Harness`](crate::Harness) that needs neither `Clone` nor `Eq` of the framer: it
/// checks one split at a time. A harness dereferences to it.
#[derive(Clone)]
pub struct SplitHarness<T, O> {
    pub(super) door: T,
    pub(super) oracle: O,
    pub(super) edges: Option<Edges>,
    pub(super) deviations: Vec<Deviation>,
    pub(super) streams: Vec<Vec<u8>>,
    /// Whether mutated streams are checked too.
    pub(super) mutated: bool,
    /// Whether to go on making violations smaller.
    pub(super) minimize_while: Option<Rc<dyn Fn() -> bool>>,
}

impl<T: Door, O: Oracle<T>> UnderTest<T::Frame, T::Error> for SplitHarness<T, O> {
    fn door(&self) -> &dyn Door<Frame = T::Frame, Error = T::Error> {
        &self.door
    }

    fn expected(&self, stream: &[u8]) -> Option<Judged<T::Frame, T::Error>> {
        self.oracle.expected(&self.door, stream)
    }

    fn source(&self) -> Source {
        O::SOURCE
    }

    fn edges(&self) -> Option<&Edges> {
        self.edges.as_ref()
    }

    fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    fn goes_on(&self) -> bool {
        let goes_on = self.minimize_while.as_ref();
        goes_on.is_none_or(|goes_on| goes_on())
    }
}

impl<T: Door, O: Oracle<T>> SplitHarness<T, O> {
    /// Returns the harness for what needs neither the type of its framer nor that of its oracle.
    pub(super) fn under_test(&self) -> &dyn UnderTest<T::Frame, T::Error> {
        self
    }

    /// Returns the streams to check: those that the oracle makes of the messages, those that were
    /// given, and, if the harness adds them, [mutated](crate::Harness::mutated) ones.
    #[must_use]
    pub fn all_streams(&self) -> Vec<Vec<u8>> {
        let mut streams = self.oracle.streams();
        streams.extend(self.streams.iter().cloned());
        if self.mutated {
            let mutated = mutated::streams(&self.oracle.samples(), &streams);
            streams.extend(mutated);
        }
        streams
    }

    /// Returns the expected result of a stream. Where the oracle cannot judge it, that is what the
    /// framer emits byte by byte. Returns `None` if the framer or the oracle gets stuck.
    #[must_use]
    pub fn expected(&self, stream: &[u8]) -> Option<Expected<T::Frame, T::Error>> {
        let (_, judged) = self.under_test().judge(stream);
        Some(judged.ok()?.expected.into_inner())
    }

    /// Checks every split of up to two cuts, and byte by byte, each with every
    /// [`Interruption`](crate::Interruption) that the framer can be given. A stream of more than 1 KiB
    /// is cut at some offsets only, and the certificate says at how many.
    ///
    /// Where the type of the framer allows more, [`Harness`](crate::Harness) has a stronger method
    /// of this name.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        self.under_test()
            .check_few_cuts(stream, NotProved::NotComparable)
    }

    /// Checks every split of up to `cuts` cuts, and byte by byte, each with every
    /// [`Interruption`](crate::Interruption) that the framer can be given.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn bounded(&self, stream: &[u8], cuts: usize) -> Result<Certificate, Violation> {
        self.under_test().check_bounded(stream, cuts, None)
    }

    /// Checks `splits` random splits, half of their cuts at field edges, each with every
    /// [`Interruption`](crate::Interruption) that the framer can be given. The same seed makes the same
    /// splits. Nearby seeds share most of them: for other splits, add `splits` to the seed.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    ///
    /// # Panics
    ///
    /// Panics if `splits` is 0, as nothing would be checked.
    #[track_caller]
    pub fn sampled(&self, stream: &[u8], seed: u64, splits: u64) -> Result<Certificate, Violation> {
        assert!(splits > 0, "`sampled` needs one split at least");
        self.under_test().check_sampled(stream, seed, splits)
    }

    /// Checks one case. A case with an interruption must hold without it first, and one with a dropped
    /// future must hold with a pending one.
    ///
    /// # Errors
    ///
    /// Returns the violation as it is, not minimised.
    ///
    /// # Panics
    ///
    /// Panics if the framer cannot be given the case's interruption.
    #[track_caller]
    pub fn one_split(&self, case: &Case) -> Result<(), Violation> {
        let possible = self.door.interruptions();
        assert!(
            possible.contains(&case.interruption),
            "{:?} is not an interruption of this framer; these are: {possible:?}",
            case.interruption,
        );
        let under_test = self.under_test();
        let input = under_test.exact_input(&case.stream)?;
        under_test.run_case(case, &input)
    }

    /// Checks the case of a [token](Case) that a violation printed.
    ///
    /// # Errors
    ///
    /// Returns the violation as it is, not minimised.
    ///
    /// # Panics
    ///
    /// Panics if the text is not a token.
    #[track_caller]
    pub fn replay(&self, token: &str) -> Result<(), Violation> {
        match token.parse() {
            Ok(case) => self.one_split(&case),
            Err(error) => panic!("{error}"),
        }
    }

    /// Checks one random split of a fuzzer's input, derived from a hash of it, with every
    /// [`Interruption`](crate::Interruption) that the framer can be given.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn fuzz(&self, stream: &[u8]) -> Result<(), Violation> {
        self.under_test().fuzz(stream)
    }

    /// Checks every split of up to two cuts, and byte by byte, without interruptions, and draws
    /// which of them hold: n(n-1)/2 + 2 runs for n bytes.
    #[must_use]
    pub fn split_map(&self, stream: &[u8]) -> SplitMap {
        self.under_test().split_map(stream)
    }

    /// Panics if a deviation is declared that nothing is held to.
    #[track_caller]
    pub(super) fn assert_deviations_are_used(&self) {
        let unused = self.deviations.iter().find(|&&it| !self.oracle.uses(it));
        if let Some(unused) = unused {
            panic!(
                "{unused:?} is declared, and nothing is held to it: only `size_limit` uses it, which \
                 must come after it; another oracle must reject an empty frame, or count the header, \
                 by itself"
            );
        }
    }
}

impl<T: FeedDoor, O> SplitHarness<T, O> {
    /// Checks that cost is in proportion to the bytes, one byte at a time and many frames at once: a
    /// stream of four times the length takes about four times as long, and not sixteen.
    ///
    /// Each stream is fed byte by byte, and as one chunk. `stream` makes a stream of about the
    /// requested number of bytes, from 256 to 1048576, of any kind: one body, many small frames, a
    /// header without an end, or something that is rejected. Call `linear` once for each kind.
    /// Frames and errors are not compared, and after an error the remaining bytes are fed all the
    /// same.
    ///
    /// Lengths grow until a stream has 262144 bytes or takes 20 milliseconds byte by byte, and
    /// until it has 1048576 bytes or takes 8 milliseconds as one chunk. In short streams the cost
    /// of each call hides repeated work, and what shows only in longer ones is not found. No
    /// absolute time decides, only a ratio of two times from the same tries. A ratio that is too
    /// large is measured four times more, with pauses in between, and must be too large each time:
    /// other work on the machine slows it down for a while.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use everysplit::reference::{Config, Framer, Header};
    ///
    /// let config = Config::default();
    /// let one_body = |len| {
    ///     let mut stream = vec![b'x'; len];
    ///     let header = config.encode_header(1, 0, len - Header::LEN).unwrap();
    ///     stream[..Header::LEN].copy_from_slice(&header);
    ///     stream
    /// };
    /// Harness::framer(move || Framer::new(config)).linear(one_body)?;
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a violation of [`Property::Linear`](crate::Property::Linear), with the shorter
    /// stream of the first two that show it, or of
    /// [`Property::Progress`](crate::Property::Progress). Its split is byte by byte or whole.
    ///
    /// # Panics
    ///
    /// Panics if no stream is three to five times as long as the previous one where four times the
    /// bytes are requested.
    #[cfg(feature = "std")]
    pub fn linear(&self, stream: impl Fn(usize) -> Vec<u8>) -> Result<(), Violation> {
        try_make(&self.door, &[], &Split::whole())?;
        crate::check::linear::linear(|| self.door.subject(), stream)
    }

    /// Checks that the bytes a framer allocates are bounded by the bytes fed, whatever a header
    /// claims: 64 for each, and 16 KiB in addition.
    ///
    /// `measure` runs a call and counts its allocations, as the crate allocation-counter does. Use
    /// a stream whose header claims some mebibytes, within the size limit. An allocation that the
    /// system refuses ends the process.
    ///
    /// ```
    /// use everysplit::reference::{Config, Framer};
    /// use everysplit::{Allocated, Harness, Split};
    ///
    /// let measure = |call: &mut dyn FnMut()| {
    ///     let counted = allocation_counter::measure(call);
    ///     Allocated { peak: counted.bytes_max, kept: counted.bytes_current }
    /// };
    /// let stream = b"\0\0\x80\0"; // claims 8 MiB
    /// let harness = Harness::framer(|| Framer::new(Config::DEFAULT));
    /// harness.allocations(stream, &Split::whole(), measure)?;
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a violation of [`Property::Memory`](crate::Property::Memory) or
    /// [`Property::Progress`](crate::Property::Progress).
    pub fn allocations(
        &self,
        stream: &[u8],
        split: &Split,
        measure: impl FnMut(&mut dyn FnMut()) -> Allocated,
    ) -> Result<(), Violation> {
        try_make(&self.door, stream, split)?;
        allocations(self.door.subject(), stream, split, measure)
    }

    /// Checks that the framer and a `peer` for the same format emit the same frames at the same
    /// bytes and reject the same streams. Their errors, and what follows an error, may differ.
    ///
    /// # Errors
    ///
    /// Returns a violation of [`Property::Differential`](crate::Property::Differential), with
    /// the peer's result as what was expected, or of
    /// [`Property::Progress`](crate::Property::Progress).
    pub fn differential<P>(&self, peer: P, case: &Case) -> Result<(), Violation>
    where
        P: Subject<Frame = T::Frame>,
    {
        try_make(&self.door, &case.stream, &case.split)?;
        differential(peer, self.door.subject(), case)
    }
}
