//! proptest strategies for frames, streams and splits, biased towards inputs that break framers.
//!
//! A failing case shrinks in this order: to the fewest cuts, to cuts at field boundaries, to the
//! fewest and smallest frames.
//!
//! ```
//! use everysplit::Harness;
//! use everysplit::reference::{Config, Framer, naive, strategy};
//! use proptest::prelude::*;
//!
//! let config = Config { max_body_size: 64, ..Config::default() };
//! let harness = Harness::framer(move || Framer::new(config))
//!     .oracle(move |stream| naive::parse(config, stream));
//! proptest!(|(case in strategy::received(config))| {
//!     harness.one_split(&case)?;
//! });
//! ```

use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::frame::{Config, Frame, Header};
use super::naive;
use super::sent::Sent;
use crate::case::Case;
use crate::strategy::cuts;

/// The size of the largest generated body in bytes, unless the size limit is lower.
const LARGEST_BODY: u32 = 64 * 1024;

/// Generates any frame that `config` allows, with a body of up to 64 KiB.
///
/// Bodies of 0, 1, limit - 1 and limit bytes are frequent, and so are bodies that look like a
/// sequence of headers.
pub fn frame(config: Config) -> impl Strategy<Value = Frame> + Clone {
    let max = config.max_body_size.min(LARGEST_BODY);
    let edges = select(Vec::from([0, 1, max.saturating_sub(1), max])).prop_map(move |n| n.min(max));
    let size = prop_oneof![4 => 0..=max.min(32), 2 => edges, 1 => 0..=max];
    (any::<(u32, u32)>(), size, body(config)).prop_map(|((cmd, recv), size, body)| Frame {
        cmd,
        recv,
        body: body.into_iter().cycle().take(size as usize).collect(),
    })
}

/// Generates the pattern that a body repeats: random bytes or a header.
fn body(config: Config) -> impl Strategy<Value = Vec<u8>> + Clone {
    let header = (0..=config.max_body_size, any::<(u32, u32)>()).prop_map(
        move |(body_size, (cmd, recv))| {
            let header = Header {
                body_size,
                cmd,
                recv,
            };
            header.to_bytes(config.byte_order).to_vec()
        },
    );
    prop_oneof![vec(any::<u8>(), 1..32), header]
}

/// Generates valid frames, up to 8 of any size or 16 to 64 small ones, with any split of their
/// stream.
pub fn sent(config: Config) -> impl Strategy<Value = Sent> {
    (cuts(), frames(config)).prop_map(move |(cuts, frames)| {
        let stream = concat(config, &frames);
        Sent {
            split: cuts.apply(stream.len(), &naive::edges(config, &stream)),
            frames,
        }
    })
}

/// Generates untrusted input with any split of it: whole frames, followed by one of
///
/// - nothing,
/// - a truncated frame,
/// - a header that claims limit - 1, limit, limit + 1, 2^31 - 1, 2^31, `u32::MAX` or any other
///   size,
/// - up to 31 random bytes.
pub fn received(config: Config) -> impl Strategy<Value = Case> {
    (cuts(), frames(config), tail(config)).prop_map(move |(cuts, frames, tail)| {
        let mut stream = concat(config, &frames);
        stream.extend(tail);
        let split = cuts.apply(stream.len(), &naive::edges(config, &stream));
        Case::new(stream, split)
    })
}

fn frames(config: Config) -> impl Strategy<Value = Vec<Frame>> {
    let small = Config {
        max_body_size: config.max_body_size.min(2),
        ..config
    };
    prop_oneof![7 => vec(frame(config), 0..=8), 1 => vec(frame(small), 16..=64)]
}

/// Generates the bytes that follow the whole frames of a stream.
fn tail(config: Config) -> impl Strategy<Value = Vec<u8>> {
    let truncated = (frame(config), any::<Index>()).prop_map(move |(frame, at)| {
        let mut bytes = concat(config, &[frame]);
        bytes.truncate(at.index(bytes.len()));
        bytes
    });
    let max = config.max_body_size;
    let sizes = [
        max.saturating_add(1),
        max,
        max.saturating_sub(1),
        (1 << 31) - 1,
        1 << 31,
        u32::MAX,
    ];
    let size = prop_oneof![3 => select(sizes.to_vec()), 1 => any::<u32>()];
    let claims = (size, any::<(u32, u32)>(), vec(any::<u8>(), 0..16)).prop_map(
        move |(body_size, (cmd, recv), more)| {
            let header = Header {
                body_size,
                cmd,
                recv,
            };
            let mut bytes = header.to_bytes(config.byte_order).to_vec();
            bytes.extend(more);
            bytes
        },
    );
    let anything = vec(any::<u8>(), 0..32);
    prop_oneof![Just(Vec::new()), truncated, claims, anything]
}

fn concat(config: Config, frames: &[Frame]) -> Vec<u8> {
    let encode =
        |frame| naive::encode(config, frame).expect("every generated body is within the limit");
    frames.iter().flat_map(encode).collect()
}
