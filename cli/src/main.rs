//! The command `everysplit`: puts framers in any language under test. What is asked
//! and how it is judged is the library's.

mod args;
mod driver;
mod exec;
mod format;
mod process;
mod queues;
mod report;
mod serve;
mod stop;
mod streams;
mod tcp;
mod vectors;
mod wire;

use std::process::ExitCode;

use args::{Args, Command, Replay, Under};
use clap::Parser;
use clap::error::ErrorKind;

/// A command line with nothing on it is answered with help too.
const BARE: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

/// Why there is no verdict: one line that says what is wrong and what to do.
type Cannot = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        // Help that was asked for is no error.
        Err(help) if !help.use_stderr() || help.kind() == BARE => help.exit(),
        Err(error) => return cannot(&said(&error)),
    };
    match run(args.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => cannot(&error.to_string()),
    }
}

fn run(command: Command) -> Result<bool, Cannot> {
    // Who serves has nothing to tell at its end.
    if !matches!(command, Command::Serve(_)) {
        stop::listen()?;
    }
    match command {
        Command::Exec(exec) => exec::run(&exec),
        Command::Tcp(tcp) => tcp::run(&tcp),
        Command::Serve(serve) => serve::run(&serve),
        Command::Vectors(streams) => vectors::run(&streams),
        Command::Replay(Replay { token, of }) => {
            let len = token.stream.len();
            if token.split.cuts().last().is_some_and(|&cut| cut >= len) {
                return Err(format!("{token} is cut behind its {len} bytes").into());
            }
            match of {
                Under::Exec(exec) => exec::replay(&token, &exec),
                Under::Tcp(tcp) => tcp::replay(&token, &tcp),
            }
        }
    }
}

fn cannot(why: &str) -> ExitCode {
    eprintln!("everysplit: {why}");
    ExitCode::from(2)
}

/// Says in one line what is wrong with the command line.
fn said(error: &clap::Error) -> String {
    let text = error.to_string();
    let what = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = what.split_whitespace().collect();
    let what = words.join(" ");
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    format!("{what}; --help tells what there is")
}
