//! The formats that the command knows: what a stream of one contains, and where its fields are.

mod generate;

pub(crate) use generate::{MAX_BODY, MAX_PRINTED_BODY};

use std::iter;

use bytes::Bytes;
use everysplit::reference::{ByteOrder, Config, Frame, naive};
use everysplit::{Expected, Outcome};
use everysplit_formats::{json_header, len32};
use serde_json::{Value, json};

/// A format, with the settings that both ends agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Framing {
    pub(crate) kind: FramingKind,
    pub(crate) byte_order: ByteOrder,
    /// Maximum body size, in bytes; without one, the length field is the only limit.
    pub(crate) size_limit: Option<u32>,
}

/// The layout of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FramingKind {
    /// Three u32 (bodySize, cmd, recv), then the body.
    Header12,
    /// A u16 length, then the body.
    Len16,
    /// An i32 length, then the body.
    Len32,
    /// A u32 length, then the body.
    Len32u,
    /// An i32 length, a JSON header of that length, then a body of the size in the header.
    JsonHeader,
}

impl FramingKind {
    /// Returns the byte order that the format usually has.
    pub(crate) const fn byte_order(self) -> ByteOrder {
        match self {
            Self::Len16 | Self::Len32u => ByteOrder::Big,
            Self::Header12 | Self::Len32 | Self::JsonHeader => ByteOrder::Little,
        }
    }
}

/// A frame of any format.
pub(crate) struct ParsedFrame {
    /// The header's fields except lengths, or `Null` if there are none.
    pub(crate) header: Value,
    pub(crate) body: Bytes,
}

impl From<Bytes> for ParsedFrame {
    fn from(body: Bytes) -> Self {
        Self {
            header: Value::Null,
            body,
        }
    }
}

impl From<Frame> for ParsedFrame {
    fn from(Frame { cmd, recv, body }: Frame) -> Self {
        Self {
            header: json!({ "cmd": cmd, "recv": recv }),
            body,
        }
    }
}

impl From<json_header::naive::Frame> for ParsedFrame {
    fn from((header, body): json_header::naive::Frame) -> Self {
        Self {
            header: Value::Object(header.fields),
            body: body.into(),
        }
    }
}

