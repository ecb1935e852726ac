//! The terminal: a progress line and the verdicts during a run, and the result at its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;

use super::model::{PropertyStatus, RunResult, Status};
use crate::output::print_line;
use crate::text::{count, lines};

/// The terminal of a run. Its clones are the same terminal.
#[derive(Clone)]
pub(super) struct Terminal {
    /// A line that shows what is being done, if stderr is a terminal.
    progress: ProgressBar,
    /// Why a line could not be printed, the first time.
    failure: Arc<Mutex<Option<String>>>,
}

impl Terminal {
    pub(super) fn start() -> Self {
        let progress = ProgressBar::new_spinner();
        progress.enable_steady_tick(Duration::from_millis(200));
        Self {
            progress,
            failure: Arc::default(),
        }
    }

    /// Shows what is being done.
    pub(super) fn show(&self, what: &str) {
        self.progress.set_message(lines(what).into_owned());
    }

    /// Returns what is being done.
    pub(super) fn shown(&self) -> String {
        self.progress.message()
    }

    /// Prints text above the progress.
    pub(super) fn print(&self, text: &str) {
        let printed = self.progress.suspend(|| print_line(&lines(text)));
        if let Err(error) = printed {
            self.lock_failure().get_or_insert(error.to_string());
        }
    }

    /// Returns why a line could not be printed, if that is so.
    pub(super) fn failure(&self) -> Option<String> {
        self.lock_failure().clone()
    }

    fn lock_failure(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the progress.
    pub(super) fn finish(&self) {
        self.progress.finish_and_clear();
    }

    /// Prints the smallest violation of each property, the status of the properties, and a
    /// summary. Prints nothing if nothing was checked.
    pub(super) fn print_result(&self, result: &RunResult) {
        if result.checked_nothing() {
            return;
        }
        for (_, counterexample) in result.smallest() {
            self.print(&format!("\n{counterexample}"));
            if let Some(map) = &counterexample.map {
                self.print(&format!("\n{map}"));
            }
        }
        self.print("");
        for (property, status) in result.properties() {
            if let Some(status) = status_text(status) {
                self.print(&format!("{:<12} {status}", property.name()));
            }
        }
        for stale in &result.stale {
            self.print(&format!("\n{stale}"));
        }
        let reason = match &result.stopped {
            // Status 2 has its reason on stderr.
            Some(reason) if result.status() == Status::Violated => format!(": {reason}"),
            _ => String::new(),
        };
        self.print(&format!("\n{}{reason}", result.summary()));
    }
}

/// Returns the words for a status, `None` for a property that was not checked.
fn status_text(status: PropertyStatus) -> Option<String> {
    let by = |streams: usize| count(streams as u64, "stream");
    match status {
        PropertyStatus::Held => Some("held".into()),
        PropertyStatus::HeldSoFar => Some("held so far".into()),
        PropertyStatus::Violated(streams) => Some(format!("violated by {}", by(streams))),
        PropertyStatus::Known(streams) => Some(format!("violated by {}, as known", by(streams))),
        PropertyStatus::Unknown(streams) => Some(format!(
            "unknown: {} violated another property",
            by(streams)
        )),
        PropertyStatus::NotChecked => None,
    }
}
