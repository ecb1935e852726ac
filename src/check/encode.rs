//! Holds an encoder to what it must write. It decodes nothing.

use alloc::format;
use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::BytesMut;

use super::{Property, Violation};
use crate::case::Case;
use crate::split::Split;

/// Checks that a frame over the limit is not written and leaves the output as
/// it was, and that any other is appended to it: `encode` is given an output
/// that already holds something, `expected` are the bytes that it must append
/// or the error that it must return.
///
/// # Errors
///
/// [`Property::Encode`], with the output as the stream.
pub fn encode<E: Eq + Debug>(
    encode: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    expected: Result<&[u8], E>,
) -> Result<(), Violation> {
    const BEFORE: &[u8] = b"before";
    let mut output = BytesMut::from(BEFORE);
    let actual = encode(&mut output);
    let (bytes, result) = match expected {
        Ok(bytes) => (bytes, Ok(())),
        Err(error) => (&[][..], Err(error)),
    };
    if output.strip_prefix(BEFORE) == Some(bytes) && actual == result {
        return Ok(());
    }
    Err(Violation {
        property: Property::Encode,
        case: Case {
            stream: output.to_vec(),
            split: Split::whole(),
        },
        edges: Vec::new(),
        declared: Vec::new(),
        offset: output.len(),
        expected: format!(
            "{result:?}, \"{}\" appended to \"before\"",
            bytes.escape_ascii()
        )
        .into(),
        actual: format!("{actual:?}, the stream above").into(),
    })
}
