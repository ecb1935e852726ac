//! What has passed through the proxy, in numbers and in cuts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use super::cuts::{Cut, Cuts, Side, Stream};
use crate::queues::CHUNK_DELAY;
use crate::text::count;

/// The most that is received at once, in bytes.
const MAX_READ: usize = 64 * 1024;
/// Number of bytes that are kept on each side of a cut.
const CONTEXT: usize = 16;

/// What the proxy waited for between two chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The first was read.
    Observed,
    /// Some time, as reading cannot be observed.
    Timed,
    /// The first was not read in time, or the other end has closed.
    Unread,
}

/// What the log keeps, beside the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Numbers,
    Cuts,
    /// The bytes around each cut as well.
    Context,
}

/// The log of all connections since the last restart.
pub(super) struct Log {
    pub(super) kept: Kept,
    pub(super) traffic: Traffic,
    pub(super) cuts: Cuts,
    pub(super) context: BTreeMap<Cut, Context>,
    /// The last bytes of each stream.
    ends: BTreeMap<Stream, Vec<u8>>,
    /// When something last happened.
    pub(super) last_active: Instant,
    /// Room for what is received.
    pub(super) scratch: Vec<u8>,
}

/// The bytes around a cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            kept: Kept::Numbers,
            traffic: Traffic::default(),
            cuts: Cuts::default(),
            context: BTreeMap::new(),
            ends: BTreeMap::new(),
            last_active: Instant::now(),
            scratch: vec![0; MAX_READ],
        }
    }

    /// Begins anew. Returns the previous log.
    pub(super) fn restart(&mut self, kept: Kept) -> Self {
        let new = Self {
            kept,
            ..Self::new()
        };
        std::mem::replace(self, new)
    }

    /// Notes that something happened.
    pub(super) const fn active(&mut self, now: Instant) {
        self.last_active = now;
    }

    /// Records a cut, with the chunk after it.
    pub(super) fn cut(&mut self, cut: Cut, wait: Wait, after: &[u8]) {
        match wait {
            Wait::Observed => self.traffic.observed += 1,
            Wait::Timed => self.traffic.timed += 1,
            Wait::Unread => self.traffic.unread += 1,
        }
        if self.kept != Kept::Numbers {
            self.cuts.insert(cut);
        }
        if self.kept == Kept::Context {
            let context = Context {
                before: self.ends.get(&cut.stream).cloned().unwrap_or_default(),
                after: after[..after.len().min(CONTEXT)].to_vec(),
            };
            self.context.insert(cut, context);
        }
    }

    /// Records bytes that were sent.
    pub(super) fn sent(&mut self, stream: Stream, bytes: &[u8]) {
        self.active(Instant::now());
        *self.traffic.bytes_from(stream.from) += bytes.len() as u64;
        if self.kept == Kept::Context {
            let end = self.ends.entry(stream).or_default();
            let kept = bytes.len().min(CONTEXT);
            end.extend_from_slice(&bytes[bytes.len() - kept..]);
            end.drain(..end.len().saturating_sub(CONTEXT));
        }
    }
}

/// Numbers of what has passed through.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    pub(super) connections: u64,
    /// Connections that the server did not accept, and why the last one.
    pub(super) refused: u64,
    pub(super) refusal: Option<String>,
    /// Connections that one side has reset.
    pub(super) resets: u64,
    /// Streams that had the maximum number of cuts and went on.
    pub(super) limited: u64,
    to_server: u64,
    to_client: u64,
    observed: u64,
    timed: u64,
    unread: u64,
}

