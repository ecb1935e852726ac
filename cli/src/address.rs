//! The address of a socket: TCP, or a path in the file system.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

/// What precedes the path of a Unix socket.
const UNIX: &str = "unix:";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    /// Parses `HOST:PORT`, a port of 127.0.0.1, or `unix:PATH`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(UNIX) {
            Some("") => Err("the path is missing after unix:".into()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => match text.parse() {
                Ok(port) => Ok(Self::Tcp((Ipv4Addr::LOCALHOST, port).into())),
                Err(_) => resolve(text).map(Self::Tcp),
            },
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// Resolves an address, to IPv4 if it has one: most servers listen there.
pub(crate) fn resolve(text: &str) -> Result<SocketAddr, String> {
    text.to_socket_addrs()
        .map_err(|error| error.to_string())?
        .min_by_key(SocketAddr::is_ipv6)
        .ok_or_else(|| "the name has no address".into())
}
