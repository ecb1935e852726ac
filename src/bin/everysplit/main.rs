//! The command `everysplit`: puts framers in any language under test. What is asked
//! and how it is judged is the library's.

mod args;
mod driver;
mod exec;
mod queues;
mod streams;
mod tail;
mod tcp;

use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;

/// Why there is no verdict: one line that says what is wrong and what to do.
type Cannot = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let Args { command } = Args::parse();
    let held = match command {
        Command::Exec(exec) => exec::run(&exec),
        Command::Tcp(tcp) => tcp::run(&tcp),
    };
    match held {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(cannot) => {
            eprintln!("everysplit: {cannot}");
            ExitCode::from(2)
        }
    }
}
