//! What a check found wrong with a subject, told so that it can be acted on.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Debug};

use crate::split::Split;

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
    /// A frame over the limit is not written and leaves the output as it was.
    Encode,
    /// Two framers of one format give the same frames at the same bytes and
    /// refuse the same streams.
    Agree,
}

impl Property {
    /// Every property.
    pub const ALL: [Self; 10] = [
        Self::RoundTrip,
        Self::EverySplit,
        Self::Prompt,
        Self::Limit,
        Self::Truncation,
        Self::Poisoned,
        Self::EmptyChunk,
        Self::Memory,
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
    /// The stream on which it does not hold.
    pub stream: Vec<u8>,
    /// How the stream was cut.
    pub split: Split,
    /// How many bytes were in.
    pub offset: usize,
    /// What was expected then.
    pub expected: String,
    /// What happened instead.
    pub actual: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.property.name(), self.property.sentence())?;
        writeln!(f, "  stream    {}", self.stream.escape_ascii())?;
        writeln!(f, "  split     {}", self.split)?;
        writeln!(f, "  bytes in  {} of {}", self.offset, self.stream.len())?;
        writeln!(f, "  expected  {}", self.expected)?;
        write!(f, "  actual    {}", self.actual)
    }
}

/// The same as `Display`, so that `unwrap` prints it.
impl Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Violation {}
