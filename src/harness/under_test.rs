//! A framer under test with its oracle, without their types: the checks of one split at a time.
//!
//! They are compiled once for each type of frame and error, and not for each framer.

use alloc::vec::Vec;

use super::coverage::{self, Covered};
use crate::case::{Case, Interruption, hash};
use crate::check::finding::{Difference, Finding};
use crate::check::input::{Edges, Input};
use crate::check::judge::Expectation;
use crate::check::team;
use crate::check::{declared, isolate, minimize};
use crate::deviation::Deviation;
use crate::door::{Door, Value};
use crate::expected::{Outcome, Source};
use crate::oracle::{Judged, byte_by_byte};
use crate::property::Property;
use crate::report::{Cell, Certificate, NotProved, SplitMap, Tier, Violation};
use crate::split::Split;

/// How many splits the threads of a team divide at once, and how many of them one thread takes.
const TOGETHER: usize = 1024;
const PART: usize = 16;

/// Makes a framer for a stream and drops it. Fails if that does not return.
pub(super) fn try_make<F: Value, E: Value>(
    door: &dyn Door<Frame = F, Error = E>,
    stream: &[u8],
    split: &Split,
) -> Result<(), Violation> {
    door.try_make()
        .map_err(|stuck| Violation::without_expectation(stuck, &Case::new(stream, split.clone())))
}

/// What the checks need of a harness.
pub(super) trait UnderTest<F, E> {
    fn door(&self) -> &dyn Door<Frame = F, Error = E>;

    /// Returns what the oracle expects of a stream, `None` if it cannot judge it.
    fn expected(&self, stream: &[u8]) -> Option<Judged<F, E>>;

    /// Returns where that comes from.
    fn source(&self) -> Source;

    fn edges(&self) -> Option<&Edges>;

    fn deviations(&self) -> &[Deviation];

    /// Returns whether to go on making violations smaller.
    fn goes_on(&self) -> bool;
}

