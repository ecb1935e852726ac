//! `everysplit proxy`: what passes through it, and the failures of a test command that it reduces.
//! Tests that need Python are skipped, with a message, if it is not installed.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{SockAddr, Socket, Type};

#[cfg(target_os = "linux")]
use crate::program::processor_time;
use crate::program::{
    Finished, KilledOnDrop, concurrently, everysplit, fails, free_port, is_installed, run,
    run_to_its_end, script, usage_error,
};

/// Options for a machine that is busy with other programs.
const PATIENT: [&str; 2] = ["--max-idle=100", "--max-wait=100"];

/// Where a server or the proxy listens.
#[derive(Clone, Copy, Debug)]
enum Family {
    Tcp,
    Unix,
}

const FAMILIES: [Family; 2] = [Family::Tcp, Family::Unix];

/// Returns a path in the temporary folder of the tests that is not in use.
fn new_path(extension: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    // The paths of sockets are short.
    let folder = env!("CARGO_TARGET_TMPDIR");
    format!("{folder}/{process}-{count}.{extension}")
}

impl Family {
    /// Returns an address to listen on.
    fn address(self) -> String {
        match self {
            Self::Tcp => "127.0.0.1:0".into(),
            Self::Unix => format!("unix:{}", new_path("socket")),
        }
    }
}

fn system_address(address: &str) -> SockAddr {
    match address.strip_prefix("unix:") {
        Some(path) => SockAddr::unix(path).unwrap(),
        None => address.parse::<SocketAddr>().unwrap().into(),
    }
}

fn connect(address: &str) -> Socket {
    let address = system_address(address);
    let socket = Socket::new(address.domain(), Type::STREAM, None).unwrap();
    socket.connect(&address).unwrap();
    socket
}

/// Starts a server for many clients, which ends with this process. Returns its address.
fn serve(family: Family, serve: impl Fn(&Socket) + Clone + Send + 'static) -> String {
    let mut address = family.address();
    let system = system_address(&address);
    let listener = Socket::new(system.domain(), Type::STREAM, None).unwrap();
    listener.bind(&system).unwrap();
    listener.listen(1024).unwrap();
    if let Some(local) = listener.local_addr().unwrap().as_socket() {
        address = local.to_string();
    }
    thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            let serve = serve.clone();
            thread::spawn(move || serve(&socket));
        }
    });
    address
}

/// Sends back everything.
fn echo(mut socket: &Socket) {
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        if socket.write_all(&chunk[..read]).is_err() {
            return;
        }
    }
}

/// A running proxy without a test command.
struct Proxy {
    child: KilledOnDrop,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Proxy {
    fn start(listen: Family, to: &str, arguments: &[&str]) -> Self {
        let listen = listen.address();
        let verb = ["proxy", "--listen", &listen, "--to", to];
        Self::of(everysplit(&[&verb, arguments].concat()))
    }

    fn of(mut command: Command) -> Self {
        let mut child = KilledOnDrop(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on ").unwrap();
        let address = address.split_once(", to ").unwrap().0.to_string();
        Self {
            child,
            stdout,
            address,
        }
    }

    /// Interrupts it; returns the summary.
    fn end(mut self) -> String {
        interrupt(&self.child);
        let mut summary = String::new();
        self.stdout.read_to_string(&mut summary).unwrap();
        assert_eq!(self.child.0.wait().unwrap().code(), Some(0), "{summary}");
        if let Some(path) = self.address.strip_prefix("unix:") {
            assert!(!fs::exists(path).unwrap(), "{path}");
        }
        summary
    }
}

fn interrupt(child: &KilledOnDrop) {
    let id = child.0.id().to_string();
    let status = Command::new("kill").args(["-INT", &id]).status();
    assert!(status.unwrap().success());
}

/// Returns bytes that differ from stream to stream.
fn random_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..))
        .take(length)
        .collect()
}

/// Sends bytes and reads a reply of the same length at the same time.
fn exchange(socket: &Socket, bytes: &[u8]) -> Vec<u8> {
    let mut reply = vec![0; bytes.len()];
    thread::scope(|scope| {
        scope.spawn(|| (&*socket).write_all(bytes).unwrap());
        (&*socket).read_exact(&mut reply).unwrap();
    });
    reply
}

#[test]
fn many_connections_are_identical() {
    const CONNECTIONS: u64 = 200;
    concurrently(FAMILIES, |family| {
        let to = serve(family, echo);
        let proxy = Proxy::start(
            family,
            &to,
            &["--max-cuts=50", "--seed=7", "--max-wait=100"],
        );
        let total: usize = thread::scope(|scope| {
            let workers = (0..8).map(|worker| {
                let address = &proxy.address;
                scope.spawn(move || {
                    let mut total = 0;
                    for seed in (worker..CONNECTIONS).step_by(8) {
                        let bytes = random_bytes(seed, usize::try_from(seed * 100).unwrap());
                        assert!(exchange(&connect(address), &bytes) == bytes, "{seed}");
                        total += bytes.len();
                    }
                    total
                })
            });
            let workers: Vec<_> = workers.collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .sum()
        });
        let summary = proxy.end();
        let passed = format!(
            "{CONNECTIONS} connections, {total} bytes to the server, {total} bytes to the client"
        );
        assert!(summary.starts_with(&passed), "{summary}");
        let limited = " directions reached --max-cuts, and passed uncut from there; in ";
        assert!(summary.contains(limited), "{summary}");
        if cfg!(target_os = "linux") {
            assert!(summary.contains(" observed"), "{summary}");
            assert!(!summary.contains(" timed"), "{summary}");
        }
    });
}

