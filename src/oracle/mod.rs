//! Oracles: they return the expected result of a stream.

mod byte_by_byte;
mod differential;
mod messages;
mod parse;

pub use byte_by_byte::ByteByByte;
pub(crate) use differential::differential;
pub use messages::Messages;
pub use parse::Parse;

use alloc::vec::Vec;

use crate::check::finding::{Finding, Source};
use crate::deviation::Deviation;
use crate::door::Door;
use crate::expected::Expected;

/// The expected results of streams, for a harness whose framer went through the door `T`.
///
/// There are three: [`ByteByByte`], [`Messages`] and [`Parse`]; the methods of
/// [`Harness`](crate::Harness) choose between them.
pub trait Oracle<T: Door>: crate::door::Sealed {
    /// Where the expectation comes from.
    #[doc(hidden)]
    const SOURCE: Source;

    /// Returns the expected result of a stream, `None` if this oracle cannot judge it. Fails if the
    /// framer gets stuck while it is its own oracle.
    #[doc(hidden)]
    fn expected(
        &self,
        door: &T,
        stream: &[u8],
    ) -> Option<Result<Expected<T::Frame, T::Error>, Finding>>;

    /// Takes note of all declared deviations.
    #[doc(hidden)]
    fn declare(&mut self, _: &[Deviation]) {}

    /// Returns the streams that the oracle makes by itself.
    fn streams(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}
