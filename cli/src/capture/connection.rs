//! Puts the segments of connections in order, by their sequence numbers.

use std::collections::HashMap;
use std::net::SocketAddr;

use everysplit::Split;

use super::packets::Segment;
use super::{CapturedStream, Order, Sender};

/// The connections of a capture.
#[derive(Default)]
pub(super) struct Connections {
    /// In the order in which they appear.
    all: Vec<Connection>,
    /// The index of the latest connection between two addresses, the lower address first.
    latest: HashMap<(SocketAddr, SocketAddr), usize>,
}

struct Connection {
    directions: [Direction; 2],
    /// Which direction is that of the client, if its first packet was captured.
    client: Option<usize>,
}

/// One direction of a connection.
struct Direction {
    from: SocketAddr,
    to: SocketAddr,
    /// The sequence number of the SYN, if it was captured.
    syn: Option<u32>,
    /// The offset of the first byte after it.
    begin: Option<i64>,
    /// The sequence number and the offset of the latest segment.
    latest: Option<(u32, i64)>,
    segments: Vec<(i64, Vec<u8>)>,
}

impl Connections {
    /// Adds a segment to its connection.
    pub(super) fn add(&mut self, segment: &Segment<'_>) {
        let &Segment { from, to, syn, .. } = segment;
        let key = (from.min(to), from.max(to));
        let latest = self.latest.get(&key).copied();
        let index = match latest {
            Some(index) if !self.all[index].is_over(segment) => index,
            _ => {
                self.all.push(Connection {
                    directions: [Direction::new(from, to), Direction::new(to, from)],
                    client: None,
                });
                self.latest.insert(key, self.all.len() - 1);
                self.all.len() - 1
            }
        };
        let connection = &mut self.all[index];
        let sender = usize::from(connection.directions[0].from != from);
        if syn && connection.client.is_none() {
            connection.client = Some(if segment.ack { 1 - sender } else { sender });
        }
        connection.directions[sender].add(segment);
    }

    /// Returns the streams that are not empty.
    pub(super) fn into_streams(self) -> Vec<CapturedStream> {
        let mut streams = Vec::new();
        for (number, connection) in (1..).zip(self.all) {
            let [first, second] = &connection.directions;
            // Without a SYN, the client is the one with the higher port.
            let by_port = || usize::from(first.from.port() < second.from.port());
            let client = connection.client.unwrap_or_else(by_port);
            let (client, server) = if client == 0 {
                (first, second)
            } else {
                (second, first)
            };
            for (direction, sender) in [(client, Sender::Client), (server, Sender::Server)] {
                streams.extend(direction.stream(number, sender));
            }
        }
        streams
    }
}

impl Connection {
    /// Returns whether a segment begins another connection between the same addresses: with a SYN
    /// that does not repeat the first one.
    fn is_over(&self, segment: &Segment<'_>) -> bool {
        if !segment.syn {
            return false;
        }
        let has_data = self.directions.iter().any(|it| !it.segments.is_empty());
        let direction = self.directions.iter().find(|it| it.from == segment.from);
        match direction.and_then(|direction| direction.syn) {
            Some(syn) => syn != segment.sequence,
            None => !segment.ack && has_data,
        }
    }
}

impl Direction {
    const fn new(from: SocketAddr, to: SocketAddr) -> Self {
        Self {
            from,
            to,
            syn: None,
            begin: None,
            latest: None,
            segments: Vec::new(),
        }
    }

    /// Adds a segment. Its offset counts from the first segment captured.
    fn add(&mut self, segment: &Segment<'_>) {
        // A SYN takes a number too.
        let first = segment.sequence.wrapping_add(u32::from(segment.syn));
        let offset = self.latest.map_or(0, |(sequence, offset)| {
            // Sequence numbers begin again at 0: the nearest number is meant.
            offset + i64::from(first.wrapping_sub(sequence).cast_signed())
        });
        self.latest = Some((first, offset));
        if segment.syn {
            self.syn = Some(segment.sequence);
            self.begin = Some(offset);
        }
        if !segment.data.is_empty() {
            self.segments.push((offset, segment.data.to_vec()));
        }
    }

    /// Returns the bytes up to the first gap, if there are any.
    fn stream(&self, connection: usize, sender: Sender) -> Option<CapturedStream> {
        let mut order = Order::default();
        let mut segments: Vec<_> = self.segments.iter().enumerate().collect();
        // Of two at the same offset, the first one captured comes first.
        segments.sort_by_key(|(_, (offset, _))| *offset);
        let start = match self.begin {
            Some(begin) => begin,
            None => segments.first()?.1.0,
        };
        let (mut bytes, mut cuts, mut last_captured) = (Vec::new(), Vec::new(), 0);
        for (captured, (offset, data)) in segments {
            let next = start + i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            let Ok(known) = usize::try_from(next - offset) else {
                order.gap = Some((offset - next).unsigned_abs());
                break;
            };
            let repeated = known.min(data.len());
            if repeated > 0 {
                order.retransmitted += 1;
                let first = bytes.len().checked_sub(known).map(|at| &bytes[at..]);
                let agrees = first.is_none_or(|first: &[u8]| first.starts_with(&data[..repeated]));
                order.contradicting += u64::from(!agrees);
            }
            if repeated < data.len() {
                order.late += u64::from(captured < last_captured);
                last_captured = last_captured.max(captured);
                cuts.push(bytes.len());
                bytes.extend_from_slice(&data[repeated..]);
            }
        }
        (!bytes.is_empty()).then(|| CapturedStream {
            connection,
            from: self.from,
            to: self.to,
            sender,
            bytes,
            segments: Split::new(cuts),
            order,
        })
    }
}