impl Traffic {
    const fn bytes_from(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Client => &mut self.to_server,
            Side::Server => &mut self.to_client,
        }
    }

    /// Returns the number of bytes in both directions.
    pub(super) const fn bytes(&self) -> u64 {
        self.to_server + self.to_client
    }

    pub(super) const fn cuts(&self) -> u64 {
        self.observed + self.timed + self.unread
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.refused += other.refused;
        self.refusal = other.refusal.clone().or(self.refusal.take());
        self.resets += other.resets;
        self.limited += other.limited;
        self.to_server += other.to_server;
        self.to_client += other.to_client;
        self.observed += other.observed;
        self.timed += other.timed;
        self.unread += other.unread;
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connections,
            to_server,
            to_client,
            timed,
            unread,
            ..
        } = self;
        let connections = count(*connections, "connection");
        write!(
            f,
            "{connections}, {} to the server, {} to the client",
            count(*to_server, "byte"),
            count(*to_client, "byte")
        )?;
        match self.resets {
            0 => {}
            resets => write!(f, ", {}", count(resets, "reset"))?,
        }
        write!(f, "; {}", count(self.cuts(), "cut"))?;
        if self.cuts() == 0 {
            return Ok(());
        }
        if *timed == 0 && *unread == 0 {
            write!(
                f,
                ", observed: each chunk was read before the next was sent"
            )?;
        } else {
            write!(f, ", {} of them observed", self.observed)?;
        }
        if *timed > 0 {
            write!(
                f,
                ", {timed} timed: {CHUNK_DELAY:?} between chunks, so the peer may have read several at once"
            )?;
        }
        if *unread > 0 {
            write!(
                f,
                ", {unread} after chunks that the peer had not read within --max-wait, or had closed on"
            )?;
        }
        if self.limited > 0 {
            write!(
                f,
                "; {} reached --max-cuts, and passed uncut from there",
                count(self.limited, "direction")
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream {
        connection: 1,
        from: Side::Client,
    };

    /// Records a stream with three cuts, one after each kind of wait.
    fn logged(kept: Kept) -> Log {
        let mut log = Log::new();
        log.restart(kept);
        let mut cut = |bytes: &[u8], at, wait, after: &[u8]| {
            log.sent(STREAM, bytes);
            log.cut(Cut { stream: STREAM, at }, wait, after);
        };
        cut(b"0123456789", 10, Wait::Observed, b"abc");
        cut(b"abcdefghij", 20, Wait::Timed, b"klmnopqrstuvwxyz+-");
        cut(b"klmnopqrstuvwxyz+-", 38, Wait::Unread, b"");
        let back = Stream {
            from: Side::Server,
            ..STREAM
        };
        log.sent(back, b"reply");
        log
    }

    #[test]
    fn a_log_keeps_what_it_is_for() {
        for (kept, cuts, contexts) in [
            (Kept::Numbers, 0, 0),
            (Kept::Cuts, 3, 0),
            (Kept::Context, 3, 3),
        ] {
            let log = logged(kept);
            assert_eq!(log.cuts.len(), cuts);
            assert_eq!(log.context.len(), contexts);
            assert_eq!((log.traffic.cuts(), log.traffic.bytes()), (3, 43));
        }
        let log = logged(Kept::Context);
        let contexts = log.context.values();
        let contexts: Vec<_> = contexts
            .map(|context| (&*context.before, &*context.after))
            .collect();
        let expected: [(&[u8], &[u8]); 3] = [
            (b"0123456789", b"abc"),
            (b"456789abcdefghij", b"klmnopqrstuvwxyz"),
            (b"mnopqrstuvwxyz+-", b""),
        ];
        assert_eq!(contexts, expected);
    }

    #[test]
    fn traffic_of_several_runs_is_added() {
        let mut all = logged(Kept::Numbers).traffic;
        (all.connections, all.resets, all.limited) = (1, 1, 1);
        let text = all.to_string();
        let expected = "1 connection, 38 bytes to the server, 5 bytes to the client, 1 reset; 3 cuts, 1 of them observed, \
            1 timed: 20ms between chunks, so the peer may have read several at once, \
            1 after chunks that the peer had not read within --max-wait, or had closed on; \
            1 direction reached --max-cuts, and passed uncut from there";
        assert_eq!(text, expected);
        (all.refused, all.refusal) = (1, Some("first".into()));
        let mut other = all.clone();
        (other.refused, other.refusal) = (2, None);
        all.add(&other);
        assert_eq!((all.refused, all.refusal.as_deref()), (3, Some("first")));
        other.refusal = Some("last".into());
        all.add(&other);
        assert_eq!(all.refusal.as_deref(), Some("last"));
        let expected = "3 connections, 114 bytes to the server, 15 bytes to the client, 3 resets; 9 cuts, 3 of them observed, \
            3 timed: 20ms between chunks, so the peer may have read several at once, \
            3 after chunks that the peer had not read within --max-wait, or had closed on; \
            3 directions reached --max-cuts, and passed uncut from there";
        assert_eq!(all.to_string(), expected);
        let observed = Traffic {
            observed: 2,
            ..Traffic::default()
        };
        assert_eq!(
            observed.to_string(),
            "0 connections, 0 bytes to the server, 0 bytes to the client; 2 cuts, observed: each chunk was read before the next was sent"
        );
        let timed = Traffic {
            timed: 1,
            ..Traffic::default()
        };
        assert!(
            timed
                .to_string()
                .contains("; 1 cut, 0 of them observed, 1 timed: ")
        );
        assert!(Traffic::default().to_string().ends_with("; 0 cuts"));
    }
}
