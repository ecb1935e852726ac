//! Asks Linux for one socket over netlink, `sock_diag(7)`: the lists in `/proc` take
//! milliseconds each on a machine with much memory.

use std::net::SocketAddr;

use super::{End, OPEN};

/// Why nothing is told of a socket, not even that there is none.
pub(super) struct Unasked;

// As Linux numbers them, in its headers linux/netlink.h, linux/sock_diag.h,
// linux/inet_diag.h, asm-generic/errno-base.h and net/tcp_states.h.
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `INET_DIAG_INFO`: an attribute that is a `struct tcp_info`.
const INFO: u16 = 2;
/// Where `tcpi_bytes_received` is in it.
const RECEIVED: usize = 128;
/// `ENOENT`.
const NO_ENTRY: i32 = 2;
/// `TCP_LISTEN`.
const LISTEN: u8 = 10;

/// A socket to ask on.
pub(super) struct Diag(rustix::fd::OwnedFd);

impl Diag {
    /// How many bytes the ports and addresses have, in network order.
    const ENDS: usize = 36;

    pub(super) fn new() -> Option<Self> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink, socket_with};
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        let protocol = Some(netlink::SOCK_DIAG);
        socket_with(family, kind, SocketFlags::CLOEXEC, protocol)
            .ok()
            .map(Self)
    }

    /// Returns what there is to tell of a socket, `None` if there is no such socket.
    pub(super) fn end(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Result<Option<End>, Unasked> {
        use rustix::net::{RecvFlags, SendFlags, recv, send};
        let mut told = [0; 4096];
        send(&self.0, &Self::asked(local, remote), SendFlags::empty()).map_err(|_| Unasked)?;
        // The answer is there when it has been sent.
        let (read, _) = recv(&self.0, &mut told[..], RecvFlags::DONTWAIT).map_err(|_| Unasked)?;
        Self::told(&told[..read])
    }

    fn asked(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
        const LEN: u32 = 16 + 56;
        let (inet, inet6, tcp) = (2, 10, 6);
        let family = if local.is_ipv4() { inet } else { inet6 };
        let mut asked = Vec::from(LEN.to_ne_bytes());
        asked.extend(BY_FAMILY.to_ne_bytes());
        asked.extend(REQUEST.to_ne_bytes());
        asked.extend([0; 8]);
        asked.extend([family, tcp, 1 << (INFO - 1), 0]);
        // In any state.
        asked.extend([0xff; 4]);
        asked.extend(Self::ends(local, remote));
        // On any interface, of any cookie.
        asked.extend([0; 4]);
        asked.extend([0xff; 8]);
        asked
    }

    fn told(answer: &[u8]) -> Result<Option<End>, Unasked> {
        let kind = answer.get(4..6).ok_or(Unasked)?;
        let body = answer.get(16..).ok_or(Unasked)?;
        if kind == BY_FAMILY.to_ne_bytes() {
            let (message, attributes) = body.split_at_checked(72).ok_or(Unasked)?;
            let state = message[1];
            // One that listens is told in the place of one that is no more.
            return Ok((state != LISTEN).then(|| End {
                open: OPEN.contains(&state),
                unread: message[56..60] != [0; 4],
                unsent: message[60..64] != [0; 4],
                received: Self::received(attributes),
            }));
        }
        let no_entry = kind == ERROR.to_ne_bytes() && body.starts_with(&(-NO_ENTRY).to_ne_bytes());
        no_entry.then_some(None).ok_or(Unasked)
    }

    /// Finds among attributes the one that tells how many bytes have come.
    fn received(mut attributes: &[u8]) -> Option<u64> {
        loop {
            let (length, rest) = attributes.split_first_chunk()?;
            let (kind, rest) = rest.split_first_chunk()?;
            let length = usize::from(u16::from_ne_bytes(*length));
            if u16::from_ne_bytes(*kind) == INFO {
                let received = rest.get(RECEIVED..)?.first_chunk()?;
                return Some(u64::from_ne_bytes(*received));
            }
            attributes = attributes.get(length.next_multiple_of(4).max(4)..)?;
        }
    }

    fn ends(local: SocketAddr, remote: SocketAddr) -> [u8; Self::ENDS] {
        let mut ends = [0; Self::ENDS];
        ends[..2].copy_from_slice(&local.port().to_be_bytes());
        ends[2..4].copy_from_slice(&remote.port().to_be_bytes());
        for (at, address) in [(4, local), (20, remote)] {
            match address {
                SocketAddr::V4(address) => {
                    ends[at..at + 4].copy_from_slice(&address.ip().octets());
                }
                SocketAddr::V6(address) => {
                    ends[at..at + 16].copy_from_slice(&address.ip().octets());
                }
            }
        }
        ends
    }
}
