//! A connection to the peer: sends a stream chunk by chunk, each after the previous one was
//! read, and collects the reply.

use std::io;
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use everysplit::Split;

use super::channel::{Channel, Written};
use super::peer::Reading;
use crate::Error;
use crate::address::Socket;
use crate::queues::{CHUNK_DELAY, Delivery, Holder, Kernel, Queues};
use crate::stop;
use crate::tls::TlsClient;

/// Time between looks for received bytes.
const POLL_INTERVAL: Duration = Duration::from_micros(50);

/// A connection, on a non-blocking socket.
pub(super) struct Connection {
    channel: Channel,
    queues: Queues,
    /// Number of bytes sent.
    sent: usize,
    incoming: Incoming,
    reading: Reading,
    /// The processes that hold the peer's end, if they were looked up.
    pub(super) holders: Vec<Holder>,
}

/// What has been received.
struct Incoming {
    reply: Vec<u8>,
    /// Maximum length of the reply, in bytes.
    max: usize,
    /// Whether there is more than that.
    too_long: bool,
    /// Whether the peer has closed.
    closed: bool,
    /// Whether it has closed without reading everything, or by a reset.
    reset: bool,
    /// Number of bytes that had been sent when the last byte came.
    replied_after: usize,
}

impl Connection {
    pub(super) fn new(socket: Socket, max_reply: usize) -> io::Result<Self> {
        socket.set_prompt()?;
        let queues = Queues::of(&Kernel::open(), &socket.system())?;
        Ok(Self {
            channel: Channel {
                socket,
                session: None,
            },
            queues,
            sent: 0,
            incoming: Incoming {
                reply: Vec::new(),
                max: max_reply,
                too_long: false,
                closed: false,
                reset: false,
                replied_after: 0,
            },
            reading: Reading::Observed,
            holders: Vec::new(),
        })
    }

    /// Makes a handshake of TLS. What is sent from now on is inside it.
    ///
    /// # Errors
    ///
    /// Why it failed, in words.
    pub(super) fn secure(&mut self, client: &TlsClient, timeout: Duration) -> Result<(), Error> {
        let session = client.handshake(&self.channel.socket, timeout, |sent| {
            self.queues.sent(sent);
        })?;
        self.channel.session = Some(Box::new(session));
        // The first chunk is read alone, too.
        self.queues.wait(timeout, || ());
        Ok(())
    }

    /// Sends a stream in chunks, each after the previous one was read. With `find_holders`, looks
    /// up which processes hold the peer's end while it has read a part.
    pub(super) fn send_split(
        &mut self,
        stream: &[u8],
        split: &Split,
        timeout: Duration,
        find_holders: bool,
    ) {
        let end = self.sent + stream.len();
        for chunk in split.chunks(stream) {
            // If the peer has closed, the reply shows it.
            if stop::requested() || !self.send(chunk, timeout) {
                return;
            }
            // Some peers read on only after their reply has been read.
            let (channel, incoming, sent) = (&mut self.channel, &mut self.incoming, self.sent);
            let delivery = self.queues.wait(timeout, || {
                incoming.receive(channel, sent);
            });
            match delivery {
                Delivery::Read => {
                    if find_holders && self.holders.is_empty() {
                        self.holders = self.queues.holders();
                    }
                }
                Delivery::Closed if self.sent < end => {
                    self.reading = Reading::Stopped(self.sent);
                    return;
                }
                Delivery::Closed => return,
                Delivery::Unread => self.reading = Reading::Timed,
                Delivery::Unobservable => {
                    self.reading = Reading::Timed;
                    thread::sleep(CHUNK_DELAY);
                }
            }
        }
    }

    /// Sends a chunk and receives meanwhile. Returns whether all of it was sent.
    pub(super) fn send(&mut self, chunk: &[u8], timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut rest = chunk;
        while !rest.is_empty() || self.channel.wants_write() {
            match self.channel.write(rest) {
                Ok(Written { chunk, socket }) => {
                    self.sent += chunk;
                    self.queues.sent(socket);
                    self.channel.acknowledge();
                    rest = &rest[chunk..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if (!self.receive() && Instant::now() > deadline) || stop::requested() {
                        return false;
                    }
                    thread::yield_now();
                }
                Err(_) => {
                    self.reading = Reading::Stopped(self.sent);
                    return false;
                }
            }
        }
        true
    }

    /// Receives what has arrived. Returns whether there was anything.
    pub(super) fn receive(&mut self) -> bool {
        self.incoming.receive(&mut self.channel, self.sent)
    }

    /// Shuts down the sending direction.
    pub(super) fn half_close(&mut self) {
        let sent = self.channel.half_close();
        self.queues.sent(sent);
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
        // What came before can be the whole reply.
        let mut is_new = true;
        loop {
            if self.receive() {
                last = Instant::now();
                tries = 0;
                is_new = true;
            }
            if self.is_over() || (mem::take(&mut is_new) && complete(self.reply())) {
                return true;
            }
            if last.elapsed() > max_idle(self.reply()) || stop::requested() {
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

    /// Returns the reply so far.
    pub(super) fn reply(&self) -> &[u8] {
        &self.incoming.reply
    }

    pub(super) fn into_reply(self) -> Vec<u8> {
        self.incoming.reply
    }

    /// Returns whether the peer has closed.
    pub(super) const fn closed(&self) -> bool {
        self.incoming.closed
    }

    /// Returns whether the reply is longer than allowed.
    pub(super) const fn too_long(&self) -> bool {
        self.incoming.too_long
    }

    /// Returns whether nothing more is received.
    const fn is_over(&self) -> bool {
        self.incoming.closed || self.incoming.too_long
    }

    /// Notes that there is more to send, which the peer does not read if it has closed.
    pub(super) fn note_stopped(&mut self) {
        if self.closed() {
            self.reading = Reading::Stopped(self.sent);
        }
    }

    /// Returns the number of bytes sent.
    pub(super) const fn sent(&self) -> usize {
        self.sent
    }

    /// Returns how the peer has read the stream.
    pub(super) const fn reading(&self) -> Reading {
        match self.reading {
            Reading::Stopped(_) => self.reading,
            _ if self.incoming.reset => Reading::Stopped(self.sent),
            reading => reading,
        }
    }

    /// Returns how many bytes had been sent when the last byte of the reply came.
    pub(super) const fn replied_after(&self) -> usize {
        self.incoming.replied_after
    }
}

impl Incoming {
    /// Receives what has arrived, after `sent` bytes were sent. Returns whether there was anything.
    fn receive(&mut self, channel: &mut Channel, sent: usize) -> bool {
        let before = self.reply.len();
        let mut chunk = [0; 16 * 1024];
        while !self.too_long {
            match channel.read(&mut chunk) {
                Ok(0) => self.closed = true,
                Ok(read) => {
                    self.reply.extend_from_slice(&chunk[..read]);
                    self.too_long = self.reply.len() > self.max;
                    self.reply.truncate(self.max);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // An alert of TLS.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => self.closed = true,
                Err(_) => (self.closed, self.reset) = (true, true),
            }
            break;
        }
        let received = self.reply.len() > before;
        if received {
            self.replied_after = sent;
            channel.acknowledge();
        }
        received
    }
}
