//! Checks for framers and encoders of the reference format, shared by this project's fuzz targets
//! and tests.
//!
//! It is public only for them, hidden from the documentation, and not part of the stable API.
//! Test your own framer with [`Harness`](crate::Harness).

use alloc::vec::Vec;

use bytes::BytesMut;

use super::error::{DecodeError, EncodeError};
use super::frame::{ByteOrder, Config, Frame};
use super::naive;
use super::sent::Sent;
use crate::case::Case;
use crate::check::check_encoder;
use crate::door::Fed;
use crate::expected::{Expected, Outcome};
use crate::harness::Harness;
use crate::oracle::Parse;
use crate::report::Violation;
use crate::subject::Subject;

/// The configurations of the fuzz targets: both byte orders, and a size limit of 64 bytes, low
/// enough that random input reaches it and goes over it.
pub const CONFIGS: [Config; 2] = [
    Config {
        byte_order: ByteOrder::Little,
        max_body_size: 64,
    },
    Config {
        byte_order: ByteOrder::Big,
        max_body_size: 64,
    },
];

/// Makes a harness that expects of a stream what [`naive`] parses.
#[must_use]
pub fn harness<S>(
    make: impl Fn() -> S + 'static,
    config: Config,
) -> Harness<Fed<S>, Parse<impl Fn(&[u8]) -> Expected<Frame, DecodeError>, Frame, DecodeError>>
where
    S: Subject<Frame = Frame, Error = DecodeError>,
{
    Harness::framer(make)
        .oracle(move |stream: &[u8]| naive::parse(config, stream))
        .limit_errors(|error| matches!(error, DecodeError::BodyTooLarge { .. }))
        .edges(move |stream| naive::edges(config, stream))
}

