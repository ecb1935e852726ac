//! The reference framer as a codec of tokio-util's. It is the decoder and the
//! encoder under other names and adds nothing but their error type.

use std::io;

use bytes::BytesMut;
use tokio_util::codec;

use super::decoder::Decoder;
use super::error::{DecodeError, EncodeError};
use super::frame::{Config, Frame, FrameRef};

/// Frames over an `AsyncRead` and an `AsyncWrite`, with tokio-util's `Framed`,
/// `FramedRead` and `FramedWrite`.
///
/// Its errors are [`io::Error`]s. One that holds a [`DecodeError`] is of the
/// kind `InvalidData`, or `UnexpectedEof` for [`DecodeError::Truncated`], one
/// that holds an [`EncodeError`] of the kind `InvalidInput`;
/// [`io::Error::get_ref`] gives the error within.
///
/// It encodes [`Frame`] and [`FrameRef`]: where a method of `Framed` does not say
/// which, such as `flush`, write `SinkExt::<Frame>::flush(&mut framed)`.
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
/// let frame = frames.next().await.unwrap()?;
/// assert_eq!(frame, Frame { cmd: 7, recv: 0, body: Bytes::from("ok") });
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    config: Config,
    decoder: Decoder,
}

impl Codec {
    /// Starts at the beginning of a stream, in both directions.
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
