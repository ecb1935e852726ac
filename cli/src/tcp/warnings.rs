//! Warnings: what a peer did that makes the result of a run say less than it seems to.

use super::TcpRun;
use super::baseline::Baseline;
use super::coverage::first_line;
use super::peer::{ConnectionOutcome, HalfClose, Reader, Reading};
use crate::queues::Holder;
use crate::streams::NamedStream;

/// How far the peer got in a stream on the connections with the same reply.
#[derive(Default)]
pub(super) struct Reach {
    /// The least number of bytes that had been sent when the peer closed without having read all.
    stopped: Option<usize>,
    /// The least number of bytes that had been sent when the whole reply had come.
    replied_after: Option<usize>,
}

impl Reach {
    pub(super) fn add(&mut self, outcome: &ConnectionOutcome) {
        match outcome.reading {
            Reading::Stopped(sent) => reduce(&mut self.stopped, sent),
            Reading::Observed | Reading::Timed => self.add_reply(outcome.replied_after),
        }
    }

    /// Notes that the whole reply came when this many bytes had been sent.
    pub(super) fn add_reply(&mut self, sent: usize) {
        reduce(&mut self.replied_after, sent);
    }
}

fn reduce(least: &mut Option<usize>, new: usize) {
    let least = least.get_or_insert(new);
    *least = new.min(*least);
}

impl TcpRun<'_> {
    /// Warns if the end of a stream has no effect on the reply, or is not even read.
    pub(super) fn warn_of_reach(
        &mut self,
        stream: &NamedStream,
        baseline: &Baseline,
        reach: &Reach,
    ) {
        let (name, all) = (&stream.name, stream.bytes.len());
        let (peer, reply) = (self.peer.name(), self.peer.reply_name());
        if let Some(sent) = reach.stopped {
            let within = match sent {
                _ if sent == all => String::new(),
                _ => format!(" after at most {sent} of {all} bytes"),
            };
            self.recorder.warn(format!(
                "{name}: the {peer} closes the connection{within}, before it has read everything; what it does not read is not tested"
            ));
        } else if let Some(sent) = reach.replied_after
            && baseline.replied
            && baseline.rule.half_close != HalfClose::BeforeReply
            && sent < all
        {
            self.recorder.warn(format!(
                "{name}: the whole {reply} came after at most {sent} of {all} bytes; the rest has no effect on it and is not tested"
            ));
        }
        if self.options.protocol.refuses(&baseline.masked) {
            let line = first_line(&baseline.masked);
            self.recorder.warn(format!(
                "{name}: the {peer} refuses it: \"{line}\"; what comes after that is not tested"
            ));
        }
        let is_masked =
            |masked: &[u8]| !masked.is_empty() && masked.iter().all(|&byte| byte == b'*');
        if !self.options.mask.is_empty() && is_masked(&baseline.masked) {
            self.recorder.warn(format!(
                "{name}: --mask removes the whole {reply}; only its presence is tested"
            ));
        }
        if !baseline.replied {
            self.recorder.warn(format!(
                "{name}: the {peer} closes the connection without a {reply}"
            ));
        }
    }

    /// Warns if different streams have the same reply, or only errors. `replies` are the names of the
    /// streams, and what is compared of their replies.
    pub(super) fn warn_of_replies(&mut self, replies: &[(&str, Vec<u8>)]) {
        let protocol = self.options.protocol;
        let (peer, reply, all) = (self.peer.name(), self.peer.reply_name(), replies.len());
        let errors = replies.iter().filter(|(_, reply)| protocol.is_error(reply));
        let errors: Vec<_> = errors.collect();
        if let Some((name, first)) = errors.first() {
            let (count, line) = (errors.len(), first_line(first));
            self.recorder.warn(format!(
                "the {peer} has only errors as replies to {count} of {all} streams, such as \"{line}\" to {name}; what it refuses is not tested"
            ));
        }
        let [(_, first), others @ ..] = replies else {
            return;
        };
        if protocol.may_reply_the_same() || others.is_empty() {
            return;
        }
        if others.iter().all(|(_, other)| other == first) {
            let line = first_line(first);
            self.recorder.warn(format!(
                "the {peer} has the same {reply} to all {all} streams: \"{line}\"; if it refuses them, nothing else is tested"
            ));
        }
    }

    /// Warns if it may not have been the peer that read the chunks.
    pub(super) fn warn_of_reader(&mut self) {
        let peer = self.peer.name();
        let several = format!("the {peer} may have read several at once");
        let warning = match self.peer.reader() {
            Some(Reader::Other(Holder::Hidden) | Reader::Unchecked(Holder::Hidden)) => format!(
                "the chunks were read by {}: if it is not the {peer}, {several}",
                Holder::Hidden
            ),
            Some(Reader::Other(holder)) => {
                format!("the chunks were read by {holder}, which is not the {peer}: {several}")
            }
            Some(Reader::Unchecked(Holder::Known { .. }) | Reader::Tested) | None => return,
        };
        self.recorder.warn(warning);
    }
}
