//! What a check found wrong with a subject, told so that it can be acted on.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Write};

use super::Deviation;
use super::deviation::Declared;
use crate::case::Case;

/// What a framer must do, one sentence each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Property {
    /// What was encoded comes back equal, whatever the split.
    RoundTrip,
    /// Frames, errors and their offsets do not depend on the split, on valid
    /// and on hostile streams.
    EverySplit,
    /// A frame is out as soon as its last byte is in, and not before.
    Prompt,
    /// A body at the limit passes; above it the header is refused at the
    /// earliest byte that decides it.
    Limit,
    /// A stream that ends inside a frame is reported, one that ends on a
    /// boundary is clean.
    Truncation,
    /// After an error every call gives the same error and no frame.
    Poisoned,
    /// Feeding no bytes changes nothing.
    EmptyChunk,
    /// Bytes held are bounded by bytes received, whatever a header claims.
    Memory,
    /// One byte at a time costs in proportion to the bytes.
    Linear,
    /// Interrupted, `WouldBlock` and `Pending` lose nothing.
    Interrupted,
    /// A dropped future loses nothing.
    Cancelled,
    /// No panic, no endless loop, no frame out of nothing.
    Progress,
    /// A frame over the limit is not written and leaves the output as it was.
    Encode,
    /// Two framers of one format give the same frames at the same bytes and
    /// refuse the same streams.
    Agree,
}

impl Property {
    /// Every property.
    pub const ALL: [Self; 14] = [
        Self::RoundTrip,
        Self::EverySplit,
        Self::Prompt,
        Self::Limit,
        Self::Truncation,
        Self::Poisoned,
        Self::EmptyChunk,
        Self::Memory,
        Self::Linear,
        Self::Interrupted,
        Self::Cancelled,
        Self::Progress,
        Self::Encode,
        Self::Agree,
    ];

    /// Returns the name of the property, which is that of its check.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundTrip => "round_trip",
            Self::EverySplit => "every_split",
            Self::Prompt => "prompt",
            Self::Limit => "limit",
            Self::Truncation => "truncation",
            Self::Poisoned => "poisoned",
            Self::EmptyChunk => "empty_chunk",
            Self::Memory => "memory",
            Self::Linear => "linear",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Progress => "progress",
            Self::Encode => "encode",
            Self::Agree => "agree",
        }
    }

    /// Returns the property's sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::RoundTrip => "what was encoded comes back equal, whatever the split",
            Self::EverySplit => {
                "frames, errors and their offsets do not depend on the split, on valid and on hostile streams"
            }
            Self::Prompt => "a frame is out as soon as its last byte is in, and not before",
            Self::Limit => {
                "a body at the limit passes; above it the header is refused at the earliest byte that decides it"
            }
            Self::Truncation => {
                "a stream that ends inside a frame is reported, one that ends on a boundary is clean"
            }
            Self::Poisoned => "after an error every call gives the same error and no frame",
            Self::EmptyChunk => "feeding no bytes changes nothing",
            Self::Memory => "bytes held are bounded by bytes received, whatever a header claims",
            Self::Linear => "one byte at a time costs in proportion to the bytes",
            Self::Interrupted => "Interrupted, WouldBlock and Pending lose nothing",
            Self::Cancelled => "a dropped future loses nothing",
            Self::Progress => "no panic, no endless loop, no frame out of nothing",
            Self::Encode => "a frame over the limit is not written and leaves the output as it was",
            Self::Agree => {
                "two framers of one format give the same frames at the same bytes and refuse the same streams"
            }
        }
    }
}

/// A property that does not hold, and where it broke.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    /// The property.
    pub property: Property,
    /// The stream on which it does not hold, and how it was cut.
    pub case: Case,
    /// The offsets at which the stream's fields begin and end, as far as they are
    /// known.
    pub edges: Vec<usize>,
    /// Where the framer was declared to differ from the strict policy.
    pub declared: Vec<Deviation>,
    /// How many bytes were in.
    pub offset: usize,
    /// What was expected then.
    pub expected: Box<str>,
    /// What happened instead.
    pub actual: Box<str>,
}

