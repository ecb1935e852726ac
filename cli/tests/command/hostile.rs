//! `everysplit tcp --hostile`: invalid input for servers and clients that survive it and for
//! those that do not. Tests that need Python are skipped, with a message, if it is not
//! installed.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::{
    KilledOnDrop, Serve, becomes_free, concurrently, everysplit, free_port, is_installed, listens,
    run, script, server, signal,
};

/// Frames with an i32 length and at most 100 bytes.
const HOSTILE: [&str; 8] = [
    "tcp",
    "--hostile",
    "--framing",
    "len32",
    "--size-limit",
    "100",
    "--reply-idle=0.2",
    "--max-connections=8",
];

/// For peers that always react: no wait ends by a timeout, however slow the machine is.
const PATIENT: [&str; 2] = ["--timeout=20", "--max-idle=20"];

/// For peers that do not react.
const IMPATIENT: [&str; 2] = ["--timeout=1", "--max-idle=0.7"];

/// Tests a server in this process.
#[track_caller]
fn check(serve: Serve, patience: [&str; 2], status: i32) -> String {
    let address = server(serve).to_string();
    run(&[&HOSTILE[..], &patience, &["--connect", &address]].concat()).with_status(status)
}

/// Echoes frames. Returns the length if it is negative or over the limit.
fn serve(socket: &mut TcpStream, idle: Option<Duration>) -> Option<i32> {
    socket.set_read_timeout(idle).unwrap();
    let mut size = [0; 4];
    while socket.read_exact(&mut size).is_ok() {
        let length = i32::from_le_bytes(size);
        if !(0..=100).contains(&length) {
            return Some(length);
        }
        let mut body = vec![0; length.unsigned_abs() as usize];
        socket.read_exact(&mut body).ok()?;
        socket.write_all(&body).ok()?;
    }
    None
}

const IDLE: Option<Duration> = Some(Duration::from_millis(400));

fn correct(mut socket: TcpStream) {
    serve(&mut socket, IDLE);
}

/// Never gives up on a frame.
fn waits(mut socket: TcpStream) {
    serve(&mut socket, None);
    let _ = socket.read_to_end(&mut Vec::new());
}

/// Rejects a length later, and still sooner than it gives up on a frame.
fn rejects_late(mut socket: TcpStream) {
    if serve(&mut socket, IDLE).is_some() {
        thread::sleep(IDLE.unwrap() / 4);
    }
}

#[test]
fn a_correct_server_passes() {
    check(rejects_late, PATIENT, 0);
    let output = check(correct, PATIENT, 0);
    for name in [
        "concatenated, truncated: 8 connections",
        "concatenated, stalled: 1 connection",
        "claimed length: over the limit: 1 connection",
        "claimed length: negative: 1 connection",
        "claimed length: most negative: 1 connection",
        "claimed length: maximal: 1 connection",
    ] {
        let held = format!("ok    {name}, and the next one served");
        assert!(output.contains(&held), "{output}");
    }
    for property in ["limit", "truncation", "progress"] {
        let held = format!("\n{property:<12} held\n");
        assert!(output.contains(&held), "{output}");
    }
}

#[test]
fn finds_a_server_that_waits_for_any_length() {
    let output = check(waits, IMPATIENT, 1);
    for line in [
        "FAIL  claimed length: over the limit: limit\n",
        "FAIL  claimed length: negative: limit\n",
        "FAIL  concatenated, stalled: progress\n",
        "  expected  a reply or a closed connection within 700ms (--max-idle)\n  actual    neither: the server has no read timeout, or a longer one\n",
        // 101, little-endian.
        "\n  replay    65000000@whole\n",
    ] {
        assert!(output.contains(line), "{output}");
    }
}

/// What it sends by itself is no reaction to what is sent to it.
#[test]
fn a_greeting_is_no_reaction() {
    let greets: Serve = |mut socket| {
        let _ = socket.write_all(b"hello\n");
        waits(socket);
    };
    let output = check(greets, IMPATIENT, 0);
    for line in [
        "ok    concatenated, truncated: 8 connections",
        "skip  concatenated, stalled: not checked, as the server speaks first: ",
        "skip  claimed length: over the limit: not checked, ",
    ] {
        assert!(output.contains(line), "{output}");
    }
    assert!(!output.contains("\nlimit "), "{output}");
}

