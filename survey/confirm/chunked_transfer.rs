//! `chunked_transfer` 1.5.0: a body that ends inside a chunk is taken for whole, and a read that is
//! interrupted after the size of a chunk loses the size.

use std::io::{self, ErrorKind, Read};

use chunked_transfer::Decoder;

/// Is interrupted once, after the first bytes, as a read is in which a signal arrives.
struct Interrupted<'a>(&'a [u8], &'a [u8], bool);

impl Read for Interrupted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 if std::mem::replace(&mut self.2, true) => self.1.read(buffer),
            0 => Err(ErrorKind::Interrupted.into()),
            read => Ok(read),
        }
    }
}

/// Returns the body that a reader gets.
fn body(stream: impl Read) -> io::Result<String> {
    let mut body = String::new();
    Decoder::new(stream).read_to_string(&mut body)?;
    Ok(body)
}

fn main() {
    assert_eq!(body(&b"3\r\nabc\r\n0\r\n\r\n"[..]).unwrap(), "abc");
    assert_eq!(body(&b"3\r\nab"[..]).unwrap(), "ab");
    // `read_to_string` repeats a read that was interrupted.
    // The text of the chunk is then taken for a size, and what follows for the text.
    let interrupted = Interrupted(b"3\r\n", b"abc\r\n0\r\n\r\n", false);
    assert_eq!(body(interrupted).unwrap(), "0\r\n\r\n");
    println!("confirmed");
}
