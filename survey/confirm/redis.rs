//! redis 1.8.1: a first byte that begins no reply is dropped if it arrives alone, and an end inside
//! an array is taken for clean.

use bytes::BytesMut;
use redis::{Value, ValueCodec};
use tokio_util::codec::Decoder;

/// Returns the replies of these reads, or `None` for an error.
fn replies(reads: &[&[u8]]) -> Option<Vec<Value>> {
    let (mut codec, mut buffer) = (ValueCodec::default(), BytesMut::new());
    let mut replies = Vec::new();
    for read in reads {
        buffer.extend_from_slice(read);
        while let Some(reply) = codec.decode(&mut buffer).ok()? {
            replies.push(reply);
        }
    }
    codec
        .decode_eof(&mut buffer)
        .ok()?
        .is_none()
        .then_some(replies)
}

fn main() {
    assert_eq!(replies(&[b"?+OK\r\n"]), None);
    assert_eq!(replies(&[b"?", b"+OK\r\n"]), Some(vec![Value::Okay]));
    // An array of one element, without it.
    assert_eq!(replies(&[b"*1\r\n"]), Some(Vec::new()));
    println!("confirmed");
}
