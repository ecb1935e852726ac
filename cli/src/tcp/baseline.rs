//! The reply to the uncut stream, to which all others are compared.

use std::fmt;
use std::time::Duration;

use everysplit::Split;

use super::difference::{excerpt, first_difference};
use super::peer::{ConnectionOutcome, Ended, HalfClose, ReplyEnd, ReplyRule, Request};
use super::{CRASH_TIME, TcpRun};
use crate::Error;
use crate::process::ENDING_TIME;
use crate::streams::NamedStream;
use crate::text::count;

/// Why a stream cannot be tested, although the peer can.
#[derive(Debug)]
pub(super) struct NotTestable(pub(super) String);

impl fmt::Display for NotTestable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotTestable {}

/// Number of times that the uncut stream is sent first.
pub(super) const REPETITIONS: usize = 3;

/// The reply to the uncut stream.
#[derive(Clone)]
pub(super) struct Baseline {
    pub(super) masked: Vec<u8>,
    /// The masked reply that comes while the connection is open in both directions.
    pub(super) before_half_close: Vec<u8>,
    pub(super) rule: ReplyRule,
    /// Whether there is a reply at all, and a whole one where the protocol says what is whole.
    pub(super) replied: bool,
    /// Whether the peer closes the connection, or exits.
    pub(super) closes: bool,
    /// Whether it did so each time, so that it must after every split.
    pub(super) must_close: bool,
    /// The time from the end of the stream to the end of the reply.
    pub(super) took: Duration,
}