impl Framing {
    /// Returns the format's name in JSON.
    pub(crate) const fn name(&self) -> &'static str {
        match self.kind {
            FramingKind::Header12 => "header12",
            FramingKind::Len16 => "len16",
            FramingKind::Len32 => "len32",
            FramingKind::Len32u => "len32u",
            FramingKind::JsonHeader => "json_header",
        }
    }

    /// Returns the byte order's name in JSON.
    pub(crate) const fn byte_order_name(&self) -> &'static str {
        match self.byte_order {
            ByteOrder::Little => "little",
            ByteOrder::Big => "big",
        }
    }

    /// Returns the largest body that a header may claim, in bytes.
    fn max_body(&self) -> u32 {
        let max = match self.kind {
            FramingKind::Header12 | FramingKind::Len32u | FramingKind::JsonHeader => u32::MAX,
            FramingKind::Len16 => u16::MAX.into(),
            FramingKind::Len32 => i32::MAX.unsigned_abs(),
        };
        self.size_limit.map_or(max, |limit| limit.min(max))
    }

    fn header12(&self) -> Config {
        Config {
            byte_order: self.byte_order,
            max_body_size: self.max_body(),
        }
    }

    fn len32(&self) -> len32::Config {
        len32::Config {
            byte_order: self.byte_order,
            max_size: self.max_body(),
        }
    }

    fn json_header(&self) -> json_header::Config {
        let config = json_header::Config::default();
        json_header::Config {
            byte_order: self.byte_order,
            max_size: self.size_limit.map_or(u64::MAX, u64::from),
            // Without a limit on the body, the header has none either.
            max_header_size: self.size_limit.map_or(u32::MAX, |_| config.max_header_size),
            ..config
        }
    }

    /// Parses a whole stream into frames as a driver writes them, with `error` for any error.
    pub(crate) fn expect<E>(&self, stream: &[u8], error: impl Fn() -> E) -> Expected<String, E> {
        map(
            self.parse(stream),
            |frame| self.driver_text(&frame),
            |()| error(),
        )
    }

    /// Returns a frame as a driver writes it.
    fn driver_text(&self, ParsedFrame { header, body }: &ParsedFrame) -> String {
        let body = hex::encode(body);
        match self.kind {
            FramingKind::Header12 => format!("{} {} {body}", header["cmd"], header["recv"]),
            _ => body,
        }
    }

    /// Parses a whole stream.
    pub(crate) fn parse(&self, stream: &[u8]) -> Expected<ParsedFrame, ()> {
        match self.kind {
            FramingKind::Header12 => map(
                naive::parse(self.header12(), stream),
                ParsedFrame::from,
                drop,
            ),
            FramingKind::Len16 | FramingKind::Len32u => {
                map(self.parse_unsigned(stream), ParsedFrame::from, drop)
            }
            FramingKind::Len32 => map(
                len32::naive::parse(self.len32(), stream),
                ParsedFrame::from,
                drop,
            ),
            FramingKind::JsonHeader => map(
                json_header::naive::parse(self.json_header(), stream),
                ParsedFrame::from,
                drop,
            ),
        }
    }

    /// Parses frames with an unsigned length field.
    fn parse_unsigned(&self, stream: &[u8]) -> Expected<Bytes, ()> {
        let (mut frames, mut start) = (Vec::new(), 0);
        let outcome = loop {
            let rest = &stream[start..];
            if rest.is_empty() {
                break Outcome::Clean;
            }
            let Some((size, rest)) = rest.split_at_checked(self.length_bytes()) else {
                break Outcome::Truncated(());
            };
            let size = self.number(size);
            if size > self.max_body() {
                break Outcome::Rejected {
                    at: start + self.length_bytes(),
                    error: (),
                };
            }
            let Some(body) = rest.get(..size as usize) else {
                break Outcome::Truncated(());
            };
            start += self.length_bytes() + body.len();
            frames.push((start, Bytes::copy_from_slice(body)));
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    }

    /// Returns whether a frame of a stream has a body of the maximum size.
    pub(crate) fn has_body_at_limit(&self, stream: &[u8]) -> bool {
        let frames = self.parse(stream).frames;
        let at_limit = |body: &Bytes| body.len() == self.max_body() as usize;
        self.size_limit.is_some() && frames.iter().any(|(_, frame)| at_limit(&frame.body))
    }

    /// Returns the offsets at which a stream's fields begin and end, increasing.
    pub(crate) fn edges(&self, stream: &[u8]) -> Vec<usize> {
        match self.kind {
            FramingKind::Header12 => return naive::edges(self.header12(), stream),
            FramingKind::Len32 => return len32::naive::edges(self.len32(), stream),
            FramingKind::Len16 | FramingKind::Len32u | FramingKind::JsonHeader => {}
        }
        let mut edges = Vec::new();
        let frames = self.parse(stream).frames;
        for start in iter::once(0).chain(frames.iter().map(|&(end, _)| end)) {
            edges.extend([start, start + self.length_bytes()]);
            let length = stream.get(start..start + 4);
            if let (FramingKind::JsonHeader, Some(length)) = (self.kind, length) {
                edges.push((start + 4).saturating_add(self.number(length) as usize));
            }
        }
        edges.dedup();
        edges.retain(|&edge| edge <= stream.len());
        edges
    }

    /// Returns the size of a length field, in bytes.
    const fn length_bytes(&self) -> usize {
        match self.kind {
            FramingKind::Len16 => 2,
            FramingKind::Header12
            | FramingKind::Len32
            | FramingKind::Len32u
            | FramingKind::JsonHeader => 4,
        }
    }

    /// Reads a number of up to four bytes.
    fn number(&self, bytes: &[u8]) -> u32 {
        let append = |number, &byte: &u8| number << 8 | u32::from(byte);
        match self.byte_order {
            ByteOrder::Little => bytes.iter().rev().fold(0, append),
            ByteOrder::Big => bytes.iter().fold(0, append),
        }
    }
}

/// Converts the frames and the error of a parse.
fn map<F, E, T, D>(
    expected: Expected<F, E>,
    frame: impl Fn(F) -> T,
    error: impl Fn(E) -> D,
) -> Expected<T, D> {
    let outcome = match expected.outcome {
        Outcome::Clean => Outcome::Clean,
        Outcome::Truncated(truncated) => Outcome::Truncated(error(truncated)),
        Outcome::Rejected {
            at,
            error: rejected,
        } => Outcome::Rejected {
            at,
            error: error(rejected),
        },
    };
    Expected {
        frames: expected
            .frames
            .into_iter()
            .map(|(end, parsed)| (end, frame(parsed)))
            .collect(),
        at_end: expected.at_end.into_iter().map(&frame).collect(),
        outcome,
    }
}
