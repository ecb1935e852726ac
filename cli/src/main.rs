//! The command `everysplit`: tests decoders in any language, servers and clients.
//!
//! It goes one way: `args` declares the command line, `options` holds it typed, a run (`exec` or
//! `tcp`) records its verdicts in a result (`report::model`), and writers print the result.

mod about;
mod address;
mod args;
mod capture;
mod driver;
mod drivers;
mod exec;
mod framing;
mod http;
mod options;
mod output;
mod pcap;
mod process;
#[cfg(unix)]
mod proxy;
#[cfg(not(unix))]
#[path = "proxy/unsupported.rs"]
mod proxy;
mod queues;
mod report;
mod runner;
mod script;
mod serve;
mod stop;
mod streams;
#[cfg(target_os = "linux")]
mod supervisor;
mod tcp;
mod text;
mod tls;
mod vectors;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;
use options::{Options, ReplayOptions};

/// Why there is no verdict: what is wrong, where, and what to do about it.
type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    // Usage errors and help are printed by clap, which exits with status 2 or 0.
    let arguments = Arguments::parse();
    match Options::try_from(arguments).and_then(run) {
        Ok(status) => status,
        Err(error) => {
            output::print_error(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn run(options: Options) -> Result<ExitCode, Error> {
    #[cfg(target_os = "linux")]
    if options.starts_programs()
        && let Some(status) = supervisor::supervise()
    {
        return Ok(status);
    }
    let held = match options {
        Options::Run(tested) => runner::run(&tested, None)?,
        Options::Replay(ReplayOptions { case, tested }) => runner::run(&tested, Some(case))?,
        Options::Proxy(options) => {
            stop::listen()?;
            let held = proxy::run(&options);
            process::end_all();
            held?
        }
        // Ctrl-C ends the server at once, as it has nothing to report.
        Options::Serve(options) => serve::run(&options).map(|()| true)?,
        Options::Vectors(options) => vectors::run(&options).map(|()| true)?,
        Options::Driver(name) => drivers::print(&name).map(|()| true)?,
        Options::DriverList => drivers::list().map(|()| true)?,
        Options::DriverCheck(options) => {
            let keeps_all = driver::check::run(&options);
            process::end_all();
            keeps_all?
        }
        Options::Protocol => drivers::print_protocol().map(|()| true)?,
        Options::Completions(shell) => about::completions(shell).map(|()| true)?,
        Options::Man(verb) => about::manual(verb.as_deref()).map(|()| true)?,
        Options::Merge(options) => report::merge::run(&options)?,
        Options::Pcap(options) => pcap::run(&options).map(|()| true)?,
    };
    Ok(ExitCode::from(u8::from(!held)))
}
