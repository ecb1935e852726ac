//! Runs the test command of the user through the proxy.

use std::fmt;
use std::time::{Duration, Instant};

use super::log::{Kept, Log, Traffic};
use super::plan::Plan;
use super::relay::Relay;
use crate::address::Address;
use crate::options::ProxyOptions;
use crate::process::{ChildProcess, Tail};
use crate::{Error, stop};

/// Time between checks whether the command has ended.
const CHECK_INTERVAL: Duration = Duration::from_millis(1);

/// The variables that name the proxy to the command: `HOST:PORT` or the path of a Unix socket,
/// and the port alone.
const ADDRESS: &str = "EVERYSPLIT_ADDRESS";
const PORT: &str = "EVERYSPLIT_PORT";

/// The test command, and the proxy through which it runs.
pub(super) struct TestCommand<'a> {
    relay: Relay,
    options: &'a ProxyOptions,
    /// What has passed through in all runs.
    pub(super) traffic: Traffic,
}

/// The result of one run.
pub(super) struct Run {
    /// How it failed, if it did.
    pub(super) failure: Option<Failure>,
    pub(super) log: Log,
}

/// How the test command failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Its exit status, or that it did not end.
    ending: String,
    /// The last line of its output.
    note: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.ending, self.note)
    }
}

impl<'a> TestCommand<'a> {
    pub(super) fn new(relay: Relay, options: &'a ProxyOptions) -> Self {
        Self {
            relay,
            options,
            traffic: Traffic::default(),
        }
    }

    /// Runs the command once.
    ///
    /// # Errors
    ///
    /// If the command cannot be started, or if the run must stop.
    pub(super) fn run(&mut self, plan: Plan, kept: Kept) -> Result<Run, Error> {
        self.relay.restart(plan, kept);
        let (mut process, stdout) =
            ChildProcess::start_with_environment(&self.options.command, &self.environment())?;
        let stdout = Tail::read(stdout);
        let failed = self.wait(&mut process);
        // Programs that it has started are no longer needed either.
        process.end();
        if failed.is_ok() {
            self.relay.drain(self.options.max_wait)?;
        }
        let log = self.relay.restart(Plan::Uncut, Kept::Numbers);
        self.traffic.add(&log.traffic);
        let failure = failed?.map(|ending| {
            let note = match process.stderr_note() {
                note if note.is_empty() => stdout.note("stdout", true),
                note => note,
            };
            Failure {
                ending,
                note: printable(&note),
            }
        });
        Ok(Run { failure, log })
    }

    /// Forwards until the command ends. Returns how it failed, if it did.
    fn wait(&mut self, process: &mut ChildProcess) -> Result<Option<String>, Error> {
        let (begun, max_idle) = (Instant::now(), self.options.max_idle);
        let mut checked = begun;
        loop {
            self.relay.turn(CHECK_INTERVAL)?;
            if checked.elapsed() < CHECK_INTERVAL {
                continue;
            }
            if let Some(reason) = stop::reason() {
                return Err(reason.into());
            }
            if let Some(status) = process.exit_status() {
                return Ok((!status.success()).then(|| status.to_string()));
            }
            if self.relay.log.last_active.max(begun).elapsed() > max_idle {
                let ending = format!(
                    "did not end: no byte passed for {} s, see --max-idle",
                    max_idle.as_secs_f64()
                );
                return Ok(Some(ending));
            }
            checked = Instant::now();
        }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        match self.relay.address() {
            Address::Tcp { resolved, .. } => vec![
                (ADDRESS, resolved[0].to_string()),
                (PORT, resolved[0].port().to_string()),
            ],
            Address::Unix(path) => vec![(ADDRESS, path.clone())],
        }
    }
}

/// Returns text in which control characters are escaped: it comes from another program.
fn printable(text: &str) -> String {
    let escape = |character: char| {
        if character.is_control() {
            character.escape_default().to_string()
        } else {
            character.to_string()
        }
    };
    text.chars().map(escape).collect()
}
