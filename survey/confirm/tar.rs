//! tar 0.4.46: a read of a header that is interrupted by a signal fails, as it is not repeated.

use std::io::{self, ErrorKind, Read};

/// Is interrupted once, as a read is in which a signal arrives.
struct Interrupted<R>(R, bool);

impl<R: Read> Read for Interrupted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.1, true) {
            return self.0.read(buffer);
        }
        Err(ErrorKind::Interrupted.into())
    }
}

fn main() {
    let end = [0; 1024];
    // What the standard library does.
    let mut bytes = Vec::new();
    assert_eq!(
        Interrupted(&end[..], false)
            .read_to_end(&mut bytes)
            .unwrap(),
        1024
    );
    let mut archive = tar::Archive::new(Interrupted(&end[..], false));
    let error = archive.entries().unwrap().next().unwrap().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    println!("confirmed");
}
