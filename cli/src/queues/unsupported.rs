//! Replaces `netlink` on systems other than Linux: no socket can be observed.

use std::net::SocketAddr;

use super::{SocketState, UnixState};

pub(super) struct Netlink;

/// The kernel cannot be queried.
pub(super) struct QueryError;

impl Netlink {
    pub(super) const fn open() -> Option<Self> {
        None
    }

    pub(super) fn socket(
        &self,
        _: SocketAddr,
        _: SocketAddr,
    ) -> Result<Option<SocketState>, QueryError> {
        Err(QueryError)
    }

    pub(super) fn unix_socket(&self, _: u32) -> Result<Option<UnixState>, QueryError> {
        Err(QueryError)
    }
}