/// The server reads exactly the chunks of the file, and so does the client.
#[test]
fn each_chunk_is_read_alone() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let file = new_path("cuts");
    let text = "connection 1 client-to-server 1,4\nconnection 2 server-to-client 2,3,9\n";
    fs::write(&file, text).unwrap();
    for family in FAMILIES {
        let (lengths, received) = mpsc::channel();
        let to = serve(family, move |socket| {
            let mut chunk = [0; 100];
            let mut read = Vec::new();
            while read.iter().sum::<usize>() < 10 {
                read.push((&*socket).read(&mut chunk).unwrap());
            }
            lengths.send(read).unwrap();
            (&*socket).write_all(&chunk[..10]).unwrap();
        });
        let proxy = Proxy::start(family, &to, &["--replay", &file, "--max-wait=100"]);
        for (at_server, at_client) in [(vec![1, 3, 6], vec![10]), (vec![10], vec![2, 1, 6, 1])] {
            let socket = connect(&proxy.address);
            (&socket).write_all(b"0123456789").unwrap();
            assert_eq!(received.recv().unwrap(), at_server, "{family:?}");
            let mut chunk = [0; 100];
            let read = at_client
                .iter()
                .map(|_| (&socket).read(&mut chunk).unwrap());
            assert_eq!(read.collect::<Vec<_>>(), at_client, "{family:?}");
            assert_eq!((&socket).read(&mut chunk).unwrap(), 0);
        }
        let summary = proxy.end();
        assert!(summary.contains("; 5 cuts, observed: "), "{summary}");
        assert!(!summary.contains("--max-cuts"), "{summary}");
    }
    fs::remove_file(file).unwrap();
}

#[test]
fn half_closes_are_forwarded() {
    concurrently(FAMILIES, |family| {
        // Replies only when the client has half-closed, and then half-closes too.
        let (ends, received) = mpsc::channel();
        let to = serve(family, move |socket| {
            let mut all = Vec::new();
            (&*socket).read_to_end(&mut all).unwrap();
            (&*socket).write_all(&all).unwrap();
            ends.send(all.len()).unwrap();
        });
        let proxy = Proxy::start(family, &to, &["--max-cuts=100"]);
        let socket = connect(&proxy.address);
        let bytes = random_bytes(1, 30_000);
        (&socket).write_all(&bytes).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let mut reply = Vec::new();
        (&socket).read_to_end(&mut reply).unwrap();
        assert!(reply == bytes);
        assert_eq!(received.recv().unwrap(), bytes.len());

        // The client sends only when the server has half-closed.
        let (ends, received) = mpsc::channel();
        let to = serve(family, move |socket| {
            (&*socket).write_all(b"hello").unwrap();
            socket.shutdown(Shutdown::Write).unwrap();
            let mut all = Vec::new();
            (&*socket).read_to_end(&mut all).unwrap();
            ends.send(all).unwrap();
        });
        let proxy = Proxy::start(family, &to, &["--max-cuts=100"]);
        let socket = connect(&proxy.address);
        let mut greeting = Vec::new();
        (&socket).read_to_end(&mut greeting).unwrap();
        assert_eq!(greeting, b"hello");
        (&socket).write_all(&bytes).unwrap();
        drop(socket);
        assert!(received.recv().unwrap() == bytes);
    });
}

/// Reads until an error, and returns the bytes before it and the error's kind.
fn read_to_error(socket: &Socket) -> (Vec<u8>, Option<ErrorKind>) {
    let mut all = Vec::new();
    let error = (&*socket).read_to_end(&mut all).err();
    (all, error.map(|error| error.kind()))
}

/// Closes a socket with a reset.
fn reset(socket: Socket) {
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    drop(socket);
}

#[test]
fn resets_are_forwarded_in_both_directions() {
    let (ends, received) = mpsc::channel();
    let to = serve(Family::Tcp, move |socket| {
        let mut command = [0; 5];
        (&*socket).read_exact(&mut command).unwrap();
        (&*socket).write_all(b"reply").unwrap();
        if &command == b"reset" {
            socket.set_linger(Some(Duration::ZERO)).unwrap();
        } else {
            ends.send(read_to_error(socket)).unwrap();
        }
    });
    let proxy = Proxy::start(Family::Tcp, &to, &[]);
    let reset_by_peer = Some(ErrorKind::ConnectionReset);

    // Bytes before the reset arrive.
    let socket = connect(&proxy.address);
    (&socket).write_all(b"reset").unwrap();
    assert_eq!(read_to_error(&socket), (b"reply".to_vec(), reset_by_peer));

    for command in ["stay.", "close"] {
        let socket = connect(&proxy.address);
        (&socket).write_all(command.as_bytes()).unwrap();
        let mut reply = [0; 5];
        (&socket).read_exact(&mut reply).unwrap();
        let expected = if command == "close" {
            drop(socket);
            None
        } else {
            reset(socket);
            reset_by_peer
        };
        assert_eq!(
            received.recv().unwrap(),
            (Vec::new(), expected),
            "{command}"
        );
    }
    let summary = proxy.end();
    assert!(summary.contains(", 2 resets; "), "{summary}");
}

