//! A stream under test with all that is known of it. It makes the violations.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::finding::{Circumstances, Finding, blame};
use super::judge::Expectation;
use crate::case::{Case, Interruption};
use crate::deviation::Deviation;
use crate::expected::Source;
use crate::property::Property;
use crate::report::Violation;
use crate::split::Split;

/// Returns the offsets at which a stream's fields begin and end.
pub(crate) type Edges = Rc<dyn Fn(&[u8]) -> Vec<usize>>;

/// How many bytes a framer may hold beyond what it needs.
const SLACK: usize = 64;

/// A stream under test, and its expected result.
pub struct Input<'a, F, E> {
    pub(crate) stream: &'a [u8],
    pub(crate) expected: Expectation<F, E>,
    pub(crate) source: Source,
    pub(crate) edges: Option<&'a Edges>,
    pub(crate) deviations: &'a [Deviation],
}

impl<F, E> Input<'_, F, E> {
    /// Returns the offsets at which the stream's fields begin and end; without an edges
    /// function, those of its frames.
    pub(crate) fn edges(&self) -> Vec<usize> {
        match self.edges {
            Some(edges) => edges(self.stream),
            None => self.expected.frame_edges(),
        }
    }

    /// Returns how many bytes a framer may hold that has had to hold `most` at once, and that held
    /// `initial` before it was fed: a buffer that grows by doubling holds up to twice as many as
    /// necessary, and one that grew while consumed bytes were still at its front three times.
    pub(crate) fn held(&self, most: usize, initial: usize) -> usize {
        let preallocated = self.deviations.iter().map(|deviation| match deviation {
            Deviation::Preallocates(bytes) => *bytes,
            _ => 0,
        });
        let extra = preallocated.fold(SLACK, usize::max);
        (3 * most).saturating_add(initial).saturating_add(extra)
    }

    /// Returns whether the framer is not called any more after the first error.
    pub(crate) fn caller_stops(&self) -> bool {
        self.deviations.contains(&Deviation::CallerStops)
    }

    /// Returns whether the framer's caller never gives it such an interruption.
    pub(crate) fn leaves_out(&self, interruption: Interruption) -> bool {
        interruption.is_resumed() && self.deviations.contains(&Deviation::NotResumable)
    }

    /// Makes the violation of a finding on one split.
    #[cold]
    pub(crate) fn violation(
        &self,
        finding: Finding,
        split: &Split,
        interruption: Interruption,
    ) -> Violation {
        let byte_by_byte = self.source == Source::ByteByByte && finding.by_oracle;
        let case = Case::new(self.stream, split.clone()).with(interruption);
        let mut violation = Violation::of(finding, case, self.source);
        violation.edges = self.edges();
        self.deviations.clone_into(&mut violation.deviations);
        if matches!(
            violation.property,
            Property::Interrupted | Property::Cancelled
        ) && interruption.is_resumed()
            && !self.leaves_out(interruption)
        {
            violation.declare.push(Deviation::NotResumable);
        }
        if byte_by_byte {
            violation.expected = format!("byte by byte: {}", violation.expected).into();
        }
        violation
    }

    /// Makes the violation of a finding at the end of a path: the offsets at which chunks end,
    /// last first. The same offset twice is an empty chunk.
    #[cold]
    pub(crate) fn violation_on_path(
        &self,
        finding: Finding,
        path: impl Iterator<Item = usize>,
    ) -> Violation {
        let mut cuts: Vec<usize> = path.collect();
        let interruption = if cuts.windows(2).any(|pair| pair[0] == pair[1]) {
            Interruption::EmptyChunk
        } else {
            Interruption::None
        };
        cuts.retain(|&cut| cut < self.stream.len());
        self.violation(finding, &Split::new(cuts), interruption)
    }
}

impl Violation {
    /// Makes the violation of a check that expects no particular frames.
    #[cold]
    pub(crate) fn without_expectation(finding: Finding, case: &Case) -> Self {
        Self::of(finding, case.clone(), Source::Parser)
    }

    /// Makes the violation of a finding on a case, without what only the check's input knows.
    #[cold]
    fn of(finding: Finding, case: Case, source: Source) -> Self {
        let finding = finding.into_found();
        let circumstances = Circumstances {
            interruption: case.interruption,
            cut: case.split.cuts().iter().any(|&cut| cut < case.stream.len()),
            source,
            limit: finding.limit,
        };
        Self {
            property: blame(finding.difference, circumstances),
            case,
            edges: Vec::new(),
            deviations: Vec::new(),
            offset: finding.offset,
            expected: finding.expected,
            actual: finding.actual,
            declare: finding.declare,
            premise: None,
            replays: true,
        }
    }
}
