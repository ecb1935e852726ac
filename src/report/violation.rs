//! What a check found wrong with a framer, in a form that can be acted on.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::{self, Debug};

use super::hexdump::Hexdump;
use crate::case::Case;
use crate::deviation::{Declared, Deviation};
use crate::property::Property;

/// A property that does not hold, and where it is violated.
///
/// Its text shows the property, the stream with its cuts and fields, what was expected, what
/// happened, and a token that [replays](crate::SplitHarness::replay) it. `Debug` prints the same, so
/// that `unwrap` shows it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The property.
    pub property: Property,
    /// The stream, its split, and what happens between the chunks.
    pub case: Case,
    /// The offsets at which the stream's fields begin and end, as far as they are known.
    pub edges: Vec<usize>,
    /// The declared deviations from the strict policy.
    pub deviations: Vec<Deviation>,
    /// How many bytes had been fed.
    pub offset: usize,
    /// What was expected then.
    pub expected: Box<str>,
    /// What happened instead.
    pub actual: Box<str>,
    /// The deviations of which each, if declared, would make this correct.
    pub declare: Vec<Deviation>,
    /// Why a proof did not find this, if one passed.
    pub premise: Option<Premise>,
    /// Whether the case shows it again when it is replayed. What only some of many empty chunks cause
    /// does not, nor what a proof finds in a `clone`, `==`, `Debug` or `drop`.
    pub replays: bool,
}

/// A premise of proofs that a framer does not keep: a proof passed, and a fresh framer violates what
/// it proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Premise {
    /// The framer has state that `==` does not compare, in itself or outside of it.
    Eq,
    /// The framer has state that its `Debug` text does not show, in itself or outside of it.
    Debug,
    /// The framer's clones do not behave as it does.
    Clone,
}

impl fmt::Display for Premise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "the framer has state that == does not compare",
            Self::Debug => "the framer has state that its Debug text does not show",
            Self::Clone => "the framer's clones do not behave as it does",
        })
    }
}

impl Violation {
    /// Makes a violation with all bytes fed, and nothing known of fields or deviations.
    pub fn new(
        property: Property,
        case: Case,
        expected: impl Into<Box<str>>,
        actual: impl Into<Box<str>>,
    ) -> Self {
        Self {
            property,
            offset: case.stream.len(),
            case,
            edges: Vec::new(),
            deviations: Vec::new(),
            expected: expected.into(),
            actual: actual.into(),
            declare: Vec::new(),
            premise: None,
            replays: true,
        }
    }

    /// Sets the offsets at which the stream's fields begin and end.
    #[must_use]
    pub fn with_edges(self, edges: Vec<usize>) -> Self {
        Self { edges, ..self }
    }

    /// Returns the bytes of the stream with cuts and field edges.
    #[must_use]
    pub fn hexdump(&self) -> Hexdump<'_> {
        Hexdump {
            bytes: &self.case.stream,
            cuts: self.case.split.cuts(),
            edges: &self.edges,
            offset: self.offset,
        }
    }
}

/// How many characters of what was expected, and of what happened, are shown.
const TEXT: usize = 1000;
/// The longest token that is shown, in characters.
const TOKEN: usize = 4000;

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.case.stream.len();
        writeln!(f, "{}: {}", self.property.name(), self.property.sentence())?;
        write!(f, "{}", self.hexdump())?;
        match self.case.split.cuts().len() {
            ..=Hexdump::CUTS => writeln!(f, "  split     {}", self.case.split)?,
            cuts => writeln!(f, "  split     {cuts} cuts, see its case")?,
        }
        writeln!(f, "  bytes fed {} of {len}", self.offset)?;
        for (name, text) in [("expected", &self.expected), ("actual  ", &self.actual)] {
            match text.char_indices().nth(TEXT) {
                Some((end, _)) => writeln!(f, "  {name}  {} ...", &text[..end])?,
                None => writeln!(f, "  {name}  {text}")?,
            }
        }
        if !self.deviations.is_empty() {
            writeln!(f, "{}", Declared("  declared  ", &self.deviations))?;
        }
        for (index, deviation) in self.declare.iter().enumerate() {
            let words = match index {
                0 => "  advice    if this is meant to be, declare ",
                _ => " or ",
            };
            write!(f, "{words}`{deviation:?}`")?;
        }
        if !self.declare.is_empty() {
            writeln!(f)?;
        }
        if let Some(premise) = self.premise {
            writeln!(f, "  note      a proof passed: {premise}")?;
        }
        // A token cannot reproduce a duration.
        if self.property == Property::Linear || !self.replays {
            return f.write_str("  replay    run the check again");
        }
        match self.case.to_string() {
            token if token.len() <= TOKEN => write!(f, "  replay    {token}"),
            token => write!(
                f,
                "  replay    a token of {} characters, see its case",
                token.len()
            ),
        }
    }
}

impl Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Violation {}