/// A client that is not read can send only so much, and loses nothing when it is read again. If it
/// resets the connection instead, the server sees that.
#[test]
fn back_pressure_is_forwarded() {
    /// More than the queues of all sockets hold, in bytes.
    const LIMIT: usize = 256 * 1024 * 1024;
    concurrently([Family::Tcp, Family::Unix], |family| {
        for resets in [false, true] {
            let (start, started) = mpsc::channel::<()>();
            let started = std::sync::Arc::new(std::sync::Mutex::new(started));
            let (ends, received) = mpsc::channel();
            let to = serve(family, move |socket| {
                started.lock().unwrap().recv().unwrap();
                ends.send(read_to_error(socket)).unwrap();
            });
            let proxy = Proxy::start(family, &to, &["--max-cuts=0"]);
            let socket = connect(&proxy.address);
            socket
                .set_write_timeout(Some(Duration::from_millis(300)))
                .unwrap();
            let chunk = random_bytes(1, 1_000_003);
            let mut sent = 0;
            while let Ok(written) = (&socket).write(&chunk[sent % chunk.len()..]) {
                sent += written;
                assert!(sent < LIMIT, "{family:?}");
            }
            if resets {
                reset(socket);
            } else {
                drop(socket);
            }
            if !resets {
                start.send(()).unwrap();
            } else if matches!(family, Family::Tcp) {
                // The reset overtakes the bytes that are not read.
                thread::sleep(Duration::from_millis(100));
                start.send(()).unwrap();
            } else {
                continue;
            }
            let (all, error) = received.recv().unwrap();
            let expected = chunk.iter().cycle().take(all.len());
            assert!(all.iter().eq(expected), "{family:?}");
            if resets {
                assert_eq!(error, Some(ErrorKind::ConnectionReset));
            } else {
                assert_eq!((all.len(), error), (sent, None), "{family:?}");
            }
        }
    });
}

/// A server that reads nothing notices a reset too, also after a half-close.
#[test]
fn a_reset_reaches_a_server_that_does_not_read() {
    concurrently([false, true], |half_closes| {
        let (ready, is_ready) = mpsc::channel();
        let (errors, received) = mpsc::channel();
        let to = serve(Family::Tcp, move |socket| {
            if half_closes {
                read_to_error(socket);
                ready.send(()).unwrap();
            }
            loop {
                if let Some(error) = socket.take_error().unwrap() {
                    return errors.send(error.kind()).unwrap();
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        let proxy = Proxy::start(Family::Tcp, &to, &["--max-cuts=0"]);
        let socket = connect(&proxy.address);
        let expected = if half_closes {
            socket.shutdown(Shutdown::Write).unwrap();
            is_ready.recv().unwrap();
            ErrorKind::BrokenPipe
        } else {
            write_until_blocked(&socket);
            ErrorKind::ConnectionReset
        };
        reset(socket);
        let error = received.recv_timeout(Duration::from_secs(60));
        assert_eq!(error, Ok(expected), "{half_closes}");
    });
}

/// Writes as much as a proxy takes for a server that does not read.
fn write_until_blocked(mut socket: &Socket) {
    let timeout = Some(Duration::from_millis(300));
    socket.set_write_timeout(timeout).unwrap();
    while socket.write(&[0; 10_000]).is_ok() {}
}

/// While nothing passes, the proxy only looks now and then whether a chunk has been read.
#[cfg(target_os = "linux")]
#[test]
fn waiting_takes_little_time_of_the_processor() {
    let file = script("proxy-first.cuts", "connection 1 client-to-server 1\n");
    let cases = [(["--replay", &file], 400), (["--max-cuts", "0"], 100)];
    concurrently(cases, |(cuts, max_milliseconds)| {
        let to = serve(Family::Tcp, |_| thread::park());
        let patient = [&cuts[..], &["--max-wait=100"]].concat();
        let proxy = Proxy::start(Family::Tcp, &to, &patient);
        let open = [(); 5].map(|()| connect(&proxy.address));
        let [first, half_closed, blocked, ..] = &open;
        (&*first).write_all(b"hello").unwrap();
        half_closed.shutdown(Shutdown::Write).unwrap();
        write_until_blocked(blocked);
        let before = processor_time(proxy.child.0.id());
        thread::sleep(Duration::from_secs(1));
        let used = processor_time(proxy.child.0.id()) - before;
        assert!(used < max_milliseconds, "{cuts:?}: {used}");
        let summary = proxy.end();
        assert!(summary.starts_with("5 connections, "), "{summary}");
    });
}

/// A connection that the proxy has closed first does not keep its port.
#[test]
fn a_port_can_be_used_again_at_once() {
    let to = serve(Family::Tcp, |_| {});
    let proxy = Proxy::start(Family::Tcp, &to, &[]);
    let address = proxy.address.clone();
    assert_eq!(read_to_error(&connect(&address)), (Vec::new(), None));
    assert!(proxy.end().starts_with("1 connection, "));
    let proxy = Proxy::of(everysplit(&["proxy", "--listen", &address, "--to", &to]));
    assert_eq!(proxy.address, address);
}

/// With few files, connections wait until others have ended.
#[test]
fn too_many_connections_wait() {
    let to = serve(Family::Tcp, echo);
    let binary = env!("CARGO_BIN_EXE_everysplit");
    let mut command = Command::new("sh");
    let start = "ulimit -n 30; exec \"$0\" proxy --listen 0 --to \"$1\" --max-cuts 3";
    command.args(["-c", start, binary, &to]);
    let proxy = Proxy::of(command);
    concurrently(0..60, |seed| {
        let bytes = random_bytes(seed, 500);
        let socket = connect(&proxy.address);
        assert!(exchange(&socket, &bytes) == bytes);
    });
    let summary = proxy.end();
    assert!(
        summary.starts_with("60 connections, 30000 bytes "),
        "{summary}"
    );
}

/// The proxy connects again to a Unix server whose queue of connections is full.
#[test]
fn a_busy_unix_server_gets_every_connection() {
    const CLIENTS: u64 = 12;
    let to = Family::Unix.address();
    let listener = Socket::new(socket2::Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&system_address(&to)).unwrap();
    listener.listen(1).unwrap();
    let proxy = Proxy::start(Family::Tcp, &to, &[]);
    thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            echo(&socket);
        }
    });
    concurrently(0..CLIENTS, |seed| {
        let bytes = random_bytes(seed, 500);
        assert!(exchange(&connect(&proxy.address), &bytes) == bytes);
    });
    assert!(proxy.end().starts_with("12 connections, 6000 bytes "));
}

/// Replies to each message, which is two bytes with its length and a body, with the same message.
/// Ends with the client.
fn correct(socket: &Socket) {
    answer(socket, |socket, header| socket.read_exact(header).is_ok());
}

/// Loses a header of which it reads only one byte.
fn loses_headers(socket: &Socket) {
    answer(socket, |socket, header| {
        while let Ok(read @ 1..) = socket.read(header) {
            if read == header.len() {
                return true;
            }
        }
        false
    });
}

fn answer(mut socket: &Socket, read_header: impl Fn(&mut &Socket, &mut [u8; 2]) -> bool) {
    let mut header = [0; 2];
    while read_header(&mut socket, &mut header) {
        let mut body = vec![0; u16::from_be_bytes(header).into()];
        if socket.read_exact(&mut body).is_err()
            || socket.write_all(&[&header[..], &body].concat()).is_err()
        {
            return;
        }
    }
}

/// Not a test but the test command, if the proxy starts this program as one. It never waits in
/// vain: the server ends when the client half-closes.
#[test]
fn client() {
    let Ok(address) = env::var("EVERYSPLIT_ADDRESS") else {
        return;
    };
    let address = match env::var("EVERYSPLIT_PORT") {
        Ok(port) => {
            assert_eq!(address.rsplit_once(':').unwrap().1, port);
            address
        }
        Err(_) => format!("unix:{address}"),
    };
    for messages in [1, 5, 2] {
        let socket = connect(&address);
        let mut sent = Vec::new();
        for body in ["hello", "", "a longer message"]
            .iter()
            .cycle()
            .take(messages)
        {
            sent.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
            sent.extend(body.as_bytes());
        }
        (&socket).write_all(&sent).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_error(&socket), (sent, None));
    }
}

