//! A driver as a subject: the program is started, asked, watched, and ended. It knows
//! no property.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use everysplit::{Frames, Subject};

use crate::Cannot;
use crate::process::Process;
use crate::stop;

/// The version of the protocol, see `drivers/PROTOCOL.md`.
const VERSION: &str = "1";
/// The longest line that a driver may write, in bytes.
const LINE: u64 = 64 * 1024 * 1024;
/// How often a driver that does not answer is asked to make a violation small.
const WAITS: usize = 20;
/// How often its memory is looked at while it is waited for.
const TICK: Duration = Duration::from_millis(50);

/// How a driver is run.
pub(crate) struct Driver {
    pub(crate) command: Vec<OsString>,
    /// What a fresh decoder is configured with.
    pub(crate) config: String,
    /// How long it may take to answer.
    pub(crate) timeout: Duration,
    /// How much memory it may take, in MiB.
    pub(crate) memory: u64,
    /// How many frames it may give in one answer.
    pub(crate) frames: usize,
}

/// A driver, and the program that runs now: there is a new one behind each that was
/// ended.
pub(crate) struct Drivers {
    driver: Driver,
    /// How long it is waited for now: less while a violation is made small by a driver
    /// that did not answer once.
    patience: Duration,
    /// The longest that an answer took.
    slowest: Duration,
    /// How often it was waited for in vain.
    waits: usize,
    running: Option<Running>,
    /// How many times it was asked for frames.
    feeds: u64,
    /// How many had to be ended.
    ended: u64,
}

struct Running {
    process: Process,
    messages: Sender<String>,
    lines: Receiver<String>,
    /// What a fresh decoder was saved under, if it can save and load.
    fresh: Option<Rc<str>>,
}

/// What a driver answers to one message.
#[derive(Default)]
struct Answer {
    frames: Vec<String>,
    error: Option<String>,
    /// What stands behind `ready`.
    ready: String,
}

impl Drivers {
    /// Starts a driver, and tells what a fresh decoder was saved under, if it can save
    /// and load.
    pub(crate) fn start(driver: Driver) -> Result<(Self, Option<Rc<str>>), Cannot> {
        let mut drivers = Self {
            patience: driver.timeout,
            waits: 0,
            slowest: Duration::ZERO,
            driver,
            running: None,
            feeds: 0,
            ended: 0,
        };
        let running = drivers
            .run()
            .map_err(|stuck| format!("{stuck}; see drivers/PROTOCOL.md"))?;
        let fresh = running.fresh.clone();
        Ok((drivers, fresh))
    }

    /// Returns how many times a driver was asked for frames.
    pub(crate) const fn feeds(&self) -> u64 {
        self.feeds
    }

    /// Waits as long as at first from now on.
    pub(crate) const fn renew(&mut self) {
        self.patience = self.driver.timeout;
        self.waits = 0;
    }

    /// Returns whether a driver was waited for in vain so often that it is enough.
    pub(crate) const fn worn(&self) -> bool {
        self.waits >= WAITS
    }

    /// Returns the program that runs, a new one if there is none.
    fn run(&mut self) -> Result<&mut Running, String> {
        if self.running.is_none() {
            let running = Running::start(&self.driver.command)?;
            let running = self.running.insert(running);
            let hello = running.ask(
                format!("hello {VERSION}\n"),
                1,
                &self.driver,
                self.driver.timeout,
            );
            let answers = match hello {
                Ok(answers) => answers,
                Err(stuck) => return Err(self.end(&stuck)),
            };
            let mut words = answers[0].ready.split(' ');
            if words.next() != Some(VERSION) {
                let ready = &answers[0].ready;
                let stuck = format!(
                    "the driver speaks another version of the protocol: it answered \"ready {ready}\" to \"hello {VERSION}\""
                );
                return Err(self.end(&stuck));
            }
            if words.any(|word| word == "states") {
                let messages = format!("new{}\nsave\n", self.driver.config);
                match running.ask(messages, 2, &self.driver, self.driver.timeout) {
                    Ok(answers) => running.fresh = Some(answers[1].ready.as_str().into()),
                    Err(stuck) => return Err(self.end(&stuck)),
                }
            }
        }
        self.running
            .as_mut()
            .ok_or_else(|| "there is no driver".into())
    }

