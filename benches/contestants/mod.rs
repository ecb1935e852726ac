//! The measured code: the reference framer's decoders and encoders, tokio-util's codec
//! configured for the same header, and `memcpy`. A run handles one stream. Buffers are kept
//! between runs, as on a connection that has been open for a while.
#![allow(unreachable_pub, reason = "each bench is a crate of its own")]

use std::hint::black_box;

use bytes::BytesMut;
use everysplit::reference::{Config, Decoder, FrameRef, Framer, Walk};
use tokio_util::codec::{Decoder as _, Encoder as _, LengthDelimitedCodec};

/// Sizes of the bodies, in bytes.
pub const SIZES: [usize; 7] = [0, 16, 64, 256, 1024, 16 << 10, 256 << 10];

/// Bytes in one read.
const READ: usize = 16 << 10;

/// A stream of frames that all have the same size.
pub struct Stream {
    pub frames: u32,
    pub bytes: Vec<u8>,
    body: Vec<u8>,
    /// The peer's message: cmd, recv and body in one slice.
    peer_item: Vec<u8>,
}

impl Stream {
    /// Returns a stream of at least two reads and at least four frames. Streams of small
    /// frames fit into the first-level cache, so that memory does not limit the speed.
    pub fn new(body_size: usize) -> Self {
        let body = vec![b'x'; body_size];
        let frame = FrameRef {
            cmd: 1,
            recv: 0,
            body: &body,
        };
        let mut bytes = BytesMut::new();
        let mut frames = 0;
        while frames < 4 || bytes.len() < 2 * READ {
            Config::default().encode(frame, &mut bytes).unwrap();
            frames += 1;
        }
        Self {
            frames,
            peer_item: bytes[4..12 + body_size].to_vec(),
            bytes: bytes.to_vec(),
            body,
        }
    }

    fn reads(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks(READ)
    }
}

/// A name, and a function that handles the stream once.
pub type Contestant<'a> = (&'static str, Box<dyn FnMut() + 'a>);

/// Returns the decoders, the peer first.
pub fn decoders(stream: &Stream) -> [Contestant<'_>; 5] {
    [
        ("tokio-util", peer_decode(stream)),
        ("decode", decode(stream)),
        ("feed", feed(stream)),
        ("walk", walk(stream)),
        ("memcpy", memcpy(stream)),
    ]
}

/// Returns the encoders, the peer first.
pub fn encoders(stream: &Stream) -> [Contestant<'_>; 3] {
    [
        ("tokio-util", peer_encode(stream)),
        ("encode", encode(stream)),
        ("encode_header", encode_header(stream)),
    ]
}

/// Returns tokio-util's codec for the same header. Its frames are cmd, recv and body.
pub fn peer() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .little_endian()
        .length_field_length(4)
        .length_adjustment(8)
        .max_frame_length(Config::default().max_body_size as usize)
        .new_codec()
}

fn peer_decode(stream: &Stream) -> Box<dyn FnMut() + '_> {
    let (mut codec, mut buffer) = (peer(), BytesMut::with_capacity(READ));
    Box::new(move || {
        for read in stream.reads() {
            buffer.extend_from_slice(read);
            while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                black_box(frame);
            }
        }
    })
}

fn decode(stream: &Stream) -> Box<dyn FnMut() + '_> {
    let mut decoder = Decoder::new(Config::default());
    let mut buffer = BytesMut::with_capacity(READ);
    Box::new(move || {
        for read in stream.reads() {
            buffer.extend_from_slice(read);
            while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
                black_box(frame);
            }
        }
    })
}

fn feed(stream: &Stream) -> Box<dyn FnMut() + '_> {
    let (mut framer, mut frames) = (Framer::new(Config::default()), Vec::new());
    Box::new(move || {
        for read in stream.reads() {
            framer.feed(read, &mut frames).unwrap();
            frames.drain(..).for_each(|frame| drop(black_box(frame)));
        }
    })
}

fn walk(stream: &Stream) -> Box<dyn FnMut() + '_> {
    Box::new(|| {
        let mut walk = Walk::new(Config::default(), &stream.bytes);
        while let Some(frame) = walk.next_frame().unwrap() {
            black_box(frame);
        }
    })
}

/// Copies the stream: the minimum work of a decoder that keeps the bytes.
fn memcpy(stream: &Stream) -> Box<dyn FnMut() + '_> {
    let mut copy = stream.bytes.clone();
    Box::new(move || black_box(&mut copy).copy_from_slice(black_box(&stream.bytes)))
}

fn peer_encode(stream: &Stream) -> Box<dyn FnMut() + '_> {
    let mut codec = peer();
    encode_each(stream, move |output| {
        codec
            .encode(black_box(&stream.peer_item[..]), output)
            .unwrap();
    })
}

fn encode(stream: &Stream) -> Box<dyn FnMut() + '_> {
    encode_each(stream, |output| {
        let (cmd, recv, body) = (1, 0, black_box(&stream.body[..]));
        let frame = FrameRef { cmd, recv, body };
        Config::default().encode(frame, output).unwrap();
    })
}

/// Encodes only the header, for a body that is sent from its own buffer.
fn encode_header(stream: &Stream) -> Box<dyn FnMut() + '_> {
    encode_each(stream, |output| {
        let body = black_box(&stream.body[..]);
        let header = Config::default().encode_header(1, 0, body.len()).unwrap();
        output.extend_from_slice(&header);
    })
}

fn encode_each<'a>(
    stream: &'a Stream,
    mut encode: impl FnMut(&mut BytesMut) + 'a,
) -> Box<dyn FnMut() + 'a> {
    let mut output = BytesMut::with_capacity(stream.bytes.len());
    Box::new(move || {
        output.clear();
        for _ in 0..stream.frames {
            encode(&mut output);
        }
        black_box(&output);
    })
}
