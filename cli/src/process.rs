//! A program that is started, watched and ended, with all that it starts. It knows
//! nothing of what the program is asked.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often one looks whether a program has ended.
const TICK: Duration = Duration::from_millis(2);
/// How long a program that seems to have ended may take to do so.
const GRACE: Duration = Duration::from_millis(50);
/// How much of its stderr is kept, in bytes.
const KEPT: usize = 4096;

/// A program that runs. It is ended when this is dropped.
pub(crate) struct Process {
    child: Child,
    stderr: Tail,
}

impl Process {
    /// Starts a program with nothing to read, and what it prints going nowhere.
    pub(crate) fn start(command: &[OsString]) -> Result<Self, String> {
        Self::spawn(command, Stdio::null, Stdio::null)
    }

    /// Starts a program, and returns what it prints too.
    pub(crate) fn start_printing(command: &[OsString]) -> Result<(Self, ChildStdout), String> {
        let mut process = Self::spawn(command, Stdio::null, Stdio::piped)?;
        let stdout = process.child.stdout.take();
        Ok((process, stdout.ok_or("the program has no stdout")?))
    }

    /// Starts a program to talk to.
    pub(crate) fn start_talking(
        command: &[OsString],
    ) -> Result<(Self, ChildStdin, ChildStdout), String> {
        let mut process = Self::spawn(command, Stdio::piped, Stdio::piped)?;
        let ends = process.child.stdin.take().zip(process.child.stdout.take());
        let (stdin, stdout) = ends.ok_or("the program has no stdin or stdout")?;
        Ok((process, stdin, stdout))
    }

    fn spawn(
        command: &[OsString],
        stdin: fn() -> Stdio,
        stdout: fn() -> Stdio,
    ) -> Result<Self, String> {
        let (program, arguments) = command.split_first().ok_or("there is nothing to start")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(stdin())
            .stdout(stdout())
            .stderr(Stdio::piped());
        // A group of its own: what it starts ends with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let stderr = child.stderr.take().ok_or("the program has no stderr")?;
        let stderr = Tail::of(stderr);
        Ok(Self { child, stderr })
    }

    /// Returns how the program ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Returns how the program ended, which it does about now if it does.
    pub(crate) fn ends(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + GRACE;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() > until || crate::stop::requested() {
                return ended;
            }
            thread::sleep(TICK);
        }
    }

    /// Ends the program with all that it started.
    pub(crate) fn end(&mut self) {
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Returns the last line that the program wrote to stderr, to be put behind what is
    /// said of it.
    pub(crate) fn last_words(&self) -> String {
        let text = self.stderr.text();
        match text.trim_end().lines().last() {
            Some(last) => format!("; the last that it wrote to stderr: {last}"),
            None => String::new(),
        }
    }

    /// Returns how much memory the program takes with all that it started, where that
    /// can be told: now and at most so far.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let group = self.child.id().to_string();
        let mut memory = None;
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let folder = entry.path();
            let Ok(stat) = fs::read_to_string(folder.join("stat")) else {
                continue;
            };
            // The name, in parentheses, can hold anything; then state, parent, group.
            let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
            if behind.split_ascii_whitespace().nth(2) != Some(&group) {
                continue;
            }
            let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
            let total: &mut Memory = memory.get_or_insert_default();
            total.now += kibibytes(&status, "VmRSS:");
            total.most += kibibytes(&status, "VmHWM:");
        }
        memory
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Resident memory, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) most: u64,
}

fn kibibytes(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The end of what has been written to a pipe so far.
struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    /// Reads to the end, on a thread of its own.
    fn of(mut pipe: ChildStderr) -> Self {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&tail);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&chunk[..read]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
        });
        Self(tail)
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}
