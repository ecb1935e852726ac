//! A driver: the program that contains the decoder under test. Restarts it after a failure, and
//! enforces its limits. `cli/drivers/PROTOCOL.md` describes the protocol.

pub(crate) mod check;
mod decoder;
mod failure;
mod handle;
mod reply;
mod rows;
mod running;
mod step;

pub(crate) use decoder::{
    CallerBufferedDecoder, Comparison, DecoderError, DriverDecoder, DriverFrame,
};

use std::ffi::OsString;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::process::ENDING_TIME;
use crate::{Error, stop};
use failure::Failure;
use reply::DriverReply;
use rows::{Row, Rows};
use running::{Greeting, Limits, RunningDriver, Version};
use step::Step;

/// Maximum number of replies that time out while one violation is minimised.
const MAX_TIMEOUTS: usize = 20;
/// Maximum number of bytes of requests while one violation is minimised.
const MAX_MINIMIZED_BYTES: u64 = 32 * 1024 * 1024;
/// Number of bytes fed in rows after which a driver is replaced, as it keeps a state for each of
/// their prefixes.
const MAX_ROW_BYTES: u64 = 32 * 1024 * 1024;

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
    /// The number of processes that have ended. The names of states are those of one process.
    generation: u64,
    /// What the last process that started has said about itself.
    greeting: Greeting,
    /// The stream that is being proved, and its rows; `None` if all streams are.
    stream: Option<Rc<[u8]>>,
    rows: Rows,
    /// Number of bytes fed in rows by this process.
    row_bytes: u64,
    /// In what way the driver has not kept to the protocol.
    misuse: Option<String>,
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
    /// Starts a driver.
    pub(crate) fn start(settings: DriverSettings) -> Result<Self, Error> {
        let mut driver = Self {
            timeout: settings.timeout,
            settings,
            running: None,
            generation: 0,
            greeting: Greeting::default(),
            stream: None,
            rows: Rows::default(),
            row_bytes: 0,
            misuse: None,
            slowest_reply: Duration::ZERO,
            timeouts: 0,
            feeds: 0,
            bytes: 0,
            bytes_before: None,
        };
        match driver.run() {
            Ok(_) => Ok(driver),
            Err(failure) => Err(match stop::reason() {
                Some(reason) => reason.into(),
                None => advice(&failure).into(),
            }),
        }
    }

    /// Returns whether the driver saves states, so that they can be compared.
    pub(crate) const fn has_states(&self) -> bool {
        self.greeting.fresh.is_some()
    }

    /// Returns whether the decoder's caller owns the buffer.
    pub(crate) const fn is_caller_buffered(&self) -> bool {
        self.greeting.is_caller_buffered
    }

    /// Returns the number of requests that fed the decoder or ended its stream.
    pub(crate) const fn feeds(&self) -> u64 {
        self.feeds
    }

    /// Returns in what way the driver has not kept to the protocol, if it has not. What it has
    /// replied is no evidence then.
    pub(crate) fn misuse(&self) -> Option<Error> {
        self.misuse.as_deref().map(|misuse| advice(misuse).into())
    }

    /// Changes the configuration of fresh decoders. Returns the one before.
    pub(crate) fn configure(&mut self, config: String) -> String {
        if config != self.settings.config {
            // The state of a fresh decoder is another.
            self.end();
        }
        std::mem::replace(&mut self.settings.config, config)
    }

    /// Waits for replies as long as at first from now on. `stream` is the one that is checked next.
    pub(crate) fn reset(&mut self, stream: &[u8]) {
        self.reset_for_any_stream();
        self.stream = Some(stream.into());
    }

    /// The same if all streams are checked next.
    pub(crate) fn reset_for_any_stream(&mut self) {
        self.timeout = self.settings.timeout;
        self.timeouts = 0;
        self.bytes_before = None;
        self.stream = None;
        self.rows.clear();
        if self.row_bytes > MAX_ROW_BYTES {
            self.end();
        }
    }

    /// Returns whether a violation may be minimised further: not after many timeouts, and long
    /// streams not for long.
    pub(crate) fn may_minimize(&mut self) -> bool {
        let before = *self.bytes_before.get_or_insert(self.bytes);
        self.misuse.is_none()
            && self.timeouts < MAX_TIMEOUTS
            && self.bytes - before < MAX_MINIMIZED_BYTES
    }

    /// Returns the step to a fresh decoder.
    fn fresh_step(&self) -> Step {
        Step::fresh(self.generation, self.greeting.fresh.clone())
    }

    /// Calls the decoder that the driver made last, or a fresh one.
    fn call_live(&mut self, fresh: bool, request: &str) -> Result<DriverReply, String> {
        let mut requests = String::new();
        if fresh {
            requests.push_str(&self.new_request());
        }
        requests.push_str(request);
        self.last_reply(requests, 1 + usize::from(fresh))
    }

    /// Calls a decoder in a saved state with bytes. Returns the reply with the new state, if the
    /// driver saved it.
    fn call_saved(&mut self, from: &Step, input: &[u8]) -> Result<DriverReply, String> {
        if let Some(state) = from.state(self.generation) {
            match self.greeting.version {
                Version::One => return self.load_and_save(state, input),
                Version::Two => {
                    if let Some(reply) = self.reply_of_row(state, from.offset(), input)? {
                        return Ok(reply);
                    }
                }
            }
        }
        self.call_on_path(from, &self.call_request(input))
    }

    /// Makes a decoder by feeding the path of a saved state to a fresh one, and calls it.
    fn call_on_path(&mut self, from: &Step, request: &str) -> Result<DriverReply, String> {
        let mut requests = self.new_request();
        let path = from.path();
        for input in &path {
            requests.push_str(&self.call_request(input));
        }
        requests.push_str(request);
        let mut reply = self.last_reply(requests, path.len() + 2)?;
        // Only a row names states.
        reply.forget_state(self.greeting.is_caller_buffered);
        Ok(reply)
    }

    /// Feeds a decoder in a saved state, and saves it, as in version 1 of the protocol.
    fn load_and_save(&mut self, state: &str, input: &[u8]) -> Result<DriverReply, String> {
        let requests = format!("load {state}\n{}save\n", self.call_request(input));
        let mut replies = Vec::with_capacity(3);
        self.request(requests, 3, |reply| {
            replies.push(reply);
            Ok(())
        })?;
        let saved = replies.pop().unwrap_or_default().ready;
        let reply = replies.pop().unwrap_or_default();
        Ok(DriverReply {
            ready: saved,
            ..reply
        })
    }

    /// Returns the reply to a call that a row has, and requests the row if need be. Returns `None`
    /// if the row cannot have it, or does not after a failure.
    fn reply_of_row(
        &mut self,
        state: &str,
        offset: usize,
        input: &[u8],
    ) -> Result<Option<DriverReply>, String> {
        let stream = self.stream.clone();
        if stream.is_none() {
            // Any bytes may come next: a row ends with these, and is used only once.
            self.rows.clear();
        }
        let rest = stream.as_deref().map_or(Some(input), |stream| {
            stream.get(offset..).filter(|rest| rest.starts_with(input))
        });
        let Some(rest) = rest else {
            return Ok(None);
        };
        if let Some(row) = self.rows.get(state, offset) {
            if let Some(reply) = row.take(input.len()) {
                return Ok(Some(reply));
            }
            if row.is_cut_off() {
                return Ok(None);
            }
        }
        let mut row = Row::default();
        let requests = format!("row {state}{}\n", hex_word(rest));
        let failure = self
            .request(requests, rest.len() + 1, |reply| {
                row.add(reply);
                Ok(())
            })
            .err();
        self.feeds += (row.len() as u64).saturating_sub(1);
        self.row_bytes += (rest.len() as u64).pow(2) / 2;
        if failure.is_some() {
            if let Some(failure) = failure.filter(|_| self.misuse.is_some() || stop::requested()) {
                return Err(failure);
            }
            // The call that made the driver fail is found when it is made by itself.
            row.cut_off(self.greeting.is_caller_buffered);
        }
        let reply = row.take(input.len());
        self.rows.insert(state, offset, row);
        Ok(reply)
    }

    fn new_request(&self) -> String {
        format!("new{}\n", self.settings.config)
    }

    fn call_request(&self, input: &[u8]) -> String {
        call_request(self.greeting.is_caller_buffered, input)
    }

    /// Returns the running process; starts one if there is none.
    fn run(&mut self) -> Result<&mut RunningDriver, String> {
        if self.running.is_none() {
            self.launch(2)?;
        }
        self.running
            .as_mut()
            .ok_or_else(|| "the driver is not running".into())
    }

    /// Starts the driver, and exchanges greetings in the given version or the one before.
    fn launch(&mut self, version: u8) -> Result<(), String> {
        let running = RunningDriver::start(&self.settings.command);
        let running = running.map_err(|failure| self.fail(&failure))?;
        self.running = Some(running);
        match self.greet(version) {
            Ok(()) => Ok(()),
            // It may know no other version than 1.
            Err(Failure::Ended) if version == 2 => {
                let failure = self.fail(&Failure::Ended);
                self.launch(1).map_err(|_| failure)
            }
            Err(failure) => Err(self.fail(&failure)),
        }
    }

    /// Exchanges versions, and learns whether the driver saves states.
    fn greet(&mut self, version: u8) -> Result<(), Failure> {
        let ready = self.exchange_one(format!("hello {version}\n"))?.ready;
        let mut words = ready.split(' ');
        let mut greeting = Greeting::default();
        match words.next() {
            Some("2") if version == 2 => {
                greeting.is_caller_buffered = words.any(|word| word == "buffer");
                let reply = self.exchange_one(self.new_request())?;
                greeting.fresh = reply.state(false).map(Into::into);
            }
            Some("1") => {
                greeting.version = Version::One;
                if words.any(|word| word == "states") {
                    self.exchange_one(self.new_request())?;
                    let saved = self.exchange_one("save\n".into())?;
                    greeting.fresh = Some(saved.ready.into());
                }
            }
            _ => return Err(Failure::WrongVersion(ready)),
        }
        self.greeting = greeting;
        Ok(())
    }

    /// Sends a request that does not feed the decoder.
    fn exchange_one(&mut self, request: String) -> Result<DriverReply, Failure> {
        let mut only = DriverReply::default();
        self.exchange(request, 1, self.settings.timeout, |reply| {
            only = reply;
            Ok(())
        })?;
        Ok(only)
    }

    /// Sends some requests at once, and passes the reply to each on.
    fn exchange(
        &mut self,
        requests: String,
        count: usize,
        timeout: Duration,
        take: impl FnMut(DriverReply) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let limits = Limits {
            timeout,
            max_memory: self.settings.max_memory,
            max_frames: self.settings.max_frames,
        };
        match &mut self.running {
            Some(running) => running.exchange(requests, count, limits, take),
            None => Err(Failure::Ended),
        }
    }

    /// Sends requests, of which the last one feeds the decoder or ends its stream, and returns the
    /// reply to it.
    fn last_reply(&mut self, requests: String, count: usize) -> Result<DriverReply, String> {
        let mut last = DriverReply::default();
        self.request(requests, count, |reply| {
            last = reply;
            Ok(())
        })?;
        Ok(last)
    }

    /// Sends requests of which one feeds the decoder or ends its stream.
    ///
    /// # Errors
    ///
    /// A message on why there is no reply; the driver has been ended.
    fn request(
        &mut self,
        requests: String,
        count: usize,
        take: impl FnMut(DriverReply) -> Result<(), Failure>,
    ) -> Result<(), String> {
        if stop::requested() {
            return Err(Failure::Stopped.to_string());
        }
        if let Some(misuse) = &self.misuse {
            return Err(misuse.clone());
        }
        self.run()?;
        self.feeds += 1;
        self.bytes += requests.len() as u64;
        let begun = Instant::now();
        let waited = self.timeout;
        let replies = self.exchange(requests, count, waited, take);
        let took = begun.elapsed() / u32::try_from(count).unwrap_or(u32::MAX);
        match replies {
            Ok(()) => {
                self.slowest_reply = took.max(self.slowest_reply);
                Ok(())
            }
            Err(Failure::Timeout(_)) => {
                // Long enough that a slow driver is not taken for one that hangs.
                let shorter = (self.settings.timeout / 10).max(8 * self.slowest_reply);
                self.timeout = shorter.min(self.settings.timeout);
                self.timeouts += 1;
                let timeout = self.settings.timeout;
                Err(self.fail(&if waited < timeout {
                    Failure::LaterTimeout { waited, timeout }
                } else {
                    Failure::Timeout(timeout)
                }))
            }
            Err(failure) => Err(self.fail(&failure)),
        }
    }

    /// Ends the process after a failure, and returns a message with its exit status and the part of
    /// its stderr that explains it.
    fn fail(&mut self, failure: &Failure) -> String {
        let message = match self.running.take() {
            None => failure.to_string(),
            Some(mut running) => {
                self.generation += 1;
                self.row_bytes = 0;
                let status = running.process.exit_status_within(ENDING_TIME);
                let status = status.map_or(String::new(), |status| format!(" ({status})"));
                running.process.kill();
                format!("{failure}{status}{}", running.process.stderr_note())
            }
        };
        if failure.is_misuse() {
            self.misuse.get_or_insert_with(|| message.clone());
        }
        message
    }

    /// Ends the process. The next request starts another.
    fn end(&mut self) {
        if self.running.take().is_some() {
            self.generation += 1;
            self.row_bytes = 0;
        }
    }
}

