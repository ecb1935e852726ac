//! A client under test: started for each connection, which it makes to a port here.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ChildStdout;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Answer, Ask, Ending, Peer};
use crate::args::Tcp;
use crate::process::{Memory, Process};
use crate::wire::Wire;
use crate::{Cannot, stop};

/// How much of what a client prints is compared, in bytes.
const PRINTED: u64 = 16 * 1024 * 1024;
/// How often one looks whether a client has connected or ended.
const TICK: Duration = Duration::from_millis(1);
/// How often its memory is looked at, in ticks.
const LOOK: u32 = 32;

pub(super) struct Client<'a> {
    listener: TcpListener,
    tcp: &'a Tcp,
    /// Whether it sends something before it is sent anything, once that is known.
    speaks_first: Option<bool>,
    /// How much memory the last one took.
    memory: Option<Memory>,
}

impl<'a> Client<'a> {
    pub(super) fn new(port: u16, tcp: &'a Tcp) -> Result<Self, Cannot> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            format!("cannot listen on 127.0.0.1:{port}: {error}; name another port with --listen")
        })?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            tcp,
            speaks_first: None,
            memory: None,
        })
    }

    /// Waits for a client to connect.
    fn accept(&self, process: &mut Process) -> Result<TcpStream, Cannot> {
        let until = Instant::now() + self.tcp.timeout;
        loop {
            match self.listener.accept() {
                Ok((socket, _)) => return Ok(socket),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            let address = self.listener.local_addr()?;
            if let Some(status) = process.ended() {
                process.ends();
                return Err(format!(
                    "the client ended ({status}) and did not connect to {address}{}",
                    process.last_words()
                )
                .into());
            }
            if Instant::now() > until || stop::requested() {
                let timeout = self.tcp.timeout;
                return Err(
                    format!("the client did not connect to {address} within {timeout:?}").into(),
                );
            }
            thread::sleep(TICK);
        }
    }

    /// Waits for the client to end while it is listened to; returns whether it did.
    fn wait(&mut self, process: &mut Process, wire: &mut Wire, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut tries = 0;
        loop {
            wire.take();
            if self.tcp.hostile && tries % LOOK == 0 {
                let memory = [self.memory, process.memory()].into_iter().flatten();
                self.memory = memory.max_by_key(|memory| memory.most);
            }
            if process.ended().is_some() {
                return true;
            }
            if Instant::now() > until || stop::requested() {
                return false;
            }
            tries += 1;
            thread::sleep(TICK);
        }
    }
}

impl Peer for Client<'_> {
    fn name(&self) -> &'static str {
        "client"
    }

    fn answer(&self) -> &'static str {
        "outcome"
    }

    fn ask(&mut self, ask: &Ask<'_>) -> Result<Answer, Cannot> {
        // Nobody is left over from the last one.
        while self.listener.accept().is_ok() {}
        self.memory = None;
        let (mut process, stdout) = Process::start_printing(&self.tcp.command)?;
        let printed = reader(stdout);
        let socket = self.accept(&mut process)?;
        let mut wire = Wire::new(socket)?;
        let spoken = |bytes: &[u8]| !bytes.is_empty();
        match self.speaks_first {
            Some(false) => {}
            Some(true) => {
                wire.collect(spoken, |_| ask.patience);
            }
            None => {
                let quiet = self.tcp.quiet;
                self.speaks_first = Some(wire.collect(spoken, |_| quiet) && !wire.closed);
            }
        }
        wire.send_in(ask.stream, ask.split, self.tcp.timeout);
        let open = matches!(ask.ending, Ending::Unknown | Ending::Closed | Ending::Any);
        if !open {
            wire.half_close();
        }
        let patience = match ask.ending {
            Ending::Unknown => self.tcp.quiet,
            _ => ask.patience,
        };
        let ended = self.wait(&mut process, &mut wire, patience);
        wire.take();
        let status = match process.ended() {
            Some(status) if ended => status.to_string(),
            _ => "it did not end".into(),
        };
        process.end();
        let printed = printed.join().unwrap_or_default();
        let status = format!("\n({status})\n");
        Ok(Answer {
            bytes: [&printed[..], status.as_bytes(), &wire.bytes].concat(),
            observed: wire.observed,
            closed: ended && open,
            answered: ended,
        })
    }

    fn ended(&mut self) -> Result<Option<String>, Cannot> {
        // It is meant to end.
        Ok(None)
    }

    fn memory(&self) -> Option<Memory> {
        self.memory
    }
}

/// Reads what a program prints, to its end.
fn reader(stdout: ChildStdout) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut printed = Vec::new();
        let mut stdout = stdout.take(PRINTED);
        // What could be read is what was printed.
        let _ = stdout.read_to_end(&mut printed);
        let _ = io::copy(&mut stdout.into_inner(), &mut io::sink());
        printed
    })
}
