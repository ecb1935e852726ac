//! Where a framer is meant to differ from the strict policy. The user declares it, every result
//! names it, and the expectation must agree with it.

use core::fmt;

/// A declared difference from the strict policy.
///
/// Strictly, the first error ends a stream for good, an end inside a frame is an error, the size
/// limit applies to the body alone, and a body may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deviation {
    /// The framer goes on after an error. Errors are frames, as with
    /// [`ErrorsAsFrames`](crate::subject::ErrorsAsFrames), and no stream is rejected for good.
    Resynchronises,
    /// At the end of the stream an incomplete frame is dropped without an error.
    DiscardsAtEnd,
    /// The size limit applies to header and body together.
    CountsHeader,
    /// A frame with an empty body is rejected.
    NoEmptyFrame,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resynchronises => "resynchronises",
            Self::DiscardsAtEnd => "discards at the end of the stream",
            Self::CountsHeader => "counts the header toward the limit",
            Self::NoEmptyFrame => "has no empty frame",
        })
    }
}

/// Writes a prefix and the deviations, comma-separated; nothing if there are none.
pub(crate) struct Declared<'a>(pub(crate) &'a str, pub(crate) &'a [Deviation]);

impl fmt::Display for Declared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(prefix, deviations) = self;
        for (index, deviation) in deviations.iter().enumerate() {
            let separator = if index == 0 { prefix } else { ", " };
            write!(f, "{separator}{deviation}")?;
        }
        Ok(())
    }
}
