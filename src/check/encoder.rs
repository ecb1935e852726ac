//! Checks what an encoder writes. Decodes nothing.

use alloc::format;
use core::fmt::Debug;

use bytes::BytesMut;

use super::finding::{Difference, Finding};
use super::isolate::isolate;
use crate::case::Case;
use crate::report::Violation;
use crate::split::Split;

/// Checks that an encoder appends a frame to its output, or returns an error and leaves the output
/// as it was.
///
/// `encode` is called once, with an output that is not empty. `expected` are the bytes that it must
/// append, or the error that it must return.
///
/// ```
/// use everysplit::check_encoder;
/// use everysplit::reference::{Config, EncodeError, FrameRef};
///
/// let config = Config { max_body_size: 2, ..Config::DEFAULT };
/// let frame = FrameRef { cmd: 1, recv: 0, body: b"too long" };
/// check_encoder(
///     |output| config.encode(frame, output),
///     Err(EncodeError::BodyTooLarge { body_size: 8, max_body_size: 2 }),
/// )?;
/// # Ok::<(), everysplit::Violation>(())
/// ```
///
/// # Errors
///
/// A violation of [`Property::Encode`](crate::Property::Encode), with the output as its stream.
pub fn check_encoder<E: PartialEq + Debug>(
    encode: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    expected: Result<&[u8], E>,
) -> Result<(), Violation> {
    const BEFORE: &[u8] = b"before";
    let mut output = BytesMut::from(BEFORE);
    let actual = isolate(BEFORE.len(), || encode(&mut output));
    let (bytes, result) = match expected {
        Ok(bytes) => (bytes, Ok(())),
        Err(error) => (&[][..], Err(error)),
    };
    let actual = match actual {
        Ok(actual) if output.strip_prefix(BEFORE) == Some(bytes) && actual == result => {
            return Ok(());
        }
        Ok(actual) => format!("{actual:?}, the stream above"),
        Err(panic) => format!("{}, the stream above", panic.actual),
    };
    let finding = Finding::new(
        Difference::Written,
        output.len(),
        format!(
            "{result:?}, \"{}\" appended to \"before\"",
            bytes.escape_ascii()
        ),
        actual,
    );
    let case = Case::new(output, Split::whole());
    Err(Violation::without_expectation(finding, &case))
}
