//! Checks for the decoder of [`json_header`](crate::json_header), shared by this project's fuzz
//! target and tests. They join the parts of a frame into whole frames.
//!
//! It is public only for them, hidden from the documentation, and not part of the stable API.

use everysplit::oracle::Parse;
use everysplit::reference::ByteOrder;
use everysplit::subject::{Buffered, JoinPieces};
use everysplit::{Expected, Fed, Harness};

use super::naive::{self, Frame};
use super::{Config, DecodeError, Decoder, Md5, Part};

/// The configurations of the fuzz target: both byte orders, with and without the md5 check, and
/// limits low enough that random input goes over them.
pub const CONFIGS: [Config; 2] = [
    Config {
        byte_order: ByteOrder::Little,
        max_header_size: 128,
        max_size: 512,
        size_keys: Config::SIZE_KEYS,
        md5: Md5::Check,
    },
    Config {
        byte_order: ByteOrder::Big,
        max_header_size: 128,
        max_size: 512,
        size_keys: &["n"],
        md5: Md5::Ignore,
    },
];

/// A decoder that returns whole frames.
pub type Whole = JoinPieces<Buffered<Decoder>, Option<Frame>, Frame>;

/// Creates a decoder that returns whole frames.
#[must_use]
pub fn whole(config: Config) -> Whole {
    JoinPieces::new(Buffered::new(Decoder::new(config)), None, join)
}

/// Adds a part to the unfinished frame, and returns the frame if that completes it.
///
/// # Panics
///
/// If the part is not allowed at this place, or is an empty piece of a body. The checks report the
/// panic as a violation.
pub fn join(unfinished: &mut Option<Frame>, part: Part) -> Option<Frame> {
    match (part, &mut *unfinished) {
        (Part::Header(header), None) => *unfinished = Some((header, [].into())),
        (Part::Body(piece), Some((_, body))) if !piece.is_empty() => body.extend(piece),
        (Part::End, Some(_)) => return unfinished.take(),
        (part, _) => panic!("{part:?} is not allowed after {unfinished:?}"),
    }
    None
}

/// Creates a harness with the naive parser as the oracle.
#[must_use]
pub fn harness(
    config: Config,
) -> Harness<Fed<Whole>, Parse<impl Fn(&[u8]) -> Expected<Frame, DecodeError>, Frame, DecodeError>>
{
    Harness::framer(move || whole(config)).oracle(move |stream: &[u8]| naive::parse(config, stream))
}
