//! Records the verdicts of a run as they come, and shows them on the terminal.

use std::env;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use everysplit::{Property, SplitMap, Violation};

use super::known::KnownViolations;
use super::model::{Counterexample, RunResult, Verdict};
use super::terminal::{Mark, Terminal};
use super::{check_files, check_folder};
use crate::Error;
use crate::options::{ReportOptions, Shard, Tested, Title, shell_line, some_of};
use crate::streams::{self, NamedStream};

/// The result so far, in a state that can be reported at any time. Its clones are the same result.
///
/// The one that takes it writes it: the run at its end, or the command if it must stop and the run
/// does not end by itself.
#[derive(Clone)]
pub(crate) struct ResultSoFar {
    /// `None` once it is taken.
    result: Arc<Mutex<Option<RunResult>>>,
    /// Whether it has a violation, also once it is taken.
    is_violated: Arc<AtomicBool>,
    pub(super) terminal: Terminal,
}

impl ResultSoFar {
    pub(crate) fn start(tested: &Tested, options: &ReportOptions) -> Self {
        let result = RunResult {
            command: command_line(),
            title: tested.into(),
            run: tested.run_line(),
            shard: tested.shard(),
            only: options.only.clone(),
            ..RunResult::default()
        };
        Self {
            result: Arc::new(Mutex::new(Some(result))),
            is_violated: Arc::default(),
            terminal: Terminal::start(options.output),
        }
    }

    /// Takes the result, unless it has been taken.
    pub(crate) fn take(&self) -> Option<RunResult> {
        self.lock().take()
    }

    /// Changes the result, unless it is taken: then the run is over.
    fn update(&self, change: impl FnOnce(&mut RunResult)) {
        if let Some(result) = &mut *self.lock() {
            change(result);
            let is_violated = result.is_violated();
            self.is_violated.store(is_violated, Ordering::Relaxed);
        }
    }

    /// Returns whether it has a violation, also once it is taken.
    pub(crate) fn is_violated(&self) -> bool {
        self.is_violated.load(Ordering::Relaxed)
    }

