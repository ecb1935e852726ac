//! Runs the command `everysplit` for tests of it, and what it tests.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

/// Two frames behind a length of one byte.
pub(crate) const REQUEST: &str = "026f6b0161";

/// What a run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    /// Asserts the exit status, and returns what was said on stdout.
    #[track_caller]
    pub(crate) fn with(self, status: i32) -> String {
        assert_eq!(self.status, Some(status), "{}{}", self.stdout, self.stderr);
        self.stdout
    }
}

pub(crate) fn everysplit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everysplit"));
    command.args(arguments);
    command
}

pub(crate) fn run(arguments: &[&str]) -> Said {
    everysplit(arguments).output().unwrap().into()
}

/// Asserts that a run ends with status 2 and one line that says why.
#[track_caller]
pub(crate) fn cannot(arguments: &[&str], said: &str) {
    let Said { status, stderr, .. } = run(arguments);
    assert_eq!(status, Some(2), "{stderr}");
    assert!(stderr.contains(said), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

/// Returns a port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns whether somebody listens.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Returns whether there is a program; says that something is skipped if not.
pub(crate) fn there_is(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    let there_is = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there_is.is_err() {
        eprintln!("skipped: there is no {program}");
    }
    there_is.is_ok()
}

/// Writes a script where the tests of a crate may write; returns its path.
pub(crate) fn script(name: &str, text: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, text).unwrap();
    path
}

/// Serves one client.
pub(crate) type Serve = fn(TcpStream);

/// Starts a server of many clients, which ends with the process.
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

/// A program that ends with the test.
pub(crate) struct Ends(pub(crate) Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
