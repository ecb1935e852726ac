//! `everysplit tcp --listen`: correct and buggy clients, in Rust and in Python, blocking and with
//! asyncio. Tests that need Python are skipped, with a message, if it is not installed.

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{
    REQUEST, concurrently, fails, free_port, is_installed, run, script, usage_error,
};

/// The variables that make this program a client: its port, and whether it is correct.
const PORT: &str = "EVERYSPLIT_CLIENT_PORT";
const KIND: &str = "EVERYSPLIT_CLIENT_KIND";

/// Not a test but a client, if the command starts this program as one: prints two frames.
#[test]
fn client() {
    let Ok(port) = env::var(PORT) else {
        return;
    };
    let mut socket = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    socket.write_all(b"get").unwrap();
    for _ in 0..2 {
        let mut body = [0; 256];
        socket.read_exact(&mut body[..1]).unwrap();
        let length = usize::from(body[0]);
        let body = &mut body[..length];
        if env::var(KIND).unwrap() == "correct" {
            socket.read_exact(body).unwrap();
        } else {
            let _ = socket.read(body).unwrap();
        }
        println!("{}", body.escape_ascii());
    }
}

/// Tests a client, and returns stdout.
#[track_caller]
fn listen(status: i32, port: u16, arguments: &[&str], client: &[&str]) -> String {
    let port = port.to_string();
    let listen = ["tcp", "--listen", &port, "--hex", REQUEST];
    run(&[&listen, arguments, &["--"], client].concat()).with_status(status)
}

#[test]
fn tests_clients_in_rust() {
    let program = env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    for (kind, status) in [("correct", 0), ("buggy", 1)] {
        let port = free_port();
        let (port_variable, kind_variable) = (format!("{PORT}={port}"), format!("{KIND}={kind}"));
        let start = [
            "env",
            &port_variable,
            &kind_variable,
            program,
            "--exact",
            "listen::client",
        ];
        // The test harness prints the time that it took.
        let mask = ["--mask", "finished in [0-9.]+s"];
        let client = [&start[..], &["--nocapture"]].concat();
        let output = listen(status, port, &mask, &client);
        if kind == "buggy" {
            // The cut is inside the body of two bytes.
            assert!(output.contains("\n  split     2\n"), "{output}");
        }
    }
}

const BLOCKING: &str = "
import socket, sys
server = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
stream = server.makefile('rb')
for _ in range(2):
    if sys.argv[2] == 'correct':
        print(stream.read(stream.read(1)[0]))
    else:
        print(server.recv(server.recv(1)[0]))
";

const ASYNCIO: &str = "
import asyncio, sys
async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))
    writer.write(b'get')
    read = reader.readexactly if sys.argv[2] == 'correct' else reader.read
    while length := await reader.read(1):
        print(await read(length[0]))
asyncio.run(main())
";

#[test]
fn tests_clients_in_python() {
    if !is_installed("python3") {
        return;
    }
    let clients = [("blocking", BLOCKING), ("asyncio", ASYNCIO)];
    let cases = clients.into_iter().flat_map(|(name, text)| {
        let path = script(&format!("client-{name}.py"), text);
        [("correct", 0), ("buggy", 1)].map(|(kind, status)| (name, path.clone(), kind, status))
    });
    concurrently(cases, |(name, path, kind, status)| {
        let port = free_port();
        let client = ["python3", "-S", &path, &port.to_string(), kind];
        let options = ["--reply-idle=0.5", "--timeout=20"];
        let output = listen(status, port, &options, &client);
        if kind == "buggy" {
            assert!(output.contains("\n  split     2\n"), "{name}: {output}");
            assert!(output.contains("(exit status: "), "{name}: {output}");
        }
    });
}

#[test]
fn a_program_that_is_no_client_is_an_error() {
    let port = free_port().to_string();
    let listen = ["tcp", "--hex", "00", "--timeout", "0.5", "--listen", &port];
    let fails = |client: &[&str], message| fails(&[&listen, client].concat(), message);
    fails(&["--", "no-such-program"], "cannot start no-such-program");
    let ended = "the client ended (exit status: 0) without connecting to 127.0.0.1:";
    fails(&["--", "true"], ended);
    fails(
        &["--", "sleep", "100"],
        "the client did not connect to 127.0.0.1:",
    );
    usage_error(&listen, "required arguments were not provided");
}
