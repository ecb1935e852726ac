//! `everysplit driver --check`: tests whether a driver keeps to the protocol.

use std::thread;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::reply::DriverReply;
use super::running::{Limits, RunningDriver};
use super::{advice, call_request, hex_word};
use crate::options::{DriverCheckOptions, config_words, default};
use crate::output::print_line;
use crate::text::{count, one_line};
use crate::{Error, stop};

/// Maximum number of frames in a reply.
const MAX_FRAMES: usize = 100_000;
/// Maximum time for the driver to exit at the end of stdin.
const EXIT_TIME: Duration = Duration::from_secs(5);
/// Time between looks at whether it has.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A broken rule: what was expected, and what the driver did.
struct Broken(String);

/// Tests a driver, rule by rule. Prints a line for each, and returns whether it keeps to all.
pub(crate) fn run(options: &DriverCheckOptions) -> Result<bool, Error> {
    stop::listen()?;
    let rules: [(&str, Rule); 7] = [
        ("replies to hello 2 and new", greets),
        ("answers pipelined requests in order", is_in_order),
        ("takes an empty chunk", takes_nothing),
        ("repeats an error", repeats_errors),
        ("has rows that agree with its calls", rows_agree),
        ("replies once to each request", replies_once),
        ("exits at the end of stdin", exits),
    ];
    let mut keeps_all = true;
    let mut running = None;
    for (name, rule) in rules {
        let session = match running.take() {
            Some(session) => Ok(session),
            None => Session::start(options)?.greet(),
        };
        let checked = session.and_then(|mut session| Ok((rule(&mut session)?, session)));
        match checked {
            Ok((detail, session)) => {
                print_line(&format!("ok    {name}: {detail}"))?;
                running = Some(session);
            }
            // The next rule gets a new driver: this one may be out of step with the requests.
            Err(Broken(message)) => {
                keeps_all = false;
                print_line(&format!("FAIL  {name}: {message}"))?;
            }
        }
        if let Some(reason) = stop::reason() {
            return Err(reason.into());
        }
    }
    if !keeps_all {
        print_line("\n\"everysplit protocol\" prints the protocol")?;
    }
    Ok(keeps_all)
}

type Rule = fn(&mut Session<'_>) -> Result<String, Broken>;

/// A driver that is tested.
struct Session<'a> {
    options: &'a DriverCheckOptions,
    running: RunningDriver,
    is_caller_buffered: bool,
    /// The name of a fresh decoder's state, if the driver saves states.
    fresh: Option<String>,
}

impl<'a> Session<'a> {
    fn start(options: &'a DriverCheckOptions) -> Result<Self, Error> {
        let running = RunningDriver::start(&options.driver);
        Ok(Self {
            options,
            running: running.map_err(|failure| advice(&failure.to_string()))?,
            is_caller_buffered: false,
            fresh: None,
        })
    }

    /// Sends requests at once, and returns the replies.
    fn ask(&mut self, requests: &[String], count: usize) -> Result<Vec<DriverReply>, Broken> {
        let limits = limits(self.options.timeout);
        let mut replies = Vec::new();
        let text = requests.concat();
        let exchanged = self.running.exchange(text.clone(), count, limits, |reply| {
            replies.push(reply);
            Ok(())
        });
        exchanged.map_err(|failure| {
            let answered = count_of(&replies);
            let request = text.lines().nth(replies.len()).or(text.lines().last());
            let note = match failure {
                Failure::Ended => self.running.process.stderr_note(),
                _ => String::new(),
            };
            let request = one_line(request.unwrap_or_default());
            Broken(format!(
                "{failure}, in reply to \"{request}\", after {answered}{note}"
            ))
        })?;
        Ok(replies)
    }

    fn ask_one(&mut self, request: &str) -> Result<DriverReply, Broken> {
        let replies = self.ask(&[format!("{request}\n")], 1)?;
        Ok(replies.into_iter().next().unwrap_or_default())
    }

