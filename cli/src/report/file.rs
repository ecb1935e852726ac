//! Report files: each is replaced as a whole, so that a full disk leaves the old one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

/// Checks that a file can be written, and leaves it unchanged.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    if is_special(path) {
        // To open a pipe waits for its reader.
        return Ok(());
    }
    match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map(drop),
    }
    match File::create_new(path) {
        Ok(_) => fs::remove_file(path),
        // Another run checks the same file, and removes it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a file beside the path, and renames it.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    if is_special(path) {
        return fs::write(path, contents);
    }
    // A link stays a link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    match create_beside(&path) {
        Ok((new, mut file)) => {
            let written = keep_permissions(&path, &file)
                .and_then(|()| file.write_all(contents))
                .and_then(|()| fs::rename(&new, &path));
            if written.is_err() {
                let _ = fs::remove_file(&new);
            }
            written
        }
        // The file can be writable in a folder that is not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => fs::write(&path, contents),
        Err(error) => Err(error),
    }
}

/// Creates a file in the folder of another. An earlier process may have left one.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0;
    loop {
        let new = path.with_file_name(format!(".everysplit-{}-{number}.tmp", process::id()));
        match File::create_new(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            created => return created.map(|file| (new, file)),
        }
    }
}

/// Returns whether a path is a pipe or a device, which cannot be replaced.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Gives a new file the permissions of the one that it replaces.
fn keep_permissions(path: &Path, new: &File) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) => new.set_permissions(metadata.permissions()),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs that start at the same time have the same default file.
    #[test]
    fn a_file_can_be_checked_by_several_at_once() {
        let name = format!("everysplit-check-{}", process::id());
        let path = std::env::temp_dir().join(name);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..2000).for_each(|_| check(&path).unwrap()));
            }
        });
        assert!(!path.exists());
    }
}
