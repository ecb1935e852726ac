//! `everysplit tcp`: sends streams to a live server or client in many splits. The reply to the
//! uncut stream is the expectation, so no format is needed.

mod baseline;
mod channel;
mod client;
mod connection;
mod conversation;
mod coverage;
mod difference;
mod hostile;
mod late;
mod peer;
mod protocol;
mod server;
mod splits;
mod warnings;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::mem;
use std::rc::Rc;
use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use everysplit::{Case, Split};
use everysplit::{Cell, Property, SplitMap, Violation};

use crate::capture::Sender;
use crate::framing::Framing;
use crate::options::{PeerOptions, TcpOptions, some_of};
use crate::process::{ENDING_TIME, Memory};
use crate::report::{Ending, Recorder};
use crate::script::Script;
use crate::streams::{self, NamedStream};
use crate::text::count;
use crate::{Error, http, stop, tls};
use baseline::{Baseline, NotTestable, REPETITIONS};
use client::Client;
use coverage::{Coverage, SameReply, last_line};
use difference::{ConnectionEnd, Difference, excerpt, masked, violation};
use hostile::ValidStream;
pub(crate) use hostile::list as list_hostile;
use late::{SIDE_BY_SIDE, SameSoFar};
use peer::{ConnectionOutcome, Ended, Peer, ReplyEnd, ReplyRule, Request};
use server::Server;
use splits::DifferingSplit;
use warnings::Reach;

/// The longest stream of which a split map is drawn, in bytes.
const MAX_MAP: usize = 2000;
/// Maximum time for a program to end after a connection that seems to end it.
const CRASH_TIME: Duration = Duration::from_millis(500);
/// Maximum time for a program that is restarted for each connection to end after its reply.
const FRESH_AFTERMATH: Duration = Duration::from_millis(20);

/// How long to wait for what a split does.
#[derive(Clone, Copy)]
struct Wait {
    /// Maximum time for the reply.
    reply: Duration,
    /// Maximum time for the program to end after the reply.
    end: Duration,
}

/// Checks the peer on every stream.
pub(crate) fn run(options: &TcpOptions, recorder: &mut Recorder) -> Result<Ending, Error> {
    let mut streams = recorder.share(load_all(options)?, options.shard)?;
    let mut run = TcpRun::start(options, recorder)?;
    let stopped = run.check_streams(&mut streams).err();
    Ok(run.ending(stopped))
}

/// Tries one split, or one invalid stream.
pub(crate) fn replay(
    case: &Case,
    options: &TcpOptions,
    recorder: &mut Recorder,
) -> Result<Ending, Error> {
    // Only the probes of --hostile, and scripts, need the streams of the run.
    let streams = if options.hostile || !options.scripts.is_empty() {
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
    some_of(options.shard, load_all(options)?, "stream")
}

fn load_all(options: &TcpOptions) -> Result<Vec<NamedStream>, Error> {
    if let Some(target) = &options.http {
        return Ok(http::shapes(target));
    }
    if let Some(name) = &options.client_hello {
        return Ok(tls::streams(name));
    }
    if !options.scripts.is_empty() {
        let scripts = options.scripts.iter();
        return scripts
            .map(|path| Script::read(path).map(NamedStream::of_script))
            .collect();
    }
    // The peer gets what the other end of a captured connection sent.
    let sender = match &options.peer {
        PeerOptions::RunningServer { .. } | PeerOptions::StartedServer { .. } => Sender::Client,
        PeerOptions::Client { .. } => Sender::Server,
    };
    let streams = streams::load(&options.streams, Some(sender), |framing| {
        let frames = framing.frames(&options.streams.messages);
        vec![NamedStream::new("concatenated", frames.concat())]
    })?;
    for stream in &streams {
        if stream.bytes.is_empty() {
            return Err(format!(
                "the stream {:?} is empty; it needs at least one byte",
                stream.name
            )
            .into());
        }
        options.protocol.check_stream(stream)?;
    }
    Ok(streams)
}

/// Returns the script that sent a stream, of those that were loaded.
///
/// # Errors
///
/// If there are scripts, and none of them sent it.
fn script_of(stream: &[u8], loaded: &[NamedStream]) -> Result<Option<Rc<Script>>, Error> {
    let mut scripts = loaded.iter().filter_map(|stream| stream.script.as_ref());
    let Some(first) = scripts.clone().next() else {
        return Ok(None);
    };
    match scripts.find(|script| script.turn_ends(stream).is_some()) {
        Some(script) => Ok(Some(script.clone())),
        None => Err(format!(
            "the stream of the token is not one of {}; has the script changed?",
            first.name
        )
        .into()),
    }
}

/// A run on a server or client.
struct TcpRun<'a> {
    options: &'a TcpOptions,
    peer: Box<dyn Peer + 'a>,
    recorder: &'a mut Recorder,
    framing: Option<Framing>,
    /// The script of the stream that is being tested.
    script: Option<Rc<Script>>,
    coverage: Coverage,
    /// How far the peer gets in the stream that is being tested.
    reach: Reach,
    /// Whether the program may be ending because of the last connection.
    may_have_ended: bool,
    /// Whether a connection has ended the program before.
    has_crashed: bool,
    /// When --max-rate allows the next connection.
    next_connection: Instant,
    /// How long the peer waits for the rest of a valid frame, and its beginning, once that is known.
    patience: Option<(Duration, Vec<u8>)>,
    /// The time of the last reaction to an invalid length.
    last_reaction: Duration,
    /// The peer's memory before the first invalid stream.
    memory_before: Option<Memory>,
}