/// Runs the test command above through the proxy.
fn test(listen: &str, to: &str, arguments: &[&str]) -> Finished {
    let program = env::current_exe().unwrap();
    let command = ["--", program.to_str().unwrap(), "--exact", "proxy::client"];
    let verb = ["proxy", "--listen", listen, "--to", to];
    run(&[&verb[..], &PATIENT, arguments, &command].concat())
}

const PYTHON: &str = "
import os, socket, unittest
host, port = os.environ['EVERYSPLIT_ADDRESS'].rsplit(':', 1)

class Echo(unittest.TestCase):
    def check(self, *bodies):
        with socket.create_connection((host, int(port))) as client:
            sent = b''.join(len(body).to_bytes(2, 'big') + body for body in bodies)
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.makefile('rb').read(), sent)

    def test_empty(self):
        self.check(b'')

    def test_long(self):
        self.check(b'x' * 3000)

    def test_three(self):
        self.check(b'a', b'bc', b'def')

unittest.main()
";

/// Returns the path of Python, if it is installed. Without the wrappers of version managers, it
/// starts several times faster.
fn python() -> Option<String> {
    if !is_installed("python3") {
        return None;
    }
    let mut command = Command::new("python3");
    let output = command
        .args(["-c", "import sys; print(sys.executable)"])
        .output();
    let path = String::from_utf8(output.unwrap().stdout).unwrap();
    Some(path.trim_end().into())
}

/// A bug of the server is found by the tests of a client, and reduced to one cut inside a header.
/// The file replays it, and a correct server passes with the same cut.
#[test]
fn a_failure_is_reduced_to_one_cut() {
    let python = python().map(|python| vec![python, "-S".into(), script("proxy-suite.py", PYTHON)]);
    let this = env::current_exe().unwrap();
    let this = this.to_str().unwrap().to_string();
    let rust = vec![this, "--exact".into(), "proxy::client".into()];
    let clients = [Some((rust, true)), python.map(|python| (python, false))];
    concurrently(clients.into_iter().flatten(), |(client, replays)| {
        let client: Vec<_> = client.iter().map(String::as_str).collect();
        let file = new_path("cuts");
        let to = serve(Family::Tcp, loses_headers);
        let proxy = ["proxy", "--listen", "0", "--to", &to];
        let save = ["--save", &file, "--"];
        let output = run(&[&proxy[..], &PATIENT, &save, &client].concat()).with_status(1);
        let (cut, rest) = output
            .split_once(" client-to-server: cut after byte ")
            .unwrap();
        assert!(!rest.contains(": cut after byte "), "{output}");
        assert!(
            rest.contains("\n  fails     5 of 5 with 1 cut\n"),
            "{output}"
        );
        assert!(cut.starts_with("every_split: "), "{output}");
        // Cuts with which it passes are tried once.
        let runs = output.split_once(", reduced in ").unwrap().1;
        let runs: u32 = runs.split(' ').next().unwrap().parse().unwrap();
        assert!(runs <= 25, "{output}");
        let uncut = "the test command passes, as in 9 of 9 runs without cuts\n";
        assert!(output.contains(uncut), "{output}");
        if cfg!(target_os = "linux") {
            assert!(output.contains(" cuts, observed: "), "{output}");
        }
        let saved = fs::read_to_string(&file).unwrap();
        let lines: Vec<_> = saved
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert_eq!(lines.len(), 1, "{saved}");
        assert!(!lines[0].contains(','), "{saved}");

        if !replays {
            fs::remove_file(file).unwrap();
            return;
        }
        let replay = ["--replay", &file, "--"];
        let output = run(&[&proxy[..], &PATIENT, &replay, &client].concat()).with_status(1);
        assert!(
            output.contains("\n  fails     5 of 5 with 1 cut\n"),
            "{output}"
        );
        // The line that the run printed does the same.
        let line = output.split_once("\n  run       everysplit ").unwrap().1;
        let words = shlex::split(line.lines().next().unwrap()).unwrap();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        run(&words).with_status(1);

        let to = serve(Family::Tcp, correct);
        let proxy = ["proxy", "--listen", "0", "--to", &to];
        let output = run(&[&proxy[..], &PATIENT, &replay, &client].concat()).with_status(0);
        assert!(output.contains("5 runs with 1 of the 1 cut "), "{output}");
        fs::remove_file(file).unwrap();
    });
}

