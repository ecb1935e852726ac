//! The formats that the command knows: what a stream of one contains, and where its fields are.

mod description;
mod generate;

pub(crate) use description::{DESCRIBED, Description, NAMED};
pub(crate) use generate::{MAX_BODY, MAX_PRINTED_BODY};

use std::iter;

use bytes::Bytes;
use everysplit::reference::{ByteOrder, Config, Frame, naive};
use everysplit::{Expected, Outcome};
use everysplit_formats::length_field::{self, LengthField, Sign, Width};
use everysplit_formats::{delimited, json_header, netstring, varint};
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
    /// A length field as described. Its byte order and its size limit are not used.
    LengthField(LengthField),
    /// A varint, then the body.
    Varint(varint::Width),
    /// The body, then a delimiter.
    Delimited(delimited::Delimiter),
    /// The length in decimal digits, a colon, the body, a comma.
    Netstring,
}

impl FramingKind {
    /// Returns the byte order that the format usually has, or `None` if it has none.
    pub(crate) const fn byte_order(self) -> Option<ByteOrder> {
        match self {
            Self::Len16 | Self::Len32u | Self::LengthField(_) => Some(ByteOrder::Big),
            Self::Header12 | Self::Len32 | Self::JsonHeader => Some(ByteOrder::Little),
            Self::Varint(_) | Self::Delimited(_) | Self::Netstring => None,
        }
    }
}

/// A format with all its settings, in the types of the crates that parse it.
enum Wire {
    Header12(Config),
    JsonHeader(json_header::Config),
    LengthField(LengthField),
    Varint(varint::Config),
    Delimited(delimited::Config),
    Netstring(netstring::Config),
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
    /// Returns the format's name in JSON: its description.
    pub(crate) fn name(&self) -> String {
        match self.kind {
            FramingKind::JsonHeader => "json_header".into(),
            kind => kind.to_string(),
        }
    }

    /// Returns the byte order's name in JSON, or `None` if the format has none.
    pub(crate) fn byte_order_name(&self) -> Option<&'static str> {
        let order = self.kind.byte_order().map(|_| self.byte_order);
        order.map(|order| match order {
            ByteOrder::Little => "little",
            ByteOrder::Big => "big",
        })
    }

    fn wire(&self) -> Wire {
        let max_size = self.size_limit.map_or(u64::MAX, u64::from);
        let length_field = |field| {
            Wire::LengthField(LengthField {
                byte_order: self.byte_order,
                max_size,
                ..field
            })
        };
        match self.kind {
            FramingKind::Header12 => Wire::Header12(Config {
                byte_order: self.byte_order,
                max_body_size: self.size_limit.unwrap_or(u32::MAX),
            }),
            FramingKind::JsonHeader => Wire::JsonHeader(self.json_header(max_size)),
            FramingKind::Len16 => length_field(LengthField::new(0, Width::Two)),
            FramingKind::Len32 => length_field(LengthField {
                sign: Sign::Signed,
                ..LengthField::new(0, Width::Four)
            }),
            FramingKind::Len32u => length_field(LengthField::new(0, Width::Four)),
            FramingKind::LengthField(field) => length_field(field),
            FramingKind::Varint(width) => Wire::Varint(varint::Config { width, max_size }),
            FramingKind::Delimited(delimiter) => Wire::Delimited(delimited::Config {
                delimiter,
                max_size,
            }),
            FramingKind::Netstring => Wire::Netstring(netstring::Config { max_size }),
        }
    }

    fn json_header(&self, max_size: u64) -> json_header::Config {
        let config = json_header::Config::default();
        json_header::Config {
            byte_order: self.byte_order,
            max_size,
            // Without a limit on the body, the header has none either.
            max_header_size: self.size_limit.map_or(u32::MAX, |_| config.max_header_size),
            ..config
        }
    }

    /// Returns the size of the largest body that a frame can have, in bytes.
    fn max_body(&self) -> u64 {
        match self.wire() {
            Wire::Header12(config) => config.max_body_size.into(),
            Wire::JsonHeader(config) => config.max_size,
            Wire::LengthField(field) => field.max_message(),
            Wire::Varint(config) => config.max_body(),
            Wire::Delimited(config) => config.max_size,
            Wire::Netstring(config) => config.max_size,
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
        match self.wire() {
            Wire::Header12(config) => map(naive::parse(config, stream), ParsedFrame::from, drop),
            Wire::JsonHeader(config) => {
                let parsed = json_header::naive::parse(config, stream);
                map(parsed, ParsedFrame::from, drop)
            }
            Wire::LengthField(field) => {
                let parsed = length_field::naive::parse(field, stream);
                map(parsed, ParsedFrame::from, drop)
            }
            Wire::Varint(config) => {
                let parsed = varint::naive::parse(config, stream);
                map(parsed, ParsedFrame::from, drop)
            }
            Wire::Delimited(config) => {
                let parsed = delimited::naive::parse(config, stream);
                map(parsed, ParsedFrame::from, drop)
            }
            Wire::Netstring(config) => {
                let parsed = netstring::naive::parse(config, stream);
                map(parsed, ParsedFrame::from, drop)
            }
        }
    }

    /// Returns whether a frame of a stream has a body of the maximum size.
    pub(crate) fn has_body_at_limit(&self, stream: &[u8]) -> bool {
        let frames = self.parse(stream).frames;
        let at_limit = |body: &Bytes| body.len() as u64 == self.max_body();
        self.size_limit.is_some() && frames.iter().any(|(_, frame)| at_limit(&frame.body))
    }

    /// Returns whether a stream is rejected for the size of a body: without a limit it would not be.
    pub(crate) fn is_over_limit(&self, stream: &[u8]) -> bool {
        let unlimited = Self {
            size_limit: None,
            ..*self
        };
        let is_rejected =
            |framing: &Self| matches!(framing.parse(stream).outcome, Outcome::Rejected { .. });
        is_rejected(self) && !is_rejected(&unlimited)
    }

    /// Returns the offsets at which a stream's fields begin and end, increasing.
    pub(crate) fn edges(&self, stream: &[u8]) -> Vec<usize> {
        match self.wire() {
            Wire::Header12(config) => naive::edges(config, stream),
            Wire::JsonHeader(_) => self.json_header_edges(stream),
            Wire::LengthField(field) => length_field::naive::edges(field, stream),
            Wire::Varint(config) => varint::naive::edges(config, stream),
            Wire::Delimited(config) => delimited::naive::edges(config, stream),
            Wire::Netstring(config) => netstring::naive::edges(config, stream),
        }
    }

    fn json_header_edges(&self, stream: &[u8]) -> Vec<usize> {
        let mut edges = Vec::new();
        let frames = self.parse(stream).frames;
        for start in iter::once(0).chain(frames.iter().map(|&(end, _)| end)) {
            edges.extend([start, start + 4]);
            let length = stream.get(start..).and_then(|rest| rest.first_chunk());
            if let Some(&length) = length {
                let length = self.byte_order.read_u32(length);
                edges.push((start + 4).saturating_add(length as usize));
            }
        }
        edges.dedup();
        edges.retain(|&edge| edge <= stream.len());
        edges
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
