//! Loads the streams of a run: from files, folders, the command line and a format.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use everysplit::Split;

use crate::Error;
use crate::capture::{self, Capture, CapturedStream, Sender};
use crate::framing::Framing;
use crate::options::StreamOptions;
use crate::output::print_error;
use crate::script::Script;
use crate::text::{count, one_line};

/// Returns the number of streams and a hash of them, in words.
pub(crate) fn identity(streams: &[NamedStream]) -> String {
    let mut hasher = DefaultHasher::new();
    for NamedStream { name, bytes, .. } in streams {
        (name, bytes).hash(&mut hasher);
    }
    let number = count(streams.len() as u64, "stream");
    format!("{number} with the hash {:016x}", hasher.finish())
}

/// Maximum number of a stream's hexadecimal digits in its name.
const MAX_NAME_DIGITS: usize = 64;

/// A stream and its name in verdicts and reports.
pub(crate) struct NamedStream {
    /// One line: the name of a file can contain anything.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The split in which it was captured.
    pub(crate) segments: Option<Split>,
    /// The conversation of which `bytes` is the concatenated sends.
    pub(crate) script: Option<Rc<Script>>,
}

impl NamedStream {
    pub(crate) fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: one_line(&name.into()).into_owned(),
            bytes,
            segments: None,
            script: None,
        }
    }

    /// Returns the sends of a script, before any value is captured.
    pub(crate) fn of_script(script: Script) -> Self {
        let mut stream = Self::new(script.name.clone(), script.template());
        stream.script = Some(Rc::new(script));
        stream
    }
}

/// Loads all streams; of a capture those that `sender` sent, if it is given. If a format is named,
/// adds those that `generate` returns for it.
///
/// # Errors
///
/// If a file cannot be read or is empty, or if there is no stream at all.
pub(crate) fn load(
    options: &StreamOptions,
    sender: Option<Sender>,
    generate: impl FnOnce(Framing) -> Vec<NamedStream>,
) -> Result<Vec<NamedStream>, Error> {
    let mut streams = Vec::new();
    for path in &options.files {
        streams.push(read_file(path)?);
    }
    for folder in &options.folders {
        streams.extend(read_folder(folder)?);
    }
    for path in &options.captures {
        streams.extend(read_capture(path, sender)?);
    }
    for bytes in &options.hex {
        streams.push(NamedStream::new(hex_name(bytes), bytes.clone()));
    }
    if let Some(framing) = options.framing {
        streams.extend(generate(framing));
    }
    if streams.is_empty() {
        return Err(
            "there is no stream to test; add one with --stream, --corpus, --pcap or --hex, or add --framing"
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
    let is_empty = |path: &&PathBuf| fs::metadata(path).is_ok_and(|file| file.len() == 0);
    let (empty, full): (Vec<_>, Vec<_>) = paths.iter().partition(is_empty);
    if full.is_empty() {
        return Err(format!("the folder {} contains only empty files", folder.display()).into());
    }
    for path in empty {
        let file = path.display();
        print_error(&format!("skipped the stream {file}: it is empty"));
    }
    full.into_iter().map(|path| read_file(path)).collect()
}

/// Reads the streams of a capture. Of equal ones, only the first is used.
fn read_capture(path: &Path, sender: Option<Sender>) -> Result<Vec<NamedStream>, Error> {
    let file = path.display();
    let Capture { streams, notes } = capture::read(path)?;
    for note in notes {
        print_error(&format!("{file}: {note}"));
    }
    let is_wanted = |stream: &CapturedStream| sender.is_none_or(|sender| stream.sender == sender);
    let mut seen = HashSet::new();
    let streams: Vec<_> = streams
        .into_iter()
        .filter(|stream| is_wanted(stream) && seen.insert(stream.bytes.clone()))
        .map(|stream| NamedStream {
            segments: Some(stream.segments.clone()),
            ..NamedStream::new(format!("{file} {stream}"), stream.bytes)
        })
        .collect();
    if streams.is_empty() {
        return Err(format!(
            "{file} has no stream of this direction; list all with: everysplit pcap {file}"
        )
        .into());
    }
    Ok(streams)
}

fn read_file(path: &Path) -> Result<NamedStream, Error> {
    let is_stdin = path == Path::new("-");
    let file = if is_stdin {
        "stdin".into()
    } else {
        path.display().to_string()
    };
    let bytes = if is_stdin {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|error| format!("cannot read the stream {file}: {error}"))?;
    if bytes.is_empty() {
        return Err(format!("the stream {file} is empty; it needs at least one byte").into());
    }
    if is_capture(&bytes) {
        return Err(format!(
            "the stream {file} is a capture with packets of all connections; use --pcap {file} for the streams in it"
        )
        .into());
    }
    Ok(NamedStream::new(file, bytes))
}

/// Returns whether a file is a capture: pcap with a version of its own, or pcapng.
fn is_capture(bytes: &[u8]) -> bool {
    let is_pcap = match bytes {
        [0xa1, 0xb2, 0xc3 | 0x3c, 0xd4 | 0x4d, version @ ..] => version.starts_with(&[0, 2, 0, 4]),
        [0xd4 | 0x4d, 0xc3 | 0x3c, 0xb2, 0xa1, version @ ..] => version.starts_with(&[2, 0, 4, 0]),
        _ => false,
    };
    let order = bytes.get(8..12);
    let is_ordered = order == Some(b"\x1a\x2b\x3c\x4d") || order == Some(b"\x4d\x3c\x2b\x1a");
    is_pcap || bytes.starts_with(b"\n\r\r\n") && is_ordered
}
