//! Generates streams of a format: valid, truncated, and with invalid lengths.

use bytes::BytesMut;
use everysplit::Outcome;
use everysplit::reference::ByteOrder;
use everysplit_formats::delimited::Delimiter;
use everysplit_formats::length_field::{LengthField, Sign};
use serde_json::json;

use super::{Framing, Wire};
use crate::streams::NamedStream;

/// The largest body for a decoder under test, in bytes: twice the usual limit of 8 MiB.
pub(crate) const MAX_BODY: u64 = 16 * 1024 * 1024;
/// The largest body that is printed, in bytes.
pub(crate) const MAX_PRINTED_BODY: u64 = u16::MAX as u64;

/// The name of the stream with a body of the maximum size.
const AT_THE_LIMIT: &str = "at the limit";

impl Framing {
    /// Encodes a frame, whatever the size limit is. Bytes that the format leaves open are 0.
    ///
    /// # Errors
    ///
    /// If no frame can have this body.
    fn encode(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        let mut frame = BytesMut::new();
        let unlimited = Self {
            size_limit: None,
            ..*self
        };
        let encoded = match unlimited.wire() {
            Wire::Header12(_) | Wire::JsonHeader(_) => {
                let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
                frame.extend_from_slice(&self.header(length));
                frame.extend_from_slice(body);
                Ok(())
            }
            Wire::LengthField(field) => {
                let before = vec![0; field.offset.into()];
                let after = [&vec![0; uncounted(field)], body].concat();
                let encoded = field.encode(&before, &after, &mut frame);
                encoded.map_err(|error| error.to_string())
            }
            Wire::Varint(config) => {
                let encoded = config.encode(body, &mut frame);
                encoded.map_err(|error| error.to_string())
            }
            Wire::Delimited(config) => {
                let encoded = config.encode(body, &mut frame);
                encoded.map_err(|error| error.to_string())
            }
            Wire::Netstring(config) => {
                let encoded = config.encode(body, &mut frame);
                encoded.map_err(|error| error.to_string())
            }
        };
        encoded.map(|()| frame.into())
    }

    /// Encodes a frame with the largest body that the size limit allows, if there is one.
    fn at_the_limit(&self) -> Option<Vec<u8>> {
        let (mut size, mut filler) = (self.max_body(), b'x');
        match self.wire() {
            Wire::LengthField(field) => {
                let frame = field.header_size() + uncounted(field);
                size = size.checked_sub((frame - usize::from(field.strip)) as u64)?;
            }
            Wire::Delimited(config) => filler = letter_outside(config.delimiter),
            _ => {}
        }
        self.encode(&vec![filler; usize::try_from(size).ok()?]).ok()
    }

    /// Checks that each message can be the body of a frame.
    ///
    /// # Errors
    ///
    /// The first that cannot; or, if there are none, that there is no such message.
    pub(crate) fn check_messages(&self, messages: &[String]) -> Result<(), String> {
        for message in messages {
            self.encode(message.as_bytes())
                .map_err(|error| format!("no frame can have the --message {message:?}: {error}"))?;
        }
        match self.encode(b"") {
            Err(error) => Err(format!("--framing {} has no frames: {error}", self.kind)),
            Ok(_) => Ok(()),
        }
    }

    /// Encodes the header of a frame that claims a body of `length` bytes.
    fn header(&self, length: i64) -> Vec<u8> {
        if let Wire::Header12(_) = self.wire() {
            return [self.field(length), self.field(1), self.field(0)].concat();
        }
        let header = json!({ "total_size": length }).to_string();
        let length = i64::try_from(header.len()).unwrap_or(i64::MAX);
        [&self.field(length)[..], header.as_bytes()].concat()
    }

    /// Encodes the four lowest bytes of a number.
    fn field(&self, number: i64) -> Vec<u8> {
        lowest_bytes(number.into(), 4, self.byte_order)
    }

    /// Generates the streams for a decoder: the empty one, concatenated frames, a second frame
    /// truncated at every byte, a frame at the size limit if that is at most `max_body` bytes, and
    /// rejected lengths.
    pub(crate) fn streams(&self, messages: &[String], max_body: u64) -> Vec<NamedStream> {
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
        let is_short = self.size_limit.is_some() && self.omitted(max_body).is_none();
        if let Some(frame) = is_short.then(|| self.at_the_limit()).flatten() {
            streams.push(NamedStream::new(AT_THE_LIMIT, [&frame, first].concat()));
        }
        for NamedStream { name, bytes, .. } in self.invalid_lengths(max_body) {
            if matches!(self.parse(&bytes).outcome, Outcome::Rejected { .. }) {
                let stream = [first, &bytes, first].concat();
                streams.push(NamedStream::new(name, stream));
            }
        }
        streams
    }

