//! Records the verdicts of a run as they come, and shows them on the terminal.

use std::env;
use std::ffi::OsString;

use everysplit::{Property, SplitMap, Violation};

use super::check_files;
use super::known::KnownViolations;
use super::model::{Counterexample, RunResult, StreamResult, Verdict};
use super::terminal::Progress;
use crate::Error;
use crate::options::{ReportOptions, Tested, shell_line};

/// Builds the result of a run.
pub(crate) struct Recorder {
    result: RunResult,
    /// The properties that are checked on the next stream.
    checked: Vec<Property>,
    known: KnownViolations,
    /// What is under test, to write replay lines.
    tested: Tested,
    progress: Progress,
}

/// How a run ended.
pub(crate) struct Ending {
    /// What was done, in a line.
    pub(crate) covered: String,
    /// Why it stopped early, if it did.
    pub(crate) stopped: Option<String>,
}

impl Recorder {
    /// Starts recording.
    ///
    /// # Errors
    ///
    /// If the known violations cannot be read or a report file cannot be written.
    pub(crate) fn start(options: &ReportOptions, tested: &Tested) -> Result<Self, Error> {
        check_files(options)?;
        let known = options.known.as_deref().map(KnownViolations::read);
        Ok(Self {
            result: RunResult {
                command: command_line(),
                streams: Vec::new(),
                held: Vec::new(),
                unknown: Vec::new(),
                stale: Vec::new(),
                covered: String::new(),
                stopped: None,
            },
            checked: Vec::new(),
            known: known.transpose()?.unwrap_or_default(),
            tested: tested.clone(),
            progress: Progress::start(),
        })
    }

    /// Shows what is being done now.
    pub(crate) fn progress(&self, what: impl Into<String>) {
        self.progress.show(what.into());
    }

    /// Prints something other than a verdict.
    pub(crate) fn note(&self, text: &str) {
        self.progress.print(text);
    }

    /// Adds properties that are checked on the stream whose verdict is recorded next.
    pub(crate) fn checks(&mut self, properties: impl IntoIterator<Item = Property>) {
        self.checked.extend(properties);
    }

    /// Records a stream on which everything held, with what was tried.
    pub(crate) fn held(&mut self, name: &str, bytes: usize, tried: String) {
        self.note(&format!("ok    {name}: {tried}"));
        self.result.held.append(&mut self.checked);
        self.add(name, bytes, Verdict::Held(tried));
    }

    /// Records a stream with a violation.
    pub(crate) fn violated(
        &mut self,
        name: &str,
        bytes: usize,
        violation: Violation,
        map: Option<SplitMap>,
    ) {
        let violated = violation.property;
        let known = self.known.matches(violated, name);
        let verdict = if known { "known" } else { "FAIL " };
        self.note(&format!("{verdict} {name}: {}", violated.name()));
        let checked = std::mem::take(&mut self.checked);
        self.result.unknown.extend(
            Property::ALL
                .into_iter()
                .filter(|property| checked.contains(property) && *property != violated),
        );
        let counterexample = Counterexample {
            map,
            replay: self.tested.replay_line(&violation.case),
            known,
            violation,
        };
        self.add(name, bytes, Verdict::Violated(Box::new(counterexample)));
    }

    fn add(&mut self, name: &str, bytes: usize, verdict: Verdict) {
        self.result.streams.push(StreamResult {
            name: name.into(),
            bytes,
            verdict,
        });
    }

    /// Adds a split map to the smallest violation of each property.
    pub(crate) fn draw_maps(&mut self, map: impl Fn(&Violation) -> Option<SplitMap>) {
        let smallest: Vec<usize> = self
            .result
            .smallest()
            .into_iter()
            .map(|(index, _)| index)
            .collect();
        for index in smallest {
            if let Verdict::Violated(counterexample) = &mut self.result.streams[index].verdict {
                counterexample.map = map(&counterexample.violation);
            }
        }
    }

    /// Completes the result.
    pub(crate) fn finish(mut self, ending: Ending) -> RunResult {
        self.progress.finish();
        // After an early stop, a known violation may just not have been reached.
        if ending.stopped.is_none() {
            self.result.stale = self.known.stale(&self.result.streams);
        }
        self.result.covered = ending.covered;
        self.result.stopped = ending.stopped;
        self.result
    }
}

/// Returns the command line of this process, as typed in a shell.
fn command_line() -> String {
    let mut words: Vec<OsString> = env::args_os().collect();
    if let Some(program) = words.first_mut() {
        *program = "everysplit".into();
    }
    shell_line(&words)
}
