//! Where a framer is meant to differ from the strict policy. The user declares it, every result
//! names it, and the expectation must agree with it.

use core::fmt;

/// A declared difference from the strict policy.
///
/// Strictly, every byte belongs to a frame, the first error ends a stream for good, an end inside a
/// frame is an error, the size limit applies to the body alone, a body may be empty, and memory
/// follows the bytes received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deviation {
    /// The framer goes on after an error. Errors are frames, as with
    /// [`ErrorsAsFrames`](crate::subject::ErrorsAsFrames), and no stream is rejected for good.
    Resynchronises,
    /// At the end of the stream an incomplete frame is dropped without an error.
    DiscardsAtEnd,
    /// The size limit applies to header and body together. Only
    /// [`size_limit`](crate::Harness::size_limit) checks that.
    CountsHeader,
    /// A frame with an empty body is rejected. Only [`size_limit`](crate::Harness::size_limit) checks
    /// that.
    NoEmptyFrame,
    /// Bytes may belong to no frame, such as padding, a keep-alive or an epilogue: the framer drops
    /// them without an error, also at the end of the stream.
    BytesBetweenFrames,
    /// The framer's caller stops at the first error, so that no call comes after it.
    CallerStops,
    /// The framer may hold so many bytes in advance, for example because it reserves them when it
    /// has read a header.
    Preallocates(usize),
    /// A body may have any length.
    Unlimited,
    /// The caller of a reader does not go on after `WouldBlock`, nor after it dropped a future: the
    /// beginning of a frame may be lost then. Most readers that call `read_exact` are meant for
    /// that.
    NotResumable,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preallocates(bytes) => return write!(f, "allocates {bytes} bytes in advance"),
            Self::Resynchronises => "resynchronises",
            Self::DiscardsAtEnd => "discards at the end of the stream",
            Self::CountsHeader => "counts the header toward the limit",
            Self::NoEmptyFrame => "has no empty frame",
            Self::BytesBetweenFrames => "drops bytes between frames",
            Self::CallerStops => "its caller stops at the first error",
            Self::Unlimited => "has no size limit",
            Self::NotResumable => "its caller does not resume a read",
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
