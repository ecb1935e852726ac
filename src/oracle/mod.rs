//! Oracles: they return the expected result of a stream.

mod byte_by_byte;
mod differential;
mod messages;
mod parse;
mod size_limit;
mod specification;
mod specified;

pub use byte_by_byte::ByteByByte;
pub(crate) use byte_by_byte::byte_by_byte;
pub(crate) use differential::differential;
pub use messages::Messages;
pub use parse::Parse;
pub use size_limit::Limited;
pub use specification::Specification;
pub(crate) use specification::{End, Reading};
pub use specified::Specified;

use alloc::string::String;
use alloc::vec::Vec;

use crate::check::finding::Finding;
use crate::check::judge::Expectation;
use crate::deviation::Deviation;
use crate::door::Door;
use crate::expected::Source;

/// The expected result of a stream. A finding if the oracle gets stuck, or the framer while it is its
/// own oracle.
pub type Judged<F, E> = Result<Expectation<F, E>, Finding>;

/// The expected results of streams, for a harness whose framer went through the door `T`.
///
/// There are four: [`ByteByByte`], [`Messages`], [`Parse`] and [`Specified`]; the methods of
/// [`Harness`](crate::Harness) choose between them.
pub trait Oracle<T: Door>: crate::door::Sealed {
    /// Where the expectation comes from.
    #[doc(hidden)]
    const SOURCE: Source;

    /// Returns the expected result of a stream, `None` if this oracle cannot judge it.
    #[doc(hidden)]
    fn expected(&self, door: &T, stream: &[u8]) -> Option<Judged<T::Frame, T::Error>>;

    /// Takes note of all declared deviations.
    #[doc(hidden)]
    fn declare(&mut self, _: &[Deviation]) {}

    /// Returns whether what it expects depends on a declared deviation, or whether that is held to in
    /// another way.
    #[doc(hidden)]
    fn uses(&self, deviation: Deviation) -> bool {
        !matches!(deviation, Deviation::CountsHeader | Deviation::NoEmptyFrame)
    }

    /// Returns whether it knows the size limit.
    #[doc(hidden)]
    fn has_limit(&self) -> bool {
        false
    }

    /// Returns the streams that the oracle makes by itself.
    fn streams(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Returns short streams of whole frames, to be mutated.
    #[doc(hidden)]
    fn samples(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Returns what the streams leave out, for the line that sums up a test run.
    #[doc(hidden)]
    fn omitted(&self) -> Option<String> {
        None
    }
}
