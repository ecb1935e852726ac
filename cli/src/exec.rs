//! `everysplit exec`: checks the decoder in a driver, stream by stream.

mod every_stream;
mod expectation;
mod trace;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Instant;

use everysplit::oracle::{Oracle, Specification};
use everysplit::subject::{Buffered, Subject};
use everysplit::{
    Case, Certificate, Deviation, Door, Expected, Harness, Outcome, Property, Split, SplitMap,
    Violation,
};

use crate::driver::{
    CallerBufferedDecoder, DecoderError, Driver, DriverDecoder, DriverFrame, DriverSettings,
};
use crate::framing;
use crate::options::{ExecOptions, config_words, some_of};
use crate::report::{Ending, Recorder};
use crate::streams::{self, NamedStream};
use crate::text::{count, pace};
use crate::{Error, stop};
use expectation::Expectation;

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
    if let Some(longest) = options.every_stream {
        return every_stream::run(options, longest.get(), recorder);
    }
    let streams = recorder.share(load_all(options)?, options.shard)?;
    let format = Expectation::new(options.streams.framing, &options.declared).framing();
    if format.is_none() {
        check_lengths(&streams, options.max_feeds)?;
    }
    let longest = streams.iter().map(|stream| stream.bytes.len()).max();
    let run = DecoderRun::start(options, longest.unwrap_or(0))?;
    if !run.driver.borrow().has_states() {
        recorder.note("the driver saves no states: only some splits are tried, no proof");
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
        recorder.progress(format!("{name}: {}", count(bytes.len() as u64, "byte")));
        let properties = run.properties(bytes);
        let result = run.check_captured(bytes, segments.as_ref());
        // A driver that is being ended is not evidence.
        if stop::requested() {
            break;
        }
        if let Some(error) = run.driver.borrow().misuse() {
            return Err(error);
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
    some_of(options.shard, load_all(options)?, "stream")
}

fn load_all(options: &ExecOptions) -> Result<Vec<NamedStream>, Error> {
    streams::load(&options.streams, None, |format| {
        let format = expectation::counted(format, &options.declared);
        format.streams(&options.streams.messages, framing::MAX_BODY)
    })
}

/// Tries one split, and shows the decoder's frames after each chunk.
pub(crate) fn replay(
    case: &Case,
    options: &ExecOptions,
    recorder: &mut Recorder,
) -> Result<Ending, Error> {
    let run = DecoderRun::start(options, case.stream.len())?;
    let mut properties = run.properties(&case.stream);
    if case.split.cuts().is_empty() {
        properties.retain(|&property| property != Property::EverySplit);
    }
    recorder.checks(properties);
    recorder.note(&trace::trace(&mut *run.decoder(), case));
    let (name, bytes) = ("replayed", case.stream.len());
    let checked = run.check_case(case);
    if let Some(error) = run.driver.borrow().misuse() {
        return Err(error);
    }
    match checked.map_err(|violation| run.advised(violation)) {
        // A driver that is being ended is not evidence.
        _ if stop::requested() => {}
        Ok(()) => {
            let len = count(bytes as u64, "byte");
            recorder.held(name, bytes, format!("{len}, split {}", case.split));
        }
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

/// Evaluates an expression with the harness of the driver's decoder, in which it or its caller
/// owns the buffer.
macro_rules! on_decoder {
    ($run:ident, $stream:expr, |$harness:ident| $body:expr) => {{
        $run.driver.borrow_mut().reset($stream);
        let run = $run.clone();
        if $run.is_caller_buffered {
            let make =
                move || CallerBufferedDecoder::new(&run.driver, run.expectation.comparison());
            let $harness = $run.configure(Harness::decoder(make));
            $body
        } else {
            let make = move || DriverDecoder::new(&run.driver, run.expectation.comparison());
            let $harness = $run.configure(Harness::framer(make));
            $body
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
    /// Whether the decoder's caller owns the buffer.
    is_caller_buffered: bool,
    expectation: Expectation,
    /// The decoder's configuration, without what is declared.
    config: String,
}

impl DecoderRun {
    fn start(options: &ExecOptions, longest: usize) -> Result<Self, Error> {
        let expectation = Expectation::new(options.streams.framing, &options.declared);
        let config = config_text(options);
        let driver = Driver::start(DriverSettings {
            command: options.driver.clone(),
            config: expectation.configure(&config),
            timeout: options.timeout,
            max_memory: options.max_memory,
            // A frame has at least one byte.
            max_frames: longest.max(MAX_FRAMES),
        })?;
        Ok(Self {
            max_feeds: options.max_feeds,
            max_cuts: options.max_cuts,
            seed: options.seed,
            is_caller_buffered: driver.is_caller_buffered(),
            driver: Rc::new(RefCell::new(driver)),
            expectation,
            config,
        })
    }

    /// Makes the decoder that the driver has, with a buffer if it needs one.
    fn decoder(&self) -> Box<dyn Subject<Frame = DriverFrame, Error = DecoderError>> {
        let comparison = self.expectation.comparison();
        if self.is_caller_buffered {
            let decoder = CallerBufferedDecoder::new(&self.driver, comparison);
            Box::new(Buffered::new(decoder))
        } else {
            Box::new(DriverDecoder::new(&self.driver, comparison))
        }
    }

    /// Adds the expectation, and how much is done.
    fn configure<T>(&self, harness: Harness<T>) -> Harness<T, impl Specification<T> + use<T>>
    where
        T: Door<Frame = DriverFrame, Error = DecoderError>,
    {
        let driver = Rc::clone(&self.driver);
        let harness = harness
            .declare(self.expectation.declared())
            // The number of feeds decides which streams are proved.
            .max_work(u64::MAX)
            .minimize_while(move || driver.borrow_mut().may_minimize());
        let harness = match self.expectation.framing() {
            Some(framing) => harness.edges(move |stream| framing.edges(stream)),
            None => harness,
        };
        let expectation = self.expectation.clone();
        harness.oracle(move |stream: &[u8]| expectation.of(stream))
    }

    /// Checks a stream, also in the split in which it was captured. Returns what was tried.
    fn check_captured(&self, stream: &[u8], segments: Option<&Split>) -> Result<String, Violation> {
        let check = || {
            let mut tried = self.check(stream)?.to_string();
            if let Some(split) = segments {
                self.check_case(&Case::new(stream, split.clone()))?;
                let segments = count(split.cuts().len() as u64 + 1, "segment");
                let _ = write!(tried, "; also in its {segments}, as captured");
            }
            Ok(tried)
        };
        check().map_err(|violation| self.advised(violation))
    }

    /// Checks a stream as thoroughly as the driver and the maximum number of feeds allow.
    fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        on_decoder!(self, stream, |harness| {
            self.check_with(stream, &harness, |harness| harness.check(stream))
        })
    }

    fn check_with<T, O>(
        &self,
        stream: &[u8],
        harness: &Harness<T, O>,
        prove: impl Fn(&Harness<T, O>) -> Result<Certificate, Violation>,
    ) -> Result<Certificate, Violation>
    where
        T: Door<Frame = DriverFrame, Error = DecoderError>,
        O: Oracle<T>,
    {
        let (len, max_feeds) = (stream.len() as u64, self.max_feeds);
        let feeds = if self.is_caller_buffered {
            calls_of_proof(harness.expected(stream), len)
        } else {
            len * (len + 1) / 2
        };
        if feeds > max_feeds {
            let samples = samples(len, max_feeds);
            let certificate = harness.sampled(stream, self.seed, samples)?;
            if feeds_byte_by_byte(len) <= max_feeds {
                harness.one_split(&Case::new(stream, Split::bytes(stream.len())))?;
            }
            return Ok(certificate);
        }
        if self.driver.borrow().has_states() {
            prove(harness)
        } else {
            harness.bounded(stream, self.max_cuts)
        }
    }

    /// Checks one split.
    fn check_case(&self, case: &Case) -> Result<(), Violation> {
        on_decoder!(self, &case.stream, |harness| harness.one_split(case))
    }

    /// Adds the declarations to a violation of which each makes this split of it correct.
    fn advised(&self, mut violation: Violation) -> Violation {
        if violation.property == Property::Progress {
            return violation;
        }
        let is_rejected = self.is_rejected(&violation);
        for deviation in self.expectation.not_declared() {
            if stop::requested() || self.driver.borrow().misuse().is_some() {
                break;
            }
            // Without an error, the decoder has nothing to go on after.
            let is_at_stake = deviation != Deviation::Resynchronises || is_rejected;
            if !is_at_stake || violation.declare.contains(&deviation) {
                continue;
            }
            let declared = Self {
                expectation: self.expectation.with(deviation),
                ..self.clone()
            };
            if declared.explains(&violation) {
                violation.declare.push(deviation);
            }
        }
        violation
    }

    /// Returns whether the stream of a violation is rejected.
    fn is_rejected(&self, violation: &Violation) -> bool {
        let stream = &violation.case.stream;
        let expected = on_decoder!(self, stream, |harness| harness.expected(stream));
        expected.is_some_and(|expected| matches!(expected.outcome, Outcome::Rejected { .. }))
    }

    /// Returns whether the split of a violation holds in this run, of which one declaration is new.
    fn explains(&self, violation: &Violation) -> bool {
        let configure = |config| self.driver.borrow_mut().configure(config);
        let before = configure(self.expectation.configure(&self.config));
        let case = &violation.case;
        let holds = self.check_case(case).is_ok();
        let is_at_stake = !self.expectation.resynchronises() || self.rejects(&case.stream);
        configure(before);
        holds && is_at_stake
    }

    /// Returns whether the decoder goes on after an error in a stream.
    fn rejects(&self, stream: &[u8]) -> bool {
        let expected = on_decoder!(self, stream, |harness| harness.expected(stream));
        let frames = expected.map_or(Vec::new(), |expected| expected.frames);
        let is_rejection = |frame: &DriverFrame| matches!(frame, DriverFrame::Rejection(_));
        frames.iter().any(|(_, frame)| is_rejection(frame))
    }

    /// Draws the splits of a violation's stream, if it is not too long.
    fn map(&self, violation: &Violation) -> Option<SplitMap> {
        let stream = &violation.case.stream;
        if !(2..=MAX_MAP).contains(&stream.len()) || stop::requested() {
            return None;
        }
        Some(on_decoder!(self, stream, |harness| harness.split_map(stream)))
    }

    /// Returns the properties that are checked on a stream.
    fn properties(&self, stream: &[u8]) -> Vec<Property> {
        let mut properties = vec![Property::EmptyChunk, Property::Progress];
        if stream.len() > 1 {
            properties.push(Property::EverySplit);
        }
        let Some(expected) = on_decoder!(self, stream, |harness| harness.expected(stream)) else {
            return properties;
        };
        if matches!(expected.outcome, Outcome::Rejected { .. }) && !self.expectation.caller_stops()
        {
            properties.push(Property::Poisoned);
        }
        // The decoder itself does not know whether it is late, or should have rejected anything.
        let Some(framing) = self.expectation.judges(stream) else {
            return properties;
        };
        if !expected.frames.is_empty() {
            properties.extend([Property::Prompt, Property::RoundTrip]);
        }
        let is_over_limit = framing.is_over_limit(stream);
        // A decoder that goes on after a body over the limit is not held to the limit.
        let has_limit = !self.expectation.resynchronises();
        if has_limit && (is_over_limit || framing.has_body_at_limit(stream)) {
            properties.push(Property::Limit);
        }
        match expected.outcome {
            Outcome::Clean => {}
            Outcome::Truncated(_) => properties.push(Property::Truncation),
            Outcome::Rejected { .. } if is_over_limit => {}
            Outcome::Rejected { .. } => properties.push(Property::Rejection),
        }
        properties
    }
}

/// Returns the number of calls that a proof of a decoder takes whose caller owns the buffer: from
/// the end of each frame, one for each number of bytes that can have arrived.
fn calls_of_proof(expected: Option<Expected<DriverFrame, DecoderError>>, len: u64) -> u64 {
    let frames = expected.map_or(Vec::new(), |expected| expected.frames);
    let ends = frames
        .iter()
        .map(|&(end, _)| len - (end as u64).min(len) + 1);
    len + ends.sum::<u64>()
}

/// Returns the number of splits that are sampled of a stream with this length, which is not 0.
fn samples(len: u64, max_feeds: u64) -> u64 {
    (max_feeds / FEEDS_PER_SAMPLE)
        .min(MAX_SAMPLED_BYTES / (3 * len))
        .clamp(MIN_SAMPLES, MAX_SAMPLES)
}

/// Returns the decoder's configuration as the protocol has it.
fn config_text(options: &ExecOptions) -> String {
    let framing = options.streams.framing;
    let limit = framing.and_then(|framing| framing.size_limit);
    let limit = limit.map_or(String::new(), |limit| format!(" max={limit}"));
    limit + &config_words(&options.config)
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn feeds_and_bytes_bound_the_samples() {
        for (len, max_feeds, expected) in [
            (100, 100, 4),
            (100, 3000, 107),
            (100, 1_000_000, 1000),
            (30_000, 1_000_000, 745),
            (10_000_000, 1_000_000, 4),
        ] {
            assert_eq!(samples(len, max_feeds), expected, "{len} {max_feeds}");
        }
    }
}
