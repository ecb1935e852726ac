//! Observes whether the peer has read the bytes that were sent, from the kernel's socket queues.
//!
//! Linux reports the queues of both ends of a local connection over netlink and in
//! `/proc/net/tcp` and `tcp6`, and those of Unix sockets over netlink. Elsewhere nothing can be
//! observed.

mod holder;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(not(target_os = "linux"))]
#[path = "queues/unsupported.rs"]
mod netlink;

pub(crate) use holder::Holder;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use socket2::Socket;

use crate::stop;
use netlink::Netlink;

/// Time to wait between chunks where reads cannot be observed.
pub(crate) const CHUNK_DELAY: Duration = Duration::from_millis(20);

/// What happened to the bytes that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The peer has read them all.
    Read,
    /// The peer has closed the connection, or is closing it.
    Closed,
    /// The peer has not read them all in time.
    Unread,
    /// The sockets cannot be observed.
    Unobservable,
}

/// A connection to the kernel, where it reports queues over one. Many queues can share it.
#[derive(Clone)]
pub(crate) struct Kernel(Option<Arc<Netlink>>);

impl Kernel {
    pub(crate) fn open() -> Self {
        Self(Netlink::open().map(Arc::new))
    }
}

/// The queues of a connection.
pub(crate) struct Queues {
    ends: Ends,
    netlink: Option<Arc<Netlink>>,
    /// Whether both ends have been observed at least once.
    observed: bool,
    /// Number of bytes sent.
    sent: u64,
}

/// How the kernel knows the two ends of a connection.
#[derive(Clone, Copy)]
enum Ends {
    Tcp {
        ours: SocketAddr,
        theirs: SocketAddr,
    },
    /// The number of this end of a Unix socket, which leads to the other.
    #[cfg(unix)]
    Unix { inode: u32 },
}

/// `TCP_ESTABLISHED`, `TCP_FIN_WAIT1`, `TCP_FIN_WAIT2` and `TCP_CLOSE_WAIT`, as Linux numbers
/// them.
const OPEN_STATES: [u8; 4] = [1, 4, 5, 8];

/// The kernel's view of one end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SocketState {
    /// Whether it can still be read: it is established or half-closed.
    open: bool,
    /// Whether there are sent bytes that the other end has not acknowledged.
    unacknowledged: bool,
    /// Whether there are received bytes that the program has not read.
    unread: bool,
    /// Number of bytes received, where the kernel reports it.
    received: Option<u64>,
    /// Its number among the open files of processes, 0 before it is accepted.
    inode: u32,
}

/// The kernel's view of this end of a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct UnixState {
    /// Whether the other end has closed.
    closed: bool,
    /// Whether there are sent bytes that the other end has not read.
    unread: bool,
    /// The number of the other end.
    peer: Option<u32>,
}

impl Queues {
    pub(crate) fn new(ours: SocketAddr, theirs: SocketAddr) -> Self {
        Self::between(&Kernel::open(), Ends::Tcp { ours, theirs })
    }

    /// Returns the queues of a connected socket.
    pub(crate) fn of(kernel: &Kernel, socket: &Socket) -> io::Result<Self> {
        let (ours, theirs) = (socket.local_addr()?, socket.peer_addr()?);
        let ends = match ours.as_socket().zip(theirs.as_socket()) {
            Some((ours, theirs)) => Ends::Tcp { ours, theirs },
            #[cfg(unix)]
            None => Ends::Unix {
                inode: inode(socket)?,
            },
            #[cfg(not(unix))]
            None => return Err(io::ErrorKind::Unsupported.into()),
        };
        let mut queues = Self::between(kernel, ends);
        // Only a socket that was observed before counts as closed when it is gone.
        queues.look();
        Ok(queues)
    }

    fn between(kernel: &Kernel, ends: Ends) -> Self {
        Self {
            ends,
            netlink: kernel.0.clone(),
            observed: false,
            sent: 0,
        }
    }

