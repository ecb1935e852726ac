//! The naive parser and encoder: the oracle for [`len32`](crate::len32).
//!
//! The parser needs the whole stream in one buffer and keeps no state. It shares no code with the
//! decoder.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::len32::{Config, DecodeError, EncodeError};
use everysplit::reference::ByteOrder;
use everysplit::{Expected, Outcome};

/// Parses `stream` and returns its bodies, each with the offset of its end in bytes, and how the
/// stream ends.
#[must_use]
pub fn parse(config: Config, stream: &[u8]) -> Expected<Bytes, DecodeError> {
    let mut frames = Vec::new();
    let mut start = 0;
    let outcome = loop {
        let rest = &stream[start..];
        let offset = start as u64;
        if rest.is_empty() {
            break Outcome::Clean;
        }
        let length = match rest.get(..4) {
            Some(bytes) => length(config, bytes),
            None => 0,
        };
        let at = start + 4;
        let Ok(size) = u32::try_from(length) else {
            let size = length;
            let error = DecodeError::Negative { offset, size };
            break Outcome::Rejected { at, error };
        };
        if size > config.max_size {
            let max = config.max_size;
            let error = DecodeError::TooLarge { offset, size, max };
            break Outcome::Rejected { at, error };
        }
        let (received, due) = (rest.len() as u64, 4 + u64::from(size));
        if received < due {
            break Outcome::Truncated(DecodeError::Truncated {
                offset,
                received,
                due,
            });
        }
        let body = Bytes::copy_from_slice(&rest[4..4 + size as usize]);
        start = at + body.len();
        frames.push((start, body));
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
    let frames = parse(config, stream).frames;
    let mut edges = vec![0, 4];
    for (end, _) in frames {
        edges.extend([end, end + 4]);
    }
    edges.dedup();
    edges.retain(|&edge| edge <= stream.len());
    edges
}

/// Encodes a length and the body after it.
///
/// # Errors
///
/// [`EncodeError::TooLarge`] for a body over the size limit or over [`i32::MAX`] bytes.
pub fn encode(config: Config, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let max = config.max_size.min(0x7fff_ffff);
    if body.len() as u64 > u64::from(max) {
        let size = body.len();
        return Err(EncodeError::TooLarge { size, max });
    }
    let size = body.len() as u64;
    let mut bytes = [0, 8, 16, 24]
        .map(|shift| (size >> shift & 0xff) as u8)
        .to_vec();
    if config.byte_order == ByteOrder::Big {
        bytes.reverse();
    }
    bytes.extend(body);
    Ok(bytes)
}

/// Reads a two's complement integer as a sum of base-256 digits. Only the most significant digit is
/// signed.
fn length(config: Config, bytes: &[u8]) -> i32 {
    let mut digits = bytes.to_vec();
    if config.byte_order == ByteOrder::Little {
        digits.reverse();
    }
    let first = i32::from(digits[0].cast_signed());
    let rest = digits[1..].iter();
    rest.fold(first, |value, &digit| 256 * value + i32::from(digit))
}
