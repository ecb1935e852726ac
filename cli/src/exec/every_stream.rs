//! `everysplit exec --every-stream`: all streams of a format up to a length, each in every split.

use std::time::{Duration, Instant};

use everysplit::subject::Buffered;
use everysplit::{Deviation, EveryStream, Harness, Property, Violation};

use super::DecoderRun;
use crate::driver::{CallerBufferedDecoder, DriverDecoder};
use crate::options::ExecOptions;
use crate::report::{Ending, Recorder};
use crate::text::{count, pace};
use crate::{Error, stop};

/// The name of all streams in verdicts and reports.
const NAME: &str = "every stream";

/// The shortest time from which the next step is estimated, in seconds.
const MIN_TIME: f64 = 0.01;

/// Proves short streams first, then longer ones, as far as the maximum time allows.
pub(super) fn run(
    options: &ExecOptions,
    longest: usize,
    recorder: &mut Recorder,
) -> Result<Ending, Error> {
    let run = DecoderRun::start(options, longest)?;
    if !run.driver.borrow().has_states() {
        return Err("the driver saves no states, and --every-stream compares them".into());
    }
    recorder.expects(1);
    let begun = Instant::now();
    let mut proved: Option<EveryStream> = None;
    let mut cut_short = String::new();
    let (mut len, mut took) = (1, Duration::ZERO);
    loop {
        recorder.progress(format!(
            "every stream of up to {}",
            count(len as u64, "byte")
        ));
        let step = Instant::now();
        let result = run.every_stream(len);
        // A driver that is being ended is not evidence.
        if stop::requested() {
            break;
        }
        if let Some(error) = run.driver.borrow().misuse() {
            return Err(error);
        }
        let before = std::mem::replace(&mut took, step.elapsed());
        match result {
            Ok(every) => {
                let is_over = len == longest || every.not_proved.is_some();
                proved = Some(every);
                if is_over {
                    break;
                }
            }
            Err(violation) => {
                recorder.checks(properties(&run, None));
                let bytes = violation.case.stream.len();
                recorder.violated(NAME, bytes, run.advised(violation), None);
                recorder.progress("split maps");
                recorder.draw_maps(|violation| run.map(violation));
                return Ok(ending(&run, begun));
            }
        }
        // The next step is half as long again, and the time grows exponentially.
        let factor = took.as_secs_f64() / before.as_secs_f64().max(MIN_TIME);
        let next = took.as_secs_f64() * factor.max(1.0).powf(1.5);
        let left = options.max_time.saturating_sub(begun.elapsed());
        len = longest.min(len + 1 + len / 2);
        if next > left.as_secs_f64() {
            cut_short = format!("; no longer ones: up to {len} bytes need more than --max-time");
            break;
        }
    }
    match proved {
        Some(every) if every.longest == 0 => return Err(every.to_string().into()),
        Some(every) => {
            recorder.checks(properties(&run, Some(&every)));
            recorder.held(NAME, every.longest, format!("{every}{cut_short}"));
        }
        None => {}
    }
    Ok(ending(&run, begun))
}

/// Returns what such a proof checks.
fn properties(run: &DecoderRun, proved: Option<&EveryStream>) -> Vec<Property> {
    let mut properties = vec![Property::Prompt, Property::EmptyChunk, Property::Progress];
    if proved.is_none_or(|proved| proved.longest > 1) {
        properties.push(Property::EverySplit);
    }
    let declared = run.expectation.declared();
    if !declared.contains(&Deviation::DiscardsAtEnd) {
        properties.push(Property::Truncation);
    }
    if proved.is_some_and(|proved| proved.after_errors) {
        properties.push(Property::Poisoned);
    }
    properties
}

fn ending(run: &DecoderRun, begun: Instant) -> Ending {
    let feeds = run.driver.borrow().feeds();
    Ending {
        covered: format!("{} {}", count(feeds, "feed"), pace(feeds, begun.elapsed())),
        stopped: stop::reason().map(Into::into),
    }
}

impl DecoderRun {
    /// Proves all streams of up to `longest` bytes.
    fn every_stream(&self, longest: usize) -> Result<EveryStream, Violation> {
        self.driver.borrow_mut().reset_for_any_stream();
        let run = self.clone();
        let comparison = run.expectation.comparison();
        if self.is_caller_buffered {
            let make = move || Buffered::new(CallerBufferedDecoder::new(&run.driver, comparison));
            self.configure(Harness::framer(make)).every_stream(longest)
        } else {
            let make = move || DriverDecoder::new(&run.driver, comparison);
            self.configure(Harness::framer(make)).every_stream(longest)
        }
    }
}