impl<F: Value, E: Value> dyn UnderTest<F, E> + '_ {
    fn run(
        &self,
        split: &Split,
        interruption: Interruption,
        input: &Input<'_, F, E>,
    ) -> Result<u64, Violation> {
        self.door()
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
    fn rejects_whole_frame(&self, input: &Input<'_, F, E>) -> bool {
        let Some(rest) = &input.expected.unfinished else {
            return false;
        };
        let whole = [input.stream, rest].concat();
        let recorded = self.door().record(&whole, &Split::whole());
        recorded.is_ok_and(|recorded| matches!(recorded.outcome, Outcome::Rejected { .. }))
    }

    pub(super) fn run_case(&self, case: &Case, input: &Input<'_, F, E>) -> Result<(), Violation> {
        // A violation without the interruption is not caused by it.
        for &simpler in case.interruption.simpler() {
            self.run(&case.split, simpler, input)?;
        }
        self.run(&case.split, case.interruption, input).map(drop)
    }

    /// Runs a split with every interruption. Returns the number of calls.
    fn run_interrupted(&self, split: &Split, input: &Input<'_, F, E>) -> Result<u64, Violation> {
        let interruptions = self.door().interruptions().iter();
        interruptions
            .filter(|&&interruption| !input.leaves_out(interruption))
            .map(|&interruption| self.run(split, interruption, input))
            .sum()
    }

    /// Runs a split that is derived from a hash of the stream.
    pub(super) fn fuzz(&self, stream: &[u8]) -> Result<(), Violation> {
        let Case { split, .. } = Case::from(stream);
        let input = self.exact_input(stream);
        match input.and_then(|input| self.run_interrupted(&split, &input)) {
            Ok(_) => Ok(()),
            Err(violation) => Err(self.minimal(violation)),
        }
    }

    /// Runs every split of up to two cuts, and byte by byte.
    pub(super) fn split_map(&self, stream: &[u8]) -> SplitMap {
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

    /// Runs each split with every interruption. Each thread makes the splits that it runs, `split`
    /// from an item. Returns the number of splits and of calls.
    pub(super) fn each<T>(
        &self,
        input: &Input<'_, F, E>,
        items: &mut dyn Iterator<Item = T>,
        split: impl Fn(&T) -> Split,
    ) -> Result<(u64, u64), Violation> {
        let run_all = |part: &[T]| -> Result<u64, Violation> {
            let calls = part
                .iter()
                .map(|item| self.run_interrupted(&split(item), input));
            calls.sum()
        };
        let (mut count, mut calls) = (0, 0);
        loop {
            let some: Vec<T> = items.take(TOGETHER).collect();
            if some.is_empty() {
                return Ok((count, calls));
            }
            let parts: Vec<&[T]> = some.chunks(PART).collect();
            let done = team::ahead(hash(input.stream), parts.len(), |part| {
                run_all(parts[part]).ok()
            });
            for (index, part) in parts.into_iter().enumerate() {
                calls += match done.get(index) {
                    Some(&calls) => calls,
                    None => run_all(part).map_err(|violation| self.minimal(violation))?,
                };
            }
            count += some.len() as u64;
        }
    }

    pub(super) fn check_bounded(
        &self,
        stream: &[u8],
        cuts: usize,
        not_proved: Option<NotProved>,
    ) -> Result<Certificate, Violation> {
        let input = self.input(stream)?;
        // Of a short stream, the split byte by byte has few cuts too.
        let bytes = (stream.len() > cuts.saturating_add(1)).then(|| Split::bytes(stream.len()));
        let mut splits = Split::up_to(stream.len(), cuts).chain(bytes);
        let (splits, calls) = self.each(&input, &mut splits, Split::clone)?;
        let tier = Tier::Bounded {
            cuts,
            splits,
            not_proved,
        };
        Ok(self.certificate(&input, tier, calls))
    }

    pub(super) fn check_sampled(
        &self,
        stream: &[u8],
        seed: u64,
        splits: u64,
    ) -> Result<Certificate, Violation> {
        let input = self.input(stream)?;
        let edges = input.edges();
        let sample = |n: &u64| Split::sample(stream.len(), &edges, seed.wrapping_add(*n));
        let (splits, calls) = self.each(&input, &mut (0..splits), sample)?;
        let mut certificate = self.certificate(&input, Tier::Sampled { seed, splits }, calls);
        if (0..splits).all(|n| sample(&n).cuts().is_empty()) {
            certificate.held.retain(|&it| it != Property::EverySplit);
        }
        Ok(certificate)
    }

    pub(super) fn certificate(
        &self,
        input: &Input<'_, F, E>,
        tier: Tier,
        calls: u64,
    ) -> Certificate {
        Certificate {
            tier,
            bytes: input.stream.len(),
            calls,
            held: coverage::checked(self.door(), input),
            at_limit: coverage::at_limit(input),
            over_limit: coverage::over_limit(input),
            source: input.source,
            deviations: self.deviations().to_vec(),
        }
    }

    /// Adds what a stream checks. If the framer or the oracle gets stuck, that is what does not depend
    /// on what is expected.
    pub(super) fn cover(&self, stream: &[u8], covered: &mut Covered) {
        let properties = if let Ok(input) = self.exact_input(stream) {
            covered.at_limit |= coverage::at_limit(&input);
            covered.over_limit |= coverage::over_limit(&input);
            coverage::checked(self.door(), &input)
        } else {
            let interruptions = self.door().interruptions();
            coverage::checked_anyway(interruptions, stream.len(), self.deviations())
        };
        covered.properties.extend(properties);
    }

    /// Makes the input of a stream. Fails with a minimal violation if the expected result contradicts
    /// the declared deviations, or if the framer or the oracle gets stuck.
    pub(super) fn input<'a>(&'a self, stream: &'a [u8]) -> Result<Input<'a, F, E>, Violation> {
        try_make(self.door(), stream, &Split::whole())
            .and_then(|()| self.exact_input(stream))
            .map_err(|violation| self.minimal(violation))
    }

    /// Like [`input`](Self::input), with the violation as it is.
    pub(super) fn exact_input<'a>(
        &'a self,
        stream: &'a [u8],
    ) -> Result<Input<'a, F, E>, Violation> {
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

    /// Returns the expected result of a stream: what the oracle says or, where it cannot judge the
    /// stream, what the framer emits byte by byte.
    pub(super) fn judge(&self, stream: &[u8]) -> (Source, Judged<F, E>) {
        match self.expected(stream) {
            Some(judged) => (self.source(), judged),
            None => (Source::ByteByByte, byte_by_byte(self.door(), stream)),
        }
    }

    /// Returns the expected result of a stream from a source, `None` if that does not judge it.
    fn judge_by(&self, source: Source, stream: &[u8]) -> Option<Judged<F, E>> {
        match self.expected(stream) {
            judged if source == self.source() => judged,
            None => Some(byte_by_byte(self.door(), stream)),
            Some(_) => None,
        }
    }

    fn make_input<'a>(
        &'a self,
        stream: &'a [u8],
        source: Source,
        judged: Judged<F, E>,
    ) -> Result<Input<'a, F, E>, Violation> {
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
            edges: self.edges(),
            deviations: self.deviations(),
        };
        match declared::check_expected(&input) {
            Ok(()) => Ok(input),
            Err(finding) => Err(input.violation(finding, &Split::whole(), Interruption::None)),
        }
    }

    pub(super) fn minimal(&self, violation: Violation) -> Violation {
        team::leave_to_others();
        if isolate::hung() {
            return minimize::cut_off(violation);
        }
        let (source, _) = self.judge(&violation.case.stream);
        let violates = |case: &Case| {
            if !self.goes_on() {
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
                    let stuck = self.door().record(&case.stream, &case.split).err()?;
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
        let smallest = minimize::minimize(violation, &violates);
        Violation {
            // Its case may not have been tried.
            replays: smallest.replays || !self.goes_on(),
            ..smallest
        }
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