    fn greet(mut self) -> Result<Self, Broken> {
        let ready = self.ask_one("hello 2")?.ready;
        self.is_caller_buffered = match &*ready {
            "2" => false,
            "2 buffer" => true,
            other => {
                let other = one_line(other);
                return Err(Broken(format!(
                    "expected \"ready 2\" or \"ready 2 buffer\" in reply to \"hello 2\", not \"ready {other}\""
                )));
            }
        };
        self.fresh = self.make()?;
        Ok(self)
    }

    /// Makes a fresh decoder. Returns the name of its state.
    fn make(&mut self) -> Result<Option<String>, Broken> {
        let replies = self.ask(&[self.new_request()], 1)?;
        let reply = &replies[0];
        if reply.ready.contains(' ') {
            return Err(Broken(format!(
                "the name of a state is one word, not \"{}\"",
                one_line(&reply.ready)
            )));
        }
        Ok(reply.state(false).map(Into::into))
    }

    fn request(&self, input: &[u8]) -> String {
        call_request(self.is_caller_buffered, input)
    }

    fn new_request(&self) -> String {
        format!("new{}\n", config_words(&self.options.config))
    }

    /// Checks what a reply to a call says beside frames.
    fn check_call(&self, reply: &DriverReply, input: &[u8]) -> Result<(), Broken> {
        if !self.is_caller_buffered || reply.error.is_some() {
            return Ok(());
        }
        if reply.ends_several_frames() {
            return Err(Broken(Failure::SeveralFrames.to_string()));
        }
        let consumed = reply.consumed(input.len());
        consumed.map_err(|failure| Broken(failure.to_string()))?;
        Ok(())
    }
}

fn greets(session: &mut Session<'_>) -> Result<String, Broken> {
    let again = session.make()?;
    if again != session.fresh {
        return Err(Broken(format!(
            "two fresh decoders must be in one state, and are in {} and {}",
            state_name(session.fresh.as_deref()),
            state_name(again.as_deref())
        )));
    }
    let owner = if session.is_caller_buffered {
        "the caller owns the buffer"
    } else {
        "the decoder is fed"
    };
    let states = match session.fresh {
        Some(_) => "states are saved, so splits are proved",
        None => "states are not saved, so only some splits are tried",
    };
    Ok(format!("{owner}, {states}"))
}

fn is_in_order(session: &mut Session<'_>) -> Result<String, Broken> {
    let stream = &session.options.stream;
    let requests = [session.new_request(), session.request(stream)];
    let together = session.ask(&requests, 2)?;
    let mut apart = Vec::new();
    for request in &requests {
        apart.extend(session.ask(std::slice::from_ref(request), 1)?);
    }
    session.check_call(&apart[1], stream)?;
    if shown(&together[1]) != shown(&apart[1]) {
        return Err(differs("two requests at once", &together[1], &apart[1]));
    }
    Ok(count(apart[1].emitted.len() as u64, "frame"))
}

fn takes_nothing(session: &mut Session<'_>) -> Result<String, Broken> {
    let request = session.request(&[]);
    let replies = session.ask(&[session.new_request(), request], 2)?;
    session.check_call(&replies[1], &[])?;
    Ok(shown(&replies[1]))
}

fn repeats_errors(session: &mut Session<'_>) -> Result<String, Broken> {
    let stream = &session.options.stream;
    // Many streams that few formats allow: one of them is rejected.
    let invalid = [
        vec![0xff; 64],
        vec![0; 64],
        [stream.as_slice(), b"\xff\xff\xff\xff"].concat(),
    ];
    for stream in invalid {
        let again = if session.is_caller_buffered {
            session.request(&stream)
        } else {
            session.request(&[])
        };
        let requests = [session.new_request(), session.request(&stream), again];
        let replies = session.ask(&requests, 3)?;
        let [_, first, second] = &replies[..] else {
            continue;
        };
        if first.error.is_some() {
            if first.error != second.error || !second.emitted.is_empty() {
                return Err(differs("the call after an error", second, first));
            }
            return Ok(shown(second));
        }
    }
    Ok("no error was seen; give a stream that the decoder rejects with --hex".into())
}

