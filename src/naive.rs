//! The oracle: parses a whole buffer, without state, so simply that it is
//! unlikely to be wrong. It is no decoder: it must have the whole stream.

use alloc::vec::Vec;

use crate::check::{Expected, Outcome};
use crate::error::DecodeError;
use crate::frame::{ByteOrder, Config, Frame, FrameRef};

/// Parses `stream`: its frames, each with the offset at which it is complete,
/// and how it ends.
#[must_use]
pub fn parse(config: &Config, stream: &[u8]) -> Expected<Frame, DecodeError> {
    let mut frames = Vec::new();
    let mut start = 0;
    let outcome = loop {
        let rest = &stream[start..];
        if rest.is_empty() {
            break Outcome::Clean;
        }
        let truncated = |due| {
            Outcome::Truncated(DecodeError::Truncated {
                offset: start as u64,
                received: rest.len() as u64,
                due,
            })
        };
        if rest.len() < 4 {
            break truncated(12);
        }
        let body_size = integer(config, &rest[0..4]);
        if body_size > config.max_body_size {
            break Outcome::Rejected {
                at: start + 4,
                error: DecodeError::BodyTooLarge {
                    offset: start as u64,
                    body_size,
                    max_body_size: config.max_body_size,
                },
            };
        }
        let due = 12 + u64::from(body_size);
        if (rest.len() as u64) < due {
            break truncated(due);
        }
        let end = start + 12 + body_size as usize;
        let frame = FrameRef {
            cmd: integer(config, &rest[4..8]),
            recv: integer(config, &rest[8..12]),
            body: &stream[start + 12..end],
        };
        frames.push((end, frame.into()));
        start = end;
    };
    Expected { frames, outcome }
}

fn integer(config: &Config, bytes: &[u8]) -> u32 {
    let digits = bytes.iter().map(|&byte| u32::from(byte));
    let most_significant_first = |value: u32, digit: u32| value << 8 | digit;
    match config.byte_order {
        ByteOrder::Little => digits.rev().fold(0, most_significant_first),
        ByteOrder::Big => digits.fold(0, most_significant_first),
    }
}

/// Returns the offsets in `stream`, increasing, at which a field begins or a
/// frame ends.
#[must_use]
pub fn edges(config: &Config, stream: &[u8]) -> Vec<usize> {
    let mut edges = Vec::new();
    let mut start = 0;
    for (end, _) in parse(config, stream).frames {
        edges.extend([start, start + 4, start + 8, start + 12]);
        start = end;
    }
    // What is left is a frame that is refused or not whole, or nothing.
    edges.extend([start, start + 4, start + 8, start + 12]);
    edges.dedup();
    edges.retain(|&edge| edge <= stream.len());
    edges
}
