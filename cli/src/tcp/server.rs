//! A server under test: one that runs, or one that is started and ended here.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Answer, Ask, Ending, Peer, masked};
use crate::args::Tcp;
use crate::process::{Memory, Process};
use crate::wire::Wire;
use crate::{Cannot, stop};

pub(super) struct Server<'a> {
    address: SocketAddr,
    tcp: &'a Tcp,
    /// The program, if it is started here.
    process: Option<Process>,
}

impl<'a> Server<'a> {
    pub(super) fn new(address: SocketAddr, tcp: &'a Tcp) -> Result<Self, Cannot> {
        if !address.ip().is_loopback() && !tcp.allow_remote {
            return Err(format!(
                "{address} is not on this machine: --allow-remote lets it be tested"
            )
            .into());
        }
        let mut server = Self {
            address,
            tcp,
            process: None,
        };
        if !tcp.command.is_empty() {
            if TcpStream::connect(address).is_ok() {
                return Err(format!(
                    "something listens on {address} already: stop it, or name another --port"
                )
                .into());
            }
            server.start()?;
        }
        Ok(server)
    }

    fn start(&mut self) -> Result<(), Cannot> {
        // The last one is ended first: it has the port.
        self.process = None;
        self.process = Some(Process::start(&self.tcp.command)?);
        Ok(())
    }

    /// Connects, once the server listens.
    fn connect(&mut self) -> Result<TcpStream, Cannot> {
        let until = Instant::now() + self.tcp.timeout;
        loop {
            let error = match TcpStream::connect(self.address) {
                Ok(socket) => return Ok(socket),
                Err(error) => error,
            };
            let ended = self.process.as_mut().and_then(Process::ended);
            if let (Some(status), Some(process)) = (ended, &mut self.process) {
                // What it wrote last may be under way.
                process.ends();
                thread::sleep(Duration::from_millis(20));
                let words = process.last_words();
                return Err(format!(
                    "the server ended ({status}){words}; one that serves a single client is tested with --fresh"
                )
                .into());
            }
            if self.process.is_none() || Instant::now() > until || stop::requested() {
                return Err(format!("nobody listens on {}: {error}", self.address).into());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Peer for Server<'_> {
    fn name(&self) -> &'static str {
        "server"
    }

    fn answer(&self) -> &'static str {
        "reply"
    }

    fn ask(&mut self, ask: &Ask<'_>) -> Result<Answer, Cannot> {
        if self.tcp.fresh {
            self.start()?;
        }
        let mut wire = Wire::new(self.connect()?)?;
        wire.send_in(ask.stream, ask.split, self.tcp.timeout);
        let (patience, quiet) = (ask.patience, self.tcp.quiet);
        let begun = |bytes: &[u8]| if bytes.is_empty() { patience } else { quiet };
        let answered = match ask.ending {
            Ending::Unknown => {
                wire.collect(|_| false, begun);
                true
            }
            Ending::Closed => wire.collect(|_| false, |_| patience),
            Ending::Any => wire.collect(|bytes| !bytes.is_empty(), |_| patience),
            Ending::Whole { length, closes } => {
                let answered = wire.collect(
                    |reply| masked(&self.tcp.mask, reply).len() >= length,
                    |_| patience,
                );
                wire.half_close();
                if closes {
                    // More than there should be is in the answer too.
                    wire.collect(|_| false, |_| patience);
                }
                answered
            }
            Ending::Drained => {
                wire.half_close();
                wire.collect(|_| false, |_| patience)
            }
            Ending::HalfClosed => {
                wire.half_close();
                wire.collect(|_| false, begun)
            }
        };
        Ok(Answer {
            bytes: std::mem::take(&mut wire.bytes),
            observed: wire.observed,
            closed: wire.closed,
            answered,
        })
    }

    fn ended(&mut self) -> Result<Option<String>, Cannot> {
        if self.tcp.fresh {
            return Ok(None);
        }
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        let Some(status) = process.ends() else {
            return Ok(None);
        };
        let told = format!("the server ended ({status}){}", process.last_words());
        self.start()?;
        Ok(Some(told))
    }

    fn memory(&self) -> Option<Memory> {
        self.process.as_ref()?.memory()
    }
}
