//! One direction of a connection: receives bytes from its source and sends them, cut, to its sink.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use socket2::Socket;

use super::cuts::{Cut, Stream};
use super::log::{Log, Wait};
use super::plan::Cutter;
use crate::queues::{CHUNK_DELAY, Delivery, Kernel, Queues};

/// Maximum number of chunks that are sent before other connections get their turn.
const MAX_CHUNKS: usize = 16;
/// Buffers up to this capacity are kept, in bytes.
const KEPT_CAPACITY: usize = 1024;

pub(super) struct Flow {
    stream: Stream,
    cutter: Cutter,
    next_cut: Option<u64>,
    /// The cut after which the last chunk ended, until the next one is sent.
    reached: Option<(u64, Wait)>,
    /// What the sink has not read, if this direction is cut and the sink can be observed.
    queues: Option<Queues>,
    /// What was received. The bytes from `start` on are not sent.
    buffer: Vec<u8>,
    start: usize,
    /// Number of bytes sent.
    sent: u64,
    /// Time to wait until a chunk is read, after the sink has left one unread for the maximum
    /// time: it may look at bytes without reading them.
    shorter_wait: Option<Duration>,
    /// Whether the source has ended.
    ended: bool,
    pub(super) pause: Option<Pause>,
    /// Whether the sink accepts no more bytes for now.
    pub(super) blocked: bool,
    /// Whether nothing is sent any more.
    pub(super) done: bool,
}

/// Why the next chunk is not sent yet.
#[derive(Clone, Copy)]
pub(super) enum Pause {
    /// The previous one is not read; after the deadline, the next one is sent all the same.
    UntilRead {
        deadline: Instant,
    },
    Until(Instant),
}

/// The end of a connection that can no longer be used.
pub(super) enum Failed {
    Source,
    Sink,
}

impl Flow {
    pub(super) fn new(stream: Stream, mut cutter: Cutter) -> Self {
        Self {
            stream,
            next_cut: cutter.next(),
            cutter,
            reached: None,
            queues: None,
            buffer: Vec::new(),
            start: 0,
            sent: 0,
            shorter_wait: None,
            ended: false,
            pause: None,
            blocked: false,
            done: false,
        }
    }

    /// Observes the sink, if this direction is cut.
    pub(super) fn observe(&mut self, sink: &Socket, kernel: &Kernel) {
        self.queues = self.next_cut.and_then(|_| Queues::of(kernel, sink).ok());
    }

    /// Returns whether it waits for bytes of its source.
    pub(super) const fn reads(&self) -> bool {
        !self.done && !self.ended && self.pause.is_none() && !self.has_bytes()
    }

    /// Returns whether it waits for room in its sink.
    pub(super) const fn writes(&self) -> bool {
        !self.done && self.pause.is_none() && self.has_bytes()
    }

    const fn has_bytes(&self) -> bool {
        self.start < self.buffer.len()
    }

    /// Forwards what can be forwarded now.
    pub(super) fn pump(
        &mut self,
        source: &Socket,
        sink: &Socket,
        max_wait: Duration,
        log: &mut Log,
    ) -> Result<(), Failed> {
        for _ in 0..MAX_CHUNKS {
            if !self.resume(log) {
                return Ok(());
            }
            if !self.has_bytes() {
                if !self.ended && !self.receive(source, log)? {
                    return Ok(());
                }
                if self.ended {
                    self.done = true;
                    return Ok(());
                }
            }
            if !self.send(sink, max_wait, log)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Ends a pause that is over. Returns whether the next chunk can be sent.
    fn resume(&mut self, log: &mut Log) -> bool {
        let now = Instant::now();
        let wait = match self.pause {
            None => return true,
            Some(Pause::Until(time)) if now < time => return false,
            Some(Pause::Until(_)) => Wait::Timed,
            Some(Pause::UntilRead { deadline }) => {
                let delivery = self.queues.as_mut().map(Queues::look);
                match delivery.unwrap_or(Some(Delivery::Unobservable)) {
                    Some(Delivery::Read) => {
                        self.shorter_wait = None;
                        Wait::Observed
                    }
                    Some(Delivery::Unobservable) => {
                        self.pause = Some(Pause::Until(now + CHUNK_DELAY));
                        return false;
                    }
                    Some(Delivery::Closed | Delivery::Unread) => Wait::Unread,
                    None if now > deadline => {
                        self.shorter_wait = Some(CHUNK_DELAY);
                        Wait::Unread
                    }
                    None => return false,
                }
            }
        };
        self.pause = None;
        self.reached = Some((self.sent, wait));
        log.active(now);
        true
    }

    /// Receives bytes, or the end of the stream. Returns whether there was either.
    fn receive(&mut self, source: &Socket, log: &mut Log) -> Result<bool, Failed> {
        match retry(|| (&*source).read(&mut log.scratch)) {
            Ok(0) => self.ended = true,
            Ok(read) => {
                self.buffer.clear();
                self.buffer.extend_from_slice(&log.scratch[..read]);
                self.start = 0;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(_) => {
                self.ended = true;
                return Err(Failed::Source);
            }
        }
        Ok(true)
    }

    /// Sends a chunk. Returns whether the sink has accepted any of it.
    fn send(&mut self, sink: &Socket, max_wait: Duration, log: &mut Log) -> Result<bool, Failed> {
        let mut chunk = &self.buffer[self.start..];
        if let Some(cut) = self.next_cut {
            let room = usize::try_from(cut - self.sent).unwrap_or(usize::MAX);
            chunk = &chunk[..chunk.len().min(room)];
        }
        let sent = match retry(|| (&*sink).write(chunk)) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.blocked = true;
                return Ok(false);
            }
            Err(_) => return Err(Failed::Sink),
        };
        self.blocked = false;
        let stream = self.stream;
        if let Some((at, wait)) = self.reached.take() {
            log.cut(Cut { stream, at }, wait, chunk);
            let ends_uncut = self.next_cut.is_none() && self.cutter.is_limited();
            log.traffic.limited += u64::from(ends_uncut);
        }
        log.sent(stream, &chunk[..sent]);
        self.sent += sent as u64;
        self.start += sent;
        if !self.has_bytes() && self.buffer.capacity() > KEPT_CAPACITY {
            self.buffer = Vec::new();
            self.start = 0;
        }
        if let Some(queues) = &mut self.queues {
            queues.sent(sent);
        }
        if self.next_cut == Some(self.sent) {
            self.next_cut = self.cutter.next();
            let deadline = Instant::now() + self.shorter_wait.unwrap_or(max_wait);
            self.pause = Some(Pause::UntilRead { deadline });
        }
        Ok(true)
    }
}

/// Repeats a call that a signal interrupts.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
