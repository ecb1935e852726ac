//! A connected socket, with TLS around what is sent or without.

use std::io::{self, Read as _, Write as _};

use crate::address::Socket;
use crate::tls::Session;

/// What streams are sent through, without blocking.
pub(super) struct Channel {
    pub(super) socket: Socket,
    pub(super) session: Option<Box<Session>>,
}

/// What was written at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// Number of bytes of the chunk.
    pub(super) chunk: usize,
    /// Number of bytes on the socket.
    pub(super) socket: usize,
}

impl Channel {
    /// Writes the rest of a chunk, as much as goes at once. A chunk goes into TLS as a whole, and
    /// what is left of its record is written before the next one.
    pub(super) fn write(&mut self, rest: &[u8]) -> io::Result<Written> {
        let mut socket = &self.socket;
        let Some(session) = &mut self.session else {
            let written = socket.write(rest)?;
            return Ok(Written {
                chunk: written,
                socket: written,
            });
        };
        let chunk = if session.add(rest)? { rest.len() } else { 0 };
        match session.write(socket) {
            Ok(socket) => Ok(Written { chunk, socket }),
            Err(_) if chunk > 0 => Ok(Written { chunk, socket: 0 }),
            Err(error) => Err(error),
        }
    }

    /// Returns whether a part of a record is still to be written.
    pub(super) fn wants_write(&self) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.wants_write())
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut socket = &self.socket;
        match &mut self.session {
            Some(session) => session.read(socket, buffer),
            None => socket.read(buffer),
        }
    }

    pub(super) fn acknowledge(&self) {
        self.socket.acknowledge();
    }

    /// Shuts down the sending direction. Returns the number of bytes that were sent for it.
    pub(super) fn half_close(&mut self) -> usize {
        let mut written = 0;
        if let Some(session) = &mut self.session {
            session.add_end();
            // A peer that does not read needs no end.
            written = session.write(&self.socket).unwrap_or(0);
        }
        self.socket.half_close();
        written
    }
}
