//! `everysplit exec`: checks the decoder in a driver, stream by stream.

mod trace;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Instant;

use everysplit::check::{
    self, Certificate, Deviation, Expected, Harness, Outcome, Property, SplitMap, Violation,
};
use everysplit::{Case, Split};

use crate::driver::{
    DecoderError, Driver, DriverDecoder, DriverSettings, ErrorComparison, SavedDecoder,
};
use crate::framing::Framing;
use crate::options::{ConfigEntry, ExecOptions};
use crate::report::{Ending, Recorder};
use crate::streams::{self, NamedStream};
use crate::text::{count, pace};
use crate::{Error, stop};

/// The longest stream of which a split map is drawn, in bytes.
const MAX_MAP: usize = 46;
/// Maximum number of frames in one reply to a short stream.
const MAX_FRAMES: usize = 100_000;
/// Maximum number of sampled splits of a stream that is too long for a proof.
const MAX_SAMPLES: u64 = 1000;
/// Number of feeds per sampled split: nine chunks, and again with empty chunks between them.
const FEEDS_PER_SAMPLE: u64 = 28;
/// Maximum number of bytes fed in all sampled splits of a stream.
const MAX_SAMPLED_BYTES: u64 = 64 * 1024 * 1024;

/// Checks the decoder on every stream.
pub(crate) fn run(options: &ExecOptions, recorder: &mut Recorder) -> Result<Ending, Error> {
    let streams = streams::load(&options.streams, |framing| {
        framing.streams(&options.streams.messages)
    })?;
    check_lengths(&streams, options.max_feeds)?;
    let longest = streams.iter().map(|stream| stream.bytes.len()).max();
    let run = DecoderRun::start(options, longest.unwrap_or(0))?;
    if run.fresh.is_none() {
        recorder.note("the driver has no save and load: only some splits are tried, no proof");
    }
    let begun = Instant::now();
    for NamedStream { name, bytes } in &streams {
        if stop::requested() {
            break;
        }
        recorder.progress(format!("{name}: {} bytes", bytes.len()));
        let expectation = run.expectation(bytes);
        let result = run.check(&expectation);
        // A driver that is being ended is not evidence.
        if stop::requested() {
            break;
        }
        recorder.checks(run.properties(&expectation));
        match result {
            Ok(certificate) => recorder.held(name, bytes.len(), certificate.to_string()),
            Err(violation) => {
                recorder.violated(name, bytes.len(), run.adapt(violation), None);
            }
        }
    }
    recorder.progress("split maps");
    recorder.draw_maps(|violation| run.map(violation));
    let feeds = run.driver.borrow().feeds();
    Ok(Ending {
        covered: format!("{} {}", count(feeds, "feed"), pace(feeds, begun.elapsed())),
        stopped: stop::reason().map(Into::into),
    })
}

/// Tries one split, and shows the decoder's frames after each chunk.
pub(crate) fn replay(
    case: &Case,
    options: &ExecOptions,
    recorder: &mut Recorder,
) -> Result<Ending, Error> {
    let run = DecoderRun::start(options, case.stream.len())?;
    let expectation = run.expectation(&case.stream);
    recorder.checks(run.properties(&expectation));
    recorder.note(&trace::trace(&mut run.decoder(), case));
    let (name, bytes) = ("replayed", case.stream.len());
    match run.check_case(&expectation, case) {
        // A driver that is being ended is not evidence.
        _ if stop::requested() => {}
        Ok(()) => recorder.held(name, bytes, format!("{bytes} bytes, split {}", case.split)),
        Err(violation) => {
            recorder.violated(name, bytes, run.adapt(violation), None);
            recorder.draw_maps(|violation| run.map(violation));
        }
    }
    Ok(Ending {
        covered: "1 split".into(),
        stopped: stop::reason().map(Into::into),
    })
}