#[test]
fn a_correct_server_passes() {
    concurrently(FAMILIES, |family| {
        let to = serve(family, correct);
        let output = test(&family.address(), &to, &["--runs=5"]).with_status(0);
        let held = "ok    5 runs with cuts passed, seeds 0 to 4\n\nevery_split  held\n\n8 runs in ";
        assert!(output.starts_with(held), "{output}");
        assert!(output.contains("; 24 connections, "), "{output}");
        if cfg!(target_os = "linux") {
            assert!(output.contains(" cuts, observed: "), "{output}");
        }
    });
}

/// Uses the proxy in the first runs only, as a command does that keeps what it has received.
const CACHES: &str = "
import os, socket, sys
with open(sys.argv[1], 'a') as file:
    file.write('x')
if os.path.getsize(sys.argv[1]) > 4:
    sys.exit()
host, port = os.environ['EVERYSPLIT_ADDRESS'].rsplit(':', 1)
with socket.create_connection((host, int(port))) as client:
    client.sendall(b'x' * 100)
    received = b''
    while len(received) < 100:
        received += client.recv(100)
";

/// A run without cuts shows nothing.
#[test]
fn runs_without_cuts_are_not_counted() {
    let Some(python) = python() else {
        return;
    };
    let (path, count) = (script("proxy-caches.py", CACHES), new_path("count"));
    let (to, json) = (serve(Family::Tcp, echo), new_path("json"));
    let proxy = ["proxy", "--listen=0", "--to", &to, "--runs=10"];
    let command = ["--report", &json, "--", &python, "-S", &path, &count];
    let output = run(&[&proxy[..], &PATIENT, &command].concat()).with_status(0);
    let verdict = "ok    1 of 10 runs had cuts and passed, seeds 0 to 9\n\nevery_split  held\n";
    assert!(output.starts_with(verdict), "{output}");
    let warning =
        "no cut was made in 9 of 10 runs: nothing passed through the proxy, or too little";
    assert!(
        output.contains(&format!("\nwarning: {warning}\n")),
        "{output}"
    );
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(report["warnings"], Value::from(vec![warning]));
    let streams = report["streams"].as_array().unwrap().iter();
    let unchecked = streams.filter(|stream| stream["verdict"] == "not_checked");
    assert_eq!(unchecked.count(), 9, "{report}");
    fs::remove_file(count).unwrap();
    fs::remove_file(json).unwrap();
}

/// A run is a stream of the report: those that passed, one that failed, and why there are no more.
#[test]
fn the_runs_are_reported() {
    let report = |name: &str, to: &str, status, arguments: &[&str]| {
        let [json, xml, html] = ["json", "xml", "html"].map(new_path);
        let files = ["--report", &json, "--report", &xml, "--report", &html];
        let output = test("0", to, &[&files, arguments].concat()).with_status(status);
        let [json, xml, html] = [json, xml, html].map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            fs::remove_file(path).unwrap();
            text
        });
        assert!(
            xml.contains("<testsuite name=\"everysplit proxy: "),
            "{name}: {xml}"
        );
        let json: Value = serde_json::from_str(&json).unwrap();
        (output, json, xml, html)
    };
    let to = serve(Family::Tcp, correct);
    let seeds = ["--runs=4", "--seed=6", "--shard=2/2"];
    let (_, json, xml, html) = report("held", &to, 0, &seeds);
    assert_eq!(json["result"], "held");
    assert_eq!(json["shard"], "2/2");
    let command = json["command"].as_str().unwrap();
    assert!(command.starts_with("everysplit proxy "), "{command}");
    let names = json["streams"].as_array().unwrap().iter();
    let names: Vec<_> = names
        .map(|stream| stream["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["seed 7", "seed 9"]);
    for stream in json["streams"].as_array().unwrap() {
        assert!(stream["bytes"].as_u64().unwrap() > 0, "{stream}");
        let tried = stream["tried"].as_str().unwrap();
        assert!(
            tried.contains(" cut") && tried.ends_with(": passed"),
            "{tried}"
        );
    }
    assert!(xml.contains("failures=\"0\""), "{xml}");
    assert!(
        html.contains("<h1>All that was checked held</h1>"),
        "{html}"
    );

    let (to, cuts) = (serve(Family::Tcp, loses_headers), new_path("cuts"));
    let (output, json, xml, html) = report("violated", &to, 1, &["--save", &cuts]);
    assert_eq!(json["result"], "violated");
    let last = json["streams"].as_array().unwrap().last().unwrap();
    assert_eq!(last["verdict"], "violated");
    // The same text as on the terminal.
    let text = last["reason"].as_str().unwrap();
    assert!(
        text.contains(": cut after byte ") && output.contains(text),
        "{text}"
    );
    assert!(xml.contains(" type=\"every_split\">every_split: "), "{xml}");
    assert!(html.contains(": cut after byte "), "{html}");
    let replay = ["--replay", &cuts];
    let (_, json, ..) = report("replayed", &to, 1, &replay);
    assert_eq!(json["streams"][0]["name"], format!("cuts of {cuts}"));
    fs::remove_file(cuts).unwrap();

    let (_, json, xml, _) = report("stopped", &free_port().to_string(), 2, &[]);
    assert_eq!(json["result"], "stopped");
    let stopped = json["stopped"].as_str().unwrap();
    assert!(stopped.contains("cannot connect to "), "{stopped}");
    assert!(xml.contains(" type=\"stopped\"/>"), "{xml}");
}

/// What the proxy found is no less true if it cannot be saved.
#[cfg(target_os = "linux")]
#[test]
fn a_failure_that_cannot_be_saved_is_reported() {
    let to = serve(Family::Tcp, loses_headers);
    let json = new_path("json");
    let finished = test("0", &to, &["--save=/dev/full", "--report", &json]);
    let error = "everysplit: cannot write /dev/full: ";
    assert!(finished.stderr.starts_with(error), "{}", finished.stderr);
    let output = finished.with_status(1);
    assert!(output.contains("\nevery_split  violated\n"), "{output}");
    // There is nothing to replay.
    assert!(!output.contains("--replay"), "{output}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(report["result"], "violated");
    fs::remove_file(json).unwrap();

    let Some(python) = python() else {
        return;
    };
    let (path, count) = (script("proxy-unsaved.py", SOMETIMES), new_path("count"));
    let to = serve(Family::Tcp, echo);
    let proxy = ["proxy", "--listen=0", "--to", &to, "--save=/dev/full"];
    let command = ["--", &python, "-S", &path, &count, "4"];
    let finished = run(&[&proxy[..], &PATIENT, &command].concat());
    for part in ["failed once with seed 0", "; cannot write /dev/full: "] {
        assert!(finished.stderr.contains(part), "{}", finished.stderr);
    }
    finished.with_status(2);
    fs::remove_file(count).unwrap();
}

/// A failure that does not always occur is repeated, and the verdict says how often it occurs.
#[test]
fn a_failure_that_varies_is_counted() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let to = serve(Family::Tcp, |socket| {
        if CALLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            loses_headers(socket);
        } else {
            correct(socket);
        }
    });
    let file = new_path("cuts");
    let output = test("0", &to, &["--save", &file]).with_status(1);
    assert!(output.contains(" of 5 with "), "{output}");
    fs::remove_file(file).unwrap();
}

