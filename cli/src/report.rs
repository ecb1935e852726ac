//! The results of a run: a recorder builds the model, and writers print it to the terminal and to
//! files.

pub(crate) mod file;
mod html;
mod json;
mod junit;
mod known;
pub(crate) mod merge;
mod model;
mod plain;
mod recorder;
mod terminal;

pub(crate) use model::RunResult;
pub(crate) use plain::PlainReport;
pub(crate) use recorder::{Ending, Recorder, ResultSoFar};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use everysplit::Violation;
use terminal::Terminal;

use crate::Error;
use crate::options::ReportOptions;
use crate::output::print_error;

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
fn check_files(files: &[PathBuf]) -> Result<(), Error> {
    for path in files {
        ReportFormat::of(path)?;
        file::check(path)
            .map_err(|error| format!("cannot write the report {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Checks that streams can be written to a folder, and creates it.
fn check_folder(folder: &Path) -> Result<(), Error> {
    let checked = fs::create_dir_all(folder);
    let checked = checked.and_then(|()| file::check(&folder.join(".everysplit.tmp")));
    checked.map_err(|error| cannot_save(folder, &error).into())
}

fn cannot_save(folder: &Path, error: &io::Error) -> String {
    format!("cannot write a stream to {}: {error}", folder.display())
}

/// Writes a result: prints it, and writes the report files. Returns whether everything held.
///
/// # Errors
///
/// If there is no violation, and the run was stopped, or something cannot be written. What cannot
/// be written beside a violation is printed.
pub(crate) fn write(
    result: &RunResult,
    terminal: &ResultSoFar,
    options: &ReportOptions,
) -> Result<bool, Error> {
    write_result(result, &terminal.terminal, options)
}

fn write_result(
    result: &RunResult,
    terminal: &Terminal,
    options: &ReportOptions,
) -> Result<bool, Error> {
    terminal.finish();
    terminal.print_result(result);
    let mut errors = Vec::from_iter(terminal.failure());
    for path in &options.files {
        if let Err(error) = write_file(path, result) {
            errors.push(format!(
                "cannot write the report {}: {error}",
                path.display()
            ));
        }
    }
    if let Some(folder) = &options.save
        && let Err(error) = save_streams(folder, result)
    {
        errors.push(cannot_save(folder, &error));
    }
    if result.is_violated() {
        // The reason of an early end is in the summary.
        for error in &errors {
            print_error(error);
        }
        return Ok(false);
    }
    let reasons: Vec<_> = result.reasons().cloned().chain(errors).collect();
    if reasons.is_empty() {
        Ok(true)
    } else {
        Err(reasons.join("; ").into())
    }
}

fn write_file(path: &Path, result: &RunResult) -> Result<(), Error> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => html::page(result),
        ReportFormat::Json => json::object(result)?,
        ReportFormat::Junit => junit::suite(result)?,
    };
    Ok(file::replace(path, text.as_bytes())?)
}

/// Writes the stream of each violation to a file of a folder.
fn save_streams(folder: &Path, result: &RunResult) -> io::Result<()> {
    for counterexample in result.counterexamples() {
        let Violation { property, case, .. } = &counterexample.violation;
        // Equal streams have one file.
        let hash = case
            .stream
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}-{hash:016x}", property.name()));
        file::replace(&path, &case.stream)?;
    }
    Ok(())
}
