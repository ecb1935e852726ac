//! What came of a run: told on the terminal as it comes, and written to files at its end.
//! It judges nothing.

mod html;
mod json;
mod junit;
mod known;

use std::fmt::{self, Write as _};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use everysplit::check::{Property, SplitMap, Violation};
use indicatif::ProgressBar;

use crate::Cannot;
use crate::args::Reporting;
use known::Known;

/// What came of a run.
pub(crate) struct Run {
    /// The command line, as a shell takes it.
    pub(crate) command: String,
    /// What came of each stream, in the order in which they were asked.
    pub(crate) entries: Vec<Entry>,
    /// The properties that were asked of them.
    pub(crate) asked: Vec<Property>,
    /// Those that were asked of each stream with a violation of another one: whether they hold
    /// on it is not known.
    pub(crate) open: Vec<Property>,
    /// The known violations that were not met: each of them fails.
    pub(crate) unmet: Vec<String>,
    /// What was done, in a line.
    pub(crate) covered: String,
    /// Why it stopped before it was done, if it did.
    pub(crate) stopped: Option<String>,
}

/// What came of a stream.
pub(crate) struct Entry {
    pub(crate) name: String,
    /// How long the stream is, in bytes.
    pub(crate) bytes: usize,
    pub(crate) verdict: Verdict,
}

pub(crate) enum Verdict {
    /// Everything held, with a line on what was tried.
    Held(String),
    Violated(Box<Found>),
}

/// A violation, and what stands beside it.
pub(crate) struct Found {
    pub(crate) violation: Violation,
    /// Where in the stream a cut breaks it.
    pub(crate) map: Option<SplitMap>,
    /// The command line that tries it again.
    pub(crate) replay: String,
    /// Whether it is in the list of known violations, and fails nothing.
    pub(crate) known: bool,
}

/// All that is told of it in text, with the command line if it is not too long.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.violation)?;
        if self.replay.len() <= LONGEST {
            write!(f, "\n  run       {}", self.replay)?;
        }
        Ok(())
    }
}

/// How a property fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fared {
    Held,
    /// By so many streams, none of them known.
    Violated(usize),
    /// By so many streams, and that is known.
    Known(usize),
    /// Held on some streams, and so many others have a violation of another property.
    Open(usize),
    Unasked,
}

/// How a run ended: what its exit status tells, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Held,
    Violated,
    /// Nothing fails, and not all was asked.
    Stopped,
}

impl Run {
    fn found(&self) -> impl Iterator<Item = &Found> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.verdict {
                Verdict::Held(_) => None,
                Verdict::Violated(found) => Some(&**found),
            })
    }

    /// Returns how many streams violate something that is not known.
    pub(crate) fn violated(&self) -> usize {
        self.found().filter(|found| !found.known).count()
    }

    /// Returns whether nothing fails. It says nothing of what was not asked.
    pub(crate) fn held(&self) -> bool {
        self.violated() == 0 && self.unmet.is_empty()
    }

    /// Returns how it ended.
    pub(crate) fn ended(&self) -> Ended {
        match (self.held(), &self.stopped) {
            (false, _) => Ended::Violated,
            (true, Some(_)) => Ended::Stopped,
            (true, None) => Ended::Held,
        }
    }

    /// Returns how each property fared.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (Property, Fared)> {
        Property::ALL.into_iter().map(|property| {
            let count = |known| {
                let found = self.found();
                found
                    .filter(|found| found.violation.property == property && found.known == known)
                    .count()
            };
            let open = self.open.iter().filter(|&&open| open == property).count();
            let fared = match (count(false), count(true)) {
                (0, 0) if open > 0 => Fared::Open(open),
                (0, 0) if self.asked.contains(&property) => Fared::Held,
                (0, 0) => Fared::Unasked,
                (0, known) => Fared::Known(known),
                (violated, _) => Fared::Violated(violated),
            };
            (property, fared)
        })
    }

    /// Returns the smallest violation of each property that is not known, the smallest first:
    /// where it stands, and what it is.
    fn smallest(&self) -> Vec<(usize, &Found)> {
        let mut smallest: Vec<(usize, &Found)> = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            if let Verdict::Violated(found) = &entry.verdict
                && !found.known
            {
                smallest.push((index, found));
            }
        }
        smallest.sort_by_key(|(_, found)| found.violation.case.stream.len());
        let mut told = Vec::new();
        smallest.retain(|(_, found)| {
            let property = found.violation.property;
            let new = !told.contains(&property);
            told.push(property);
            new
        });
        smallest
    }

    /// Returns the last line.
    pub(crate) fn summary(&self) -> String {
        let streams = count(self.entries.len() as u64, "stream");
        let known = self.found().filter(|found| found.known).count();
        let mut summary = format!("{}; {streams}, {} violated", self.covered, self.violated());
        if known > 0 {
            let _ = write!(summary, ", {known} known");
        }
        if !self.unmet.is_empty() {
            let _ = write!(summary, ", {} known and not met", self.unmet.len());
        }
        if let Some(stopped) = &self.stopped {
            let _ = write!(summary, "; not all was asked: {stopped}");
        }
        summary
    }
}

