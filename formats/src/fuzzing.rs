//! The formats with settings as one type, with its harness, shared by this project's fuzz target and
//! tests.
//!
//! It is public only for them, hidden from the documentation, and not part of the stable API.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use everysplit::oracle::Parse;
use everysplit::reference::ByteOrder;
use everysplit::subject::Decode;
use everysplit::{CallerBuffered, Expected, Harness, Outcome};

use crate::delimited::{self, Delimiter};
use crate::length_field::{self, LengthField, Sign, Width};
use crate::{netstring, varint};

/// A format with its settings.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// A length field.
    LengthField(LengthField),
    /// A varint.
    Varint(varint::Config),
    /// A delimiter.
    Delimited(delimited::Config),
    /// A netstring.
    Netstring(netstring::Config),
}

/// The formats of the fuzz target, with size limits low enough that random input reaches them and
/// goes over them.
pub const FORMATS: [Format; 8] = [
    Format::LengthField(LengthField {
        max_size: 64,
        ..LengthField::new(0, Width::One)
    }),
    Format::LengthField(LengthField {
        byte_order: ByteOrder::Little,
        adjustment: -4,
        strip: 0,
        max_size: 64,
        ..LengthField::new(2, Width::Two)
    }),
    Format::LengthField(LengthField {
        sign: Sign::Signed,
        adjustment: 2,
        strip: 11,
        max_size: 64,
        ..LengthField::new(1, Width::Eight)
    }),
    // A length has one byte or two.
    Format::Varint(varint::Config {
        width: varint::Width::U32,
        max_size: 200,
    }),
    Format::Varint(varint::Config {
        width: varint::Width::U64,
        max_size: 200,
    }),
    Format::Delimited(delimited::Config {
        delimiter: Delimiter::LF,
        max_size: 8,
    }),
    Format::Delimited(delimited::Config {
        delimiter: Delimiter::CRLF,
        max_size: 8,
    }),
    Format::Netstring(netstring::Config { max_size: 20 }),
];

/// The decoder of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// Of a length field.
    LengthField(length_field::Decoder),
    /// Of a varint.
    Varint(varint::Decoder),
    /// Of a delimiter.
    Delimited(delimited::Decoder),
    /// Of a netstring.
    Netstring(netstring::Decoder),
}

/// The error of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Of a length field.
    LengthField(length_field::DecodeError),
    /// Of a varint.
    Varint(varint::DecodeError),
    /// Of a delimiter.
    Delimited(delimited::DecodeError),
    /// Of a netstring.
    Netstring(netstring::DecodeError),
}

impl Format {
    /// Creates a decoder at the beginning of a stream.
    #[must_use]
    pub const fn decoder(self) -> Decoder {
        match self {
            Self::LengthField(field) => Decoder::LengthField(length_field::Decoder::new(field)),
            Self::Varint(config) => Decoder::Varint(varint::Decoder::new(config)),
            Self::Delimited(config) => Decoder::Delimited(delimited::Decoder::new(config)),
            Self::Netstring(config) => Decoder::Netstring(netstring::Decoder::new(config)),
        }
    }

    /// Parses a whole stream with the naive parser.
    #[must_use]
    pub fn parse(self, stream: &[u8]) -> Expected<Bytes, DecodeError> {
        match self {
            Self::LengthField(field) => {
                let parsed = length_field::naive::parse(field, stream);
                map_error(parsed, DecodeError::LengthField)
            }
            Self::Varint(config) => {
                let parsed = varint::naive::parse(config, stream);
                map_error(parsed, DecodeError::Varint)
            }
            Self::Delimited(config) => {
                let parsed = delimited::naive::parse(config, stream);
                map_error(parsed, DecodeError::Delimited)
            }
            Self::Netstring(config) => {
                let parsed = netstring::naive::parse(config, stream);
                map_error(parsed, DecodeError::Netstring)
            }
        }
    }

    /// Returns the offsets at which the fields of a stream begin or end.
    #[must_use]
    pub fn edges(self, stream: &[u8]) -> Vec<usize> {
        match self {
            Self::LengthField(field) => length_field::naive::edges(field, stream),
            Self::Varint(config) => varint::naive::edges(config, stream),
            Self::Delimited(config) => delimited::naive::edges(config, stream),
            Self::Netstring(config) => netstring::naive::edges(config, stream),
        }
    }

    /// Creates a harness for the decoder, with the naive parser as the oracle.
    #[must_use]
    pub fn harness(
        self,
    ) -> Harness<
        CallerBuffered<Decoder>,
        Parse<impl Fn(&[u8]) -> Expected<Bytes, DecodeError>, Bytes, DecodeError>,
    > {
        Harness::decoder(move || self.decoder())
            .oracle(move |stream: &[u8]| self.parse(stream))
            .edges(move |stream| self.edges(stream))
    }
}

fn map_error<E>(
    parsed: Expected<Bytes, E>,
    map: impl Fn(E) -> DecodeError,
) -> Expected<Bytes, DecodeError> {
    Expected {
        frames: parsed.frames,
        at_end: parsed.at_end,
        outcome: match parsed.outcome {
            Outcome::Clean => Outcome::Clean,
            Outcome::Truncated(error) => Outcome::Truncated(map(error)),
            Outcome::Rejected { at, error } => Outcome::Rejected {
                at,
                error: map(error),
            },
        },
    }
}

impl Decode for Decoder {
    type Frame = Bytes;
    type Error = DecodeError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        match self {
            Self::LengthField(decoder) => {
                let decoded = decoder.decode(buffer);
                decoded.map_err(DecodeError::LengthField)
            }
            Self::Varint(decoder) => decoder.decode(buffer).map_err(DecodeError::Varint),
            Self::Delimited(decoder) => decoder.decode(buffer).map_err(DecodeError::Delimited),
            Self::Netstring(decoder) => decoder.decode(buffer).map_err(DecodeError::Netstring),
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        match self {
            Self::LengthField(decoder) => {
                let decoded = decoder.decode_eof(buffer);
                decoded.map_err(DecodeError::LengthField)
            }
            Self::Varint(decoder) => decoder.decode_eof(buffer).map_err(DecodeError::Varint),
            Self::Delimited(decoder) => {
                let decoded = decoder.decode_eof(buffer);
                decoded.map_err(DecodeError::Delimited)
            }
            Self::Netstring(decoder) => {
                let decoded = decoder.decode_eof(buffer);
                decoded.map_err(DecodeError::Netstring)
            }
        }
    }
}