/// Fails on the run with this number, given in the first line of a file.
const SOMETIMES: &str = "
import os, socket, sys
host, port = os.environ['EVERYSPLIT_ADDRESS'].rsplit(':', 1)
with socket.create_connection((host, int(port))) as client:
    client.sendall(b'hello')
    received = b''
    while len(received) < 5:
        received += client.recv(5)
with open(sys.argv[1], 'a') as file:
    file.write('x')
if os.path.getsize(sys.argv[1]) in map(int, sys.argv[2].split(',')):
    sys.exit('some \\x1b[31mreason')
";

#[test]
fn a_command_that_fails_by_itself_is_no_finding() {
    let Some(python) = python() else {
        return;
    };
    let path = script("proxy-sometimes.py", SOMETIMES);
    let cases = [
        (
            "1,2,3",
            "the test command fails without cuts (exit status: 1; last line of stderr: some \\u{1b}[31mreason)",
        ),
        (
            "2",
            "passes only sometimes: it failed in 1 of 3 runs without cuts (exit status: 1; ",
        ),
        (
            "4",
            "failed once with seed 0 (exit status: 1; last line of stderr: some \\u{1b}[31mreason), and passed 3 times with the same cuts",
        ),
        (
            "4,5,9",
            "; after that, the test command passes only sometimes: it failed in 1 of 6 runs without cuts",
        ),
    ];
    concurrently(cases, |(failing, message)| {
        let (count, file) = (new_path("count"), new_path("cuts"));
        let to = serve(Family::Tcp, echo);
        let proxy = ["proxy", "--listen", "0", "--to", &to, "--save", &file];
        let command = ["--", &python, "-S", &path, &count, failing];
        fails(&[&proxy[..], &PATIENT, &command].concat(), message);
        fs::remove_file(count).unwrap();
        let _ = fs::remove_file(file);
    });
}

/// Loses each byte that it reads alone.
fn loses_bytes(mut socket: &Socket) {
    let mut chunk = [0; 100];
    while let Ok(read @ 1..) = socket.read(&mut chunk) {
        if read > 1 && socket.write_all(&chunk[..read]).is_err() {
            return;
        }
    }
}

/// Not a test but a test command that waits for its reply for ever.
#[test]
fn patient_client() {
    if let Ok(address) = env::var("EVERYSPLIT_ADDRESS") {
        let socket = connect(&address);
        assert_eq!(exchange(&socket, b"hello"), b"hello");
    }
}

/// A command that waits for ever has failed too.
#[test]
fn a_command_that_hangs_has_failed() {
    let to = serve(Family::Tcp, loses_bytes);
    let file = new_path("cuts");
    fs::write(&file, "connection 1 client-to-server 4\n").unwrap();
    let this = env::current_exe().unwrap();
    let proxy = ["proxy", "--listen", "0", "--to", &to, "--max-idle", "2"];
    let command = [
        "--",
        this.to_str().unwrap(),
        "--exact",
        "proxy::patient_client",
    ];
    let output = run(&[&proxy[..], &["--replay", &file], &command].concat()).with_status(1);
    let hangs = "it fails: did not end: no byte passed for 2 s, see --max-idle";
    assert!(output.contains(hangs), "{output}");
    let context = "\n    68 65 6c 6c|6f\n    \"hell|o\"\n";
    assert!(output.contains(context), "{output}");
    fs::remove_file(file).unwrap();
}

/// Not a test but a test command that does not wait for its reply.
#[test]
fn hasty_client() {
    if let Ok(address) = env::var("EVERYSPLIT_ADDRESS") {
        (&connect(&address)).write_all(&[0; 1000]).unwrap();
    }
}

