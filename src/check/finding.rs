//! What a check found, before it is known on which stream and split; and the one table that
//! decides which property is blamed for it.

use alloc::boxed::Box;
use alloc::format;
use core::fmt::Debug;

use crate::case::Interruption;
use crate::deviation::Deviation;
use crate::property::Property;

/// What a framer did instead of what was expected.
#[derive(Clone, Debug)]
pub struct Finding {
    pub(crate) difference: Difference,
    /// How many bytes had been fed.
    pub(crate) offset: usize,
    pub(crate) expected: Box<str>,
    pub(crate) actual: Box<str>,
    /// Whether `expected` is what the oracle says, and not a rule for all framers.
    pub(crate) by_oracle: bool,
    /// The deviation that would make this correct.
    pub(crate) declare: Option<Deviation>,
}

/// In what way a call differed from what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "std"),
    expect(dead_code, reason = "panics and durations are observed with std only")
)]
pub(crate) enum Difference {
    /// It panicked, did not return, or emitted frames without end.
    Stuck,
    /// A call after the error that ends the stream did not just return that error again.
    AfterError,
    /// The framer holds more bytes than it may.
    Held,
    /// An error came too early, too late, or not at all, and the frames are correct so far.
    ErrorTime,
    /// The correct frames came too early or too late.
    FrameTime,
    /// The end of the stream was not reported as expected.
    End,
    /// Another frame, or another error, than expected.
    Content,
    /// The cost grows faster than the stream.
    Cost,
    /// An encoder wrote something else than expected.
    Written,
    /// Two framers of one format disagree.
    Peer,
}

/// Where the expectation comes from: it decides what a difference is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The format's encoder.
    Encoder,
    /// A function that parses whole streams.
    Parser,
    /// The framer itself, byte by byte. Nothing was encoded.
    ByteByByte,
}

/// Returns the property that a difference violates: the first row that applies.
///
/// | difference | circumstances | property |
/// |---|---|---|
/// | panic, no return, frames without end | | `progress` |
/// | any | a read was interrupted | `interrupted` |
/// | any | a future was dropped | `cancelled` |
/// | a call after the final error | | `poisoned` |
/// | any | only with empty chunks | `empty_chunk` |
/// | bytes held | | `memory` |
/// | cost | | `linear` |
/// | what an encoder wrote | | `encode` |
/// | another framer of the format | | `differential` |
/// | an error too early, too late or not at all | | `limit` |
/// | a correct frame too early or too late | | `prompt` |
/// | the end of the stream | | `truncation` |
/// | another frame or error | uncut, and something was encoded | `round_trip` |
/// | another frame or error | | `every_split` |
pub(crate) fn blame(
    difference: Difference,
    interruption: Interruption,
    cut: bool,
    source: Source,
) -> Property {
    match (difference, interruption) {
        (Difference::Stuck, _) => Property::Progress,
        (_, Interruption::Interrupted | Interruption::WouldBlock | Interruption::Pending) => {
            Property::Interrupted
        }
        (_, Interruption::Dropped) => Property::Cancelled,
        (Difference::AfterError, _) => Property::Poisoned,
        (_, Interruption::EmptyChunk) => Property::EmptyChunk,
        (Difference::Held, _) => Property::Memory,
        (Difference::Cost, _) => Property::Linear,
        (Difference::Written, _) => Property::Encode,
        (Difference::Peer, _) => Property::Differential,
        (Difference::ErrorTime, _) => Property::Limit,
        (Difference::FrameTime, _) => Property::Prompt,
        (Difference::End, _) => Property::Truncation,
        (Difference::Content, _) if !cut && source != Source::ByteByByte => Property::RoundTrip,
        (Difference::Content, _) => Property::EverySplit,
    }
}

impl Finding {
    /// Makes a finding about a rule for all framers.
    #[cold]
    pub(crate) fn new(
        difference: Difference,
        offset: usize,
        expected: impl Into<Box<str>>,
        actual: impl Into<Box<str>>,
    ) -> Self {
        Self {
            difference,
            offset,
            expected: expected.into(),
            actual: actual.into(),
            by_oracle: false,
            declare: None,
        }
    }

    /// Makes a finding described by the values that were expected and returned.
    #[cold]
    pub(crate) fn of_values(
        difference: Difference,
        offset: usize,
        expected: &dyn Debug,
        actual: &dyn Debug,
    ) -> Self {
        Self {
            by_oracle: true,
            ..Self::new(
                difference,
                offset,
                format!("{expected:?}"),
                format!("{actual:?}"),
            )
        }
    }

    /// Names the deviation that would make this correct.
    pub(crate) fn declare(self, deviation: Deviation) -> Self {
        Self {
            declare: Some(deviation),
            ..self
        }
    }

    /// Moves it to where the call turned out to be.
    #[cfg(feature = "std")]
    pub(crate) fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }
}
