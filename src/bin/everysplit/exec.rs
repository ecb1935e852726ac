//! `everysplit exec`: asks a decoder in a driver, stream by stream, and tells what came
//! of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use everysplit::Subject;
use everysplit::check::{self, Certificate, Expected, Harness, SplitMap, Violation};

use indicatif::ProgressBar;

use crate::Cannot;
use crate::args::Exec;
use crate::driver::{Driver, Drivers, Errors, Session, State};
use crate::streams::{self, ERROR, Stream};

/// The longest stream of which a split map is drawn.
const MAP: usize = 46;

type Oracle = Rc<dyn Fn(&[u8]) -> Expected<String, String>>;

/// Returns whether everything held.
pub(crate) fn run(exec: &Exec) -> Result<bool, Cannot> {
    let streams = streams::gather(&exec.streams)?;
    let limit = exec.streams.limit.map(|limit| format!(" max={limit}"));
    let config = exec.config.iter().map(|pair| format!(" {pair}"));
    let (drivers, fresh) = Drivers::start(Driver {
        command: exec.driver.clone(),
        config: limit.into_iter().chain(config).collect(),
        timeout: exec.timeout,
        memory: exec.memory,
    })?;
    let drivers = Rc::new(RefCell::new(drivers));
    let errors = match exec.streams.framing {
        Some(_) => Errors::As(ERROR),
        None => Errors::Kinds,
    };
    let session = || Session::new(&drivers, errors);
    let oracle: Oracle = if let Some(framing) = exec.streams.framing {
        let limit = exec.streams.limit;
        Rc::new(move |stream: &[u8]| streams::parse(framing, limit, stream))
    } else {
        let drivers = Rc::clone(&drivers);
        Rc::new(check::itself(move || Session::new(&drivers, errors)))
    };
    if let Some(fresh) = fresh {
        let harness = Harness::new(|| State::new(&drivers, errors, &fresh), &*oracle);
        Ok(tell(&streams, &oracle, session, |stream| {
            drivers.borrow_mut().renew();
            harness.prove(stream)
        }))
    } else {
        println!("the driver cannot save and load: some splits are tried, and nothing is proved");
        let harness = Harness::new(session, &*oracle);
        Ok(tell(&streams, &oracle, session, |stream| {
            drivers.borrow_mut().renew();
            harness.bounded(stream, exec.cuts)
        }))
    }
}

/// Asks of each stream, and tells what came of it as it comes.
fn tell<S>(
    streams: &[Stream],
    oracle: &Oracle,
    make: impl Fn() -> S,
    ask: impl Fn(&[u8]) -> Result<Certificate, Violation>,
) -> bool
where
    S: Subject<Frame = String, Error = String>,
{
    let mut violations: Vec<Violation> = Vec::new();
    let bar = ProgressBar::new(streams.len() as u64);
    bar.enable_steady_tick(Duration::from_millis(200));
    for Stream { name, bytes } in streams {
        let verdict = ask(bytes);
        bar.inc(1);
        bar.suspend(|| match verdict {
            Ok(certificate) => println!("ok   {name}: {certificate}"),
            Err(violation) => {
                println!("FAIL {name}: {}", violation.property.name());
                violations.push(violation);
            }
        });
    }
    bar.finish_and_clear();
    // The smallest of each property.
    violations.sort_by_key(|violation| violation.case.stream.len());
    let mut told = Vec::new();
    for violation in &violations {
        if told.contains(&violation.property) {
            continue;
        }
        told.push(violation.property);
        println!("\n{violation}");
        let stream = &violation.case.stream;
        if stream.len() > 1 && stream.len() <= MAP {
            let map = SplitMap::new(&make, stream, &oracle(stream), &violation.edges);
            println!("\n{map}");
        }
    }
    println!("\n{} streams, {} violated", streams.len(), violations.len());
    violations.is_empty()
}
