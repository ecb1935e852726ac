//! The naive parser and encoder: the oracle for [`length_field`](crate::length_field).
//!
//! The parser needs the whole stream in one buffer and keeps no state. It shares no code with the
//! decoder.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::length_field::{DecodeError, EncodeError, LengthField, Sign};
use everysplit::reference::ByteOrder;
use everysplit::{Expected, Outcome};

/// Parses `stream` and returns its messages, each with the offset of its end in bytes, and how the
/// stream ends.
#[must_use]
pub fn parse(field: LengthField, stream: &[u8]) -> Expected<Bytes, DecodeError> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let (before, header) = header(field);
    let outcome = loop {
        let rest = &stream[start..];
        let (offset, received) = (start as u64, rest.len() as u64);
        if rest.is_empty() {
            break Outcome::Clean;
        }
        if rest.len() < header {
            let due = header as u64;
            break Outcome::Truncated(DecodeError::Truncated {
                offset,
                received,
                due,
            });
        }
        let length = length(field, &rest[before..header]);
        let size = header as i128 + length + i128::from(field.adjustment);
        let strip = i128::from(field.strip);
        let error = if length < 0 {
            Some(DecodeError::Negative { offset, length })
        } else if size < header as i128 || size < strip {
            Some(DecodeError::TooShort { offset, length })
        } else if size - strip > i128::from(field.max_size) {
            let max = largest(field);
            Some(DecodeError::TooLarge {
                offset,
                length,
                max,
            })
        } else {
            None
        };
        if let Some(error) = error {
            let at = start + header;
            break Outcome::Rejected { at, error };
        }
        if size > received.into() {
            let due = size.try_into().unwrap_or(u64::MAX);
            break Outcome::Truncated(DecodeError::Truncated {
                offset,
                received,
                due,
            });
        }
        let size = usize::try_from(size).unwrap_or(rest.len());
        start += size;
        let message = &rest[field.strip.into()..size];
        frames.push((start, Bytes::copy_from_slice(message)));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// Returns the offsets in `stream` at which a length field or a frame begins or ends, in increasing
/// order.
#[must_use]
pub fn edges(field: LengthField, stream: &[u8]) -> Vec<usize> {
    let (before, header) = header(field);
    let mut edges = vec![0, before, header];
    for (end, _) in parse(field, stream).frames {
        edges.extend([end, end + before, end + header]);
    }
    edges.dedup();
    edges.retain(|&edge| edge <= stream.len());
    edges
}

/// Encodes the bytes before a length, the length, and the bytes after it.
///
/// # Errors
///
/// Those of [`LengthField::encode`].
pub fn encode(field: LengthField, before: &[u8], after: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let (offset, header) = header(field);
    if before.len() != offset {
        let (size, offset) = (before.len(), field.offset);
        return Err(EncodeError::Before { size, offset });
    }
    let size = header + after.len();
    let length = after.len() as i128 - i128::from(field.adjustment);
    if length < 0 || size < field.strip.into() {
        return Err(EncodeError::TooShort { size });
    }
    let size = size - usize::from(field.strip);
    if length > largest_length(field) || size as u64 > field.max_size {
        let max = largest(field);
        return Err(EncodeError::TooLarge { size, max });
    }
    let mut digits: Vec<u8> = (0..field.width.bytes())
        .map(|digit| u8::try_from(length / 256_i128.pow(digit.into()) % 256).unwrap_or(0))
        .collect();
    if field.byte_order == ByteOrder::Big {
        digits.reverse();
    }
    Ok([before, &digits, after].concat())
}

/// Returns the offset and the end of the length field, in bytes.
fn header(field: LengthField) -> (usize, usize) {
    let offset = usize::from(field.offset);
    (offset, offset + usize::from(field.width.bytes()))
}

/// Returns the largest length that the field can hold.
fn largest_length(field: LengthField) -> i128 {
    let bits = 8 * u32::from(field.width.bytes());
    match field.sign {
        Sign::Unsigned => 2_i128.pow(bits) - 1,
        Sign::Signed => 2_i128.pow(bits - 1) - 1,
    }
}

/// Returns the size of the largest message.
fn largest(field: LengthField) -> u64 {
    let (_, header) = header(field);
    let size = header as i128 + largest_length(field) + i128::from(field.adjustment);
    let size = (size - i128::from(field.strip)).max(0);
    u64::try_from(size).map_or(field.max_size, |size| size.min(field.max_size))
}

/// Reads an integer as a sum of base-256 digits. Only the most significant digit is signed.
fn length(field: LengthField, bytes: &[u8]) -> i128 {
    let mut digits = bytes.to_vec();
    if field.byte_order == ByteOrder::Little {
        digits.reverse();
    }
    let first = match field.sign {
        Sign::Unsigned => i128::from(digits[0]),
        Sign::Signed => i128::from(digits[0].cast_signed()),
    };
    let rest = digits[1..].iter();
    rest.fold(first, |value, &digit| 256 * value + i128::from(digit))
}
