//! Checks for framers and encoders of [`len32`](crate::len32), shared by this project's fuzz target
//! and tests.
//!
//! It is public only for them, hidden from the documentation, and not part of the stable API.

use bytes::{Bytes, BytesMut};
use everysplit::oracle::Parse;
use everysplit::reference::ByteOrder;
use everysplit::reference::fuzzing::limits_around;
use everysplit::{CallerBuffered, Expected, Harness, Violation, check_encoder};

use super::{Config, DecodeError, Decoder, EncodeError, naive};

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

/// Creates a harness for the decoder, with the naive parser as the oracle.
#[must_use]
pub fn harness(
    config: Config,
) -> Harness<
    CallerBuffered<Decoder>,
    Parse<impl Fn(&[u8]) -> Expected<Bytes, DecodeError>, Bytes, DecodeError>,
> {
    Harness::decoder(move || Decoder::new(config))
        .oracle(move |stream: &[u8]| naive::parse(config, stream))
        .edges(move |stream| naive::edges(config, stream))
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
    for max_size in limits_around(body.len()) {
        let config = Config {
            byte_order,
            max_size,
        };
        let expected = naive::encode(config, body);
        let expected = expected.as_deref().map_err(|error| *error);
        check_encoder(|output| encode(config, body, output), expected)?;
    }
    Ok(())
}
