//! Generates streams of a format: valid, truncated, and with invalid lengths.

use everysplit::Outcome;
use everysplit::reference::ByteOrder;
use serde_json::json;

use super::{Framing, FramingKind};
use crate::streams::NamedStream;

/// The largest body for a decoder under test, in bytes: twice the usual limit of 8 MiB.
pub(crate) const MAX_BODY: u32 = 16 * 1024 * 1024;
/// The largest body that is printed, in bytes.
pub(crate) const MAX_PRINTED_BODY: u32 = u16::MAX as u32;

/// The name of the stream with a body of the maximum size.
const AT_THE_LIMIT: &str = "at the limit";

impl Framing {
    /// Encodes a frame.
    fn encode(&self, body: &[u8]) -> Vec<u8> {
        let claimed = i64::try_from(body.len()).unwrap_or(i64::MAX);
        [&self.header(claimed)[..], body].concat()
    }

    /// Encodes the header of a frame that claims a body of `length` bytes.
    fn header(&self, length: i64) -> Vec<u8> {
        match self.kind {
            FramingKind::Header12 => [self.field(length), self.field(1), self.field(0)].concat(),
            FramingKind::Len16 | FramingKind::Len32 | FramingKind::Len32u => self.field(length),
            FramingKind::JsonHeader => {
                let header = json!({ "total_size": length }).to_string();
                let length = i64::try_from(header.len()).unwrap_or(i64::MAX);
                [self.field(length), header.into_bytes()].concat()
            }
        }
    }

    /// Encodes the lowest bytes of a number.
    fn field(&self, number: i64) -> Vec<u8> {
        let length = self.length_bytes();
        match self.byte_order {
            ByteOrder::Little => number.to_le_bytes()[..length].to_vec(),
            ByteOrder::Big => number.to_be_bytes()[8 - length..].to_vec(),
        }
    }

    /// Generates the streams for a decoder: the empty one, concatenated frames, a second frame
    /// truncated at every byte, a frame at the size limit if that is at most `max_body` bytes, and
    /// rejected lengths.
    pub(crate) fn streams(&self, messages: &[String], max_body: u32) -> Vec<NamedStream> {
        let frames = self.frames(messages);
        let (first, last) = match &frames[..] {
            [] | [_] => return Vec::new(),
            [first, .., last] => (&first[..], &last[..]),
        };
        let mut streams = vec![
            NamedStream::new("empty", Vec::new()),
            NamedStream::new("concatenated", frames.concat()),
        ];
        streams.extend((1..last.len()).map(|end| {
            let name = format!("truncated after {end} of {}", last.len());
            NamedStream::new(name, [first, &last[..end]].concat())
        }));
        if self.size_limit.is_some() && self.omitted(max_body).is_none() {
            let frame = self.encode(&vec![b'x'; self.max_body() as usize]);
            streams.push(NamedStream::new(AT_THE_LIMIT, [&frame, first].concat()));
        }
        for NamedStream { name, bytes, .. } in self.invalid_lengths() {
            if matches!(self.parse(&bytes).outcome, Outcome::Rejected { .. }) {
                let stream = [first, &bytes, first].concat();
                streams.push(NamedStream::new(name, stream));
            }
        }
        streams
    }

    /// Returns a message if the frame at the size limit has more than `max_body` bytes, so that
    /// its stream is left out.
    pub(crate) fn omitted(&self, max_body: u32) -> Option<String> {
        let body = self.max_body();
        (self.size_limit.is_some() && body > max_body).then(|| {
            format!(
                "{AT_THE_LIMIT}: left out, as a body of {body} bytes is too long; test with a --size-limit of at most {max_body}"
            )
        })
    }

    /// Encodes a frame for each message, or for built-in ones if there are none.
    ///
    /// There are at least two frames: some decoders lose the second.
    pub(crate) fn frames(&self, messages: &[String]) -> Vec<Vec<u8>> {
        let built_in = ["hello", "", "world", "\0\0\0\x05"].map(String::from);
        let messages = if messages.is_empty() {
            &built_in
        } else {
            messages
        };
        let mut frames: Vec<_> = messages
            .iter()
            .map(|body| self.encode(body.as_bytes()))
            .collect();
        if let [only] = &frames[..] {
            frames.push(only.clone());
        }
        frames
    }

    /// Generates headers that no correct peer sends: over the limit, negative, maximal.
    pub(crate) fn invalid_lengths(&self) -> Vec<NamedStream> {
        let named = |name: &str, length| NamedStream::new(name, self.header(length));
        let mut headers = Vec::new();
        if self.size_limit.is_some() {
            headers.push(named("over the limit", i64::from(self.max_body()) + 1));
        }
        match self.kind {
            // In an unsigned field, -1 is the maximum.
            FramingKind::Header12 | FramingKind::Len32u => {
                headers.push(named("maximal", u32::MAX.into()));
            }
            FramingKind::Len16 => headers.push(named("maximal", u16::MAX.into())),
            FramingKind::Len32 => headers.extend([
                named("negative", -1),
                named("most negative", i32::MIN.into()),
                named("maximal", i32::MAX.into()),
            ]),
            FramingKind::JsonHeader => headers.extend([
                named("negative", -1),
                named("maximal", i64::MAX),
                NamedStream::new("negative header", self.field(-1)),
                NamedStream::new("maximal header", self.field(i32::MAX.into())),
            ]),
        }
        headers
    }
}
