//! Captures of network traffic: takes the TCP streams out of a pcap or pcapng file.
//!
//! `packets` reads the file and finds the TCP segments, `connection` puts the segments of each
//! direction in order.

mod connection;
mod packets;

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use everysplit::Split;

use crate::Error;
use crate::text::count;
use connection::Connections;
use packets::Segment;

/// The streams of a capture.
pub(crate) struct Capture {
    /// In the order in which their connections appear, that of the client first. None is empty.
    pub(crate) streams: Vec<CapturedStream>,
    /// What was left out, a message each.
    pub(crate) notes: Vec<String>,
}

/// What one end of a connection sent.
pub(crate) struct CapturedStream {
    /// Number of the connection in the capture, from 1.
    pub(crate) connection: usize,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) sender: Sender,
    pub(crate) bytes: Vec<u8>,
    /// The cuts between the segments.
    pub(crate) segments: Split,
    /// What was found while the segments were put in order.
    pub(crate) order: Order,
}

/// The end of a connection that sent a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Server,
}

/// What was found while segments were put in order. The numbers count segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) retransmitted: u64,
    /// Captured after one that follows them.
    pub(crate) late: u64,
    /// Sent again with other bytes; the first ones in the stream count.
    pub(crate) contradicting: u64,
    /// Number of bytes that are missing at the end of the stream, before the next segment.
    pub(crate) gap: Option<u64>,
}

/// The end, and what is unusual about the stream.
impl fmt::Display for CapturedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connection,
            from,
            to,
            ..
        } = self;
        write!(f, "{connection}: {from} -> {to}")?;
        if let Some(gap) = self.order.gap {
            write!(f, " up to a gap of {}", count(gap, "byte"))?;
        }
        Ok(())
    }
}

/// Reads the streams of a capture.
///
/// # Errors
///
/// If the file cannot be read, is no capture, or has no bytes in a TCP stream.
pub(crate) fn read(path: &Path) -> Result<Capture, Error> {
    let file = path.display();
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read the capture {file}: {error}"))?;
    let mut connections = Connections::default();
    let found = packets::read(&bytes, &mut |segment: Segment<'_>| {
        connections.add(&segment);
    })
    .map_err(|problem| format!("{file} is not a capture that can be read: {problem}"))?;
    let streams = connections.into_streams();
    let notes = found.notes();
    if streams.is_empty() {
        let packets = count(found.packets, "packet");
        let notes = notes
            .iter()
            .fold(String::new(), |all, note| all + "; " + note);
        return Err(format!("{file} has no bytes of a TCP stream in {packets}{notes}").into());
    }
    Ok(Capture { streams, notes })
}
