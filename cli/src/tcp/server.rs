//! A server under test: one that runs already, or one that is started here.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::difference::masked;
use super::peer::{ConnectionOutcome, Peer, ReplyEnd, Request};
use crate::options::{PeerOptions, TcpOptions};
use crate::process::{ChildProcess, Memory};
use crate::{Error, stop};

/// Time between attempts to connect to a server that is starting.
const CONNECT_INTERVAL: Duration = Duration::from_millis(2);

pub(super) struct Server<'a> {
    address: SocketAddr,
    options: &'a TcpOptions,
    /// The program, if it is started here.
    process: Option<ChildProcess>,
}

impl<'a> Server<'a> {
    /// Returns a server that runs already.
    pub(super) const fn running(address: SocketAddr, options: &'a TcpOptions) -> Self {
        Self {
            address,
            options,
            process: None,
        }
    }

    /// Starts a server that listens on a port of this machine.
    pub(super) fn started(port: u16, options: &'a TcpOptions) -> Result<Self, Error> {
        let mut server = Self::running(SocketAddr::from(([127, 0, 0, 1], port)), options);
        let address = server.address;
        if TcpStream::connect(address).is_ok() {
            return Err(format!(
                "{address} is already in use: stop that server, or choose another --port"
            )
            .into());
        }
        server.start()?;
        Ok(server)
    }

    /// Starts the program again, if it is started here.
    fn start(&mut self) -> Result<(), Error> {
        if let PeerOptions::StartedServer { command, .. } = &self.options.peer {
            // The previous process still has the port.
            self.process = None;
            self.process = Some(ChildProcess::start(command)?);
        }
        Ok(())
    }

    /// Returns whether the server is restarted for each connection.
    fn is_fresh(&self) -> bool {
        matches!(
            self.options.peer,
            PeerOptions::StartedServer { fresh: true, .. }
        )
    }

    /// Connects, as soon as the server listens.
    fn connect(&mut self) -> Result<TcpStream, Error> {
        let deadline = Instant::now() + self.options.timeout;
        loop {
            let error = match TcpStream::connect(self.address) {
                Ok(socket) => return Ok(socket),
                Err(error) => error,
            };
            let address = self.address;
            let Some(process) = &mut self.process else {
                return Err(format!(
                    "cannot connect to {address}: {error}; start the server, or check the address"
                )
                .into());
            };
            if let Some(status) = process.exit_status() {
                let note = process.stderr_note();
                return Err(format!(
                    "the server ended ({status}){note}; if it serves only one client, add --fresh"
                )
                .into());
            }
            if Instant::now() > deadline || stop::requested() {
                let timeout = self.options.timeout;
                return Err(format!(
                    "the server does not listen on {address} after {timeout:?}: {error}"
                )
                .into());
            }
            thread::sleep(CONNECT_INTERVAL);
        }
    }
}

impl Peer for Server<'_> {
    fn name(&self) -> &'static str {
        "server"
    }

    fn reply_name(&self) -> &'static str {
        "reply"
    }

    fn exchange(&mut self, request: &Request<'_>) -> Result<ConnectionOutcome, Error> {
        if self.is_fresh() {
            self.start()?;
        }
        let mut connection = Connection::new(self.connect()?)?;
        connection.send_split(request.stream, request.split, self.options.timeout);
        let (timeout, reply_idle) = (request.timeout, self.options.reply_idle);
        let idle = |reply: &[u8]| {
            if reply.is_empty() {
                timeout
            } else {
                reply_idle
            }
        };
        let in_time = match request.reply_end {
            ReplyEnd::Unknown => {
                connection.collect(|_| false, idle);
                true
            }
            ReplyEnd::PeerCloses => connection.collect(|_| false, |_| timeout),
            ReplyEnd::FirstByte => connection.collect(|reply| !reply.is_empty(), |_| timeout),
            ReplyEnd::Length { length, closes } => {
                let mask = &self.options.mask;
                let complete = |reply: &[u8]| masked(mask, reply).len() >= length;
                let in_time = connection.collect(complete, |_| timeout);
                connection.half_close();
                if closes {
                    // Surplus bytes belong to the reply too.
                    connection.collect(|_| false, |_| timeout);
                }
                in_time
            }
            ReplyEnd::CloseAfterHalfClose => {
                connection.half_close();
                connection.collect(|_| false, |_| timeout)
            }
            ReplyEnd::IdleAfterHalfClose => {
                connection.half_close();
                connection.collect(|_| false, idle)
            }
        };
        Ok(ConnectionOutcome {
            reply: std::mem::take(&mut connection.reply),
            observed: connection.observed,
            closed: connection.closed,
            in_time,
        })
    }

    fn crash(&mut self) -> Result<Option<String>, Error> {
        if self.is_fresh() {
            return Ok(None);
        }
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        let Some(status) = process.exit_status_soon() else {
            return Ok(None);
        };
        let crash = format!("the server ended ({status}){}", process.stderr_note());
        self.start()?;
        Ok(Some(crash))
    }

    fn memory(&self) -> Option<Memory> {
        self.process.as_ref()?.memory()
    }
}
