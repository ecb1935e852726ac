//! `everysplit exec`: checks the decoder in a driver, stream by stream.

mod trace;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Instant;

use everysplit::oracle::Oracle;
use everysplit::subject::Subject;
use everysplit::{
    Case, Certificate, Deviation, Expected, Fed, Harness, Outcome, Property, Split, SplitMap,
    Violation,
};

use crate::driver::{
    DecoderError, Driver, DriverDecoder, DriverSettings, ErrorComparison, SavedDecoder,
};
use crate::framing::{self, Framing};
use crate::options::{ConfigEntry, ExecOptions};
use crate::report::{Ending, Recorder};
use crate::streams::{self, NamedStream};
use crate::text::{count, pace};
use crate::{Error, stop};

/// The longest stream of which a split map is drawn, in bytes.
const MAX_MAP: usize = 46;
/// Maximum number of frames in one reply to a short stream.
const MAX_FRAMES: usize = 100_000;
/// Minimum and maximum number of sampled splits of a stream that is too long for a proof.
const MIN_SAMPLES: u64 = 4;
const MAX_SAMPLES: u64 = 1000;
/// Number of feeds per sampled split: nine chunks, and again with empty chunks between them.
const FEEDS_PER_SAMPLE: u64 = 28;
/// Maximum number of bytes fed in all sampled splits of a stream.
const MAX_SAMPLED_BYTES: u64 = 64 * 1024 * 1024;

