//! `everysplit tcp --listen`: correct and buggy clients, in Rust and in Python, blocking and with
//! asyncio. Tests that need Python are skipped, with a message, if it is not installed.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::program::{
    REQUEST, concurrently, fails, free_port, is_installed, run, script, usage_error,
};

/// The variables that make this program a client: its port, whether it is correct, and a file to
/// which it adds a byte.
const PORT: &str = "EVERYSPLIT_CLIENT_PORT";
const KIND: &str = "EVERYSPLIT_CLIENT_KIND";
const STARTS: &str = "EVERYSPLIT_CLIENT_STARTS";

/// Not a test but a client, if the command starts this program as one: prints two frames.
#[test]
fn client() {
    let Ok(port) = env::var(PORT) else {
        return;
    };
    let kind = env::var(KIND).unwrap();
    if let Ok(path) = env::var(STARTS) {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).append(true).open(path).unwrap();
        file.write_all(b".").unwrap();
    }
    let mut socket = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    if kind == "wary" {
        // What comes before its request is no reply.
        thread::sleep(Duration::from_millis(50));
        socket.set_nonblocking(true).unwrap();
        if socket.peek(&mut [0]).is_ok() {
            println!("too early");
        }
        socket.set_nonblocking(false).unwrap();
    }
    socket.write_all(b"get").unwrap();
    for _ in 0..2 {
        let mut body = [0; 256];
        socket.read_exact(&mut body[..1]).unwrap();
        let length = usize::from(body[0]);
        let body = &mut body[..length];
        if kind == "buggy" {
            let _ = socket.read(body).unwrap();
        } else {
            socket.read_exact(body).unwrap();
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

/// Tests this program as a client, which connects to `peer`. Returns stdout.
#[track_caller]
fn listen_to_this(status: i32, port: u16, peer: u16, kind: &str, options: &[&str]) -> String {
    let program = env::current_exe().unwrap();
    let variables = [
        format!("{PORT}={peer}"),
        format!("{KIND}={kind}"),
        format!("{STARTS}={}", starts(kind)),
    ];
    let start = [&["env"][..], &variables.each_ref().map(String::as_str)].concat();
    let test = ["--exact", "listen::client", "--nocapture"];
    let client = [&start[..], &[program.to_str().unwrap()], &test].concat();
    // The test harness prints the time that it took.
    let mask = ["--mask", "finished in [0-9.]+s"];
    listen(status, port, &[&mask, options].concat(), &client)
}

/// Returns the path of the file to which a client adds a byte.
fn starts(kind: &str) -> String {
    format!("{}/listen-starts-{kind}", env!("CARGO_TARGET_TMPDIR"))
}

#[test]
fn tests_clients_in_rust() {
    for (kind, status) in [("correct", 0), ("buggy", 1)] {
        let _ = fs::remove_file(starts(kind));
        let port = free_port();
        let output = listen_to_this(status, port, port, kind, &[]);
        if kind == "buggy" {
            // The cut is inside the body of two bytes.
            assert!(output.contains("\n  split     2\n"), "{output}");
            continue;
        }
        let covered = "uncut, 4 of 4 splits with 1 cut, 6 of 6 with 2, ";
        assert!(output.contains(covered), "{output}");
        assert!(output.contains(": the same outcome of "), "{output}");
        let observed = ", observed: each chunk was read before the next was sent; ";
        assert!(output.contains(observed), "{output}");
        let connections = fs::metadata(starts(kind)).unwrap().len();
        let connections = format!("; {connections} connections in ");
        assert!(output.contains(&connections), "{output}");
    }
}

/// Prints 1000 bytes, and one more if it reads its two bytes one by one.
const PRINTS: &str = "
import socket, sys
client = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
first = client.recv(2)
sys.stdout.write('x' * (1000 + (len(first) < 2)))
";

#[test]
fn stdout_is_compared_to_its_end_or_too_long() {
    if !is_installed("python3") {
        return;
    }
    let client = script("listen-prints.py", PRINTS);
    let too_long = "the client's outcome to hex 0001 is longer than 999 bytes; allow more with";
    let cases = [
        ("999", 2, too_long),
        ("1000", 1, ", and more than --max-reply allows"),
        (
            "1K",
            1,
            "1019 bytes, from byte 1000: \"x\\n(exit status: 0)\\n\"",
        ),
    ];
    concurrently(cases, |(max, status, text)| {
        let port = free_port().to_string();
        let listen = [
            "tcp",
            "--listen",
            &port,
            "--hex",
            "0001",
            "--reply-idle=0.3",
        ];
        let options = ["--timeout=20", "--max-reply", max];
        let start = ["--", "python3", "-S", &client, &port];
        let finished = run(&[&listen[..], &options, &start].concat());
        let output = finished.stdout.clone() + &finished.stderr;
        assert!(output.contains(text), "{output}");
        finished.with_status(status);
    });
}

/// A client that sends first gets nothing before that, on no connection.
#[test]
fn a_client_that_sends_first_is_awaited() {
    let port = free_port();
    let options = ["--reply-idle=5", "--max-connections=3"];
    let output = listen_to_this(0, port, port, "wary", &options);
    assert!(!output.contains("too early"), "{output}");
}

/// Copies in both directions between a client and a port.
fn relay(listener: &TcpListener, port: u16) {
    for client in listener.incoming() {
        let client = client.unwrap();
        let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut from, &mut to));
        thread::spawn(move || {
            let _ = io::copy(&mut &server, &mut &client);
            let _ = client.shutdown(std::net::Shutdown::Write);
        });
    }
}

#[test]
fn a_relay_is_not_the_client() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let port = free_port();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let relayed = listener.local_addr().unwrap().port();
    thread::spawn(move || relay(&listener, port));
    let options = ["--reply-idle=5", "--max-connections=3"];
    let output = listen_to_this(0, port, relayed, "relayed", &options);
    for text in [
        "\nwarning: the chunks were read by ",
        ", which is not the client: the client may have read several at once\n",
        ", not observed: the chunks were read by ",
    ] {
        assert!(output.contains(text), "{output}");
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
