//! Checks for framers and encoders of [`len32`](crate::len32), shared by this project's fuzz target
//! and tests.
//!
//! It is public only for them, hidden from the documentation, and not part of the stable API.

use bytes::{Bytes, BytesMut};

use crate::len32::naive;
use crate::len32::{Config, DecodeError, EncodeError};
use everysplit::Case;
use everysplit::Subject;
use everysplit::check::{self, Violation};
use everysplit::reference::ByteOrder;

/// The configurations of the fuzz target: both byte orders, and a size limit of 64 bytes, low
/// enough that random input reaches it and goes over it.
pub const CONFIGS: [Config; 2] = [
    Config {
        byte_order: ByteOrder::Little,
        max_size: 64,
    },
    Config {
        byte_order: ByteOrder::Big,
        max_size: 64,
    },
];

/// Checks a framer on untrusted input, without and with empty chunks: it returns the same bodies
/// and the same error as [`naive`], each at the earliest possible byte, and is poisoned after an
/// error.
///
/// # Errors
///
/// The first violation.
pub fn decode<S>(make: impl Fn() -> S, config: Config, case: &Case) -> Result<(), Violation>
where
    S: Subject<Frame = Bytes, Error = DecodeError>,
{
    let Case { stream, split } = case;
    let expected = naive::parse(config, stream);
    check::empty_chunk(make, stream, split, &expected)
}

/// Checks an encoder on a body, with limits below, at and above its size: it writes the same bytes
/// as [`naive`] and rejects what a decoder would reject.
///
/// # Errors
///
/// The first violation.
pub fn encode(
    encode: impl Fn(Config, &[u8], &mut BytesMut) -> Result<(), EncodeError>,
    byte_order: ByteOrder,
    body: &[u8],
) -> Result<(), Violation> {
    for max_size in everysplit::reference::fuzzing::limits_around(body.len()) {
        let config = Config {
            byte_order,
            max_size,
        };
        let expected = naive::encode(config, body);
        let expected = expected.as_deref().map_err(|error| *error);
        check::encode(|output| encode(config, body, output), expected)?;
    }
    Ok(())
}
