//! A server under test: one that runs already, or one that is started here.

use std::cell::Cell;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::conversation::{Conversation, converse};
use super::difference::masked;
use super::peer::{
    ConnectionOutcome, Ended, HalfClose, Peer, Reader, ReplyEnd, ReplyRule, Request,
};
use crate::address::{Address, Socket};
use crate::options::{PeerOptions, TcpOptions};
use crate::process::{ChildProcess, Memory, is_crash};
use crate::queues::Holder;
use crate::tls::TlsClient;
use crate::{Error, stop};

/// Time between attempts to connect to a server that is starting.
const CONNECT_INTERVAL: Duration = Duration::from_millis(2);
/// The least time that a server has to start, however short --timeout is.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Time between looks at connections that stay open.
const LISTEN_INTERVAL: Duration = Duration::from_millis(1);

pub(super) struct Server<'a> {
    address: Address,
    options: &'a TcpOptions,
    /// The program, if it is started here.
    process: Option<ChildProcess>,
    tls: Option<TlsClient>,
    /// The process that reads, once it has been found.
    reader: Option<Reader>,
    /// The processes that have held connections since the program was started.
    served_by: Vec<Holder>,
}

impl<'a> Server<'a> {
    /// Returns a server that runs already.
    pub(super) fn running(address: Address, options: &'a TcpOptions) -> Result<Self, Error> {
        Ok(Self {
            tls: options.tls.as_ref().map(TlsClient::new).transpose()?,
            address,
            options,
            process: None,
            reader: None,
            served_by: Vec::new(),
        })
    }

