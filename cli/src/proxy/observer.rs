//! Observes whether the program at the other end of a socket has read what was sent.

use socket2::Socket;

#[cfg(target_os = "linux")]
use super::unix_queue::{UnixKernel, UnixQueue};
use crate::queues::{Delivery, Kernel, Queues};

/// Connections to the kernel, which all observers share.
pub(super) struct Kernels {
    tcp: Kernel,
    #[cfg(target_os = "linux")]
    unix: Option<UnixKernel>,
}

impl Kernels {
    pub(super) fn open() -> Self {
        Self {
            tcp: Kernel::open(),
            #[cfg(target_os = "linux")]
            unix: UnixKernel::open(),
        }
    }

    /// Observes the other end of a connected socket.
    pub(super) fn observe(&self, socket: &Socket) -> Observer {
        let (Ok(ours), Ok(theirs)) = (socket.local_addr(), socket.peer_addr()) else {
            return Observer::Blind;
        };
        if let Some((ours, theirs)) = ours.as_socket().zip(theirs.as_socket()) {
            let mut queues = Queues::over(&self.tcp, ours, theirs);
            // Only a socket that was observed before counts as closed when it is gone.
            queues.look();
            return Observer::Tcp(queues);
        }
        #[cfg(target_os = "linux")]
        if let Some(queue) = self.unix.as_ref().and_then(|kernel| kernel.queue(socket)) {
            return Observer::Unix(queue);
        }
        Observer::Blind
    }
}

/// An observed direction of a connection.
pub(super) enum Observer {
    Tcp(Queues),
    #[cfg(target_os = "linux")]
    Unix(UnixQueue),
    /// The other end cannot be observed.
    Blind,
}

impl Observer {
    /// Counts bytes that have been sent.
    pub(super) const fn sent(&mut self, bytes: usize) {
        if let Self::Tcp(queues) = self {
            queues.sent(bytes);
        }
    }

    /// Looks once. Returns `None` while there are unread bytes.
    pub(super) fn look(&mut self) -> Option<Delivery> {
        match self {
            Self::Tcp(queues) => queues.look(),
            #[cfg(target_os = "linux")]
            Self::Unix(queue) => queue.look(),
            Self::Blind => Some(Delivery::Unobservable),
        }
    }
}
