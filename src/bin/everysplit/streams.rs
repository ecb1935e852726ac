//! The streams that are asked of, and what each must give. It runs nothing.

use everysplit::check::{self, Expected, Outcome};

use crate::Cannot;
use crate::args::{Framing, Streams};

/// A stream and what to call it.
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// What is told of an error where only that there is one is expected.
pub(crate) const ERROR: &str = "error";

/// Gathers the streams of the command line.
pub(crate) fn gather(streams: &Streams) -> Result<Vec<Stream>, Cannot> {
    let mut gathered = Vec::new();
    for path in &streams.stream {
        let bytes = std::fs::read(path)
            .map_err(|error| format!("cannot read the stream {}: {error}", path.display()))?;
        if bytes.is_empty() {
            return Err(
                format!("the stream {} is empty: give it some bytes", path.display()).into(),
            );
        }
        let name = path.display().to_string();
        gathered.push(Stream { name, bytes });
    }
    for path in &streams.corpus {
        let files = check::corpus(path)
            .map_err(|error| format!("cannot read the folder {}: {error}", path.display()))?;
        if files.is_empty() {
            return Err(format!("the folder {} holds no stream", path.display()).into());
        }
        for (index, bytes) in files.into_iter().enumerate() {
            let name = format!("{} {}", path.display(), index + 1);
            gathered.push(Stream { name, bytes });
        }
    }
    for text in &streams.hex {
        let bytes = hex::decode(text)
            .map_err(|error| format!("{text:?} is no stream: {error}; write two digits a byte"))?;
        let name = format!("hex {text}");
        gathered.push(Stream { name, bytes });
    }
    if let Some(framing) = streams.framing {
        let made = made(framing, streams.limit).into_iter();
        gathered.extend(made.enumerate().map(|(index, bytes)| Stream {
            name: format!("made {}", index + 1),
            bytes,
        }));
    }
    if gathered.is_empty() {
        return Err(
            "there is no stream: give one with --stream, --corpus or --hex, or name a --framing"
                .into(),
        );
    }
    Ok(gathered)
}

/// Returns streams of the format: nothing, frames in a row, a frame truncated at
/// every byte behind another, and what is refused.
fn made(framing: Framing, limit: Option<u32>) -> Vec<Vec<u8>> {
    let shape = Shape::of(framing);
    let frame = |body: &[u8]| (shape.encode)(i64::try_from(body.len()).unwrap_or(i64::MAX), body);
    let (first, second) = (frame(b"hello"), frame(b"\x00\x00\x00\x05"));
    let mut streams = vec![
        Vec::new(),
        [&first[..], &frame(b""), &second, &frame(b"world")].concat(),
    ];
    streams.extend((1..second.len()).map(|end| [&first, &second[..end]].concat()));
    if let Some(limit) = limit {
        let at_limit = vec![b'x'; limit as usize];
        streams.push([&frame(&at_limit)[..], &first].concat());
        let above = (shape.encode)(i64::from(limit) + 1, b"");
        streams.push([&first[..], &above, &first].concat());
    }
    if matches!(framing, Framing::Len32) {
        streams.push([&first[..], &(shape.encode)(-1, b"")].concat());
    }
    streams
}

/// A length at the beginning of a header, then the body.
struct Shape {
    /// How many bytes the header has.
    header: usize,
    /// How many of them the length has.
    size: usize,
    length: fn(&[u8]) -> i64,
    encode: fn(i64, &[u8]) -> Vec<u8>,
    /// How a frame is told.
    told: fn(&[u8], &[u8]) -> String,
}

impl Shape {
    fn of(framing: Framing) -> Self {
        match framing {
            Framing::Header12 => Self {
                header: 12,
                size: 4,
                length: |size| little(size),
                encode: |size, body| {
                    [&size.to_le_bytes()[..4], &[1, 0, 0, 0], &[0; 4], body].concat()
                },
                told: |header, body| {
                    let (cmd, recv) = (little(&header[4..8]), little(&header[8..]));
                    format!("{cmd} {recv} {}", hex::encode(body))
                },
            },
            Framing::Len16 => Self {
                header: 2,
                size: 2,
                length: |size| {
                    size.iter()
                        .fold(0, |value, &byte| 256 * value + i64::from(byte))
                },
                encode: |size, body| [&size.to_be_bytes()[6..], body].concat(),
                told: |_, body| hex::encode(body),
            },
            Framing::Len32 => Self {
                header: 4,
                size: 4,
                // The upper half of the values is negative.
                length: |size| (little(size) + (1 << 31)) % (1 << 32) - (1 << 31),
                encode: |size, body| [&size.to_le_bytes()[..4], body].concat(),
                told: |_, body| hex::encode(body),
            },
        }
    }
}

fn little(bytes: &[u8]) -> i64 {
    let digits = bytes.iter().rev();
    digits.fold(0, |value, &byte| 256 * value + i64::from(byte))
}

/// Tells what a stream of the format must give.
pub(crate) fn parse(
    framing: Framing,
    limit: Option<u32>,
    stream: &[u8],
) -> Expected<String, String> {
    let shape = Shape::of(framing);
    let limit = limit.map_or(i64::MAX, i64::from);
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let rest = &stream[start..];
        if rest.is_empty() {
            break Outcome::Clean;
        }
        let Some(size) = rest.get(..shape.size) else {
            break Outcome::Truncated(ERROR.into());
        };
        let length = (shape.length)(size);
        let Some(length) = usize::try_from(length).ok().filter(|_| length <= limit) else {
            let (at, error) = (start + shape.size, ERROR.into());
            break Outcome::Rejected { at, error };
        };
        let body = rest.get(shape.header..).and_then(|rest| rest.get(..length));
        let Some(body) = body else {
            break Outcome::Truncated(ERROR.into());
        };
        start += shape.header + length;
        frames.push((start, (shape.told)(&rest[..shape.header], body)));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}
