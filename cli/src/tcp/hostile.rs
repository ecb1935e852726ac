//! `--hostile`: sends invalid input, and checks that the peer survives it.
//!
//! After each invalid stream the peer must reply or close the connection in time, keep running,
//! not grow, and serve the next connection as before.

use std::time::Duration;

use everysplit::{Case, Split};
use everysplit::{Property, Violation};

use super::TcpRun;
use super::baseline::{Baseline, REPETITIONS};
use super::difference::{excerpt, violation};
use super::peer::{ConnectionOutcome, HalfClose, ReplyEnd, ReplyRule, Request};
use crate::Error;
use crate::framing::{Framing, MAX_BODY};
use crate::options::{PeerOptions, Shard, TcpOptions};
use crate::process::ENDING_TIME;
use crate::streams::NamedStream;
use crate::text::count;

/// The shortest time that counts as waiting for the rest of a frame.
const MIN_PATIENCE: Duration = Duration::from_millis(100);

/// What follows an invalid stream on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    HalfClose,
    Silence,
}

/// Invalid streams of one kind, with one verdict.
struct Probe {
    name: String,
    streams: Vec<Vec<u8>>,
    after: After,
    /// The property that is violated if the peer does not react in time.
    property: Property,
}

/// A valid stream with its baseline, to check that the next connection is served.
pub(super) struct ValidStream<'a> {
    pub(super) stream: &'a NamedStream,
    pub(super) baseline: Baseline,
}

/// Returns the probes that are parts of a valid stream.
fn incomplete(stream: &NamedStream, framing: Option<Framing>) -> [Probe; 2] {
    let NamedStream { name, bytes, .. } = stream;
    let first_bytes = match framing.map(|framing| framing.edges(bytes)) {
        // A header without its body.
        Some(edges) => edges.into_iter().nth(1).unwrap_or(1),
        // In most formats one byte is not a whole frame.
        None => 1,
    };
    [
        Probe {
            name: format!("{name}, truncated"),
            streams: (1..bytes.len()).map(|end| bytes[..end].to_vec()).collect(),
            after: After::HalfClose,
            property: Property::Truncation,
        },
        Probe {
            name: format!("{name}, stalled"),
            streams: vec![bytes[..first_bytes].to_vec()],
            after: After::Silence,
            property: Property::Progress,
        },
    ]
}

/// Returns the probes with lengths that no peer should wait for. The maximal length is valid in a
/// format without a limit: then it must not be waited for without end, and that is all.
fn invalid_lengths(framing: Framing) -> impl Iterator<Item = Probe> {
    framing
        .invalid_lengths(MAX_BODY)
        .into_iter()
        .map(move |NamedStream { name, bytes, .. }| Probe {
            property: if framing.size_limit.is_none() && name.starts_with("maximal") {
                Property::Progress
            } else {
                Property::Limit
            },
            name: format!("claimed length: {name}"),
            streams: vec![bytes],
            after: After::Silence,
        })
}

/// Returns all probes of the streams of a shard, and those of the lengths in that shard.
fn probes(
    streams: &[NamedStream],
    framing: Option<Framing>,
    shard: Shard,
) -> impl Iterator<Item = Probe> {
    let lengths = framing.into_iter().flat_map(invalid_lengths);
    streams
        .iter()
        .flat_map(move |stream| incomplete(stream, framing))
        .chain(shard.of(lengths))
}

/// Describes what --hostile adds to the streams, if it is given, in one line for each name.
pub(crate) fn list(options: &TcpOptions, streams: &[NamedStream]) -> Vec<String> {
    if !options.hostile {
        return Vec::new();
    }
    probes(streams, options.streams.framing, options.shard)
        .map(|Probe { name, streams, .. }| {
            let longest = streams.iter().map(Vec::len).max().unwrap_or(0);
            let number = count(streams.len() as u64, "stream");
            format!(
                "{name}: {number} of up to {}",
                count(longest as u64, "byte")
            )
        })
        .collect()
}

