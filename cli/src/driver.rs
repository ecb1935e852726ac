//! A driver: the program that contains the decoder under test. Restarts it after a failure, and
//! enforces its limits. The protocol is described in `cli/drivers/PROTOCOL.md`.

mod decoder;
mod failure;
mod running;

pub(crate) use decoder::{DecoderError, DriverDecoder, ErrorComparison, SavedDecoder};

use std::ffi::OsString;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::{Error, stop};
use failure::Failure;
use running::{DriverReply, Limits, RunningDriver};

/// The version of the protocol.
const PROTOCOL_VERSION: &str = "1";
/// Maximum number of replies that time out while one violation is minimised.
const MAX_TIMEOUTS: usize = 20;
/// Maximum number of bytes of requests while one violation is minimised.
const MAX_MINIMIZED_BYTES: u64 = 32 * 1024 * 1024;

/// How to run a driver.
pub(crate) struct DriverSettings {
    /// The program and its arguments.
    pub(crate) command: Vec<OsString>,
    /// The configuration of a fresh decoder: ` KEY=VALUE` for each entry.
    pub(crate) config: String,
    /// Maximum time to wait for a reply.
    pub(crate) timeout: Duration,
    /// Maximum memory, in MiB.
    pub(crate) max_memory: u64,
    /// Maximum number of frames in one reply.
    pub(crate) max_frames: usize,
}

/// A driver. After a failure, the next request starts a new process.
pub(crate) struct Driver {
    settings: DriverSettings,
    running: Option<RunningDriver>,
    /// How long to wait for a reply now: shorter after a timeout.
    timeout: Duration,
    /// The longest time that a reply took.
    slowest_reply: Duration,
    /// Number of timeouts since the last reset.
    timeouts: usize,
    feeds: u64,
    /// Number of bytes of all requests.
    bytes: u64,
    /// That number when minimising began.
    bytes_before: Option<u64>,
}

impl Driver {
    /// Starts a driver. Also returns the saved state of a fresh decoder if the driver has save
    /// and load.
    pub(crate) fn start(settings: DriverSettings) -> Result<(Self, Option<Rc<str>>), Error> {
        let mut driver = Self {
            timeout: settings.timeout,
            settings,
            running: None,
            slowest_reply: Duration::ZERO,
            timeouts: 0,
            feeds: 0,
            bytes: 0,
            bytes_before: None,
        };
        let fresh = driver
            .run()
            .map_err(|failure| match stop::reason() {
                Some(reason) => reason.into(),
                None => format!("{failure}; see cli/drivers/PROTOCOL.md"),
            })?
            .fresh
            .clone();
        Ok((driver, fresh))
    }

    /// Returns the number of requests that fed the decoder or ended its stream.
    pub(crate) const fn feeds(&self) -> u64 {
        self.feeds
    }

    /// Waits for replies as long as at first from now on.
    pub(crate) const fn reset(&mut self) {
        self.timeout = self.settings.timeout;
        self.timeouts = 0;
        self.bytes_before = None;
    }

    /// Returns whether a violation may be minimised further: not after many timeouts, and long
    /// streams not for long.
    pub(crate) fn may_minimize(&mut self) -> bool {
        let before = *self.bytes_before.get_or_insert(self.bytes);
        self.timeouts < MAX_TIMEOUTS && self.bytes - before < MAX_MINIMIZED_BYTES
    }

    /// Returns the running process; starts one if there is none.
    fn run(&mut self) -> Result<&mut RunningDriver, String> {
        if self.running.is_none() {
            self.running = Some(RunningDriver::start(&self.settings.command)?);
            self.greet().map_err(|failure| self.fail(&failure))?;
        }
        self.running
            .as_mut()
            .ok_or_else(|| "the driver is not running".into())
    }

    /// Exchanges versions, and saves a fresh decoder if the driver can.
    fn greet(&mut self) -> Result<(), Failure> {
        let hello = format!("hello {PROTOCOL_VERSION}\n");
        let replies = self.exchange(hello, 1, self.settings.timeout)?;
        let ready = &replies[0].ready;
        let mut words = ready.split(' ');
        if words.next() != Some(PROTOCOL_VERSION) {
            return Err(Failure::WrongVersion(ready.clone()));
        }
        if words.any(|word| word == "states") {
            let requests = format!("new{}\nsave\n", self.settings.config);
            let replies = self.exchange(requests, 2, self.settings.timeout)?;
            if let Some(running) = &mut self.running {
                running.fresh = Some(replies[1].ready.as_str().into());
            }
        }
        Ok(())
    }

    /// Sends some requests at once, and returns the reply to each.
    fn exchange(
        &self,
        requests: String,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<DriverReply>, Failure> {
        let limits = Limits {
            timeout,
            max_memory: self.settings.max_memory,
            max_frames: self.settings.max_frames,
        };
        match &self.running {
            Some(running) => running.exchange(requests, count, limits),
            None => Err(Failure::Ended),
        }
    }

    /// Sends requests of which one feeds the decoder or ends its stream.
    ///
    /// # Errors
    ///
    /// A message on why there is no reply; the driver has been ended.
    fn request(&mut self, requests: String, count: usize) -> Result<Vec<DriverReply>, String> {
        if stop::requested() {
            return Err(Failure::Stopped.to_string());
        }
        self.run()?;
        self.feeds += 1;
        self.bytes += requests.len() as u64;
        let begun = Instant::now();
        let waited = self.timeout;
        let replies = self.exchange(requests, count, waited);
        let took = begun.elapsed();
        if replies.is_ok() {
            self.slowest_reply = took.max(self.slowest_reply);
        } else if took >= self.timeout {
            // Long enough that a slow driver is not taken for one that hangs.
            let shorter = (self.settings.timeout / 10).max(8 * self.slowest_reply);
            self.timeout = shorter.min(self.settings.timeout);
            self.timeouts += 1;
        }
        replies.map_err(|failure| {
            let timeout = self.settings.timeout;
            self.fail(&match failure {
                Failure::Timeout(_) if waited < timeout => {
                    Failure::LaterTimeout { waited, timeout }
                }
                failure => failure,
            })
        })
    }

    /// Ends the process after a failure, and returns a message with its exit status and the last
    /// line of its stderr.
    fn fail(&mut self, failure: &Failure) -> String {
        let Some(mut running) = self.running.take() else {
            return failure.to_string();
        };
        let status = running.process.exit_status_soon();
        let status = status.map_or(String::new(), |status| format!(" ({status})"));
        running.process.kill();
        format!("{failure}{status}{}", running.process.stderr_note())
    }
}
