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

/// Maximum number of bytes that the thread reads at once.
const MAX_PIECE: u64 = 4 * 1024;
/// Maximum number of pieces read ahead.
const MAX_PIECES: usize = 1024;
const MEBIBYTE: u64 = 1024 * 1024;
/// Time between checks of the memory while waiting for a line.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running driver.
pub(super) struct RunningDriver {
    pub(super) process: ChildProcess,
    requests: Sender<String>,
    /// Lines in pieces: the last one of a line ends with a newline.
    pieces: Receiver<Vec<u8>>,
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
    /// In MiB, of its processes and of the reply.
    pub(super) max_memory: u64,
    pub(super) max_frames: usize,
}

impl RunningDriver {
    pub(super) fn start(command: &[OsString]) -> Result<Self, String> {
        let (process, stdin, stdout) = ChildProcess::start_with_pipes(command)?;
        Ok(Self {
            process,
            requests: write_requests(stdin),
            pieces: read_pieces(stdout),
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
        let mut wait = Wait::begin(limits);
        loop {
            let line = self.line(&mut wait)?;
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
    fn line(&self, wait: &mut Wait) -> Result<String, Failure> {
        let mut line = Vec::new();
        loop {
            match self.pieces.recv_timeout(wait.interval()) {
                Ok(piece) => {
                    wait.receives(piece.len(), &self.process)?;
                    line.extend(piece);
                    if line.ends_with(b"\n") {
                        return Ok(String::from_utf8_lossy(&line).into_owned());
                    }
                }
                // The last line may have no newline.
                Err(RecvTimeoutError::Disconnected) if !line.is_empty() => {
                    return Ok(String::from_utf8_lossy(&line).into_owned());
                }
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Ended),
                Err(RecvTimeoutError::Timeout) => {}
            }
            wait.check_time()?;
            wait.check_memory(&self.process)?;
        }
    }
}

/// A wait for a reply.
struct Wait {
    limits: Limits,
    deadline: Instant,
    next_check: Instant,
    /// Number of bytes of the reply so far.
    received: u64,
}

impl Wait {
    fn begin(limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            limits,
            deadline: now + limits.timeout,
            next_check: now + POLL_INTERVAL,
            received: 0,
        }
    }

    fn interval(&self) -> Duration {
        POLL_INTERVAL.min(self.limits.timeout)
    }

    /// Counts bytes of the reply, and checks what it and the processes hold.
    fn receives(&mut self, bytes: usize, process: &ChildProcess) -> Result<(), Failure> {
        self.received += bytes as u64;
        let max_memory = self.limits.max_memory;
        if self.received / MEBIBYTE >= max_memory.max(1) {
            return Err(Failure::LongReply(max_memory));
        }
        self.check_memory(process)
    }

    fn check_time(&self) -> Result<(), Failure> {
        if Instant::now() > self.deadline {
            return Err(Failure::Timeout(self.limits.timeout));
        }
        if stop::requested() {
            return Err(Failure::Stopped);
        }
        Ok(())
    }

    /// Checks the memory of the processes from time to time.
    fn check_memory(&mut self, process: &ChildProcess) -> Result<(), Failure> {
        let now = Instant::now();
        if now < self.next_check {
            return Ok(());
        }
        self.next_check = now + POLL_INTERVAL;
        match process.memory() {
            Some(memory) if memory.now / 1024 > self.limits.max_memory => {
                Err(Failure::TooMuchMemory(memory.now / 1024))
            }
            _ => Ok(()),
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

/// Reads lines in a thread, in pieces, to the end of stdout.
fn read_pieces(stdout: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, pieces) = mpsc::sync_channel(MAX_PIECES);
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        loop {
            let mut piece = Vec::new();
            let read = (&mut stdout).take(MAX_PIECE).read_until(b'\n', &mut piece);
            if read.unwrap_or(0) == 0 || sender.send(piece).is_err() {
                return;
            }
        }
    });
    pieces
}
