//! Ends every process that the command started, however the command ends.
//!
//! On Linux the command runs in a third process, its *runner*, below two *supervisors*: the process
//! that was started, and one between. A supervisor waits for the process below it and passes signals
//! on to it. When that one has ended, even by a signal that cannot be caught, the supervisor inherits
//! the programs that it has started, and ends them. When a supervisor is killed, the kernel sends the
//! process below a signal, and it ends as after Ctrl-C. So nothing survives as long as one of the
//! three is left. Elsewhere there is one process.

use std::env;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process, set_child_subreaper,
    set_parent_process_death_signal, wait,
};
use signal_hook::consts::SIGCHLD;
use signal_hook::iterator::Signals;

use crate::output::print_error;
use crate::{process, stop};

/// The names of the processes below the first: this, and the process id of the one above.
const SUPERVISOR: &str = "everysplit: supervisor below ";
const RUNNER: &str = "everysplit: runner below ";

/// Starts the process below, and returns its exit status. Returns `None` in the runner, and if there
/// can be none.
pub(crate) fn supervise() -> Option<ExitCode> {
    let name = env::args_os().next().unwrap_or_default();
    let above = |role: &str| name.to_str().and_then(|name| name.strip_prefix(role));
    let (above, below) = match (above(SUPERVISOR), above(RUNNER)) {
        (Some(above), _) => (Some(above), Some(RUNNER)),
        (None, Some(above)) => (Some(above), None),
        (None, None) => (None, Some(SUPERVISOR)),
    };
    if let Some(above) = above
        && end_with(above).is_err()
    {
        return Some(ExitCode::from(2));
    }
    // Without /proc, the command runs in this process.
    run(below?).ok()
}

/// Takes the end of the process above as a request to stop.
fn end_with(above: &str) -> io::Result<()> {
    stop::listen()?;
    set_child_subreaper(Some(getpid()))?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let parent = getppid().map_or(0, Pid::as_raw_pid);
    if parent.to_string() == above {
        Ok(())
    } else {
        Err(io::Error::other("the process above has ended"))
    }
}

/// Runs a process below this one to its end.
fn run(role: &str) -> io::Result<ExitCode> {
    let mut signals = Signals::new([stop::SIGNALS, &[SIGCHLD]].concat())?;
    set_child_subreaper(Some(getpid()))?;
    let below = Command::new("/proc/self/exe")
        .arg0(format!("{role}{}", getpid()))
        .args(env::args_os().skip(1))
        .spawn()?;
    let below = Pid::from_child(&below);
    for signal in signals.forever() {
        if signal == SIGCHLD {
            if let Some(status) = reap(below) {
                process::end_all();
                return Ok(exit_code(status));
            }
        } else if let Some(signal) = Signal::from_named_raw(signal) {
            // It may just have ended.
            let _ = kill_process(below, signal);
        }
    }
    Err(io::Error::other("no more signals"))
}

/// Releases the processes that have ended. Returns the status of the one below if it is among
/// them.
fn reap(below: Pid) -> Option<WaitStatus> {
    while let Ok(Some((ended, status))) = wait(WaitOptions::NOHANG) {
        if ended == below {
            return Some(status);
        }
    }
    None
}

/// Returns the exit status of the command.
fn exit_code(status: WaitStatus) -> ExitCode {
    if let Some(code) = status.exit_status() {
        return u8::try_from(code).map_or(ExitCode::from(2), ExitCode::from);
    }
    let signal = status.terminating_signal().unwrap_or_default();
    print_error(&format!("the run was ended by signal {signal}"));
    ExitCode::from(2)
}
