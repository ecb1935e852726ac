//! `everysplit tcp`: which process reads the chunks, how much of them, and what the report says
//! about it. Also the addresses of servers, Unix sockets among them.

use std::fs;
#[cfg(unix)]
use std::io;
use std::io::{Read, Write};
#[cfg(unix)]
use std::mem::MaybeUninit;
#[cfg(unix)]
use std::net::Shutdown;
use std::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{self, Command};
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use socket2::SockRef;

use crate::program::{
    Finished, KilledOnDrop, REQUEST, Serve, concurrently, free_port, is_installed, run, script,
    server, start_listening,
};

/// Echoes everything at once.
fn echo(mut socket: TcpStream) {
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        if socket.write_all(&chunk[..read]).is_err() {
            return;
        }
    }
}

const QUICK: &str = "--reply-idle=0.2";

/// Tests a server at this address; returns stdout.
#[track_caller]
fn check(address: &str, status: i32, arguments: &[&str]) -> String {
    let connect = ["tcp", "--connect", address, "--hex", REQUEST, QUICK];
    run(&[&connect, arguments].concat()).with_status(status)
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_that_reads_is_named() {
    let address = server(echo).to_string();
    let own = process::id();
    let output = check(&address, 0, &[]);
    let named = format!("(pid {own}) before the next was sent; ");
    assert!(output.contains(&named), "{output}");
    assert!(!output.contains("warning"), "{output}");
    let output = check(&address, 0, &["--pid", &own.to_string()]);
    let observed = ", observed: each chunk was read before the next was sent; ";
    assert!(output.contains(observed), "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn chunks_that_another_process_reads_are_not_observed() {
    let sleep = Command::new("sleep").arg("100").spawn().unwrap();
    let sleep = KilledOnDrop(sleep);
    let address = server(echo).to_string();
    let output = check(&address, 0, &["--pid", &sleep.0.id().to_string()]);
    let other = format!("(pid {}), which is not the server", process::id());
    for text in [
        ", not observed: the chunks were read by command-".into(),
        format!("{other}; "),
        format!("{other}: the server may have read several at once\n"),
    ] {
        assert!(output.contains(&text), "{text}: {output}");
    }
}

/// As of a server of another user. Only root can become one.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_cannot_be_seen_may_not_be_the_server() {
    use std::os::unix::fs::MetadataExt as _;

    if !is_installed("setpriv") {
        return;
    }
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: this user is not root");
        return;
    }
    let address = server(echo).to_string();
    let pid = process::id().to_string();
    let hidden = "a process that this user may not look at";
    let cases = [
        (
            &[][..],
            format!(", observed: each chunk was read by {hidden} before the next"),
        ),
        (
            &["--pid", &pid],
            format!(
                ", not observed: the chunks were read by {hidden}, which may not be the server"
            ),
        ),
    ];
    for (options, expected) in cases {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(env!("CARGO_BIN_EXE_everysplit"));
        command.args(["tcp", "--connect", &address, "--hex", REQUEST, QUICK]);
        let output = Finished::from(command.args(options).output().unwrap()).with_status(0);
        let warning = format!("the chunks were read by {hidden}: if it is not the server, ");
        for text in [expected, warning] {
            assert!(output.contains(&text), "{text}: {output}");
        }
    }
}

/// A published container port and an ssh tunnel are relays too.
#[cfg(target_os = "linux")]
#[test]
fn a_relay_is_not_the_server() {
    if !is_installed("socat") {
        return;
    }
    let port = free_port();
    let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork");
    let mut relay = Command::new("socat");
    relay.args([listen, format!("TCP:{}", server(echo))]);
    let _relay = start_listening(relay, port);
    let address = format!("127.0.0.1:{port}");
    let server = KilledOnDrop(Command::new("sleep").arg("100").spawn().unwrap());
    let output = check(&address, 0, &["--pid", &server.0.id().to_string()]);
    assert!(
        output.contains(", not observed: the chunks were read by socat (pid "),
        "{output}"
    );
    let output = check(&address, 0, &[]);
    assert!(
        output.contains("observed: each chunk was read by socat (pid "),
        "{output}"
    );
}

/// Forks for each client: the child that reads belongs to the server.
const FORKS: &str = "
import os, signal, socket, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    client, _ = server.accept()
    if os.fork() == 0:
        while data := client.recv(1024):
            client.sendall(data)
        os._exit(0)
    client.close()
";

#[cfg(target_os = "linux")]
#[test]
fn a_child_of_the_server_is_the_server() {
    if !is_installed("python3") {
        return;
    }
    let path = script("reader-forks.py", FORKS);
    let port = free_port().to_string();
    let start = ["--", "python3", "-S", &path, &port];
    let tcp = ["tcp", "--port", &port, "--hex", REQUEST, QUICK];
    let output = run(&[&tcp[..], &["--timeout=20"], &start].concat()).with_status(0);
    let observed = ", observed: each chunk was read before the next was sent; ";
    assert!(output.contains(observed), "{output}");
}

