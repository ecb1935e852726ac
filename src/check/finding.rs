//! What a check found, before it is known on which stream and split; and the one table that
//! decides which property is blamed for it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Debug};
use core::ops::{Deref, DerefMut};

use crate::case::Interruption;
use crate::deviation::Deviation;
use crate::expected::Source;
use crate::property::Property;

/// What a framer did instead of what was expected. It is only a pointer, as each call may return one,
/// and results are copied.
#[derive(Clone, Debug)]
pub struct Finding(Box<Found>);

/// What a finding holds.
#[derive(Clone, Debug)]
pub struct Found {
    pub(crate) difference: Difference,
    /// How many bytes had been fed.
    pub(crate) offset: usize,
    pub(crate) expected: Box<str>,
    pub(crate) actual: Box<str>,
    /// Whether `expected` is what the oracle says, and not a rule for all framers.
    pub(crate) by_oracle: bool,
    /// Whether a size limit is at stake.
    pub(crate) limit: bool,
    /// The deviations of which each would make this correct.
    pub(crate) declare: Vec<Deviation>,
}

/// In what way a call differed from what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "std"),
    expect(
        dead_code,
        reason = "panics, durations and senders are observed with std only"
    )
)]
pub(crate) enum Difference {
    /// It panicked, did not return, or emitted frames without end.
    Stuck,
    /// The framer's `clone`, `==`, `Debug` or `drop` did not return in a proof.
    StuckState,
    /// A call after the error that ends the stream did not just return that error again.
    AfterError,
    /// A call after the clean end of the stream returned something.
    AfterEnd,
    /// The framer holds more bytes than it may.
    Held,
    /// The expected error came too early, too late, or not at all, and the frames are correct so
    /// far.
    ErrorTime,
    /// The same, and the expected error comes later: it did not come while the framer waited.
    LateError,
    /// Another error came than the expected one, and the frames are correct so far.
    WrongError,
    /// An error came where none was expected, and the frames are correct so far.
    UnexpectedError,
    /// The same, and the error is one that rejects a body over the size limit.
    UnexpectedLimitError,
    /// The same, in the frame inside which the stream ends, which is accepted when it is whole.
    RejectedPrefix,
    /// A correct frame came too early or too late.
    FrameTime,
    /// A frame did not come when it was due. Whether it comes later is not known.
    MissingFrame,
    /// The end of the stream was not reported as expected.
    End,
    /// What the oracle expects contradicts the declared deviations.
    Undeclared,
    /// Another frame than expected, or one that never came.
    Content,
    /// The cost grows faster than the stream.
    Cost,
    /// An encoder wrote something else than expected.
    Written,
    /// A sender wrote other bytes than expected, or ended in another way.
    Sent,
    /// Two framers of one format disagree.
    Peer,
}

/// What the property depends on, beside the difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// What happened between the chunks.
    pub(crate) interruption: Interruption,
    /// Whether the stream was cut.
    pub(crate) cut: bool,
    pub(crate) source: Source,
    /// Whether a size limit is at stake.
    pub(crate) limit: bool,
}

