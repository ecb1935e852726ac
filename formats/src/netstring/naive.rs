//! The naive parser and encoder: the oracle for [`netstring`](crate::netstring).
//!
//! The parser needs the whole stream in one buffer and keeps no state. It shares no code with the
//! decoder.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::str;

use bytes::Bytes;

use crate::netstring::{Config, DecodeError, EncodeError};
use everysplit::{Expected, Outcome};

/// Parses `stream` and returns its bodies, each with the offset of its end in bytes, and how the
/// stream ends.
#[must_use]
pub fn parse(config: Config, stream: &[u8]) -> Expected<Bytes, DecodeError> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let rest = &stream[start..];
        let (offset, received) = (start as u64, rest.len() as u64);
        let truncated = Outcome::Truncated(DecodeError::Truncated { offset, received });
        let unexpected = |at: usize| Outcome::Rejected {
            at: at + 1,
            error: DecodeError::Unexpected {
                offset: at as u64,
                byte: stream[at],
            },
        };
        if rest.is_empty() {
            break Outcome::Clean;
        }
        let digits = digits(rest);
        let (max, is_over) = (config.max_size, |end: &usize| {
            number(&digits[..*end]).is_none_or(|size| size > config.max_size)
        });
        if let Some(end) = (1..=digits.len()).find(is_over) {
            let (at, error) = (start + end, DecodeError::TooLarge { offset, max });
            break Outcome::Rejected { at, error };
        }
        let colon = start + digits.len();
        match stream.get(colon) {
            None => break truncated,
            Some(b':') if !digits.is_empty() => {}
            Some(_) => break unexpected(colon),
        }
        let size = number(digits).and_then(|size| usize::try_from(size).ok());
        let comma = size.and_then(|size| size.checked_add(colon + 1));
        let Some(comma) = comma.filter(|&comma| comma < stream.len()) else {
            break truncated;
        };
        if stream[comma] != b',' {
            break unexpected(comma);
        }
        start = comma + 1;
        frames.push((start, Bytes::copy_from_slice(&stream[colon + 1..comma])));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// Returns the offsets in `stream` at which a length, a body or a netstring begins or ends, in
/// increasing order.
#[must_use]
pub fn edges(config: Config, stream: &[u8]) -> Vec<usize> {
    let (mut edges, mut start) = (vec![0], 0);
    for (end, body) in parse(config, stream).frames {
        edges.extend([end - 1 - body.len(), end - 1, end]);
        start = end;
    }
    let colon = start + digits(&stream[start..]).len();
    if colon > start && stream.get(colon) == Some(&b':') {
        edges.push(colon + 1);
    }
    edges.dedup();
    edges
}

/// Encodes a netstring.
///
/// # Errors
///
/// [`EncodeError::TooLarge`] for a body over the size limit.
pub fn encode(config: Config, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let (size, max) = (body.len(), config.max_size);
    if size as u64 > max {
        return Err(EncodeError::TooLarge { size, max });
    }
    Ok([format!("{size}:").as_bytes(), body, b","].concat())
}

/// Returns the digits at the front of `bytes`. After a zero there are no more.
fn digits(bytes: &[u8]) -> &[u8] {
    let count = match bytes.first() {
        Some(b'0') => 1,
        _ => bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count(),
    };
    &bytes[..count]
}

/// Reads a decimal number; `None` if it does not fit.
fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}