/// Returns a message about the driver's protocol, with a pointer to its description.
fn advice(message: &str) -> String {
    format!("{message}; \"everysplit protocol\" prints the protocol")
}

/// Returns the request that calls the decoder with bytes.
fn call_request(is_caller_buffered: bool, input: &[u8]) -> String {
    let word = if is_caller_buffered { "decode" } else { "feed" };
    format!("{word}{}\n", hex_word(input))
}

/// Returns bytes as the last word of a request, with the space before it: nothing if there are none.
fn hex_word(bytes: &[u8]) -> String {
    match bytes {
        [] => String::new(),
        bytes => format!(" {}", hex::encode(bytes)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A driver that does not reply to `finish`.
    const DRIVER: &str = "while read -r word rest; do case $word in \
        (hello) echo ready 2;; (finish) ;; (*) echo ready;; esac; done";

    fn driver() -> Driver {
        let settings = DriverSettings {
            command: ["sh", "-c", DRIVER].map(Into::into).into(),
            config: String::new(),
            timeout: Duration::from_secs(60),
            max_memory: 1 << 20,
            max_frames: 10,
        };
        Driver::start(settings).unwrap()
    }

    #[test]
    fn requests_and_timeouts_are_counted() {
        let mut driver = driver();
        driver.call_live(true, "feed 61\n").unwrap();
        driver.call_live(false, "feed\n").unwrap();
        assert_eq!(driver.bytes, 4 + 8 + 5);
        for timeouts in 1..3 {
            driver.timeout = Duration::from_millis(1);
            assert!(driver.call_live(false, "finish\n").is_err());
            assert_eq!(driver.timeouts, timeouts);
        }
        driver.reset(b"a");
        assert_eq!(driver.timeouts, 0);
    }

    #[test]
    fn minimising_ends_after_timeouts_many_bytes_or_misuse() {
        let mut driver = driver();
        driver.bytes = 3;
        assert!(driver.may_minimize());
        driver.bytes = 3 + MAX_MINIMIZED_BYTES - 1;
        driver.timeouts = MAX_TIMEOUTS - 1;
        assert!(driver.may_minimize());
        driver.timeouts = MAX_TIMEOUTS;
        assert!(!driver.may_minimize());
        driver.timeouts = 0;
        driver.bytes = 3 + MAX_MINIMIZED_BYTES;
        assert!(!driver.may_minimize());
        // The next violation.
        driver.reset(b"a");
        assert!(driver.may_minimize());
        driver.misuse = Some("misuse".into());
        assert!(!driver.may_minimize());
    }
}
