//! `everysplit exec`: asks a decoder in a driver, stream by stream, and tells what came
//! of it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use everysplit::check::{
    self, Certificate, Deviation, Expected, Harness, Outcome, Property, SplitMap, Violation,
};
use everysplit::{Case, Frames, Split, Subject};

use crate::args::Exec;
use crate::driver::{Driver, Drivers, Errors, Refused, Session, State};
use crate::format::Format;
use crate::report::{Report, count, pace};
use crate::streams::{self, Stream};
use crate::{Cannot, stop};

/// The longest stream of which a split map is drawn.
const MAP: usize = 46;
/// How many frames a driver may give in one answer to a short stream.
const FRAMES: usize = 100_000;
/// How many splits of a stream that is too long to be proved are drawn, at most.
const SAMPLES: u64 = 1000;
/// How many feeds such a split makes: each of its nine chunks, and again with empty ones.
const FEEDS: u64 = 28;
/// How many bytes they may be in all.
const BYTES: u64 = 64 * 1024 * 1024;

/// A stream, and what it must give.
struct Due<'a> {
    stream: &'a [u8],
    expected: Expected<String, Refused>,
    declared: Option<Deviation>,
}

/// A decoder in a driver, and what is known of it.
struct Asked {
    drivers: Rc<RefCell<Drivers>>,
    /// What a fresh decoder was saved under, if it can save and load.
    fresh: Option<Rc<str>>,
    errors: Errors,
    format: Option<Format>,
    /// Where the decoder is meant to differ from the strict policy.
    declared: Option<Deviation>,
}

impl Asked {
    fn start(exec: &Exec, longest: usize) -> Result<Self, Cannot> {
        stop::after(exec.time);
        if let Some(pair) = exec.config.iter().find(|pair| !pair.contains('=')) {
            return Err(format!("--config {pair} is no KEY=VALUE").into());
        }
        let limit = exec.streams.limit.map(|limit| format!(" max={limit}"));
        let config = exec.config.iter().map(|pair| format!(" {pair}"));
        let (drivers, fresh) = Drivers::start(Driver {
            command: exec.driver.clone(),
            config: limit.into_iter().chain(config).collect(),
            timeout: exec.timeout,
            memory: exec.memory,
            // A frame has a byte at least; more are no frames, as far as they come.
            frames: longest.max(FRAMES),
        })?;
        let drivers = Rc::new(RefCell::new(drivers));
        let format = Format::of(&exec.streams);
        let errors = match format {
            Some(_) => Errors::Alike,
            None => Errors::Kinds,
        };
        let declared = exec.discards_at_end.then_some(Deviation::DiscardsAtEnd);
        Ok(Self {
            drivers,
            fresh,
            errors,
            format,
            declared,
        })
    }

    fn session(&self) -> Session {
        Session::new(&self.drivers, self.errors)
    }

    /// Finds out what a stream must give, and how its end is meant.
    fn due<'a>(&self, stream: &'a [u8]) -> Due<'a> {
        self.drivers.borrow_mut().renew();
        let (expected, broken) = self.oracle(stream);
        // What a driver gives that breaks on it, byte by byte, can be anything.
        let broken = broken.then_some(Deviation::DiscardsAtEnd);
        Due {
            stream,
            expected,
            declared: broken.or(self.declared),
        }
    }

    /// Tells what a stream must give, by the format or else byte by byte, and whether the
    /// driver broke on it.
    fn oracle(&self, stream: &[u8]) -> (Expected<String, Refused>, bool) {
        let before = self.drivers.borrow().ended();
        let mut expected = match self.format {
            Some(format) => format.parse(stream, || Refused {
                kind: "an error".into(),
                errors: self.errors,
            }),
            None => check::itself(|| self.session())(stream),
        };
        let broken = self.drivers.borrow().ended() > before;
        let discards = self.format.is_some() && self.declared.is_some();
        // What a driver gives that breaks is no end of a stream.
        if broken || discards && matches!(expected.outcome, Outcome::Truncated(_)) {
            expected.outcome = Outcome::Clean;
        }
        (expected, broken)
    }

    /// Tells what a stream must give; nothing when the driver is not to be asked any more.
    fn expected(&self, due: &Due<'_>, stream: &[u8]) -> Option<Expected<String, Refused>> {
        let worn = self.drivers.borrow().worn();
        let known = (stream == due.stream).then(|| due.expected.clone());
        (!worn).then(|| known.unwrap_or_else(|| self.oracle(stream).0))
    }

    /// Asks of a stream, as much as there may be feeds.
    fn ask(&self, due: &Due<'_>, exec: &Exec) -> Result<Certificate, Violation> {
        let Due {
            stream, declared, ..
        } = *due;
        self.drivers.borrow_mut().renew();
        let oracle = |stream: &[u8]| self.expected(due, stream);
        let sessions = Harness::new(|| self.session(), oracle).declare(declared);
        let len = stream.len() as u64;
        if len * (len + 1) / 2 > exec.feeds {
            let samples = (exec.feeds / FEEDS)
                .min(BYTES / (3 * len))
                .clamp(1, SAMPLES);
            let certificate = sessions.sampled(stream, 0, samples)?;
            sessions.check(&Case {
                stream: stream.to_vec(),
                split: Split::bytes(stream.len()),
            })?;
            return Ok(certificate);
        }
        let Some(fresh) = &self.fresh else {
            return sessions.bounded(stream, exec.cuts);
        };
        let state = || State::new(&self.drivers, self.errors, fresh);
        Harness::new(state, oracle).declare(declared).prove(stream)
    }

    /// Adds to a violation what a driver does not know.
    fn told(&self, violation: Violation) -> Violation {
        let stream = &violation.case.stream;
        let edges = self.format.map(|format| format.edges(stream));
        // What is expected is what it gives byte by byte: nobody knows what was encoded.
        let (mut property, mut expected) = (violation.property, violation.expected.clone());
        if self.format.is_none() && [Property::EverySplit, Property::RoundTrip].contains(&property)
        {
            property = Property::EverySplit;
            expected = format!("as byte by byte: {expected}").into();
        }
        Violation {
            property,
            expected,
            edges: edges.unwrap_or_else(|| violation.edges.clone()),
            declared: self.declared.into_iter().collect(),
            actual: violation
                .actual
                .replace("`DiscardsAtEnd`", "--discards-at-end")
                .into(),
            ..violation
        }
    }

    /// Draws the splits of the stream of a violation, if it is not too long.
    fn map(&self, violation: &Violation) -> Option<SplitMap> {
        let stream = &violation.case.stream;
        self.drivers.borrow_mut().renew();
        ((2..=MAP).contains(&stream.len()) && !stop::requested()).then(|| {
            let (expected, _) = self.oracle(stream);
            SplitMap::new(|| self.session(), stream, &expected, &violation.edges)
        })
    }
}

