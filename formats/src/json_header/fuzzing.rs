//! The framing with a header in JSON held to every property, its parts joined into
//! whole frames. It generates nothing.

use crate::json_header::naive::{self as naive, Frame};
use crate::json_header::{Config, DecodeError, Decoder, Md5, Part};
use everysplit::check::{Expected, Harness};
use everysplit::reference::ByteOrder;
use everysplit::{Buffered, JoinPieces};

/// What the fuzz target runs under: both byte orders, the md5 checked and not, and
/// limits that are easy to come by.
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

/// A decoder that gives whole frames.
pub type Whole = JoinPieces<Buffered<Decoder>, Option<Frame>, Frame>;

/// Makes a decoder that gives whole frames.
#[must_use]
pub fn whole(config: Config) -> Whole {
    JoinPieces::new(Buffered::new(Decoder::new(config)), None, join)
}

/// Adds a part to the frame that is not whole, and returns it when it is.
///
/// # Panics
///
/// When a part comes where it must not, or a piece is empty, which the checks take for
/// a violation.
pub fn join(unfinished: &mut Option<Frame>, part: Part) -> Option<Frame> {
    match (part, &mut *unfinished) {
        (Part::Header(header), None) => *unfinished = Some((header, [].into())),
        (Part::Body(piece), Some((_, body))) if !piece.is_empty() => body.extend(piece),
        (Part::End, Some(_)) => return unfinished.take(),
        (part, _) => panic!("{part:?} where it must not come, behind {unfinished:?}"),
    }
    None
}

/// Makes a harness that judges every stream, by a parse of the whole of it.
#[must_use]
pub fn harness(
    config: Config,
) -> Harness<impl Fn() -> Whole, impl Fn(&[u8]) -> Expected<Frame, DecodeError>> {
    Harness::new(
        move || whole(config),
        move |stream: &[u8]| naive::parse(config, stream),
    )
}