    /// Counts bytes that have been sent.
    pub(crate) const fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// Waits until the peer has read all bytes, and calls `meanwhile` between the looks.
    pub(crate) fn wait(&mut self, timeout: Duration, mut meanwhile: impl FnMut()) -> Delivery {
        let deadline = Instant::now() + timeout;
        let mut tries = 0;
        loop {
            if let Some(delivery) = self.look() {
                return delivery;
            }
            meanwhile();
            if Instant::now() > deadline || stop::requested() {
                return Delivery::Unread;
            }
            tries += 1;
            if tries < 100 {
                thread::yield_now();
            } else {
                thread::sleep(Duration::from_micros(200));
            }
        }
    }

    /// Looks once. Returns `None` while there are unread bytes.
    pub(crate) fn look(&mut self) -> Option<Delivery> {
        match self.ends {
            Ends::Tcp { ours, theirs } => self.look_at_tcp(ours, theirs),
            #[cfg(unix)]
            Ends::Unix { inode } => match self.unix_socket(inode) {
                None => Some(Delivery::Unobservable),
                Some(UnixState { closed: true, .. }) => Some(Delivery::Closed),
                Some(UnixState { unread, .. }) => (!unread).then_some(Delivery::Read),
            },
        }
    }

    /// Returns the processes that hold the other end: a hidden one if this user may not see any.
    /// Returns none if the other end is not open.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        let Some(inode) = self.peer_inode() else {
            return Vec::new();
        };
        let mut holders = Holder::of_socket(inode);
        // It may have been closed meanwhile.
        if holders.is_empty() && self.peer_inode() == Some(inode) {
            holders.push(Holder::Hidden);
        }
        holders
    }

    /// Returns the number of the other end among the open files of processes, once it is accepted.
    fn peer_inode(&self) -> Option<u32> {
        let inode = match self.ends {
            Ends::Tcp { ours, theirs } => self.socket(theirs, ours).map(|end| end.inode),
            #[cfg(unix)]
            Ends::Unix { inode } => self.unix_socket(inode).and_then(|end| end.peer),
        };
        inode.filter(|&inode| inode != 0)
    }

    /// Returns the state of this end of a Unix socket.
    #[cfg(unix)]
    fn unix_socket(&self, inode: u32) -> Option<UnixState> {
        self.netlink.as_ref()?.unix_socket(inode).ok()?
    }

    fn look_at_tcp(&mut self, ours: SocketAddr, theirs: SocketAddr) -> Option<Delivery> {
        // Our end first: acknowledged bytes are in the peer's queue by now, or read.
        let (ours, theirs) = (self.socket(ours, theirs), self.socket(theirs, ours));
        let Some((ours, theirs)) = ours.zip(theirs) else {
            let closed = self.observed || ours.or(theirs).is_some_and(|end| !end.open);
            return Some(if closed {
                Delivery::Closed
            } else {
                Delivery::Unobservable
            });
        };
        self.observed = true;
        // Bytes in transit are in no queue. Where the kernel does not report how many bytes
        // have arrived, the acknowledgement shows it, which can be late.
        let arrived = theirs.received.map(|received| received >= self.sent);
        match arrived.unwrap_or(!ours.unacknowledged) && !theirs.unread {
            _ if !theirs.open => Some(Delivery::Closed),
            true => Some(Delivery::Read),
            false => None,
        }
    }

    /// Returns the state of one end, `None` if there is no such socket.
    fn socket(&self, local: SocketAddr, remote: SocketAddr) -> Option<SocketState> {
        if let Some(netlink) = &self.netlink
            && let Ok(state) = netlink.socket(local, remote)
        {
            return state;
        }
        if let Some((local, remote)) = ipv4_entry(local).zip(ipv4_entry(remote))
            && let Some(state) = listed("/proc/net/tcp", &local, &remote)
        {
            return Some(state);
        }
        listed("/proc/net/tcp6", &ipv6_entry(local), &ipv6_entry(remote))
    }
}

