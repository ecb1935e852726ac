//! `everysplit tcp`: correct and buggy servers, in Rust and in Python. Tests that need Python are
//! skipped, with a message, if it is not installed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::{
    REQUEST, Serve, concurrently, everysplit, fails, free_port, is_installed, listens, run, script,
    server, usage_error,
};
use bytes::{Buf, BytesMut};

/// Replies to each frame as soon as it is complete.
fn correct(mut socket: TcpStream) {
    let (mut buffer, mut chunk) = (BytesMut::new(), [0; 1024]);
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        buffer.extend_from_slice(&chunk[..read]);
        while let Some(&length) = buffer.first() {
            if buffer.len() <= length.into() {
                break;
            }
            buffer.advance(1);
            let frame = buffer.split_to(length.into());
            if socket
                .write_all(&[b"[", &frame[..], b"]"].concat())
                .is_err()
            {
                return;
            }
        }
    }
}

/// Takes the bytes of one read for a frame.
fn one_recv(mut socket: TcpStream) {
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        if socket
            .write_all(&[b"[", &chunk[..read], b"]"].concat())
            .is_err()
        {
            return;
        }
    }
}

/// Removes the length before the body is complete.
fn consumes(mut socket: TcpStream) {
    let (mut buffer, mut chunk) = (BytesMut::new(), [0; 1024]);
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        buffer.extend_from_slice(&chunk[..read]);
        while let Some(&length) = buffer.first() {
            buffer.advance(1);
            if buffer.len() < length.into() {
                break;
            }
            let frame = buffer.split_to(length.into());
            if socket
                .write_all(&[b"[", &frame[..], b"]"].concat())
                .is_err()
            {
                return;
            }
        }
    }
}

/// Replies only after the client has half-closed the connection.
fn at_the_end(mut socket: TcpStream) {
    let mut all = Vec::new();
    let _ = socket.read_to_end(&mut all);
    let _ = socket.write_all(&[&all[..], b"."].concat());
}

/// Its reply varies by itself.
fn varies(mut socket: TcpStream) {
    let port = socket.peer_addr().unwrap().port();
    let mut chunk = [0; 1024];
    let mut seen = 0;
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        seen += read;
        if seen == REQUEST.len() / 2 {
            let _ = socket.write_all(format!("port={port}.").as_bytes());
        }
    }
}

/// For servers that reply without a pause and keep the connection open.
const QUICK: &str = "--reply-idle=0.3";

/// Tests a server in this process; returns stdout and stderr.
#[track_caller]
fn check(serve: Serve, status: i32, arguments: &[&str]) -> String {
    let address = server(serve).to_string();
    let connect = ["tcp", "--connect", &address, "--hex", REQUEST];
    let finished = run(&[&connect, arguments].concat());
    let stderr = finished.stderr.clone();
    finished.with_status(status) + &stderr
}

#[test]
fn a_correct_server_passes() {
    let output = check(correct, 0, &[QUICK]);
    let ok = "ok    hex 026f6b0161: 5 bytes, uncut, 4 of 4 splits with 1 cut, 6 of 6 with 2, 5 with more (byte by byte, and random): the same reply of 7 bytes: \"[ok][a]\"\n";
    assert!(output.contains(ok), "{output}");
    assert!(output.contains("\nevery_split  held\n"), "{output}");
    if cfg!(target_os = "linux") {
        assert!(output.contains("\n15 splits, observed: "), "{output}");
    }
    let port = server(correct).port();
    let localhost = format!("localhost:{port}");
    run(&["tcp", "--connect", &localhost, "--hex", REQUEST, QUICK]).with_status(0);
}

/// One byte has one split.
#[test]
fn one_byte_shows_nothing_of_splits() {
    let echo: Serve = |mut socket| {
        let mut byte = [0];
        while socket.read_exact(&mut byte).is_ok() {
            let _ = socket.write_all(&byte);
        }
    };
    let connect = server(echo).to_string();
    let finished = run(&["tcp", "--connect", &connect, "--hex", "61", QUICK]);
    let output = finished.with_status(0);
    assert!(output.contains(": 1 byte, uncut, "), "{output}");
    assert!(output.contains(" of 1 byte: \"a\"\n"), "{output}");
    assert!(!output.contains("every_split"), "{output}");
}