/// A server that gives up on each frame that does not arrive at once shows nothing about lengths.
#[test]
fn a_limit_is_not_checked_if_any_length_is_given_up_at_once() {
    let gives_up: Serve = |mut socket| {
        let mut stream = [0; 1024];
        while let Ok(len @ 1..) = socket.read(&mut stream) {
            let mut rest = &stream[..len];
            while !rest.is_empty() {
                let Some((length, body)) = rest.split_first_chunk() else {
                    return;
                };
                match body.split_at_checked(u32::from_le_bytes(*length) as usize) {
                    Some((body, next)) if socket.write_all(body).is_ok() => rest = next,
                    _ => return,
                }
            }
        }
    };
    let address = server(gives_up).to_string();
    // Several streams: on a busy machine it may give up one of them late.
    let streams = ["--hex=0100000061", "--hex=0100000062", "--hex=0100000063"];
    let connect = ["--connect", &address];
    let output = run(&[&HOSTILE[..], &PATIENT, &streams, &connect].concat()).with_status(1);
    let omitted =
        "skip  limit is not checked: the server gives up at once after a valid length, too\n";
    assert!(output.contains(omitted), "{output}");
    assert!(!output.contains("\nlimit "), "{output}");
}

#[test]
fn finds_a_server_that_does_not_close() {
    let keeps: Serve = |mut socket| {
        serve(&mut socket, IDLE);
        thread::sleep(Duration::from_secs(5));
    };
    let output = check(keeps, IMPATIENT, 1);
    for line in [
        "FAIL  concatenated, truncated: truncation\n",
        "  expected  the server closes the connection within 1s (--timeout)\n",
        "  actual    the server keeps it open\n",
    ] {
        assert!(output.contains(line), "{output}");
    }
}

#[test]
fn finds_a_server_that_does_not_serve_the_next_connection() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let breaks: Serve = |mut socket| {
        if BROKEN.load(Ordering::Relaxed) {
            let _ = socket.write_all(b"?");
        } else if serve(&mut socket, IDLE).is_some_and(i32::is_negative) {
            BROKEN.store(true, Ordering::Relaxed);
        }
    };
    let output = check(breaks, PATIENT, 1);
    for line in [
        "ok    claimed length: over the limit: ",
        "FAIL  claimed length: negative: progress\n",
        "  expected  the next connection gets the reply to concatenated: \"hello",
        "  actual    it gets \"?\"\n",
    ] {
        assert!(output.contains(line), "{output}");
    }
}

/// Serves one client after another. Two bugs: it ends at the length -1, and it keeps 64 MiB for
/// each length over the limit.
const SERVER: &str = "
import os, signal, socket, struct, sys, time
if 'forks' in sys.argv:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if 'warm' in sys.argv:
    # Needs more to start than it keeps for a length.
    bytearray(128 << 20)[:] = b'x' * (128 << 20)
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
kept = []
if 'detached' in sys.argv and os.fork():
    # In a session of its own, another process serves.
    time.sleep(1000)
if 'detached' in sys.argv:
    os.setsid()
while True:
    client, _ = server.accept()
    if 'forks' in sys.argv and os.fork():
        client.close()
        continue
    client.settimeout(0.4)
    stream = client.makefile('rb')
    try:
        while size := stream.read(4):
            length, = struct.unpack('<i', size)
            if length > 100:
                if sys.argv[2] in ('grows', 'warm', 'forks', 'detached'):
                    kept.append(b'x' * (64 << 20))
                break
            if length < 0 and 'ends' not in sys.argv:
                break
            client.sendall(stream.read(length) if length >= 0 else bytearray(length))
    except (TimeoutError, ConnectionError, struct.error):
        pass
    # The socket is closed when both are.
    stream.close()
    client.close()
    if 'forks' in sys.argv:
        os._exit(0)
";

