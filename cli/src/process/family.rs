//! The processes that a program has started: its process group and, on Linux, its descendants.
//!
//! A descendant whose parent has ended, such as a daemon, becomes a child of this process: see
//! `supervisor`.

use std::fs;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, test_kill_process_group,
    wait, waitpid,
};

use super::{GRACE, POLL_INTERVAL, table};

/// The programs that run. A child of this process that is not one of them was adopted.
static STARTED: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A program and all that it started.
pub(super) struct Family {
    program: Pid,
}

impl Family {
    /// Starts a program in a process group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<(Child, Self)> {
        std::os::unix::process::CommandExt::process_group(command, 0);
        // Until it is on the list, it would look like an adopted one.
        let mut started = started();
        let child = command.spawn()?;
        let program = Pid::from_child(&child);
        started.push(program);
        Ok((child, Self { program }))
    }

    /// Sends all of them a signal to end, and kills those that have not ended after a grace.
    pub(super) fn end(&self, child: &mut Child, grace: Duration) {
        let deadline = Instant::now() + grace;
        if !grace.is_zero() && !self.is_gone(child) {
            self.signal(Signal::TERM);
            while !self.is_gone(child) && Instant::now() < deadline {
                thread::sleep(POLL_INTERVAL);
            }
        }
        while !self.is_gone(child) {
            self.signal(Signal::KILL);
            if Instant::now() > deadline + GRACE {
                // It belongs to another user, or hangs in the kernel.
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Returns whether all have ended.
    pub(super) fn is_gone(&self, child: &mut Child) -> bool {
        let ended = child.try_wait().is_ok_and(|status| status.is_some());
        // Those that have ended belong to the group until they are released.
        let alone = self.others().is_empty();
        ended && alone && test_kill_process_group(self.program).is_err()
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.program, signal);
        for process in self.others() {
            let _ = kill_process(process, signal);
        }
    }

    /// Returns all of them that run.
    pub(super) fn pids(&self) -> Vec<u32> {
        let pid = |process: Pid| process.as_raw_nonzero().get().unsigned_abs();
        let group = pid(self.program);
        let is_member =
            |pid: &u32| table::parent_and_group(*pid).is_some_and(|(_, other)| other == group);
        let mut pids: Vec<u32> = table::pids().filter(is_member).collect();
        pids.extend(self.others().into_iter().map(pid));
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Returns the descendants, and adopted processes if no other program can have started them.
    fn others(&self) -> Vec<Pid> {
        let mut processes = Vec::new();
        add_descendants(self.program, &mut processes);
        let started = started();
        if started.iter().all(|&program| program == self.program) {
            for adopted in children(getpid()) {
                // One that has ended is released.
                if adopted == self.program || release(adopted) {
                    continue;
                }
                processes.push(adopted);
                add_descendants(adopted, &mut processes);
            }
        }
        processes
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        started().retain(|&program| program != self.program);
    }
}

/// Ends all processes that this one has started or adopted, at the end of the command.
pub(crate) fn end_all() {
    let begun = Instant::now();
    let mut last_signal = None;
    while has_children() && begun.elapsed() < 2 * GRACE {
        let signal = if begun.elapsed() < GRACE {
            Signal::TERM
        } else {
            Signal::KILL
        };
        // One signal to end is enough. New processes may appear until all are killed.
        if signal == Signal::KILL || last_signal != Some(signal) {
            last_signal = Some(signal);
            for &program in started().iter() {
                let _ = kill_process_group(program, signal);
            }
            let mut processes = Vec::new();
            add_descendants(getpid(), &mut processes);
            for process in processes {
                let _ = kill_process(process, signal);
            }
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Returns whether this process has children, and releases those that have ended.
fn has_children() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Releases a child if it has ended. Returns whether it has.
fn release(child: Pid) -> bool {
    matches!(waitpid(Some(child), WaitOptions::NOHANG), Ok(Some(_)))
}

fn started() -> MutexGuard<'static, Vec<Pid>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds the descendants of a process, where the kernel lists them.
fn add_descendants(process: Pid, descendants: &mut Vec<Pid>) {
    for child in children(process) {
        descendants.push(child);
        add_descendants(child, descendants);
    }
}

/// Returns the children of a process, where the kernel lists them.
fn children(process: Pid) -> Vec<Pid> {
    let mut children = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return children;
    };
    for thread in threads.flatten() {
        let list = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let pids = list.split_ascii_whitespace();
        let pids = pids.filter_map(|pid| pid.parse().ok());
        children.extend(pids.filter_map(Pid::from_raw));
    }
    children
}
