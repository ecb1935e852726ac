//! The interface to the peer under test, server or client.

use std::time::Duration;

use everysplit::Split;

use crate::Error;
use crate::process::Memory;

/// A server or client.
pub(super) trait Peer {
    /// Returns the word for it in messages.
    fn name(&self) -> &'static str;

    /// Returns the word for the result of a connection in messages.
    fn reply_name(&self) -> &'static str;

    /// Sends a stream on a new connection and collects the reply.
    fn exchange(&mut self, request: &Request<'_>) -> Result<ConnectionOutcome, Error>;

    /// If the program has ended by mistake, starts it again and returns how it ended.
    fn crash(&mut self) -> Result<Option<String>, Error>;

    /// Returns the memory of the program that runs or ran last, where it can be read.
    fn memory(&self) -> Option<Memory>;
}

/// What to send on a connection, and how the reply ends.
pub(super) struct Request<'a> {
    pub(super) stream: &'a [u8],
    pub(super) split: &'a Split,
    pub(super) reply_end: ReplyEnd,
    /// Maximum time to wait for the reply.
    pub(super) timeout: Duration,
}

/// How to recognise the end of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyEnd {
    /// Not known yet: the peer closes, or no more bytes come.
    Unknown,
    /// The peer closes by itself, or exits.
    PeerCloses,
    /// It has this length after masking. Then the connection is half-closed, and `closes` is
    /// whether the peer closes too.
    Length { length: usize, closes: bool },
    /// The peer replies after a half-close and keeps the connection open.
    IdleAfterHalfClose,
    /// The peer closes after a half-close.
    CloseAfterHalfClose,
    /// The first byte is enough.
    FirstByte,
}

/// What happened on a connection.
pub(super) struct ConnectionOutcome {
    pub(super) reply: Vec<u8>,
    /// Whether each chunk was observed to be read before the next was sent.
    pub(super) observed: bool,
    /// Whether the peer closed, or exited, by itself.
    pub(super) closed: bool,
    /// Whether the reply ended before the timeout.
    pub(super) in_time: bool,
}
