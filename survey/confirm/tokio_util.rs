//! tokio-util 0.7.20: a stream that ends right after a length is taken for a clean end.

use bytes::BytesMut;
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

/// Returns whether the end of a stream is an error, in the loop of `FramedRead`.
fn is_reported(stream: &[u8]) -> bool {
    let (mut codec, mut buffer) = (LengthDelimitedCodec::new(), BytesMut::from(stream));
    assert!(codec.decode(&mut buffer).unwrap().is_none());
    codec.decode_eof(&mut buffer).is_err()
}

fn main() {
    // A frame of 5 bytes is announced, and none, one or three bytes of the length have arrived.
    assert!(is_reported(b"\0\0\0"));
    assert!(is_reported(b"\0\0\0\x05h"));
    assert!(!is_reported(b"\0\0\0\x05"));
    println!("confirmed");
}
