//! The terminal: a progress line and the verdicts during a run, and the result at its end.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::model::{PropertyStatus, RunResult, Status};
use crate::options::Output;
use crate::output::print_line;
use crate::text::{count, lines};

/// The progress before the number of streams is known, and after.
const SPINNER: &str = "{spinner} {msg}";
const COUNTED: &str = "{spinner} stream {human_pos} of {human_len}, {per_sec}, {eta} left: {msg}";

/// The terminal of a run. Its clones are the same terminal.
#[derive(Clone)]
pub(super) struct Terminal {
    output: Output,
    /// Whether stdout is a terminal with colours.
    colours: bool,
    /// A line that shows what is being done, if stderr is a terminal.
    progress: ProgressBar,
    /// Why a line could not be printed, the first time.
    failure: Arc<Mutex<Option<String>>>,
}

/// The verdict on a stream, as the first word of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Ok,
    Fail,
    Known,
    /// A violation of a property that --only does not name.
    Other,
    Skip,
}

impl Mark {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "FAIL",
            Self::Known => "known",
            Self::Other => "other",
            Self::Skip => "skip",
        }
    }

    /// Returns the number of a terminal's colour.
    const fn colour(self) -> u8 {
        match self {
            Self::Ok => 32,
            Self::Fail => 31,
            Self::Known | Self::Other | Self::Skip => 33,
        }
    }
}

impl Terminal {
    pub(super) fn start(output: Output) -> Self {
        let progress = ProgressBar::new_spinner();
        set_style(&progress, SPINNER);
        progress.enable_steady_tick(Duration::from_millis(200));
        Self {
            output,
            colours: has_colours(),
            progress,
            failure: Arc::default(),
        }
    }

    /// Counts streams from now on.
    pub(super) fn expect(&self, streams: usize) {
        self.progress.set_length(streams as u64);
        set_style(&self.progress, COUNTED);
    }

    /// Counts a stream.
    pub(super) fn advance(&self) {
        self.progress.inc(1);
    }

    /// Shows what is being done.
    pub(super) fn show(&self, what: &str) {
        self.progress.set_message(lines(what).into_owned());
    }

    /// Returns what is being done.
    pub(super) fn shown(&self) -> String {
        self.progress.message()
    }

    /// Prints a verdict on a stream.
    pub(super) fn print_verdict(&self, mark: Mark, text: &str) {
        if self.output == Output::Quiet && mark == Mark::Ok {
            return;
        }
        let word = self.painted(mark.colour(), &format!("{:<5}", mark.word()));
        self.print_raw(&format!("{word} {}", lines(text)));
    }

    /// Prints a violation, if all are wanted in full.
    pub(super) fn print_details(&self, violation: &str) {
        if self.output == Output::Verbose {
            self.print(&format!("{violation}\n"));
        }
    }

    /// Prints something that is not a verdict, unless only violations are wanted.
    pub(super) fn print_note(&self, text: &str) {
        if self.output != Output::Quiet {
            self.print(text);
        }
    }

    /// Prints text above the progress.
    fn print(&self, text: &str) {
        self.print_raw(&lines(text));
    }

    fn print_raw(&self, text: &str) {
        if let Err(error) = self.progress.suspend(|| print_line(text)) {
            self.lock_failure().get_or_insert(error);
        }
    }

    /// Colours text, if the terminal has colours.
    fn painted(&self, colour: u8, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.into()
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
        let unchecked = result.unchecked_streams();
        for (property, status) in result.properties() {
            if let Some((mark, mut status)) = status_text(status) {
                if mark == Mark::Ok && unchecked > 0 {
                    let streams = count(unchecked as u64, "stream");
                    let _ = write!(status, ", except on {streams} not checked");
                }
                let status = self.painted(mark.colour(), &status);
                self.print_raw(&format!("{:<12} {status}", property.name()));
            }
        }
        for stale in &result.stale {
            self.print(&format!("\n{stale}"));
        }
        for warning in &result.warnings {
            self.print(&format!("\nwarning: {warning}"));
        }
        let reasons: Vec<_> = result.reasons().map(String::as_str).collect();
        let reason = match result.status() {
            Status::Violated if !reasons.is_empty() => format!(": {}", reasons.join("; ")),
            // Status 2 has its reason on stderr.
            _ => String::new(),
        };
        self.print(&format!("\n{}{reason}", result.summary()));
    }
}

/// Returns the words for a status with their colour, `None` for a property that was not checked.
fn status_text(status: PropertyStatus) -> Option<(Mark, String)> {
    let by = |streams: usize| count(streams as u64, "stream");
    Some(match status {
        PropertyStatus::Held => (Mark::Ok, "held".into()),
        PropertyStatus::HeldSoFar => (Mark::Skip, "held so far".into()),
        PropertyStatus::Violated(streams) => (Mark::Fail, format!("violated by {}", by(streams))),
        PropertyStatus::Known(streams) => {
            let status = format!("violated by {}, as known", by(streams));
            (Mark::Known, status)
        }
        PropertyStatus::Other(streams) => {
            let status = format!("violated by {}, not named by --only", by(streams));
            (Mark::Other, status)
        }
        PropertyStatus::Unknown(streams) => {
            let status = format!("unknown: {} violated another property", by(streams));
            (Mark::Skip, status)
        }
        PropertyStatus::NotChecked => return None,
    })
}

fn set_style(progress: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        progress.set_style(style);
    }
}

/// Returns whether stdout is a terminal with colours, which are wanted (<https://no-color.org>).
fn has_colours() -> bool {
    let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_plain = env::var_os("TERM").is_none_or(|name| name == "dumb");
    io::stdout().is_terminal() && !is_unwanted && !is_plain
}
