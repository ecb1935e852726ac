//! The oracle for framers without another one: the framer itself, byte by byte.

use super::Oracle;
use crate::check::finding::Source;
use crate::expected::Expected;
use crate::harness::Door;

/// Expects of every split what the framer emits byte by byte.
///
/// This finds what depends on the split. It does not find what is wrong for every split, such as a
/// frame that is always late.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteByByte;

impl<T: Door> Oracle<T> for ByteByByte {
    const SOURCE: Source = Source::ByteByByte;

    fn expected(&self, door: &T, stream: &[u8]) -> Option<Expected<T::Frame, T::Error>> {
        Some(door.byte_by_byte(stream))
    }
}