    /// Starts a server that listens on a port of this machine.
    pub(super) fn started(port: u16, options: &'a TcpOptions) -> Result<Self, Error> {
        let mut server = Self::running(Address::local_port(port), options)?;
        if server.address.connect().is_ok() {
            return Err(format!(
                "{} is already in use: stop that server, or choose another --port",
                server.address
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
            self.served_by.clear();
        }
        Ok(())
    }

    /// Takes note of the processes that hold a connection.
    fn meet(&mut self, connection: &Connection) {
        for holder in &connection.holders {
            if !self.served_by.contains(holder) {
                self.served_by.push(holder.clone());
            }
        }
        let (tested, is_given) = match &self.options.peer {
            PeerOptions::RunningServer { pid, .. } => (*pid, true),
            // Also one that detaches itself from its parent belongs to this process.
            _ => (Some(process::id()), false),
        };
        let known = self.reader.as_ref().map_or(0, Reader::doubt);
        if let Some(reader) = Reader::of(&connection.holders, tested, is_given)
            && reader.doubt() >= known
        {
            self.reader = Some(reader);
        }
    }

    fn is_fresh(&self) -> bool {
        self.options.peer.is_fresh()
    }

    /// Connects, as soon as the server listens.
    fn connect(&mut self) -> Result<Socket, Error> {
        let timeout = self.options.timeout.max(START_TIMEOUT);
        let deadline = Instant::now() + timeout;
        loop {
            let error = match self.address.connect() {
                Ok(socket) => return Ok(socket),
                Err(error) => error,
            };
            let address = &self.address;
            let Some(process) = &mut self.process else {
                return Err(format!(
                    "cannot connect to {address}: {error}; start the server, or check the address"
                )
                .into());
            };
            if let Some(status) = process.exit_status() {
                let note = process.stderr_note();
                let advice = if status.success() {
                    "; if it serves only one client, add --fresh"
                } else {
                    ""
                };
                return Err(format!("the server ended ({status}){note}{advice}").into());
            }
            if Instant::now() > deadline || stop::requested() {
                return Err(format!(
                    "the server does not listen on {address} after {timeout:?}: {error}"
                )
                .into());
            }
            thread::sleep(CONNECT_INTERVAL);
        }
    }
}

impl Server<'_> {
    /// Makes a connection, with TLS if that is wanted. `timeout` is the maximum time of its
    /// handshake.
    fn connection(&mut self, timeout: Duration) -> Result<Connection, Error> {
        let mut connection = Connection::new(self.connect()?, self.options.max_reply)?;
        if let Some(tls) = &self.tls {
            let secured = connection.secure(tls, timeout);
            secured.map_err(|error| format!("no TLS with {}: {error}", self.address))?;
        }
        Ok(connection)
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
        let options = self.options;
        let mut connection = self.connection(options.timeout)?;
        let find_holders = self.reader.is_none() || request.split.cuts().is_empty();
        let conversation = converse(&mut connection, request, options.timeout, find_holders);
        self.meet(&connection);
        let begun = Instant::now();
        let mut in_time = if conversation.unmatched.is_some() {
            connection.closed()
        } else {
            collect_reply(&mut connection, request, &conversation, options)
        };
        let reading = connection.reading();
        if request.rule.end == ReplyEnd::Protocol && in_time && !connection.closed() {
            in_time = send_last_request(&mut connection, request, options);
        }
        Ok(ConnectionOutcome {
            reading,
            replied_after: match request.script {
                None => connection.replied_after(),
                // Its sends can have other lengths than in the stream.
                Some(_) => (request.stream.len() + connection.replied_after())
                    .saturating_sub(connection.sent()),
            },
            closed: connection.closed(),
            replied: !connection.reply().is_empty(),
            ended: Ended::new(connection.too_long(), in_time),
            reaction: begun.elapsed(),
            reply: connection.into_reply(),
            conversation,
        })
    }

    fn exchange_and_listen(&mut self, requests: &[Request<'_>]) -> Result<Vec<Vec<u8>>, Error> {
        let reply_idle = self.options.reply_idle;
        let count = if self.is_fresh() { 1 } else { requests.len() };
        let mut connections = Vec::new();
        for request in &requests[..count] {
            if self.is_fresh() {
                self.start()?;
            }
            let mut connection = match self.connection(reply_idle) {
                Ok(connection) => connection,
                // It does not serve so many at the same time.
                Err(_) if self.tls.is_some() && !connections.is_empty() => break,
                Err(error) => return Err(error),
            };
            let conversation = converse(&mut connection, request, reply_idle, false);
            let waits = request.rule.end == ReplyEnd::FirstByte;
            let replied = waits
                && conversation.unmatched.is_none()
                && connection.collect(|reply| !conversation.awaits_reply(reply), |_| reply_idle);
            connections.push((connection, conversation));
            // As above.
            if waits && !replied || stop::requested() {
                break;
            }
        }
        let mut last = Instant::now();
        while last.elapsed() < reply_idle && !stop::requested() {
            for (connection, _) in &mut connections {
                if connection.receive() {
                    last = Instant::now();
                }
            }
            thread::sleep(LISTEN_INTERVAL);
        }
        Ok(connections
            .into_iter()
            .map(|(connection, conversation)| conversation.masked(&connection.into_reply()))
            .collect())
    }

    fn crash(&mut self, within: Duration) -> Result<Option<String>, Error> {
        let is_fresh = self.is_fresh();
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        let Some(status) = process.exit_status_within(within) else {
            return Ok(None);
        };
        let may_end = if is_fresh {
            // It may serve only one client.
            !is_crash(status)
        } else {
            // A daemon goes on without the process that was started.
            status.success() && !process.all_ended()
        };
        if may_end {
            return Ok(None);
        }
        let crash = format!("the server ended ({status}){}", process.stderr_note());
        if is_fresh {
            // The next connection starts it.
            self.process = None;
        } else {
            self.start()?;
        }
        Ok(Some(crash))
    }

    fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    fn memory(&self) -> Option<Memory> {
        self.process.as_ref()?.memory()
    }

    fn forget_peak(&self) {
        if let Some(process) = &self.process {
            process.forget_peak();
        }
    }

    fn serves_unmeasured(&self) -> bool {
        let Some(process) = &self.process else {
            return false;
        };
        self.served_by.iter().any(|holder| match holder {
            Holder::Known { pid, .. } => !process.is_measured(*pid),
            Holder::Hidden => true,
        })
    }
}

/// Receives the reply to a stream that was sent. Returns whether it ended in time.
fn collect_reply(
    connection: &mut Connection,
    request: &Request<'_>,
    conversation: &Conversation,
    options: &TcpOptions,
) -> bool {
    let ReplyRule { end, half_close } = request.rule;
    let (timeout, reply_idle) = (request.timeout, options.reply_idle);
    if half_close == HalfClose::BeforeReply {
        connection.half_close();
    }
    let in_time = match end {
        ReplyEnd::Idle => {
            connection.collect(
                |_| false,
                |reply| {
                    if conversation.awaits_reply(reply) {
                        timeout
                    } else {
                        reply_idle
                    }
                },
            );
            connection.closed() || !connection.reply().is_empty()
        }
        ReplyEnd::Close => connection.collect(|_| false, |_| timeout),
        ReplyEnd::FirstByte => connection.collect(|reply| !reply.is_empty(), |_| timeout),
        ReplyEnd::Expected => collect_expected(connection, request, conversation, options),
        ReplyEnd::Protocol => connection.collect(
            |reply| options.protocol.is_complete(request.stream, reply, false),
            |_| timeout,
        ),
    };
    if half_close == HalfClose::AfterReply {
        connection.half_close();
        connection.collect(|_| false, |_| timeout);
    }
    in_time
}

/// Receives until the masked reply is the expected one, or cannot become that any more. Returns
/// whether it did in time.
fn collect_expected(
    connection: &mut Connection,
    request: &Request<'_>,
    conversation: &Conversation,
    options: &TcpOptions,
) -> bool {
    let expected = request.expected;
    if options.mask.is_empty() && request.script.is_none() {
        return connection.collect(|reply| reply.len() >= expected.len(), |_| request.timeout);
    }
    let max_idle = Cell::new(request.timeout);
    connection.collect(
        |reply| {
            let masked = masked(&options.mask, &conversation.masked(reply));
            if masked.len() >= expected.len() {
                // A part that varies can be longer before it is complete: no mask matches it yet.
                max_idle.set(options.reply_idle.min(request.timeout));
            }
            masked.starts_with(expected)
        },
        |_| max_idle.get(),
    )
}

/// Sends one more request after a complete reply, and receives the reply to it. Returns whether it
/// ended in time.
fn send_last_request(
    connection: &mut Connection,
    request: &Request<'_>,
    options: &TcpOptions,
) -> bool {
    let Some(last) = options.protocol.last_request(request.stream) else {
        return true;
    };
    connection.send(&last, request.timeout);
    connection.collect(
        |reply| options.protocol.is_complete(request.stream, reply, true),
        |_| request.timeout,
    )
}
