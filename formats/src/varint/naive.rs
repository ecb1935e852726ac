//! The naive parser and encoder: the oracle for [`varint`](crate::varint).
//!
//! The parser needs the whole stream in one buffer and keeps no state. It shares no code with the
//! decoder.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::varint::{Config, DecodeError, EncodeError, Width};
use everysplit::{Expected, Outcome};

/// Parses `stream` and returns its bodies, each with the offset of its end in bytes, and how the
/// stream ends.
#[must_use]
pub fn parse(config: Config, stream: &[u8]) -> Expected<Bytes, DecodeError> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let (bytes, bits) = match config.width {
        Width::U32 => (5, 32),
        Width::U64 => (10, 64),
    };
    let outcome = loop {
        let rest = &stream[start..];
        let (offset, received) = (start as u64, rest.len() as u64);
        let truncated = Outcome::Truncated(DecodeError::Truncated { offset, received });
        if rest.is_empty() {
            break Outcome::Clean;
        }
        // The shortest part of the length that cannot become one.
        let overflow = (1..=rest.len().min(bytes)).find(|&end| {
            let too_long = end == bytes && rest[end - 1] & 0x80 != 0;
            let before_is_part = rest[..end - 1].iter().all(|byte| byte & 0x80 != 0);
            before_is_part && (too_long || value(&rest[..end]) >= 1 << bits)
        });
        if let Some(end) = overflow {
            let (at, error) = (start + end, DecodeError::Overflow { offset });
            break Outcome::Rejected { at, error };
        }
        let Some(last) = rest.iter().position(|byte| byte & 0x80 == 0) else {
            break truncated;
        };
        let (length, body) = rest.split_at(last + 1);
        let size = value(length);
        if size > u128::from(config.max_size) {
            let (at, size) = (start + length.len(), size.try_into().unwrap_or(u64::MAX));
            let max = largest(config);
            let error = DecodeError::TooLarge { offset, size, max };
            break Outcome::Rejected { at, error };
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(body) = body.get(..size) else {
            break truncated;
        };
        start += length.len() + size;
        frames.push((start, Bytes::copy_from_slice(body)));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// Returns the offsets in `stream` at which a length or a body begins or ends, in increasing order.
#[must_use]
pub fn edges(config: Config, stream: &[u8]) -> Vec<usize> {
    let (mut edges, mut start) = (vec![0], 0);
    let ends: Vec<_> = parse(config, stream)
        .frames
        .iter()
        .map(|frame| frame.0)
        .collect();
    for end in ends.into_iter().map(Some).chain([None]) {
        let last = stream[start..].iter().position(|byte| byte & 0x80 == 0);
        edges.extend(last.map(|last| start + last + 1));
        edges.extend(end);
        start = end.unwrap_or(start);
    }
    edges.dedup();
    edges
}

/// Encodes a length in as few bytes as possible, and the body after it.
///
/// # Errors
///
/// [`EncodeError::TooLarge`] for a body over the size limit or the integer.
pub fn encode(config: Config, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let (size, max) = (body.len(), largest(config));
    if size as u64 > max {
        return Err(EncodeError::TooLarge { size, max });
    }
    let digits = (1..10).find(|&digits| (size as u128) < 1 << (7 * digits));
    let mut bytes: Vec<u8> = (0..digits.unwrap_or(10))
        .map(|digit| 0x80 | (size as u128 >> (7 * digit) & 0x7f) as u8)
        .collect();
    if let Some(last) = bytes.last_mut() {
        *last &= 0x7f;
    }
    bytes.extend(body);
    Ok(bytes)
}

/// Returns the size of the largest body.
fn largest(config: Config) -> u64 {
    match config.width {
        Width::U32 => config.max_size.min(0xffff_ffff),
        Width::U64 => config.max_size,
    }
}

/// Reads an integer as a sum of base-128 digits. At most 10 bytes.
fn value(bytes: &[u8]) -> u128 {
    let digits = bytes.iter().rev();
    digits.fold(0, |value, byte| 128 * value + u128::from(byte & 0x7f))
}
