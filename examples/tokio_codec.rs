//! A tokio-util codec with a size limit.
//!
//! What to learn: `Harness::codec` takes a codec, and `size_limit` adds messages around the limit.
//! The buggy codec checks the limit when the body has arrived, so a header that claims 65 535 bytes
//! makes it buffer all of them. The fixed one rejects the frame as soon as its length is known.
//!
//! Prints the violation of `limit`, and the certificate of the longest stream of the fixed codec.
//! Run it with `cargo run --features tokio --example tokio_codec`.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use everysplit::subject::AnyError;
use everysplit::{Certificate, Harness, Property, Tier, Violation};
use tokio_util::codec::{Decoder, Encoder};

const MAX_BODY: usize = 8;

/// A length of two bytes, then the body.
#[derive(Clone, PartialEq, Eq)]
struct MyCodec {
    check: LimitCheck,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LimitCheck {
    /// The bug.
    AfterBody,
    AfterLength,
}

impl Decoder for MyCodec {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let Some(&[high, low]) = buffer.first_chunk() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let complete = buffer.len() >= 2 + length;
        if length > MAX_BODY && (complete || self.check == LimitCheck::AfterLength) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if !complete {
            return Ok(None);
        }
        buffer.advance(2);
        Ok(Some(buffer.split_to(length).freeze()))
    }
}

impl Encoder<Bytes> for MyCodec {
    type Error = io::Error;

    fn encode(&mut self, body: Bytes, output: &mut BytesMut) -> io::Result<()> {
        output.put_u16(body.len().try_into().map_err(io::Error::other)?);
        output.extend(body);
        Ok(())
    }
}

/// Checks all streams. Returns the certificate of the longest.
fn check(check: LimitCheck) -> Result<Option<Certificate>, Violation> {
    let harness = Harness::codec(move || MyCodec { check })
        .messages(["hello", "", "world"])
        // The first two bytes of a frame decide whether it is over the limit.
        .size_limit(MAX_BODY, |size| vec![b'x'; size].into(), 2, AnyError::ANY);
    let mut certificates = Vec::new();
    for stream in harness.all_streams() {
        certificates.push(harness.check(&stream)?);
    }
    Ok(certificates.into_iter().max_by_key(|it| it.bytes))
}

fn main() -> Result<(), Violation> {
    let violation = check(LimitCheck::AfterBody).unwrap_err();
    println!("{violation}\n");
    assert_eq!(violation.property, Property::Limit);
    assert_eq!(violation.case.to_string(), "0009@whole");

    let certificate = check(LimitCheck::AfterLength)?.unwrap();
    println!("{certificate}");
    assert!(matches!(certificate.tier, Tier::Proved { .. }));
    Ok(())
}
