//! The formats that the command knows: makes streams of them, good and hostile, and tells
//! what is in one. It asks nobody.

use bytes::Bytes;
use everysplit::check::{Expected, Outcome};
use everysplit::reference::{ByteOrder, Config, Frame, naive};
use everysplit_formats::{json_header, len32};
use serde_json::{Value, json};

use crate::args::{Framing, Order, Streams};
use crate::streams::Stream;

/// The longest limit at which a frame is made.
const AT_LIMIT: u32 = 256;

/// A format with what both ends agree on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    framing: Framing,
    order: ByteOrder,
    limit: Option<u32>,
}

impl Format {
    pub(crate) fn new(framing: Framing, order: Option<Order>, limit: Option<u32>) -> Self {
        let order = match (order, framing) {
            (Some(Order::Big), _) | (None, Framing::Len16 | Framing::Len32u) => ByteOrder::Big,
            (Some(Order::Little) | None, _) => ByteOrder::Little,
        };
        Self {
            framing,
            order,
            limit,
        }
    }

    /// Returns the format that the command line names, if it does.
    pub(crate) fn of(streams: &Streams) -> Option<Self> {
        let framing = streams.framing?;
        Some(Self::new(framing, streams.order, streams.limit))
    }

    /// Returns what the format is called.
    pub(crate) const fn name(&self) -> &'static str {
        match self.framing {
            Framing::Header12 => "header12",
            Framing::Len16 => "len16",
            Framing::Len32 => "len32",
            Framing::Len32u => "len32u",
            Framing::JsonHeader => "json_header",
        }
    }

    /// Returns whether the fields of a header have names on the wire.
    pub(crate) const fn is_json(&self) -> bool {
        matches!(self.framing, Framing::JsonHeader)
    }

    /// Returns what the order of bytes is called.
    pub(crate) const fn order(&self) -> &'static str {
        match self.order {
            ByteOrder::Little => "little",
            ByteOrder::Big => "big",
        }
    }

    /// Returns the most bytes that a body may have.
    fn most(&self) -> u32 {
        let most = match self.framing {
            Framing::Header12 | Framing::Len32u | Framing::JsonHeader => u32::MAX,
            Framing::Len16 => u16::MAX.into(),
            Framing::Len32 => i32::MAX.unsigned_abs(),
        };
        self.limit.map_or(most, |limit| limit.min(most))
    }

    fn header12(&self) -> Config {
        Config {
            byte_order: self.order,
            max_body_size: self.most(),
        }
    }

    fn len32(&self) -> len32::Config {
        len32::Config {
            byte_order: self.order,
            max_size: self.most(),
        }
    }

    fn json_header(&self) -> json_header::Config {
        let config = json_header::Config::default();
        json_header::Config {
            byte_order: self.order,
            max_size: self.limit.map_or(u64::MAX, u64::from),
            // Without a limit, a header has none either.
            max_header_size: self.limit.map_or(u32::MAX, |_| config.max_header_size),
            ..config
        }
    }

    /// Tells what a stream must give, as a driver tells it; an error is like any other.
    pub(crate) fn parse<E>(&self, stream: &[u8], error: impl Fn() -> E) -> Expected<String, E> {
        let framing = self.framing;
        let expected = self.frames(stream, |Parsed { header, body }| {
            let body = hex::encode(body);
            match framing {
                Framing::Header12 => format!("{} {} {body}", header["cmd"], header["recv"]),
                _ => body,
            }
        });
        map(expected, |frame| frame, |()| error())
    }

    /// Tells what a stream must give.
    pub(crate) fn frames<T>(&self, stream: &[u8], told: impl Fn(Parsed) -> T) -> Expected<T, ()> {
        let bare = |body: Bytes| Parsed {
            header: Value::Null,
            body,
        };
        match self.framing {
            Framing::Header12 => {
                let expected = naive::parse(self.header12(), stream);
                let parsed = |Frame { cmd, recv, body }| Parsed {
                    header: json!({ "cmd": cmd, "recv": recv }),
                    body,
                };
                map(expected, |frame| told(parsed(frame)), drop)
            }
            Framing::Len16 | Framing::Len32u => {
                map(self.unsigned(stream), |body| told(bare(body)), drop)
            }
            Framing::Len32 => {
                let expected = everysplit_formats::len32::naive::parse(self.len32(), stream);
                map(expected, |body| told(bare(body)), drop)
            }
            Framing::JsonHeader => {
                let expected =
                    everysplit_formats::json_header::naive::parse(self.json_header(), stream);
                let parsed =
                    |(header, body): everysplit_formats::json_header::naive::Frame| Parsed {
                        header: Value::Object(header.fields),
                        body: body.into(),
                    };
                map(expected, |frame| told(parsed(frame)), drop)
            }
        }
    }

    /// Parses frames behind an unsigned length.
    fn unsigned(&self, stream: &[u8]) -> Expected<Bytes, ()> {
        let (mut frames, mut start) = (Vec::new(), 0);
        let outcome = loop {
            let rest = &stream[start..];
            if rest.is_empty() {
                break Outcome::Clean;
            }
            let Some((size, rest)) = rest.split_at_checked(self.length()) else {
                break Outcome::Truncated(());
            };
            let size = self.number(size);
            if size > self.most() {
                let (at, error) = (start + self.length(), ());
                break Outcome::Rejected { at, error };
            }
            let Some(body) = rest.get(..size as usize) else {
                break Outcome::Truncated(());
            };
            start += self.length() + body.len();
            frames.push((start, Bytes::copy_from_slice(body)));
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    }

    /// Returns where a stream's fields begin and end, increasing.
    pub(crate) fn edges(&self, stream: &[u8]) -> Vec<usize> {
        match self.framing {
            Framing::Header12 => return naive::edges(self.header12(), stream),
            Framing::Len32 => return everysplit_formats::len32::naive::edges(self.len32(), stream),
            Framing::Len16 | Framing::Len32u | Framing::JsonHeader => {}
        }
        let ends = self.frames(stream, drop).frames;
        let ends = ends.into_iter().map(|(end, ())| end);
        let mut edges = Vec::new();
        for start in [0].into_iter().chain(ends) {
            edges.extend([start, start + self.length()]);
            let header = stream.get(start..start + 4);
            if let (Framing::JsonHeader, Some(length)) = (self.framing, header) {
                edges.push((start + 4).saturating_add(self.number(length) as usize));
            }
        }
        edges.dedup();
        edges.retain(|&edge| edge <= stream.len());
        edges
    }

    /// Returns how many bytes a length has.
    const fn length(&self) -> usize {
        match self.framing {
            Framing::Len16 => 2,
            Framing::Header12 | Framing::Len32 | Framing::Len32u | Framing::JsonHeader => 4,
        }
    }

    /// Reads a number of up to four bytes.
    fn number(&self, bytes: &[u8]) -> u32 {
        let append = |number, &byte: &u8| number << 8 | u32::from(byte);
        match self.order {
            ByteOrder::Little => bytes.iter().rev().fold(0, append),
            ByteOrder::Big => bytes.iter().fold(0, append),
        }
    }

    /// Writes a frame.
    pub(crate) fn encode(&self, body: &[u8]) -> Vec<u8> {
        let claimed = i64::try_from(body.len()).unwrap_or(i64::MAX);
        [&self.claim(claimed)[..], body].concat()
    }

    /// Writes the header of a frame whose body has so many bytes, as it says.
    fn claim(&self, length: i64) -> Vec<u8> {
        match self.framing {
            Framing::Header12 => [self.field(length), self.field(1), self.field(0)].concat(),
            Framing::Len16 | Framing::Len32 | Framing::Len32u => self.field(length),
            Framing::JsonHeader => {
                let header = json!({ "total_size": length }).to_string();
                let length = i64::try_from(header.len()).unwrap_or(i64::MAX);
                [self.field(length), header.into_bytes()].concat()
            }
        }
    }

    /// Writes the lowest bytes of a number.
    fn field(&self, number: i64) -> Vec<u8> {
        let length = self.length();
        match self.order {
            ByteOrder::Little => number.to_le_bytes()[..length].to_vec(),
            ByteOrder::Big => number.to_be_bytes()[8 - length..].to_vec(),
        }
    }

    /// Returns streams: nothing, frames in a row, a frame truncated at every byte behind
    /// another, and what is refused.
    pub(crate) fn streams(&self, messages: &[String]) -> Vec<Stream> {
        let row = self.row(messages);
        let (first, last) = match &row[..] {
            [] | [_] => return Vec::new(),
            [first, .., last] => (&first[..], &last[..]),
        };
        let mut streams = vec![
            Stream::new("nothing", Vec::new()),
            Stream::new("in a row", row.concat()),
        ];
        streams.extend((1..last.len()).map(|end| {
            let name = format!("truncated after {end} of {}", last.len());
            Stream::new(name, [first, &last[..end]].concat())
        }));
        if let Some(limit) = self.limit.filter(|&limit| limit <= AT_LIMIT) {
            let at_limit = self.encode(&vec![b'x'; limit as usize]);
            streams.push(Stream::new("at the limit", [&at_limit, first].concat()));
        }
        let refused = self.refused().into_iter();
        streams.extend(refused.map(|Stream { name, bytes }| Stream {
            name,
            bytes: [first, &bytes, first].concat(),
        }));
        streams
    }

    /// Returns frames of these bodies, or of others if there are none.
    pub(crate) fn row(&self, messages: &[String]) -> Vec<Vec<u8>> {
        let made = ["hello", "", "world", "\0\0\0\x05"].map(String::from);
        let messages = if messages.is_empty() { &made } else { messages };
        let bodies = messages.iter().map(String::as_bytes);
        let mut row: Vec<_> = bodies.map(|body| self.encode(body)).collect();
        // A second one is what some lose.
        if let [only] = &row[..] {
            row.push(only.clone());
        }
        row
    }

    /// Returns headers that are to be refused.
    fn refused(&self) -> Vec<Stream> {
        let claims = self.claims().into_iter();
        claims
            .filter(|claim| {
                matches!(
                    self.frames(&claim.bytes, drop).outcome,
                    Outcome::Rejected { .. }
                )
            })
            .collect()
    }

    /// Returns headers that claim what nobody sends: over the limit, negative, maximal.
    pub(crate) fn claims(&self) -> Vec<Stream> {
        let named = |name: &str, length| Stream::new(name, self.claim(length));
        let mut claims = Vec::new();
        if self.limit.is_some() {
            claims.push(named("over the limit", i64::from(self.most()) + 1));
        }
        match self.framing {
            // Without a sign, -1 is the most there is.
            Framing::Header12 | Framing::Len32u => claims.push(named("maximal", u32::MAX.into())),
            Framing::Len16 => claims.push(named("maximal", u16::MAX.into())),
            Framing::Len32 => {
                claims.push(named("negative", -1));
                claims.push(named("most negative", i32::MIN.into()));
                claims.push(named("maximal", i32::MAX.into()));
            }
            Framing::JsonHeader => {
                claims.push(named("negative", -1));
                claims.push(named("maximal", i64::MAX));
                claims.push(Stream::new("negative header", self.field(-1)));
                claims.push(Stream::new("maximal header", self.field(i32::MAX.into())));
            }
        }
        claims
    }
}

/// A frame of any format.
pub(crate) struct Parsed {
    /// What its header says beside the length, if anything.
    pub(crate) header: Value,
    pub(crate) body: Bytes,
}

/// Tells frames and the error otherwise.
fn map<F, E, T, D>(
    expected: Expected<F, E>,
    told: impl Fn(F) -> T,
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
    let frames = expected.frames.into_iter();
    Expected {
        frames: frames.map(|(end, frame)| (end, told(frame))).collect(),
        at_end: expected.at_end.into_iter().map(&told).collect(),
        outcome,
    }
}
