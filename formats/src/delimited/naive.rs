//! The naive parser and encoder: the oracle for [`delimited`](crate::delimited).
//!
//! The parser needs the whole stream in one buffer and keeps no state. It shares no code with the
//! decoder.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::delimited::{Config, DecodeError, EncodeError};
use everysplit::{Expected, Outcome};

/// Parses `stream` and returns its bodies, each with the offset of its end in bytes, and how the
/// stream ends.
#[must_use]
pub fn parse(config: Config, stream: &[u8]) -> Expected<Bytes, DecodeError> {
    let delimiter = config.delimiter.as_bytes();
    let max = usize::try_from(config.max_size).unwrap_or(usize::MAX);
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let rest = &stream[start..];
        let offset = start as u64;
        if rest.is_empty() {
            break Outcome::Clean;
        }
        let within = rest.len().min(max.saturating_add(delimiter.len()));
        let found = (0..within).find(|&at| rest[at..within].starts_with(delimiter));
        if let Some(size) = found {
            start += size + delimiter.len();
            frames.push((start, Bytes::copy_from_slice(&rest[..size])));
            continue;
        }
        // The shortest part of the stream that no further bytes can complete.
        let rejected = (max.saturating_add(1)..=within)
            .find(|&end| !(0..=max).any(|at| delimiter.starts_with(&rest[at..end])));
        break match rejected {
            Some(end) => Outcome::Rejected {
                at: start + end,
                error: DecodeError::TooLarge {
                    offset,
                    max: config.max_size,
                },
            },
            None => Outcome::Truncated(DecodeError::Truncated {
                offset,
                received: rest.len() as u64,
            }),
        };
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// Returns the offsets in `stream` at which a body or a delimiter begins or ends, in increasing
/// order.
#[must_use]
pub fn edges(config: Config, stream: &[u8]) -> Vec<usize> {
    let mut edges = vec![0];
    for (end, _) in parse(config, stream).frames {
        edges.extend([end - config.delimiter.as_bytes().len(), end]);
    }
    edges.dedup();
    edges
}

/// Encodes a body and the delimiter after it.
///
/// # Errors
///
/// [`EncodeError::TooLarge`] for a body over the size limit, and [`EncodeError::Delimiter`] for one
/// that would end earlier.
pub fn encode(config: Config, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let (size, max) = (body.len(), config.max_size);
    if size as u64 > max {
        return Err(EncodeError::TooLarge { size, max });
    }
    let delimiter = config.delimiter.as_bytes();
    let frame = [body, delimiter].concat();
    match (0..size).find(|&at| frame[at..].starts_with(delimiter)) {
        Some(at) => Err(EncodeError::Delimiter { at }),
        None => Ok(frame),
    }
}
