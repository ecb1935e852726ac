//! A connection to the peer: sends a stream chunk by chunk, each after the previous one was
//! read, and collects the reply.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use everysplit::Split;

use crate::queues::{CHUNK_DELAY, Delivery, Queues};
use crate::stop;

/// Time between looks for received bytes.
const POLL_INTERVAL: Duration = Duration::from_micros(50);

/// A connection, on a non-blocking socket.
pub(super) struct Connection {
    socket: TcpStream,
    queues: Queues,
    pub(super) reply: Vec<u8>,
    /// Whether the peer has closed, so that the reply is complete.
    pub(super) closed: bool,
    /// Whether each chunk was observed to be read before the next was sent.
    pub(super) observed: bool,
}

impl Connection {
    pub(super) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut queues = Queues::new(socket.local_addr()?, socket.peer_addr()?);
        // Only a socket that was observed before counts as closed when it is gone.
        queues.look();
        Ok(Self {
            socket,
            queues,
            reply: Vec::new(),
            closed: false,
            observed: true,
        })
    }

    /// Sends a stream in chunks, each after the previous one was read.
    pub(super) fn send_split(&mut self, stream: &[u8], split: &Split, timeout: Duration) {
        for chunk in split.chunks(stream) {
            // If the peer has closed, the reply shows it.
            if !self.send(chunk, timeout) {
                return;
            }
            // Some peers read on only after their reply has been read.
            let (socket, reply, closed) = (&self.socket, &mut self.reply, &mut self.closed);
            let delivery = self.queues.wait(timeout, || {
                receive(socket, reply, closed);
            });
            match delivery {
                Delivery::Read => {}
                Delivery::Closed => return,
                Delivery::Unread => self.observed = false,
                Delivery::Unobservable => {
                    self.observed = false;
                    thread::sleep(CHUNK_DELAY);
                }
            }
        }
    }

    /// Sends a chunk and receives meanwhile. Returns whether all of it was sent.
    fn send(&mut self, chunk: &[u8], timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut rest = chunk;
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(sent) => {
                    self.queues.sent(sent);
                    rest = &rest[sent..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if (!self.receive() && Instant::now() > deadline) || stop::requested() {
                        return false;
                    }
                    thread::yield_now();
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Receives what has arrived. Returns whether there was anything.
    pub(super) fn receive(&mut self) -> bool {
        receive(&self.socket, &mut self.reply, &mut self.closed)
    }

    /// Shuts down the sending direction.
    pub(super) fn half_close(&self) {
        // This fails if the peer has closed already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Receives until the reply is `complete` or the peer closes. Returns `false` on a timeout:
    /// `max_idle` is the maximum time without a byte, given the reply so far.
    pub(super) fn collect(
        &mut self,
        mut complete: impl FnMut(&[u8]) -> bool,
        max_idle: impl Fn(&[u8]) -> Duration,
    ) -> bool {
        let mut last = Instant::now();
        let mut tries = 0;
        loop {
            if self.receive() {
                last = Instant::now();
                tries = 0;
            }
            if self.closed || complete(&self.reply) {
                return true;
            }
            if last.elapsed() > max_idle(&self.reply) || stop::requested() {
                return false;
            }
            tries += 1;
            if tries < 20 {
                thread::yield_now();
            } else {
                thread::sleep(POLL_INTERVAL);
            }
        }
    }
}

fn receive(mut socket: &TcpStream, reply: &mut Vec<u8>, closed: &mut bool) -> bool {
    let before = reply.len();
    let mut chunk = [0; 16 * 1024];
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => *closed = true,
            Ok(read) => {
                reply.extend_from_slice(&chunk[..read]);
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => *closed = true,
        }
        return reply.len() > before;
    }
}
