//! Checks of one split at a time. They work for every framer, `Clone` and `Eq` or not.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{coverage, mutated};
use crate::case::{Case, Interruption};
use crate::check::allocations::{Allocated, allocations};
use crate::check::finding::{Difference, Finding};
use crate::check::input::{Edges, Input};
use crate::check::judge::Expectation;
use crate::check::{declared, isolate, minimize};
use crate::deviation::Deviation;
use crate::door::{Door, FeedDoor};
use crate::expected::{Expected, Outcome, Source};
use crate::oracle::{Judged, Oracle, byte_by_byte, differential};
use crate::property::Property;
use crate::report::{Cell, Certificate, NotProved, SplitMap, Tier, Violation};
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

impl<T: Door, O: Oracle<T>> SplitHarness<T, O> {
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
        Some(self.judge(stream).1.ok()?.expected)
    }

    /// Checks every split of up to two cuts, and byte by byte, each with every
    /// [`Interruption`] that the framer can be given. A stream of more than 1 KiB is cut at some
    /// offsets only, and the certificate says at how many.
    ///
    /// Where the type of the framer allows more, [`Harness`](crate::Harness) has a stronger method
    /// of this name.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        self.check_few_cuts(stream, NotProved::NotComparable)
    }

    /// Checks every split of up to `cuts` cuts, and byte by byte, each with every
    /// [`Interruption`] that the framer can be given.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn bounded(&self, stream: &[u8], cuts: usize) -> Result<Certificate, Violation> {
        self.check_bounded(stream, cuts, None)
    }

    /// Checks `splits` random splits, half of their cuts at field edges, each with every
    /// [`Interruption`] that the framer can be given. The same seed makes the same splits.
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
        let input = self.input(stream)?;
        let edges = input.edges();
        let sample = |n| Split::sample(stream.len(), &edges, seed.wrapping_add(n));
        let (splits, calls) = self.each(&input, &mut (0..splits).map(sample))?;
        Ok(self.certificate(&input, Tier::Sampled { seed, splits }, calls))
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
        assert!(
            T::INTERRUPTIONS.contains(&case.interruption),
            "{:?} is not an interruption of this framer; these are: {:?}",
            case.interruption,
            T::INTERRUPTIONS
        );
        let input = self.exact_input(&case.stream)?;
        self.run_case(case, &input)
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
    /// [`Interruption`] that the framer can be given.
    ///
    /// # Errors
    ///
    /// Returns a minimal violation.
    pub fn fuzz(&self, stream: &[u8]) -> Result<(), Violation> {
        let Case { split, .. } = Case::from(stream);
        let input = self.exact_input(stream);
        match input.and_then(|input| self.run_interrupted(&split, &input)) {
            Ok(_) => Ok(()),
            Err(violation) => Err(self.minimal(violation)),
        }
    }

    /// Checks every split of up to two cuts, and byte by byte, without interruptions, and draws
    /// which of them hold: n(n-1)/2 + 2 runs for n bytes.
    #[must_use]
    pub fn split_map(&self, stream: &[u8]) -> SplitMap {
        let input = match self.exact_input(stream) {
            Ok(input) => input,
            Err(violation) => {
                let property = violation.property;
                return SplitMap::of(stream.len(), &[], |_| Cell::Violated(property));
            }
        };
        SplitMap::of(stream.len(), &input.edges(), |split| {
            match self.run(split, Interruption::None, &input) {
                Ok(_) => Cell::Held,
                Err(violation) => Cell::Violated(violation.property),
            }
        })
    }

    fn run(
        &self,
        split: &Split,
        interruption: Interruption,
        input: &Input<'_, T::Frame, T::Error>,
    ) -> Result<u64, Violation> {
        self.door
            .run(split, interruption, input)
            .map_err(|finding| {
                let finding = match finding.difference {
                    Difference::RejectedPrefix if self.rejects_whole_frame(input) => {
                        finding.rejected_whole()
                    }
                    _ => finding,
                };
                input.violation(finding, split, interruption)
            })
    }

    /// Returns whether the frame inside which a stream ends is rejected when it arrives in one chunk
    /// too, with all that is before it.
    fn rejects_whole_frame(&self, input: &Input<'_, T::Frame, T::Error>) -> bool {
        let Some(rest) = &input.expected.unfinished else {
            return false;
        };
        let whole = [input.stream, rest].concat();
        let recorded = self.door.record(&whole, &Split::whole());
        recorded.is_ok_and(|recorded| matches!(recorded.outcome, Outcome::Rejected { .. }))
    }

    pub(super) fn run_case(
        &self,
        case: &Case,
        input: &Input<'_, T::Frame, T::Error>,
    ) -> Result<(), Violation> {
        // A violation without the interruption is not caused by it.
        for &simpler in case.interruption.simpler() {
            self.run(&case.split, simpler, input)?;
        }
        self.run(&case.split, case.interruption, input).map(drop)
    }

    /// Runs a split with every interruption. Returns the number of calls.
    fn run_interrupted(
        &self,
        split: &Split,
        input: &Input<'_, T::Frame, T::Error>,
    ) -> Result<u64, Violation> {
        let interruptions = T::INTERRUPTIONS.iter();
        interruptions
            .map(|&interruption| self.run(split, interruption, input))
            .sum()
    }

    /// Runs each split with every interruption. Returns the number of splits and of calls.
    pub(super) fn each(
        &self,
        input: &Input<'_, T::Frame, T::Error>,
        splits: &mut dyn Iterator<Item = Split>,
    ) -> Result<(u64, u64), Violation> {
        let (mut count, mut calls) = (0, 0);
        for split in splits {
            count += 1;
            calls += self
                .run_interrupted(&split, input)
                .map_err(|violation| self.minimal(violation))?;
        }
        Ok((count, calls))
    }

    pub(super) fn check_bounded(
        &self,
        stream: &[u8],
        cuts: usize,
        not_proved: Option<NotProved>,
    ) -> Result<Certificate, Violation> {
        let input = self.input(stream)?;
        // Of a short stream, the split byte by byte has few cuts too.
        let bytes = (stream.len() > cuts + 1).then(|| Split::bytes(stream.len()));
        let mut splits = Split::up_to(stream.len(), cuts).chain(bytes);
        let (splits, calls) = self.each(&input, &mut splits)?;
        let tier = Tier::Bounded {
            cuts,
            splits,
            not_proved,
        };
        Ok(self.certificate(&input, tier, calls))
    }

    pub(super) fn certificate(
        &self,
        input: &Input<'_, T::Frame, T::Error>,
        tier: Tier,
        calls: u64,
    ) -> Certificate {
        Certificate {
            tier,
            bytes: input.stream.len(),
            calls,
            held: coverage::checked(&self.door, input),
            at_limit: coverage::at_limit(input),
            over_limit: coverage::over_limit(input),
            source: input.source,
            deviations: self.deviations.clone(),
        }
    }

    /// Returns the properties that a stream checks. If the framer or the oracle gets stuck, these
    /// are the ones that do not depend on what is expected.
    pub(super) fn covered(&self, stream: &[u8]) -> Vec<Property> {
        match self.exact_input(stream) {
            Ok(input) => coverage::checked(&self.door, &input),
            Err(_) => coverage::checked_anyway::<T>(stream.len()),
        }
    }

    /// Makes the input of a stream. Fails with a minimal violation if the expected result contradicts
    /// the declared deviations, or if the framer or the oracle gets stuck.
    pub(super) fn input<'a>(
        &'a self,
        stream: &'a [u8],
    ) -> Result<Input<'a, T::Frame, T::Error>, Violation> {
        self.exact_input(stream)
            .map_err(|violation| self.minimal(violation))
    }

    /// Like [`input`](Self::input), with the violation as it is.
    fn exact_input<'a>(
        &'a self,
        stream: &'a [u8],
    ) -> Result<Input<'a, T::Frame, T::Error>, Violation> {
        let (source, judged) = self.judge(stream);
        if let Some(offset) = misplaced_offset(stream, source, &judged) {
            panic!(
                "the oracle expects something at offset {offset} of the stream {}: an offset is a \
                 number of bytes from 1 to {}, and none is less than the one before it",
                Case::new(stream, Split::whole()),
                stream.len()
            );
        }
        if let Ok(expected) = &judged
            && let Some(value) = expected.unequal_to_itself()
        {
            panic!(
                "the frame or error {value} does not equal itself, as a NaN does not, so that no \
                 framer can emit what is expected: compare the values that `with_frames` or \
                 `with_errors` makes, such as the bits of a float"
            );
        }
        self.make_input(stream, source, judged)
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

    /// Returns the expected result of a stream: what the oracle says or, where it cannot judge the
    /// stream, what the framer emits byte by byte.
    fn judge(&self, stream: &[u8]) -> (Source, Judged<T>) {
        match self.oracle.expected(&self.door, stream) {
            Some(judged) => (O::SOURCE, judged),
            None => (Source::ByteByByte, byte_by_byte(&self.door, stream)),
        }
    }

    /// Returns the expected result of a stream from a source, `None` if that does not judge it.
    fn judge_by(&self, source: Source, stream: &[u8]) -> Option<Judged<T>> {
        match self.oracle.expected(&self.door, stream) {
            judged if source == O::SOURCE => judged,
            None => Some(byte_by_byte(&self.door, stream)),
            Some(_) => None,
        }
    }

    fn make_input<'a>(
        &'a self,
        stream: &'a [u8],
        source: Source,
        judged: Judged<T>,
    ) -> Result<Input<'a, T::Frame, T::Error>, Violation> {
        let expected = judged.map_err(|stuck| {
            let split = match source {
                Source::ByteByByte => Split::bytes(stream.len()),
                Source::Encoder | Source::Parser => Split::whole(),
            };
            Violation::without_expectation(stuck, &Case::new(stream, split))
        })?;
        let input = Input {
            stream,
            expected,
            source,
            edges: self.edges.as_ref(),
            deviations: &self.deviations,
        };
        match declared::check_expected(&input) {
            Ok(()) => Ok(input),
            Err(finding) => Err(input.violation(finding, &Split::whole(), Interruption::None)),
        }
    }

    pub(super) fn minimal(&self, violation: Violation) -> Violation {
        if isolate::hung() {
            return minimize::cut_off(violation);
        }
        let goes_on = || self.minimize_while.as_ref().is_none_or(|goes_on| goes_on());
        let (source, _) = self.judge(&violation.case.stream);
        let violates = |case: &Case| {
            if !goes_on() {
                return None;
            }
            let judged = self.judge_by(source, &case.stream)?;
            if misplaced_offset(&case.stream, source, &judged).is_some() {
                // The oracle is made for certain streams.
                return None;
            }
            match self.make_input(&case.stream, source, judged) {
                Ok(input) => self.run_case(case, &input).err(),
                // The framer gets stuck byte by byte: look for a simpler split that does too.
                Err(violation)
                    if violation.property == Property::Progress && source == Source::ByteByByte =>
                {
                    let stuck = self.door.record(&case.stream, &case.split).err()?;
                    Some(Violation::without_expectation(stuck, case))
                }
                Err(contradiction) => Some(contradiction).filter(|found| found.case == *case),
            }
        };
        // A fresh framer shows whether a missing frame comes later, and whether a frame is rejected
        // whole, which a proof does not see.
        let violation = match violation.property {
            Property::Prompt | Property::EverySplit => {
                violates(&violation.case).unwrap_or(violation)
            }
            _ => violation,
        };
        minimize::minimize(violation, &violates)
    }
}

