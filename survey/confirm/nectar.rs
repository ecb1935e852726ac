//! nectar 0.4.0: a line that arrives in two reads has its beginning twice.

use bytes::BytesMut;
use nectar::TelnetCodec;
use tokio_util::codec::Decoder;

/// Returns the events of these reads, in the loop of `Framed`.
fn events(reads: &[&[u8]]) -> Vec<String> {
    let (mut codec, mut buffer, mut events) = (TelnetCodec::new(64), BytesMut::new(), Vec::new());
    for read in reads {
        buffer.extend_from_slice(read);
        while let Some(event) = codec.decode(&mut buffer).unwrap() {
            events.push(format!("{event:?}"));
        }
    }
    events
}

fn main() {
    assert_eq!(events(&[b"hello\r\n"]), [r#"Message("hello")"#]);
    assert_eq!(events(&[b"hel", b"lo\r\n"]), [r#"Message("helhello")"#]);
    assert_eq!(events(&[b"hello\r", b"\n"]), [r#"Message("hello\rhello")"#]);
    println!("confirmed");
}