impl TcpRun<'_> {
    /// Sends the uncut stream several times, and determines the reply.
    pub(super) fn baseline(&mut self, stream: &NamedStream) -> Result<Baseline, Error> {
        self.recorder.progress(format!("{}: uncut", stream.name));
        let baseline = if self.options.protocol.knows_end() {
            self.protocol_baseline(stream)?
        } else {
            self.raw_baseline(stream)?
        };
        let within = if baseline.closes {
            ENDING_TIME
        } else {
            self.aftermath()
        };
        self.check_running_after(stream, within)?;
        Ok(baseline)
    }

    /// Checks that the uncut stream, which was sent last, does not end the program.
    fn check_running_after(&mut self, stream: &NamedStream, within: Duration) -> Result<(), Error> {
        let NamedStream { name, bytes, .. } = stream;
        match self.peer.crash(within)? {
            None => Ok(()),
            Some(crash) => {
                let bytes = count(bytes.len() as u64, "byte");
                Err(format!("{crash}, when {name} was sent uncut, {bytes}").into())
            }
        }
    }

    /// Sends the uncut stream again, and waits for it to end the program, as a split of it does.
    ///
    /// # Errors
    ///
    /// If it does so too, or if the reply varies by itself.
    pub(super) fn check_goes_on(
        &mut self,
        stream: &NamedStream,
        baseline: &Baseline,
    ) -> Result<(), Error> {
        self.check_repeatable(stream, baseline)?;
        self.check_running_after(stream, CRASH_TIME)
    }

    /// Determines the reply where the protocol says where it ends.
    fn protocol_baseline(&mut self, stream: &NamedStream) -> Result<Baseline, Error> {
        let protocol = self.options.protocol;
        let mut rule = ReplyRule::open(ReplyEnd::Protocol);
        let mut outcome = self.send_uncut(stream, rule)?;
        protocol.check_reply(&outcome.reply)?;
        // What follows shows when the server closes the connection.
        if protocol.last_request(&stream.bytes).is_none() && outcome.in_time() && !outcome.closed {
            let half_close = HalfClose::AfterReply;
            let half_closed = self.send_uncut(stream, ReplyRule { half_close, ..rule })?;
            if half_closed.closed {
                rule.half_close = half_close;
                outcome = half_closed;
            }
        }
        let masked = self.comparable(&stream.bytes, &outcome);
        let baseline = Baseline {
            before_half_close: masked.clone(),
            masked,
            rule,
            // Some servers do not reply to all pipelined requests.
            replied: outcome.replied && outcome.in_time(),
            closes: outcome.closed,
            must_close: false,
            took: outcome.reaction,
        };
        // Each repetition of a silent connection costs the whole timeout.
        let silent = !baseline.replied && !baseline.closes;
        for _ in 1..if silent { 1 } else { REPETITIONS } {
            self.check_repeatable(stream, &baseline)?;
        }
        Ok(baseline)
    }

    /// Determines the reply, and how it ends, of a peer whose protocol is not known.
    ///
    /// A reply that comes by itself is kept: some peers give up a request when its sender
    /// half-closes.
    fn raw_baseline(&mut self, stream: &NamedStream) -> Result<Baseline, Error> {
        let open = self.send_uncut(stream, ReplyRule::LISTEN)?;
        let before_half_close = self.comparable(&stream.bytes, &open);
        let baseline = |masked, rule, outcome: &ConnectionOutcome| Baseline {
            masked,
            before_half_close: before_half_close.clone(),
            rule,
            replied: outcome.replied,
            closes: outcome.closed,
            must_close: outcome.closed,
            took: outcome.reaction,
        };
        let end = if open.closed {
            ReplyEnd::Close
        } else if open.replied {
            ReplyEnd::Expected
        } else {
            ReplyEnd::Idle
        };
        let mut open = baseline(before_half_close.clone(), ReplyRule::open(end), &open);
        let half_closed = match (open.closes || !self.options.half_close, open.replied) {
            (true, _) => None,
            (false, true) => {
                let rule = ReplyRule {
                    end,
                    half_close: HalfClose::AfterReply,
                };
                let outcome = self.send_whole(stream, rule, &before_half_close)?;
                let masked = self.comparable(&stream.bytes, &outcome);
                let goes_on = outcome.closed && masked.starts_with(&before_half_close);
                let mut half_closed = baseline(masked, rule, &outcome);
                // Without this rule the reply can still be compared.
                (goes_on && self.repeat(stream, &mut half_closed).is_ok()).then_some(half_closed)
            }
            (false, false) => {
                let mut rule = ReplyRule {
                    end,
                    half_close: HalfClose::BeforeReply,
                };
                let outcome = self.send_uncut(stream, rule)?;
                if outcome.closed {
                    rule.end = ReplyEnd::Close;
                }
                let mut half_closed =
                    baseline(self.comparable(&stream.bytes, &outcome), rule, &outcome);
                if outcome.closed || outcome.replied {
                    self.repeat(stream, &mut half_closed)?;
                    Some(half_closed)
                } else {
                    None
                }
            }
        };
        if let Some(half_closed) = half_closed {
            Ok(half_closed)
        } else {
            // Each repetition of a silent connection costs the whole timeout.
            let silent = !open.replied && !open.closes;
            for _ in 1..if silent { 1 } else { REPETITIONS } {
                self.repeat(stream, &mut open)?;
            }
            Ok(open)
        }
    }

    /// Sends the uncut stream again. If the peer does not close the connection this time, it need not
    /// do so after a split either.
    ///
    /// # Errors
    ///
    /// [`NotTestable`], if the reply varies by itself.
    fn repeat(&mut self, stream: &NamedStream, baseline: &mut Baseline) -> Result<(), Error> {
        let outcome = self.send_again(stream, baseline)?;
        baseline.must_close &= outcome.closed;
        self.check_same(stream, baseline, &outcome)
    }

    /// Sends the uncut stream again.
    ///
    /// # Errors
    ///
    /// [`NotTestable`], if the reply varies by itself, or the peer closes the connection only
    /// sometimes.
    pub(super) fn check_repeatable(
        &mut self,
        stream: &NamedStream,
        baseline: &Baseline,
    ) -> Result<(), Error> {
        let outcome = self.send_again(stream, baseline)?;
        if baseline.must_close && !outcome.closed {
            let (peer, name) = (self.peer.name(), &stream.name);
            return Err(NotTestable(format!(
                "the {peer} closes the connection after {name} only sometimes; give it more time with --timeout"
            ))
            .into());
        }
        self.check_same(stream, baseline, &outcome)
    }

    /// Checks that the uncut stream had the same reply again.
    fn check_same(
        &self,
        stream: &NamedStream,
        baseline: &Baseline,
        outcome: &ConnectionOutcome,
    ) -> Result<(), Error> {
        let again = self.comparable(&stream.bytes, outcome);
        if again == baseline.masked {
            return Ok(());
        }
        let at = first_difference(&again, &baseline.masked);
        let (first, second) = (excerpt(&baseline.masked, at), excerpt(&again, at));
        let (peer, reply, name) = (self.peer.name(), self.peer.reply_name(), &stream.name);
        Err(NotTestable(format!(
            "the {peer}'s {reply} to {name} varies by itself, from byte {at}: \"{first}\", then \"{second}\"; add --mask for what may vary"
        ))
        .into())
    }

    /// Sends the uncut stream once, when nothing is known of its reply.
    ///
    /// # Errors
    ///
    /// [`NotTestable`], if the reply is longer than --max-reply: there is no end to compare.
    pub(super) fn send_uncut(
        &mut self,
        stream: &NamedStream,
        rule: ReplyRule,
    ) -> Result<ConnectionOutcome, Error> {
        self.send_whole(stream, rule, &[])
    }

    /// Sends the uncut stream again; errors as in `send_uncut`.
    pub(super) fn send_again(
        &mut self,
        stream: &NamedStream,
        baseline: &Baseline,
    ) -> Result<ConnectionOutcome, Error> {
        self.send_whole(stream, baseline.rule, &baseline.before_half_close)
    }

    fn send_whole(
        &mut self,
        stream: &NamedStream,
        rule: ReplyRule,
        expected: &[u8],
    ) -> Result<ConnectionOutcome, Error> {
        let timeout = self.options.timeout;
        let outcome = self.send(&Request {
            stream: &stream.bytes,
            split: &Split::whole(),
            script: stream.script.as_deref(),
            rule,
            expected,
            timeout,
        })?;
        if outcome.ended == Ended::TooLong {
            let (peer, reply, name) = (self.peer.name(), self.peer.reply_name(), &stream.name);
            let max = self.options.max_reply;
            return Err(NotTestable(format!(
                "the {peer}'s {reply} to {name} is longer than {max} bytes; allow more with --max-reply"
            ))
            .into());
        }
        Ok(outcome)
    }
}