    /// Returns what is being done, in a line.
    pub(crate) fn progress(&self) -> String {
        self.terminal.shown()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<RunResult>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Builds the result of a run.
pub(crate) struct Recorder {
    so_far: ResultSoFar,
    /// The properties that are checked on the next stream.
    checked: Vec<Property>,
    /// What is under test, to write replay lines.
    tested: Tested,
}

/// How a run ended.
pub(crate) struct Ending {
    /// What was done, in a line.
    pub(crate) covered: String,
    /// Why it stopped early, if it did.
    pub(crate) stopped: Option<String>,
}

impl Ending {
    /// The run could not start.
    pub(crate) fn failed(error: &Error) -> Self {
        Self {
            covered: String::new(),
            stopped: Some(error.to_string()),
        }
    }
}

impl Recorder {
    /// Starts recording.
    ///
    /// # Errors
    ///
    /// If the known violations cannot be read, or a report file or the folder for streams cannot be
    /// written.
    pub(crate) fn start(
        options: &ReportOptions,
        tested: &Tested,
        so_far: ResultSoFar,
    ) -> Result<Self, Error> {
        check_files(&options.files)?;
        if let Some(folder) = &options.save {
            check_folder(folder)?;
        }
        if let Some(path) = &options.known {
            let known = KnownViolations::read(path)?;
            so_far.update(|result| result.known = known);
        }
        Ok(Self {
            so_far,
            checked: Vec::new(),
            tested: tested.clone(),
        })
    }

    /// Returns the streams of this shard. Notes what all of them are, so that `report merge` knows
    /// which reports belong together.
    pub(crate) fn share(
        &self,
        streams: Vec<NamedStream>,
        shard: Shard,
    ) -> Result<Vec<NamedStream>, Error> {
        if shard != Shard::WHOLE {
            let all = streams::identity(&streams);
            self.so_far.update(|result| result.shared = Some(all));
        }
        some_of(shard, streams, "stream")
    }

    /// Shows how many of this number of streams are done from now on.
    pub(crate) fn expects(&self, streams: usize) {
        self.so_far.terminal.expect(streams);
    }

    /// Shows what is being done now.
    pub(crate) fn progress(&self, what: impl Into<String>) {
        self.so_far.terminal.show(&what.into());
    }

    /// Prints something other than a verdict.
    pub(crate) fn note(&self, text: &str) {
        self.so_far.terminal.print_note(text);
    }

    /// Warns of something that makes the result say less than it seems to.
    pub(crate) fn warn(&self, warning: String) {
        self.so_far.update(|result| result.warnings.push(warning));
    }

    /// Adds properties that are checked on the stream whose verdict is recorded next.
    pub(crate) fn checks(&mut self, properties: impl IntoIterator<Item = Property>) {
        self.checked.extend(properties);
    }

    /// Records that something was left out, so that a property was not checked as a whole. The same
    /// text counts once.
    pub(crate) fn omits(&self, property: Property, what: &str) {
        let omitted = (property, what.to_owned());
        let mut is_new = false;
        self.so_far.update(|result| {
            is_new = !result.omitted.contains(&omitted);
            if is_new {
                result.omitted.push(omitted);
            }
        });
        if is_new {
            self.so_far.terminal.print_verdict(Mark::Skip, what);
        }
    }

    /// Records a stream on which everything held, with what was tried.
    pub(crate) fn held(&mut self, name: &str, bytes: usize, tried: String) {
        let mut checked = std::mem::take(&mut self.checked);
        let line = format!("{name}: {tried}");
        self.so_far.update(|result| {
            result.held.append(&mut checked);
            result.add(name, bytes, Verdict::Held(tried));
        });
        self.so_far.terminal.print_verdict(Mark::Ok, &line);
        self.so_far.terminal.advance();
    }

    /// Records a stream that could not be checked.
    pub(crate) fn not_checked(&mut self, name: &str, bytes: usize, reason: String) {
        self.checked.clear();
        let line = format!("{name}: {reason}");
        self.so_far
            .update(|result| result.add(name, bytes, Verdict::NotChecked(reason)));
        self.so_far.terminal.print_verdict(Mark::Skip, &line);
        self.so_far.terminal.advance();
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
        let (mut known, mut selected) = (false, true);
        let checked = std::mem::take(&mut self.checked);
        let counterexample = Counterexample {
            sentence: Title::from(&self.tested).sentence(violated),
            map,
            replay: if violation.replays {
                self.tested.replay_line(&violation.case)
            } else {
                String::new()
            },
            known,
            violation,
        };
        let mut counterexample = Box::new(counterexample);
        let details = counterexample.to_string();
        self.so_far.update(|result| {
            known = result.known.matches(violated, name);
            selected = result.is_selected(violated);
            counterexample.known = known || !selected;
            result.unknown.extend(
                Property::ALL
                    .into_iter()
                    .filter(|property| checked.contains(property) && *property != violated),
            );
            result.add(name, bytes, Verdict::Violated(counterexample));
        });
        let mark = match (known, selected) {
            (true, _) => Mark::Known,
            (false, true) => Mark::Fail,
            (false, false) => Mark::Other,
        };
        let line = format!("{name}: {}", violated.name());
        self.so_far.terminal.print_verdict(mark, &line);
        self.so_far.terminal.print_details(&details);
        self.so_far.terminal.advance();
    }

    /// Adds a split map to the smallest violation of each property.
    pub(crate) fn draw_maps(&mut self, map: impl Fn(&Violation) -> Option<SplitMap>) {
        let mut smallest = Vec::new();
        self.so_far.update(|result| {
            smallest.extend(
                result
                    .smallest()
                    .into_iter()
                    .map(|(index, counterexample)| (index, counterexample.violation.clone())),
            );
        });
        for (index, violation) in smallest {
            let map = map(&violation);
            self.so_far.update(|result| {
                if let Verdict::Violated(counterexample) = &mut result.streams[index].verdict {
                    counterexample.map = map;
                }
            });
        }
    }

    /// Completes the result. Returns `None` if it was taken before: the run is over.
    pub(crate) fn finish(self, ending: Ending) -> Option<RunResult> {
        let mut result = self.so_far.take()?;
        result.end(ending);
        Some(result)
    }
}

/// Returns the command line of this process, as typed in a shell.
pub(super) fn command_line() -> String {
    let mut words: Vec<OsString> = env::args_os().collect();
    if let Some(program) = words.first_mut() {
        *program = "everysplit".into();
    }
    shell_line(&words)
}