/// The bytes that are on their way when a command ends are still forwarded. A server that keeps the
/// connection does not keep the run.
#[test]
fn what_a_command_leaves_behind_is_forwarded() {
    let file = script("proxy-hasty.cuts", "connection 1 client-to-server 1\n");
    let this = env::current_exe().unwrap();
    concurrently([("0.1", true), ("100", false)], |(max_wait, stays)| {
        let (ends, received) = mpsc::channel();
        let to = serve(Family::Tcp, move |socket| {
            if stays {
                read_to_error(socket);
                thread::park();
            } else {
                // The command has ended by then.
                thread::sleep(Duration::from_millis(100));
                ends.send(read_to_error(socket).0.len()).unwrap();
            }
        });
        let mut command = everysplit(&["proxy", "--listen=0", "--max-idle=100", "--to", &to]);
        command.args(["--max-wait", max_wait, "--replay", &file, "--"]);
        command.arg(&this).args(["--exact", "proxy::hasty_client"]);
        let output = run_to_its_end(&mut command).with_status(0);
        assert!(output.contains("8 connections, "), "{output}");
        if !stays {
            assert!(received.iter().take(8).eq([1000; 8]));
        }
    });
}

/// Not a test but a test command that sends now and then.
#[test]
fn slow_client() {
    if let Ok(address) = env::var("EVERYSPLIT_ADDRESS") {
        let socket = connect(&address);
        for _ in 0..25 {
            assert_eq!(exchange(&socket, b"a"), b"a");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// It takes longer than --max-idle.
#[test]
fn a_slow_command_is_not_idle() {
    let to = serve(Family::Tcp, echo);
    let this = env::current_exe().unwrap();
    let proxy = ["proxy", "--listen=0", "--to", &to, "--max-idle=1"];
    let command = ["--runs=1", "--", this.to_str().unwrap()];
    let client = ["--exact", "proxy::slow_client"];
    run(&[&proxy[..], &command, &client].concat()).with_status(0);
}

const TLS: &str = "
import os, socket, ssl, subprocess, sys, threading
folder = sys.argv[2]
cert, key = folder + '/cert.pem', folder + '/key.pem'
if sys.argv[1] == 'server':
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj',
        '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2',
        '-keyout', key, '-out', cert], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
    def serve(client):
        with context.wrap_socket(client, server_side=True) as client:
            while chunk := client.recv(1000):
                client.sendall(chunk)
            client.unwrap()
    while True:
        threading.Thread(target=serve, args=[listener.accept()[0]]).start()
else:
    host, port = os.environ['EVERYSPLIT_ADDRESS'].rsplit(':', 1)
    context = ssl.create_default_context(cafile=cert)
    client = socket.create_connection((host, int(port)))
    with context.wrap_socket(client, server_hostname='localhost') as client:
        for length in (1, 100, 20000):
            sent, received = os.urandom(length), b''
            client.sendall(sent)
            while len(received) < length:
                received += client.recv(1000)
            assert received == sent
        client.unwrap()
";

#[test]
fn tls_passes_through() {
    let Some(python) = python().filter(|_| is_installed("openssl")) else {
        return;
    };
    let path = script("proxy-tls.py", TLS);
    let folder = new_path("tls");
    fs::create_dir(&folder).unwrap();
    let mut server = Command::new(&python);
    server
        .args([&path, "server", &folder])
        .stdout(Stdio::piped());
    let mut server = KilledOnDrop(server.spawn().unwrap());
    let mut port = String::new();
    let stdout = server.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut port).unwrap();
    let proxy = ["proxy", "--listen", "0", "--to", port.trim(), "--runs=2"];
    let command = ["--", &python, "-S", &path, "client", &folder];
    let output = run(&[&proxy[..], &PATIENT, &command].concat()).with_status(0);
    assert!(
        output.starts_with("ok    2 runs with cuts passed"),
        "{output}"
    );
    drop(server);
    fs::remove_dir_all(folder).unwrap();
}

/// Not a test but a program that waits until it is killed, if a test starts it as one.
#[test]
fn waits() {
    if let Ok(address) = env::var(WAIT) {
        read_to_error(&connect(&address));
    }
}

/// The variable that makes this program wait: the address of a server that waits for its end.
const WAIT: &str = "EVERYSPLIT_WAIT";

/// After an interruption nothing is left: neither the test command nor its children.
#[test]
fn an_interrupted_run_leaves_nothing() {
    let (events, received) = mpsc::channel();
    let to = serve(Family::Tcp, move |socket| {
        events.send("connected").unwrap();
        read_to_error(socket);
        events.send("gone").unwrap();
    });
    let this = env::current_exe().unwrap();
    let this = this.to_str().unwrap();
    let shell = format!("{WAIT}={to} {this} --exact proxy::waits & wait");
    let proxy = ["proxy", "--listen", "0", "--to", &to, "--max-idle=100"];
    let mut command = everysplit(&[&proxy[..], &["--", "sh", "-c", &shell]].concat());
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = KilledOnDrop(child.unwrap());
    assert_eq!(received.recv().unwrap(), "connected");
    interrupt(&child);
    let mut message = String::new();
    let mut stderr = child.0.stderr.take().unwrap();
    stderr.read_to_string(&mut message).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(2));
    assert_eq!(message, "everysplit: interrupted\n");
    assert_eq!(received.recv().unwrap(), "gone");
}

