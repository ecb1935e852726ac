//! The driver's process: writes requests to its stdin and parses replies from its stdout.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::mem;
use std::ops::{ControlFlow, Range};
use std::process::{ChildStdin, ChildStdout};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::reply::{DriverReply, ReplyLine};
use crate::process::ChildProcess;
use crate::stop;

/// Maximum number of bytes that the thread reads at once.
const MAX_PIECE: usize = 32 * 1024;
/// Maximum number of pieces read ahead.
const MAX_PIECES: usize = 128;
const MEBIBYTE: u64 = 1024 * 1024;
/// Time between checks of the memory while waiting for a line.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running driver.
pub(super) struct RunningDriver {
    pub(super) process: ChildProcess,
    /// `None` once stdin is closed.
    requests: Option<Sender<String>>,
    /// What the driver writes, in pieces.
    pieces: Receiver<Vec<u8>>,
    /// The part of them that is being parsed, and where its next line begins.
    buffer: Vec<u8>,
    begin: usize,
}

/// What a driver has said about itself.
#[derive(Clone, Default)]
pub(super) struct Greeting {
    pub(super) version: Version,
    /// Whether the decoder's caller owns the buffer.
    pub(super) is_caller_buffered: bool,
    /// The saved state of a fresh decoder, if the driver saves states.
    pub(super) fresh: Option<Rc<str>>,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    One,
    #[default]
    Two,
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
    pub(super) fn start(command: &[OsString]) -> Result<Self, Failure> {
        let (process, stdin, stdout) =
            ChildProcess::start_with_pipes(command).map_err(Failure::CannotStart)?;
        Ok(Self {
            process,
            requests: Some(write_requests(stdin)),
            pieces: read_pieces(stdout),
            buffer: Vec::new(),
            begin: 0,
        })
    }

    /// Sends some requests at once, and passes each of `count` replies on.
    pub(super) fn exchange(
        &mut self,
        requests: String,
        count: usize,
        limits: Limits,
        mut take: impl FnMut(DriverReply) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // If the driver has ended, there is no reply either.
        let _ = self.requests.as_ref().map(|stdin| stdin.send(requests));
        (0..count).try_for_each(|_| take(self.reply(limits)?))
    }

    /// Closes the driver's stdin, after all requests.
    pub(super) fn close(&mut self) {
        self.requests = None;
    }

    /// Closes the driver's stdin, and returns the first line that it writes after its replies.
    pub(super) fn surplus_line(&mut self, limits: Limits) -> Result<Option<String>, Failure> {
        self.close();
        match self.line(limits, &mut None) {
            Ok(line) => Ok(Some(text(&self.buffer[line]).into())),
            Err(Failure::Ended | Failure::Timeout(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn reply(&mut self, limits: Limits) -> Result<DriverReply, Failure> {
        let mut reply = DriverReply::default();
        let mut wait = None;
        loop {
            let line = self.line(limits, &mut wait)?;
            let text = text(&self.buffer[line]);
            let text = text.strip_suffix('\r').unwrap_or(&text);
            match reply.add(ReplyLine::parse(text), limits.max_frames)? {
                ControlFlow::Break(()) => return Ok(reply),
                ControlFlow::Continue(()) => {}
            }
        }
    }

    /// Returns where the next line of a reply is in the buffer, without its newline. Waits for it if
    /// need be, and checks the limits meanwhile.
    fn line(&mut self, limits: Limits, wait: &mut Option<Wait>) -> Result<Range<usize>, Failure> {
        let mut searched = self.begin;
        loop {
            if let Some(newline) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let line = self.begin..searched + newline;
                self.begin = line.end + 1;
                return Ok(line);
            }
            self.buffer.drain(..mem::take(&mut self.begin));
            searched = self.buffer.len();
            let wait = wait.get_or_insert_with(|| Wait::begin(limits));
            match self.pieces.recv_timeout(wait.interval()) {
                Ok(piece) => {
                    self.buffer.extend_from_slice(&piece);
                    wait.receives(piece.len())?;
                }
                // The last line may have no newline.
                Err(RecvTimeoutError::Disconnected) if searched > 0 => {
                    self.begin = searched;
                    return Ok(0..searched);
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

    /// Counts bytes of the reply, and those that arrive with it, and checks how many there are.
    fn receives(&mut self, bytes: usize) -> Result<(), Failure> {
        self.received += bytes as u64;
        let max_memory = self.limits.max_memory;
        if self.received / MEBIBYTE >= max_memory.max(1) {
            return Err(Failure::LongReply(max_memory));
        }
        Ok(())
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
        let used = process.memory().unwrap_or_default().mebibytes();
        if used > self.limits.max_memory {
            return Err(Failure::TooMuchMemory(used));
        }
        Ok(())
    }
}

/// Returns the text of a line. It nearly always is valid, which `from_utf8` checks
/// faster than `from_utf8_lossy`.
fn text(line: &[u8]) -> Cow<'_, str> {
    str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed)
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

/// Reads stdout in a thread, in pieces, to its end.
fn read_pieces(mut stdout: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, pieces) = mpsc::sync_channel(MAX_PIECES);
    thread::spawn(move || {
        let mut buffer = vec![0; MAX_PIECE];
        while let Ok(read @ 1..) = stdout.read(&mut buffer) {
            if sender.send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    pieces
}
