//! Replies that come at the wrong time: surplus bytes after the whole reply, while the connection
//! stays open, and whole replies before the last byte of the stream.
//!
//! To wait for them on every connection would take too long. Connections with a few splits stay
//! open side by side instead, and the wait is the same for all of them.

use everysplit::Split;

use super::TcpRun;
use super::baseline::{Baseline, REPETITIONS};
use super::difference::Difference;
use super::peer::{ReplyEnd, ReplyRule, Request};
use super::splits::{DifferingSplit, spread};
use super::warnings::Reach;
use crate::streams::NamedStream;
use crate::{Error, stop};

/// Maximum number of connections that stay open side by side.
pub(super) const SIDE_BY_SIDE: usize = 16;

/// A stream of which all splits had the same reply so far.
pub(super) struct SameSoFar<'a> {
    pub(super) stream: &'a NamedStream,
    pub(super) baseline: Baseline,
    /// The splits that were tried.
    pub(super) splits: Vec<Split>,
    pub(super) reach: Reach,
}

impl SameSoFar<'_> {
    /// Returns whether a connection usually ends with the reply.
    fn is_cut_short(&self) -> bool {
        matches!(self.baseline.rule.end, ReplyEnd::Expected)
    }

    /// Returns the splits to listen after: byte by byte, and with one cut.
    fn listened_splits(&self, count: usize) -> Vec<Split> {
        let len = self.stream.bytes.len();
        let one_cut = spread(len).map(|cut| Split::new([cut]));
        let bytes = std::iter::once_with(|| Split::bytes(len));
        bytes.chain(one_cut).take(count).collect()
    }
}

impl TcpRun<'_> {
    /// Listens after the replies to some splits of each stream. Returns the smallest split with a
    /// late surplus for each stream that has one. Also sends each stream without its last byte, and
    /// notes if the whole reply comes.
    pub(super) fn listen(
        &mut self,
        streams: &mut [SameSoFar<'_>],
    ) -> Result<Vec<Option<DifferingSplit>>, Error> {
        let mut found = Vec::new();
        found.resize_with(streams.len(), || None);
        let open: Vec<_> = (0..streams.len())
            .filter(|&index| streams[index].is_cut_short())
            .collect();
        let each = SIDE_BY_SIDE / open.len().max(1);
        let mut listened: Vec<(usize, Split)> = Vec::new();
        for &index in &open {
            let splits = streams[index].listened_splits(each.max(1));
            listened.extend(splits.into_iter().map(|split| (index, split)));
        }
        // One more request has shown any surplus.
        let shortened: Vec<usize> = (0..streams.len())
            .filter(|&index| {
                let SameSoFar {
                    stream, baseline, ..
                } = &streams[index];
                // A script without its last byte is another script.
                let is_known = baseline.rule.end == ReplyEnd::Protocol || stream.script.is_some();
                stream.bytes.len() > 1 && !is_known
            })
            .collect();
        if open.is_empty() && shortened.is_empty() || stop::requested() {
            return Ok(found);
        }
        self.recorder.progress("listening for late bytes");
        let whole = Split::whole();
        let complete = listened.iter().map(|(index, split)| Request {
            // The next connection is made when the reply begins.
            rule: ReplyRule::open(ReplyEnd::FirstByte),
            ..self.request(streams[*index].stream, split)
        });
        let incomplete = shortened.iter().map(|&index| {
            let request = self.request(streams[index].stream, &whole);
            Request {
                stream: &request.stream[..request.stream.len() - 1],
                ..request
            }
        });
        let requests: Vec<_> = complete.chain(incomplete).collect();
        let mut replies = self.peer.exchange_and_listen(&requests)?;
        self.coverage.connections += replies.len() as u64;
        let early = replies.split_off(listened.len().min(replies.len()));
        self.coverage.listened += replies.len() as u64;
        for (index, reply) in shortened.into_iter().zip(early) {
            let expected = &streams[index].baseline.before_half_close;
            if !expected.is_empty() && self.masked(&reply) == *expected {
                let sent = streams[index].stream.bytes.len() - 1;
                streams[index].reach.add_reply(sent);
            }
        }
        for ((index, split), reply) in listened.iter().zip(replies) {
            let SameSoFar {
                stream, baseline, ..
            } = &streams[*index];
            let expected = &baseline.before_half_close;
            let reply = self.masked(&reply);
            let is_surplus = reply.starts_with(expected) && reply.len() > expected.len();
            let is_smaller = found[*index]
                .as_ref()
                .is_none_or(|found: &DifferingSplit| split.cuts().len() < found.split.cuts().len());
            // Other connections may have caused it.
            if is_surplus
                && is_smaller
                && let Some(difference) = self.confirm(stream, split, baseline)?
            {
                found[*index] = Some(DifferingSplit {
                    split: split.clone(),
                    difference,
                });
            }
        }
        Ok(found)
    }

    /// Sends a split alone several times and listens. Returns how the reply differs every time.
    ///
    /// # Errors
    ///
    /// [`NotTestable`](super::baseline::NotTestable), if the reply to the uncut stream is another one
    /// than before too: a slow peer may have paused in it for longer than --reply-idle.
    pub(super) fn confirm(
        &mut self,
        stream: &NamedStream,
        split: &Split,
        baseline: &Baseline,
    ) -> Result<Option<Difference>, Error> {
        let mut difference = None;
        for _ in 1..REPETITIONS {
            let outcome = self.send(&self.request(stream, split))?;
            let reply = self.comparable(&stream.bytes, &outcome);
            if reply == baseline.before_half_close {
                return Ok(None);
            }
            difference = Some(Difference::new(
                &baseline.before_half_close,
                &reply,
                &outcome,
            ));
        }
        let listens = Baseline {
            masked: baseline.before_half_close.clone(),
            rule: ReplyRule::LISTEN,
            must_close: false,
            ..baseline.clone()
        };
        self.check_repeatable(stream, &listens)?;
        Ok(difference)
    }

    fn request<'b>(&self, stream: &'b NamedStream, split: &'b Split) -> Request<'b> {
        Request {
            stream: &stream.bytes,
            split,
            script: stream.script.as_deref(),
            rule: ReplyRule::LISTEN,
            expected: &[],
            timeout: self.options.timeout,
        }
    }
}
