//! The address of a server, over TCP or on a Unix socket, and a connection to it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket,
};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::str::FromStr;

use socket2::SockRef;

/// What an address on a Unix socket begins with.
const UNIX_PREFIX: &str = "unix:";

/// Where a server listens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Address {
    /// A host and a port as typed, and what they resolve to: never empty, IPv4 first, as most
    /// servers listen there.
    Tcp {
        name: String,
        resolved: Vec<SocketAddr>,
    },
    /// The path of a Unix socket.
    #[cfg(unix)]
    Unix(String),
}

impl Address {
    /// Returns the address of a port of this machine, over IPv4 or IPv6.
    pub(crate) fn local_port(port: u16) -> Self {
        let ips: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        Self::Tcp {
            name: format!("127.0.0.1:{port}"),
            resolved: ips.map(|ip| SocketAddr::new(ip, port)).into(),
        }
    }

    /// Returns whether the address is on this machine, whatever it resolves to.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Tcp { resolved, .. } => resolved.iter().all(|address| is_own(address.ip())),
            #[cfg(unix)]
            Self::Unix(_) => true,
        }
    }

    /// Returns the host as typed, if there is one.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp { name, .. } => {
                let (host, _) = name.rsplit_once(':')?;
                Some(host.trim_matches(['[', ']']))
            }
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// Connects. Returns the last error if nothing that the address resolves to accepts.
    pub(crate) fn connect(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp { resolved, .. } => TcpStream::connect(&resolved[..]).map(Socket::Tcp),
            #[cfg(unix)]
            Self::Unix(path) => UnixStream::connect(path).map(Socket::Unix),
        }
    }
}

/// Returns whether an IP address is one of this machine: only those can be listened on.
fn is_own(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp {
            name: address.to_string(),
            resolved: vec![address],
        }
    }
}

/// Parses `HOST:PORT`, a port of 127.0.0.1, or `unix:PATH`.
impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        #[cfg(unix)]
        if let Some(path) = text.strip_prefix(UNIX_PREFIX) {
            return match path {
                "" => Err("expected unix:PATH".into()),
                _ => Ok(Self::Unix(path.into())),
            };
        }
        if let Ok(port) = text.parse() {
            return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into());
        }
        let addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
        // An IPv4 address that is mapped to IPv6 is the same address.
        let mut resolved: Vec<SocketAddr> = addresses
            .map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()))
            .collect();
        // Not every system says that this name is both.
        if let Some(port) = text
            .strip_prefix("localhost:")
            .and_then(|port| port.parse().ok())
        {
            resolved.push(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port));
        }
        if resolved.is_empty() {
            return Err("the name has no address".into());
        }
        resolved.sort_by_key(SocketAddr::is_ipv6);
        resolved.dedup();
        Ok(Self::Tcp {
            name: text.into(),
            resolved,
        })
    }
}

/// The address as typed.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { name, .. } => f.write_str(name),
            #[cfg(unix)]
            Self::Unix(path) => write!(f, "{UNIX_PREFIX}{path}"),
        }
    }
}

/// A connected socket.
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Returns at once from reads and writes, sends small chunks at once, and acknowledges at once.
    pub(crate) fn set_prompt(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => {
                socket.set_nodelay(true)?;
                socket.set_nonblocking(true)?;
            }
            #[cfg(unix)]
            Self::Unix(socket) => socket.set_nonblocking(true)?,
        }
        self.acknowledge();
        Ok(())
    }

    /// Returns the socket as the system knows it.
    pub(crate) fn system(&self) -> SockRef<'_> {
        match self {
            Self::Tcp(socket) => socket.into(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.into(),
        }
    }

    /// Acknowledges what was received now, and what follows at once: a peer that waits for it before
    /// it sends on would lose 40 ms each time. Linux forgets this again and again.
    pub(crate) fn acknowledge(&self) {
        #[cfg(target_os = "linux")]
        if let Self::Tcp(socket) = self {
            let _ = rustix::net::sockopt::set_tcp_quickack(socket, true);
        }
    }

    /// Shuts down the sending direction.
    pub(crate) fn half_close(&self) {
        // This fails if the peer has closed already.
        let _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(socket) => socket.shutdown(Shutdown::Write),
        };
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => (&mut &*socket).read(buffer),
            #[cfg(unix)]
            Socket::Unix(socket) => (&mut &*socket).read(buffer),
        }
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => (&mut &*socket).write(bytes),
            #[cfg(unix)]
            Socket::Unix(socket) => (&mut &*socket).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_no_brackets() {
        let host = |text: &str| {
            let address: Address = text.parse().unwrap();
            address.host().map(String::from)
        };
        assert_eq!(host("[::1]:443").as_deref(), Some("::1"));
        assert_eq!(host("7").as_deref(), Some("127.0.0.1"));
        #[cfg(unix)]
        assert_eq!(host("unix:path"), None);
    }
}
