//! `everysplit tcp --hostile`: what nobody should send, to servers and clients that bear it
//! and to those that do not. What needs Python is skipped, with a message, where there is
//! none.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::{Ends, Serve, everysplit, free_port, listens, run, script, server, there_is};

/// Frames behind 32 bits and of at most a hundred bytes, and little patience.
const ASK: [&str; 13] = [
    "tcp",
    "--hostile",
    "--framing",
    "len32",
    "--limit",
    "100",
    "--idle",
    "0.7",
    "--timeout",
    "1",
    "--quiet",
    "0.2",
    "--budget=8",
];

/// Asks a server in this process.
#[track_caller]
fn ask(serve: Serve, status: i32) -> String {
    let address = server(serve).to_string();
    run(&[&ASK[..], &["--connect", &address]].concat()).with(status)
}

/// Gives frames back. A length that is negative or over the limit is another's business.
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

const IDLE: Option<Duration> = Some(Duration::from_millis(200));

fn right(mut socket: TcpStream) {
    serve(&mut socket, IDLE);
}

#[test]
fn a_right_server_passes() {
    let told = ask(right, 0);
    for name in [
        "in a row, truncated: 8 connections",
        "in a row, begun and then silence: 1 connection",
        "a length over the limit: 1 connection",
        "a length negative: 1 connection",
        "a length most negative: 1 connection",
        "a length maximal: 1 connection",
    ] {
        let held = format!("ok    {name}, and the next one served");
        assert!(told.contains(&held), "{told}");
    }
    for property in ["limit", "truncation", "progress"] {
        assert!(told.contains(&format!("\n{property:<12} held\n")), "{told}");
    }
}

#[test]
fn one_that_waits_for_any_length_is_caught() {
    let waits: Serve = |mut socket| {
        serve(&mut socket, None);
        let _ = socket.read_to_end(&mut Vec::new());
    };
    let told = ask(waits, 1);
    for told_too in [
        "FAIL  a length over the limit: limit\n",
        "FAIL  a length negative: limit\n",
        "FAIL  in a row, begun and then silence: progress\n",
        "  expected  an answer or the end of the connection within 700ms\n  actual    neither\n",
        // 101, little-endian.
        "\n  replay    65000000@whole\n",
    ] {
        assert!(told.contains(told_too), "{told}");
    }
}

#[test]
fn one_that_keeps_what_has_ended_is_caught() {
    let keeps: Serve = |mut socket| {
        serve(&mut socket, IDLE);
        thread::sleep(Duration::from_secs(5));
    };
    let told = ask(keeps, 1);
    let truncated = "FAIL  in a row, truncated: truncation\n";
    assert!(told.contains(truncated), "{told}");
    assert!(
        told.contains("  actual    the server keeps it open\n"),
        "{told}"
    );
}

#[test]
fn one_that_does_not_serve_the_next_is_caught() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let breaks: Serve = |mut socket| {
        if BROKEN.load(Ordering::Relaxed) {
            let _ = socket.write_all(b"?");
        } else if serve(&mut socket, IDLE).is_some_and(i32::is_negative) {
            BROKEN.store(true, Ordering::Relaxed);
        }
    };
    let told = ask(breaks, 1);
    for told_too in [
        "ok    a length over the limit: ",
        "FAIL  a length negative: progress\n",
        "  expected  the next one gets the reply to in a row: \"hello",
        "  actual    it gets \"?\"\n",
    ] {
        assert!(told.contains(told_too), "{told}");
    }
}

/// Serves one after another, with bugs: `-1` ends it, and a length that is over the limit has
/// it take 64 MiB for good.
const PYTHON: &str = "
import socket, struct, sys
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
kept = []
while True:
    client, _ = server.accept()
    client.settimeout(0.2)
    stream = client.makefile('rb')
    try:
        while size := stream.read(4):
            length, = struct.unpack('<i', size)
            if length > 100:
                if 'grows' in sys.argv:
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
";