/// Checks that encoded frames are decoded to equal frames, with the size limit at the largest body.
/// `make` creates a framer for a configuration.
///
/// # Errors
///
/// The first violation.
pub fn round_trip<S>(
    make: impl Fn(Config) -> S + 'static,
    byte_order: ByteOrder,
    case: &Sent,
) -> Result<(), Violation>
where
    S: Subject<Frame = Frame, Error = DecodeError>,
{
    let sizes = case.frames.iter().map(|frame| frame.body.len());
    let largest = sizes.max().unwrap_or(0);
    let config = Config {
        byte_order,
        max_body_size: u32::try_from(largest).unwrap_or(u32::MAX),
    };
    let mut stream = BytesMut::new();
    let mut frames = Vec::new();
    for frame in &case.frames {
        // A frame that the encoder rejects is missing from the stream, which the check reports.
        let _ = config.encode(frame, &mut stream);
        frames.push((stream.len(), frame.clone()));
    }
    let expected = Expected {
        frames,
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    Harness::framer(move || make(config))
        .oracle(move |_: &[u8]| expected.clone())
        .limit_errors(|error| matches!(error, DecodeError::BodyTooLarge { .. }))
        .one_split(&Case::new(stream, case.split.clone()))
}

/// Checks an encoder on a frame, with limits below, at and above the size of its body: it writes
/// the same bytes as [`naive`] and rejects what a decoder would reject.
///
/// # Errors
///
/// The first violation.
pub fn encode(
    encode: impl Fn(Config, &Frame, &mut BytesMut) -> Result<(), EncodeError>,
    byte_order: ByteOrder,
    frame: &Frame,
) -> Result<(), Violation> {
    for max_body_size in limits_around(frame.body.len()) {
        let config = Config {
            byte_order,
            max_body_size,
        };
        let expected = naive::encode(config, frame);
        let expected = expected.as_deref().map_err(|error| *error);
        check_encoder(|output| encode(config, frame, output), expected)?;
    }
    Ok(())
}

/// Returns size limits one below, at and one above a body of `len` bytes, and [`u32::MAX`].
#[must_use]
pub fn limits_around(len: usize) -> [u32; 4] {
    let size = u32::try_from(len).unwrap_or(u32::MAX);
    [
        size.saturating_sub(1),
        size,
        size.saturating_add(1),
        u32::MAX,
    ]
}

/// Encodes a frame in one piece.
///
/// # Errors
///
/// Those of [`Config::encode`].
pub fn encode_whole(
    config: Config,
    frame: &Frame,
    output: &mut BytesMut,
) -> Result<(), EncodeError> {
    config.encode(frame, output)
}

/// Encodes a frame as a header, then the body, as when the body is sent without copying it.
///
/// # Errors
///
/// Those of [`Config::encode_header`].
pub fn encode_in_parts(
    config: Config,
    frame: &Frame,
    output: &mut BytesMut,
) -> Result<(), EncodeError> {
    let header = config.encode_header(frame.cmd, frame.recv, frame.body.len())?;
    output.extend_from_slice(&header);
    output.extend_from_slice(&frame.body);
    Ok(())
}

/// Checks a framer on untrusted input against [`Walk`](crate::reference::Walk) and tokio-util's
/// `LengthDelimitedCodec`, configured for this header: it returns the same frames after the same
/// bytes and rejects the same streams.
///
/// # Errors
///
/// The first violation. It blames the framer.
#[cfg(feature = "tokio")]
pub fn differential<S>(
    make: impl Fn() -> S + 'static,
    config: Config,
    case: &Case,
) -> Result<(), Violation>
where
    S: Subject<Frame = Frame, Error = DecodeError>,
{
    let harness = Harness::framer(make);
    harness.differential(peers::LengthDelimited::new(config), case)?;
    harness.differential(peers::Walker::new(config), case)
}

/// The implementations that the framer is compared with, as subjects.
#[cfg(feature = "tokio")]
mod peers {
    use alloc::vec::Vec;
    use std::io;

    use bytes::{Buf, BytesMut};
    use tokio_util::codec::{Decoder, LengthDelimitedCodec};

    use super::super::decoder::Walk;
    use super::super::error::DecodeError;
    use super::super::frame::{ByteOrder, Config, Frame, Header};
    use crate::subject::{Buffered, Decode, Frames, Subject};

    /// [`Walk`] as a subject: keeps all bytes received and walks over them on every call.
    pub(super) struct Walker {
        config: Config,
        received: Vec<u8>,
        frames: usize,
    }

    impl Walker {
        pub(super) fn new(config: Config) -> Self {
            Self {
                config,
                received: Vec::new(),
                frames: 0,
            }
        }
    }

    impl Subject for Walker {
        type Frame = Frame;
        type Error = DecodeError;

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
            self.received.extend_from_slice(chunk);
            let mut walk = Walk::new(self.config, &self.received);
            let mut walked = 0;
            while let Some(frame) = walk.next_frame()? {
                walked += 1;
                if walked > self.frames {
                    self.frames = walked;
                    frames.push(frame.into());
                }
            }
            Ok(())
        }

        fn finish(&mut self, _: &mut Frames<Frame>) -> Result<(), DecodeError> {
            Walk::new(self.config, &self.received).finish()
        }
    }

    /// tokio-util's codec, with its frames converted to [`Frame`]s.
    pub(super) struct LengthDelimited {
        byte_order: ByteOrder,
        codec: LengthDelimitedCodec,
    }

    impl LengthDelimited {
        pub(super) fn new(config: Config) -> Buffered<Self> {
            let mut builder = LengthDelimitedCodec::builder();
            builder
                .length_field_length(4)
                .length_adjustment(12)
                // Without the header, a stream that ends inside it would go unnoticed.
                .num_skip(0)
                .max_frame_length(config.max_body_size as usize);
            match config.byte_order {
                ByteOrder::Little => builder.little_endian(),
                ByteOrder::Big => builder.big_endian(),
            };
            Buffered::new(Self {
                byte_order: config.byte_order,
                codec: builder.new_codec(),
            })
        }

        fn frame(&self, mut bytes: BytesMut) -> Frame {
            let mut header = [0; Header::LEN];
            bytes.copy_to_slice(&mut header);
            let Header { cmd, recv, .. } = Header::from_bytes(header, self.byte_order);
            let body = bytes.freeze();
            Frame { cmd, recv, body }
        }
    }

    impl Decode for LengthDelimited {
        type Frame = Frame;
        type Error = io::ErrorKind;

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, io::ErrorKind> {
            let decoded = self.codec.decode(buffer).map_err(|error| error.kind())?;
            Ok(decoded.map(|bytes| self.frame(bytes)))
        }

        fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, io::ErrorKind> {
            let decoded = self
                .codec
                .decode_eof(buffer)
                .map_err(|error| error.kind())?;
            Ok(decoded.map(|bytes| self.frame(bytes)))
        }
    }
}
