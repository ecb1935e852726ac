//! `everysplit proxy`: between a client and a server, forwards both directions in other chunks.
//!
//! A relay accepts the connections and forwards them; a plan says where their streams are cut.
//! With a test command, the suite runs it with many plans, and reduces the cuts with which it
//! fails.

mod connection;
mod cuts;
mod flow;
mod log;
mod plan;
mod reduce;
mod relay;
mod suite;
mod test_command;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::options::{ProxyOptions, default};
use crate::output::{print_error, print_line};
use crate::{Error, stop};
use cuts::Cuts;
use log::{Kept, Traffic};
use plan::Plan;
use relay::Relay;
use suite::Suite;

/// Maximum time until a request to stop is seen.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the proxy. Returns whether a test command always passes; without one, `true`.
pub(crate) fn run(options: &ProxyOptions) -> Result<bool, Error> {
    let replayed = match &options.replay {
        Some(file) => Some((read_cuts(file)?, file)),
        None => None,
    };
    let relay = Relay::listen(&options.listen, &options.to, options.max_wait)?;
    if options.command.is_empty() {
        if let Some(time) = options.max_time {
            stop::after(time);
        }
        let plan = match replayed {
            Some((cuts, _)) => Plan::Exact(cuts),
            None => Plan::Seed {
                seed: options.seed,
                max_cuts: options.max_cuts,
            },
        };
        return forward(relay, plan, options).map(|()| true);
    }
    stop::after(options.max_time.unwrap_or(default::MAX_TIME));
    let mut suite = Suite::new(relay, options)?;
    let held = match replayed {
        Some((cuts, file)) => suite.replay(cuts, file),
        None => suite.search(),
    };
    let written = suite.write_report(held.as_ref().err());
    match (held, written) {
        // A violation is one all the same.
        (Ok(false), Err(error)) => {
            print_error(&error.to_string());
            Ok(false)
        }
        (Ok(_), Err(error)) => Err(error),
        (held, _) => held,
    }
}

/// Forwards until a request to stop, and prints what passed through.
fn forward(mut relay: Relay, plan: Plan, options: &ProxyOptions) -> Result<(), Error> {
    let cut = match &plan {
        Plan::Seed { seed, .. } => format!("cut by seed {seed}"),
        Plan::Exact(cuts) => format!("with {} cuts of a file", cuts.len()),
        Plan::Uncut => "uncut".into(),
    };
    print_line(&format!(
        "listening on {}, to {}, {cut}; Ctrl-C ends it",
        relay.address(),
        options.to
    ))?;
    relay.restart(plan, Kept::Numbers);
    let begun = Instant::now();
    while !stop::requested() {
        relay.turn(STOP_INTERVAL)?;
        let Traffic {
            connections,
            refused,
            ..
        } = relay.log.traffic;
        if refused > 0 && refused == connections {
            break;
        }
    }
    let traffic = &relay.log.traffic;
    let time = begun.elapsed().as_secs_f64();
    match &traffic.refusal {
        Some(refusal) if traffic.bytes() == 0 => Err(format!(
            "cannot connect to {}: {refusal}; start the server, or check --to",
            options.to
        )
        .into()),
        Some(refusal) => {
            print_line(&format!("{traffic}; in {time:.1} s"))?;
            Err(format!(
                "the server refused {} of {} connections: {refusal}",
                traffic.refused, traffic.connections
            )
            .into())
        }
        None => {
            print_line(&format!("{traffic}; in {time:.1} s"))?;
            Ok(())
        }
    }
}

fn read_cuts(file: &Path) -> Result<Cuts, Error> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| format!("cannot read the replay file {name}: {error}"))?;
    text.parse()
        .map_err(|error| format!("cannot parse the replay file {name}: {error}").into())
}