fn rows_agree(session: &mut Session<'_>) -> Result<String, Broken> {
    let Some(fresh) = session.fresh.clone() else {
        return Ok("states are not saved".into());
    };
    let stream = session.options.stream.clone();
    let row = row(session, &fresh, &stream)?;
    for (length, reply) in row.iter().enumerate() {
        agrees(session, &[&stream[..length]], reply)?;
    }
    if session.is_caller_buffered {
        return Ok(count(row.len() as u64, "call"));
    }
    // From a state in the middle.
    let middle = stream.len() / 2;
    let Some(state) = row[middle].state(false).map(str::to_owned) else {
        return Ok(format!("the state after {middle} bytes is not saved"));
    };
    let second = self::row(session, &state, &stream[middle..])?;
    for (length, reply) in second.iter().enumerate() {
        let end = middle + length;
        agrees(session, &[&stream[..middle], &stream[middle..end]], reply)?;
    }
    Ok(count((row.len() + second.len()) as u64, "call"))
}

/// Requests a row.
fn row(session: &mut Session<'_>, state: &str, input: &[u8]) -> Result<Vec<DriverReply>, Broken> {
    let request = format!("row {state}{}\n", hex_word(input));
    let replies = session.ask(&[request], input.len() + 1)?;
    for (length, reply) in replies.iter().enumerate() {
        session.check_call(reply, &input[..length])?;
    }
    Ok(replies)
}

/// Checks that a reply of a row is that to the last of some calls.
fn agrees(session: &mut Session<'_>, inputs: &[&[u8]], of_row: &DriverReply) -> Result<(), Broken> {
    let mut requests = vec![session.new_request()];
    requests.extend(inputs.iter().map(|input| session.request(input)));
    let replies = session.ask(&requests, requests.len())?;
    let last = &replies[replies.len() - 1];
    if shown(last) == shown(of_row) {
        return Ok(());
    }
    let name = format!(
        "the row, {}",
        requests[1..].concat().trim_end().replace('\n', ", ")
    );
    Err(differs(&name, of_row, last))
}

/// Ends the session, as a surplus line is certain only after the last reply.
fn replies_once(session: &mut Session<'_>) -> Result<String, Broken> {
    let call = session.request(&session.options.stream);
    let requests = [session.new_request(), call, "finish\n".into()];
    let replies = session.ask(&requests, requests.len())?;
    session.check_call(&replies[2], &[])?;
    let surplus = session.running.surplus_line(limits(EXIT_TIME));
    match surplus.map_err(|failure| Broken(failure.to_string()))? {
        None => Ok("nothing follows the last reply".into()),
        Some(line) => Err(Broken(format!(
            "after its last reply, the driver wrote \"{}\"",
            one_line(&line)
        ))),
    }
}

fn exits(session: &mut Session<'_>) -> Result<String, Broken> {
    session.running.close();
    let deadline = Instant::now() + EXIT_TIME;
    loop {
        if let Some(status) = session.running.process.exit_status() {
            if status.success() {
                return Ok(status.to_string());
            }
            let note = session.running.process.stderr_note();
            return Err(Broken(format!("{status}{note}")));
        }
        if Instant::now() > deadline {
            return Err(Broken(format!("it runs on for {EXIT_TIME:?}")));
        }
        thread::sleep(POLL_INTERVAL);
    }
}

const fn limits(timeout: Duration) -> Limits {
    Limits {
        timeout,
        max_memory: default::MAX_MEMORY,
        max_frames: MAX_FRAMES,
    }
}

fn differs(name: &str, actual: &DriverReply, expected: &DriverReply) -> Broken {
    let (actual, expected) = (shown(actual), shown(expected));
    Broken(format!("{name}: expected {expected}, not {actual}"))
}

/// Returns what a decoder emitted, as text.
fn shown(reply: &DriverReply) -> String {
    let emitted = format!("{:?}", reply.emitted);
    match &reply.error {
        Some(kind) => format!("{emitted}, error {}", one_line(kind)),
        None => emitted,
    }
}

fn state_name(state: Option<&str>) -> String {
    state.map_or("no state".into(), |state| format!("{:?}", one_line(state)))
}

fn count_of(replies: &[DriverReply]) -> String {
    match replies.len() {
        1 => "1 reply".into(),
        number => format!("{number} replies"),
    }
}