/// The end and the growth of a started server are noticed, and the next probe has a new server.
#[test]
fn watches_a_server_that_it_started() {
    if !is_installed("python3") {
        return;
    }
    let path = script("hostile-server.py", SERVER);
    let correct = (0, "correct", &["\nmemory       held\n"][..]);
    let detached = (
        1,
        "detached",
        &["FAIL  claimed length: over the limit: memory\n"][..],
    );
    let forks = (
        0,
        "forks",
        &["; memory is not checked: the server serves connections in processes that end, "][..],
    );
    let growth = &[
        "FAIL  claimed length: over the limit: memory\n",
        "  expected  at most 16 MiB more memory\n",
    ][..];
    let (grows, warm) = ((1, "grows", growth), (1, "warm", growth));
    let ends = (
        1,
        "ends",
        &[
            "FAIL  claimed length: negative: progress\n",
            "  actual    the server ended (exit status: 1); last line of stderr: ValueError: negative count\n",
            "ok    claimed length: maximal: 1 connection, and the next one served\n",
        ][..],
    );
    // Memory can be read on Linux only.
    let cases = if cfg!(target_os = "linux") {
        vec![correct, grows, warm, ends, detached, forks]
    } else {
        vec![(0, "correct", &[][..]), ends]
    };
    concurrently(cases, |(status, kind, lines)| {
        let port = free_port();
        let port_text = port.to_string();
        let start = [
            "--port", &port_text, "--", "python3", "-S", &path, &port_text, kind,
        ];
        let output = run(&[&HOSTILE[..], &PATIENT, &start].concat()).with_status(status);
        for line in lines {
            assert!(output.contains(line), "{output}");
        }
        let holds = output.contains("memory       held");
        let may_hold = ["correct", "ends"].contains(&kind) && cfg!(target_os = "linux");
        assert_eq!(holds, may_hold, "{output}");
        assert!(!listens(port), "{output}");
    });
}

/// What is checked of a live program is less than what is checked of a decoder.
#[test]
fn the_sentences_are_those_of_the_probes() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let files = ["json", "xml", "html"].map(|end| format!("{folder}/hostile-sentences.{end}"));
    let reports = files.each_ref().map(|file| format!("--report={file}"));
    let address = server(waits).to_string();
    let connect = ["--connect", &address];
    let reports = reports.each_ref().map(String::as_str);
    let output = run(&[&HOSTILE[..], &IMPATIENT, &connect, &reports].concat()).with_status(1);
    let read = |file| fs::read_to_string(file).unwrap();
    let limit =
        "length over the limit, or another invalid one, gets a reply or a closed connection";
    for text in files.iter().map(read).chain([output]) {
        assert!(text.contains(limit), "{text}");
        assert!(!text.contains("a body at the limit passes"), "{text}");
        assert!(!text.contains("inside a frame is reported"), "{text}");
    }
    let merged = run(&["report", "merge", &files[0]]).with_status(1);
    assert!(merged.contains(limit), "{merged}");
}

/// The variables that make this program a client: its port, and whether it is correct.
const PORT: &str = "EVERYSPLIT_HOSTILE_CLIENT_PORT";
const KIND: &str = "EVERYSPLIT_HOSTILE_CLIENT_KIND";

/// Not a test but a client, if the command starts this program as one: prints frames. The correct
/// one rejects invalid lengths and gives up on a stalled frame. Another keeps memory for a length
/// over the limit before it rejects it.
#[test]
fn client() {
    let Ok(port) = env::var(PORT) else {
        return;
    };
    let kind = env::var(KIND).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    let idle = match &*kind {
        "correct" => Some(Duration::from_millis(600)),
        // Takes longer to give up than to reject.
        "grows" => Some(Duration::from_secs(3)),
        _ => None,
    };
    socket.set_read_timeout(idle).unwrap();
    let mut size = [0; 4];
    while socket.read_exact(&mut size).is_ok() {
        let length = i32::from_le_bytes(size);
        if kind != "buggy" && !(0..=100).contains(&length) {
            if kind == "grows" && length > 100 {
                // Its memory is read now and then.
                thread::sleep(Duration::from_millis(100));
                let body = vec![1u8; 32 << 20];
                thread::sleep(Duration::from_secs(1));
                drop(body);
            }
            println!("rejected");
            return;
        }
        let mut body = Vec::new();
        let mut rest = (&socket).take(u64::from(length.unsigned_abs()));
        let _ = rest.read_to_end(&mut body);
        println!("{}", body.escape_ascii());
    }
}

