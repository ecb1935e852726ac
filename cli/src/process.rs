//! A child process: starts it, watches it, and ends it with all processes that it started.

mod explanation;
#[cfg(unix)]
mod family;
pub(crate) mod table;

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::consts;

use crate::stop;
#[cfg(unix)]
use family::Family;
#[cfg(unix)]
pub(crate) use family::end_all;

/// Time between checks whether the process has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(2);
/// Maximum time to wait for a process that seems to be ending.
pub(crate) const ENDING_TIME: Duration = Duration::from_millis(50);
/// Maximum time until a pipe is closed whose writer has ended. Another process may keep it open.
const CLOSING_TIME: Duration = Duration::from_secs(2);
/// Maximum time for a process to end after a signal to end, before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// Maximum number of bytes kept of its stderr.
const MAX_STDERR: usize = 64 * 1024;

/// A running process. Dropping it ends the process.
pub(crate) struct ChildProcess {
    child: Child,
    /// The processes that it started, and itself.
    #[cfg(unix)]
    family: Family,
    stderr: Tail,
}

impl ChildProcess {
    /// Starts a program without stdin and stdout.
    pub(crate) fn start(command: &[OsString]) -> Result<Self, String> {
        Self::spawn(command, &[], Stdio::null, Stdio::null)
    }

    /// Starts a program without stdin; also returns its stdout.
    pub(crate) fn start_with_stdout(command: &[OsString]) -> Result<(Self, ChildStdout), String> {
        Self::start_with_environment(command, &[])
    }

    /// Starts a program without stdin, with some more environment variables; also returns its
    /// stdout.
    pub(crate) fn start_with_environment(
        command: &[OsString],
        variables: &[(&str, String)],
    ) -> Result<(Self, ChildStdout), String> {
        let mut process = Self::spawn(command, variables, Stdio::null, Stdio::piped)?;
        let stdout = process.child.stdout.take();
        Ok((process, stdout.ok_or("the program has no stdout")?))
    }

    /// Starts a program; also returns its stdin and stdout.
    pub(crate) fn start_with_pipes(
        command: &[OsString],
    ) -> Result<(Self, ChildStdin, ChildStdout), String> {
        let mut process = Self::spawn(command, &[], Stdio::piped, Stdio::piped)?;
        let pipes = process.child.stdin.take().zip(process.child.stdout.take());
        let (stdin, stdout) = pipes.ok_or("the program has no stdin or stdout")?;
        Ok((process, stdin, stdout))
    }

    fn spawn(
        command: &[OsString],
        variables: &[(&str, String)],
        stdin: fn() -> Stdio,
        stdout: fn() -> Stdio,
    ) -> Result<Self, String> {
        let (program, arguments) = command
            .split_first()
            .ok_or("there is no program to start")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(stdin())
            .stdout(stdout())
            .stderr(Stdio::piped());
        let cannot_start = |error| format!("cannot start {}: {error}", program.display());
        #[cfg(unix)]
        let (mut child, family) = Family::start(&mut command).map_err(cannot_start)?;
        #[cfg(not(unix))]
        let mut child = command.spawn().map_err(cannot_start)?;
        let stderr = child.stderr.take().ok_or("the program has no stderr")?;
        let stderr = Tail::read(stderr);
        Ok(Self {
            child,
            #[cfg(unix)]
            family,
            stderr,
        })
    }

