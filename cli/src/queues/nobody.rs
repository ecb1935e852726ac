//! Stands for `diag` where there is nobody to ask for a socket.

use std::net::SocketAddr;

use super::End;

pub(super) struct Diag;

/// Nothing is told of any socket.
pub(super) struct Unasked;

impl Diag {
    pub(super) const fn new() -> Option<Self> {
        None
    }

    pub(super) fn end(&self, _: SocketAddr, _: SocketAddr) -> Result<Option<End>, Unasked> {
        Err(Unasked)
    }
}
