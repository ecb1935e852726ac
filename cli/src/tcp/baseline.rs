//! The reply to the uncut stream, to which all others are compared.

use std::time::{Duration, Instant};

use everysplit::Split;

use super::TcpRun;
use super::difference::{excerpt, first_difference};
use super::peer::{ConnectionOutcome, ReplyEnd, Request};
use crate::Error;
use crate::streams::NamedStream;

/// Number of times that the uncut stream is sent first.
pub(super) const REPETITIONS: usize = 3;

/// The reply to the uncut stream.
pub(super) struct Baseline {
    pub(super) reply: Vec<u8>,
    pub(super) masked: Vec<u8>,
    pub(super) reply_end: ReplyEnd,
    /// The time of the exchange.
    pub(super) took: Duration,
}

impl TcpRun<'_> {
    /// Sends the uncut stream several times, and determines how its reply ends.
    pub(super) fn baseline(
        &mut self,
        NamedStream { name, bytes, .. }: &NamedStream,
    ) -> Result<Baseline, Error> {
        self.recorder.progress(format!("{name}: uncut"));
        let open = self.send_uncut(bytes, ReplyEnd::Unknown)?;
        let begun = Instant::now();
        let half_closed = self.send_uncut(bytes, ReplyEnd::CloseAfterHalfClose)?;
        let took = begun.elapsed();
        let masked = self.masked(&half_closed.reply);
        let reply_end = if self.masked(&open.reply) != masked {
            if half_closed.closed {
                ReplyEnd::CloseAfterHalfClose
            } else {
                ReplyEnd::IdleAfterHalfClose
            }
        } else if open.closed {
            ReplyEnd::PeerCloses
        } else {
            ReplyEnd::Length {
                length: masked.len(),
                closes: half_closed.closed,
            }
        };
        let baseline = Baseline {
            reply: half_closed.reply,
            masked,
            reply_end,
            took,
        };
        for _ in 2..REPETITIONS {
            self.check_repeatable(name, bytes, &baseline)?;
        }
        if let Some(crash) = self.peer.crash()? {
            return Err(format!("{crash}, when {name} was sent uncut").into());
        }
        Ok(baseline)
    }

    /// Sends the uncut stream again. A peer whose replies vary by themselves cannot be tested,
    /// so that is an error.
    pub(super) fn check_repeatable(
        &mut self,
        name: &str,
        stream: &[u8],
        baseline: &Baseline,
    ) -> Result<(), Error> {
        let outcome = self.send_uncut(stream, baseline.reply_end)?;
        let again = self.masked(&outcome.reply);
        if again == baseline.masked {
            return Ok(());
        }
        let at = first_difference(&again, &baseline.masked);
        let (first, second) = (excerpt(&baseline.masked, at), excerpt(&again, at));
        let (peer, reply) = (self.peer.name(), self.peer.reply_name());
        Err(format!(
            "the {peer}'s {reply} to {name} varies by itself, from byte {at}: \"{first}\", then \"{second}\"; add --mask for what may vary"
        )
        .into())
    }

    /// Sends the uncut stream once.
    pub(super) fn send_uncut(
        &mut self,
        stream: &[u8],
        reply_end: ReplyEnd,
    ) -> Result<ConnectionOutcome, Error> {
        let timeout = self.options.timeout;
        self.send(&Request {
            stream,
            split: &Split::whole(),
            reply_end,
            timeout,
        })
    }
}