#[test]
fn bad_input_is_an_error() {
    let to = serve(Family::Tcp, echo);
    let proxy = |arguments: &[&str], message| {
        let verb = ["proxy", "--listen", "0", "--to", &to];
        fails(&[&verb, arguments].concat(), message);
    };
    proxy(&["--", "no-such-program"], "cannot start no-such-program: ");
    proxy(
        &["--", "true"],
        "the test command sent nothing through the proxy; ",
    );
    proxy(
        &["--", "sh", "-c", "echo no luck; exit 3"],
        "fails without cuts (exit status: 3; last line of stdout: no luck); ",
    );
    proxy(
        &["--replay", "no-such-file"],
        "cannot read the replay file no-such-file: ",
    );
    let save = ["--save", "no-such-folder/file", "--", "true"];
    proxy(&save, "cannot write no-such-folder/file: ");
    let file = script(
        "proxy-not.cuts",
        "# cuts\nconnection 1 client-to-server x\n",
    );
    proxy(&["--replay", &file], "proxy-not.cuts: line 2: cut 1: ");
    let never = script("proxy-never.cuts", "connection 9 client-to-server 1\n");
    let this = env::current_exe().unwrap();
    let command = ["--", this.to_str().unwrap(), "--exact", "proxy::client"];
    let messages = serve(Family::Tcp, correct);
    let unreached = [
        "proxy", "--listen", "0", "--to", &messages, "--replay", &never,
    ];
    fails(
        &[&unreached[..], &PATIENT, &command].concat(),
        "proxy-never.cuts was reached: ",
    );
    let uncut = [
        "proxy",
        "--listen",
        "0",
        "--to",
        &messages,
        "--max-cuts",
        "0",
    ];
    fails(
        &[&uncut[..], &PATIENT, &command].concat(),
        "no cut was made in ",
    );

    usage_error(
        &["proxy", "--listen", "0", "--to", "unix:"],
        "expected unix:PATH",
    );
    fails(
        &["proxy", "--listen", &to, "--to", "1"],
        "; choose another --listen address",
    );
    fails(
        &["proxy", "--listen", &to, "--to", &to],
        "--listen and --to are both 127.0.0.1:",
    );
    let path = new_path("file");
    fs::write(&path, "kept").unwrap();
    let listen = format!("unix:{path}");
    fails(
        &["proxy", "--listen", &listen, "--to", &to],
        "; remove the file if no program uses it, or choose another path",
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    fs::remove_file(path).unwrap();

    let gone = free_port().to_string();
    let refused = "; start the server, or check --to";
    let listen = ["proxy", "--listen", "0", "--to", &gone];
    fails(&[&listen[..], &PATIENT, &command].concat(), refused);

    let report = ["--report", "a.txt", "--", "true"];
    proxy(&report, "unknown report format of a.txt");
    let report = ["--report", "no-such-folder/a.xml", "--", "true"];
    proxy(&report, "cannot write the report no-such-folder/a.xml");
    usage_error(&["proxy", "--to", &to], "--listen <ADDRESS>");
    usage_error(
        &["proxy", "--listen", "x", "--to", &to],
        "invalid value 'x'",
    );
    let runs = ["proxy", "--listen", "0", "--to", &to, "--runs", "3"];
    usage_error(&runs, "<CMD>");
}

/// Without a test command, the proxy ends when the server is not there.
#[test]
fn a_server_that_is_gone_ends_the_proxy() {
    let to = format!("127.0.0.1:{}", free_port());
    let mut command = everysplit(&["proxy", "--listen", "0", "--to", &to]);
    command.stderr(Stdio::piped());
    let mut proxy = Proxy::of(command);
    let socket = connect(&proxy.address);
    let (bytes, error) = read_to_error(&socket);
    assert_eq!(
        (bytes, error),
        (Vec::new(), Some(ErrorKind::ConnectionReset))
    );
    let mut message = String::new();
    let mut stderr = proxy.child.0.stderr.take().unwrap();
    stderr.read_to_string(&mut message).unwrap();
    assert_eq!(proxy.child.0.wait().unwrap().code(), Some(2));
    let start = format!("everysplit: cannot connect to {to}: ");
    assert!(message.starts_with(&start), "{message}");
    assert!(
        message.ends_with("; start the server, or check --to\n"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

/// The server accepts one connection. What passed through it is printed all the same.
#[test]
fn connections_that_a_server_refuses_are_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let mut command = everysplit(&["proxy", "--listen", "0", "--to", &to]);
    command.stderr(Stdio::piped());
    let mut proxy = Proxy::of(command);
    let first = connect(&proxy.address);
    let (mut accepted, _) = listener.accept().unwrap();
    drop(listener);
    accepted.write_all(b"hi").unwrap();
    let mut reply = [0; 2];
    (&first).read_exact(&mut reply).unwrap();
    let second = connect(&proxy.address);
    assert_eq!(read_to_error(&second).1, Some(ErrorKind::ConnectionReset));
    interrupt(&proxy.child);
    let (mut summary, mut message) = (String::new(), String::new());
    proxy.stdout.read_to_string(&mut summary).unwrap();
    let mut stderr = proxy.child.0.stderr.take().unwrap();
    stderr.read_to_string(&mut message).unwrap();
    assert_eq!(proxy.child.0.wait().unwrap().code(), Some(2), "{message}");
    assert!(summary.contains("2 connections"), "{summary}");
    let start = "everysplit: the server refused 1 of 2 connections: ";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn a_proxy_ends_after_its_maximum_time() {
    let to = serve(Family::Tcp, echo);
    let mut proxy = everysplit(&["proxy", "--listen", "0", "--to", &to, "--max-time", "0.2"]);
    let begun = Instant::now();
    let summary = run_to_its_end(&mut proxy).with_status(0);
    assert!(summary.contains("0 connections"), "{summary}");
    assert!(begun.elapsed() >= Duration::from_millis(200), "{summary}");
}

/// The server reads nothing until all bytes have come, so that the proxy goes on without it.
#[test]
fn chunks_that_are_not_read_in_time_are_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut bytes = [0; 100];
        while socket.peek(&mut bytes).unwrap() < bytes.len() {
            thread::sleep(Duration::from_millis(5));
        }
        socket.read_exact(&mut bytes).unwrap();
        socket.write_all(&bytes[..1]).unwrap();
    });
    let few = ["--max-cuts", "2", "--max-wait", "0.05"];
    let proxy = Proxy::start(Family::Tcp, &to, &few);
    let socket = connect(&proxy.address);
    (&socket).write_all(&[7; 100]).unwrap();
    let mut reply = [0];
    (&socket).read_exact(&mut reply).unwrap();
    assert_eq!(reply, [7]);
    let summary = proxy.end();
    let part = " after chunks that the peer had not read within --max-wait";
    assert!(summary.contains(part), "{summary}");
}
