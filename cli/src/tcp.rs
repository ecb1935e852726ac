//! `everysplit tcp`: sends streams to a live server or client in many splits. The reply to the
//! uncut stream is the expectation, so no format is needed.

mod baseline;
mod client;
mod connection;
mod coverage;
mod difference;
mod hostile;
mod peer;
mod server;
mod splits;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use everysplit::{Case, Split};
use everysplit::{Cell, Property, SplitMap, Violation};

use crate::capture::Sender;
use crate::framing::Framing;
use crate::options::{PeerOptions, TcpOptions};
use crate::process::Memory;
use crate::report::{Ending, Recorder};
use crate::streams::{self, NamedStream};
use crate::{Error, stop};
use baseline::Baseline;
use client::Client;
use coverage::{Coverage, SameReply};
use difference::{Difference, masked, violation};
use hostile::ValidStream;
use peer::{ConnectionOutcome, Peer, Request};
use server::Server;
use splits::{DifferingSplit, TriedSplits};

/// The longest stream of which a split map is drawn, in bytes.
const MAX_MAP: usize = 2000;

/// Checks the peer on every stream.
pub(crate) fn run(options: &TcpOptions, recorder: &mut Recorder) -> Result<Ending, Error> {
    let streams = load(options)?;
    let mut run = TcpRun::start(options, recorder)?;
    let stopped = run.check_streams(&streams).err();
    Ok(run.ending(stopped))
}

/// Tries one split, or one invalid stream.
pub(crate) fn replay(
    case: &Case,
    options: &TcpOptions,
    recorder: &mut Recorder,
) -> Result<Ending, Error> {
    // Only the probes of --hostile need the streams of the run.
    let streams = if options.hostile {
        load(options)?
    } else {
        Vec::new()
    };
    let mut run = TcpRun::start(options, recorder)?;
    let stopped = run.check_case(case, &streams).err();
    Ok(run.ending(stopped))
}

/// Loads the streams of a run.
pub(crate) fn load(options: &TcpOptions) -> Result<Vec<NamedStream>, Error> {
    // The peer gets what the other end of a captured connection sent.
    let sender = match &options.peer {
        PeerOptions::RunningServer { .. } | PeerOptions::StartedServer { .. } => Sender::Client,
        PeerOptions::Client { .. } => Sender::Server,
    };
    let streams = streams::load(&options.streams, Some(sender), |framing| {
        let frames = framing.frames(&options.streams.messages);
        vec![NamedStream::new("concatenated", frames.concat())]
    })?;
    match streams.iter().find(|stream| stream.bytes.is_empty()) {
        Some(stream) => Err(format!(
            "the stream {:?} is empty; it needs at least one byte",
            stream.name
        )
        .into()),
        None => Ok(streams),
    }
}

/// A run on a server or client.
struct TcpRun<'a> {
    options: &'a TcpOptions,
    peer: Box<dyn Peer + 'a>,
    recorder: &'a mut Recorder,
    framing: Option<Framing>,
    coverage: Coverage,
    /// When --max-rate allows the next connection.
    next_connection: Instant,
    /// The peer's memory before the first invalid stream.
    memory_before: Option<Memory>,
}

impl<'a> TcpRun<'a> {
    fn start(options: &'a TcpOptions, recorder: &'a mut Recorder) -> Result<Self, Error> {
        let peer: Box<dyn Peer> = match &options.peer {
            PeerOptions::RunningServer { address } => Box::new(Server::running(*address, options)),
            PeerOptions::StartedServer { port, .. } => Box::new(Server::started(*port, options)?),
            PeerOptions::Client { port, command } => {
                Box::new(Client::new(*port, command, options)?)
            }
        };
        Ok(Self {
            options,
            peer,
            recorder,
            framing: options.streams.framing,
            coverage: Coverage::default(),
            next_connection: Instant::now(),
            memory_before: None,
        })
    }

    /// Checks all streams, and then the probes of --hostile.
    fn check_streams(&mut self, streams: &[NamedStream]) -> Result<(), Error> {
        let mut valid = None;
        self.recorder.expects(streams.len());
        for stream in streams {
            let baseline = self.baseline(stream)?;
            self.check_stream(stream, &baseline)?;
            if valid.is_none() && !baseline.reply.is_empty() {
                valid = Some(ValidStream { stream, baseline });
            }
        }
        let Some(valid) = valid else {
            return Err(format!(
                "the {} did not reply to any stream; add a stream of its format",
                self.peer.name()
            )
            .into());
        };
        if self.options.hostile {
            self.check_hostile(streams, &valid)?;
        }
        Ok(())
    }

    /// Tries one split. With --hostile, a stream that is not cut is a probe.
    fn check_case(&mut self, case: &Case, streams: &[NamedStream]) -> Result<(), Error> {
        let Case { stream, split, .. } = case;
        let found = match streams.first() {
            Some(valid) if split.cuts().is_empty() => {
                let baseline = self.baseline(valid)?;
                let valid = ValidStream {
                    stream: valid,
                    baseline,
                };
                self.replay_hostile(stream, streams, &valid)?
            }
            _ => {
                self.recorder.checks([Property::EverySplit]);
                let uncut = NamedStream::new("replayed", stream.clone());
                let baseline = self.baseline(&uncut)?;
                self.try_split(stream, split, &baseline, self.options.timeout)?
                    .map(|difference| self.violation(case.clone(), difference))
            }
        };
        match found {
            None => {
                let tried = format!("{} bytes, split {split}", stream.len());
                self.recorder.held("replayed", stream.len(), tried);
            }
            Some(violation) => {
                let len = stream.len();
                self.recorder.violated("replayed", len, violation, None);
            }
        }
        Ok(())
    }