/// Returns whether everything held.
pub(crate) fn run(exec: &Exec) -> Result<bool, Cannot> {
    let streams = streams::gather(&exec.streams, |format| {
        format.streams(&exec.streams.message)
    })?;
    for Stream { name, bytes } in &streams {
        let feeds = 4 * bytes.len() as u64;
        if feeds > exec.feeds {
            return Err(format!(
                "{name} is too long: byte by byte, it takes {feeds} feeds; give a part of it, or --feeds {feeds}"
            )
            .into());
        }
    }
    let mut report = Report::begin(&exec.reporting)?;
    let longest = streams.iter().map(|stream| stream.bytes.len()).max();
    let asked = Asked::start(exec, longest.unwrap_or(0))?;
    if asked.fresh.is_none() {
        report.say("the driver cannot save and load: some splits are tried, and nothing is proved");
    }
    let begun = Instant::now();
    for Stream { name, bytes } in &streams {
        if stop::requested() {
            break;
        }
        report.doing(format!("{name}: {} bytes", bytes.len()));
        let due = asked.due(bytes);
        let verdict = asked.ask(&due, exec);
        // What a driver does that is ended is no verdict.
        if stop::requested() {
            break;
        }
        report.asks(properties(&due, asked.format));
        match verdict {
            Ok(certificate) => report.held(name, bytes.len(), certificate.to_string()),
            Err(violation) => {
                report.violated(name, bytes.len(), asked.told(violation), None);
            }
        }
    }
    report.doing("split maps");
    report.draw(|violation| asked.map(violation));
    let feeds = asked.drivers.borrow().feeds();
    let covered = format!("{} {}", count(feeds, "feed"), pace(feeds, begun.elapsed()));
    report.finish(covered, stop::why().map(Into::into))
}

/// Tries the split of a token, and tells what is given to each chunk.
pub(crate) fn replay(case: &Case, exec: &Exec) -> Result<bool, Cannot> {
    let mut report = Report::begin(&exec.reporting.replayed())?;
    let asked = Asked::start(exec, case.stream.len())?;
    let due = asked.due(&case.stream);
    report.asks(properties(&due, asked.format));
    report.say(trace(&mut asked.session(), case).trim_end());
    asked.drivers.borrow_mut().renew();
    let oracle = |stream: &[u8]| asked.expected(&due, stream);
    let harness = Harness::new(|| asked.session(), oracle).declare(due.declared);
    let (name, bytes) = ("replayed", case.stream.len());
    match harness.check(case) {
        // What a driver does that is ended is no verdict.
        _ if stop::requested() => {}
        Ok(()) => report.held(name, bytes, format!("{bytes} bytes, split {}", case.split)),
        Err(violation) => {
            report.violated(name, bytes, asked.told(violation), None);
            report.draw(|violation| asked.map(violation));
        }
    }
    report.finish("one split".into(), stop::why().map(Into::into))
}

/// Tells what a decoder gives to each chunk, and to the end.
fn trace(session: &mut Session, Case { stream, split }: &Case) -> String {
    let mut told = String::new();
    for chunk in split.chunks(stream).map(Some).chain([None]) {
        let mut frames = Frames::new(usize::MAX);
        let asked = match chunk {
            Some(chunk) => format!("feed {}", hex::encode(chunk)),
            None => "finish".into(),
        };
        // A driver that is stuck panics.
        let given = catch_unwind(AssertUnwindSafe(|| match chunk {
            Some(chunk) => session.feed(chunk, &mut frames),
            None => session.finish(&mut frames),
        }));
        let frames: Vec<String> = frames.iter().cloned().collect();
        let ended = match &given {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => format!(" error {error:?}"),
            Err(stuck) => format!(
                " {}",
                stuck.downcast_ref::<String>().map_or("", String::as_str)
            ),
        };
        let _ = writeln!(told, "{asked}: {frames:?}{ended}");
        if given.is_err() {
            break;
        }
    }
    told
}

/// Returns what is asked for where a stream must give this.
fn properties(due: &Due<'_>, format: Option<Format>) -> Vec<Property> {
    let expected = &due.expected;
    let mut asked = vec![
        Property::EverySplit,
        Property::EmptyChunk,
        Property::Progress,
    ];
    if !expected.frames.is_empty() {
        asked.push(Property::Prompt);
        // Without a format nobody knows what was encoded.
        asked.extend(format.map(|_| Property::RoundTrip));
    }
    match expected.outcome {
        Outcome::Clean => {}
        Outcome::Truncated(_) => asked.push(Property::Truncation),
        Outcome::Rejected { .. } => asked.extend([Property::Limit, Property::Poisoned]),
    }
    asked
}
