//! Sees whether what was sent has been read: the queues of both ends of a connection, as
//! Linux tells them over netlink and in `/proc/net/tcp` and `tcp6`. Elsewhere nothing is
//! seen.

mod diag;

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use crate::stop;
use diag::Diag;

/// What became of the bytes that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// All have been read.
    Read,
    /// The other end has closed, or is about to.
    Closed,
    /// Some have not been read in time.
    Unread,
    /// The sockets cannot be seen.
    Nothing,
}

/// A connection, from this end.
pub(super) struct Queues {
    ours: SocketAddr,
    theirs: SocketAddr,
    diag: Option<Diag>,
}

/// What the kernel says of one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    established: bool,
    /// Bytes that the other end has not acknowledged.
    unsent: bool,
    /// Bytes that nobody has read.
    unread: bool,
}

impl Queues {
    pub(super) fn new(ours: SocketAddr, theirs: SocketAddr) -> Self {
        Self {
            ours,
            theirs,
            diag: Diag::new(),
        }
    }

    /// Waits until all that was sent has been read.
    pub(super) fn wait(&self, timeout: Duration) -> Seen {
        let until = Instant::now() + timeout;
        let mut tries = 0;
        loop {
            // Ours first: what has been acknowledged is in the queue of theirs, or read.
            let ours = self.end(self.ours, self.theirs);
            let theirs = self.end(self.theirs, self.ours);
            match (ours, theirs) {
                (None, _) => return Seen::Nothing,
                (Some(_), None) if tries == 0 => return Seen::Nothing,
                (Some(_), None) => return Seen::Closed,
                (Some(ours), Some(theirs)) => {
                    if !theirs.established {
                        return Seen::Closed;
                    }
                    if !ours.unsent && !theirs.unread {
                        return Seen::Read;
                    }
                }
            }
            if Instant::now() > until || stop::requested() {
                return Seen::Unread;
            }
            tries += 1;
            if tries < 100 {
                thread::yield_now();
            } else {
                thread::sleep(Duration::from_micros(200));
            }
        }
    }

    /// Finds one end.
    fn end(&self, local: SocketAddr, remote: SocketAddr) -> Option<End> {
        if let Some(Ok(end)) = self.diag.as_ref().map(|diag| diag.end(local, remote)) {
            return end;
        }
        let listed_short = || listed("/proc/net/tcp", &short(local)?, &short(remote)?);
        listed_short().or_else(|| listed("/proc/net/tcp6", &long(local), &long(remote)))
    }
}

/// Finds one end in a list of the kernel.
fn listed(file: &str, local: &str, remote: &str) -> Option<End> {
    let table = fs::read_to_string(file).ok()?;
    table.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        if words.next()? != local || words.next()? != remote {
            return None;
        }
        let state = words.next()?;
        let (unsent, unread) = words.next()?.split_once(':')?;
        Some(End {
            established: state == "01",
            unsent: unsent != "00000000",
            unread: unread != "00000000",
        })
    })
}

/// Writes an address as `/proc/net/tcp` does: its four bytes as one integer of the
/// machine, in hexadecimal digits.
fn short(address: SocketAddr) -> Option<String> {
    let IpAddr::V4(ip) = address.ip() else {
        return None;
    };
    let ip = u32::from_ne_bytes(ip.octets());
    Some(format!("{ip:08X}:{:04X}", address.port()))
}

/// Writes an address as `/proc/net/tcp6` does: as four such integers, and one of IPv4 as
/// it is mapped.
fn long(address: SocketAddr) -> String {
    let ip: Ipv6Addr = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let octets = ip.octets();
    let (words, _) = octets.as_chunks::<4>();
    let words = words
        .iter()
        .map(|&word| format!("{:08X}", u32::from_ne_bytes(word)));
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Both ways of asking the kernel say the same of what has been read and what has not.
    #[test]
    fn both_ways_see_the_same() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                eprintln!("skipped: there is no {address}");
                continue;
            };
            let theirs = listener.local_addr().unwrap();
            let mut socket = TcpStream::connect(theirs).unwrap();
            let (mut accepted, ours) = listener.accept().unwrap();
            let queues = Queues::new(ours, theirs);
            let unseen = Queues {
                diag: None,
                ..Queues::new(ours, theirs)
            };
            if queues.end(ours, theirs).is_none() {
                eprintln!("skipped: sockets cannot be seen");
                return;
            }
            socket.write_all(b"hello").unwrap();
            for queues in [&queues, &unseen] {
                assert_eq!(queues.wait(Duration::from_millis(50)), Seen::Unread);
            }
            accepted.read_exact(&mut [0; 5]).unwrap();
            for queues in [&queues, &unseen] {
                assert_eq!(queues.wait(Duration::from_secs(5)), Seen::Read);
            }
            drop(accepted);
            for queues in [&queues, &unseen] {
                assert_eq!(queues.wait(Duration::from_secs(5)), Seen::Closed);
            }
        }
    }
}
