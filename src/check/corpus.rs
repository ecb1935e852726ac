//! Streams that lie in files.

use std::path::Path;
use std::vec::Vec;
use std::{fs, io};

/// Reads the streams of a folder, such as a fuzzer's corpus: each file is one, in
/// the order of their names. What is no file is left out.
///
/// # Errors
///
/// When the folder or a file cannot be read.
pub fn corpus(folder: impl AsRef<Path>) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let files = paths.into_iter().filter(|path| path.is_file());
    files.map(fs::read).collect()
}