/// Something that the command starts can be no server.
#[cfg(target_os = "linux")]
#[test]
fn another_server_on_the_port_is_not_the_started_one() {
    let started = format!("{}/reader-started", env!("CARGO_TARGET_TMPDIR"));
    let _ = fs::remove_file(&started);
    let port = free_port();
    let is_started = started.clone();
    thread::spawn(move || {
        while !fs::exists(&is_started).unwrap() {
            thread::sleep(Duration::from_millis(5));
        }
        for socket in TcpListener::bind(("127.0.0.1", port)).unwrap().incoming() {
            thread::spawn(|| echo(socket.unwrap()));
        }
    });
    let port = port.to_string();
    let tcp = ["tcp", "--port", &port, "--hex", REQUEST, QUICK, "--"];
    let shell = ["sh", "-c", ">\"$0\"; exec sleep 100", &started];
    let output = run(&[&tcp[..], &shell].concat()).with_status(0);
    let other = ", not observed: the chunks were read by command-";
    assert!(output.contains(other), "{output}");
}

/// Refuses everything after one read.
fn refuses(mut socket: TcpStream) {
    let _ = socket.read(&mut [0; 10]);
    let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

/// Refuses everything after one read, and then reads the rest.
fn refuses_early(mut socket: TcpStream) {
    let _ = socket.read(&mut [0; 10]);
    let _ = socket.write_all(b"554 early talker\r\n");
    let _ = socket.read_to_end(&mut Vec::new());
}

#[test]
fn a_server_that_does_not_read_everything_is_a_warning() {
    let report = |name: &str| format!("{}/readers.{name}", env!("CARGO_TARGET_TMPDIR"));
    let reports = ["html", "json", "xml"].map(report);
    let written: Vec<_> = reports.iter().flat_map(|file| ["--report", file]).collect();
    let request = "47".repeat(45);
    let address = server(refuses).to_string();
    let arguments = ["tcp", "--connect", &address, "--hex", &request];
    let mask = ["--max-connections=10", "--mask=(?s).+"];
    let output = run(&[&arguments[..], &mask, &written].concat()).with_status(0);
    let warning = "before it has read everything; what it does not read is not tested";
    assert!(output.contains("\nwarning: hex 4747"), "{output}");
    assert!(output.contains(warning), "{output}");
    assert!(!output.contains(" splits, observed"), "{output}");
    for report in reports {
        let text = fs::read_to_string(&report).unwrap();
        assert!(text.contains(warning), "{report}: {text}");
    }
}

#[test]
fn a_reply_that_comes_early_is_a_warning() {
    let address = server(refuses_early).to_string();
    let output = check(&address, 0, &[]);
    for text in [
        ": the same reply of 18 bytes: \"554 early talker...\"\n",
        "\nwarning: hex 026f6b0161: the whole reply came after at most ",
    ] {
        assert!(output.contains(text), "{output}");
    }
    // A part of a conversation, too.
    let first: Serve = |mut socket| {
        let _ = socket.read_exact(&mut [0]);
        let _ = socket.write_all(b"ok");
        let _ = socket.read_to_end(&mut Vec::new());
    };
    let address = server(first).to_string();
    let turn = script("reader-turn.script", "send \"abcdefgh\"\nexpect \"ok\"\n");
    let output = run(&["tcp", "--connect", &address, "--script", &turn, QUICK]).with_status(0);
    assert!(output.contains(" came after at most "), "{output}");
    assert!(!output.contains(" after at most 0 of"), "{output}");
    // The last byte comes in time, but is not needed.
    let patient: Serve = |mut socket| {
        let _ = socket.read_exact(&mut [0; 4]);
        let _ = socket.set_read_timeout(Some(Duration::from_millis(100)));
        let _ = socket.read(&mut [0]);
        let _ = socket.write_all(b"ok");
        let _ = socket.set_read_timeout(None);
        let _ = socket.read_to_end(&mut Vec::new());
    };
    let output = check(&server(patient).to_string(), 0, &[]);
    let warning = ": the whole reply came after at most 4 of 5 bytes; ";
    assert!(output.contains(warning), "{output}");
}

#[test]
fn the_same_reply_to_all_streams_is_a_warning() {
    let refuses: Serve = |mut socket| {
        let _ = socket.read_exact(&mut [0; 5]);
        let _ = socket.write_all(b"no\n");
        let _ = socket.read_to_end(&mut Vec::new());
    };
    let cases = [(refuses, true), (echo as Serve, false)];
    concurrently(cases, |(serve, warns)| {
        let address = server(serve).to_string();
        let output = check(&address, 0, &["--hex", "026f6b0162"]);
        let warning =
            "\nwarning: the server has the same reply to all 2 streams: \"no...\"; if it refuses";
        assert_eq!(output.contains(warning), warns, "{output}");
        assert_eq!(
            output.contains(" 0 violated, 1 warning\n"),
            warns,
            "{output}"
        );
    });
}

/// Some servers listen on `::1` only.
#[test]
fn an_address_of_this_machine_is_not_remote() {
    let serve = |listener: TcpListener| {
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for socket in listener.incoming() {
                thread::spawn(move || echo(socket.unwrap()));
            }
        });
        port
    };
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        let port = serve(listener);
        check(&format!("localhost:{port}"), 0, &[]);
    } else {
        eprintln!("skipped: there is no ::1");
    }
    let port = serve(TcpListener::bind("0.0.0.0:0").unwrap());
    check(&format!("0.0.0.0:{port}"), 0, &[]);
    check(&format!("[::ffff:127.0.0.1]:{port}"), 0, &[]);
    // Nothing is sent: this finds the address that would be used.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    if socket.connect("192.0.2.1:7").is_ok() {
        let own = socket.local_addr().unwrap().ip();
        check(&format!("{own}:{port}"), 0, &[]);
    }
}

