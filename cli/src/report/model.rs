//! The result of a run, complete: writers only print it.

use std::fmt::{self, Write as _};

use everysplit::{Property, SplitMap, Violation};

use super::MAX_SHOWN;
use super::known::KnownViolations;
use super::recorder::Ending;
use crate::options::{Shard, Title, declaration};
use crate::text::{count, properties};

/// The result of a run.
#[derive(Default)]
pub(crate) struct RunResult {
    /// The command line, as typed in a shell.
    pub(super) command: String,
    pub(super) title: Title,
    /// The command line without what the shards of a run need not share.
    pub(super) run: String,
    /// The part of the streams that was checked.
    pub(super) shard: Shard,
    /// The number of all streams and a hash of them, if this is a shard of a run.
    pub(super) shared: Option<String>,
    /// The properties that can fail the run; empty for all.
    pub(super) only: Vec<Property>,
    /// The result of each stream, in the order in which they were checked.
    pub(super) streams: Vec<StreamResult>,
    /// The properties that held on at least one stream.
    pub(super) held: Vec<Property>,
    /// The properties that were checked on a stream which violates another property, once per
    /// such stream: whether they hold there is unknown.
    pub(super) unknown: Vec<Property>,
    /// The properties of which a part was left out, so that they did not hold, each with a text that
    /// says what, if `covered` does not say so.
    pub(super) omitted: Vec<(Property, String)>,
    /// The list of known violations.
    pub(super) known: KnownViolations,
    /// Known violations that did not occur, a message each. They fail the run.
    pub(super) stale: Vec<String>,
    /// Properties that --only names and of which nothing is known, a message each.
    pub(super) undecided: Vec<String>,
    /// What makes the result say less than it seems to, a message each.
    pub(super) warnings: Vec<String>,
    /// What was done, in a line. Empty if the run could not start.
    pub(super) covered: String,
    /// Why the run stopped early, if it did.
    pub(super) stopped: Option<String>,
}

/// The result of a stream.
pub(super) struct StreamResult {
    pub(super) name: String,
    /// The length of the stream.
    pub(super) bytes: usize,
    pub(super) verdict: Verdict,
}

pub(super) enum Verdict {
    /// Everything held; with what was tried, in a line.
    Held(String),
    Violated(Box<Counterexample>),
    /// A test command failed because of the cuts; with a text that says so.
    Failed(String),
    /// It could not be checked; with the reason.
    NotChecked(String),
}

/// A violation with its context.
pub(super) struct Counterexample {
    pub(super) violation: Violation,
    /// What is checked of the property, in a sentence.
    pub(super) sentence: &'static str,
    /// Which cuts of the stream cause a violation.
    pub(super) map: Option<SplitMap>,
    /// The command line that tries it again, empty if none does.
    pub(super) replay: String,
    /// Whether it is expected, so that it does not fail the run.
    pub(super) known: bool,
}

impl Counterexample {
    /// Returns the options of which each declares the behaviour as intended, if there are any.
    pub(super) fn option(&self) -> Option<String> {
        let declare = self.violation.declare.iter();
        let options: Vec<_> = declare.copied().filter_map(declaration).collect();
        (!options.is_empty()).then(|| options.join(" or "))
    }
}

/// The text of the violation with the sentence of this run, and the replay line if that is short enough.
impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.violation.to_string();
        let (_, rest) = text.split_once('\n').unwrap_or_default();
        let name = self.violation.property.name();
        write!(f, "{name}: {}\n{rest}", self.sentence)?;
        if let Some(option) = self.option() {
            write!(f, "\n  option    {option}")?;
        }
        if (1..=MAX_SHOWN).contains(&self.replay.len()) {
            write!(f, "\n  run       {}", self.replay)?;
        }
        Ok(())
    }
}

/// What is known about a property after a run. The numbers count streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PropertyStatus {
    /// Held on every stream on which it was checked.
    Held,
    /// Held on some streams, and the run stopped early.
    HeldSoFar,
    /// Violated by streams of which the violation is not known.
    Violated(usize),
    /// Violated, and all the violations are known.
    Known(usize),
    /// Violated, but not named by --only.
    Other(usize),
    /// Not violated, but some streams violate another property.
    Unknown(usize),
    NotChecked,
}

