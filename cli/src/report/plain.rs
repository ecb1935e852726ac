//! The report files of a run that prints its result itself.

use std::path::PathBuf;

use everysplit::Property;

use super::model::{RunResult, Verdict};
use super::recorder::{Ending, command_line};
use super::{check_files, write_file};
use crate::Error;
use crate::options::ProxyOptions;

/// A result whose streams are the runs of a test command.
pub(crate) struct PlainReport {
    result: RunResult,
    files: Vec<PathBuf>,
}

impl PlainReport {
    /// Starts a report.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, or has no known format.
    pub(crate) fn start(options: &ProxyOptions) -> Result<Self, Error> {
        check_files(&options.report)?;
        Ok(Self {
            result: RunResult {
                command: command_line(),
                title: options.into(),
                run: options.run_line(),
                shard: options.shard,
                ..RunResult::default()
            },
            files: options.report.clone(),
        })
    }

    /// Records a run that passed, and its number of bytes.
    pub(crate) fn passed(&mut self, name: &str, bytes: u64, cuts: &str) {
        self.result.held.push(Property::EverySplit);
        self.add(name, bytes, Verdict::Held(format!("{cuts}: passed")));
    }

    /// Records a run that shows nothing, with the reason.
    pub(crate) fn not_checked(&mut self, name: &str, bytes: u64, reason: &str) {
        self.add(name, bytes, Verdict::NotChecked(reason.into()));
    }

    /// Warns of something that makes the result say less than it seems to.
    pub(crate) fn warn(&mut self, warning: String) {
        self.result.warnings.push(warning);
    }

    /// Records a run that fails because of its cuts, with the text that says so.
    pub(crate) fn failed(&mut self, name: &str, bytes: u64, text: &str) {
        self.add(name, bytes, Verdict::Failed(text.into()));
    }

    fn add(&mut self, name: &str, bytes: u64, verdict: Verdict) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.result.add(name, bytes, verdict);
    }

    /// Writes the files.
    pub(crate) fn write(&mut self, ending: Ending) -> Result<(), Error> {
        self.result.end(ending);
        for path in &self.files {
            write_file(path, &self.result)
                .map_err(|error| format!("cannot write the report {}: {error}", path.display()))?;
        }
        Ok(())
    }
}