/// Returns the property that a difference violates: the first row that applies.
///
/// | difference | circumstances | property |
/// |---|---|---|
/// | another framer of the format | | `differential` |
/// | panic, no return, frames without end | | `progress` |
/// | any | a read or a write was interrupted | `interrupted` |
/// | any, but not a frame or an error that is merely late | a read or a write was pending | `interrupted` |
/// | any | a future was dropped | `cancelled` |
/// | a call after an error | | `poisoned` |
/// | a call after a clean end | it emitted a frame, or an error | `truncation` |
/// | bytes held | | `memory` |
/// | any | only with empty chunks | `empty_chunk` |
/// | cost | | `linear` |
/// | what an encoder wrote | | `encode` |
/// | what a sender wrote | | `written` |
/// | the end contradicts the declared deviations | | `truncation` |
/// | any | the framer is its own oracle | `every_split` |
/// | the expected error too early, too late or not at all | a size limit is at stake | `limit` |
/// | the expected error too early, too late or not at all | | `rejection` |
/// | an unexpected error that rejects a body for its size | | `limit` |
/// | an unexpected error in the frame inside which the stream ends, if it is accepted whole | | `every_split` |
/// | another error, or an unexpected one | cut | `every_split` |
/// | another error, or an unexpected one | a size limit is at stake | `limit` |
/// | another error | | `rejection` |
/// | an unexpected error | | `round_trip` |
/// | a correct frame too early or too late | | `prompt` |
/// | the end of the stream | | `truncation` |
/// | another frame, or none | cut | `every_split` |
/// | another frame, or none | | `round_trip` |
#[expect(
    clippy::match_same_arms,
    reason = "an arm for each row of the table, in its order"
)]
pub(crate) fn blame(difference: Difference, circumstances: Circumstances) -> Property {
    let Circumstances {
        interruption,
        cut,
        source,
        limit,
    } = circumstances;
    match (difference, interruption) {
        (Difference::Peer, _) => Property::Differential,
        (Difference::Stuck | Difference::StuckState, _) => Property::Progress,
        (_, Interruption::Interrupted | Interruption::WouldBlock) => Property::Interrupted,
        // An asynchronous framer waits only where it is pending, so only there it can be late.
        (_, Interruption::Pending)
            if !matches!(difference, Difference::FrameTime | Difference::LateError) =>
        {
            Property::Interrupted
        }
        (_, Interruption::Dropped) => Property::Cancelled,
        (Difference::AfterError, _) => Property::Poisoned,
        (Difference::AfterEnd, _) => Property::Truncation,
        (Difference::Held, _) => Property::Memory,
        (_, Interruption::EmptyChunk) => Property::EmptyChunk,
        (Difference::Cost, _) => Property::Linear,
        (Difference::Written, _) => Property::Encode,
        (Difference::Sent, _) => Property::Written,
        (Difference::Undeclared, _) => Property::Truncation,
        _ if source == Source::ByteByByte => Property::EverySplit,
        (Difference::ErrorTime | Difference::LateError, _) if limit => Property::Limit,
        (Difference::ErrorTime | Difference::LateError, _) => Property::Rejection,
        (Difference::UnexpectedLimitError, _) => Property::Limit,
        (Difference::RejectedPrefix, _) => Property::EverySplit,
        (Difference::WrongError | Difference::UnexpectedError, _) if cut => Property::EverySplit,
        (Difference::WrongError | Difference::UnexpectedError, _) if limit => Property::Limit,
        (Difference::WrongError, _) => Property::Rejection,
        (Difference::UnexpectedError, _) => Property::RoundTrip,
        (Difference::FrameTime | Difference::MissingFrame, _) => Property::Prompt,
        (Difference::End, _) => Property::Truncation,
        (Difference::Content, _) if cut => Property::EverySplit,
        (Difference::Content, _) => Property::RoundTrip,
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
        Self(Box::new(Found {
            difference,
            offset,
            expected: expected.into(),
            actual: actual.into(),
            by_oracle: false,
            limit: false,
            declare: Vec::new(),
        }))
    }

    /// Makes a finding described by the values that were expected and returned.
    #[cold]
    pub(crate) fn of_values(
        difference: Difference,
        offset: usize,
        expected: &dyn Debug,
        actual: &dyn Debug,
    ) -> Self {
        let mut finding = Self::new(difference, offset, excerpt(expected), excerpt(actual));
        finding.by_oracle = true;
        finding
    }

    /// It is another difference.
    pub(crate) fn being(mut self, difference: Difference) -> Self {
        self.difference = difference;
        self
    }

    /// The missing frame or error came too late.
    pub(crate) fn late(self) -> Self {
        let difference = match self.difference {
            Difference::ErrorTime => Difference::LateError,
            _ => Difference::FrameTime,
        };
        self.being(difference)
    }

    /// The missing frame never came.
    pub(crate) fn lost(self) -> Self {
        self.being(Difference::Content)
    }

    /// The frame inside which the stream ends is rejected when it is whole, too.
    pub(crate) fn rejected_whole(self) -> Self {
        self.being(Difference::UnexpectedError)
    }

    /// Says whether a size limit is at stake.
    pub(crate) fn at_stake(mut self, limit: bool) -> Self {
        self.limit = limit;
        self
    }

    /// Names the deviations of which each would make this correct.
    pub(crate) fn declare(mut self, declare: impl Into<Vec<Deviation>>) -> Self {
        self.declare = declare.into();
        self
    }

    /// It is the oracle that got stuck.
    pub(crate) fn of_oracle(mut self) -> Self {
        self.expected = "the oracle returns".into();
        self
    }

    /// Moves it to where the call turned out to be.
    #[cfg(feature = "std")]
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    pub(crate) fn into_found(self) -> Found {
        *self.0
    }
}

impl Deref for Finding {
    type Target = Found;

    fn deref(&self) -> &Found {
        &self.0
    }
}

impl DerefMut for Finding {
    fn deref_mut(&mut self) -> &mut Found {
        &mut self.0
    }
}

/// Returns the beginning of the `Debug` text of a value. A frame of a mebibyte has a text of several,
/// and a search makes hundreds of them.
pub(crate) fn excerpt(value: &dyn Debug) -> Box<str> {
    const MOST: usize = 4 * 1024;

    struct Excerpt(String);

    impl fmt::Write for Excerpt {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            if self.0.len() + text.len() > MOST {
                return Err(fmt::Error);
            }
            self.0.push_str(text);
            Ok(())
        }
    }

    let mut excerpt = Excerpt(String::new());
    if fmt::write(&mut excerpt, format_args!("{value:?}")).is_err() {
        excerpt.0.push_str(" ...");
    }
    excerpt.0.into()
}