/// The result of the run as a whole, which is also its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Held,
    Violated,
    /// Nothing is violated, but not everything was checked.
    Stopped,
}

impl RunResult {
    /// Adds the result of a stream.
    pub(super) fn add(&mut self, name: &str, bytes: usize, verdict: Verdict) {
        self.streams.push(StreamResult {
            name: name.into(),
            bytes,
            verdict,
        });
    }

    /// Returns whether a violation of a property can fail the run.
    pub(super) fn is_selected(&self, property: Property) -> bool {
        self.only.is_empty() || self.only.contains(&property)
    }

    /// Adds how the run ended.
    pub(crate) fn end(&mut self, Ending { covered, stopped }: Ending) {
        self.covered = covered;
        for (_, omitted) in &self.omitted {
            if !omitted.is_empty() {
                let _ = write!(self.covered, "; {omitted}");
            }
        }
        if self.shard != Shard::WHOLE && !self.covered.is_empty() {
            let _ = write!(self.covered, "; shard {}", self.shard);
        }
        self.stopped = stopped;
        // After an early stop, or in another shard, a known violation may still occur, and a
        // property may still be checked.
        if self.stopped.is_none() && self.shard == Shard::WHOLE {
            self.stale = self.known.stale(&self.streams);
            self.undecided = self.undecided();
        }
    }

    fn undecided(&self) -> Vec<String> {
        let undecided = self.only.iter().filter_map(|&property| {
            let why = match self.property(property) {
                PropertyStatus::NotChecked => "was not checked".into(),
                PropertyStatus::Unknown(streams) => format!(
                    "is unknown: {} violated another property",
                    count(streams as u64, "stream")
                ),
                _ => return None,
            };
            Some(format!("--only names {}, which {why}", property.name()))
        });
        undecided.collect()
    }

