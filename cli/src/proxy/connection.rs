//! A connection through the proxy: a client, a server, and the two directions between them.

use std::io;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use socket2::{SockAddr, Socket};

use super::cuts::{Side, Stream};
use super::flow::{Failed, Flow, Pause};
use super::log::Log;
use super::plan::Plan;
use crate::address::Address;
use crate::queues::Kernel;

/// Time between attempts to connect to a Unix socket whose queue of connections is full.
const RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// What all connections have in common.
pub(super) struct Route {
    pub(super) to: SockAddr,
    /// Maximum time to wait until a chunk is read.
    pub(super) max_wait: Duration,
    pub(super) kernel: Kernel,
}

pub(super) struct Connection {
    client: End,
    server: End,
    /// The state of the connection to the server, until it is established.
    connecting: Option<Connecting>,
    /// The side that has reset the connection, or is gone.
    failed: Option<Side>,
}

/// A socket, and the direction that begins at it.
struct End {
    socket: Socket,
    /// Whether the other program has closed or reset its socket, so that reading never blocks.
    hung_up: bool,
    flow: Flow,
}

enum Connecting {
    InProgress,
    /// The server's queue of connections is full.
    Retry(Instant),
}

/// When a connection must be looked at again, although no socket is ready.
#[derive(Clone, Copy)]
pub(super) enum Wake {
    /// As soon as a chunk is read.
    WhenRead,
    At(Instant),
}

impl Connection {
    /// Returns the connection number `number`, of which the server's socket is not yet connected.
    pub(super) fn open(
        client: Socket,
        server: Socket,
        number: u64,
        plan: &Plan,
    ) -> io::Result<Self> {
        prepare(&client)?;
        prepare(&server)?;
        let end = |socket, from| {
            let stream = Stream {
                connection: number,
                from,
            };
            End {
                socket,
                hung_up: false,
                flow: Flow::new(stream, plan.cutter(stream)),
            }
        };
        Ok(Self {
            client: end(client, Side::Client),
            server: end(server, Side::Server),
            connecting: Some(Connecting::Retry(Instant::now())),
            failed: None,
        })
    }

    const fn end(&self, side: Side) -> &End {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    const fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Returns a socket to poll, and for what, unless its state can no longer change.
    pub(super) fn interest(&self, side: Side) -> Option<(&Socket, PollFlags)> {
        let End {
            socket,
            hung_up,
            flow,
        } = self.end(side);
        let flags = match (&self.connecting, side) {
            (None, _) => {
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::IN, flow.reads());
                flags.set(PollFlags::OUT, self.end(side.other()).flow.writes());
                flags
            }
            (Some(Connecting::InProgress), Side::Server) => PollFlags::OUT,
            (Some(Connecting::Retry(_)), Side::Server) => return None,
            (Some(_), Side::Client) => PollFlags::empty(),
        };
        // A socket that was closed by the other program is always ready.
        (!hung_up || !flags.is_empty()).then_some((socket, flags))
    }

    pub(super) fn wake(&self) -> Option<Wake> {
        if let Some(Connecting::Retry(time)) = self.connecting {
            return Some(Wake::At(time));
        }
        let wake = |end: &End| match end.flow.pause? {
            _ if end.flow.done => None,
            Pause::UntilRead { .. } => Some(Wake::WhenRead),
            Pause::Until(time) => Some(Wake::At(time)),
        };
        match (wake(&self.client), wake(&self.server)) {
            (Some(Wake::At(a)), Some(Wake::At(b))) => Some(Wake::At(a.min(b))),
            (Some(Wake::WhenRead), _) | (_, Some(Wake::WhenRead)) => Some(Wake::WhenRead),
            (at, None) | (None, at) => at,
        }
    }

