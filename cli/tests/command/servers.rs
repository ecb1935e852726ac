//! `everysplit tcp`: live servers, right and wrong, in Rust and in Python, and what is
//! said of them. What needs Python is skipped, with a message, where there is none.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::{
    REQUEST, Serve, cannot, everysplit, free_port, listens, run, script, server, there_is,
};
use bytes::{Buf, BytesMut};

/// Answers each frame as soon as it is there.
fn right(mut socket: TcpStream) {
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

/// Takes what one read gives for a frame.
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

/// Takes a length off before the body is there.
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

/// Answers when the client has nothing more to say.
fn at_the_end(mut socket: TcpStream) {
    let mut all = Vec::new();
    let _ = socket.read_to_end(&mut all);
    let _ = socket.write_all(&[&all[..], b"."].concat());
}

/// Tells the time, in a way.
fn differs(mut socket: TcpStream) {
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

#[track_caller]
fn ask(serve: Serve, status: i32, arguments: &[&str]) -> String {
    let address = server(serve).to_string();
    let connect = ["tcp", "--connect", &address, "--hex", REQUEST];
    let said = run(&[&connect, arguments].concat());
    let stderr = said.stderr.clone();
    said.with(status) + &stderr
}

#[test]
fn a_right_server_passes() {
    let told = ask(right, 0, &[]);
    let ok = "ok    hex 026f6b0161: 5 bytes, coalesced, 4 of 4 splits of 1 cut, 6 of 6 of 2, 5 of more (byte by byte, and by chance): one reply of 7 bytes\n";
    assert!(told.contains(ok), "{told}");
    assert!(told.contains("\nevery_split  held\n"), "{told}");
    if cfg!(target_os = "linux") {
        assert!(told.contains("\n15 splits, observed: "), "{told}");
    }
    let port = server(right).port();
    let localhost = format!("localhost:{port}");
    run(&["tcp", "--connect", &localhost, "--hex", REQUEST]).with(0);
    let told = ask(at_the_end, 0, &["--budget", "3"]);
    assert!(told.contains("2 of 4 splits of 1 cut"), "{told}");
}

#[test]
fn a_wrong_server_is_caught_with_the_fewest_cuts() {
    let told = ask(one_recv, 1, &[]);
    assert!(told.contains("\n  split     1\n"), "{told}");
    // All but those that cut between the two frames, and nowhere else.
    assert!(
        told.contains("; 15 of 16 splits have another reply\n"),
        "{told}"
    );
    let told = ask(consumes, 1, &["--timeout", "1"]);
    assert!(told.contains("\n  split     1\n"), "{told}");
    assert!(
        told.contains("  expected  as when it is whole: 7 bytes: \"[ok][a]\"\n"),
        "{told}"
    );
}

/// One that says nothing is not taken for one that says the same.
#[test]
fn a_server_that_never_replies_is_no_success() {
    let silent: Serve = |mut socket| drop(socket.read_to_end(&mut Vec::new()));
    let told = ask(silent, 2, &["--timeout", "1", "--budget", "3"]);
    assert!(told.contains("the server replied to nothing"), "{told}");
}

/// Takes its time for each answer; a frame that comes alone is not told from another.
fn slow(mut socket: TcpStream, right: bool) {
    let mut length = [0];
    while socket.read_exact(&mut length).is_ok() {
        let mut body = vec![0; length[0].into()];
        if socket.read_exact(&mut body).is_err() {
            return;
        }
        // Whether there is more behind it.
        socket.set_nonblocking(true).unwrap();
        let alone = socket.peek(&mut [0]).is_err();
        socket.set_nonblocking(false).unwrap();
        thread::sleep(Duration::from_millis(300));
        if alone && !right && body.len() == 2 {
            body.clear();
        }
        if socket.write_all(&[b"[", &body[..], b"]"].concat()).is_err() {
            return;
        }
    }
}

/// A reply that pauses is waited for to its end.
#[test]
fn a_slow_reply_is_waited_for() {
    let bounds = ["--quiet", "0.1", "--budget", "5"];
    let told = ask(|socket| slow(socket, true), 0, &bounds);
    assert!(told.contains(": one reply of 7 bytes\n"), "{told}");
    let told = ask(|socket| slow(socket, false), 1, &bounds);
    assert!(told.contains("\n  split     3\n"), "{told}");
}

/// What was found is told when the time is up, and fails.
#[test]
fn a_violation_outlives_the_time() {
    let address = server(one_recv).to_string();
    let long = "0161".repeat(50);
    let ask = [
        "tcp",
        "--connect",
        &address,
        "--hex",
        &long,
        "--quiet",
        "0.2",
    ];
    let said = run(&[&ask[..], &["--time", "2", "--rate", "20"]].concat());
    let told = said.with(1);
    assert!(told.contains(": every_split\n"), "{told}");
    assert!(
        told.contains("not all was asked: the time is up, see --time\n"),
        "{told}"
    );
}

/// Who fails now and then, whatever the split, is accused of nothing.
#[test]
fn a_server_that_fails_by_chance_is_no_violation() {
    static CLIENTS: AtomicUsize = AtomicUsize::new(0);
    let busy: Serve = |mut socket| match CLIENTS.fetch_add(1, Ordering::Relaxed) {
        9 => drop(socket.write_all(b"busy")),
        _ => right(socket),
    };
    let told = ask(busy, 2, &[]);
    assert!(
        told.contains("the server's own replies to hex 026f6b0161 in the split "),
        "{told}"
    );
    assert!(told.contains("it depends on something else too"), "{told}");
}

/// Whoever does not listen to what is told misses it, and nothing else happens.
#[test]
fn nobody_has_to_listen() {
    let address = server(one_recv).to_string();
    let mut command = everysplit(&["tcp", "--connect", &address, "--hex", REQUEST]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let said = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr, "");
}

/// What differs anyway is told, and can be masked.
#[test]
fn a_server_that_differs_from_itself_is_no_violation() {
    let told = ask(differs, 2, &[]);
    assert!(
        told.contains("the server's own replies to hex 026f6b0161 differ, from byte "),
        "{told}"
    );
    ask(differs, 0, &["--mask", "port=[0-9]+"]);
}

#[test]
fn bad_input_is_told() {
    let port = free_port().to_string();
    let address = format!("127.0.0.1:{port}");
    let tcp = |arguments: &[&str], said| {
        cannot(&[&["tcp", "--hex", "00"], arguments].concat(), said);
    };
    tcp(&["--connect", &address], "nobody listens on 127.0.0.1:");
    tcp(&["--budget", "0"], "invalid value '0' for '--budget <N>'");
    tcp(&["--hex", ""], "a stream is empty: give it some bytes");
    let replay = ["replay", "00@1", "tcp", "--connect", &address];
    cannot(&replay, "00@1 is cut behind its 1 bytes");
    tcp(&[], "there is nobody to test: give --connect");
    tcp(
        &["--port", &port],
        "required arguments were not provided: <CMD>...",
    );
    tcp(
        &["--connect", "192.0.2.1:7"],
        "--allow-remote lets it be tested",
    );
    tcp(
        &["--connect", "here"],
        "invalid value 'here' for '--connect <ADDRESS>'",
    );
    tcp(
        &["--port", &port, "--", "no-such-program"],
        "cannot start no-such-program",
    );
    tcp(
        &["--port", &port, "--", "true"],
        "the server ended (exit status: 0); one that serves a single client is tested with --fresh",
    );
    let fails = [
        "--port",
        &port,
        "--",
        "sh",
        "-c",
        "echo no luck >&2; exit 3",
    ];
    tcp(
        &fails,
        "the server ended (exit status: 3); the last that it wrote to stderr: no luck",
    );
    let taken = server(right).port().to_string();
    tcp(
        &["--port", &taken, "--", "true"],
        "something listens on 127.0.0.1:",
    );
    cannot(&["tcp", "--connect", &address], "there is no stream");
}

/// Servers in Python, started by the command: one that blocks and serves one client,
/// one with asyncio; each right and wrong.
const BLOCKING: &str = "
import socket, sys
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
client, _ = server.accept()
stream = client.makefile('rb') if sys.argv[2] == 'right' else None
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

const ASYNCIO: &str = "
import asyncio, sys
async def serve(reader, writer):
    try:
        while True:
            length = await reader.readexactly(1)
            read = reader.readexactly if sys.argv[2] == 'right' else reader.read
            writer.write(b'[' + await read(length[0]) + b']')
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
";

#[test]
fn servers_in_python_are_started() {
    if !there_is("python3") {
        return;
    }
    for (name, text, more) in [
        ("blocking", BLOCKING, &["--fresh", "--budget", "20"][..]),
        ("asyncio", ASYNCIO, &[]),
    ] {
        let path = script(&format!("server-{name}.py"), text);
        for (kind, status) in [("right", 0), ("wrong", 1)] {
            let free = free_port();
            let port = free.to_string();
            let start = ["--", "python3", &path, &port, kind];
            let arguments = ["tcp", "--port", &port, "--hex", REQUEST];
            let told = run(&[&arguments[..], more, &start].concat()).with(status);
            if kind == "wrong" {
                // The body of two bytes comes in two chunks.
                assert!(told.contains("\n  split     2\n"), "{told}");
            }
            // Nothing is left running.
            assert!(!listens(free));
        }
    }
}

/// CPython's own server, which nobody here wrote.
#[test]
fn cpythons_http_server_gives_one_reply() {
    if !there_is("python3") {
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data");
    let port = free_port().to_string();
    let request = script(
        "request",
        "GET /captures.json HTTP/1.0\r\nHost: here\r\n\r\n",
    );
    let start = ["--", "python3", "-m", "http.server", "--bind", "127.0.0.1"];
    let ask = [
        "tcp", "--port", &port, "--stream", &request, "--budget", "60",
    ];
    let mask = ["--mask", "Date: [^\r]*"];
    let serve = ["--directory", folder, &port];
    let told = run(&[&ask[..], &mask, &start, &serve].concat()).with(0);
    assert!(told.contains("\n60 splits"), "{told}");
}