impl<'a> TcpRun<'a> {
    fn start(options: &'a TcpOptions, recorder: &'a mut Recorder) -> Result<Self, Error> {
        let peer: Box<dyn Peer> = match &options.peer {
            PeerOptions::RunningServer { address, .. } => {
                Box::new(Server::running(address.clone(), options)?)
            }
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
            script: None,
            coverage: Coverage::start(),
            reach: Reach::default(),
            may_have_ended: false,
            has_crashed: false,
            next_connection: Instant::now(),
            patience: None,
            last_reaction: Duration::ZERO,
            memory_before: None,
        })
    }

    /// Sends the first stream until the reply is the one that --ready describes.
    fn wait_until_ready(&mut self, streams: &[NamedStream]) -> Result<(), Error> {
        let (Some(stream), Some(ready)) = (streams.first(), &self.options.ready) else {
            return Ok(());
        };
        self.recorder.progress("waiting until the server is ready");
        let timeout = self.options.timeout;
        let deadline = Instant::now() + timeout;
        loop {
            let reply = self.send_uncut(stream, ReplyRule::LISTEN)?.reply;
            if ready.0.is_match(&reply) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "the server is not ready after {timeout:?}: its reply to {} is \"{}\", which --ready does not match",
                    stream.name,
                    excerpt(&reply, 0)
                )
                .into());
            }
        }
    }

    /// Checks all streams, and then the probes of --hostile.
    fn check_streams(&mut self, streams: &mut [NamedStream]) -> Result<(), Error> {
        self.wait_until_ready(streams)?;
        for stream in &mut *streams {
            if let Some(script) = stream.script.clone() {
                stream.bytes = self.run_script(stream, &script)?;
            }
        }
        self.recorder.expects(streams.len());
        let (mut valid, mut untested) = (None, None);
        let mut replies = Vec::new();
        for group in streams.chunks(SIDE_BY_SIDE) {
            let mut same = Vec::new();
            let mut stopped = Ok(());
            for stream in group {
                let checked = self.check_stream(stream, &mut same);
                match checked {
                    Ok(baseline) if baseline.replied => {
                        replies.push((&*stream.name, baseline.masked.clone()));
                        valid.get_or_insert(ValidStream { stream, baseline });
                    }
                    Ok(_) => {}
                    Err(error) if error.is::<NotTestable>() => {
                        let NamedStream { name, bytes, .. } = stream;
                        let reason = format!("not checked: {error}");
                        self.recorder.not_checked(name, bytes.len(), reason);
                        untested.get_or_insert(error);
                    }
                    Err(error) => {
                        stopped = Err(error);
                        break;
                    }
                }
            }
            // What was found is recorded in any case.
            let (late, listened) = match self.listen(&mut same) {
                Ok(late) => (late, Ok(())),
                Err(error) => (Vec::new(), Err(error)),
            };
            self.record_same(same, late);
            stopped?;
            listened?;
        }
        let Some(valid) = valid else {
            // The advice for one stream may be that for all.
            if let Some(error) = untested {
                return Err(error);
            }
            return Err(format!(
                "the {} did not reply to any stream; add a stream of its format",
                self.peer.name()
            )
            .into());
        };
        self.warn_of_replies(&replies);
        if self.options.hostile {
            self.check_hostile(streams, &valid)?;
        }
        Ok(())
    }

    /// Runs a script once. Returns what it sends, which is its stream.
    ///
    /// # Errors
    ///
    /// If the peer does not reply as the script expects.
    fn run_script(&mut self, stream: &NamedStream, script: &Script) -> Result<Vec<u8>, Error> {
        let outcome = self.send_uncut(stream, ReplyRule::open(ReplyEnd::FirstByte))?;
        let Some(line) = outcome.conversation.unmatched else {
            return Ok(outcome.conversation.sent);
        };
        let reason = if outcome.closed {
            format!("before the {} closes the connection", self.peer.name())
        } else {
            format!("within {:?}", self.options.timeout)
        };
        let (name, pattern) = (&script.name, script.pattern(line));
        let end = last_line(&outcome.reply);
        Err(format!(
            "{name}, line {line}: no reply matches {pattern:?} {reason}; the last line is \"{end}\""
        )
        .into())
    }

    /// Tries one split. With --hostile, a stream that is not cut is a probe.
    fn check_case(&mut self, case: &Case, streams: &[NamedStream]) -> Result<(), Error> {
        let Case { stream, split, .. } = case;
        let mut uncut = NamedStream::new("replayed", stream.clone());
        uncut.script = script_of(stream, streams)?;
        self.wait_until_ready(slice::from_ref(&uncut))?;
        let found = match streams.first() {
            Some(valid) if self.options.hostile && split.cuts().is_empty() => {
                let baseline = self.baseline(valid)?;
                let valid = ValidStream {
                    stream: valid,
                    baseline,
                };
                self.replay_hostile(stream, streams, &valid)?
            }
            _ => self.replay_split(&uncut, case)?,
        };
        match found {
            None => {
                let bytes = count(stream.len() as u64, "byte");
                let tried = format!("{bytes}, split {split}");
                self.recorder.held("replayed", stream.len(), tried);
            }
            Some(violation) => {
                let len = stream.len();
                self.recorder.violated("replayed", len, violation, None);
            }
        }
        Ok(())
    }

    /// Tries one split, and listens for late bytes after it.
    fn replay_split(
        &mut self,
        stream: &NamedStream,
        case: &Case,
    ) -> Result<Option<Violation>, Error> {
        self.script.clone_from(&stream.script);
        if let Some(script) = &stream.script {
            // The peer must still reply as it expects. What it sends now is not in the token.
            self.run_script(stream, script)?;
        }
        self.options.protocol.check_stream(stream)?;
        let split = &case.split;
        if !split.cuts().is_empty() {
            self.recorder.checks([Property::EverySplit]);
        }
        let baseline = self.baseline(stream)?;
        let wait = Wait {
            reply: self.options.timeout,
            end: CRASH_TIME,
        };
        let mut difference = self.try_split(&stream.bytes, split, &baseline, wait)?;
        match &mut difference {
            Some(difference) if difference.end == ConnectionEnd::Crashed => {
                self.check_goes_on(stream, &baseline)?;
            }
            Some(difference) => self.note_crash(difference)?,
            None if matches!(baseline.rule.end, ReplyEnd::Expected) => {
                self.coverage.listened += 1;
                difference = self.confirm(stream, split, &baseline)?;
            }
            None => {}
        }
        Ok(difference.map(|difference| self.violation(case.clone(), difference)))
    }

    /// Tries the splits of a stream, as many as --max-connections allows. Records a violation, and
    /// adds the stream to `same` if there is none.
    fn check_stream<'s>(
        &mut self,
        stream: &'s NamedStream,
        same: &mut Vec<SameSoFar<'s>>,
    ) -> Result<Baseline, Error> {
        self.script.clone_from(&stream.script);
        let baseline = self.baseline(stream)?;
        let NamedStream { name, bytes, .. } = stream;
        if !baseline.replied && !baseline.closes {
            self.check_silence(stream, &baseline)?;
            return Ok(baseline);
        }
        self.reach = Reach::default();
        let edges = self.edges(bytes);
        let tried = self.try_splits(stream, &baseline, &edges);
        let reach = mem::take(&mut self.reach);
        let Some(smallest) = tried.smallest else {
            if let Some(error) = tried.stopped {
                return Err(error);
            }
            same.push(SameSoFar {
                stream,
                baseline: baseline.clone(),
                splits: tried.same.into_keys().collect(),
                reach,
            });
            return Ok(baseline);
        };
        self.warn_of_reach(stream, &baseline, &reach);
        let minimal = match tried.stopped {
            Some(error) => Err(error),
            None => self.minimize(stream, smallest.clone(), &baseline, tried.wait),
        };
        let (smallest, stopped) = match minimal {
            Ok(minimal) => (minimal, Ok(baseline)),
            Err(error) if stop::requested() => (smallest, Err(error)),
            // Replies that vary by themselves are not a violation.
            Err(error) => return Err(error),
        };
        self.record_violation(name, bytes, smallest, &tried.same, &edges);
        stopped
    }

    /// Tries a stream byte by byte that gets no reply when it is not cut. A reply now depends on
    /// the split. No reply either is no result.
    fn check_silence(&mut self, stream: &NamedStream, baseline: &Baseline) -> Result<(), Error> {
        let NamedStream { name, bytes, .. } = stream;
        let (peer, timeout) = (self.peer.name(), self.options.timeout);
        let what = if self.options.protocol.knows_end() {
            "all of it"
        } else {
            "it"
        };
        let split = Split::bytes(bytes.len());
        let wait = self.wait();
        self.coverage.add_stream(bytes.len());
        self.coverage.add_split(&split);
        let mut found = None;
        for _ in 1..REPETITIONS {
            found = self.try_split(bytes, &split, baseline, wait)?;
            if found.is_none() {
                let reason = format!(
                    "not checked, as the {peer} does not reply to {what} within {timeout:?}"
                );
                self.recorder.not_checked(name, bytes.len(), reason);
                return Ok(());
            }
            self.check_repeatable(stream, baseline)?;
        }
        if let Some(difference) = found {
            self.recorder.checks([Property::EverySplit]);
            let violation = self.violation(Case::new(bytes.clone(), split), difference);
            self.recorder.violated(name, bytes.len(), violation, None);
        }
        Ok(())
    }

    /// Records streams of which all splits have the same reply, unless a surplus came late.
    fn record_same(&mut self, streams: Vec<SameSoFar<'_>>, mut late: Vec<Option<DifferingSplit>>) {
        late.resize(streams.len(), None);
        for (same, late) in streams.into_iter().zip(late) {
            let SameSoFar {
                stream,
                baseline,
                splits,
                reach,
            } = same;
            let NamedStream { name, bytes, .. } = stream;
            self.warn_of_reach(stream, &baseline, &reach);
            if bytes.len() > 1 {
                self.recorder.checks([Property::EverySplit]);
            }
            if let Some(DifferingSplit { split, difference }) = late {
                let violation = self.violation(Case::new(bytes.clone(), split), difference);
                self.recorder.violated(name, bytes.len(), violation, None);
                continue;
            }
            let covered = SameReply {
                bytes: bytes.len(),
                splits,
                reply: &baseline.masked,
                reply_name: self.peer.reply_name(),
            };
            self.recorder.held(name, bytes.len(), covered.to_string());
        }
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
        let (peer, reply, count) = (self.peer.name(), self.peer.reply_name(), same.len());
        let or_end = match difference.end {
            ConnectionEnd::Crashed => format!(" or end the {peer}"),
            ConnectionEnd::LeftOpen => " or leave the connection open".into(),
            _ => String::new(),
        };
        let _ = write!(
            difference.actual,
            "; {differing} of {count} splits have a different {reply}{or_end}"
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
        self.recorder.checks([Property::EverySplit]);
        self.recorder.violated(name, len, violation, map);
    }

    /// Returns how long to wait for what a split does, if nothing is known about it.
    fn wait(&self) -> Wait {
        Wait {
            reply: self.options.timeout,
            end: self.aftermath(),
        }
    }

    /// Returns how long the program may take to end after a reply. The next connection shows that
    /// it has ended, unless it is restarted for that.
    fn aftermath(&self) -> Duration {
        if self.options.peer.is_fresh() {
            FRESH_AFTERMATH
        } else {
            Duration::ZERO
        }
    }

    /// Sends a stream in a split. Returns how the reply differs, or how it ends the program.
    fn try_split(
        &mut self,
        stream: &[u8],
        split: &Split,
        baseline: &Baseline,
        wait: Wait,
    ) -> Result<Option<Difference>, Error> {
        let script = self.script.clone();
        let outcome = self.send(&Request {
            stream,
            split,
            script: script.as_deref(),
            rule: baseline.rule,
            expected: &baseline.before_half_close,
            timeout: wait.reply,
        })?;
        self.coverage.add_reading(outcome.reading);
        let reply = self.comparable(stream, &outcome);
        // Of one that is too long, the end is not known.
        if reply == baseline.masked && outcome.ended != Ended::TooLong {
            if baseline.must_close && !outcome.closed {
                return Ok(Some(Difference::left_open(self.peer.name(), wait.reply)));
            }
            let crash = self.crash(wait.end)?;
            if crash.is_none() {
                self.reach.add(&outcome);
            }
            return Ok(crash.map(|crash| Difference::crash(self.peer.name(), &crash)));
        }
        self.may_have_ended = outcome.closed;
        Ok(Some(Difference::new(&baseline.masked, &reply, &outcome)))
    }

    /// Adds to a difference how the peer has ended, if it has. A server that ends closes its
    /// connections.
    fn note_crash(&mut self, difference: &mut Difference) -> Result<(), Error> {
        let within = match difference.end {
            ConnectionEnd::Open | ConnectionEnd::LeftOpen | ConnectionEnd::Crashed => {
                return Ok(());
            }
            ConnectionEnd::Closed => ENDING_TIME,
            ConnectionEnd::ClosedSilently => CRASH_TIME,
        };
        if let Some(crash) = self.crash(within)? {
            let _ = write!(difference.actual, "; {crash}");
        }
        Ok(())
    }

    fn violation(&self, case: Case, difference: Difference) -> Violation {
        let edges = self.edges(&case.stream);
        let Difference {
            expected,
            mut actual,
            ..
        } = difference;
        if let Some(script) = &self.script {
            actual.push_str(&script.places(&case.stream, &case.split));
        }
        violation(Property::EverySplit, case, edges, expected, actual)
    }

    /// Returns the field edges of a stream, if the format is known.
    fn edges(&self, stream: &[u8]) -> Vec<usize> {
        match (self.framing, &self.script) {
            (Some(framing), _) => framing.edges(stream),
            (None, Some(script)) => script.turn_ends(stream).unwrap_or_default(),
            (None, None) => self.options.protocol.edges(stream),
        }
    }

    /// Makes a connection, as soon as --max-rate allows it.
    fn send(&mut self, request: &Request<'_>) -> Result<ConnectionOutcome, Error> {
        let now = Instant::now();
        thread::sleep(self.next_connection.saturating_duration_since(now));
        let interval = Duration::from_secs(1) / self.options.max_rate.get();
        self.next_connection = self.next_connection.max(now) + interval;
        let outcome = match stop::reason() {
            None => self.exchange(request),
            Some(reason) => Err(reason.into()),
        };
        self.coverage.connections += 1;
        // The reply of an interrupted connection is not evidence.
        match stop::reason() {
            Some(reason) => Err(reason.into()),
            None => outcome,
        }
    }

    /// If the last connection has ended the program, or does so within a time, starts it again and
    /// returns how it ended.
    fn crash(&mut self, within: Duration) -> Result<Option<String>, Error> {
        let crash = self.peer.crash(within)?;
        if crash.is_some() {
            (self.may_have_ended, self.has_crashed) = (false, true);
        }
        Ok(crash)
    }

    /// Makes a connection. If the previous one has ended the program, starts it again.
    fn exchange(&mut self, request: &Request<'_>) -> Result<ConnectionOutcome, Error> {
        let may_have_ended = mem::take(&mut self.may_have_ended);
        let outcome = self.peer.exchange(request);
        let is_refused = match &outcome {
            Err(_) => true,
            // While a program ends, its system may still accept connections for it.
            Ok(outcome) => self.has_crashed && outcome.closed && !outcome.replied,
        };
        if may_have_ended && is_refused && self.crash(ENDING_TIME)?.is_some() {
            return self.peer.exchange(request);
        }
        outcome
    }

    /// Returns the reply on a connection without what may vary.
    fn comparable(&self, stream: &[u8], outcome: &ConnectionOutcome) -> Vec<u8> {
        let protocol = self.options.protocol;
        let reply = outcome.conversation.masked(&outcome.reply);
        self.masked(&protocol.comparable(stream, &reply, outcome.closed))
    }

    fn masked(&self, reply: &[u8]) -> Vec<u8> {
        masked(&self.options.mask, reply)
    }

    /// Checks that the program has not ended after the last connection.
    fn check_running_at_end(&mut self) -> Result<(), Error> {
        match self.peer.crash(ENDING_TIME)? {
            None => Ok(()),
            Some(crash) => Err(format!("{crash}, after the last connection").into()),
        }
    }

    /// Ends the peer, and returns what was covered.
    fn ending(mut self, stopped: Option<Error>) -> Ending {
        self.warn_of_reader();
        let stopped = stopped.or_else(|| self.check_running_at_end().err());
        Ending {
            covered: self.coverage.summary(self.peer.name(), self.peer.reader()),
            stopped: stopped.map(|error| error.to_string()),
        }
    }
}
