//! The terminal: a progress line and the verdicts during a run, and the result at its end.

use std::io::{self, Write as _};
use std::time::Duration;

use indicatif::ProgressBar;

use super::model::{PropertyStatus, RunResult};
use crate::text::count;

/// A line that shows what is being done, if stderr is a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn start() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(super) fn show(&self, what: String) {
        self.0.set_message(what);
    }

    /// Prints a line above the progress.
    pub(super) fn print(&self, line: &str) {
        self.0.suspend(|| print_line(line));
    }

    /// Removes the progress.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Prints the smallest violation of each property, the status of the properties, and a summary.
pub(super) fn print(result: &RunResult) {
    for (_, counterexample) in result.smallest() {
        print_line(&format!("\n{counterexample}"));
        if let Some(map) = &counterexample.map {
            print_line(&format!("\n{map}"));
        }
    }
    print_line("");
    for (property, status) in result.properties() {
        if let Some(status) = status_text(status) {
            print_line(&format!("{:<12} {status}", property.name()));
        }
    }
    for stale in &result.stale {
        print_line(&format!("\n{stale}"));
    }
    print_line(&format!("\n{}", result.summary()));
}

/// Returns the words for a status, `None` for a property that was not checked.
fn status_text(status: PropertyStatus) -> Option<String> {
    let by = |streams: usize| count(streams as u64, "stream");
    match status {
        PropertyStatus::Held => Some("held".into()),
        PropertyStatus::Violated(streams) => Some(format!("violated by {}", by(streams))),
        PropertyStatus::Known(streams) => Some(format!("violated by {}, as known", by(streams))),
        PropertyStatus::Unknown(streams) => Some(format!(
            "unknown: {} violated another property",
            by(streams)
        )),
        PropertyStatus::NotChecked => None,
    }
}

/// Prints a line to stdout, if it is still open.
pub(crate) fn print_line(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
