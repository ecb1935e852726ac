//! Runs the test command uncut, then with the cuts of each seed, and reduces its first failure.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Instant;

use everysplit::Property;
use indicatif::ProgressBar;

use super::cuts::{Cut, Cuts};
use super::log::{Context, Kept, Log};
use super::plan::Plan;
use super::reduce::reduce;
use super::relay::Relay;
use super::test_command::{Failure, Run, TestCommand};
use crate::options::{ProxyOptions, Shard};
use crate::output::{print_error, print_line};
use crate::report::{Ending, PlainReport, file};
use crate::text::count;
use crate::{Error, stop};

/// Number of runs without cuts before the first with cuts, and after a failure.
const UNCUT_RUNS: u32 = 3;
/// Number of times that a failure is repeated before it is reduced.
const REPETITIONS: u32 = 3;
/// Number of times that the reduced failure is repeated.
const CONFIRMATIONS: u32 = 5;
/// Maximum number of cuts that are printed.
const MAX_PRINTED: usize = 8;

/// The runs of a test command.
pub(super) struct Suite<'a> {
    command: TestCommand<'a>,
    options: &'a ProxyOptions,
    progress: ProgressBar,
    begun: Instant,
    /// Number of runs without cuts that have passed.
    uncut: u32,
    runs: u64,
    report: PlainReport,
}

/// How often a command fails with the same cuts.
#[derive(Default)]
struct Repeated {
    runs: u32,
    failed: u32,
    /// The first failure.
    failure: Option<Failure>,
    /// The log of that run, or of the last.
    log: Option<Log>,
}

/// A failure of the command, and the cuts that cause it.
struct Found {
    cuts: Cuts,
    repeated: Repeated,
    /// How it was found, and how far it was reduced.
    history: String,
    /// The command line that makes the cuts again, if they are saved.
    replay: Option<String>,
}

impl<'a> Suite<'a> {
    /// Prepares the runs.
    ///
    /// # Errors
    ///
    /// If a report cannot be written.
    pub(super) fn new(relay: Relay, options: &'a ProxyOptions) -> Result<Self, Error> {
        Ok(Self {
            report: PlainReport::start(options)?,
            command: TestCommand::new(relay, options),
            options,
            progress: ProgressBar::new_spinner(),
            begun: Instant::now(),
            uncut: 0,
            runs: 0,
        })
    }

    /// Writes the report files, with why the runs were stopped.
    pub(super) fn write_report(&mut self, stopped: Option<&Error>) -> Result<(), Error> {
        let covered = self.covered();
        self.report.write(Ending {
            covered,
            stopped: stopped.map(ToString::to_string),
        })
    }

    /// Returns what was done, in a line.
    fn covered(&self) -> String {
        let time = self.begun.elapsed().as_secs_f64();
        let runs = count(self.runs, "run");
        format!("{runs} in {time:.1} s; {}", self.command.traffic)
    }

    /// Runs the command with the cuts of each seed. Returns whether it always passes.
    pub(super) fn search(&mut self) -> Result<bool, Error> {
        let file = &self.options.save;
        file::check(file).map_err(|error| cannot_write(file, &error))?;
        let seeds = self.options.seeds()?;
        let first = self.check_uncut()?;
        let mut with_cuts = 0;
        for passed in 0..seeds.count {
            let seed = seeds.get(passed);
            self.show(format!("seed {seed}"));
            let plan = Plan::Seed {
                seed,
                max_cuts: self.options.max_cuts,
            };
            let run = match self.run(plan, Kept::Cuts) {
                Ok(run) => run,
                Err(error) => {
                    self.finish(&format!(
                        "{passed} of {} passed before the end",
                        count(seeds.count, "seed")
                    ));
                    return Err(error);
                }
            };
            if let Some(failure) = run.failure {
                return self.failed(seed, run.log.cuts, &failure);
            }
            with_cuts += u64::from(run.log.traffic.cuts() > 0);
            self.record_passed(&format!("seed {seed}"), &run.log);
        }
        if with_cuts == 0 {
            let bytes = count(first.traffic.bytes(), "byte");
            return Err(format!(
                "no cut was made in {bytes}: the streams are too short, or --max-cuts is 0"
            )
            .into());
        }
        let runs = count(seeds.count, "run");
        let (mut passed, mut warned) = (format!("{runs} with cuts passed"), String::new());
        if let without @ 1.. = seeds.count - with_cuts {
            let warning = format!(
                "no cut was made in {without} of {runs}: nothing passed through the proxy, or too little"
            );
            passed = format!("{with_cuts} of {runs} had cuts and passed");
            warned = format!("\n\nwarning: {warning}");
            self.report.warn(warning);
        }
        let shard = match self.options.shard {
            Shard::WHOLE => String::new(),
            shard => format!(", shard {shard}"),
        };
        let (first, last) = (seeds.get(0), seeds.get(seeds.count - 1));
        self.finish(&format!(
            "ok    {passed}, seeds {first} to {last}{shard}\n\nevery_split  held{warned}"
        ));
        Ok(true)
    }

