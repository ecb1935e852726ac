//! The command `everysplit`: tests decoders in any language, servers and clients.
//!
//! It goes one way: `args` declares the command line, `options` holds it typed, a run (`exec` or
//! `tcp`) records its verdicts in a result (`report::model`), and writers print the result.

mod address;
mod args;
mod driver;
mod exec;
mod framing;
mod options;
mod process;
#[cfg(unix)]
mod proxy;
#[cfg(not(unix))]
#[path = "proxy/unsupported.rs"]
mod proxy;
mod queues;
mod report;
mod serve;
mod stop;
mod streams;
mod tcp;
mod text;
mod vectors;

use std::process::ExitCode;

use clap::Parser;
use everysplit::Case;

use args::Arguments;
use options::{Options, ReplayOptions, Tested};
use report::Recorder;

/// Why there is no verdict: what is wrong, where, and what to do about it.
type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    // Usage errors and help are printed by clap, which exits with status 2 or 0.
    let arguments = Arguments::parse();
    match Options::try_from(arguments).and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("everysplit: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether everything held.
fn run(options: Options) -> Result<bool, Error> {
    // The server of `serve` has nothing to report: Ctrl-C ends it at once.
    if !matches!(options, Options::Serve(_)) {
        stop::listen()?;
    }
    match options {
        Options::Run(tested) => report(&tested, None),
        Options::Replay(ReplayOptions { case, tested }) => report(&tested, Some(&case)),
        Options::Proxy(options) => proxy::run(&options),
        Options::Serve(options) => serve::run(&options).map(|()| true),
        Options::Vectors(options) => vectors::run(&options).map(|()| true),
    }
}

/// Runs all checks, or tries only one case, and writes the result.
fn report(tested: &Tested, case: Option<&Case>) -> Result<bool, Error> {
    let mut options = tested.report().clone();
    if case.is_some() {
        // The known violations are those of the streams of a run.
        options.known = None;
    }
    let mut recorder = Recorder::start(&options, tested)?;
    let ending = match (tested, case) {
        (Tested::Exec(options), None) => exec::run(options, &mut recorder)?,
        (Tested::Exec(options), Some(case)) => exec::replay(case, options, &mut recorder)?,
        (Tested::Tcp(options), None) => tcp::run(options, &mut recorder)?,
        (Tested::Tcp(options), Some(case)) => tcp::replay(case, options, &mut recorder)?,
    };
    report::write(&recorder.finish(ending), &options)
}
