//! What was covered, in words: by the run as a whole, and on one stream.

use std::fmt;
use std::time::Duration;

use everysplit::Split;

use crate::queues::CHUNK_DELAY;
use crate::text::{count, pace};

/// What a run has done.
#[derive(Default)]
pub(super) struct Coverage {
    pub(super) connections: u64,
    pub(super) time: Duration,
    pub(super) splits: u64,
    /// The splits of which not every chunk was observed to be read before the next was sent.
    pub(super) timed: u64,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timed, .. } = self;
        let splits = count(self.splits, "split");
        match timed {
            0 => write!(
                f,
                "{splits}, observed: each chunk was read before the next was sent"
            )?,
            _ => write!(
                f,
                "{splits}, {timed} of them timed: {CHUNK_DELAY:?} between chunks, so the peer may have read several at once"
            )?,
        }
        let pace = pace(self.connections, self.time);
        write!(f, "; {} {pace}", count(self.connections, "connection"))
    }
}

/// The splits of a stream that all had the same reply.
pub(super) struct SameReply {
    /// The length of the stream.
    pub(super) bytes: usize,
    pub(super) splits: Vec<Split>,
    /// The length of the reply.
    pub(super) reply_bytes: usize,
    /// The word for the reply.
    pub(super) reply_name: &'static str,
}

impl fmt::Display for SameReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes,
            splits,
            reply_bytes,
            reply_name,
        } = self;
        let with = |cuts| {
            splits
                .iter()
                .filter(|split| split.cuts().len() == cuts)
                .count()
        };
        let offsets = bytes - 1;
        let pairs = offsets * offsets.saturating_sub(1) / 2;
        let (one, two) = (with(1), with(2));
        let more = splits.len() - with(0) - one - two;
        write!(
            f,
            "{bytes} bytes, uncut, {one} of {offsets} splits with 1 cut, {two} of {pairs} with 2"
        )?;
        if more > 0 {
            write!(f, ", {more} with more (byte by byte, and random)")?;
        }
        write!(f, ": the same {reply_name} of {reply_bytes} bytes")
    }
}
