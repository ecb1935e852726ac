//! Runs a test in a thread, so that a request to stop ends it whatever it waits for.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use everysplit::Case;

use crate::options::{Output, ReportOptions, Tested};
use crate::output::{print_error, print_line};
use crate::report::{self, Ending, Recorder, ResultSoFar};
use crate::streams::NamedStream;
use crate::text::count;
use crate::{Error, exec, process, stop, tcp};

/// Time between looks at the requests to stop.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum time for a run to end by itself after a request, and then for its result to be written.
const GRACE: Duration = Duration::from_secs(2);
/// The stack of the thread, as large as that of a main thread.
const STACK: usize = 8 * 1024 * 1024;

/// Runs all checks, or tries only one case, and writes the result. Returns whether everything
/// held.
pub(crate) fn run(tested: &Tested, case: Option<Case>) -> Result<bool, Error> {
    stop::listen()?;
    stop::after(tested.max_time());
    if case.is_some()
        && let Some(option) = tested.option_for_streams()
    {
        return Err(
            format!("replay tries the stream of its token only; leave out {option}").into(),
        );
    }
    let options = tested.report().clone();
    let so_far = ResultSoFar::start(tested, &options);
    let run = {
        let (tested, options, so_far) = (tested.clone(), options.clone(), so_far.clone());
        in_thread(move || check(&tested, case.as_ref(), &options, &so_far))?
    };
    if let Some(result) = wait(&run) {
        process::end_all();
        return result;
    }
    let result = stop_now(so_far, options);
    process::end_all();
    result
}

/// Checks everything, and writes the result.
fn check(
    tested: &Tested,
    case: Option<&Case>,
    options: &ReportOptions,
    so_far: &ResultSoFar,
) -> Result<bool, Error> {
    if options.output == Output::List {
        return list(tested).map(|()| true);
    }
    let mut recorder = Recorder::start(options, tested, so_far.clone())?;
    let ending = match (tested, case) {
        (Tested::Exec(options), None) => exec::run(options, &mut recorder),
        (Tested::Exec(options), Some(case)) => exec::replay(case, options, &mut recorder),
        (Tested::Tcp(options), None) => tcp::run(options, &mut recorder),
        (Tested::Tcp(options), Some(case)) => tcp::replay(case, options, &mut recorder),
    };
    let ending = ending.unwrap_or_else(|error| Ending::failed(&error));
    match recorder.finish(ending) {
        Some(result) => report::write(&result, so_far, options),
        // The run was too slow to stop, and its result is being written.
        None => loop {
            thread::park();
        },
    }
}

/// Prints the streams.
fn list(tested: &Tested) -> Result<(), Error> {
    let (streams, hostile) = match tested {
        Tested::Exec(options) => (exec::load(options)?, Vec::new()),
        Tested::Tcp(options) => {
            let streams = tcp::load(options)?;
            let hostile = tcp::list_hostile(options, &streams);
            (streams, hostile)
        }
    };
    for NamedStream { name, bytes, .. } in streams {
        print_line(&format!("{name}: {}", count(bytes.len() as u64, "byte")))?;
    }
    for line in hostile {
        print_line(&line)?;
    }
    Ok(())
}

/// Writes the result of a run that goes on although it must stop.
fn stop_now(so_far: ResultSoFar, options: ReportOptions) -> Result<bool, Error> {
    let reason = stop::reason().unwrap_or("interrupted");
    let Some(mut result) = so_far.take() else {
        let message = format!("{reason}, while the result was being written");
        return not_written(so_far.is_violated(), message);
    };
    result.end(Ending {
        covered: so_far.progress(),
        stopped: Some(reason.into()),
    });
    let is_violated = result.is_violated();
    let writer = in_thread(move || report::write(&result, &so_far, &options))?;
    wait(&writer).unwrap_or_else(|| {
        let message = format!("{reason}, and the result could not be written in time");
        not_written(is_violated, message)
    })
}

/// Returns the status of a run whose result is not completely written.
fn not_written(is_violated: bool, message: String) -> Result<bool, Error> {
    if !is_violated {
        return Err(message.into());
    }
    print_error(&message);
    Ok(false)
}

/// What a thread returns.
type Returned = Result<bool, String>;

fn in_thread(
    run: impl FnOnce() -> Result<bool, Error> + Send + 'static,
) -> Result<mpsc::Receiver<Returned>, Error> {
    let (sender, returned) = mpsc::channel();
    let thread = thread::Builder::new().stack_size(STACK);
    thread.spawn(move || {
        let _ = sender.send(run().map_err(|error| error.to_string()));
    })?;
    Ok(returned)
}

/// Waits for a thread. Returns `None` if it is not over `GRACE` after it began and a stop was
/// requested.
fn wait(returned: &mpsc::Receiver<Returned>) -> Option<Result<bool, Error>> {
    let mut requested: Option<Instant> = None;
    loop {
        match returned.recv_timeout(POLL_INTERVAL) {
            Ok(returned) => return Some(returned.map_err(Into::into)),
            Err(RecvTimeoutError::Disconnected) => {
                return Some(Err("the run ended by a panic".into()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if stop::requested() && requested.get_or_insert_with(Instant::now).elapsed() > GRACE {
            return None;
        }
    }
}