/// How many characters of what was expected and what happened are told.
const LONGEST: usize = 1000;
/// How many characters a token that is told has at most.
const TOKEN: usize = 4000;
/// How many cuts are told, and shown, one by one.
const CUTS: usize = 64;

/// Tells the property, the stream with its cuts and fields, what was expected
/// and what happened, and a token that [replays](super::Harness::replay) it.
/// Of what is too long, it tells where it is found.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.case.stream.len();
        writeln!(f, "{}: {}", self.property.name(), self.property.sentence())?;
        self.hexdump(f)?;
        match self.case.split.cuts().len() {
            ..=CUTS => writeln!(f, "  split     {}", self.case.split)?,
            cuts => writeln!(f, "  split     {cuts} cuts, see its case")?,
        }
        writeln!(f, "  bytes in  {} of {len}", self.offset)?;
        for (name, what) in [("expected", &self.expected), ("actual  ", &self.actual)] {
            match what.char_indices().nth(LONGEST) {
                Some((end, _)) => writeln!(f, "  {name}  {} ...", &what[..end])?,
                None => writeln!(f, "  {name}  {what}")?,
            }
        }
        if !self.declared.is_empty() {
            writeln!(f, "{}", Declared("  declared  ", &self.declared))?;
        }
        // No token brings back how long it took.
        if self.property == Property::Linear {
            return f.write_str("  replay    the check");
        }
        match self.case.to_string() {
            token if token.len() <= TOKEN => write!(f, "  replay    {token}{}", self.between()),
            token => write!(
                f,
                "  replay    a token of {} characters, see its case",
                token.len()
            ),
        }
    }
}

impl Violation {
    /// Tells what a token does not hold.
    const fn between(&self) -> &'static str {
        match self.property {
            Property::Interrupted | Property::Cancelled => ", with the same between the chunks",
            _ => "",
        }
    }

    /// Sixteen bytes a row. Before each byte stands what is there: a cut, a field
    /// edge, or both. Rows that are like many around them are left out.
    fn hexdump(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ROW: usize = 16;
        let cuts = self.case.split.cuts();
        let rows = self.case.stream.chunks(ROW).enumerate();
        let mut left_out = false;
        for (row, bytes) in rows {
            let start = row * ROW;
            let here = start..=start + ROW;
            let cut = cuts.len() <= CUTS && cuts.iter().any(|cut| here.contains(cut));
            if row >= 4 && !cut && !here.contains(&self.offset) {
                if !left_out {
                    writeln!(f, "  ...")?;
                }
                left_out = true;
                continue;
            }
            left_out = false;
            write!(f, "  {start:06x} ")?;
            for (at, byte) in (start..).zip(bytes) {
                let mark = match (cuts.binary_search(&at).is_ok(), self.edges.contains(&at)) {
                    (true, true) => '#',
                    (true, false) => '|',
                    (false, true) => ':',
                    (false, false) => ' ',
                };
                write!(f, "{mark}{byte:02x}")?;
            }
            let missing = 3 * (ROW - bytes.len());
            write!(f, "{:missing$}   ", "")?;
            for &byte in bytes {
                let printable = byte == b' ' || byte.is_ascii_graphic();
                f.write_char(if printable { byte.into() } else { '.' })?;
            }
            writeln!(f)?;
        }
        match (cuts.is_empty(), self.edges.is_empty()) {
            (true, true) => Ok(()),
            (false, true) => writeln!(f, "         | cut"),
            (true, false) => writeln!(f, "         : field edge"),
            (false, false) => writeln!(f, "         | cut   : field edge   # both"),
        }
    }
}

/// The same as `Display`, so that `unwrap` prints it.
impl Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Violation {}