/// The uncut stream is sent several times. In the end a few connections stay open, and one lacks the
/// last byte.
#[test]
fn all_connections_are_counted() {
    let stays: Serve = |mut socket| {
        let mut request = [0; REQUEST.len() / 2];
        if socket.read_exact(&mut request).is_ok() {
            let _ = socket.write_all(b"ok");
        }
        thread::park();
    };
    let cases = [
        (correct as Serve, "--max-reply=7", 5, 24),
        (correct, "--no-half-close", 5, 24),
        (
            correct,
            "--hex=0361626301610161016101610161016101610161",
            13,
            56,
        ),
        (stays, "--timeout=1", 5, 12),
    ];
    concurrently(cases, |(serve, option, listened, connections)| {
        let limit = if option == "--timeout=1" { "2" } else { "20" };
        let bounds = ["--reply-idle=1", "--max-connections", limit, option];
        let output = check(serve, 0, &bounds);
        let count =
            format!("; listened for late bytes after {listened}; {connections} connections in ");
        assert!(output.contains(&count), "{option}: {output}");
    });
}

/// Its first reply is awaited in vain, as the connection is still open.
#[test]
fn a_server_that_replies_at_the_end_passes() {
    let output = check(at_the_end, 0, &["--max-connections=3", "--timeout=2"]);
    assert!(output.contains("2 of 4 splits with 1 cut"), "{output}");
}

/// Its connection never ends: the reply has come when nothing more comes.
#[test]
fn a_server_that_replies_at_the_end_and_stays_passes() {
    let stays: Serve = |mut socket| {
        let mut all = Vec::new();
        let _ = socket.read_to_end(&mut all);
        let _ = socket.write_all(&[&all[..], b"."].concat());
        loop {
            thread::park();
        }
    };
    let limits = ["--max-connections=3", "--timeout=2", QUICK];
    let output = check(stays, 0, &limits);
    assert!(output.contains(": the same reply of 6 bytes: "), "{output}");
}

/// Such a reply is no timeout, of which a few end the search.
#[test]
fn every_split_of_a_server_that_stays_is_tried() {
    let counts: Serve = |mut socket| {
        let (mut chunk, mut reads) = ([0; 1024], 0);
        while let Ok(1..) = socket.read(&mut chunk) {
            reads += 1;
        }
        let _ = socket.write_all(format!("{reads}.").as_bytes());
        loop {
            thread::park();
        }
    };
    let address = server(counts).to_string();
    let stream = "61".repeat(30);
    let tcp = ["tcp", "--connect", &address, "--hex", &stream];
    let limits = ["--max-connections=25", "--reply-idle=0.1", "--timeout=2"];
    let output = run(&[&tcp[..], &limits].concat()).with_status(1);
    let text = " splits have a different reply\n";
    let (tried, _) = output.split_once(text).unwrap();
    let tried = tried.rsplit(' ').next().unwrap();
    assert!(tried.parse::<u32>().unwrap() >= 25, "{output}");
}

#[test]
fn finds_bugs_with_the_fewest_cuts() {
    let cases = [
        // Only the cut between the two frames does no harm.
        (
            one_recv as Serve,
            &[QUICK][..],
            "; 15 of 16 splits have a different reply\n",
        ),
        (
            consumes,
            &[QUICK, "--timeout=1"],
            "  expected  as for the uncut stream: 7 bytes: \"[ok][a]\"\n",
        ),
    ];
    concurrently(cases, |(serve, arguments, text)| {
        let output = check(serve, 1, arguments);
        assert!(output.contains("\n  split     1\n"), "{output}");
        assert!(output.contains(text), "{output}");
    });
}

/// No reply at all is not the same reply.
#[test]
fn a_server_that_never_replies_is_an_error() {
    let silent: Serve = |mut socket| drop(socket.read_to_end(&mut Vec::new()));
    let output = check(silent, 2, &["--timeout", "1", "--max-connections", "3"]);
    assert!(
        output.contains("the server did not reply to any stream"),
        "{output}"
    );
}

/// Waits before each reply. The buggy one loses a frame of two bytes that arrives alone.
fn slow(mut socket: TcpStream, buggy: bool) {
    let mut length = [0];
    while socket.read_exact(&mut length).is_ok() {
        let mut body = vec![0; length[0].into()];
        let (mut rest, mut alone) = (&mut body[..], false);
        while !rest.is_empty() {
            // Looks before it reads: the client sends more only after that.
            let Ok(arrived @ 1..) = socket.peek(&mut vec![0; rest.len() + 1]) else {
                return;
            };
            alone = arrived <= rest.len();
            let (part, others) = rest.split_at_mut(arrived.min(rest.len()));
            if socket.read_exact(part).is_err() {
                return;
            }
            rest = others;
        }
        thread::sleep(Duration::from_millis(200));
        if alone && buggy && body.len() == 2 {
            body.clear();
        }
        if socket.write_all(&[b"[", &body[..], b"]"].concat()).is_err() {
            return;
        }
    }
}

