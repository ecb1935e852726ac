//! Loads the streams of a run: from files, folders, the command line and a format.

use std::fs;
use std::path::Path;

use crate::Error;
use crate::framing::Framing;
use crate::options::StreamOptions;

/// Maximum number of a stream's hexadecimal digits in its name.
const MAX_NAME_DIGITS: usize = 64;

/// A stream and its name in verdicts and reports.
pub(crate) struct NamedStream {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl NamedStream {
    pub(crate) fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            bytes,
        }
    }
}

/// Loads all streams. If a format is named, adds those that `generate` returns for it.
///
/// # Errors
///
/// If a file cannot be read or is empty, or if there is no stream at all.
pub(crate) fn load(
    options: &StreamOptions,
    generate: impl FnOnce(Framing) -> Vec<NamedStream>,
) -> Result<Vec<NamedStream>, Error> {
    let mut streams = Vec::new();
    for path in &options.files {
        streams.push(read_file(path)?);
    }
    for folder in &options.folders {
        streams.extend(read_folder(folder)?);
    }
    for bytes in &options.hex {
        streams.push(NamedStream::new(hex_name(bytes), bytes.clone()));
    }
    if let Some(framing) = options.framing {
        streams.extend(generate(framing));
    }
    if streams.is_empty() {
        return Err(
            "there is no stream to test; add one with --stream, --corpus or --hex, or add --framing"
                .into(),
        );
    }
    Ok(streams)
}

fn hex_name(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    match digits.get(..MAX_NAME_DIGITS) {
        Some(first) => format!("hex {first}... of {} bytes", bytes.len()),
        None => format!("hex {digits}"),
    }
}

/// Reads the files of a folder, in the order of their names.
fn read_folder(folder: &Path) -> Result<Vec<NamedStream>, Error> {
    let failed = |error| format!("cannot read the folder {}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(format!("the folder {} contains no files", folder.display()).into());
    }
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

fn read_file(path: &Path) -> Result<NamedStream, Error> {
    let file = path.display();
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read the stream {file}: {error}"))?;
    if bytes.is_empty() {
        return Err(format!("the stream {file} is empty; it needs at least one byte").into());
    }
    Ok(NamedStream::new(file.to_string(), bytes))
}
