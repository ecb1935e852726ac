//! Ends every process that the command started, however the command ends.
//!
//! On Linux the command runs in a second process, its *runner*. The first one, the *supervisor*,
//! waits for the runner and passes signals on to it. When the runner has ended, even by a signal
//! that cannot be caught, the supervisor inherits the programs that the runner has started, and ends
//! them. When the supervisor is killed, the kernel sends the runner a signal, and it ends as after
//! Ctrl-C. Elsewhere there is one process.

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

/// The name of a runner: this, and the process id of its supervisor.
const RUNNER: &str = "everysplit: runner of ";

/// Starts a runner, and returns its exit status. Returns `None` in the runner, and if there can be
/// none.
pub(crate) fn supervise() -> Option<ExitCode> {
    let name = env::args_os().next().unwrap_or_default();
    let supervisor = name.to_str().and_then(|name| name.strip_prefix(RUNNER));
    match supervisor {
        Some(supervisor) => {
            if become_runner(supervisor).is_err() {
                return Some(ExitCode::from(2));
            }
            None
        }
        // Without /proc, the command runs in this process.
        None => run_runner().ok(),
    }
}

/// Takes the end of the supervisor as a request to stop.
fn become_runner(supervisor: &str) -> io::Result<()> {
    stop::listen()?;
    set_child_subreaper(Some(getpid()))?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let parent = getppid().map_or(0, Pid::as_raw_pid);
    if parent.to_string() == supervisor {
        Ok(())
    } else {
        Err(io::Error::other("the supervisor has ended"))
    }
}

/// Runs the runner to its end.
fn run_runner() -> io::Result<ExitCode> {
    let mut signals = Signals::new([stop::SIGNALS, &[SIGCHLD]].concat())?;
    set_child_subreaper(Some(getpid()))?;
    let runner = Command::new("/proc/self/exe")
        .arg0(format!("{RUNNER}{}", getpid()))
        .args(env::args_os().skip(1))
        .spawn()?;
    let runner = Pid::from_child(&runner);
    for signal in signals.forever() {
        if signal == SIGCHLD {
            if let Some(status) = reap(runner) {
                process::end_all();
                return Ok(exit_code(status));
            }
        } else if let Some(signal) = Signal::from_named_raw(signal) {
            // It may just have ended.
            let _ = kill_process(runner, signal);
        }
    }
    Err(io::Error::other("no more signals"))
}

/// Releases the processes that have ended. Returns the status of the runner if it is one of them.
fn reap(runner: Pid) -> Option<WaitStatus> {
    while let Ok(Some((ended, status))) = wait(WaitOptions::NOHANG) {
        if ended == runner {
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
