//! Which processes hold a socket, from `/proc`. Elsewhere none is found.

use std::fmt;
use std::fs;

use crate::process::table;

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// `name` is that of its program, escaped.
    Known { pid: u32, name: String },
    /// A process that this user may not look at.
    Hidden,
}

impl Holder {
    /// Returns the processes that hold a socket, as far as this user may see them.
    pub(super) fn of_socket(inode: u32) -> Vec<Self> {
        let link = format!("socket:[{inode}]");
        table::pids()
            .filter(|&pid| has_open(pid, &link))
            .map(Self::new)
            .collect()
    }

    fn new(pid: u32) -> Self {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Self::Known {
            pid,
            name: name.trim_end().escape_debug().to_string(),
        }
    }

    /// Returns whether this is known to be a process, a descendant of it, or a member of its process
    /// group.
    pub(crate) fn belongs_to(&self, pid: u32) -> bool {
        let Self::Known { pid: own, .. } = self else {
            return false;
        };
        let mut current = *own;
        while current != pid {
            match table::parent_and_group(current) {
                Some((_, group)) if group == pid => return true,
                Some((parent @ 1.., _)) => current = parent,
                _ => return false,
            }
        }
        true
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known { pid, name } => write!(f, "{name} (pid {pid})"),
            Self::Hidden => f.write_str("a process that this user may not look at"),
        }
    }
}

/// Returns whether one of the open files of a process is this link.
fn has_open(pid: u32, link: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| target.as_os_str() == link)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{self, Command};

    use super::*;

    /// Also in a process group of its own.
    #[test]
    fn a_descendant_belongs_to_a_process() {
        let mut sleep = Command::new("sleep");
        let mut child = sleep.arg("100").process_group(0).spawn().unwrap();
        let holder = Holder::new(child.id());
        let own = Holder::new(process::id());
        assert!(holder.belongs_to(child.id()));
        assert!(holder.belongs_to(process::id()));
        assert!(!own.belongs_to(child.id()));
        assert!(!Holder::Hidden.belongs_to(process::id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
