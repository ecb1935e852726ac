//! The oracle for framers without another one: the framer itself, byte by byte.

use super::Oracle;
use crate::check::finding::{Finding, Source};
use crate::door::Door;
use crate::expected::Expected;
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

    fn expected(
        &self,
        door: &T,
        stream: &[u8],
    ) -> Option<Result<Expected<T::Frame, T::Error>, Finding>> {
        Some(door.record(stream, &Split::bytes(stream.len())))
    }
}
