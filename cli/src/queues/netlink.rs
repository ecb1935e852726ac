//! Queries Linux for one socket over netlink, `sock_diag(7)`. The lists in `/proc` take
//! milliseconds per look on a machine with much memory.

use std::net::SocketAddr;

use super::{OPEN_STATES, SocketState, UnixState};

/// The kernel did not answer, or not in a known form.
pub(super) struct QueryError;

// Constants of the Linux headers linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h,
// linux/unix_diag.h, asm-generic/errno-base.h and net/tcp_states.h.
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// An attribute that is a `struct tcp_info`.
const INET_DIAG_INFO: u16 = 2;
/// The offset of `tcpi_bytes_received` in a `struct tcp_info`.
const BYTES_RECEIVED: usize = 128;
const UNIX_DIAG_PEER: u16 = 2;
const UNIX_DIAG_RQLEN: u16 = 4;
const UNIX_DIAG_SHUTDOWN: u16 = 6;
/// Both directions of `UNIX_DIAG_SHUTDOWN`.
const SHUTDOWN_MASK: u8 = 3;
const ENOENT: i32 = 2;
const TCP_LISTEN: u8 = 10;

/// A netlink socket for queries.
pub(super) struct Netlink(rustix::fd::OwnedFd);

impl Netlink {
    /// The size of the ports and addresses in a request, in bytes.
    const ADDRESS_BYTES: usize = 36;

