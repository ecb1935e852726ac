//! The command `everysplit`: tests decoders in any language, servers and clients.
//!
//! It goes one way: [`args`] declares the command line, [`options`] holds it typed, a run
//! ([`exec`], [`tcp`]) records its verdicts in a [`report`] model, and writers print the model.

mod args;
mod driver;
mod exec;
mod framing;
mod options;
mod process;
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

use args::Arguments;
use options::{Command, ReplayOptions, Tested};
use report::Recorder;

/// Why there is no verdict: what is wrong, where, and what to do about it.
type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    // Usage errors and help are printed by clap, which exits with status 2 or 0.
    let arguments = Arguments::parse();
    match Command::try_from(arguments).and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("everysplit: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether everything held.
fn run(command: Command) -> Result<bool, Error> {
    // The server of `serve` has nothing to report: Ctrl-C ends it at once.
    if !matches!(command, Command::Serve(_)) {
        stop::listen()?;
    }
    match command {
        Command::Exec(options) => {
            let mut recorder = Recorder::start(&options.report, &Tested::Exec(options.clone()))?;
            let ending = exec::run(&options, &mut recorder)?;
            report::write(&recorder.finish(ending), &options.report)
        }
        Command::Tcp(options) => {
            let mut recorder = Recorder::start(&options.report, &Tested::Tcp(options.clone()))?;
            let ending = tcp::run(&options, &mut recorder)?;
            report::write(&recorder.finish(ending), &options.report)
        }
        Command::Replay(ReplayOptions { case, tested }) => {
            let mut report = tested.report().clone();
            // The list names streams of the original run.
            report.known = None;
            let mut recorder = Recorder::start(&report, &tested)?;
            let ending = match &tested {
                Tested::Exec(options) => exec::replay(&case, options, &mut recorder)?,
                Tested::Tcp(options) => tcp::replay(&case, options, &mut recorder)?,
            };
            report::write(&recorder.finish(ending), &report)
        }
        Command::Serve(options) => serve::run(&options).map(|()| true),
        Command::Vectors(options) => vectors::run(&options).map(|()| true),
    }
}
