//! The reference framer as a tokio-util codec. It only converts the errors to [`io::Error`].

use std::io;

use bytes::BytesMut;
use tokio_util::codec;

use super::decoder::Decoder;
use super::error::{DecodeError, EncodeError};
use super::frame::{Config, Frame, FrameRef};

/// A codec for tokio-util's `Framed`, `FramedRead` and `FramedWrite`.
///
/// Its errors are [`io::Error`]s, and [`io::Error::get_ref`] returns the error inside:
///
/// | error inside | kind |
/// |---|---|
/// | [`DecodeError::BodyTooLarge`] | `InvalidData` |
/// | [`DecodeError::Truncated`] | `UnexpectedEof` |
/// | [`EncodeError`] | `InvalidInput` |
///
/// It encodes both [`Frame`] and [`FrameRef`]. Where the compiler cannot infer which one, as in a
/// call of `flush`, write `SinkExt::<Frame>::flush(&mut framed)`.
///
/// ```
/// use bytes::Bytes;
/// use everysplit::reference::{Codec, Config, Frame};
/// use tokio_stream::StreamExt;
/// use tokio_util::codec::FramedRead;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let socket = &b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok"[..];
/// let mut frames = FramedRead::new(socket, Codec::new(Config::default()));
/// while let Some(frame) = frames.next().await {
///     assert_eq!(frame?, Frame { cmd: 7, recv: 0, body: Bytes::from("ok") });
/// }
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    config: Config,
    decoder: Decoder,
}

impl Codec {
    /// Creates a codec at the beginning of a stream, for both directions.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            decoder: Decoder::new(config),
        }
    }
}

impl codec::Decoder for Codec {
    type Item = Frame;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Frame>> {
        Ok(self.decoder.decode(buffer)?)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Frame>> {
        Ok(self.decoder.decode_eof(buffer)?)
    }
}

impl codec::Encoder<FrameRef<'_>> for Codec {
    type Error = io::Error;

    fn encode(&mut self, frame: FrameRef<'_>, dst: &mut BytesMut) -> io::Result<()> {
        Ok(self.config.encode(frame, dst)?)
    }
}

impl codec::Encoder<Frame> for Codec {
    type Error = io::Error;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> io::Result<()> {
        Ok(self.config.encode(&frame, dst)?)
    }
}

impl From<DecodeError> for io::Error {
    fn from(error: DecodeError) -> Self {
        let kind = match error {
            DecodeError::BodyTooLarge { .. } => io::ErrorKind::InvalidData,
            DecodeError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
        };
        Self::new(kind, error)
    }
}

impl From<EncodeError> for io::Error {
    fn from(error: EncodeError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}
