//! proptest strategies for frames, streams and splits, drawn towards what breaks
//! framers. They shrink to the fewest cuts first, then to cuts at field edges,
//! then to the fewest and smallest frames, each as far as the one before lets it.
//!
//! ```
//! use everysplit::check;
//! use everysplit::reference::{Config, Framer, naive, strategy};
//! use proptest::prelude::*;
//!
//! let config = Config { max_body_size: 64, ..Config::default() };
//! proptest!(|(case in strategy::received(config))| {
//!     let expected = naive::parse(config, &case.stream);
//!     check::split(Framer::new(config), &case.stream, &case.split, &expected)?;
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

/// The largest body that is drawn, in bytes, where the limit is higher.
const LARGEST_BODY: u32 = 64 * 1024;

/// Any frame that `config` allows, with a body of up to 64 KiB: often of the
/// sizes 0, 1, limit - 1 and limit, its body often one that looks like headers.
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

/// What a body repeats.
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

/// Any sequence of up to eight frames, or dozens of small ones, and any split of
/// the stream they make.
pub fn sent(config: Config) -> impl Strategy<Value = Sent> {
    (cuts(), frames(config)).prop_map(move |(cuts, frames)| {
        let stream = concat(config, &frames);
        Sent {
            split: cuts.apply(stream.len(), &naive::edges(config, &stream)),
            frames,
        }
    })
}

/// Any stream as it may come from anybody, and any split of it: whole frames,
/// then nothing, a frame that is not whole, a header that claims limit - 1,
/// limit, limit + 1, 2^31 - 1, 2^31, `u32::MAX` or another size, or any bytes.
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

/// What follows the whole frames of a stream.
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
    let encode = |frame| naive::encode(config, frame).expect("every body drawn keeps to the limit");
    frames.iter().flat_map(encode).collect()
}