/// Rejects a stream that takes too many feeds even byte by byte.
fn check_lengths(streams: &[NamedStream], max_feeds: u64) -> Result<(), Error> {
    for NamedStream { name, bytes } in streams {
        let feeds = 4 * bytes.len() as u64;
        if feeds > max_feeds {
            return Err(format!(
                "{name} is too long: fed byte by byte, it takes {feeds} feeds; shorten it, or add --max-feeds {feeds}"
            )
            .into());
        }
    }
    Ok(())
}

/// The expected frames and outcome of a stream.
struct Expectation<'a> {
    stream: &'a [u8],
    expected: Expected<String, DecoderError>,
    /// The deviation that applies to it.
    deviation: Option<Deviation>,
}

/// A run on a decoder in a driver.
struct DecoderRun<'a> {
    options: &'a ExecOptions,
    driver: Rc<RefCell<Driver>>,
    /// The saved state of a fresh decoder, if the driver has save and load.
    fresh: Option<Rc<str>>,
    comparison: ErrorComparison,
    framing: Option<Framing>,
    /// Where the decoder is declared to differ from the strict policy.
    declared: Option<Deviation>,
}

impl<'a> DecoderRun<'a> {
    fn start(options: &'a ExecOptions, longest: usize) -> Result<Self, Error> {
        stop::after(options.max_time);
        let framing = options.streams.framing;
        let (driver, fresh) = Driver::start(DriverSettings {
            command: options.driver.clone(),
            config: config_text(options),
            timeout: options.timeout,
            max_memory: options.max_memory,
            // A frame has at least one byte.
            max_frames: longest.max(MAX_FRAMES),
        })?;
        Ok(Self {
            options,
            driver: Rc::new(RefCell::new(driver)),
            fresh,
            comparison: match framing {
                Some(_) => ErrorComparison::AllEqual,
                None => ErrorComparison::ByKind,
            },
            framing,
            declared: options.discards_at_end.then_some(Deviation::DiscardsAtEnd),
        })
    }

    fn decoder(&self) -> DriverDecoder {
        DriverDecoder::new(&self.driver, self.comparison)
    }

