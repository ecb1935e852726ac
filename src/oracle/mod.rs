//! Oracles: they return what a stream must give.

mod byte_by_byte;
mod differential;
mod messages;
mod parse;

pub use byte_by_byte::ByteByByte;
pub(crate) use differential::differential;
pub use messages::Messages;
pub use parse::Parse;

use alloc::vec::Vec;

use crate::check::finding::Source;
use crate::expected::Expected;
use crate::harness::Door;

/// What a stream must give, for a harness whose framer went through the door `T`.
///
/// There are three: [`ByteByByte`], [`Messages`] and [`Parse`]; the methods of
/// [`Harness`](crate::Harness) choose between them.
pub trait Oracle<T: Door>: crate::harness::Sealed {
    /// Where the expectation comes from.
    #[doc(hidden)]
    const SOURCE: Source;

    /// Returns what the stream must give, `None` if this oracle cannot judge it.
    fn expected(&self, door: &T, stream: &[u8]) -> Option<Expected<T::Frame, T::Error>>;

    /// Returns the streams that the oracle makes by itself.
    fn streams(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}