    /// Returns why not everything was checked.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &String> {
        self.stopped.iter().chain(&self.undecided)
    }

    /// Returns the number of properties that known violations leave unknown.
    pub(super) fn unknown_properties(&self) -> usize {
        if self.violated_streams() > 0 {
            return 0;
        }
        self.properties()
            .filter(|(_, status)| matches!(status, PropertyStatus::Unknown(_)))
            .count()
    }

    /// Returns whether there is a violation, so that the exit status is 1.
    pub(crate) fn is_violated(&self) -> bool {
        self.status() == Status::Violated
    }

    /// Returns whether the run ended before there was anything to report.
    pub(super) const fn checked_nothing(&self) -> bool {
        self.streams.is_empty() && self.covered.is_empty()
    }

    /// Returns the violations.
    pub(super) fn counterexamples(&self) -> impl Iterator<Item = &Counterexample> {
        self.streams
            .iter()
            .filter_map(|stream| match &stream.verdict {
                Verdict::Held(_) | Verdict::Failed(_) | Verdict::NotChecked(_) => None,
                Verdict::Violated(counterexample) => Some(&**counterexample),
            })
    }

    /// Returns the number of runs of a test command that failed.
    fn failed_runs(&self) -> usize {
        let is_failed = |stream: &&StreamResult| matches!(stream.verdict, Verdict::Failed(_));
        self.streams.iter().filter(is_failed).count()
    }

    /// Returns the number of streams that could not be checked.
    pub(super) fn unchecked_streams(&self) -> usize {
        let is_unchecked =
            |stream: &&StreamResult| matches!(stream.verdict, Verdict::NotChecked(_));
        self.streams.iter().filter(is_unchecked).count()
    }

    /// Returns the number of streams on which everything held.
    pub(super) fn held_streams(&self) -> usize {
        let is_held = |stream: &&StreamResult| matches!(stream.verdict, Verdict::Held(_));
        self.streams.iter().filter(is_held).count()
    }

    /// Returns the number of streams with a violation that is not known.
    pub(super) fn violated_streams(&self) -> usize {
        let new = self.counterexamples().filter(|found| !found.known);
        new.count() + self.failed_runs()
    }

    /// Returns the number of streams with a known violation.
    pub(super) fn known_streams(&self) -> usize {
        self.counterexamples()
            .filter(|counterexample| counterexample.known)
            .count()
    }

    /// Returns the number of properties with a violation that is not known.
    pub(super) fn violated_properties(&self) -> usize {
        self.properties()
            .filter(|(_, status)| matches!(status, PropertyStatus::Violated(_)))
            .count()
    }

    /// Returns the result of the run as a whole.
    pub(super) fn status(&self) -> Status {
        if self.violated_streams() > 0 || !self.stale.is_empty() {
            Status::Violated
        } else if self.reasons().next().is_some() {
            Status::Stopped
        } else {
            Status::Held
        }
    }

    /// Returns the status of every property.
    pub(super) fn properties(&self) -> impl Iterator<Item = (Property, PropertyStatus)> {
        Property::ALL
            .into_iter()
            .map(|property| (property, self.property(property)))
    }

    fn property(&self, property: Property) -> PropertyStatus {
        let (known, violated): (Vec<_>, Vec<_>) = self
            .counterexamples()
            .filter(|counterexample| counterexample.violation.property == property)
            .partition(|counterexample| counterexample.known);
        let unknown = self.unknown.iter().filter(|&&other| other == property);
        let held = self.held.contains(&property)
            && !self.omitted.iter().any(|(other, _)| *other == property);
        let failed = match property {
            Property::EverySplit => self.failed_runs(),
            _ => 0,
        };
        match (violated.len() + failed, known.len(), unknown.count()) {
            (0, 0, 0) if held && self.stopped.is_some() => PropertyStatus::HeldSoFar,
            (0, 0, 0) if held => PropertyStatus::Held,
            (0, 0, 0) => PropertyStatus::NotChecked,
            (0, 0, unknown) => PropertyStatus::Unknown(unknown),
            (0, others, _) if !self.is_selected(property) => PropertyStatus::Other(others),
            (0, known, _) => PropertyStatus::Known(known),
            (violated, _, _) => PropertyStatus::Violated(violated),
        }
    }

    /// Returns the smallest violation of each property that is not known, the smallest first,
    /// with the index of its stream.
    pub(super) fn smallest(&self) -> Vec<(usize, &Counterexample)> {
        let mut smallest: Vec<(usize, &Counterexample)> = Vec::new();
        for (index, stream) in self.streams.iter().enumerate() {
            if let Verdict::Violated(counterexample) = &stream.verdict
                && !counterexample.known
            {
                smallest.push((index, counterexample));
            }
        }
        smallest.sort_by_key(|(_, counterexample)| counterexample.violation.case.stream.len());
        let mut properties = Vec::new();
        smallest.retain(|(_, counterexample)| {
            let property = counterexample.violation.property;
            let new = !properties.contains(&property);
            properties.push(property);
            new
        });
        smallest
    }

    /// Returns a summary in a line.
    pub(super) fn summary(&self) -> String {
        let streams = count(self.streams.len() as u64, "stream");
        let violated = self.violated_streams();
        let mut summary = format!("{}; {streams}, {violated} violated", self.covered);
        let known = self.known_streams();
        if known > 0 {
            let _ = write!(summary, ", {known} known");
        }
        let unknown = self.unknown_properties();
        if unknown > 0 {
            let properties = properties(unknown);
            let _ = write!(
                summary,
                ", {properties} unknown because of known violations"
            );
        }
        let unchecked = self.unchecked_streams();
        if unchecked > 0 {
            let _ = write!(summary, ", {unchecked} not checked");
        }
        if !self.stale.is_empty() {
            let stale = count(self.stale.len() as u64, "stale known violation");
            let _ = write!(summary, ", {stale}");
        }
        if !self.warnings.is_empty() {
            let warnings = count(self.warnings.len() as u64, "warning");
            let _ = write!(summary, ", {warnings}");
        }
        if self.reasons().next().is_some() {
            summary.push_str("; not everything was checked");
        }
        summary
    }
}
