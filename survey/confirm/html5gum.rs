//! html5gum 0.9.0: a read that is interrupted by a signal is not repeated, and the text before it is
//! lost.

use std::io::{self, ErrorKind, Read};

use html5gum::{IoReader, Tokenizer};

/// Is interrupted once after the text, as a read is in which a signal arrives.
struct Interrupted<'a>(&'a [u8], bool);

impl Read for Interrupted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 if !std::mem::replace(&mut self.1, true) => Err(ErrorKind::Interrupted.into()),
            read => Ok(read),
        }
    }
}

fn main() {
    let tokens = |read| Tokenizer::new(IoReader::new(read)).flatten().count();
    assert_eq!(tokens(Interrupted(b"hi", true)), 1);
    // Although the caller goes on after the error.
    assert_eq!(tokens(Interrupted(b"hi", false)), 0);
    println!("confirmed");
}
