//! The streams that are asked of. It runs nothing.

use std::fs;
use std::path::Path;

use crate::Cannot;
use crate::args::Streams;
use crate::format::Format;

/// How many digits of a stream are part of its name.
const LONG: usize = 64;

/// A stream and what to call it.
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let name = name.into();
        Self { name, bytes }
    }
}

/// Gathers the streams of the command line, with those that `make` makes of a format.
pub(crate) fn gather(
    streams: &Streams,
    make: impl FnOnce(Format) -> Vec<Stream>,
) -> Result<Vec<Stream>, Cannot> {
    let mut gathered = Vec::new();
    for path in &streams.stream {
        gathered.push(read(path)?);
    }
    for folder in &streams.corpus {
        let cannot = |error| format!("cannot read the folder {}: {error}", folder.display());
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(cannot)? {
            let path = entry.map_err(cannot)?.path();
            if path.is_file() {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(format!("the folder {} holds no stream", folder.display()).into());
        }
        paths.sort();
        for path in paths {
            gathered.push(read(&path)?);
        }
    }
    for text in &streams.hex {
        let text: String = text.split_whitespace().collect();
        let bytes = hex::decode(&text)
            .map_err(|error| format!("{text:?} is no stream: {error}; write two digits a byte"))?;
        let name = match text.get(..LONG) {
            Some(begun) => format!("hex {begun}... of {} bytes", bytes.len()),
            None => format!("hex {text}"),
        };
        gathered.push(Stream::new(name, bytes));
    }
    if let Some(format) = Format::of(streams) {
        gathered.extend(make(format));
    }
    if gathered.is_empty() {
        return Err(
            "there is no stream: give one with --stream, --corpus or --hex, or name a --framing"
                .into(),
        );
    }
    Ok(gathered)
}

fn read(path: &Path) -> Result<Stream, Cannot> {
    let file = path.display();
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read the stream {file}: {error}"))?;
    if bytes.is_empty() {
        return Err(format!("the stream {file} is empty: give it some bytes").into());
    }
    Ok(Stream::new(file.to_string(), bytes))
}