    /// Runs the command with the cuts of a file. Returns whether it passes.
    pub(super) fn replay(&mut self, cuts: Cuts, file: &Path) -> Result<bool, Error> {
        self.check_uncut()?;
        let repeated = self.repeat(&cuts, CONFIRMATIONS)?;
        let made = repeated.log.as_ref().map_or(0, |log| log.cuts.len());
        let file = file.display();
        let name = format!("cuts of {file}");
        if repeated.failed > 0 {
            let history = format!("the cuts of {file}");
            let found = Found {
                cuts,
                repeated,
                history,
                replay: Some(self.options.replay_line()),
            };
            self.print_violation(&name, &found);
            return Ok(false);
        }
        if made == 0 {
            return Err(format!(
                "none of the cuts of {file} was reached: the connections are others, or shorter"
            )
            .into());
        }
        if let Some(log) = &repeated.log {
            self.record_passed(&name, log);
        }
        self.finish(&format!(
            "ok    {} with {made} of the {} of {file} passed\n\nevery_split  held",
            count(repeated.runs.into(), "run"),
            count(cuts.len() as u64, "cut"),
        ));
        Ok(true)
    }

    /// Makes sure that the command passes without cuts. Returns the last log.
    fn check_uncut(&mut self) -> Result<Log, Error> {
        let (mut failed, mut last, mut log) = (0, None, None);
        for _ in 0..UNCUT_RUNS {
            self.show("uncut".into());
            let run = self.run(Plan::Uncut, Kept::Numbers)?;
            match run.failure {
                Some(failure) => {
                    failed += 1;
                    last = Some((failure, run.log.traffic.clone()));
                }
                None => self.uncut += 1,
            }
            log = Some(run.log);
        }
        if let Some((failure, traffic)) = last {
            if let Some(refusal) = traffic.refusal {
                return Err(format!(
                    "cannot connect to {}: {refusal}; start the server, or check --to",
                    self.options.to
                )
                .into());
            }
            if self.uncut > 0 {
                let runs = failed + self.uncut;
                return Err(format!(
                    "the test command passes only sometimes: it failed in {failed} of {runs} runs without cuts ({failure}); it must always pass before it can be tested"
                )
                .into());
            }
            return Err(format!(
                "the test command fails without cuts ({failure}); it must pass before it can be tested, at the address in EVERYSPLIT_ADDRESS"
            )
            .into());
        }
        let log = log.ok_or("there was no run")?;
        if log.traffic.bytes() == 0 {
            return Err(
                "the test command sent nothing through the proxy; let it connect to the address in EVERYSPLIT_ADDRESS"
                    .into(),
            );
        }
        Ok(log)
    }

    /// Repeats a failure, reduces it, and prints it.
    fn failed(&mut self, seed: u64, cuts: Cuts, failure: &Failure) -> Result<bool, Error> {
        let saved = self.save(&cuts);
        let again = match &saved {
            Ok(()) => format!("to try again: --replay {}", self.options.save.display()),
            Err(error) => error.clone(),
        };
        let once = format!("the test command failed once with seed {seed} ({failure})");
        let repeated = self
            .repeat(&cuts, REPETITIONS)
            .map_err(|error| format!("{error}; {once}; {again}"))?;
        let mut found = Found {
            history: format!("seed {seed}, with {}", count(cuts.len() as u64, "cut")),
            cuts,
            repeated,
            replay: None,
        };
        let before = self.runs;
        let result = self.confirm(&mut found, &once);
        let _ = match &result {
            Ok(()) => write!(found.history, ", reduced in {} runs", self.runs - before),
            Err(error) if stop::requested() && found.repeated.failed > 0 => {
                write!(found.history, ", not fully reduced: {error}")
            }
            Err(error) => return Err(format!("{error}; {again}").into()),
        };
        let reduced = self.save(&found.cuts);
        let is_saved = saved.is_ok() || reduced.is_ok();
        found.replay = is_saved.then(|| self.options.replay_line());
        self.print_violation(&format!("seed {seed}"), &found);
        if let Err(error) = reduced {
            print_error(&error);
        }
        Ok(false)
    }

    /// Makes sure that the cuts are what makes the command fail, and reduces them as far as
    /// possible.
    fn confirm(&mut self, found: &mut Found, once: &str) -> Result<(), Error> {
        let failed = found.repeated.failed;
        // A command that fails by itself is no finding.
        self.check_uncut()
            .map_err(|error| format!("{once}; after that, {error}"))?;
        if failed == 0 {
            return Err(format!(
                "{once}, and passed {REPETITIONS} times with the same cuts: either the cause is timing, or it passes only sometimes"
            )
            .into());
        }
        let chances = chances(failed);
        let (cuts, result) = reduce(&found.cuts, |cuts| self.fails(cuts, chances));
        found.cuts = cuts;
        result?;
        let repeated = self.repeat(&found.cuts, CONFIRMATIONS)?;
        self.check_uncut()?;
        if repeated.failed == 0 {
            return Err(format!(
                "{once}, in {failed} of {REPETITIONS} runs with the same cuts, and never again with the fewest of them: it depends on timing"
            )
            .into());
        }
        found.repeated = repeated;
        Ok(())
    }