    pub(super) fn open() -> Option<Self> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink, socket_with};
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        let protocol = Some(netlink::SOCK_DIAG);
        socket_with(family, kind, SocketFlags::CLOEXEC, protocol)
            .ok()
            .map(Self)
    }

    /// Returns the state of a socket, `None` if there is no such socket.
    pub(super) fn socket(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Result<Option<SocketState>, QueryError> {
        Self::parse_reply(&self.query(&Self::request(local, remote))?)
    }

    /// Returns the state of one end of a Unix socket, `None` if there is no such socket.
    pub(super) fn unix_socket(&self, inode: u32) -> Result<Option<UnixState>, QueryError> {
        let reply = self.query(&Self::unix_request(inode))?;
        let Some(body) = Self::body(&reply)? else {
            return Ok(None);
        };
        let attributes = body.get(16..).ok_or(QueryError)?;
        let lengths = attribute(attributes, UNIX_DIAG_RQLEN).ok_or(QueryError)?;
        // The bytes in both directions: received, and sent until the other end has read them.
        let sent = lengths.get(4..8).ok_or(QueryError)?;
        let shutdown = attribute(attributes, UNIX_DIAG_SHUTDOWN).ok_or(QueryError)?;
        let peer = attribute(attributes, UNIX_DIAG_PEER).and_then(<[u8]>::first_chunk);
        Ok(Some(UnixState {
            closed: shutdown.first() == Some(&SHUTDOWN_MASK),
            unread: sent != [0; 4],
            peer: peer.map(|inode| u32::from_ne_bytes(*inode)),
        }))
    }

    fn query(&self, request: &[u8]) -> Result<Vec<u8>, QueryError> {
        use rustix::net::{RecvFlags, SendFlags, recv, send};
        let mut reply = [0; 4096];
        send(&self.0, request, SendFlags::empty()).map_err(|_| QueryError)?;
        // The kernel replies before `send` returns.
        let (read, _) =
            recv(&self.0, &mut reply[..], RecvFlags::DONTWAIT).map_err(|_| QueryError)?;
        Ok(reply[..read].to_vec())
    }

    fn unix_request(inode: u32) -> Vec<u8> {
        const LEN: u32 = 16 + 24;
        let show: u32 = [UNIX_DIAG_PEER, UNIX_DIAG_RQLEN]
            .map(|attribute| 1 << attribute)
            .iter()
            .sum();
        let mut request = Self::header(LEN);
        let unix = 1;
        request.extend([unix, 0, 0, 0]);
        // Any state.
        request.extend([0xff; 4]);
        request.extend(inode.to_ne_bytes());
        request.extend(show.to_ne_bytes());
        // Any cookie.
        request.extend([0xff; 8]);
        request
    }

    /// Encodes the header of a request.
    fn header(len: u32) -> Vec<u8> {
        let mut header = Vec::from(len.to_ne_bytes());
        header.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        header.extend(NLM_F_REQUEST.to_ne_bytes());
        header.extend([0; 8]);
        header
    }

    fn request(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
        const LEN: u32 = 16 + 56;
        let (inet, inet6, tcp) = (2, 10, 6);
        let family = if local.is_ipv4() { inet } else { inet6 };
        let mut request = Self::header(LEN);
        request.extend([family, tcp, 1 << (INET_DIAG_INFO - 1), 0]);
        // Any state.
        request.extend([0xff; 4]);
        request.extend(Self::addresses(local, remote));
        // Any interface, any cookie.
        request.extend([0; 4]);
        request.extend([0xff; 8]);
        request
    }

    fn parse_reply(reply: &[u8]) -> Result<Option<SocketState>, QueryError> {
        let Some(body) = Self::body(reply)? else {
            return Ok(None);
        };
        let (message, attributes) = body.split_at_checked(72).ok_or(QueryError)?;
        let state = message[1];
        let inode = message[68..].first_chunk().ok_or(QueryError)?;
        // For a connection that is gone, the kernel returns the listening socket.
        Ok((state != TCP_LISTEN).then(|| SocketState {
            open: OPEN_STATES.contains(&state),
            unread: message[56..60] != [0; 4],
            unacknowledged: message[60..64] != [0; 4],
            received: Self::bytes_received(attributes),
            inode: u32::from_ne_bytes(*inode),
        }))
    }

    /// Returns a reply after its header, `None` if there is no such socket.
    fn body(reply: &[u8]) -> Result<Option<&[u8]>, QueryError> {
        let kind = reply.get(4..6).ok_or(QueryError)?;
        let body = reply.get(16..).ok_or(QueryError)?;
        if kind == SOCK_DIAG_BY_FAMILY.to_ne_bytes() {
            return Ok(Some(body));
        }
        let not_found =
            kind == NLMSG_ERROR.to_ne_bytes() && body.starts_with(&(-ENOENT).to_ne_bytes());
        not_found.then_some(None).ok_or(QueryError)
    }

    /// Reads `tcpi_bytes_received` from the attributes of a reply.
    fn bytes_received(attributes: &[u8]) -> Option<u64> {
        let info = attribute(attributes, INET_DIAG_INFO)?;
        let received = info.get(BYTES_RECEIVED..)?.first_chunk()?;
        Some(u64::from_ne_bytes(*received))
    }

    /// Encodes the ports and addresses of a request, in network order.
    fn addresses(local: SocketAddr, remote: SocketAddr) -> [u8; Self::ADDRESS_BYTES] {
        let mut encoded = [0; Self::ADDRESS_BYTES];
        encoded[..2].copy_from_slice(&local.port().to_be_bytes());
        encoded[2..4].copy_from_slice(&remote.port().to_be_bytes());
        for (at, address) in [(4, local), (20, remote)] {
            match address {
                SocketAddr::V4(address) => {
                    encoded[at..at + 4].copy_from_slice(&address.ip().octets());
                }
                SocketAddr::V6(address) => {
                    encoded[at..at + 16].copy_from_slice(&address.ip().octets());
                }
            }
        }
        encoded
    }
}

/// Returns the value of an attribute of a reply.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (length, rest) = attributes.split_first_chunk()?;
        let (kind, _) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_ne_bytes(*length));
        if u16::from_ne_bytes(*kind) == wanted {
            return attributes.get(4..length);
        }
        attributes = attributes.get(length.next_multiple_of(4).max(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_error_says_that_there_is_no_socket() {
        let reply = |kind: u16, error: i32| {
            let header = [[0; 4].as_slice(), &kind.to_ne_bytes(), &[0; 10]].concat();
            [header, error.to_ne_bytes().to_vec()].concat()
        };
        let body = |reply: &[u8]| Netlink::body(reply).ok().map(|body| body.is_some());
        assert_eq!(body(&reply(SOCK_DIAG_BY_FAMILY, 0)), Some(true));
        assert_eq!(body(&reply(NLMSG_ERROR, -ENOENT)), Some(false));
        let (permission, done) = (-1, 3);
        assert_eq!(body(&reply(NLMSG_ERROR, permission)), None);
        assert_eq!(body(&reply(done, -ENOENT)), None);
    }
}