    /// Determines the expected frames of a stream, and the deviation that applies to it.
    fn expectation<'s>(&self, stream: &'s [u8]) -> Expectation<'s> {
        self.driver.borrow_mut().reset_timeouts();
        let (expected, crashed) = self.oracle(stream);
        // The end of a stream that the driver does not survive is not evidence.
        let crashed = crashed.then_some(Deviation::DiscardsAtEnd);
        Expectation {
            stream,
            expected,
            deviation: crashed.or(self.declared),
        }
    }

    /// Returns the expected frames of a stream, and whether the driver crashed on it. They are
    /// those of the format, or else of the decoder itself fed byte by byte.
    fn oracle(&self, stream: &[u8]) -> (Expected<String, DecoderError>, bool) {
        let before = self.driver.borrow().failures();
        let mut expected = match self.framing {
            Some(framing) => framing.expect(stream, || DecoderError {
                kind: "an error".into(),
                comparison: self.comparison,
            }),
            None => check::itself(|| self.decoder())(stream),
        };
        let crashed = self.driver.borrow().failures() > before;
        let discards = self.framing.is_some() && self.declared.is_some();
        if crashed || discards && matches!(expected.outcome, Outcome::Truncated(_)) {
            expected.outcome = Outcome::Clean;
        }
        (expected, crashed)
    }

    /// Returns the expected frames of a stream, `None` once the driver has timed out too often.
    fn expected(
        &self,
        expectation: &Expectation<'_>,
        stream: &[u8],
    ) -> Option<Expected<String, DecoderError>> {
        if self.driver.borrow().is_exhausted() {
            return None;
        }
        if stream == expectation.stream {
            return Some(expectation.expected.clone());
        }
        Some(self.oracle(stream).0)
    }

    /// Checks a stream as thoroughly as the driver and the maximum number of feeds allow.
    fn check(&self, expectation: &Expectation<'_>) -> Result<Certificate, Violation> {
        let Expectation {
            stream, deviation, ..
        } = *expectation;
        self.driver.borrow_mut().reset_timeouts();
        let oracle = |stream: &[u8]| self.expected(expectation, stream);
        let harness = Harness::new(|| self.decoder(), oracle).declare(deviation);
        let (len, max_feeds) = (stream.len() as u64, self.options.max_feeds);
        if len * (len + 1) / 2 > max_feeds {
            let samples = (max_feeds / FEEDS_PER_SAMPLE)
                .min(MAX_SAMPLED_BYTES / (3 * len))
                .clamp(1, MAX_SAMPLES);
            let certificate = harness.sampled(stream, 0, samples)?;
            harness.check(&Case {
                stream: stream.to_vec(),
                split: Split::bytes(stream.len()),
            })?;
            return Ok(certificate);
        }
        let Some(fresh) = &self.fresh else {
            return harness.bounded(stream, self.options.max_cuts);
        };
        let saved = || SavedDecoder::new(&self.driver, self.comparison, fresh);
        Harness::new(saved, oracle).declare(deviation).prove(stream)
    }

    /// Checks one split.
    fn check_case(&self, expectation: &Expectation<'_>, case: &Case) -> Result<(), Violation> {
        self.driver.borrow_mut().reset_timeouts();
        let oracle = |stream: &[u8]| self.expected(expectation, stream);
        Harness::new(|| self.decoder(), oracle)
            .declare(expectation.deviation)
            .check(case)
    }

    /// Adds what the library does not know about a violation. To be removed as soon as the
    /// library labels byte-by-byte expectations and takes the field edges from the harness.
    fn adapt(&self, violation: Violation) -> Violation {
        let (mut property, mut expected) = (violation.property, violation.expected.clone());
        // Without a format, the encoded messages are unknown, so the round trip is not checked.
        if self.framing.is_none() && [Property::EverySplit, Property::RoundTrip].contains(&property)
        {
            property = Property::EverySplit;
            expected = format!("as byte by byte: {expected}").into();
        }
        let edges = self.framing.map_or_else(
            || violation.edges.clone(),
            |framing| framing.edges(&violation.case.stream),
        );
        let advice = ("`DiscardsAtEnd`", "--discards-at-end");
        Violation {
            property,
            expected,
            edges,
            declared: self.declared.into_iter().collect(),
            actual: violation.actual.replace(advice.0, advice.1).into(),
            ..violation
        }
    }

    /// Draws the splits of a violation's stream, if it is not too long.
    fn map(&self, violation: &Violation) -> Option<SplitMap> {
        let stream = &violation.case.stream;
        if !(2..=MAX_MAP).contains(&stream.len()) || stop::requested() {
            return None;
        }
        self.driver.borrow_mut().reset_timeouts();
        let (expected, _) = self.oracle(stream);
        Some(SplitMap::new(
            || self.decoder(),
            stream,
            &expected,
            &violation.edges,
        ))
    }

    /// Returns the properties that are checked on a stream.
    fn properties(&self, expectation: &Expectation<'_>) -> Vec<Property> {
        let expected = &expectation.expected;
        let mut properties = vec![
            Property::EverySplit,
            Property::EmptyChunk,
            Property::Progress,
        ];
        if !expected.frames.is_empty() {
            properties.push(Property::Prompt);
            // Without a format, the encoded messages are unknown.
            properties.extend(self.framing.map(|_| Property::RoundTrip));
        }
        match expected.outcome {
            Outcome::Clean => {}
            Outcome::Truncated(_) => properties.push(Property::Truncation),
            Outcome::Rejected { .. } => properties.extend([Property::Limit, Property::Poisoned]),
        }
        properties
    }
}

/// Returns the configuration as the protocol has it: ` KEY=VALUE` for each entry.
fn config_text(options: &ExecOptions) -> String {
    let mut text = String::new();
    if let Some(limit) = options
        .streams
        .framing
        .and_then(|framing| framing.size_limit)
    {
        let _ = write!(text, " max={limit}");
    }
    for ConfigEntry { key, value } in &options.config {
        let _ = write!(text, " {key}={value}");
    }
    text
}