    /// Returns whether the command fails with these cuts in one of some runs.
    fn fails(&mut self, cuts: &Cuts, chances: u32) -> Result<bool, Error> {
        self.show(format!("reducing: {}", count(cuts.len() as u64, "cut")));
        for _ in 0..chances {
            let run = self.run(Plan::Exact(cuts.clone()), Kept::Numbers)?;
            if run.failure.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Runs the command some times with the same cuts.
    fn repeat(&mut self, cuts: &Cuts, runs: u32) -> Result<Repeated, Error> {
        let mut repeated = Repeated::default();
        for _ in 0..runs {
            self.show(format!("repeating: {}", count(cuts.len() as u64, "cut")));
            let run = self.run(Plan::Exact(cuts.clone()), Kept::Context)?;
            repeated.runs += 1;
            repeated.failed += u32::from(run.failure.is_some());
            if repeated.failure.is_none() {
                repeated.failure = run.failure;
                repeated.log = Some(run.log);
            }
        }
        Ok(repeated)
    }

    fn run(&mut self, plan: Plan, kept: Kept) -> Result<Run, Error> {
        self.runs += 1;
        self.command.run(plan, kept)
    }

    fn show(&self, what: String) {
        self.progress.set_message(what);
        self.progress.tick();
    }

    /// Prints the end of a run.
    fn finish(&self, verdict: &str) {
        self.progress.finish_and_clear();
        let printed = print_line(&format!("{verdict}\n\n{}", self.covered()));
        if let Err(error) = printed {
            print_error(&error);
        }
    }

    fn print_violation(&mut self, name: &str, found: &Found) {
        let Found {
            cuts,
            repeated,
            history,
            replay,
        } = found;
        let (property, runs, uncut) = (Property::EverySplit, repeated.runs, self.uncut);
        let mut text = format!("{}: {}\n", property.name(), property.sentence());
        let contexts = repeated.log.as_ref().map(|log| &log.context);
        for cut in cuts.iter().take(MAX_PRINTED) {
            let context = contexts.and_then(|contexts| contexts.get(&cut));
            let _ = writeln!(text, "{}", cut_text(cut, context));
        }
        if let Some(more @ 1..) = cuts.len().checked_sub(MAX_PRINTED) {
            let _ = writeln!(text, "  and {} more", count(more as u64, "cut"));
        }
        let _ = writeln!(
            text,
            "  expected  the test command passes, as in {uncut} of {uncut} runs without cuts"
        );
        if let Some(failure) = &repeated.failure {
            let _ = writeln!(text, "  actual    it fails: {failure}");
        }
        let _ = writeln!(
            text,
            "  fails     {} of {runs} with {}",
            repeated.failed,
            count(cuts.len() as u64, "cut")
        );
        let _ = writeln!(text, "  found     {history}");
        if let Some(replay) = replay {
            let _ = writeln!(text, "  run       {replay}");
        }
        let bytes = repeated.log.as_ref().map_or(0, |log| log.traffic.bytes());
        self.report.failed(name, bytes, &text);
        self.finish(&format!("{text}\nevery_split  violated"));
    }

    fn record_passed(&mut self, name: &str, log: &Log) {
        let bytes = log.traffic.bytes();
        if log.traffic.cuts() == 0 {
            return self.report.not_checked(name, bytes, "no cut was made");
        }
        let cuts = count(log.cuts.len() as u64, "cut");
        self.report.passed(name, bytes, &cuts);
    }

    /// Writes the cuts to the file that replays them.
    fn save(&self, cuts: &Cuts) -> Result<(), String> {
        let path = &self.options.save;
        let line = self.options.replay_line();
        let text = format!(
            "# The test command fails with these cuts. To replay them:\n\
             # {line}\n\
             # Connections are numbered in the order in which they are accepted. Each cut is the\n\
             # number of bytes before it.\n\
             {cuts}"
        );
        file::replace(path, text.as_bytes()).map_err(|error| cannot_write(path, &error))
    }
}

impl Drop for Suite<'_> {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

/// Returns how often fewer cuts are tried until one run fails, given how many of the repetitions
/// failed: what fails now and then gets several chances.
const fn chances(failed: u32) -> u32 {
    match failed {
        REPETITIONS => 1,
        _ => CONFIRMATIONS,
    }
}

fn cannot_write(file: &Path, error: &io::Error) -> String {
    format!(
        "cannot write {}: {error}; choose another --save file",
        file.display()
    )
}

/// Returns a cut in words, with the bytes around it.
fn cut_text(Cut { stream, at }: Cut, context: Option<&Context>) -> String {
    let text = format!("  {stream}: cut after byte {at}");
    let Some(Context { before, after }) = context else {
        return format!("{text}, not reached");
    };
    let bytes = |bytes: &[u8]| {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.join(" ")
    };
    format!(
        "{text}\n    {}|{}\n    \"{}|{}\"",
        bytes(before),
        bytes(after),
        before.escape_ascii(),
        after.escape_ascii()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_now_and_then_gets_several_chances() {
        assert_eq!(chances(REPETITIONS), 1);
        assert_eq!(chances(REPETITIONS - 1), CONFIRMATIONS);
    }
}