#[test]
fn a_slow_reply_is_awaited_to_its_end() {
    let bounds = ["--reply-idle", "0.1", "--max-connections", "5"];
    let correct: Serve = |socket| slow(socket, false);
    let buggy: Serve = |socket| slow(socket, true);
    let cases = [
        (correct, 0, ": the same reply of 7 bytes: \"[ok][a]\"\n"),
        (buggy, 1, "\n  split     3\n"),
    ];
    concurrently(cases, |(serve, status, text)| {
        let output = check(serve, status, &bounds);
        assert!(output.contains(text), "{output}");
    });
}

/// A violation that was found before the time is up fails the run.
#[test]
fn a_violation_is_reported_when_the_time_is_up() {
    let address = server(one_recv).to_string();
    let long = "0161".repeat(50);
    let tcp = ["tcp", "--connect", &address, "--hex", &long];
    let bounds = ["--reply-idle=0.2", "--max-time=2", "--max-rate=20"];
    let output = run(&[&tcp[..], &bounds].concat()).with_status(1);
    assert!(output.contains(": every_split\n"), "{output}");
    assert!(
        output.contains("not everything was checked: the time is up; allow more with --max-time\n"),
        "{output}"
    );
}

#[test]
fn a_server_that_fails_at_random_is_no_violation() {
    static CLIENTS: AtomicUsize = AtomicUsize::new(0);
    let busy: Serve = |mut socket| match CLIENTS.fetch_add(1, Ordering::Relaxed) {
        9 => drop(socket.write_all(b"busy")),
        _ => correct(socket),
    };
    let output = check(busy, 2, &[QUICK]);
    assert!(
        output.contains("the server's reply to hex 026f6b0161 in the split "),
        "{output}"
    );
    assert!(
        output.contains("it depends on something other than the split"),
        "{output}"
    );
}

#[test]
fn stdout_may_be_closed() {
    let address = server(one_recv).to_string();
    let mut command = everysplit(&["tcp", "--connect", &address, "--hex", REQUEST, QUICK]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr, "");
}

/// A part of the reply that varies by itself can be masked.
#[test]
fn a_reply_that_varies_by_itself_is_no_violation() {
    let output = check(varies, 2, &[QUICK]);
    assert!(
        output.contains("the server's reply to hex 026f6b0161 varies by itself, from byte "),
        "{output}"
    );
    let output = check(varies, 0, &[QUICK, "--mask", "port=[0-9]+"]);
    assert!(!output.contains("warning"), "{output}");
    let output = check(varies, 0, &[QUICK, "--mask", "(?s).+"]);
    let warning = "warning: hex 026f6b0161: --mask removes the whole reply; only its presence is";
    assert!(output.contains(warning), "{output}");
}

/// Sends a part that varies as soon as the first byte is in, and the rest of its line with the last
/// one. Replies `NO` to a buggy kind of request.
fn greets_early(mut socket: TcpStream, buggy: bool) {
    let port = socket.peer_addr().unwrap().port();
    let mut chunk = [0; 1024];
    let mut chunks = 0;
    let mut seen = 0;
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        if seen == 0 {
            let _ = socket.write_all(format!("session {port:040}").as_bytes());
        }
        chunks += 1;
        seen += read;
        if seen == REQUEST.len() / 2 {
            thread::sleep(Duration::from_millis(5));
            let verdict = if buggy && chunks > 1 { "NO" } else { "OK" };
            let _ = socket.write_all(format!("\n{verdict}\n").as_bytes());
        }
    }
}

/// Before it is complete, it can be longer than the whole masked reply.
#[test]
fn a_part_that_no_mask_matches_yet_is_no_difference() {
    let mask = [QUICK, "--max-connections=8", "--mask=session [0-9]+\n"];
    for half_close in [&[][..], &["--no-half-close"]] {
        let options = [&mask[..], half_close].concat();
        check(|socket| greets_early(socket, false), 0, &options);
        let output = check(|socket| greets_early(socket, true), 1, &options);
        assert!(output.contains(", from byte 1: \"NO\\n\""), "{output}");
    }
}

#[test]
fn bad_input_is_an_error_with_one_line() {
    let port = free_port().to_string();
    let address = format!("127.0.0.1:{port}");
    let tcp = |arguments: &[&str], message| {
        fails(&[&["tcp", "--hex", "00"], arguments].concat(), message);
    };
    tcp(&["--connect", &address], "cannot connect to 127.0.0.1:");
    tcp(
        &["--hex", "", "--connect", &address],
        "is empty; it needs at least one byte",
    );
    tcp(
        &["--connect", "192.0.2.1:7"],
        "192.0.2.1:7 is not on this machine; to test it all the same, add --allow-remote",
    );
    tcp(
        &["--port", &port, "--", "no-such-program"],
        "cannot start no-such-program",
    );
    tcp(
        &["--port", &port, "--", "true"],
        "the server ended (exit status: 0); if it serves only one client, add --fresh",
    );
    let exits = [
        "--port",
        &port,
        "--",
        "sh",
        "-c",
        "echo no luck >&2; exit 3",
    ];
    tcp(
        &exits,
        "the server ended (exit status: 3); last line of stderr: no luck",
    );
    let taken = server(correct).port().to_string();
    tcp(
        &["--port", &taken, "--", "true"],
        "is already in use: stop that server, or choose another --port",
    );
    fails(
        &["tcp", "--connect", &address],
        "there is no stream to test",
    );
}

