//! The driver's process: writes requests to its stdin and parses replies from its stdout.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::process::ChildProcess;
use crate::stop;

/// Maximum length of a line, in bytes.
const MAX_LINE: u64 = 64 * 1024 * 1024;
/// Maximum number of lines read ahead.
const MAX_LINES: usize = 1024;
/// Time between checks of the memory while waiting for a line.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running driver.
pub(super) struct RunningDriver {
    pub(super) process: ChildProcess,
    requests: Sender<String>,
    lines: Receiver<String>,
    /// The saved state of a fresh decoder, if the driver has save and load.
    pub(super) fresh: Option<Rc<str>>,
}

/// The reply to one request.
#[derive(Default)]
pub(super) struct DriverReply {
    pub(super) frames: Vec<String>,
    pub(super) error: Option<String>,
    /// The text after `ready`.
    pub(super) ready: String,
}

/// What a driver may use for a reply.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) timeout: Duration,
    /// In MiB.
    pub(super) max_memory: u64,
    pub(super) max_frames: usize,
}

impl RunningDriver {
    pub(super) fn start(command: &[OsString]) -> Result<Self, String> {
        let (process, stdin, stdout) = ChildProcess::start_with_pipes(command)?;
        Ok(Self {
            process,
            requests: write_requests(stdin),
            lines: read_lines(stdout),
            fresh: None,
        })
    }

    /// Sends some requests at once, and returns the reply to each.
    pub(super) fn exchange(
        &self,
        requests: String,
        count: usize,
        limits: Limits,
    ) -> Result<Vec<DriverReply>, Failure> {
        // If the driver has ended, there is no reply either.
        let _ = self.requests.send(requests);
        (0..count).map(|_| self.reply(limits)).collect()
    }

    fn reply(&self, limits: Limits) -> Result<DriverReply, Failure> {
        let mut reply = DriverReply::default();
        let deadline = Instant::now() + limits.timeout;
        loop {
            let line = self.line(deadline, limits)?;
            let line = line.strip_suffix('\n').unwrap_or(&line);
            let line = line.trim_end_matches('\r');
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "ready" => {
                    reply.ready = rest.into();
                    return Ok(reply);
                }
                "frame" if reply.frames.len() == limits.max_frames => {
                    return Err(Failure::TooManyFrames(limits.max_frames));
                }
                "frame" if reply.error.is_none() => reply.frames.push(rest.into()),
                "error" if reply.error.is_none() => reply.error = Some(rest.into()),
                _ => return Err(Failure::UnknownLine(line.into())),
            }
        }
    }

    /// Waits for a line, and checks the limits meanwhile.
    fn line(&self, deadline: Instant, limits: Limits) -> Result<String, Failure> {
        loop {
            match self.lines.recv_timeout(POLL_INTERVAL.min(limits.timeout)) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Ended),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() > deadline {
                return Err(Failure::Timeout(limits.timeout));
            }
            if let Some(memory) = self.process.memory()
                && memory.now / 1024 > limits.max_memory
            {
                return Err(Failure::TooMuchMemory(memory.now / 1024));
            }
            if stop::requested() {
                return Err(Failure::Stopped);
            }
        }
    }
}

/// Writes requests in a thread, which blocks if the driver does not read.
fn write_requests(mut stdin: ChildStdin) -> Sender<String> {
    let (sender, requests) = mpsc::channel::<String>();
    thread::spawn(move || {
        for request in requests {
            // If the driver has ended, the missing reply shows it.
            let _ = stdin.write_all(request.as_bytes());
            let _ = stdin.flush();
        }
    });
    sender
}

/// Reads lines in a thread, to the end of stdout.
fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::sync_channel(MAX_LINES);
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        loop {
            let mut line = Vec::new();
            let read = (&mut stdout).take(MAX_LINE).read_until(b'\n', &mut line);
            let line = String::from_utf8_lossy(&line).into_owned();
            if read.unwrap_or(0) == 0 || sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
