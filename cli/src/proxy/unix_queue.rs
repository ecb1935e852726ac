//! Queries Linux for the queue of a Unix socket over netlink, `sock_diag(7)`.

use std::sync::Arc;

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{netlink, recv, send, socket_with};
use socket2::Socket;

use crate::queues::Delivery;

// Constants of the Linux headers linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h and
// sys/socket.h.
const NLM_F_REQUEST: u16 = 1;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const AF_UNIX: u8 = 1;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
/// An attribute that is a `struct unix_diag_rqlen`.
const UNIX_DIAG_RQLEN: u16 = 4;

/// A connection to the kernel.
pub(super) struct UnixKernel(Arc<OwnedFd>);

impl UnixKernel {
    pub(super) fn open() -> Option<Self> {
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        let protocol = Some(netlink::SOCK_DIAG);
        let socket = socket_with(family, kind, SocketFlags::CLOEXEC, protocol);
        socket.ok().map(|socket| Self(Arc::new(socket)))
    }

    /// Returns the bytes that are sent on a socket and not read.
    pub(super) fn queue(&self, socket: &Socket) -> Option<UnixQueue> {
        let inode = rustix::fs::fstat(socket).ok()?.st_ino.try_into().ok()?;
        Some(UnixQueue {
            netlink: Arc::clone(&self.0),
            inode,
        })
    }
}

/// The bytes that were sent on a Unix socket and are not read.
pub(super) struct UnixQueue {
    netlink: Arc<OwnedFd>,
    /// The number of our end of the connection.
    inode: u32,
}

impl UnixQueue {
    /// Looks once. Returns `None` while there are unread bytes.
    pub(super) fn look(&self) -> Option<Delivery> {
        match self.unread() {
            None => Some(Delivery::Unobservable),
            Some(false) => Some(Delivery::Read),
            Some(true) => None,
        }
    }

    /// Returns whether there are unread bytes, `None` if the kernel does not say.
    fn unread(&self) -> Option<bool> {
        let mut reply = [0; 1024];
        send(&*self.netlink, &self.request(), SendFlags::empty()).ok()?;
        // The kernel replies before `send` returns.
        let (read, _) = recv(&*self.netlink, &mut reply[..], RecvFlags::DONTWAIT).ok()?;
        parse_reply(&reply[..read])
    }

    fn request(&self) -> Vec<u8> {
        const LEN: u32 = 16 + 24;
        let mut request = Vec::from(LEN.to_ne_bytes());
        request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        request.extend(NLM_F_REQUEST.to_ne_bytes());
        request.extend([0; 8]);
        request.extend([AF_UNIX, 0, 0, 0]);
        // Any state.
        request.extend([0xff; 4]);
        request.extend(self.inode.to_ne_bytes());
        request.extend(UDIAG_SHOW_RQLEN.to_ne_bytes());
        // Any cookie.
        request.extend([0xff; 8]);
        request
    }
}

fn parse_reply(reply: &[u8]) -> Option<bool> {
    if reply.get(4..6)? != SOCK_DIAG_BY_FAMILY.to_ne_bytes() {
        return None;
    }
    let mut attributes = reply.get(16 + 16..)?;
    loop {
        let (length, rest) = attributes.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_ne_bytes(*length));
        if u16::from_ne_bytes(*kind) == UNIX_DIAG_RQLEN {
            // The length of the receive queue, then that of the send queue.
            return Some(rest.get(4..8)? != [0; 4]);
        }
        attributes = attributes.get(length.next_multiple_of(4).max(4)..)?;
    }
}
