//! The codec, used through tokio-util: under many splits, at the end of the stream, and on rejected
//! frames.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use everysplit::Split;
use everysplit::reference::{Codec, Config, DecodeError, EncodeError, Frame, FrameRef};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_stream::StreamExt;
use tokio_util::codec::{Decoder, Encoder, FramedRead};

/// A reader that returns a stream chunk by chunk, and is pending before each chunk.
struct Chunks {
    /// The remaining chunks, last first.
    chunks: Vec<Bytes>,
    pending: bool,
}

impl Chunks {
    fn new(stream: &[u8], split: &Split) -> Self {
        let mut chunks: Vec<Bytes> = split.chunks(stream).map(Bytes::copy_from_slice).collect();
        chunks.reverse();
        Self {
            chunks,
            pending: true,
        }
    }
}

impl AsyncRead for Chunks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.pending = !self.pending;
        if !self.pending {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(chunk) = self.chunks.pop() {
            buffer.put_slice(&chunk);
        }
        Poll::Ready(Ok(()))
    }
}

async fn read(stream: &[u8], split: &Split) -> (Vec<Frame>, Option<io::Error>) {
    let mut framed = FramedRead::new(Chunks::new(stream, split), Codec::new(Config::default()));
    let mut frames = Vec::new();
    while let Some(frame) = framed.next().await {
        match frame {
            Ok(frame) => frames.push(frame),
            Err(error) => return (frames, Some(error)),
        }
    }
    (frames, None)
}

fn frames() -> Vec<Frame> {
    let frame = |cmd, body| Frame {
        cmd,
        recv: 1,
        body: Bytes::from_static(body),
    };
    vec![frame(1, b"first"), frame(2, b""), frame(3, b"third")]
}

fn stream() -> BytesMut {
    let mut codec = Codec::new(Config::default());
    let mut stream = BytesMut::new();
    for frame in frames() {
        codec.encode(FrameRef::from(&frame), &mut stream).unwrap();
    }
    stream
}

#[tokio::test]
async fn frames_round_trip_under_every_single_cut() {
    let stream = stream();
    for split in Split::up_to(stream.len(), 1).chain([Split::bytes(stream.len())]) {
        let (read, error) = read(&stream, &split).await;
        assert_eq!(read, frames());
        assert!(error.is_none(), "{error:?}");
    }
}

/// A reader calls the decoder once more at the end of the stream, so the other tests would pass
/// even if a frame were emitted only then.
#[test]
fn a_frame_is_emitted_before_the_stream_ends() {
    let frame = Codec::new(Config::default()).decode(&mut stream());
    assert_eq!(frame.unwrap().as_ref(), frames().first());
}

#[tokio::test]
async fn an_end_inside_a_frame_is_unexpected_eof() {
    let stream = stream();
    let (read, error) = read(&stream[..stream.len() - 1], &Split::whole()).await;
    assert_eq!(read, frames()[..2]);
    let error = error.unwrap();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let inner = error.get_ref().unwrap().downcast_ref();
    let truncated = DecodeError::Truncated {
        offset: 29,
        received: 16,
        due: 17,
    };
    assert_eq!(inner, Some(&truncated));
}

#[tokio::test]
async fn an_oversized_header_is_invalid_data_after_the_frames_before_it() {
    let mut stream = stream();
    stream.extend_from_slice(&[0xff; 4]);
    for split in Split::up_to(stream.len(), 1) {
        let (read, error) = read(&stream, &split).await;
        assert_eq!(read, frames());
        assert_eq!(error.unwrap().kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn an_oversized_body_is_invalid_input_and_leaves_the_output_unchanged() {
    let config = Config {
        max_body_size: 2,
        ..Config::default()
    };
    let mut output = BytesMut::from("before");
    let [frame, ..] = &frames()[..] else { panic!() };
    let error = Codec::new(config)
        .encode(frame.clone(), &mut output)
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let inner = error.get_ref().unwrap().downcast_ref();
    let rejected = EncodeError::BodyTooLarge {
        body_size: 5,
        max_body_size: 2,
    };
    assert_eq!(inner, Some(&rejected));
    assert_eq!(output, "before");
}

/// Whole frames may still be in the buffer when the stream ends.
#[test]
fn the_end_of_a_stream_returns_the_frames_before_it() {
    let frame = |body: &'static [u8]| Frame {
        cmd: 7,
        recv: 0,
        body: body.into(),
    };
    let mut buffer = BytesMut::new();
    for body in [&b"one"[..], b""] {
        Encoder::encode(&mut codec(), frame(body), &mut buffer).unwrap();
    }
    buffer.extend_from_slice(b"\0\0");
    let mut codec = codec();
    for body in [&b"one"[..], b""] {
        assert_eq!(codec.decode_eof(&mut buffer).unwrap(), Some(frame(body)));
    }
    let error = codec.decode_eof(&mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

fn codec() -> Codec {
    Codec::new(Config::default())
}