    /// Asks some messages at once.
    fn ask(&mut self, messages: String, count: usize) -> Result<Vec<Answer>, String> {
        if stop::requested() {
            return Err("it was to stop".into());
        }
        self.run()?;
        self.feeds += 1;
        let Self {
            driver,
            running,
            patience,
            slowest,
            ..
        } = self;
        let begun = Instant::now();
        let asked = running
            .as_mut()
            .map(|running| running.ask(messages, count, driver, *patience));
        let asked = asked.unwrap_or_else(|| Err("there is no driver".into()));
        let took = begun.elapsed();
        if asked.is_err() && took >= *patience {
            // One that is slow is not taken for one that hangs.
            *patience = (driver.timeout / 10).max(8 * *slowest).min(driver.timeout);
            self.waits += 1;
        } else if asked.is_ok() {
            *slowest = took.max(*slowest);
        }
        asked.map_err(|stuck| self.end(&stuck))
    }

    /// Returns how many drivers had to be ended.
    pub(crate) const fn ended(&self) -> u64 {
        self.ended
    }

    /// Ends the program that runs, and tells why with what it wrote to stderr.
    fn end(&mut self, stuck: &str) -> String {
        self.ended += 1;
        let Some(mut running) = self.running.take() else {
            return stuck.into();
        };
        let ended = running.process.ends();
        let ended = ended.map_or(String::new(), |status| format!(" ({status})"));
        running.process.end();
        format!("{stuck}{ended}{}", running.process.last_words())
    }
}

impl Running {
    fn start(command: &[OsString]) -> Result<Self, String> {
        let (process, mut stdin, stdout) = Process::start_talking(command)?;
        // A driver that does not read keeps a thread waiting, and nobody else.
        let (messages, asked) = mpsc::channel::<String>();
        thread::spawn(move || {
            for messages in asked {
                // A driver that has ended is found out by what it does not answer.
                let _ = stdin.write_all(messages.as_bytes());
                let _ = stdin.flush();
            }
        });
        let (sender, lines) = mpsc::sync_channel(1024);
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            loop {
                let mut line = Vec::new();
                let read = (&mut stdout).take(LINE).read_until(b'\n', &mut line);
                let line = String::from_utf8_lossy(&line).into_owned();
                if read.unwrap_or(0) == 0 || sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            process,
            messages,
            lines,
            fresh: None,
        })
    }

    fn ask(
        &self,
        messages: String,
        count: usize,
        driver: &Driver,
        patience: Duration,
    ) -> Result<Vec<Answer>, String> {
        let _ = self.messages.send(messages);
        (0..count).map(|_| self.answer(driver, patience)).collect()
    }

    fn answer(&self, driver: &Driver, patience: Duration) -> Result<Answer, String> {
        let mut answer = Answer::default();
        let until = Instant::now() + patience;
        loop {
            let line = self.line(until, driver, patience)?;
            let line = line
                .strip_suffix('\n')
                .unwrap_or(&line)
                .trim_end_matches('\r');
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "ready" => {
                    answer.ready = rest.into();
                    return Ok(answer);
                }
                "frame" if answer.frames.len() == driver.frames => {
                    let most = driver.frames;
                    return Err(format!("the driver gave more than {most} frames at once"));
                }
                "frame" if answer.error.is_none() => answer.frames.push(rest.into()),
                "error" if answer.error.is_none() => answer.error = Some(rest.into()),
                _ => {
                    let line: String = line.chars().take(80).collect();
                    return Err(format!(
                        "the driver wrote a line that is no answer: {line:?}"
                    ));
                }
            }
        }
    }

    fn line(&self, until: Instant, driver: &Driver, patience: Duration) -> Result<String, String> {
        loop {
            match self.lines.recv_timeout(TICK.min(patience)) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err("the driver ended".into()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() > until {
                return Err(format!("the driver did not answer within {patience:?}"));
            }
            let held = self.process.memory().map(|memory| memory.now / 1024);
            if let Some(held) = held.filter(|&held| held > driver.memory) {
                return Err(format!("the driver takes {held} MiB of memory"));
            }
            if stop::requested() {
                return Err("it was to stop".into());
            }
        }
    }
}