impl TcpRun<'_> {
    /// Sends all probes.
    pub(super) fn check_hostile(
        &mut self,
        streams: &[NamedStream],
        valid: &ValidStream<'_>,
    ) -> Result<(), Error> {
        self.measure_memory();
        let speaks_first = self.speaks_first()?;
        for probe in probes(streams, self.framing, self.options.shard) {
            let longest = probe.streams.iter().map(Vec::len).max().unwrap_or(0);
            if speaks_first && probe.after == After::Silence {
                let reason = "not checked, as the server speaks first: its greeting would count as a reaction";
                self.recorder
                    .not_checked(&probe.name, longest, reason.into());
                continue;
            }
            self.recorder.checks([Property::Progress]);
            if probe.property != Property::Limit || self.shows_rejection() {
                self.recorder.checks([probe.property]);
            } else {
                let peer = self.peer.name();
                let omitted = format!(
                    "limit is not checked: the {peer} gives up at once after a valid length, too"
                );
                self.recorder.omits(Property::Limit, &omitted);
            }
            self.recorder.progress(probe.name.clone());
            let tries = probe.streams.len().min(self.options.max_connections.get());
            let mut found = None;
            for stream in probe.streams.iter().take(tries) {
                found = self.check_probe(stream, &probe, valid)?;
                if found.is_some() {
                    break;
                }
            }
            if let Some(violation) = found {
                let len = violation.case.stream.len();
                self.recorder.violated(&probe.name, len, violation, None);
                continue;
            }
            let tried = match tries {
                1 => "1 connection, and the next one served".into(),
                _ => format!("{tries} connections, and the next one served each time"),
            };
            self.recorder.held(&probe.name, longest, tried);
        }
        Ok(())
    }

    /// Notes the memory before the first invalid stream.
    fn measure_memory(&mut self) {
        self.peer.forget_peak();
        self.memory_before = self.peer.memory();
    }

    /// Returns whether a server sends something before it has received anything.
    fn speaks_first(&mut self) -> Result<bool, Error> {
        if matches!(self.options.peer, PeerOptions::Client { .. }) {
            return Ok(false);
        }
        let timeout = self.options.reply_idle;
        let outcome = self.send_within(&[], After::Silence, timeout)?;
        Ok(outcome.replied)
    }

    /// Returns whether it shows that a length is rejected, and not only given up like a valid one.
    fn shows_rejection(&self) -> bool {
        // If nothing is known, it waits for a valid body for longer than --max-idle.
        let patience = self.patience.as_ref();
        patience.is_none_or(|(patience, _)| *patience >= MIN_PATIENCE)
    }

    /// Sends one invalid stream again, as each probe that has it.
    pub(super) fn replay_hostile(
        &mut self,
        stream: &[u8],
        streams: &[NamedStream],
        valid: &ValidStream<'_>,
    ) -> Result<Option<Violation>, Error> {
        self.measure_memory();
        let mut sent = false;
        for probe in probes(streams, self.framing, self.options.shard) {
            if !probe.streams.iter().any(|invalid| invalid == stream) {
                continue;
            }
            sent = true;
            self.recorder.checks([probe.property, Property::Progress]);
            let found = self.check_probe(stream, &probe, valid)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if sent {
            return Ok(None);
        }
        Err("--hostile does not send the stream of this token; give the same streams and the same --framing as in the run that found it".into())
    }

    /// Sends one invalid stream, and then the valid one on the next connection.
    fn check_probe(
        &mut self,
        stream: &[u8],
        probe: &Probe,
        valid: &ValidStream<'_>,
    ) -> Result<Option<Violation>, Error> {
        let mut found = self.check_reaction(stream, probe)?;
        if found.is_none() && probe.property == Property::Limit {
            found = self.check_rejection(stream)?;
        }
        let found = match found {
            None => match self.check_memory() {
                None => self.check_next(valid)?,
                found => found,
            },
            found => found,
        };
        Ok(found.map(|(property, expected, actual)| {
            let case = Case::new(stream, Split::whole());
            violation(property, case, Vec::new(), expected, actual)
        }))
    }

    /// Checks that the peer reacts to an invalid stream in time, and keeps running.
    fn check_reaction(&mut self, stream: &[u8], probe: &Probe) -> Result<Finding, Error> {
        let outcome = self.send_invalid(stream, probe.after)?;
        if let Some(found) = self.check_running()? {
            return Ok(Some(found));
        }
        if outcome.in_time() {
            match probe.property {
                Property::Progress => self.note_patience(stream, outcome.reaction),
                _ => self.last_reaction = outcome.reaction,
            }
            return Ok(None);
        }
        let (timeout, peer) = (self.reaction_timeout(probe.after), self.peer.name());
        let (expected, actual) = match probe.after {
            After::HalfClose => (
                format!("the {peer} closes the connection within {timeout:?} (--timeout)"),
                format!("the {peer} keeps it open"),
            ),
            After::Silence => (
                format!("a reply or a closed connection within {timeout:?} (--max-idle)"),
                format!("neither: the {peer} has no read timeout, or a longer one"),
            ),
        };
        Ok(Some((probe.property, expected, actual)))
    }

    /// Notes how long the peer waits for the rest of a valid frame.
    fn note_patience(&mut self, incomplete: &[u8], reaction: Duration) {
        let shorter = |(patience, _): &(Duration, Vec<u8>)| reaction < *patience;
        if self.patience.as_ref().is_none_or(shorter) {
            self.patience = Some((reaction, incomplete.to_vec()));
        }
    }

    /// Checks that an invalid length itself made the peer react: a peer without a limit waits for
    /// the body, and gives up just as it does with a valid length.
    fn check_rejection(&mut self, stream: &[u8]) -> Result<Finding, Error> {
        let patience = self.patience.clone().filter(|_| self.shows_rejection());
        let Some((patience, incomplete)) = patience else {
            return Ok(None);
        };
        let as_late = |reaction: Duration, patience: Duration| reaction > patience * 4 / 5;
        let mut reaction = self.last_reaction;
        // A rejection can be late once, on a busy machine.
        for _ in 1..REPETITIONS {
            if !as_late(reaction, patience) {
                return Ok(None);
            }
            let outcome = self.send_invalid(stream, After::Silence)?;
            reaction = reaction.min(outcome.reaction);
        }
        if !as_late(reaction, patience) {
            return Ok(None);
        }
        // If the machine has become busy since, the peer now waits for longer as well.
        let again = self.send_invalid(&incomplete, After::Silence)?;
        let patience = patience.max(again.reaction);
        Ok(as_late(reaction, patience).then(|| {
            let (reaction, patience) = (seconds(reaction), seconds(patience));
            (
                Property::Limit,
                "a reply or a closed connection because of the length".into(),
                format!(
                    "only after {reaction}, when the {} gives up: it also waits {patience} for the body of a valid length",
                    self.peer.name()
                ),
            )
        }))
    }

    fn send_invalid(&mut self, stream: &[u8], after: After) -> Result<ConnectionOutcome, Error> {
        self.send_within(stream, after, self.reaction_timeout(after))
    }

    fn send_within(
        &mut self,
        stream: &[u8],
        after: After,
        timeout: Duration,
    ) -> Result<ConnectionOutcome, Error> {
        self.send(&Request {
            script: None,
            stream,
            split: &Split::whole(),
            rule: match after {
                After::HalfClose => ReplyRule {
                    end: ReplyEnd::Close,
                    half_close: HalfClose::BeforeReply,
                },
                After::Silence => ReplyRule::open(ReplyEnd::FirstByte),
            },
            expected: &[],
            timeout,
        })
    }

    const fn reaction_timeout(&self, after: After) -> Duration {
        match after {
            After::HalfClose => self.options.timeout,
            After::Silence => self.options.max_idle,
        }
    }

    /// Checks that the peer has not ended.
    fn check_running(&mut self) -> Result<Finding, Error> {
        let crash = self.peer.crash(ENDING_TIME)?;
        Ok(crash.map(|crash| {
            let expected = format!("a {} that keeps running", self.peer.name());
            (Property::Progress, expected, crash)
        }))
    }

    /// Checks that the peer has not grown.
    fn check_memory(&mut self) -> Finding {
        let (before, after) = self.memory_before.zip(self.peer.memory())?;
        if self.peer.serves_unmeasured() {
            self.omit_memory();
            return None;
        }
        self.recorder.checks([Property::Memory]);
        let grown = after.peak.saturating_sub(before.peak) / 1024;
        let max_growth = self.options.max_growth;
        if grown <= max_growth {
            return None;
        }
        // The next stream must not be blamed for this growth.
        self.memory_before = Some(after);
        Some((
            Property::Memory,
            format!("at most {max_growth} MiB more memory"),
            format!("{grown} MiB more"),
        ))
    }

    /// Records that memory is not checked.
    fn omit_memory(&self) {
        let peer = self.peer.name();
        let omitted = format!(
            "memory is not checked: the {peer} serves connections in processes that end, or that cannot be measured"
        );
        self.recorder.omits(Property::Memory, &omitted);
    }

    /// Checks that the next connection gets the reply to a valid stream.
    fn check_next(&mut self, valid: &ValidStream<'_>) -> Result<Finding, Error> {
        let ValidStream { stream, baseline } = valid;
        let reply = match self.send_again(stream, baseline) {
            Ok(outcome) => self.comparable(&stream.bytes, &outcome),
            // A process that was still ending before may have ended by now.
            Err(error) => match self.check_running()? {
                Some(found) if !crate::stop::requested() => return Ok(Some(found)),
                _ => return Err(error),
            },
        };
        if reply == baseline.masked {
            return Ok(None);
        }
        if let Some(found) = self.check_running()? {
            return Ok(Some(found));
        }
        let expected = format!(
            "the next connection gets the reply to {}: \"{}\"",
            stream.name,
            excerpt(&baseline.masked, 0)
        );
        let actual = format!("it gets \"{}\"", excerpt(&reply, 0));
        Ok(Some((Property::Progress, expected, actual)))
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// A violated property, what was expected, and what happened; `None` if all is well.
type Finding = Option<(Property, String, String)>;
