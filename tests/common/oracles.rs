//! What a stream of the formats of tokio-util's codecs must give, by a parse of the
//! whole of it. The parses share nothing with the codecs.

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use everysplit::reference::{ByteOrder, DecodeError};
use everysplit::{Expected, Outcome};
use tokio_util::codec::{AnyDelimiterCodecError, LengthDelimitedCodec, LinesCodecError};

/// What a codec says of bad input, as a value.
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

/// What an error of our own codec holds.
pub fn decode_error(error: &io::Error) -> DecodeError {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    *inner.expect("a `DecodeError`")
}

/// Frames of up to `max` bytes that end with one of `delimiters`, and what the end
/// leaves.
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

/// Lines of up to `max` bytes, a CR at their end included.
pub fn lines(stream: &[u8], max: usize) -> Expected<String, Refusal> {
    let mut expected = delimited(stream, b"\n", max, |line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        String::from_utf8(line.to_vec()).map_err(|_| Refusal::Io(ErrorKind::InvalidData))
    });
    // What the end leaves is a line unless it is nothing but a CR.
    expected.at_end.retain(|line| !line.is_empty());
    expected
}

/// A format in which a header tells how long a frame is.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    pub byte_order: ByteOrder,
    /// How many bytes there are before the length.
    pub offset: usize,
    /// How many bytes the length has.
    pub field: usize,
    /// How many bytes there are behind `skip` beyond what the length says.
    pub adjustment: isize,
    /// How many bytes of the header are not given: none of them, or all up to the
    /// end of the length.
    pub skip: usize,
    /// The largest length.
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

    /// Where the length ends.
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