/// Tells what comes of a run.
pub(crate) struct Report {
    run: Run,
    /// What is asked of the next stream: without its verdict, nothing held.
    asking: Vec<Property>,
    known: Known,
    files: Vec<(PathBuf, Format)>,
    bar: ProgressBar,
}

/// What a report can be written as.
#[derive(Clone, Copy, Debug)]
enum Format {
    Html,
    Json,
    Junit,
}

impl Report {
    /// Begins a run. A list of known violations that cannot be read, and a file that cannot be
    /// written, are told now.
    pub(crate) fn begin(reporting: &Reporting) -> Result<Self, Cannot> {
        let mut files = Vec::new();
        for path in &reporting.report {
            let ending = path.extension().and_then(|ending| ending.to_str());
            let format = match ending {
                Some("html") => Format::Html,
                Some("json") => Format::Json,
                Some("xml") => Format::Junit,
                _ => {
                    return Err(format!(
                        "{} is no report: its name ends with .html, .json or .xml",
                        path.display()
                    )
                    .into());
                }
            };
            writable(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            files.push((path.clone(), format));
        }
        let known = reporting.known.as_deref().map(Known::read).transpose()?;
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(200));
        Ok(Self {
            run: Run {
                command: command(None),
                entries: Vec::new(),
                asked: Vec::new(),
                open: Vec::new(),
                unmet: Vec::new(),
                covered: String::new(),
                stopped: None,
            },
            asking: Vec::new(),
            known: known.unwrap_or_default(),
            files,
            bar,
        })
    }

