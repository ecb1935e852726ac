//! How a run ends: in time whatever it waits for, with what was found so far, and without a
//! process that survives it.

use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{
    Finished, KilledOnDrop, Serve, becomes_free, concurrently, everysplit, fails, free_port,
    is_installed, listens, pipe, run, run_to_its_end, script, server, signal,
};
use serde_json::Value;

/// A driver that holds on its streams.
const SILENT: &str = "read hello; echo ready 1; while read line; do echo ready; done";
/// A driver that reports an error that depends on the split.
const BUGGY: &str = "read hello; echo ready 1; while read line; do \
    if [ \"$line\" = 'feed 0000' ]; then echo error x; fi; echo ready; done";

fn path(name: &str) -> String {
    format!("{}/ending-{name}", env!("CARGO_TARGET_TMPDIR"))
}

fn exec(driver: &str, arguments: &[&str]) -> Finished {
    let exec = ["exec", "--discards-at-end"];
    let driver = ["--", "sh", "-c", driver];
    run_to_its_end(&mut everysplit(&[&exec, arguments, &driver].concat()))
}

#[test]
fn time_ends_a_run_that_waits_for_a_pipe() {
    let time = "everysplit: the time is up; allow more with --max-time";
    let cases = [
        ("stream", SILENT, 2),
        ("report", SILENT, 2),
        ("report", BUGGY, 1),
    ];
    concurrently(cases, |(option, driver, status)| {
        let pipe = pipe(&format!("ending-{option}-{status}.json"));
        let option = format!("--{option}={pipe}");
        let finished = exec(driver, &["--max-time", "1", "--hex", "0000", &option]);
        assert!(finished.stderr.starts_with(time), "{finished:?}");
        finished.with_status(status);
    });
}

/// A stream of 8 MiB, which takes minutes byte by byte.
#[test]
fn time_ends_a_split_in_progress() {
    let echoes: Serve = |socket| {
        let _ = io::copy(&mut &socket, &mut &socket);
    };
    let stream = script("ending-long", &"x".repeat(8 << 20));
    let (address, json) = (server(echoes).to_string(), path("long.json"));
    let arguments = ["tcp", "--connect", &address, "--stream", &stream];
    let options = ["--max-time", "2", "--report", &json];
    let finished = run_to_its_end(&mut everysplit(&[&arguments[..], &options].concat()));
    assert!(finished.stderr.contains("the time is up"), "{finished:?}");
    finished.with_status(2);
    let json: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(json["result"], "stopped");
}

/// What was found before is reported.
#[test]
fn an_interrupted_run_reports_what_it_found() {
    let report = path("found.json");
    let stops = format!("{BUGGY}; sleep 1000");
    let stops = stops.replace(
        "echo ready; done",
        "case $line in *ff) sleep 1000;; esac; echo ready; done",
    );
    let options = ["--max-time", "3", "--report", &report];
    let streams = ["--hex", "0000", "--hex", "ff", "--timeout", "100"];
    let finished = exec(&stops, &[&options[..], &streams].concat());
    assert!(finished.stdout.contains("FAIL  hex 0000: "), "{finished:?}");
    finished.with_status(1);
    let json: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(json["result"], "violated");
    assert_eq!(json["streams"].as_array().unwrap().len(), 1);
    assert!(
        json["stopped"]
            .as_str()
            .unwrap()
            .starts_with("the time is up")
    );
}

/// A client whose helper keeps its stdout open, outside its process group.
const CLIENT: &str = "
import socket, subprocess, sys
client = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
print(client.makefile('rb').read())
subprocess.Popen(['sleep', '1000'], start_new_session=True)
";

#[cfg(target_os = "linux")]
#[test]
fn a_helper_that_keeps_stdout_is_ended() {
    if !is_installed("python3") {
        return;
    }
    let (client, port) = (script("ending-client.py", CLIENT), free_port().to_string());
    let arguments = [
        "tcp",
        "--listen",
        &port,
        "--hex",
        "0001",
        "--reply-idle=0.3",
        "--timeout=20",
    ];
    let start = ["--", "python3", "-S", &client, &port];
    let finished = run_to_its_end(&mut everysplit(&[&arguments[..], &start].concat()));
    finished.with_status(0);
}

/// Echoes. Starts a daemon that does it if its name is the second argument; the third is a file
/// that is written on SIGTERM, and `-` ignores the signal.
const SERVER: &str = "
import os, signal, socket, sys, time
def ended(*_):
    time.sleep(0.2)
    open(sys.argv[3], 'w').write('asked to end')
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[3] == '-' else ended)
if sys.argv[2] == 'daemon':
    if os.fork():
        time.sleep(1000)
    os.setsid()
    if os.fork():
        os._exit(0)
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    client, _ = server.accept()
    try:
        while chunk := client.recv(100):
            client.sendall(chunk)
    except ConnectionError:
        pass
    client.close()
";

fn start_server(kind: &str, end: &str, port: &str, options: &[&str]) -> Option<Vec<String>> {
    if !is_installed("python3") {
        return None;
    }
    let server = script("ending-server.py", SERVER);
    let arguments = [
        "tcp",
        "--port",
        port,
        "--hex",
        "0001",
        "--reply-idle",
        "0.2",
    ];
    let start = ["--", "python3", "-S", &server, port, kind, end];
    let words = [&arguments[..], options, &start].concat();
    Some(words.into_iter().map(String::from).collect())
}