/// Returns the number of a socket among the open files of this process.
#[cfg(unix)]
fn inode(socket: &Socket) -> io::Result<u32> {
    u32::try_from(rustix::fs::fstat(socket)?.st_ino).map_err(io::Error::other)
}

/// Finds one end in a list of the kernel.
fn listed(file: &str, local: &str, remote: &str) -> Option<SocketState> {
    let table = fs::read_to_string(file).ok()?;
    table.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        if words.next()? != local || words.next()? != remote {
            return None;
        }
        let state = words.next()?;
        let (unacknowledged, unread) = words.next()?.split_once(':')?;
        // After the timers, retransmissions, the user and the timeouts.
        let inode = words.nth(4)?;
        Some(SocketState {
            open: u8::from_str_radix(state, 16).is_ok_and(|state| OPEN_STATES.contains(&state)),
            unacknowledged: unacknowledged != "00000000",
            unread: unread != "00000000",
            received: None,
            inode: inode.parse().ok()?,
        })
    })
}

/// Writes an address as `/proc/net/tcp` does: its four bytes as one integer of the machine, in
/// hexadecimal.
fn ipv4_entry(address: SocketAddr) -> Option<String> {
    let IpAddr::V4(ip) = address.ip() else {
        return None;
    };
    let ip = u32::from_ne_bytes(ip.octets());
    Some(format!("{ip:08X}:{:04X}", address.port()))
}

/// Writes an address as `/proc/net/tcp6` does: as four such integers, with IPv4 mapped to IPv6.
fn ipv6_entry(address: SocketAddr) -> String {
    let ip: Ipv6Addr = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut entry = String::new();
    for &word in ip.octets().as_chunks::<4>().0 {
        let _ = write!(entry, "{:08X}", u32::from_ne_bytes(word));
    }
    let _ = write!(entry, ":{:04X}", address.port());
    entry
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    /// Netlink and `/proc` report the same deliveries.
    #[test]
    fn netlink_and_proc_agree() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                eprintln!("skipped: cannot listen on {address}");
                continue;
            };
            let theirs = listener.local_addr().unwrap();
            let mut socket = TcpStream::connect(theirs).unwrap();
            let (mut accepted, ours) = listener.accept().unwrap();
            let mut queues = Queues::new(ours, theirs);
            let mut over_proc = Queues {
                netlink: None,
                ..Queues::new(ours, theirs)
            };
            socket.write_all(b"first").unwrap();
            accepted.read_exact(&mut [0; 5]).unwrap();
            let Some(state) = over_proc.socket(theirs, ours) else {
                eprintln!("skipped: sockets cannot be observed");
                return;
            };
            if let Some(netlink) = &queues.netlink {
                let received = Some(5);
                let expected = [
                    (theirs, ours, Some(SocketState { received, ..state })),
                    // A socket that listens, and none.
                    (theirs, theirs, None),
                    (ours, ours, None),
                ];
                for (local, remote, state) in expected {
                    assert_eq!(netlink.socket(local, remote).ok(), Some(state));
                }
                let mut queues = Queues::new(ours, theirs);
                queues.sent(5);
                assert_eq!(queues.look(), Some(Delivery::Read));
                // A byte in transit.
                queues.sent(1);
                assert_eq!(queues.look(), None);
            }
            let mut expect = |delivery, milliseconds| {
                for queues in [&mut queues, &mut over_proc] {
                    let timeout = Duration::from_millis(milliseconds);
                    assert_eq!(queues.wait(timeout, || ()), delivery, "{address}");
                }
            };
            socket.write_all(b"hello").unwrap();
            expect(Delivery::Unread, 50);
            accepted.read_exact(&mut [0; 5]).unwrap();
            expect(Delivery::Read, 5000);
            // A half-closed end can still read.
            accepted.shutdown(Shutdown::Write).unwrap();
            expect(Delivery::Read, 5000);
            drop(accepted);
            socket.write_all(b"hello").unwrap();
            expect(Delivery::Closed, 5000);
        }
    }
}