    /// Tries the splits of a stream, as many as --max-connections allows.
    fn check_stream(
        &mut self,
        NamedStream { name, bytes, .. }: &NamedStream,
        baseline: &Baseline,
    ) -> Result<(), Error> {
        self.recorder.checks([Property::EverySplit]);
        let edges = self.edges(bytes);
        let TriedSplits {
            same,
            smallest,
            timeout,
            stopped,
        } = self.try_splits(name, bytes, baseline, &edges)?;
        let Some(smallest) = smallest else {
            if let Some(error) = stopped {
                return Err(error);
            }
            self.record_held(name, bytes, baseline, same);
            return Ok(());
        };
        let minimal = match stopped {
            Some(error) => Err(error),
            None => self.minimize(name, bytes, smallest.clone(), baseline, timeout),
        };
        let (smallest, stopped) = match minimal {
            Ok(minimal) => (minimal, Ok(())),
            Err(error) if stop::requested() => (smallest, Err(error)),
            // Replies that vary by themselves are not a violation.
            Err(error) => return Err(error),
        };
        self.record_violation(name, bytes, smallest, &same, &edges);
        stopped
    }

    /// Records a stream of which all splits have the same reply.
    fn record_held(
        &mut self,
        name: &str,
        stream: &[u8],
        baseline: &Baseline,
        same: HashMap<Split, bool>,
    ) {
        let covered = SameReply {
            bytes: stream.len(),
            splits: same.into_keys().collect(),
            reply_bytes: baseline.reply.len(),
            reply_name: self.peer.reply_name(),
        };
        self.recorder.held(name, stream.len(), covered.to_string());
    }

    /// Records a stream of which some splits have a different reply.
    fn record_violation(
        &mut self,
        name: &str,
        stream: &[u8],
        DifferingSplit {
            split,
            mut difference,
        }: DifferingSplit,
        same: &HashMap<Split, bool>,
        edges: &[usize],
    ) {
        let differing = same.values().filter(|&&is_same| !is_same).count();
        let (reply, count) = (self.peer.reply_name(), same.len());
        let _ = write!(
            difference.actual,
            "; {differing} of {count} splits have a different {reply}"
        );
        let len = stream.len();
        let map = (2..=MAX_MAP).contains(&len).then(|| {
            SplitMap::of(len, edges, |split| match same.get(split) {
                None => Cell::Untried,
                Some(true) => Cell::Held,
                Some(false) => Cell::Violated(Property::EverySplit),
            })
        });
        let stream = stream.to_vec();
        let violation = self.violation(Case::new(stream, split), difference);
        self.recorder.violated(name, len, violation, map);
    }

    /// Sends a stream in a split. Returns how the reply differs.
    fn try_split(
        &mut self,
        stream: &[u8],
        split: &Split,
        baseline: &Baseline,
        timeout: Duration,
    ) -> Result<Option<Difference>, Error> {
        let outcome = self.send(&Request {
            stream,
            split,
            reply_end: baseline.reply_end,
            timeout,
        })?;
        self.coverage.splits += 1;
        self.coverage.timed += u64::from(!outcome.observed);
        let reply = self.masked(&outcome.reply);
        let difference = Difference::between(&baseline.masked, &reply, outcome.in_time);
        let Some(mut difference) = difference else {
            return Ok(None);
        };
        // A server that ends closes its connections.
        if outcome.closed
            && let Some(crash) = self.peer.crash()?
        {
            let _ = write!(difference.actual, "; {crash}");
        }
        Ok(Some(difference))
    }

    fn violation(&self, case: Case, difference: Difference) -> Violation {
        let edges = self.edges(&case.stream);
        let Difference {
            expected, actual, ..
        } = difference;
        violation(Property::EverySplit, case, edges, expected, actual)
    }

    /// Returns the field edges of a stream, if the format is known.
    fn edges(&self, stream: &[u8]) -> Vec<usize> {
        self.framing
            .map_or(Vec::new(), |framing| framing.edges(stream))
    }

    /// Makes a connection, as soon as --max-rate allows it.
    fn send(&mut self, request: &Request<'_>) -> Result<ConnectionOutcome, Error> {
        let now = Instant::now();
        thread::sleep(self.next_connection.saturating_duration_since(now));
        let interval = Duration::from_secs(1) / self.options.max_rate.get();
        self.next_connection = self.next_connection.max(now) + interval;
        let outcome = match stop::reason() {
            None => self.peer.exchange(request),
            Some(reason) => Err(reason.into()),
        };
        self.coverage.connections += 1;
        self.coverage.time += now.elapsed();
        // The reply of an interrupted connection is not evidence.
        match stop::reason() {
            Some(reason) => Err(reason.into()),
            None => outcome,
        }
    }

    fn masked(&self, reply: &[u8]) -> Vec<u8> {
        masked(&self.options.mask, reply)
    }

    /// Ends the peer, and returns what was covered.
    fn ending(self, stopped: Option<Error>) -> Ending {
        Ending {
            covered: self.coverage.to_string(),
            stopped: stopped.map(|error| error.to_string()),
        }
    }
}