#[test]
fn tests_clients_too() {
    let program = env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    let cases = [
        ("correct", PATIENT, 0),
        ("buggy", ["--timeout=20", "--max-idle=0.7"], 1),
        ("grows", PATIENT, 1),
    ];
    concurrently(cases, |(kind, patience, status)| {
        let port = free_port().to_string();
        let (port_variable, kind_variable) = (format!("{PORT}={port}"), format!("{KIND}={kind}"));
        // The test harness prints the time that it took.
        let listen = ["--mask", "finished in [0-9.]+s", "--listen", &port, "--"];
        let variables = ["env", &port_variable, &kind_variable];
        let client = [program, "--exact", "hostile::client", "--nocapture"];
        let arguments = [&HOSTILE[..], &patience, &listen, &variables, &client].concat();
        let output = run(&arguments).with_status(status);
        if kind == "buggy" {
            let over = "FAIL  claimed length: over the limit: limit\n";
            assert!(output.contains(over), "{output}");
            assert!(output.contains("ok    concatenated: "), "{output}");
        }
        if kind == "grows" && cfg!(target_os = "linux") {
            let over = "FAIL  claimed length: over the limit: memory\n";
            assert!(output.contains(over), "{output}");
        }
    });
}

#[test]
fn replays_the_token_of_a_probe() {
    let cases = [(waits as Serve, IMPATIENT, 1), (correct, PATIENT, 0)];
    concurrently(cases, |(serve, patience, status)| {
        let address = server(serve).to_string();
        let replay = ["replay", "ffffffff@whole"];
        let connect = ["--connect", &address];
        let output = run(&[&replay, &HOSTILE[..], &patience, &connect].concat());
        let output = output.with_status(status);
        assert_eq!(
            output.contains("FAIL  replayed: limit\n"),
            status == 1,
            "{output}"
        );
    });
}

/// With --hostile, a stream that is cut is no probe, nor is one that is not cut without it.
#[test]
fn a_token_that_is_no_probe_is_a_split() {
    let (cut, whole) = ("02000000686900000000@4", "02000000686900000000@whole");
    let not_hostile: Vec<&str> = HOSTILE
        .into_iter()
        .filter(|&word| word != "--hostile")
        .collect();
    let cases = [(cut, &HOSTILE[..]), (whole, &not_hostile)];
    concurrently(cases, |(token, tcp)| {
        let address = server(correct).to_string();
        let replay = ["replay", token];
        let connect = ["--connect", &address];
        let output = run(&[&replay, tcp, &PATIENT, &connect].concat()).with_status(0);
        let (_, split) = token.split_once('@').unwrap();
        let held = format!("ok    replayed: 10 bytes, split {split}\n");
        assert!(output.contains(&held), "{output}");
    });
}

/// Ctrl-C ends the started program with its children, and the run still prints its coverage.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_no_process() {
    if !is_installed("python3") {
        return;
    }
    let path = script("interrupted-server.py", SERVER);
    let port = free_port();
    // The server is a grandchild of the command.
    let shell = format!("python3 {path} {port} correct & wait");
    let port_text = port.to_string();
    let start = [
        "--max-rate=20",
        "--port",
        &port_text,
        "--",
        "sh",
        "-c",
        &shell,
    ];
    let mut command = everysplit(&[&HOSTILE[..], &PATIENT, &start].concat());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = KilledOnDrop(child.unwrap());
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
    // The first verdict: the probes that follow take a second and more at this rate.
    let mut output = String::new();
    stdout.read_line(&mut output).unwrap();
    assert!(output.starts_with("ok    concatenated: "), "{output}");
    signal("INT", [child.0.id()]);
    stdout.read_to_string(&mut output).unwrap();
    let status = child.0.wait().unwrap();
    let mut message = String::new();
    let mut stderr = child.0.stderr.take().unwrap();
    stderr.read_to_string(&mut message).unwrap();
    assert_eq!(status.code(), Some(2), "{output}{message}");
    assert!(output.contains(" connections in "), "{output}");
    assert!(
        output.contains("; not everything was checked\n"),
        "{output}"
    );
    assert_eq!(message, "everysplit: interrupted\n");
    assert!(becomes_free(port));
}
