//! A stream under test with all that is known of it. It makes the violations.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::finding::{Finding, Source, blame};
use crate::case::{Case, Interruption};
use crate::deviation::Deviation;
use crate::expected::{Expected, Outcome};
use crate::report::Violation;
use crate::split::Split;

/// Returns the offsets at which a stream's fields begin and end.
pub(crate) type Edges = Rc<dyn Fn(&[u8]) -> Vec<usize>>;

/// A stream under test, and its expected result.
pub struct Input<'a, F, E> {
    pub(crate) stream: &'a [u8],
    pub(crate) expected: Expected<F, E>,
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

    /// Makes the violation of a finding on one split.
    #[cold]
    pub(crate) fn violation(
        &self,
        finding: Finding,
        split: &Split,
        interruption: Interruption,
    ) -> Violation {
        let cut = !split.cuts().is_empty();
        Violation {
            property: blame(finding.difference, interruption, cut, self.source),
            case: Case::new(self.stream, split.clone()).with(interruption),
            edges: self.edges(),
            deviations: self.deviations.to_owned(),
            offset: finding.offset,
            expected: match self.source {
                Source::ByteByByte if finding.by_oracle => {
                    format!("byte by byte: {}", finding.expected).into()
                }
                Source::ByteByByte | Source::Encoder | Source::Parser => finding.expected,
            },
            actual: finding.actual,
            declare: finding.declare,
        }
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
        let Case {
            stream,
            split,
            interruption,
        } = case;
        let input = Input::<(), ()> {
            stream,
            expected: Expected {
                frames: Vec::new(),
                at_end: Vec::new(),
                outcome: Outcome::Clean,
            },
            source: Source::Parser,
            edges: None,
            deviations: &[],
        };
        Self {
            edges: Vec::new(),
            ..input.violation(finding, split, *interruption)
        }
    }
}
