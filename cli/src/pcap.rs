//! `everysplit pcap`: lists the TCP streams of a capture, and saves them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Error;
use crate::capture::{self, Capture, CapturedStream, Sender};
use crate::options::PcapOptions;
use crate::output::{print_error, print_line};
use crate::text::{count, one_line};

/// Lists the streams of a capture, and saves them if a folder is given.
pub(crate) fn run(options: &PcapOptions) -> Result<(), Error> {
    let Capture { streams, notes } = capture::read(&options.file)?;
    for stream in &streams {
        let saved = match &options.save {
            Some(folder) => format!("; saved as {}", save(stream, folder)?),
            None => String::new(),
        };
        print_line(&one_line(&format!("{}{saved}", line(stream))))?;
    }
    for note in notes {
        print_error(&format!("{}: {note}", options.file.display()));
    }
    Ok(())
}

/// Describes a stream.
fn line(stream: &CapturedStream) -> String {
    let sender = match stream.sender {
        Sender::Client => "client",
        Sender::Server => "server",
    };
    let bytes = count(stream.bytes.len() as u64, "byte");
    let segments = count(stream.segments.cuts().len() as u64 + 1, "segment");
    let mut line = format!("{stream} ({sender}): {bytes} in {segments}");
    let order = &stream.order;
    for (number, what) in [
        (order.retransmitted, "retransmitted"),
        (order.late, "out of order"),
        (order.contradicting, "retransmitted with other bytes"),
    ] {
        if number > 0 {
            let _ = write!(line, ", {number} {what}");
        }
    }
    line
}

/// Writes a stream to a file of a folder. Returns the file's path.
fn save(stream: &CapturedStream, folder: &Path) -> Result<String, Error> {
    let sender = match stream.sender {
        Sender::Client => "client",
        Sender::Server => "server",
    };
    let path = folder.join(format!("{:04}-{sender}", stream.connection));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, &stream.bytes))
        .map_err(|error| format!("cannot write the stream {}: {error}", path.display()))?;
    Ok(path.display().to_string())
}