    /// Returns a message if the frame at the size limit has more than `max_body` bytes, so that
    /// its stream is left out.
    pub(crate) fn omitted(&self, max_body: u64) -> Option<String> {
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
        let mut bodies: Vec<_> = messages.iter().map(|body| body.clone().into()).collect();
        if bodies.is_empty() {
            bodies = ["hello", "", "world", "\0\0\0\x05"].map(Vec::from).into();
            if let Wire::Delimited(config) = self.wire() {
                bodies.push(almost_delimiter(config.delimiter));
            }
        }
        // Of the built-in ones, some may contain the delimiter.
        let frames = bodies.iter().filter_map(|body| self.encode(body).ok());
        let mut frames: Vec<_> = frames.collect();
        if let [only] = &frames[..] {
            frames.push(only.clone());
        }
        frames
    }

    /// Generates headers that no correct peer sends: over the limit, negative, maximal. A format
    /// without lengths needs a whole body for that, and has none if it is over `max_body` bytes.
    pub(crate) fn invalid_lengths(&self, max_body: u64) -> Vec<NamedStream> {
        let over = self.size_limit.map(|limit| i64::from(limit) + 1);
        let mut headers = Vec::new();
        let mut add = |name: &str, bytes| headers.push(NamedStream::new(name, bytes));
        match self.wire() {
            Wire::Header12(_) => {
                if let Some(over) = over.filter(|over| *over <= u32::MAX.into()) {
                    add("over the limit", self.header(over));
                }
                add("maximal", self.header(u32::MAX.into()));
            }
            Wire::JsonHeader(_) => {
                if let Some(over) = over {
                    add("over the limit", self.header(over));
                }
                add("negative", self.header(-1));
                add("maximal", self.header(i64::MAX));
                add("negative header", self.field(-1));
                add("maximal header", self.field(i32::MAX.into()));
            }
            Wire::LengthField(field) => return self.invalid_length_fields(field),
            Wire::Varint(config) => {
                let most = u64::MAX >> (64 - config.width.bits());
                let over = over.and_then(|over| u64::try_from(over).ok());
                if let Some(over) = over.filter(|over| *over <= most) {
                    add("over the limit", varint(over));
                }
                add("maximal", varint(most));
                add("without an end", vec![0xff; config.width.max_bytes()]);
            }
            Wire::Delimited(config) => {
                if self.size_limit.is_some() && self.omitted(max_body).is_none() {
                    let letter = letter_outside(config.delimiter);
                    let body = (0..config.max_size).map(|_| letter);
                    let end = almost_delimiter(config.delimiter);
                    add("over the limit", body.chain(end).collect());
                }
            }
            Wire::Netstring(_) => {
                if let Some(over) = over {
                    add("over the limit", format!("{over}:").into());
                }
                add("maximal", format!("{}:", u64::MAX).into());
                add("negative", b"-1:".into());
                add("zero in front", b"01:".into());
                add("without digits", b":".into());
                add("without a comma", b"1:xx".into());
            }
        }
        headers
    }

    fn invalid_length_fields(&self, field: LengthField) -> Vec<NamedStream> {
        let most = i128::from(field.max_length());
        let mut lengths = Vec::new();
        if self.size_limit.is_some() {
            let frame = i128::from(field.max_size) + 1 + i128::from(field.strip);
            let over = frame - field.header_size() as i128 - i128::from(field.adjustment);
            if (0..=most).contains(&over) {
                lengths.push(("over the limit", over));
            }
        }
        if field.sign == Sign::Signed {
            lengths.extend([("negative", -1), ("most negative", -most - 1)]);
        }
        lengths.push(("maximal", most));
        let short = uncounted(field) as i128 - i128::from(field.adjustment) - 1;
        if (0..=most).contains(&short) {
            // A length of 0 is the smallest, and the one that makes some decoders loop.
            lengths.push(("less than its header", 0));
        }
        let header = |length| {
            let bytes = lowest_bytes(length, field.width.bytes().into(), field.byte_order);
            [vec![0; field.offset.into()], bytes].concat()
        };
        lengths
            .into_iter()
            .map(|(name, length)| NamedStream::new(name, header(length)))
            .collect()
    }
}

/// Returns the number of bytes after a length field that every frame has.
fn uncounted(field: LengthField) -> usize {
    let stripped = usize::from(field.strip).saturating_sub(field.header_size());
    stripped.max(usize::try_from(field.adjustment).unwrap_or(0))
}

/// Encodes the lowest bytes of a number.
fn lowest_bytes(number: i128, count: usize, byte_order: ByteOrder) -> Vec<u8> {
    match byte_order {
        ByteOrder::Little => number.to_le_bytes()[..count].to_vec(),
        ByteOrder::Big => number.to_be_bytes()[16 - count..].to_vec(),
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}

/// Returns a letter that a delimiter does not contain.
fn letter_outside(delimiter: Delimiter) -> u8 {
    let mut letters = (b'a'..=b'z').rev().skip(2).chain(0..=255);
    let is_outside = |letter: &u8| !delimiter.as_bytes().contains(letter);
    letters.find(is_outside).unwrap_or(b'x')
}

/// Returns a delimiter with another last byte.
fn almost_delimiter(delimiter: Delimiter) -> Vec<u8> {
    let mut bytes = delimiter.as_bytes().to_vec();
    bytes.pop();
    bytes.push(letter_outside(delimiter));
    bytes
}
