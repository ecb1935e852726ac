//! Oracles for the formats of tokio-util's codecs. Each parses a whole stream and shares no code
//! with the codec.

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use everysplit::reference::{ByteOrder, DecodeError};
use everysplit::{Expected, Outcome};
use tokio_util::codec::{AnyDelimiterCodecError, LengthDelimitedCodec, LinesCodecError};

/// An error of a codec, as a value that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    TooLong,
    Io(ErrorKind),
}

impl From<LinesCodecError> for Refusal {
    fn from(error: LinesCodecError) -> Self {
        match error {
            LinesCodecError::MaxLineLengthExceeded => Self::TooLong,
            LinesCodecError::Io(error) => Self::Io(error.kind()),
        }
    }
}

impl From<AnyDelimiterCodecError> for Refusal {
    fn from(error: AnyDelimiterCodecError) -> Self {
        match error {
            AnyDelimiterCodecError::MaxChunkLengthExceeded => Self::TooLong,
            AnyDelimiterCodecError::Io(error) => Self::Io(error.kind()),
        }
    }
}

/// Returns the `DecodeError` inside an error of the reference codec.
pub fn decode_error(error: &io::Error) -> DecodeError {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    *inner.expect("a `DecodeError`")
}

/// Parses frames of up to `max` bytes, each ended by one of `delimiters`. Bytes after the last
/// delimiter are one more frame at the end of the stream.
pub fn delimited<F>(
    stream: &[u8],
    delimiters: &[u8],
    max: usize,
    frame: impl Fn(&[u8]) -> Result<F, Refusal>,
) -> Expected<F, Refusal> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let rejected = |frames, at, error| Expected {
        frames,
        at_end: Vec::new(),
        outcome: Outcome::Rejected { at, error },
    };
    for (index, byte) in stream.iter().enumerate() {
        let at = index + 1;
        if delimiters.contains(byte) {
            match frame(&stream[start..index]) {
                Ok(frame) => frames.push((at, frame)),
                Err(error) => return rejected(frames, at, error),
            }
            start = at;
        } else if at - start > max {
            return rejected(frames, at, Refusal::TooLong);
        }
    }
    let rest = &stream[start..];
    let (at_end, outcome) = match (!rest.is_empty()).then(|| frame(rest)) {
        None => (Vec::new(), Outcome::Clean),
        Some(Ok(frame)) => (vec![frame], Outcome::Clean),
        Some(Err(error)) => (Vec::new(), Outcome::Truncated(error)),
    };
    Expected {
        frames,
        at_end,
        outcome,
    }
}

/// Parses lines of up to `max` bytes, which count a CR at the end of the line.
pub fn lines(stream: &[u8], max: usize) -> Expected<String, Refusal> {
    let mut expected = delimited(stream, b"\n", max, |line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        String::from_utf8(line.to_vec()).map_err(|_| Refusal::Io(ErrorKind::InvalidData))
    });
    // The rest of the stream is a line unless it is a lone CR.
    expected.at_end.retain(|line| !line.is_empty());
    expected
}

/// A format whose header holds the length of the frame.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    pub byte_order: ByteOrder,
    /// The size of the header before the length, in bytes.
    pub offset: usize,
    /// The size of the length field, in bytes.
    pub field: usize,
    /// The number of bytes after the skipped part of the header, minus the length.
    pub adjustment: isize,
    /// How many bytes of the header the frame leaves out: none, or all up to the end of the length.
    pub skip: usize,
    /// The maximum length.
    pub max: usize,
}

impl Lengths {
    pub fn codec(&self) -> LengthDelimitedCodec {
        let mut builder = LengthDelimitedCodec::builder();
        builder
            .length_field_offset(self.offset)
            .length_field_length(self.field)
            .length_adjustment(self.adjustment)
            .num_skip(self.skip)
            .max_frame_length(self.max);
        match self.byte_order {
            ByteOrder::Little => builder.little_endian(),
            ByteOrder::Big => builder.big_endian(),
        };
        builder.new_codec()
    }

    /// The offset in a frame at which the length ends.
    pub fn decided(&self) -> usize {
        self.offset + self.field
    }

    pub fn parse(&self, stream: &[u8]) -> Expected<BytesMut, ErrorKind> {
        let (mut frames, mut start) = (Vec::new(), 0);
        let outcome = loop {
            let rest = &stream[start..];
            if rest.is_empty() {
                break Outcome::Clean;
            }
            let Some(length) = rest.get(self.offset..self.decided()) else {
                break Outcome::Truncated(ErrorKind::Other);
            };
            let at = start + self.decided();
            let length = usize::try_from(self.length(length));
            let Some(length) = length.ok().filter(|&length| length <= self.max) else {
                let error = ErrorKind::InvalidData;
                break Outcome::Rejected { at, error };
            };
            let Some(len) = length.checked_add_signed(self.adjustment) else {
                let error = ErrorKind::InvalidInput;
                break Outcome::Rejected { at, error };
            };
            let Some(frame) = rest.get(self.skip..self.skip + len) else {
                break Outcome::Truncated(ErrorKind::Other);
            };
            start += self.skip + len;
            frames.push((start, BytesMut::from(frame)));
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    }

    fn length(&self, bytes: &[u8]) -> u64 {
        let digits = bytes.iter().map(|&byte| u64::from(byte));
        match self.byte_order {
            ByteOrder::Little => digits.rev().fold(0, |value, digit| value << 8 | digit),
            ByteOrder::Big => digits.fold(0, |value, digit| value << 8 | digit),
        }
    }
}
