//! A client under test: started for each connection, which it makes to a port here.

use std::ffi::OsString;
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{self, ChildStdout};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::conversation::converse;
use super::peer::{ConnectionOutcome, Ended, HalfClose, Peer, Reader, ReplyRule, Request};
use crate::address::Socket;
use crate::options::TcpOptions;
use crate::process::{ChildProcess, Memory};
use crate::{Error, stop};

/// Time between checks whether a client has connected or exited.
const POLL_INTERVAL: Duration = Duration::from_millis(1);
/// Number of such checks between two looks at its memory.
const CHECKS_PER_MEMORY: u32 = 32;

pub(super) struct Client<'a> {
    listener: TcpListener,
    /// The program and its arguments.
    command: &'a [OsString],
    options: &'a TcpOptions,
    /// Whether the client sends something first, once that is known.
    sends_first: Option<bool>,
    /// The process that reads, once it has been found.
    reader: Option<Reader>,
    /// The peak memory of the last process.
    memory: Option<Memory>,
}

impl<'a> Client<'a> {
    pub(super) fn new(
        port: u16,
        command: &'a [OsString],
        options: &'a TcpOptions,
    ) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            format!("cannot listen on 127.0.0.1:{port}: {error}; choose another --listen port")
        })?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            command,
            options,
            sends_first: None,
            reader: None,
            memory: None,
        })
    }

    /// Waits for the client to connect.
    fn accept(&self, process: &mut ChildProcess) -> Result<Socket, Error> {
        let timeout = self.options.timeout;
        let deadline = Instant::now() + timeout;
        loop {
            match self.listener.accept() {
                Ok((socket, _)) => return Ok(Socket::Tcp(socket)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            let address = self.listener.local_addr()?;
            if let Some(status) = process.exit_status() {
                let note = process.stderr_note();
                return Err(format!(
                    "the client ended ({status}) without connecting to {address}{note}"
                )
                .into());
            }
            if Instant::now() > deadline || stop::requested() {
                return Err(format!(
                    "the client did not connect to {address} within {timeout:?}; allow more with --timeout"
                )
                .into());
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Waits for the client to send something first, if it is of that kind.
    fn wait_for_first(&mut self, connection: &mut Connection, timeout: Duration) {
        let sent = |reply: &[u8]| !reply.is_empty();
        match self.sends_first {
            Some(false) => {}
            Some(true) => {
                connection.collect(sent, |_| timeout);
            }
            None => {
                let reply_idle = self.options.reply_idle;
                let sends = connection.collect(sent, |_| reply_idle) && !connection.closed();
                self.sends_first = Some(sends);
            }
        }
    }

    /// Takes note of the process that reads from a connection.
    fn meet(&mut self, connection: &Connection) {
        // Also one that detaches itself from its parent belongs to this process.
        let reader = Reader::of(&connection.holders, Some(process::id()), false);
        self.reader = reader.or_else(|| self.reader.take());
    }

    /// Measures the memory of the client, if that is checked.
    fn measure(&mut self, process: &ChildProcess) {
        if self.options.hostile {
            let memory = [self.memory, process.memory()].into_iter().flatten();
            self.memory = memory.max_by_key(|memory| memory.peak);
        }
    }

    /// Receives until the client exits. Returns whether it did in time.
    fn wait_for_exit(
        &mut self,
        process: &mut ChildProcess,
        connection: &mut Connection,
        timeout: Duration,
    ) -> bool {
        let deadline = Instant::now() + timeout;
        let mut checks = 0;
        loop {
            connection.receive();
            if checks % CHECKS_PER_MEMORY == 0 {
                self.measure(process);
            }
            if process.exit_status().is_some() {
                return true;
            }
            if Instant::now() > deadline || stop::requested() {
                return false;
            }
            checks += 1;
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Peer for Client<'_> {
    fn name(&self) -> &'static str {
        "client"
    }

    fn reply_name(&self) -> &'static str {
        "outcome"
    }

    /// The reply is the client's stdout, its exit status, and the bytes that it sends.
    fn exchange(&mut self, request: &Request<'_>) -> Result<ConnectionOutcome, Error> {
        // Connections of the previous client are of no interest.
        while self.listener.accept().is_ok() {}
        self.memory = None;
        let (mut process, stdout) = ChildProcess::start_with_stdout(self.command)?;
        let stdout = read_stdout(stdout, self.options.max_reply);
        let socket = self.accept(&mut process)?;
        self.measure(&process);
        let mut connection = Connection::new(socket, self.options.max_reply)?;
        // A script says itself what it waits for.
        if request.script.is_none() {
            self.wait_for_first(&mut connection, request.timeout);
        }
        let (find_holders, timeout) = (self.reader.is_none(), self.options.timeout);
        let conversation = converse(&mut connection, request, timeout, find_holders);
        self.meet(&connection);
        let begun = Instant::now();
        if request.rule.half_close != HalfClose::Never {
            connection.half_close();
        }
        let timeout = if request.rule == ReplyRule::LISTEN {
            self.options.reply_idle
        } else {
            request.timeout
        };
        let exited = self.wait_for_exit(&mut process, &mut connection, timeout);
        let reaction = begun.elapsed();
        connection.receive();
        let status = match process.exit_status() {
            Some(status) if exited => status.to_string(),
            _ => "did not exit".into(),
        };
        process.end();
        let mut stdout = stdout.join().unwrap_or_default();
        let too_long = connection.too_long() || stdout.len() > self.options.max_reply;
        stdout.truncate(self.options.max_reply);
        let status = format!("\n({status})\n");
        Ok(ConnectionOutcome {
            reply: [&stdout[..], status.as_bytes(), connection.reply()].concat(),
            conversation,
            reading: connection.reading(),
            // Its outcome is known only at its exit.
            replied_after: request.stream.len(),
            closed: exited,
            replied: exited,
            ended: Ended::new(too_long, exited),
            reaction,
        })
    }

    fn exchange_and_listen(&mut self, _: &[Request<'_>]) -> Result<Vec<Vec<u8>>, Error> {
        // A client that has exited sends nothing more.
        Ok(Vec::new())
    }

    fn crash(&mut self, _: Duration) -> Result<Option<String>, Error> {
        // A client may always exit.
        Ok(None)
    }

    fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    fn memory(&self) -> Option<Memory> {
        self.memory
    }

    fn serves_unmeasured(&self) -> bool {
        // It was measured while it ran.
        false
    }
}

/// Reads stdout to its end, in a thread. Returns its beginning, with one byte more than `max` if there
/// is more.
fn read_stdout(stdout: ChildStdout, max: usize) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut stdout = stdout.take((max as u64).saturating_add(1));
        // After an error, the bytes so far count.
        let _ = stdout.read_to_end(&mut bytes);
        let _ = io::copy(&mut stdout.into_inner(), &mut io::sink());
        bytes
    })
}