    /// Returns the exit status if the process has ended.
    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Returns the exit status of a process that may be ending right now, if it ends within a time.
    pub(crate) fn exit_status_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            let status = self.exit_status();
            if status.is_some() || Instant::now() > deadline || stop::requested() {
                return status;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Returns whether all processes that it started have ended, as far as they are known.
    #[cfg(unix)]
    pub(crate) fn all_ended(&mut self) -> bool {
        self.family.is_gone(&mut self.child)
    }

    #[cfg(not(unix))]
    pub(crate) fn all_ended(&mut self) -> bool {
        self.exit_status().is_some()
    }

    /// Ends the process and all processes that it started: sends them a signal to end, and kills
    /// those that have not ended after a grace.
    pub(crate) fn end(&mut self) {
        #[cfg(unix)]
        self.family.end(&mut self.child, GRACE);
        self.kill();
    }

    /// Kills the process and all processes that it started.
    pub(crate) fn kill(&mut self) {
        #[cfg(unix)]
        self.family.end(&mut self.child, Duration::ZERO);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Returns the part of its stderr that explains a failure as the end of a message, or nothing.
    ///
    /// Waits for the end of stderr, which may still be on its way.
    pub(crate) fn stderr_note(&mut self) -> String {
        let has_ended = self.exit_status().is_some();
        self.stderr.note("stderr", has_ended)
    }

    /// Returns the memory of the process and all that it started, where it can be read.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let resident = self.processes().into_iter().filter_map(Memory::of);
        resident.reduce(|one, other| Memory {
            now: one.now + other.now,
            peak: one.peak + other.peak,
        })
    }

    /// Sets the peak of each to what is resident now, where the system allows it. A program may need
    /// more to start than it may grow by afterwards.
    pub(crate) fn forget_peak(&self) {
        for pid in self.processes() {
            // To write 5 does this, see `man 5 proc`.
            let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
    }

    /// Returns whether the memory of a process is a part of [`Self::memory`].
    pub(crate) fn is_measured(&self, pid: u32) -> bool {
        self.processes().contains(&pid) && Memory::of(pid).is_some()
    }

    /// Returns the process and all that it started, as far as they are known.
    #[cfg(unix)]
    fn processes(&self) -> Vec<u32> {
        self.family.pids()
    }

    #[cfg(not(unix))]
    fn processes(&self) -> Vec<u32> {
        vec![self.child.id()]
    }
}

/// The signals that a program raises by a mistake of its own.
#[cfg(unix)]
const CRASH_SIGNALS: [i32; 7] = [
    consts::SIGABRT,
    consts::SIGBUS,
    consts::SIGFPE,
    consts::SIGILL,
    consts::SIGSEGV,
    consts::SIGSYS,
    consts::SIGTRAP,
];

/// Returns whether a program was ended by such a signal. A shell reports one as an exit status.
#[cfg(unix)]
pub(crate) fn is_crash(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let of_shell = status.code().map(|code| code - 128);
    let signal = status.signal().or(of_shell);
    signal.is_some_and(|signal| CRASH_SIGNALS.contains(&signal))
}

#[cfg(not(unix))]
pub(crate) fn is_crash(_: ExitStatus) -> bool {
    false
}

/// Ends all processes that this one has started.
#[cfg(not(unix))]
pub(crate) fn end_all() {}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.end();
    }
}

/// Resident memory, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

impl Memory {
    /// Returns the memory of a process, where it can be read. One that has ended has none.
    fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        Some(Self {
            now: kibibytes(&status, "VmRSS:")?,
            peak: kibibytes(&status, "VmHWM:")?,
        })
    }

    /// Returns what is resident now, in MiB.
    pub(crate) const fn mebibytes(self) -> u64 {
        self.now / 1024
    }
}

fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The last bytes that were written to a pipe.
pub(crate) struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl Tail {
    /// Reads a pipe to its end, in a thread.
    pub(crate) fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&chunk[..read]);
                let surplus = kept.len().saturating_sub(MAX_STDERR);
                kept.drain(..surplus);
            }
        });
        Self { bytes, reader }
    }

    /// Returns the part that explains a failure as the end of a message, with the name of the pipe,
    /// or nothing.
    pub(crate) fn note(&self, pipe: &str, has_ended: bool) -> String {
        explanation::explanation(&self.text(has_ended), pipe)
    }

    /// Returns the text so far: all of it if the pipe is closed soon, as it is when its writer has
    /// ended.
    fn text(&self, has_ended: bool) -> String {
        let wait = if has_ended { CLOSING_TIME } else { ENDING_TIME };
        let deadline = Instant::now() + wait;
        while !self.reader.is_finished() && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        let kept = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe to which something is written after a while.
    struct Late(&'static [u8]);

    impl Read for Late {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            thread::sleep(Duration::from_millis(20));
            self.0.read(buffer)
        }
    }

    #[test]
    fn memory_is_counted_in_whole_mebibytes() {
        let memory = Memory {
            now: 3 * 1024 + 1023,
            peak: 5 * 1024,
        };
        assert_eq!(memory.mebibytes(), 3);
    }

    #[test]
    fn the_end_of_a_pipe_is_awaited() {
        let late = Tail::read(Late(b"the reason\n"));
        let note = late.note("stderr", true);
        assert_eq!(note, "; last line of stderr: the reason");
    }
}
