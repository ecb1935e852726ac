//! `everysplit tcp --listen`: clients under test, right and wrong, in Rust and in Python,
//! blocking and with asyncio. What needs Python is skipped, with a message, where there is
//! none.

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{REQUEST, cannot, free_port, run, script, there_is};

/// The variables by which this program is told that it is a client: its port, and whether it
/// is right.
const PORT: &str = "EVERYSPLIT_CLIENT_PORT";
const RIGHT: &str = "EVERYSPLIT_CLIENT_RIGHT";

/// Not a test but a client, when the command starts this program as one: asks, and prints two
/// frames.
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
        if env::var(RIGHT).unwrap() == "right" {
            socket.read_exact(body).unwrap();
        } else {
            let _ = socket.read(body).unwrap();
        }
        println!("{}", body.escape_ascii());
    }
}

/// Asks a client, and returns what is told.
#[track_caller]
fn listen(status: i32, port: u16, arguments: &[&str], client: &[&str]) -> String {
    let port = port.to_string();
    let listen = ["tcp", "--listen", &port, "--hex", REQUEST];
    run(&[&listen, arguments, &["--"], client].concat()).with(status)
}

#[test]
fn clients_in_rust() {
    let program = env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    for (kind, status) in [("right", 0), ("wrong", 1)] {
        let port = free_port();
        let (port_is, right_is) = (format!("{PORT}={port}"), format!("{RIGHT}={kind}"));
        let start = [
            "env",
            &port_is,
            &right_is,
            program,
            "--exact",
            "listen::client",
        ];
        // The time that a test took is no part of it.
        let mask = ["--mask", "finished in [0-9.]+s"];
        let client = [&start[..], &["--nocapture"]].concat();
        let told = listen(status, port, &mask, &client);
        if kind == "wrong" {
            // The body of two bytes comes in two chunks.
            assert!(told.contains("\n  split     2\n"), "{told}");
        }
    }
}

const BLOCKING: &str = "
import socket, sys
server = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
stream = server.makefile('rb')
for _ in range(2):
    if sys.argv[2] == 'right':
        print(stream.read(stream.read(1)[0]))
    else:
        print(server.recv(server.recv(1)[0]))
";

const ASYNCIO: &str = "
import asyncio, sys
async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))
    writer.write(b'get')
    read = reader.readexactly if sys.argv[2] == 'right' else reader.read
    while length := await reader.read(1):
        print(await read(length[0]))
asyncio.run(main())
";

#[test]
fn clients_in_python() {
    if !there_is("python3") {
        return;
    }
    for (name, text) in [("blocking", BLOCKING), ("asyncio", ASYNCIO)] {
        let path = script(&format!("client-{name}.py"), text);
        for (kind, status) in [("right", 0), ("wrong", 1)] {
            let port = free_port();
            let client = ["python3", &path, &port.to_string(), kind];
            let told = listen(status, port, &["--quiet", "0.5"], &client);
            if kind == "wrong" {
                assert!(told.contains("\n  split     2\n"), "{name}: {told}");
                assert!(told.contains("(exit status: "), "{name}: {told}");
            }
        }
    }
}

#[test]
fn what_is_no_client_is_told() {
    let port = free_port().to_string();
    let listen = |arguments: &[&str], said| {
        let listen = ["tcp", "--hex", "00", "--timeout", "0.5", "--listen", &port];
        cannot(&[&listen, arguments].concat(), said);
    };
    listen(&["--", "no-such-program"], "cannot start no-such-program");
    let ended = "the client ended (exit status: 0) and did not connect to 127.0.0.1:";
    listen(&["--", "true"], ended);
    listen(
        &["--", "sleep", "100"],
        "the client did not connect to 127.0.0.1:",
    );
    listen(&[], "required arguments were not provided");
}
