//! The naive parser and encoder: the oracle for the reference format.
//!
//! The parser needs the whole stream in one buffer and keeps no state. It shares no code with the
//! decoder and is simple enough to be checked by reading.

use alloc::vec::Vec;
use core::iter;

use bytes::Bytes;

use super::error::{DecodeError, EncodeError};
use super::frame::{ByteOrder, Config, Frame};
use crate::expected::{Expected, Outcome};

/// Parses `stream` and returns its frames, each with the offset of its end in bytes, and how the
/// stream ends.
#[must_use]
pub fn parse(config: Config, stream: &[u8]) -> Expected<Frame, DecodeError> {
    let stream = Bytes::copy_from_slice(stream);
    let (ends, outcome) = ends(config, &stream);
    let mut start = 0;
    let frames = ends.into_iter().map(|end| {
        let frame = Frame {
            cmd: integer(config, &stream[start + 4..start + 8]),
            recv: integer(config, &stream[start + 8..start + 12]),
            body: stream.slice(start + 12..end),
        };
        start = end;
        (end, frame)
    });
    Expected {
        frames: frames.collect(),
        at_end: Vec::new(),
        outcome,
    }
}

/// Returns the offsets in `stream` at which a field begins or a frame ends, in increasing order.
#[must_use]
pub fn edges(config: Config, stream: &[u8]) -> Vec<usize> {
    let (ends, _) = ends(config, stream);
    let mut edges = Vec::new();
    // After the last whole frame there may be one that is rejected or truncated.
    for start in iter::once(0).chain(ends) {
        edges.extend([start, start + 4, start + 8, start + 12]);
    }
    edges.dedup();
    edges.retain(|&edge| edge <= stream.len());
    edges
}

/// Returns the offset of the end of each whole frame of `stream`, and how the stream ends.
fn ends(config: Config, stream: &[u8]) -> (Vec<usize>, Outcome<DecodeError>) {
    let mut ends = Vec::new();
    let mut start = 0;
    loop {
        let rest = &stream[start..];
        if rest.is_empty() {
            return (ends, Outcome::Clean);
        }
        let truncated = |due| DecodeError::Truncated {
            offset: start as u64,
            received: rest.len() as u64,
            due,
        };
        if rest.len() < 4 {
            return (ends, Outcome::Truncated(truncated(12)));
        }
        let body_size = integer(config, &rest[0..4]);
        if body_size > config.max_body_size {
            let at = start + 4;
            let error = DecodeError::BodyTooLarge {
                offset: start as u64,
                body_size,
                max_body_size: config.max_body_size,
            };
            return (ends, Outcome::Rejected { at, error });
        }
        let due = 12 + u64::from(body_size);
        if (rest.len() as u64) < due {
            return (ends, Outcome::Truncated(truncated(due)));
        }
        start += 12 + body_size as usize;
        ends.push(start);
    }
}

/// Encodes a frame.
///
/// # Errors
///
/// [`EncodeError::BodyTooLarge`] for a body over the size limit.
pub fn encode(config: Config, frame: &Frame) -> Result<Vec<u8>, EncodeError> {
    if frame.body.len() as u64 > u64::from(config.max_body_size) {
        return Err(EncodeError::BodyTooLarge {
            body_size: frame.body.len(),
            max_body_size: config.max_body_size,
        });
    }
    let mut bytes = Vec::new();
    for integer in [frame.body.len() as u64, frame.cmd.into(), frame.recv.into()] {
        for place in 0..4 {
            let shift = match config.byte_order {
                ByteOrder::Little => 8 * place,
                ByteOrder::Big => 24 - 8 * place,
            };
            bytes.push((integer >> shift & 0xff) as u8);
        }
    }
    bytes.extend(&frame.body);
    Ok(bytes)
}

fn integer(config: Config, bytes: &[u8]) -> u32 {
    let digits = bytes.iter().map(|&byte| u32::from(byte));
    let most_significant_first = |value: u32, digit: u32| 256 * value + digit;
    match config.byte_order {
        ByteOrder::Little => digits.rev().fold(0, most_significant_first),
        ByteOrder::Big => digits.fold(0, most_significant_first),
    }
}