/// A server gets a signal to end. One that does not end is killed, and so is a daemon.
#[test]
fn servers_are_asked_to_end_and_then_killed() {
    let (asked, daemon) = (path("asked"), path("daemon"));
    let mut cases = vec![("plain", &asked[..]), ("plain", "-")];
    if cfg!(target_os = "linux") {
        cases.extend([("daemon", &daemon[..]), ("daemon", "-")]);
    }
    concurrently(cases, |(kind, end)| {
        let _ = fs::remove_file(end);
        let port = free_port();
        let Some(words) = start_server(kind, end, &port.to_string(), &[]) else {
            return;
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run(&words).with_status(0);
        assert!(!listens(port), "{kind} {end}");
        assert_eq!(Path::new(end).exists(), end != "-", "{kind} {end}");
    });
}

/// However the command ends, the server ends, also as a daemon. The signals go to the command, to the
/// process below it, to the one below that in which it runs, or to two of them at once.
#[cfg(target_os = "linux")]
#[test]
fn nothing_survives_the_command() {
    let signals = ["INT", "TERM", "HUP", "QUIT", "ALRM", "USR1", "ABRT", "KILL"];
    let to_command = signals.iter().map(|name| (*name, &[0][..]));
    let abort = [("ABRT", &[1][..]), ("ABRT", &[2])];
    let kill = [&[1][..], &[2], &[0, 1], &[0, 2], &[1, 2]].map(|processes| ("KILL", processes));
    let cases = to_command.chain(abort).chain(kill);
    concurrently(cases, |(name, processes)| {
        let port = free_port();
        let end = path(&format!("signal-{name}-{processes:?}"));
        // At this rate, the run takes a long time.
        let slow = ["--max-rate", "1", "--max-connections", "1000"];
        let Some(words) = start_server("daemon", &end, &port.to_string(), &slow) else {
            return;
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = everysplit(&words);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = KilledOnDrop(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(60);
        while !listens(port) {
            assert!(Instant::now() < deadline, "the server does not start");
            thread::sleep(Duration::from_millis(10));
        }
        let command = child.0.id();
        let below = only_child(command);
        let all = [command, below, only_child(below)];
        signal(name, processes.iter().map(|&process| all[process]));
        let status = child.0.wait().unwrap();
        let to_command = processes.contains(&0);
        if !(to_command && ["ABRT", "KILL"].contains(&name)) {
            assert_eq!(status.code(), Some(2), "{name} {processes:?}");
        }
        assert!(becomes_free(port), "{name} {processes:?}");
        let mut message = String::new();
        let mut stderr = child.0.stderr.take().unwrap();
        stderr.read_to_string(&mut message).unwrap();
        if to_command && status.code().is_some() {
            assert_eq!(message, "everysplit: interrupted\n", "{name}");
        }
    });
}

/// Returns the child of a process, as soon as the kernel lists it.
#[cfg(target_os = "linux")]
fn only_child(process: u32) -> u32 {
    let file = format!("/proc/{process}/task/{process}/children");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let children = fs::read_to_string(&file).unwrap();
        if let Some(child) = children.split_whitespace().next() {
            return child.parse().unwrap();
        }
        assert!(Instant::now() < deadline, "{process} has no child");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A report is replaced as a whole: the old file keeps its content under another name.
#[test]
fn a_report_is_replaced_as_a_whole() {
    let (report, link) = (path("replaced.json"), path("replaced-link"));
    let _ = fs::remove_file(&link);
    fs::write(&report, "the old report").unwrap();
    fs::hard_link(&report, &link).unwrap();
    exec(SILENT, &["--hex", "00", "--report", &report]).with_status(0);
    assert_eq!(fs::read_to_string(link).unwrap(), "the old report");
    assert!(fs::read_to_string(report).unwrap().contains("\"held\""));
}

/// The reports after one that cannot be written are written, and a violation is status 1.
#[cfg(target_os = "linux")]
#[test]
fn a_report_that_fails_does_not_skip_the_next() {
    for (driver, status, result) in [(SILENT, 2, "held"), (BUGGY, 1, "violated")] {
        let (full, next) = (
            path(&format!("{result}.json")),
            path(&format!("{result}-next.json")),
        );
        let _ = (fs::remove_file(&full), fs::remove_file(&next));
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        let reports = ["--report", &full, "--report", &next];
        let finished = exec(driver, &[&["--hex", "0000"], &reports[..]].concat());
        let message = format!("everysplit: cannot write the report {full}: ");
        assert!(finished.stderr.starts_with(&message), "{finished:?}");
        finished.with_status(status);
        let json: Value = serde_json::from_str(&fs::read_to_string(next).unwrap()).unwrap();
        assert_eq!(json["result"], result);
    }
}

/// A run that cannot start has a report too.
#[test]
fn a_driver_that_does_not_start_is_reported() {
    let (json, xml, html) = (path("none.json"), path("none.xml"), path("none.html"));
    for report in [&json, &xml, &html] {
        let _ = fs::remove_file(report);
    }
    let reports = ["--report", &json, "--report", &xml, "--report", &html];
    let arguments = [
        &["exec", "--hex", "00"],
        &reports[..],
        &["--", "no-such-program"],
    ]
    .concat();
    let message = "cannot start no-such-program: ";
    fails(&arguments, message);
    for report in [&json, &xml, &html] {
        assert!(
            fs::read_to_string(report).unwrap().contains(message),
            "{report}"
        );
    }
}

/// What is printed twice is read twice: the reason of an early end is on stderr only.
#[test]
fn the_reason_of_an_early_end_is_printed_once() {
    let closes: Serve = |socket: TcpStream| drop(socket);
    let address = server(closes).to_string();
    let finished = run(&["tcp", "--connect", &address, "--hex", "0001"]);
    let reason = "the server did not reply to any stream; add a stream of its format";
    assert_eq!(finished.stderr, format!("everysplit: {reason}\n"));
    assert!(!finished.stdout.contains(reason), "{finished:?}");
    assert!(!finished.stdout.contains(" held\n"), "{finished:?}");
}