    /// Forwards what can be forwarded. Returns whether the connection is over.
    ///
    /// # Errors
    ///
    /// If the server does not accept the connection.
    pub(super) fn advance(
        &mut self,
        route: &Route,
        [client, server]: [PollFlags; 2],
        log: &mut Log,
    ) -> io::Result<bool> {
        if let Some(connecting) = &self.connecting {
            let connected = match connecting {
                Connecting::Retry(time) if Instant::now() < *time => return Ok(false),
                Connecting::InProgress if server.is_empty() => return Ok(false),
                Connecting::Retry(_) => self.connect(&route.to),
                Connecting::InProgress => match self.server.socket.take_error()? {
                    None => Ok(true),
                    Some(error) => Err(error),
                },
            };
            if !connected.inspect_err(|_| reset(&self.client.socket))? {
                return Ok(false);
            }
            self.connected(&route.kernel, log);
        }
        self.note(Side::Client, client);
        self.note(Side::Server, server);
        let idle = client.is_empty() && server.is_empty() && self.wake().is_none();
        if !idle || self.client.hung_up || self.server.hung_up {
            self.pump(Side::Client, route.max_wait, log);
            self.pump(Side::Server, route.max_wait, log);
        }
        let over = self.client.flow.done && self.server.flow.done;
        if over && let Some(failed) = self.failed {
            log.traffic.resets += 1;
            reset(&self.end(failed.other()).socket);
        }
        Ok(over)
    }

    /// Connects to the server. Returns whether the connection is established.
    fn connect(&mut self, to: &SockAddr) -> io::Result<bool> {
        let error = match self.server.socket.connect(to) {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        self.connecting = Some(
            match error
                .raw_os_error()
                .map(rustix::io::Errno::from_raw_os_error)
            {
                Some(rustix::io::Errno::INPROGRESS) => Connecting::InProgress,
                Some(rustix::io::Errno::AGAIN) => {
                    Connecting::Retry(Instant::now() + RETRY_INTERVAL)
                }
                _ => return Err(error),
            },
        );
        Ok(false)
    }

    fn connected(&mut self, kernel: &Kernel, log: &mut Log) {
        self.connecting = None;
        log.active(Instant::now());
        let (client, server) = (&mut self.client, &mut self.server);
        client.flow.observe(&server.socket, kernel);
        server.flow.observe(&client.socket, kernel);
    }

    /// Notes what the poll has reported of a socket.
    fn note(&mut self, side: Side, ready: PollFlags) {
        if ready.intersects(PollFlags::HUP.union(PollFlags::ERR)) {
            self.end_mut(side).hung_up = true;
        }
        if ready.contains(PollFlags::ERR) {
            self.fail(side);
        }
    }

    /// Forwards from one side to the other.
    fn pump(&mut self, from: Side, max_wait: Duration, log: &mut Log) {
        while !self.end(from).flow.done {
            let (source, sink) = match from {
                Side::Client => (&mut self.client, &self.server),
                Side::Server => (&mut self.server, &self.client),
            };
            let flow = &mut source.flow;
            match flow.pump(&source.socket, &sink.socket, max_wait, log) {
                // What was received before is sent.
                Err(Failed::Source) => self.fail(from),
                Err(Failed::Sink) => self.fail(from.other()),
                Ok(()) if self.failed == Some(from) => {
                    // The bytes before a reset are lost if the other side does not read them.
                    flow.done |= flow.blocked;
                    return;
                }
                Ok(()) => {
                    if flow.done && self.failed.is_none() {
                        // This fails if the other program has closed already.
                        let _ = sink.socket.shutdown(Shutdown::Write);
                    }
                    return;
                }
            }
        }
    }

    /// Stops sending to a side that has reset the connection. What it sent before is forwarded,
    /// and the reset after it.
    fn fail(&mut self, side: Side) {
        self.end_mut(side.other()).flow.done = true;
        match self.failed {
            None => self.failed = Some(side),
            Some(failed) if failed == side => {}
            Some(_) => self.end_mut(side).flow.done = true,
        }
    }
}

/// Returns the address for the system.
pub(super) fn system_address(address: &Address) -> io::Result<SockAddr> {
    match address {
        // IPv4 first, if the name has several addresses.
        Address::Tcp { resolved, .. } => Ok(resolved[0].into()),
        Address::Unix(path) => SockAddr::unix(path),
    }
}

fn prepare(socket: &Socket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    if !socket.local_addr()?.is_unix() {
        socket.set_tcp_nodelay(true)?;
    }
    Ok(())
}

/// Has a socket reset the connection when it is closed.
fn reset(socket: &Socket) {
    // A Unix socket has no resets.
    let _ = socket.set_linger(Some(Duration::ZERO));
}
