//! `everysplit tcp`: live servers, right and wrong, in Rust and in Python, and what is
//! said of them. What needs Python is skipped, with a message, where there is none.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use bytes::{Buf, BytesMut};

/// Two frames behind a length of one byte.
const REQUEST: &str = "026f6b0161";

/// Serves one client.
type Serve = fn(TcpStream);

/// Starts a server of many clients, which ends with the process.
fn server(serve: Serve) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            thread::spawn(move || serve(socket));
        }
    });
    address
}

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

fn tcp(arguments: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_everysplit");
    let arguments = [&["tcp"], arguments].concat();
    Command::new(command).args(arguments).output().unwrap()
}

#[track_caller]
fn ask(serve: Serve, status: i32, arguments: &[&str]) -> String {
    let address = server(serve).to_string();
    let connect = ["--connect", &address, "--hex", REQUEST];
    let output = tcp(&[&connect, arguments].concat());
    let told = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{told}{said}");
    told + &said
}

#[test]
fn a_right_server_passes() {
    let told = ask(right, 0, &[]);
    // All of one cut, byte by byte, 64 by chance, all of two cuts.
    assert!(
        told.contains("ok    hex 026f6b0161: 5 bytes, 76 splits"),
        "{told}"
    );
    if cfg!(target_os = "linux") {
        assert!(told.contains("76 splits, observed: "), "{told}");
    }
    let told = ask(at_the_end, 0, &["--budget", "10"]);
    assert!(told.contains("10 splits"), "{told}");
}

#[test]
fn a_wrong_server_is_caught_with_the_fewest_cuts() {
    let told = ask(one_recv, 1, &[]);
    assert!(told.contains("\n  split     1\n"), "{told}");
    assert!(
        told.contains("\n  sent      \"\\x02\" | \"ok\\x01a\"\n"),
        "{told}"
    );
    let told = ask(consumes, 1, &["--timeout", "1"]);
    assert!(told.contains("\n  split     1\n"), "{told}");
    assert!(told.contains("from byte 0: \"[ok][a]\"\n"), "{told}");
}

/// One that says nothing is not taken for one that says the same.
#[test]
fn a_server_that_never_replies_is_no_success() {
    let silent: Serve = |mut socket| drop(socket.read_to_end(&mut Vec::new()));
    let told = ask(silent, 2, &["--timeout", "1", "--budget", "3"]);
    assert!(told.contains("the server replied to nothing"), "{told}");
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

/// One line that says what is wrong, and exit status 2.
#[track_caller]
fn cannot(arguments: &[&str], said: &str) {
    let output = tcp(arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(said), "{told}");
}

#[test]
fn bad_input_is_told() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (address, port) = (free.to_string(), free.port().to_string());
    cannot(
        &["--connect", &address, "--hex", "00"],
        "nobody listens on 127.0.0.1:",
    );
    cannot(&["--hex", "00"], "there is no server: give --connect");
    cannot(
        &["--connect", "192.0.2.1:7", "--hex", "00"],
        "--allow-remote lets it be tested",
    );
    cannot(
        &["--port", &port, "--hex", "00", "--", "no-such-program"],
        "cannot start no-such-program",
    );
    cannot(
        &["--port", &port, "--hex", "00", "--", "true"],
        "the server ended (exit status: 0); one that serves a single client is tested with --fresh",
    );
    cannot(
        &[
            "--port",
            &port,
            "--hex",
            "00",
            "--",
            "sh",
            "-c",
            "echo no luck >&2; exit 3",
        ],
        "the server ended (exit status: 3); the last that it wrote to stderr: no luck",
    );
    let taken = server(right);
    let port = taken.port().to_string();
    cannot(
        &["--port", &port, "--hex", "00", "--", "true"],
        "something listens on 127.0.0.1:",
    );
    cannot(&["--connect", &address], "there is no stream");
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
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3");
        return;
    }
    for (name, script, more) in [
        ("blocking", BLOCKING, &["--fresh", "--budget", "20"][..]),
        ("asyncio", ASYNCIO, &[]),
    ] {
        let path = format!("{}/server-{name}.py", env!("CARGO_TARGET_TMPDIR"));
        fs::write(&path, script).unwrap();
        for (kind, status) in [("right", 0), ("wrong", 1)] {
            let free = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap();
            let port = free.port().to_string();
            let start = ["--", "python3", &path, &port, kind];
            let arguments = ["--port", &port, "--hex", REQUEST];
            let output = tcp(&[&arguments[..], more, &start].concat());
            let told = String::from_utf8(output.stdout).unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                output.status.code(),
                Some(status),
                "{name} {kind}: {told}{said}"
            );
            if kind == "wrong" {
                // The body of two bytes comes in two chunks.
                assert!(told.contains("\n  split     2\n"), "{told}");
            }
            // Nothing is left running.
            assert!(TcpStream::connect(("127.0.0.1", free.port())).is_err());
        }
    }
}

/// CPython's own server, which nobody here wrote.
#[test]
fn cpythons_http_server_gives_one_reply() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let port = free.port().to_string();
    let request = format!("{}/request", env!("CARGO_TARGET_TMPDIR"));
    fs::write(
        &request,
        "GET /captures.json HTTP/1.0\r\nHost: here\r\n\r\n",
    )
    .unwrap();
    let output = tcp(&[
        "--port",
        &port,
        "--stream",
        &request,
        "--budget",
        "60",
        "--mask",
        "Date: [^\r]*",
        "--",
        "python3",
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "--directory",
        folder,
        &port,
    ]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(told.contains("60 splits"), "{told}");
}