/// One that is started is seen to end, and to grow, and the next round has a new one.
#[test]
fn what_is_started_is_watched() {
    if !there_is("python3") {
        return;
    }
    let path = script("hostile-server.py", PYTHON);
    let ask = |status, how| {
        let port = free_port();
        let start = [
            "--port",
            &port.to_string(),
            "--",
            "python3",
            &path,
            &port.to_string(),
            how,
        ];
        let told = run(&[&ASK[..], &start].concat()).with(status);
        assert!(!listens(port), "{told}");
        told
    };
    let told = ask(0, "right");
    if cfg!(target_os = "linux") {
        assert!(told.contains("\nmemory       held\n"), "{told}");
        let told = ask(1, "grows");
        for told_too in [
            "FAIL  a length over the limit: memory\n",
            "  expected  no more than 16 MiB more\n",
        ] {
            assert!(told.contains(told_too), "{told}");
        }
    }
    let told = ask(1, "ends");
    for told_too in [
        "FAIL  a length negative: progress\n",
        "  actual    the server ended (exit status: 1); the last that it wrote to stderr: ValueError: negative count\n",
        "ok    a length maximal: 1 connection, and the next one served\n",
    ] {
        assert!(told.contains(told_too), "{told}");
    }
}

/// Prints frames until it has had enough of it.
const CLIENT: &str = "
import socket, struct, sys
server = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
if sys.argv[2] == 'right':
    server.settimeout(0.3)
stream = server.makefile('rb')
try:
    while size := stream.read(4):
        length, = struct.unpack('<i', size)
        if not 0 <= length <= 100 and sys.argv[2] == 'right':
            sys.exit('refused')
        print(stream.read(length))
except (TimeoutError, struct.error):
    pass
";

#[test]
fn clients_get_it_too() {
    if !there_is("python3") {
        return;
    }
    let path = script("hostile-client.py", CLIENT);
    for (kind, status) in [("right", 0), ("wrong", 1)] {
        let port = free_port().to_string();
        let start = ["--listen", &port, "--", "python3", &path, &port, kind];
        let told = run(&[&ASK[..], &start].concat()).with(status);
        if kind == "wrong" {
            let over = "FAIL  a length over the limit: limit\n";
            assert!(told.contains(over), "{told}");
            assert!(told.contains("ok    in a row: "), "{told}");
        }
    }
}

/// What is told of a hostile stream is tried again from its token.
#[test]
fn a_hostile_token_is_replayed() {
    let waits: Serve = |mut socket| {
        serve(&mut socket, None);
        let _ = socket.read_to_end(&mut Vec::new());
    };
    for (serve, status) in [(waits, 1), (right as Serve, 0)] {
        let address = server(serve).to_string();
        let replay = ["replay", "ffffffff@whole"];
        let told = run(&[&replay, &ASK[..], &["--connect", &address]].concat()).with(status);
        assert_eq!(
            told.contains("FAIL  replayed: limit\n"),
            status == 1,
            "{told}"
        );
    }
}

/// Ctrl-C ends what was started, and what was covered is told.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    if !there_is("python3") {
        return;
    }
    let path = script("interrupted-server.py", PYTHON);
    let port = free_port();
    // A program between the command and the server, which is ended all the same.
    let shell = format!("python3 {path} {port} right & wait");
    let port_text = port.to_string();
    let start = [
        "--rate", "20", "--port", &port_text, "--", "sh", "-c", &shell,
    ];
    let mut command = everysplit(&[&ASK[..], &start].concat());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Ends(child.unwrap());
    while !listens(port) {
        thread::sleep(Duration::from_millis(10));
    }
    // In the middle of it, whatever that is.
    thread::sleep(Duration::from_millis(500));
    let interrupt = ["-INT", &child.0.id().to_string()].map(String::from);
    assert!(
        std::process::Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    let status = child.0.wait().unwrap();
    let (mut told, mut said) = (String::new(), String::new());
    child
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    child
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(status.code(), Some(2), "{told}{said}");
    assert!(told.contains(" connections in "), "{told}");
    assert!(told.contains("not all was asked: interrupted\n"), "{told}");
    assert_eq!(said, "everysplit: interrupted\n");
    assert!(!listens(port));
}
