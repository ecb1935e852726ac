//! A framer that reads from a `std::io::Read`.
//!
//! What to learn: `Harness::reader` takes a function that reads the next frame, and checks it with
//! reads that return `Interrupted` and `WouldBlock`. The buggy reader holds an incomplete frame in
//! local variables. With a read timeout, or on a non-blocking socket, `read_exact` returns
//! `WouldBlock`, and the bytes read so far are lost.
//!
//! Prints the violation of `interrupted`, and the certificate of the fixed reader. The violation is
//! on the smallest stream that shows it, `01`: the length is lost, so the stream that ends inside a
//! frame seems to end cleanly.
//! Run it with `cargo run --example blocking_reader`.

use std::io::{self, ErrorKind, Read};

use everysplit::subject::ChunkReader;
use everysplit::{Harness, Interruption, Property, Violation};

/// Two frames, each a length of one byte, then the body.
const STREAM: &[u8] = b"\x02ok\x05hello";

fn buggy(reader: &mut impl Read) -> Result<Option<Vec<u8>>, ErrorKind> {
    let mut length = [0];
    if read_some(reader, &mut length)? == 0 {
        return Ok(None);
    }
    // The bug: if this returns `WouldBlock`, the length and a part of the body are lost.
    let mut body = vec![0; length[0].into()];
    reader.read_exact(&mut body).map_err(|error| error.kind())?;
    Ok(Some(body))
}

/// Keeps what has been read of the next frame.
#[derive(Default)]
struct FrameReader {
    received: Vec<u8>,
}

impl FrameReader {
    fn next(&mut self, reader: &mut impl Read) -> Result<Option<Vec<u8>>, ErrorKind> {
        loop {
            let missing = match self.received.first() {
                None => 1,
                Some(&length) => 1 + usize::from(length) - self.received.len(),
            };
            if missing == 0 {
                let body = self.received.split_off(1);
                self.received.clear();
                return Ok(Some(body));
            }
            let mut buffer = [0; 256];
            match read_some(reader, &mut buffer[..missing])? {
                0 if self.received.is_empty() => return Ok(None),
                0 => return Err(ErrorKind::UnexpectedEof),
                read => self.received.extend(&buffer[..read]),
            }
        }
    }
}

/// Reads once, and again if a signal interrupts it.
fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
    loop {
        match reader.read(buffer).map_err(|error: io::Error| error.kind()) {
            Err(ErrorKind::Interrupted) => {}
            result => return result,
        }
    }
}

fn main() -> Result<(), Violation> {
    let harness = Harness::reader(|| |reader: &mut ChunkReader<'_>| buggy(reader));
    let violation = harness.check(STREAM).unwrap_err();
    println!("{violation}\n");
    assert_eq!(violation.property, Property::Interrupted);
    assert_eq!(violation.case.interruption, Interruption::WouldBlock);

    let harness = Harness::reader(|| {
        let mut frames = FrameReader::default();
        move |reader: &mut ChunkReader<'_>| frames.next(reader)
    });
    println!("{}", harness.check(STREAM)?);
    Ok(())
}
