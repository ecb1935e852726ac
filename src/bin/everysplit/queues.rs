//! Sees whether what was sent has been read: the queues of both ends of a connection, as
//! Linux tells them in `/proc/net/tcp` and `tcp6`. Elsewhere nothing is seen.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

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
    /// This end and the other, as the kernel writes them, for each of its two files.
    ends: [(&'static str, String, String); 2],
}

/// What the kernel says of one end.
struct End {
    established: bool,
    /// Bytes that the other end has not acknowledged.
    unsent: bool,
    /// Bytes that nobody has read.
    unread: bool,
}

impl Queues {
    pub(crate) fn new(ours: SocketAddr, theirs: SocketAddr) -> Self {
        Self {
            ends: [
                ("/proc/net/tcp", short(ours), short(theirs)),
                ("/proc/net/tcp6", long(ours), long(theirs)),
            ],
        }
    }

    /// Waits until all that was sent has been read.
    pub(crate) fn wait(&self, timeout: Duration) -> Seen {
        let until = Instant::now() + timeout;
        let mut tries = 0;
        loop {
            let (ours, theirs) = (self.end(true), self.end(false));
            match (ours, theirs) {
                (None, _) => return Seen::Nothing,
                (Some(_), None) if tries == 0 => return Seen::Nothing,
                (Some(_), None) => return Seen::Closed,
                (Some(ours), Some(theirs)) => {
                    if !theirs.established {
                        return Seen::Closed;
                    }
                    // What is under way is in neither queue of theirs.
                    if !ours.unsent && !theirs.unread {
                        return Seen::Read;
                    }
                }
            }
            if Instant::now() > until {
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

    /// Finds one end, in whichever file it is.
    fn end(&self, ours: bool) -> Option<End> {
        self.ends.iter().find_map(|(file, here, there)| {
            let (local, remote) = if ours { (here, there) } else { (there, here) };
            let table = fs::read_to_string(file).ok()?;
            table.lines().find_map(|line| {
                let mut words = line.split_ascii_whitespace().skip(1);
                if words.next() != Some(local) || words.next() != Some(remote) {
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
        })
    }
}

/// Writes an address as `/proc/net/tcp` does: its four bytes as one integer of the
/// machine, in hexadecimal digits.
fn short(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => format!(
            "{:08X}:{:04X}",
            u32::from_ne_bytes(ip.octets()),
            address.port()
        ),
        IpAddr::V6(_) => String::new(),
    }
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