    /// Shows what is being done.
    pub(crate) fn doing(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// Says something beside the verdicts.
    pub(crate) fn say(&self, what: &str) {
        self.bar.suspend(|| print(what));
    }

    /// Takes note that these properties are asked of the stream that is told of next.
    pub(crate) fn asks(&mut self, properties: impl IntoIterator<Item = Property>) {
        self.asking.extend(properties);
    }

    /// Tells of a stream on which everything held, with a line on what was tried.
    pub(crate) fn held(&mut self, name: &str, bytes: usize, tried: String) {
        self.say(&format!("ok    {name}: {tried}"));
        self.add(name, bytes, Verdict::Held(tried));
    }

    /// Tells of a stream with a violation.
    pub(crate) fn violated(
        &mut self,
        name: &str,
        bytes: usize,
        violation: Violation,
        map: Option<SplitMap>,
    ) {
        let property = violation.property;
        let known = self.known.meet(property, name);
        let verdict = if known { "known" } else { "FAIL " };
        self.say(&format!("{verdict} {name}: {}", property.name()));
        let replay = command(Some(&violation.case.to_string()));
        self.add(
            name,
            bytes,
            Verdict::Violated(Box::new(Found {
                violation,
                map,
                replay,
                known,
            })),
        );
    }

    fn add(&mut self, name: &str, bytes: usize, verdict: Verdict) {
        let name = name.into();
        match &verdict {
            Verdict::Held(_) => self.run.asked.append(&mut self.asking),
            Verdict::Violated(found) => {
                let asked = |property: &Property| self.asking.contains(property);
                let other = |property: &Property| *property != found.violation.property;
                let open = Property::ALL.into_iter().filter(asked).filter(other);
                self.run.open.extend(open);
                self.asking.clear();
            }
        }
        self.run.entries.push(Entry {
            name,
            bytes,
            verdict,
        });
    }

    /// Adds a map to the smallest violation of each property.
    pub(crate) fn draw(&mut self, map: impl Fn(&Violation) -> Option<SplitMap>) {
        let smallest = self.run.smallest().into_iter().map(|(index, _)| index);
        for index in smallest.collect::<Vec<_>>() {
            if let Verdict::Violated(found) = &mut self.run.entries[index].verdict {
                found.map = map(&found.violation);
            }
        }
    }

    /// Tells the rest, writes the files, and returns whether everything held.
    pub(crate) fn finish(
        mut self,
        covered: String,
        stopped: Option<String>,
    ) -> Result<bool, Cannot> {
        self.bar.finish_and_clear();
        self.run.covered = covered;
        self.run.stopped = stopped;
        if self.run.stopped.is_none() {
            let streams = self.run.entries.iter().map(|entry| entry.name.as_str());
            self.run.unmet = self.known.unmet(&streams.collect::<Vec<_>>());
        }
        let run = &self.run;
        tell(run);
        for (path, format) in &self.files {
            let text = match format {
                Format::Html => html::page(run),
                Format::Json => json::object(run)?,
                Format::Junit => junit::suite(run)?,
            };
            fs::write(path, text)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        match &run.stopped {
            Some(stopped) if run.held() => Err(stopped.clone().into()),
            _ => Ok(run.held()),
        }
    }
}

/// Tries to write a file, and leaves it as it is.
fn writable(path: &Path) -> io::Result<()> {
    let new = !path.exists();
    OpenOptions::new().append(true).create(true).open(path)?;
    if new {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Tells the smallest violation of each property, how the properties fared, and the summary.
fn tell(run: &Run) {
    for (_, found) in run.smallest() {
        print(&format!("\n{found}"));
        if let Some(map) = &found.map {
            print(&format!("\n{map}"));
        }
    }
    print("");
    for (property, fared) in run.properties() {
        let name = property.name();
        match fared {
            Fared::Held => print(&format!("{name:<12} held")),
            Fared::Violated(count) => {
                print(&format!("{name:<12} violated, streams: {count}"));
            }
            Fared::Known(count) => {
                print(&format!("{name:<12} violated as known, streams: {count}"));
            }
            Fared::Open(count) => print(&format!(
                "{name:<12} not known, streams with another violation: {count}"
            )),
            Fared::Unasked => {}
        }
    }
    for unmet in &run.unmet {
        print(&format!("\n{unmet}"));
    }
    print(&format!("\n{}", run.summary()));
}

/// The command, and its version.
const TOOL: &str = concat!("everysplit ", env!("CARGO_PKG_VERSION"));

/// Tells how many there are of what has a regular plural.
pub(crate) fn count(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// Tells how fast something was done so many times.
pub(crate) fn pace(count: u64, time: Duration) -> String {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let rate = count.saturating_mul(1000) / milliseconds.max(1);
    format!("in {:.1} s, {rate} a second", time.as_secs_f64())
}

/// Tells a line. Whoever does not listen any more misses it.
pub(crate) fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The longest command line that is told, in bytes.
const LONGEST: usize = 4000;

/// Returns the command line, as a shell takes it; of a token, the one that tries it again.
fn command(token: Option<&str>) -> String {
    let words = std::env::args_os().skip(1);
    let mut words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if let Some(token) = token {
        let replays = words.first().is_some_and(|word| word == "replay");
        let from = if replays { words.len().min(2) } else { 0 };
        words.splice(..from, ["replay".into(), token.into()]);
        // What is told elsewhere, what is known, and other streams are no part of it. What is
        // hostile is followed by what is not, which they tell.
        let mut left_out = vec!["--report", "--known"];
        if !words.iter().any(|word| word == "--hostile") {
            left_out.extend(["--stream", "--corpus", "--hex", "--message"]);
        }
        let end = words.iter().position(|word| word == "--");
        let (mut kept, mut index) = (Vec::new(), 0);
        while index < words.len() {
            let word = &words[index];
            let option = word.split('=').next().unwrap_or(word);
            if left_out.contains(&option) && end.is_none_or(|end| index < end) {
                index += if option == word { 2 } else { 1 };
            } else {
                kept.push(word.clone());
                index += 1;
            }
        }
        words = kept;
    }
    words.insert(0, "everysplit".into());
    let quoted = shlex::try_join(words.iter().map(String::as_str));
    quoted.unwrap_or_else(|_| words.join(" "))
}