/// Returns an offset that an oracle expects something at, and that the stream cannot have.
fn misplaced_offset<F, E>(
    stream: &[u8],
    source: Source,
    judged: &Result<Expectation<F, E>, Finding>,
) -> Option<usize> {
    match (source, judged) {
        (Source::Encoder | Source::Parser, Ok(expected)) => expected.misplaced_offset(stream.len()),
        _ => None,
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
    /// absolute time decides, only a ratio of two times from the same tries.
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
    /// stream of the first two that show it. Its split is byte by byte or whole.
    ///
    /// # Panics
    ///
    /// Panics if no stream is three to five times as long as the previous one where four times the
    /// bytes are requested.
    #[cfg(feature = "std")]
    pub fn linear(&self, stream: impl Fn(usize) -> Vec<u8>) -> Result<(), Violation> {
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
        allocations(self.door.subject(), stream, split, measure)
    }

    /// Checks that the framer and a `peer` for the same format emit the same frames at the same
    /// bytes and reject the same streams. Their errors, and what follows an error, may differ.
    ///
    /// # Errors
    ///
    /// Returns a violation of [`Property::Differential`](crate::Property::Differential), with
    /// the peer's result as what was expected.
    pub fn differential<P>(&self, peer: P, case: &Case) -> Result<(), Violation>
    where
        P: Subject<Frame = T::Frame>,
    {
        differential(peer, self.door.subject(), case)
    }
}
