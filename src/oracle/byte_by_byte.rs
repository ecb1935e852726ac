//! The oracle for framers without another one: the framer itself, byte by byte.

use super::{Judged, Oracle};
use crate::check::judge::Expectation;
use crate::door::Door;
use crate::expected::Source;
use crate::split::Split;

/// Expects of every split what the framer emits byte by byte.
///
/// This finds what depends on the split. It does not find what is wrong for every split, such as a
/// frame that is always late.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteByByte;

impl crate::door::Sealed for ByteByByte {}

impl<T: Door> Oracle<T> for ByteByByte {
    const SOURCE: Source = Source::ByteByByte;

    fn expected(&self, door: &T, stream: &[u8]) -> Option<Judged<T::Frame, T::Error>> {
        Some(byte_by_byte(door, stream))
    }
}

/// Returns what a fresh framer emits for a stream, byte by byte.
pub(crate) fn byte_by_byte<T: Door + ?Sized>(
    door: &T,
    stream: &[u8],
) -> Judged<T::Frame, T::Error> {
    let recorded = door.record(stream, &Split::bytes(stream.len()));
    recorded.map(Expectation::of)
}
