//! The smallest violation so far, and how much more may be tried.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::case::Case;
use crate::property::Property;
use crate::report::Violation;
use crate::split::Split;

/// How many bytes the tried cases may have in total, if that is enough for `LEAST` of them.
const BYTES: usize = 64 * 1024 * 1024;
const LEAST: usize = 64;
/// What a run and each of its cuts cost in addition to its bytes.
const RUN: usize = 1024;
const CUT: usize = 64;
/// The largest number of edges that the passes use.
const MARKS: usize = 64;

/// The search for a smaller violation.
pub(super) struct Search<'a> {
    pub(super) smallest: Violation,
    /// Its edges inside the stream, increasing.
    pub(super) edges: Vec<usize>,
    /// The stream of the violation at the beginning.
    original: Vec<u8>,
    violates: &'a dyn Fn(&Case) -> Option<Violation>,
    /// The bytes that cases may still have, with `RUN` and `CUT` in addition.
    budget: usize,
    /// The part of the budget that the current pass leaves to the others.
    reserve: usize,
    /// How many smaller violations were found.
    found: usize,
}

impl<'a> Search<'a> {
    /// Starts from a violation that `violates` returns for its case.
    pub(super) fn new(
        smallest: Violation,
        violates: &'a dyn Fn(&Case) -> Option<Violation>,
    ) -> Self {
        let original = smallest.case.stream.clone();
        Self {
            budget: BYTES.max(LEAST * (original.len() + RUN)),
            reserve: 0,
            found: 0,
            edges: edges(&smallest),
            smallest,
            original,
            violates,
        }
    }

    /// Runs a pass with half of the budget. Returns whether it found a smaller violation.
    pub(super) fn improves(&mut self, pass: &dyn Fn(&mut Self)) -> bool {
        let found = self.found;
        self.reserve = self.budget / 2;
        pass(self);
        self.found > found
    }

    pub(super) fn stream(&self) -> &[u8] {
        &self.smallest.case.stream
    }

    pub(super) fn split(&self) -> &Split {
        &self.smallest.case.split
    }

    /// Returns the number of cuts.
    pub(super) fn cuts(&self) -> usize {
        self.split().cuts().len()
    }

    /// Returns some of the edges.
    pub(super) fn marks(&self) -> Vec<usize> {
        let step = self.edges.len().div_ceil(MARKS).max(1);
        self.edges.iter().step_by(step).copied().collect()
    }

    /// Returns whether the current pass must end.
    pub(super) fn is_over(&self) -> bool {
        self.budget < self.reserve + cost(self.stream(), self.split())
    }

    /// Tries the same stream with another split.
    pub(super) fn try_split(&mut self, split: &Split) -> bool {
        if !self.is_smaller(self.stream(), split) {
            return false;
        }
        let stream = self.stream().to_vec();
        self.try_case(&stream, split)
    }

    /// Tries a case with the interruption of the smallest one, without the cuts after its end.
    /// Returns whether it is smaller and violates the same property.
    pub(super) fn try_case(&mut self, stream: &[u8], split: &Split) -> bool {
        let cuts = split.cuts().iter().copied();
        let split = Split::new(cuts.filter(|&cut| cut < stream.len()));
        let cost = cost(stream, &split);
        if self.reserve + cost > self.budget || !self.is_smaller(stream, &split) {
            return false;
        }
        self.budget -= cost;
        let case = Case::new(stream, split).with(self.smallest.case.interruption);
        let Some(violation) = (self.violates)(&case) else {
            return false;
        };
        let same = violation.property == self.smallest.property || self.is_uncut(&violation);
        if same {
            self.edges = edges(&violation);
            self.smallest = violation;
            self.found += 1;
        }
        same
    }

    /// Returns whether a violation is the smallest one without its cuts: what violates `every_split`
    /// in a cut stream violates `round_trip`, `limit` or `rejection` if the whole stream shows it
    /// too.
    fn is_uncut(&self, violation: &Violation) -> bool {
        let uncut = matches!(
            violation.property,
            Property::RoundTrip | Property::Limit | Property::Rejection
        );
        self.smallest.property == Property::EverySplit
            && uncut
            && violation.case.stream == self.original
    }

    /// Returns whether a case is smaller than the smallest one, in the order of the module's
    /// comment.
    fn is_smaller(&self, stream: &[u8], split: &Split) -> bool {
        let size = |stream: &[u8], split: &Split| (split.cuts().len(), stream.len());
        size(stream, split)
            .cmp(&size(self.stream(), self.split()))
            .then_with(|| stream.cmp(self.stream()))
            .then_with(|| self.compare_cuts(split, self.split()))
            .is_lt()
    }

    /// Compares two splits of the smallest stream with the same number of cuts.
    fn compare_cuts(&self, left: &Split, right: &Split) -> Ordering {
        let inside = |split: &Split| {
            let cuts = split.cuts().iter();
            cuts.filter(|cut| self.edges.binary_search(cut).is_err())
                .count()
        };
        let count = inside(left).cmp(&inside(right));
        count.then_with(|| left.cuts().cmp(right.cuts()))
    }
}

/// Returns what a run costs, in bytes.
fn cost(stream: &[u8], split: &Split) -> usize {
    stream.len() + RUN + CUT * split.cuts().len()
}

/// Returns the edges inside a violation's stream, increasing.
fn edges(violation: &Violation) -> Vec<usize> {
    let mut edges = violation.edges.clone();
    edges.retain(|&edge| edge < violation.case.stream.len());
    edges.sort_unstable();
    edges.dedup();
    edges
}