/// Checks the decoder on every stream.
pub(crate) fn run(options: &ExecOptions, recorder: &mut Recorder) -> Result<Ending, Error> {
    let streams = load(options)?;
    let format = options.streams.framing;
    if format.is_none() {
        check_lengths(&streams, options.max_feeds)?;
    }
    let longest = streams.iter().map(|stream| stream.bytes.len()).max();
    let run = DecoderRun::start(options, longest.unwrap_or(0))?;
    if run.fresh.is_none() {
        recorder.note("the driver has no save and load: only some splits are tried, no proof");
    }
    if let Some(omitted) = format.and_then(|format| format.omitted(framing::MAX_BODY)) {
        recorder.omits(Property::Limit, &omitted);
    }
    recorder.expects(streams.len());
    let begun = Instant::now();
    for NamedStream {
        name,
        bytes,
        segments,
        ..
    } in &streams
    {
        if stop::requested() {
            break;
        }
        recorder.progress(format!("{name}: {} bytes", bytes.len()));
        let properties = run.properties(bytes);
        let result = run.check_captured(bytes, segments.as_ref());
        // A driver that is being ended is not evidence.
        if stop::requested() {
            break;
        }
        recorder.checks(properties);
        match result {
            Ok(tried) => recorder.held(name, bytes.len(), tried),
            Err(violation) => recorder.violated(name, bytes.len(), violation, None),
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

/// Loads the streams of a run.
pub(crate) fn load(options: &ExecOptions) -> Result<Vec<NamedStream>, Error> {
    let streams = streams::load(&options.streams, None, |format| {
        format.streams(&options.streams.messages, framing::MAX_BODY)
    })?;
    options.shard.some_of(streams, "stream")
}

/// Tries one split, and shows the decoder's frames after each chunk.
pub(crate) fn replay(
    case: &Case,
    options: &ExecOptions,
    recorder: &mut Recorder,
) -> Result<Ending, Error> {
    let run = DecoderRun::start(options, case.stream.len())?;
    recorder.checks(run.properties(&case.stream));
    recorder.note(&trace::trace(&mut run.decoder(), case));
    let (name, bytes) = ("replayed", case.stream.len());
    match run.check_case(case) {
        // A driver that is being ended is not evidence.
        _ if stop::requested() => {}
        Ok(()) => recorder.held(name, bytes, format!("{bytes} bytes, split {}", case.split)),
        Err(violation) => {
            recorder.violated(name, bytes, violation, None);
            recorder.draw_maps(|violation| run.map(violation));
        }
    }
    Ok(Ending {
        covered: "1 split".into(),
        stopped: stop::reason().map(Into::into),
    })
}

/// Returns the number of feeds that a stream takes byte by byte: for the expectation, and for the
/// split with and without empty chunks.
const fn feeds_byte_by_byte(bytes: u64) -> u64 {
    4 * bytes
}

/// Rejects a stream that takes too many feeds even byte by byte. Without a format, the
/// expectation is made that way.
fn check_lengths(streams: &[NamedStream], max_feeds: u64) -> Result<(), Error> {
    for NamedStream { name, bytes, .. } in streams {
        let feeds = feeds_byte_by_byte(bytes.len() as u64);
        if feeds > max_feeds {
            return Err(format!(
                "{name} is too long: fed byte by byte, it takes {feeds} feeds; shorten it, or add --max-feeds {feeds}"
            )
            .into());
        }
    }
    Ok(())
}

/// Evaluates an expression with the harness of the driver's decoder, whichever oracle it has.
macro_rules! on_decoder {
    ($run:ident, |$harness:ident| $body:expr) => {{
        $run.driver.borrow_mut().reset();
        let run = $run.clone();
        let $harness = $run.harness(move || run.decoder());
        match $run.framing_oracle() {
            Some(oracle) => {
                let $harness = $harness.oracle(oracle);
                $body
            }
            None => $body,
        }
    }};
}

/// A run on a decoder in a driver.
#[derive(Clone)]
struct DecoderRun {
    max_feeds: u64,
    max_cuts: usize,
    seed: u64,
    driver: Rc<RefCell<Driver>>,
    /// The saved state of a fresh decoder, if the driver has save and load.
    fresh: Option<Rc<str>>,
    comparison: ErrorComparison,
    framing: Option<Framing>,
    /// Where the decoder is declared to differ from the strict policy.
    declared: Option<Deviation>,
}

impl DecoderRun {
    fn start(options: &ExecOptions, longest: usize) -> Result<Self, Error> {
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
            max_feeds: options.max_feeds,
            max_cuts: options.max_cuts,
            seed: options.seed,
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

    fn saved_decoder(&self, fresh: &Rc<str>) -> SavedDecoder {
        SavedDecoder::new(&self.driver, self.comparison, fresh)
    }

    /// Makes a harness that expects what the decoder emits byte by byte.
    fn harness<S>(&self, make: impl Fn() -> S + 'static) -> Harness<Fed<S>>
    where
        S: Subject<Frame = String, Error = DecoderError>,
    {
        let driver = Rc::clone(&self.driver);
        let harness = Harness::framer(make)
            .declare(self.declared)
            // The number of feeds decides which streams are proved.
            .max_work(u64::MAX)
            .minimize_while(move || driver.borrow_mut().may_minimize());
        match self.framing {
            Some(framing) => harness.edges(move |stream| framing.edges(stream)),
            None => harness,
        }
    }

    /// Returns the oracle of the format, if there is one.
    fn framing_oracle(
        &self,
    ) -> Option<impl Fn(&[u8]) -> Expected<String, DecoderError> + Clone + use<>> {
        let (comparison, discards) = (self.comparison, self.declared.is_some());
        self.framing.map(move |framing| {
            move |stream: &[u8]| {
                let mut expected = framing.expect(stream, || DecoderError {
                    kind: "an error".into(),
                    comparison,
                });
                if discards && matches!(expected.outcome, Outcome::Truncated(_)) {
                    expected.outcome = Outcome::Clean;
                }
                expected
            }
        })
    }

    /// Checks a stream, also in the split in which it was captured. Returns what was tried.
    fn check_captured(&self, stream: &[u8], segments: Option<&Split>) -> Result<String, Violation> {
        let mut tried = self.check(stream)?.to_string();
        if let Some(split) = segments {
            self.check_case(&Case::new(stream, split.clone()))?;
            let segments = count(split.cuts().len() as u64 + 1, "segment");
            let _ = write!(tried, "; also in its {segments}, as captured");
        }
        Ok(tried)
    }

    /// Checks a stream as thoroughly as the driver and the maximum number of feeds allow.
    fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        self.driver.borrow_mut().reset();
        let run = self.clone();
        let decoders = self.harness(move || run.decoder());
        let saved = self.fresh.clone().map(|fresh| {
            let run = self.clone();
            self.harness(move || run.saved_decoder(&fresh))
        });
        match self.framing_oracle() {
            Some(oracle) => {
                let saved = saved.map(|saved| saved.oracle(oracle.clone()));
                self.check_with(stream, &decoders.oracle(oracle), saved)
            }
            None => self.check_with(stream, &decoders, saved),
        }
    }

    fn check_with<O, P>(
        &self,
        stream: &[u8],
        decoders: &Harness<Fed<DriverDecoder>, O>,
        saved: Option<Harness<Fed<SavedDecoder>, P>>,
    ) -> Result<Certificate, Violation>
    where
        O: Oracle<Fed<DriverDecoder>>,
        P: Oracle<Fed<SavedDecoder>>,
    {
        let (len, max_feeds) = (stream.len() as u64, self.max_feeds);
        if len * (len + 1) / 2 > max_feeds {
            let samples = (max_feeds / FEEDS_PER_SAMPLE)
                .min(MAX_SAMPLED_BYTES / (3 * len))
                .clamp(MIN_SAMPLES, MAX_SAMPLES);
            let certificate = decoders.sampled(stream, self.seed, samples)?;
            if feeds_byte_by_byte(len) <= max_feeds {
                decoders.one_split(&Case::new(stream, Split::bytes(stream.len())))?;
            }
            return Ok(certificate);
        }
        match saved {
            Some(saved) => saved.check(stream),
            None => decoders.bounded(stream, self.max_cuts),
        }
    }

    /// Checks one split.
    fn check_case(&self, case: &Case) -> Result<(), Violation> {
        on_decoder!(self, |harness| harness.one_split(case))
    }

    /// Draws the splits of a violation's stream, if it is not too long.
    fn map(&self, violation: &Violation) -> Option<SplitMap> {
        let stream = &violation.case.stream;
        if !(2..=MAX_MAP).contains(&stream.len()) || stop::requested() {
            return None;
        }
        Some(on_decoder!(self, |harness| harness.split_map(stream)))
    }

    /// Returns the properties that are checked on a stream.
    fn properties(&self, stream: &[u8]) -> Vec<Property> {
        let mut properties = vec![
            Property::EverySplit,
            Property::EmptyChunk,
            Property::Progress,
        ];
        let Some(expected) = on_decoder!(self, |harness| harness.expected(stream)) else {
            return properties;
        };
        if !expected.frames.is_empty() {
            properties.push(Property::Prompt);
            // Without a format, the encoded messages are unknown.
            properties.extend(self.framing.map(|_| Property::RoundTrip));
        }
        let at_limit = |framing: Framing| framing.has_body_at_limit(stream);
        if self.framing.is_some_and(at_limit) {
            properties.push(Property::Limit);
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
