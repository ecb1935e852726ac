//! Writes to stdout and stderr, which can be closed or full.

use std::io::{self, Write as _};

use crate::text::one_line;

/// Prints text and a newline to stdout.
///
/// # Errors
///
/// If stdout cannot take them. A closed pipe is no error: its reader has seen enough.
pub(crate) fn print_line(text: &str) -> Result<(), String> {
    write_all(format!("{text}\n").as_bytes())
}

/// Writes bytes to stdout, like [`print_line`].
pub(crate) fn write_all(bytes: &[u8]) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints a message to stderr as one line, if stderr can take it.
pub(crate) fn print_error(message: &str) {
    let _ = writeln!(io::stderr(), "everysplit: {}", one_line(message));
}
