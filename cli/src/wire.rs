//! A connection to who is under test: sends chunks, sees them read, takes what comes back.
//! It judges nothing.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use everysplit::Split;

use crate::queues::{Queues, Seen};
use crate::stop;

/// How long one waits between chunks where it cannot be seen that they are read.
pub(crate) const DELAY: Duration = Duration::from_millis(20);
/// How long one waits before one looks again.
const TICK: Duration = Duration::from_micros(50);

/// A connection, on a socket that does not block.
pub(crate) struct Wire {
    socket: TcpStream,
    queues: Queues,
    /// What has come back.
    pub(crate) bytes: Vec<u8>,
    /// Whether no more can come.
    pub(crate) closed: bool,
    /// Whether each chunk was seen to have been read before the next was sent.
    pub(crate) observed: bool,
}

impl Wire {
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut queues = Queues::new(socket.local_addr()?, socket.peer_addr()?);
        // What has been seen once and is no more has closed.
        queues.look();
        Ok(Self {
            socket,
            queues,
            bytes: Vec::new(),
            closed: false,
            observed: true,
        })
    }

    /// Sends a stream, each chunk when the last one has been read.
    pub(crate) fn send_in(&mut self, stream: &[u8], split: &Split, timeout: Duration) {
        for chunk in split.chunks(stream) {
            // Who has closed is known by the reply.
            if !self.send(chunk, timeout) {
                return;
            }
            // Who waits for a reply to be read reads no more before it is.
            let (socket, bytes, closed) = (&self.socket, &mut self.bytes, &mut self.closed);
            let seen = self.queues.wait(timeout, || {
                take(socket, bytes, closed);
            });
            match seen {
                Seen::Read => {}
                Seen::Closed => return,
                Seen::Unread => self.observed = false,
                Seen::Nothing => {
                    self.observed = false;
                    thread::sleep(DELAY);
                }
            }
        }
    }

    /// Sends a chunk while taking what comes back; returns whether it could be sent.
    fn send(&mut self, chunk: &[u8], timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut rest = chunk;
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(sent) => {
                    self.queues.sent(sent);
                    rest = &rest[sent..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if (!self.take() && Instant::now() > until) || stop::requested() {
                        return false;
                    }
                    thread::yield_now();
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Takes what is there; returns whether anything was.
    pub(crate) fn take(&mut self) -> bool {
        take(&self.socket, &mut self.bytes, &mut self.closed)
    }

    /// Tells the other end that no more is sent.
    pub(crate) fn half_close(&self) {
        // One that is closed already needs no word.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Takes what comes back until that is `enough`, or the end of the connection. Returns
    /// `false` when it took too long: `patience` tells how long may pass without a byte.
    pub(crate) fn collect(
        &mut self,
        mut enough: impl FnMut(&[u8]) -> bool,
        patience: impl Fn(&[u8]) -> Duration,
    ) -> bool {
        let mut last = Instant::now();
        let mut tries = 0;
        loop {
            if self.take() {
                last = Instant::now();
                tries = 0;
            }
            if self.closed || enough(&self.bytes) {
                return true;
            }
            if last.elapsed() > patience(&self.bytes) || stop::requested() {
                return false;
            }
            tries += 1;
            if tries < 20 {
                thread::yield_now();
            } else {
                thread::sleep(TICK);
            }
        }
    }
}

fn take(mut socket: &TcpStream, bytes: &mut Vec<u8>, closed: &mut bool) -> bool {
    let before = bytes.len();
    let mut chunk = [0; 16 * 1024];
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => *closed = true,
            Ok(read) => {
                bytes.extend_from_slice(&chunk[..read]);
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => *closed = true,
        }
        return bytes.len() > before;
    }
}
