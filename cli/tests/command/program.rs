//! Runs the command, and the programs that it tests.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Two frames with a length of one byte.
pub(crate) const REQUEST: &str = "026f6b0161";

/// The output of a finished run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Finished {
    /// Asserts the exit status, and returns stdout.
    #[track_caller]
    pub(crate) fn with_status(self, status: i32) -> String {
        assert_eq!(self.status, Some(status), "{}{}", self.stdout, self.stderr);
        self.stdout
    }
}

pub(crate) fn everysplit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everysplit"));
    command.args(arguments);
    command
}

pub(crate) fn run(arguments: &[&str]) -> Finished {
    everysplit(arguments).output().unwrap().into()
}

/// Runs a command that could wait forever.
#[track_caller]
pub(crate) fn run_to_its_end(command: &mut Command) -> Finished {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = KilledOnDrop(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    let status = loop {
        if let Some(status) = child.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "{command:?} does not end");
        thread::sleep(Duration::from_millis(5));
    };
    let read = |pipe: &mut dyn Read| {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    };
    Finished {
        status: status.code(),
        stdout: read(&mut child.0.stdout.take().unwrap()),
        stderr: read(&mut child.0.stderr.take().unwrap()),
    }
}

/// Returns the time that a process has computed for, in milliseconds.
#[cfg(target_os = "linux")]
pub(crate) fn processor_time(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // After the name: eleven other fields, and the times of the program and the system.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let times = fields.split_whitespace().skip(11).take(2);
    // In hundredths of a second.
    times.map(|time| 10 * time.parse::<u64>().unwrap()).sum()
}

/// Sends a signal to processes.
#[cfg(unix)]
pub(crate) fn signal(name: &str, processes: impl IntoIterator<Item = u32>) {
    let mut command = Command::new("kill");
    command.arg(format!("-{name}"));
    command.args(processes.into_iter().map(|process| process.to_string()));
    assert!(command.status().unwrap().success());
}

/// Makes a named pipe in the temporary folder of the tests; returns its path.
#[cfg(unix)]
pub(crate) fn pipe(name: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    let _ = std::fs::remove_file(&path);
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

/// Asserts that a run ends with status 2 and a message of one line.
#[track_caller]
pub(crate) fn fails(arguments: &[&str], message: &str) {
    let Finished { status, stderr, .. } = run(arguments);
    assert_eq!(status, Some(2), "{stderr}");
    assert!(stderr.contains(message), "{stderr}");
    assert!(stderr.starts_with("everysplit: "), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

/// Asserts that the command line is rejected with status 2 and a hint at --help.
#[track_caller]
pub(crate) fn usage_error(arguments: &[&str], message: &str) {
    let Finished { status, stderr, .. } = run(arguments);
    assert_eq!(status, Some(2), "{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    assert!(stderr.contains(message), "{stderr}");
    assert!(
        stderr.ends_with("For more information, try '--help'.\n"),
        "{stderr}"
    );
}

/// Runs cases concurrently: most of them wait rather than compute.
pub(crate) fn concurrently<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let check = &check;
            scope.spawn(move || check(case));
        }
    });
}

/// Returns a port that is not in use.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns whether a program listens on a port.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Starts a server, and waits until it listens.
#[track_caller]
pub(crate) fn start_listening(mut command: Command, port: u16) -> KilledOnDrop {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let server = KilledOnDrop(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    while !listens(port) {
        assert!(Instant::now() < deadline, "{command:?} does not listen");
        thread::sleep(Duration::from_millis(10));
    }
    server
}

/// Returns whether a port is free again, at the latest after some time: the system ends killed
/// processes when it gets to it.
pub(crate) fn becomes_free(port: u16) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while listens(port) {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Returns whether a program is installed; prints that a test is skipped if not.
///
/// Panics instead if the environment variable `EVERYSPLIT_SKIP_NO_TEST` is set.
#[track_caller]
pub(crate) fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if status.is_err() {
        let may_skip = std::env::var_os("EVERYSPLIT_SKIP_NO_TEST").is_none();
        assert!(may_skip, "{program} is not installed");
        eprintln!("skipped: {program} is not installed");
    }
    status.is_ok()
}

/// Writes a script to the temporary folder of the tests; returns its path.
pub(crate) fn script(name: &str, text: &str) -> String {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    // Another test may be starting the same script: it never sees half of one.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let new = format!(
        "{}/{}-{number}.new",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, &path).unwrap();
    path
}

/// Starts nginx with some servers for HTTP, and waits until it listens on a port of theirs.
#[track_caller]
pub(crate) fn nginx(name: &str, servers: &str, port: u16) -> KilledOnDrop {
    let folder = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder).unwrap();
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name}; "))
        .concat();
    let config = format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
         events {{}}
         http {{ access_log off; {paths} {servers} }}"
    );
    let path = script(&format!("{name}.conf"), &config);
    let errors = format!("{folder}/errors");
    let mut nginx = Command::new("nginx");
    nginx.args(["-e", &errors, "-c", &path]);
    start_listening(nginx, port)
}

/// Serves one client.
pub(crate) type Serve = fn(TcpStream);

/// Starts a server for many clients, which ends with this process.
pub(crate) fn server(serve: Serve) -> SocketAddr {
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

/// A program that is killed when the test ends.
pub(crate) struct KilledOnDrop(pub(crate) Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The ready drivers for Python and Node, for decoders that are fed.
pub(crate) const PYTHON_DRIVER: &str = concat!(
    include_str!("../../drivers/python/fed.py"),
    include_str!("../../drivers/python/loop.py")
);
pub(crate) const NODE_DRIVER: &str = concat!(
    include_str!("../../drivers/node/fed.js"),
    include_str!("../../drivers/node/loop.js")
);
