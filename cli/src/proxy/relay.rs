//! The proxy itself: one loop that accepts connections and forwards both directions of each.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Socket, Type};

use super::connection::{Connection, Route, Wake, system_address};
use super::cuts::Side;
use super::log::{Kept, Log};
use super::plan::Plan;
use crate::Error;
use crate::address::Address;
use crate::queues::Kernel;

/// Maximum number of connections that wait to be accepted.
const BACKLOG: i32 = 4096;
/// Time to wait with more connections if there are too many open files.
const ACCEPT_INTERVAL: Duration = Duration::from_millis(10);
/// Number of looks for read bytes without a pause.
const MAX_YIELDS: u32 = 100;
/// Time between two looks after them.
const LOOK_INTERVAL: Duration = Duration::from_micros(200);

pub(super) struct Relay {
    listener: Listener,
    route: Route,
    plan: Plan,
    connections: Vec<Connection>,
    accept_after: Instant,
    pub(super) log: Log,
    /// Number of looks since something last happened.
    looks: u32,
}

impl Relay {
    pub(super) fn listen(
        listen: &Address,
        to: &Address,
        max_wait: Duration,
    ) -> Result<Self, Error> {
        let to = system_address(to).map_err(|error| format!("{to}: {error}"))?;
        let listener = Listener::bind(listen).map_err(|error| {
            let advice = match listen {
                Address::Tcp { .. } => "choose another --listen address",
                Address::Unix(_) => "remove the file if no program uses it, or choose another path",
            };
            format!("cannot listen on {listen}: {error}; {advice}")
        })?;
        Ok(Self {
            listener,
            route: Route {
                to,
                max_wait,
                kernel: Kernel::open(),
            },
            plan: Plan::Uncut,
            connections: Vec::new(),
            accept_after: Instant::now(),
            log: Log::new(),
            looks: 0,
        })
    }

    /// Returns the address on which it listens, with the port that the system has chosen.
    pub(super) const fn address(&self) -> &Address {
        &self.listener.address
    }

    /// Ends all connections. Those that follow are numbered from 1 and cut as planned. Returns the
    /// log of the previous ones.
    pub(super) fn restart(&mut self, plan: Plan, kept: Kept) -> Log {
        self.connections.clear();
        self.plan = plan;
        self.log.restart(kept)
    }

    /// Forwards until the connections have ended, or until nothing happens for some time.
    pub(super) fn drain(&mut self, max_idle: Duration) -> io::Result<()> {
        let begun = Instant::now();
        loop {
            self.turn(Duration::from_millis(1))?;
            let idle = self.log.last_active.max(begun).elapsed();
            if self.connections.is_empty() || idle > max_idle || crate::stop::requested() {
                return Ok(());
            }
        }
    }

    /// Waits for something to forward, at most for a time, and forwards it.
    pub(super) fn turn(&mut self, max_wait: Duration) -> io::Result<()> {
        let before = self.log.last_active;
        let (accept, ready) = self.poll(max_wait)?;
        let (route, log) = (&self.route, &mut self.log);
        let mut ready = ready.into_iter();
        self.connections.retain_mut(|connection| {
            let ready = ready.next().unwrap_or([PollFlags::empty(); 2]);
            match connection.advance(route, ready, log) {
                Ok(over) => !over,
                Err(error) => {
                    log.traffic.refused += 1;
                    log.traffic.refusal = Some(error.to_string());
                    false
                }
            }
        });
        if accept {
            self.accept()?;
        }
        self.looks = if self.log.last_active == before {
            self.looks.saturating_add(1)
        } else {
            0
        };
        Ok(())
    }

    /// Waits until a socket is ready. Returns whether there may be new connections, and what the
    /// sockets of each connection are ready for.
    fn poll(&self, max_wait: Duration) -> io::Result<(bool, Vec<[PollFlags; 2]>)> {
        let mut polled = Vec::with_capacity(1 + 2 * self.connections.len());
        let mut owners = Vec::with_capacity(polled.capacity());
        for (index, connection) in self.connections.iter().enumerate() {
            for (side, end) in Side::BOTH.into_iter().zip(0..) {
                if let Some((socket, flags)) = connection.interest(side) {
                    polled.push(PollFd::new(socket, flags));
                    owners.push((index, end));
                }
            }
        }
        if Instant::now() >= self.accept_after {
            polled.push(PollFd::new(&self.listener.socket, PollFlags::IN));
        }
        let timeout = self.timeout(max_wait);
        let timespec = Timespec::try_from(timeout).map_err(io::Error::other)?;
        match poll(&mut polled, Some(&timespec)) {
            Ok(0) if timeout.is_zero() => thread::yield_now(),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = vec![[PollFlags::empty(); 2]; self.connections.len()];
        for (fd, &(index, end)) in polled.iter().zip(&owners) {
            ready[index][end] = fd.revents();
        }
        let listener = polled.get(owners.len());
        Ok((listener.is_some_and(|fd| !fd.revents().is_empty()), ready))
    }

    /// Returns the time after which a connection must be looked at again.
    fn timeout(&self, max_wait: Duration) -> Duration {
        let now = Instant::now();
        let wakes = self.connections.iter().filter_map(Connection::wake);
        let waits = wakes.map(|wake| match wake {
            Wake::WhenRead if self.looks < MAX_YIELDS => Duration::ZERO,
            Wake::WhenRead => LOOK_INTERVAL,
            Wake::At(time) => time.saturating_duration_since(now),
        });
        waits.fold(max_wait, Duration::min)
    }

    /// Accepts all waiting connections.
    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.accept_one() {
                Ok(connection) => {
                    self.log.traffic.connections += 1;
                    self.log.active(Instant::now());
                    self.connections.push(connection);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // The client has gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // There are too many open files; some will be closed.
                Err(_) if !self.connections.is_empty() => {
                    self.accept_after = Instant::now() + ACCEPT_INTERVAL;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn accept_one(&self) -> io::Result<Connection> {
        // First, as there may be too many open files.
        let server = Socket::new(self.route.to.domain(), Type::STREAM, None)?;
        let (client, _) = self.listener.socket.accept()?;
        let number = self.log.traffic.connections + 1;
        Connection::open(client, server, number, &self.plan)
    }
}

/// A listening socket. The file of a Unix socket is removed at the end.
struct Listener {
    socket: Socket,
    address: Address,
    file: Option<PathBuf>,
}

impl Listener {
    fn bind(address: &Address) -> io::Result<Self> {
        let system = system_address(address)?;
        let socket = Socket::new(system.domain(), Type::STREAM, None)?;
        if !system.is_unix() {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&system)?;
        let file = match address {
            Address::Unix(path) => Some(path.into()),
            Address::Tcp { .. } => None,
        };
        let mut listener = Self {
            socket,
            address: address.clone(),
            file,
        };
        listener.socket.listen(BACKLOG)?;
        listener.socket.set_nonblocking(true)?;
        if let Some(address) = listener.local_address()? {
            listener.address = address.into();
        }
        Ok(listener)
    }

    fn local_address(&self) -> io::Result<Option<SocketAddr>> {
        Ok(self.socket.local_addr()?.as_socket())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // It may have been removed already.
            let _ = fs::remove_file(file);
        }
    }
}