/// Which errors are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// Those of different kinds.
    Kinds,
    /// None.
    Alike,
}

/// An error of a decoder.
#[derive(Clone)]
pub(crate) struct Refused {
    pub(crate) kind: String,
    pub(crate) errors: Errors,
}

impl PartialEq for Refused {
    fn eq(&self, other: &Self) -> bool {
        self.errors == Errors::Alike || self.kind == other.kind
    }
}

impl Eq for Refused {}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)
    }
}

/// A decoder in a driver that cannot save it: only one at a time.
pub(crate) struct Session {
    drivers: Rc<RefCell<Drivers>>,
    errors: Errors,
    begun: bool,
}

impl Session {
    pub(crate) fn new(drivers: &Rc<RefCell<Drivers>>, errors: Errors) -> Self {
        Self {
            drivers: Rc::clone(drivers),
            errors,
            begun: false,
        }
    }

    /// Asks for frames, of a fresh decoder at first.
    fn ask(&mut self, message: &str, frames: &mut Frames<String>) -> Result<(), Refused> {
        let mut drivers = self.drivers.borrow_mut();
        let (messages, index) = if std::mem::replace(&mut self.begun, true) {
            (message.into(), 0)
        } else {
            (format!("new{}\n{message}", drivers.driver.config), 1)
        };
        let answers = drivers.ask(messages, index + 1);
        give(answers, index, self.errors, frames).0
    }
}

impl Subject for Session {
    type Frame = String;
    type Error = Refused;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<String>) -> Result<(), Refused> {
        let mut messages = String::new();
        feed(&mut messages, chunk);
        self.ask(&messages, frames)
    }

    fn finish(&mut self, frames: &mut Frames<String>) -> Result<(), Refused> {
        self.ask("finish\n", frames)
    }
}

/// A decoder in a driver that can save it: what it was saved under is all there is of
/// it here.
#[derive(Clone)]
pub(crate) struct State {
    drivers: Rc<RefCell<Drivers>>,
    errors: Errors,
    saved: Rc<str>,
}

impl State {
    pub(crate) fn new(drivers: &Rc<RefCell<Drivers>>, errors: Errors, fresh: &Rc<str>) -> Self {
        Self {
            drivers: Rc::clone(drivers),
            errors,
            saved: Rc::clone(fresh),
        }
    }
}

/// Equal when the driver says that they will do the same.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.saved == other.saved
    }
}

impl Eq for State {}

impl Subject for State {
    type Frame = String;
    type Error = Refused;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<String>) -> Result<(), Refused> {
        let mut messages = format!("load {}\n", self.saved);
        feed(&mut messages, chunk);
        messages.push_str("save\n");
        let answers = self.drivers.borrow_mut().ask(messages, 3);
        let (result, saved) = give(answers, 1, self.errors, frames);
        self.saved = saved.into();
        result
    }

    fn finish(&mut self, frames: &mut Frames<String>) -> Result<(), Refused> {
        let messages = format!("load {}\nfinish\n", self.saved);
        let answers = self.drivers.borrow_mut().ask(messages, 2);
        give(answers, 1, self.errors, frames).0
    }
}

fn feed(messages: &mut String, chunk: &[u8]) {
    messages.push_str("feed");
    if !chunk.is_empty() {
        messages.push(' ');
        messages.push_str(&hex::encode(chunk));
    }
    messages.push('\n');
}

/// Gives the frames of an answer; returns its result, and what stands behind the last
/// `ready`. A driver that is stuck panics, which the checks tell.
fn give(
    answers: Result<Vec<Answer>, String>,
    index: usize,
    errors: Errors,
    frames: &mut Frames<String>,
) -> (Result<(), Refused>, String) {
    let mut answers = answers.unwrap_or_else(|stuck| resume_unwind(Box::new(stuck)));
    let last = answers
        .last()
        .map_or(String::new(), |answer| answer.ready.clone());
    let answer = std::mem::take(&mut answers[index]);
    frames.extend(answer.frames);
    let result = match answer.error {
        None => Ok(()),
        Some(kind) => Err(Refused { kind, errors }),
    };
    (result, last)
}
