//! A framer of [`framing::len32`](crate::len32) held to every property, as
//! the fuzz target and the tests do it. It generates nothing.

use bytes::{Bytes, BytesMut};

use crate::len32::naive;
use crate::len32::{Config, DecodeError, EncodeError};
use everysplit::Case;
use everysplit::Subject;
use everysplit::check::{self, Violation};
use everysplit::reference::ByteOrder;

/// What the fuzz target runs under: both byte orders, and a limit of 64 bytes, so
/// that bodies of exactly the limit and one above are easy to come by.
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

/// Checks a framer on bytes from anybody, without empty chunks and with them: the
/// same bodies and the same error as [`naive`], whatever the split, at the
/// earliest byte; poisoned afterwards.
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

/// Checks an encoder on a body with limits below, at and above it: what it writes
/// is what [`naive`] writes, what a decoder would refuse it refuses.
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
