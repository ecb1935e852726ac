//! A framer that reads from a `tokio::io::AsyncRead`, and whose futures are dropped.
//!
//! What to learn: `Harness::async_reader` takes an async function that reads the next frame, and
//! drops its future whenever a read is pending, as `select!` and timeouts do. The buggy reader
//! loses what the dropped future had read, as it holds it in local variables and `read_exact` is
//! not cancel safe. The fixed one keeps all bytes in its own buffer, and `read_buf` is cancel safe.
//!
//! Prints the violation of `cancelled`, and the certificate of the fixed reader. The violation is
//! on the smallest stream that shows it, `01`: the length is lost, so the stream that ends inside
//! a frame seems to end cleanly.
//! Run it with `cargo run --features tokio --example async_reader`.

use std::io::ErrorKind;

use bytes::{Buf, Bytes, BytesMut};
use everysplit::subject::AsyncChunkReader;
use everysplit::{Harness, Property, Violation};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Two frames, each a length of one byte, then the body.
const STREAM: &[u8] = b"\x02ok\x05hello";

async fn buggy(reader: &mut (impl AsyncRead + Unpin)) -> Result<Option<Bytes>, ErrorKind> {
    let Ok(length) = reader.read_u8().await else {
        return Ok(None);
    };
    let mut body = vec![0; length.into()];
    // The bug: if the future is dropped here, the length and a part of the body are lost.
    match reader.read_exact(&mut body).await {
        Ok(_) => Ok(Some(body.into())),
        Err(error) => Err(error.kind()),
    }
}

/// Keeps what has been read and not yet returned.
#[derive(Default)]
struct FrameReader {
    buffer: BytesMut,
}

impl FrameReader {
    async fn next(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<Bytes>, ErrorKind> {
        loop {
            if let Some(&length) = self.buffer.first()
                && self.buffer.len() > length.into()
            {
                self.buffer.advance(1);
                return Ok(Some(self.buffer.split_to(length.into()).freeze()));
            }
            match reader.read_buf(&mut self.buffer).await {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => return Err(ErrorKind::UnexpectedEof),
                Ok(_) => {}
                Err(error) => return Err(error.kind()),
            }
        }
    }
}

fn main() -> Result<(), Violation> {
    let harness =
        Harness::async_reader(|| async |reader: &mut AsyncChunkReader<'_, '_>| buggy(reader).await);
    let violation = harness.check(STREAM).unwrap_err();
    println!("{violation}\n");
    assert_eq!(violation.property, Property::Cancelled);

    let harness = Harness::async_reader(|| {
        let mut frames = FrameReader::default();
        async move |reader: &mut AsyncChunkReader<'_, '_>| frames.next(reader).await
    });
    println!("{}", harness.check(STREAM)?);
    Ok(())
}
