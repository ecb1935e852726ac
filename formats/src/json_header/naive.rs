//! The naive parser: the oracle for [`json_header`](crate::json_header).
//!
//! It needs the whole stream in one buffer, keeps no state and returns whole frames, not their
//! parts.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use md5::Digest;
use serde_json::{Map, Value};

use crate::json_header::{Config, DecodeError, Flaw, Header, Md5};
use everysplit::reference::ByteOrder;
use everysplit::{Expected, Outcome};

/// A header and the whole body after it.
pub type Frame = (Header, Vec<u8>);

/// Parses `stream` and returns its frames, each with the offset of its end in bytes, and how the
/// stream ends.
#[must_use]
pub fn parse(config: Config, stream: &[u8]) -> Expected<Frame, DecodeError> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        if start == stream.len() {
            break Outcome::Clean;
        }
        match front(config, stream, start) {
            Ok((end, frame)) => {
                frames.push((end, frame));
                start = end;
            }
            Err(outcome) => break outcome,
        }
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// Returns the frame that begins at `start` and the offset of its end, or how the stream ends.
fn front(
    config: Config,
    stream: &[u8],
    start: usize,
) -> Result<(usize, Frame), Outcome<DecodeError>> {
    let (offset, rest) = (start as u64, &stream[start..]);
    let truncated = |due| {
        Outcome::Truncated(DecodeError::TruncatedHeader {
            offset,
            received: rest.len() as u64,
            due,
        })
    };
    let &length = rest.first_chunk().ok_or(truncated(4))?;
    let length = match config.byte_order {
        ByteOrder::Little => i32::from_le_bytes(length),
        ByteOrder::Big => i32::from_be_bytes(length),
    };
    let max_header_size = config.max_header_size;
    if !(0..=i64::from(max_header_size)).contains(&i64::from(length)) {
        let error = DecodeError::HeaderLength {
            offset,
            length,
            max_header_size,
        };
        let at = start + 4;
        return Err(Outcome::Rejected { at, error });
    }
    let due = 4 + u64::from(length.unsigned_abs());
    if (rest.len() as u64) < due {
        return Err(truncated(due));
    }
    let at = start + 4 + length.unsigned_abs() as usize;
    let (json, rest) = (&stream[start + 4..at], &stream[at..]);
    let header = header(config, json).map_err(|flaw| {
        let error = DecodeError::Header { offset, flaw };
        Outcome::Rejected { at, error }
    })?;
    let size = usize::try_from(header.size);
    let Some(body) = size.ok().and_then(|size| rest.get(..size)) else {
        return Err(Outcome::Truncated(DecodeError::TruncatedBody {
            offset,
            received: rest.len() as u64,
            due: header.size,
        }));
    };
    let at = at + body.len();
    let actual = u128::from_be_bytes(md5::Md5::digest(body).into());
    match md5(config, &header.fields) {
        Ok(Some(expected)) if expected != actual => {
            let error = DecodeError::Md5Mismatch {
                offset,
                expected,
                actual,
            };
            Err(Outcome::Rejected { at, error })
        }
        _ => Ok((at, (header, body.to_vec()))),
    }
}

fn header(config: Config, json: &[u8]) -> Result<Header, Flaw> {
    let text = str::from_utf8(json).map_err(|_| Flaw::NotUtf8)?;
    let value: Value = serde_json::from_str(text).map_err(|_| Flaw::NotJson)?;
    let Value::Object(fields) = value else {
        return Err(Flaw::NotObject);
    };
    if entries(text) > fields.len() {
        return Err(Flaw::KeyTwice);
    }
    let mut keys = config.size_keys.iter().copied();
    let mut next = || keys.find(|&key| fields.contains_key(key));
    let key = next().ok_or(Flaw::NoSize(config.size_keys))?;
    if let Some(second) = next() {
        return Err(Flaw::TwoSizes(key, second));
    }
    // Only an integer parses: a string prints with its quotes, other numbers with a point.
    let size = fields[key].to_string().parse();
    let size = size.map_err(|_| Flaw::NotSize(key))?;
    if size > config.max_size {
        let max_size = config.max_size;
        return Err(Flaw::BodyTooLarge { size, max_size });
    }
    md5(config, &fields)?;
    Ok(Header { size, fields })
}

/// Returns the md5 that the body must have, if it is checked.
fn md5(config: Config, fields: &Map<String, Value>) -> Result<Option<u128>, Flaw> {
    let Some(md5) = fields.get("md5") else {
        return Ok(None);
    };
    if config.md5 == Md5::Ignore {
        return Ok(None);
    }
    let text = md5.as_str().unwrap_or_default();
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    match digits {
        Some(digits) if digits.len() == 32 => Ok(Some(
            digits
                .iter()
                .fold(0, |value, &digit| 16 * value + u128::from(digit)),
        )),
        _ => Err(Flaw::NotMd5),
    }
}

/// Counts the entries of an object, duplicate keys included: the colons outside of strings and of
/// nested values.
fn entries(object: &str) -> usize {
    let (mut depth, mut in_string, mut escaped, mut entries) = (0, false, false, 0);
    for byte in object.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b':' if depth == 1 => entries += 1,
            _ => {}
        }
    }
    entries
}