#[test]
fn a_bad_command_line_is_a_usage_error() {
    let tcp = |arguments: &[&str], message| {
        usage_error(&[&["tcp", "--hex", "00"], arguments].concat(), message);
    };
    tcp(
        &["--max-connections", "0"],
        "invalid value '0' for '--max-connections <N>'",
    );
    tcp(
        &[],
        "required arguments were not provided:\n  <--connect <ADDRESS>|--port <PORT>|--listen <PORT>>",
    );
    tcp(
        &["--port", "7"],
        "required arguments were not provided:\n  <CMD>...",
    );
    tcp(
        &["--port", "0", "--", "true"],
        "invalid value '0' for '--port <PORT>': 0 is not in 1..=65535",
    );
    let max_reply = ["--connect", "127.0.0.1:7", "--max-reply"];
    tcp(
        &[&max_reply[..], &["0"]].concat(),
        "invalid value '0' for '--max-reply <BYTES>'",
    );
    tcp(
        &[&max_reply[..], &["1X"]].concat(),
        "invalid value '1X' for '--max-reply <BYTES>'",
    );
    tcp(
        &["--connect", "here"],
        "invalid value 'here' for '--connect <ADDRESS>'",
    );
    tcp(
        &["--connect", "127.0.0.1:7", "--listen", "7", "--", "true"],
        "cannot be used with",
    );
    let replay = ["replay", "00@1", "tcp", "--connect", "127.0.0.1:7"];
    usage_error(&replay, "the cut 1 is not inside the stream of 1 byte");
}

/// A blocking server in Python that serves one client.
const BLOCKING: &str = "
import socket, sys
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
client, _ = server.accept()
stream = client.makefile('rb') if sys.argv[2] == 'correct' else None
while True:
    if stream:
        length = stream.read(1)
        body = stream.read(length[0]) if length else b''
    else:
        length = client.recv(1)
        body = client.recv(length[0]) if length and length[0] else b''
    if not length:
        break
    client.sendall(b'[' + body + b']')
";

/// A server in Python with asyncio.
const ASYNCIO: &str = "
import asyncio, sys
async def serve(reader, writer):
    try:
        while True:
            length = await reader.readexactly(1)
            read = reader.readexactly if sys.argv[2] == 'correct' else reader.read
            writer.write(b'[' + await read(length[0]) + b']')
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
";

/// Tests a correct and a buggy server that the command starts.
fn start_in_python(name: &str, text: &str, options: &[&str]) {
    if !is_installed("python3") {
        return;
    }
    let path = script(&format!("server-{name}.py"), text);
    // Only for the buggy one does the timeout pass.
    let kinds = [("correct", "20", 0), ("buggy", "3", 1)];
    concurrently(kinds, |(kind, timeout, status)| {
        let port = free_port();
        let port_text = port.to_string();
        let start = ["--", "python3", "-S", &path, &port_text, kind];
        let tcp = ["tcp", "--port", &port_text, "--hex", REQUEST, QUICK];
        let output = run(&[&tcp[..], &["--timeout", timeout], options, &start].concat());
        let output = output.with_status(status);
        if kind == "buggy" {
            // The cut is inside the body of two bytes.
            assert!(output.contains("\n  split     2\n"), "{output}");
        }
        // No process is left.
        assert!(!listens(port));
    });
}

#[test]
fn starts_a_blocking_server_in_python() {
    start_in_python("blocking", BLOCKING, &["--fresh", "--max-connections=20"]);
}

#[test]
fn starts_an_asyncio_server_in_python() {
    start_in_python("asyncio", ASYNCIO, &[]);
}

/// CPython's own server, written by others.
#[test]
fn cpythons_http_server_passes() {
    if !is_installed("python3") {
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data");
    let port = free_port().to_string();
    let request = script(
        "request",
        "GET /captures.json HTTP/1.0\r\nHost: here\r\n\r\n",
    );
    let start = ["--", "python3", "-m", "http.server", "--bind", "127.0.0.1"];
    let tcp = ["tcp", "--port", &port, "--stream", &request];
    let options = [
        "--max-connections=60",
        "--timeout=20",
        "--mask",
        "Date: [^\r]*",
    ];
    let serve = ["--directory", folder, &port];
    let output = run(&[&tcp[..], &options, &start, &serve].concat()).with_status(0);
    assert!(output.contains("\n60 splits"), "{output}");
}