/// Starts a server on a Unix socket, which ends with this process. Returns its address.
#[cfg(unix)]
fn unix_server(name: &str, serve: fn(UnixStream)) -> String {
    let path = format!("{}/{name}.sock", env!("CARGO_TARGET_TMPDIR"));
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            thread::spawn(move || serve(socket.unwrap()));
        }
    });
    format!("unix:{path}")
}

/// Reads some bytes, and replies when another one has come. Then it closes the connection. A client
/// sees this before the rest is read.
#[cfg(unix)]
fn reads<const LEN: usize>(socket: &mut UnixStream) -> io::Result<()> {
    socket.read_exact(&mut [0; LEN])?;
    let view = SockRef::from(&*socket);
    view.peek(&mut [MaybeUninit::uninit()])?;
    socket.write_all(b"ok")?;
    socket.shutdown(Shutdown::Both)
}

#[cfg(unix)]
fn replies<const LEN: usize>(mut socket: UnixStream) {
    if socket.read_exact(&mut [0; LEN]).is_ok() {
        let _ = socket.write_all(b"ok");
    }
}

/// The system resets a connection only if bytes that have come are not read.
#[cfg(unix)]
#[test]
fn a_unix_server_that_closes_early_is_a_warning() {
    let [one, all]: [fn(UnixStream); 2] = [replies::<1>, replies::<5>];
    let all_but_last = |mut socket: UnixStream| drop(reads::<4>(&mut socket));
    let first = |mut socket: UnixStream| {
        if reads::<2>(&mut socket).is_ok() {
            let _ = socket.read_to_end(&mut Vec::new());
        }
    };
    let early = "the server closes the connection";
    let cases: [(&str, fn(UnixStream), Option<&str>); 3] = [
        ("all", all, None),
        ("all-but-last", all_but_last, Some("")),
        ("first", first, Some(" after at most 3 of 5 bytes")),
    ];
    for (name, serve, read) in cases {
        let output = check(&unix_server(name, serve), 0, &[]);
        let Some(read) = read else {
            assert!(!output.contains("warning"), "{output}");
            continue;
        };
        let warning = format!("{early}{read}, before it has read everything");
        assert!(output.contains(&warning), "{name}: {output}");
    }
    // The second turn cannot be sent.
    let address = unix_server("one", one);
    let turns = script(
        "reader-turns.script",
        "send \"a\"\nexpect \"ok\"\nsend \"b\"\n",
    );
    let output = run(&["tcp", "--connect", &address, "--script", &turns]).with_status(0);
    let warning = format!("{early} after at most 1 of 2 bytes");
    assert!(output.contains(&warning), "{output}");
}

#[cfg(unix)]
#[test]
fn servers_on_unix_sockets_are_tested_too() {
    let one_recv = |mut socket: UnixStream| {
        let mut chunk = [0; 1024];
        while let Ok(read @ 1..) = socket.read(&mut chunk) {
            if socket.write_all(&[&chunk[..read], b"."].concat()).is_err() {
                return;
            }
        }
    };
    let correct = |mut socket: UnixStream| {
        let mut chunk = [0; 1024];
        while let Ok(read @ 1..) = socket.read(&mut chunk) {
            if socket.write_all(&chunk[..read]).is_err() {
                return;
            }
        }
    };
    let cases: [(&str, fn(UnixStream), i32); 2] = [("correct", correct, 0), ("buggy", one_recv, 1)];
    concurrently(cases, |(name, serve, status)| {
        let address = unix_server(name, serve);
        let output = check(&address, status, &[]);
        if status == 1 {
            assert!(output.contains("\n  split     1\n"), "{output}");
            assert!(output.contains(&format!("--connect {address}")), "{output}");
        }
        if cfg!(target_os = "linux") {
            let read = "observed: each chunk was read by command-";
            assert!(output.contains(read), "{output}");
        }
    });
}
