//! The results of a run: a recorder builds the model, and writers print it to the terminal and to
//! files.

mod html;
mod json;
mod junit;
mod known;
mod model;
mod recorder;
mod terminal;

pub(crate) use recorder::{Ending, Recorder};
pub(crate) use terminal::print_line;

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::Error;
use crate::options::ReportOptions;
use model::{RunResult, Status};

/// The command's name and version.
const TOOL: &str = concat!("everysplit ", env!("CARGO_PKG_VERSION"));

/// The longest token or command line that a report for people shows, in bytes.
const MAX_SHOWN: usize = 4000;

/// The format of a report file.
#[derive(Clone, Copy, Debug)]
enum ReportFormat {
    Html,
    Json,
    Junit,
}

impl ReportFormat {
    /// Returns the format that a file's extension names.
    fn of(path: &Path) -> Result<Self, Error> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => Ok(Self::Html),
            Some("json") => Ok(Self::Json),
            Some("xml") => Ok(Self::Junit),
            _ => Err(format!(
                "unknown report format of {}: the file name must end with .html, .json or .xml",
                path.display()
            )
            .into()),
        }
    }
}

/// Checks that the report files have known formats and can be written.
fn check_files(options: &ReportOptions) -> Result<(), Error> {
    for path in &options.files {
        ReportFormat::of(path)?;
        check_writable(path)
            .map_err(|error| format!("cannot write the report {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Opens a file for writing, and leaves it unchanged.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    let new = !path.exists();
    OpenOptions::new().append(true).create(true).open(path)?;
    if new {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Prints a result and writes the report files. Returns whether everything held.
///
/// # Errors
///
/// If a file cannot be written, or if the run was stopped without a violation.
pub(crate) fn write(result: &RunResult, options: &ReportOptions) -> Result<bool, Error> {
    terminal::print(result);
    for path in &options.files {
        let text = match ReportFormat::of(path)? {
            ReportFormat::Html => html::page(result),
            ReportFormat::Json => json::object(result)?,
            ReportFormat::Junit => junit::suite(result)?,
        };
        fs::write(path, text)
            .map_err(|error| format!("cannot write the report {}: {error}", path.display()))?;
    }
    match (result.status(), &result.stopped) {
        (Status::Held, _) => Ok(true),
        (Status::Stopped, Some(reason)) => Err(reason.clone().into()),
        (Status::Violated | Status::Stopped, _) => Ok(false),
    }
}
