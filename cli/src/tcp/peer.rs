//! The interface to the peer under test, server or client.

use std::time::Duration;

use everysplit::Split;

use super::conversation::Conversation;
use crate::Error;
use crate::process::Memory;
use crate::queues::Holder;
use crate::script::Script;

/// A server or client.
pub(super) trait Peer {
    /// Returns the word for it in messages.
    fn name(&self) -> &'static str;

    /// Returns the word for the result of a connection in messages.
    fn reply_name(&self) -> &'static str;

    /// Sends a stream on a new connection and collects the reply.
    fn exchange(&mut self, request: &Request<'_>) -> Result<ConnectionOutcome, Error>;

    /// Sends streams on connections that stay open side by side, until nothing more comes on any
    /// of them. The next one is sent at once, or when the reply to the previous one begins, as its
    /// rule says. Returns the replies, of as many as the peer serves at the same time.
    fn exchange_and_listen(&mut self, requests: &[Request<'_>]) -> Result<Vec<Vec<u8>>, Error>;

    /// If the program has ended by mistake, or does so within a time, starts it again and returns how
    /// it ended.
    fn crash(&mut self, within: Duration) -> Result<Option<String>, Error>;

    /// Returns which process holds the peer's end of the connections, as far as it is known.
    fn reader(&self) -> Option<&Reader>;

    /// Returns the memory of the program that runs or ran last, where it can be read.
    fn memory(&self) -> Option<Memory>;

    /// Begins to measure the peak of the memory anew, if the program goes on running.
    fn forget_peak(&self) {}

    /// Returns whether a process has served a connection that is not measured, or no longer.
    fn serves_unmeasured(&self) -> bool;
}

/// What to send on a connection, and how the reply ends.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) stream: &'a [u8],
    pub(super) split: &'a Split,
    /// The conversation of which the stream is the concatenated sends. Their captured values vary
    /// from connection to connection.
    pub(super) script: Option<&'a Script>,
    pub(super) rule: ReplyRule,
    /// The masked reply with which [`ReplyEnd::Expected`] ends.
    pub(super) expected: &'a [u8],
    /// Maximum time to wait for the reply.
    pub(super) timeout: Duration,
}

/// How to receive a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplyRule {
    pub(super) end: ReplyEnd,
    pub(super) half_close: HalfClose,
}

impl ReplyRule {
    /// Waits for all that comes by itself.
    pub(super) const LISTEN: Self = Self::open(ReplyEnd::Idle);

    /// Leaves the connection open.
    pub(super) const fn open(end: ReplyEnd) -> Self {
        Self {
            end,
            half_close: HalfClose::Never,
        }
    }
}

/// Where a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyEnd {
    /// Where no more bytes come for a while.
    Idle,
    /// Where the peer closes the connection, or exits.
    Close,
    /// Where it is the expected one after masking, or cannot become that any more.
    Expected,
    /// After the first byte.
    FirstByte,
    /// Where the protocol says. One more request then shows whether there is a surplus.
    Protocol,
}

/// When to shut down the sending direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HalfClose {
    Never,
    /// After the stream was sent, as some peers reply only then.
    BeforeReply,
    /// At the end of the reply. The peer closes too, and what it sends until then is part of the
    /// reply.
    AfterReply,
}

/// What happened on a connection.
pub(super) struct ConnectionOutcome {
    pub(super) reply: Vec<u8>,
    pub(super) conversation: Conversation,
    pub(super) reading: Reading,
    /// Number of bytes of the stream that had been sent when the last byte of the reply came.
    pub(super) replied_after: usize,
    /// Whether the peer closed, or exited, by itself or after a half-close.
    pub(super) closed: bool,
    /// Whether there was a reply at all. The exit of a client is one.
    pub(super) replied: bool,
    pub(super) ended: Ended,
    /// The time from the end of the stream to the end of the reply.
    pub(super) reaction: Duration,
}

impl ConnectionOutcome {
    /// Returns whether the reply ended before the timeout.
    pub(super) fn in_time(&self) -> bool {
        self.ended != Ended::TimedOut
    }
}

/// Why no more of a reply is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is complete.
    InTime,
    /// It is not complete at the timeout.
    TimedOut,
    /// It is longer than --max-reply, and is cut off there.
    TooLong,
}

impl Ended {
    pub(super) const fn new(too_long: bool, in_time: bool) -> Self {
        match (too_long, in_time) {
            (true, _) => Self::TooLong,
            (false, true) => Self::InTime,
            (false, false) => Self::TimedOut,
        }
    }
}

/// How the peer read a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Each chunk was read before the next was sent.
    Observed,
    /// Not every read was observed: the peer may have read several chunks at once.
    Timed,
    /// The peer closed the connection before it had read everything, when this many bytes had been
    /// sent.
    Stopped(usize),
}

/// Which process reads what is sent.
#[derive(Clone, Debug)]
pub(super) enum Reader {
    /// The program under test, or a process that it started.
    Tested,
    /// A process of which it is not known whether it is the program under test.
    Unchecked(Holder),
    /// A process that is not the program under test, such as a relay.
    Other(Holder),
}

impl Reader {
    /// Returns which process holds a connection, if that is known. `tested` is the program under
    /// test, and `is_given` says whether the user has named it.
    pub(super) fn of(holders: &[Holder], tested: Option<u32>, is_given: bool) -> Option<Self> {
        let first = holders.first()?.clone();
        Some(match tested {
            None => Self::Unchecked(first),
            Some(pid) if holders.iter().any(|holder| holder.belongs_to(pid)) => Self::Tested,
            // A program that was started can have started one of another user.
            Some(_) if first == Holder::Hidden && !is_given => Self::Unchecked(first),
            Some(_) => Self::Other(first),
        })
    }

    /// Returns how little is known of what the program under test has read.
    pub(super) const fn doubt(&self) -> u8 {
        match self {
            Self::Tested => 0,
            Self::Unchecked(Holder::Known { .. }) => 1,
            Self::Unchecked(Holder::Hidden) => 2,
            Self::Other(_) => 3,
        }
    }
}
