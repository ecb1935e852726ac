//! Sees whether what was sent has been read: the queues of both ends of a connection, as
//! Linux tells them over netlink and in `/proc/net/tcp` and `tcp6`. Elsewhere nothing is
//! seen.

#[cfg(target_os = "linux")]
mod diag;
#[cfg(not(target_os = "linux"))]
#[path = "queues/nobody.rs"]
mod diag;

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use crate::stop;
use diag::Diag;

/// What became of the bytes that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
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
pub(crate) struct Queues {
    ours: SocketAddr,
    theirs: SocketAddr,
    diag: Option<Diag>,
    /// Whether both have been seen.
    seen: bool,
    /// How many bytes have been sent.
    sent: u64,
}

/// `TCP_ESTABLISHED`, `TCP_FIN_WAIT1`, `TCP_FIN_WAIT2` and `TCP_CLOSE_WAIT`, as Linux numbers
/// them.
const OPEN: [u8; 4] = [1, 4, 5, 8];

/// What the kernel says of one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    /// Whether it can be read from: it is established, or has said that it sends no more, or
    /// has been told so.
    open: bool,
    /// Bytes that the other end has not acknowledged.
    unsent: bool,
    /// Bytes that nobody has read.
    unread: bool,
    /// How many bytes have come, where that is told.
    received: Option<u64>,
}

impl Queues {
    pub(crate) fn new(ours: SocketAddr, theirs: SocketAddr) -> Self {
        Self {
            ours,
            theirs,
            diag: Diag::new(),
            seen: false,
            sent: 0,
        }
    }

    /// Takes note of bytes that have been sent.
    pub(crate) const fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// Waits until all that was sent has been read, and does something `meanwhile`.
    pub(crate) fn wait(&mut self, timeout: Duration, mut meanwhile: impl FnMut()) -> Seen {
        let until = Instant::now() + timeout;
        let mut tries = 0;
        loop {
            if let Some(seen) = self.look() {
                return seen;
            }
            meanwhile();
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

    /// Looks once; nothing is returned while there are bytes that have not been read.
    pub(crate) fn look(&mut self) -> Option<Seen> {
        // Ours first: what has been acknowledged is in the queue of theirs, or read.
        let ours = self.end(self.ours, self.theirs);
        let theirs = self.end(self.theirs, self.ours);
        let Some((ours, theirs)) = ours.zip(theirs) else {
            let gone = self.seen || ours.or(theirs).is_some_and(|end| !end.open);
            return Some(if gone { Seen::Closed } else { Seen::Nothing });
        };
        self.seen = true;
        // What is under way is in no queue. Where it is not told what has come, an
        // acknowledgement tells it, which can take its time.
        let come = theirs.received.map(|received| received >= self.sent);
        match come.unwrap_or(!ours.unsent) && !theirs.unread {
            _ if !theirs.open => Some(Seen::Closed),
            true => Some(Seen::Read),
            false => None,
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
            open: u8::from_str_radix(state, 16).is_ok_and(|state| OPEN.contains(&state)),
            unsent: unsent != "00000000",
            unread: unread != "00000000",
            received: None,
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
    use std::net::{Shutdown, TcpListener, TcpStream};

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
            let mut queues = Queues::new(ours, theirs);
            let mut unseen = Queues {
                diag: None,
                ..Queues::new(ours, theirs)
            };
            if queues.end(ours, theirs).is_none() {
                eprintln!("skipped: sockets cannot be seen");
                return;
            }
            let mut ask = |expected, patience| {
                for queues in [&mut queues, &mut unseen] {
                    let patience = Duration::from_millis(patience);
                    assert_eq!(queues.wait(patience, || ()), expected, "{address}");
                }
            };
            socket.write_all(b"hello").unwrap();
            ask(Seen::Unread, 50);
            accepted.read_exact(&mut [0; 5]).unwrap();
            ask(Seen::Read, 5000);
            // Who sends no more can read.
            accepted.shutdown(Shutdown::Write).unwrap();
            ask(Seen::Read, 5000);
            drop(accepted);
            socket.write_all(b"hello").unwrap();
            ask(Seen::Closed, 5000);
        }
    }
}
