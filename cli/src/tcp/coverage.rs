//! What was covered, in words: by the run as a whole, and on one stream.

use std::fmt::{self, Write as _};
use std::time::Instant;

use everysplit::Split;

use super::difference::excerpt;
use super::peer::{Reader, Reading};
use crate::queues::CHUNK_DELAY;
use crate::text::{count, pace};

/// What a run has done.
pub(super) struct Coverage {
    begun: Instant,
    pub(super) connections: u64,
    splits: u64,
    /// The splits of which not every chunk was observed to be read before the next was sent.
    timed: u64,
    /// The splits of which the peer did not read everything.
    stopped: u64,
    /// The splits with one cut that were tried, and those that there are.
    one_cut: (u64, u64),
    /// The splits after whose reply the connection stayed open, to receive more.
    pub(super) listened: u64,
}

impl Coverage {
    pub(super) fn start() -> Self {
        Self {
            begun: Instant::now(),
            connections: 0,
            splits: 0,
            timed: 0,
            stopped: 0,
            one_cut: (0, 0),
            listened: 0,
        }
    }

    /// Counts a stream of which splits will be tried.
    pub(super) const fn add_stream(&mut self, bytes: usize) {
        self.one_cut.1 += bytes as u64 - 1;
    }

    /// Counts a split that was tried for the first time.
    pub(super) fn add_split(&mut self, split: &Split) {
        self.one_cut.0 += u64::from(split.cuts().len() == 1);
    }

    /// Counts a connection with a split, and how it was read.
    pub(super) const fn add_reading(&mut self, reading: Reading) {
        self.splits += 1;
        match reading {
            Reading::Observed => {}
            Reading::Timed => self.timed += 1,
            Reading::Stopped(_) => self.stopped += 1,
        }
    }

    /// Returns a summary in a line.
    pub(super) fn summary(&self, peer: &str, reader: Option<&Reader>) -> String {
        let connections = count(self.connections, "connection");
        let pace = pace(self.connections, self.begun.elapsed());
        let mut parts = vec![self.observation(peer, reader)];
        if self.listened > 0 {
            parts.push(format!("listened for late bytes after {}", self.listened));
        }
        parts.push(format!("{connections} {pace}"));
        parts.join("; ")
    }

    /// Returns how many splits were tried, and whether the peer read them chunk by chunk.
    fn observation(&self, peer: &str, reader: Option<&Reader>) -> String {
        let Self {
            splits,
            timed,
            stopped,
            one_cut: (one, all),
            ..
        } = *self;
        if splits == 0 {
            return "no split was tried".into();
        }
        let mut text = count(splits, "split");
        if one < all {
            let _ = write!(text, " ({} of those with 1 cut)", share(one, all));
        }
        if stopped > 0 {
            let _ = write!(
                text,
                ", {stopped} of them not read to their end, as the {peer} closed the connection"
            );
        }
        if timed > 0 {
            let _ = write!(
                text,
                ", {timed} of them timed: {CHUNK_DELAY:?} between chunks, so the {peer} may have read several at once"
            );
        }
        let others = if timed + stopped > 0 {
            "the others "
        } else {
            ""
        };
        text + &match reader {
            _ if timed + stopped == splits => String::new(),
            Some(Reader::Other(holder)) => {
                format!(", not observed: the chunks were read by {holder}, which is not the {peer}")
            }
            Some(Reader::Unchecked(holder)) => format!(
                ", {others}observed: each chunk was read by {holder} before the next was sent"
            ),
            Some(Reader::Tested) | None => {
                format!(", {others}observed: each chunk was read before the next was sent")
            }
        }
    }
}

/// Returns a share in percent, never rounded up.
fn share(part: u64, whole: u64) -> String {
    match part * 100 / whole.max(1) {
        0 if part > 0 => "less than 1 %".into(),
        percent => format!("{percent} %"),
    }
}

/// The splits of a stream that all had the same reply.
pub(super) struct SameReply<'a> {
    /// The length of the stream.
    pub(super) bytes: usize,
    pub(super) splits: Vec<Split>,
    pub(super) reply: &'a [u8],
    /// The word for the reply.
    pub(super) reply_name: &'static str,
}

impl fmt::Display for SameReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes,
            splits,
            reply,
            reply_name,
        } = self;
        let with = |cuts| {
            splits
                .iter()
                .filter(|split| split.cuts().len() == cuts)
                .count()
        };
        let offsets = bytes - 1;
        let pairs = offsets * offsets.saturating_sub(1) / 2;
        let (one, two) = (with(1), with(2));
        let more = splits.len() - with(0) - one - two;
        write!(
            f,
            "{bytes} bytes, uncut, {one} of {offsets} splits with 1 cut"
        )?;
        if one < offsets {
            let share = share(one as u64, offsets as u64);
            write!(f, " ({share}, spread over the stream)")?;
        }
        write!(f, ", {two} of {pairs} with 2")?;
        if more > 0 {
            let equal = if one < offsets {
                ", in equal chunks"
            } else {
                ""
            };
            write!(f, ", {more} with more (byte by byte{equal}, and random)")?;
        }
        match reply.len() {
            0 => write!(f, ": no {reply_name} to any of them"),
            len => write!(
                f,
                ": the same {reply_name} of {len} bytes: \"{}\"",
                first_line(reply)
            ),
        }
    }
}

/// Returns the last line of a reply, escaped.
pub(super) fn last_line(reply: &[u8]) -> String {
    let mut lines = reply.trim_ascii_end().rsplit(|&byte| byte == b'\n');
    excerpt(lines.next().unwrap_or_default(), 0)
}

/// Returns the beginning of a reply, of a text its first line, escaped.
pub(super) fn first_line(reply: &[u8]) -> String {
    let is_text = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r'));
    let line = reply
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    if is_text(line) && line.len() < reply.len() && !line.is_empty() {
        let end = line.strip_suffix(b"\r").unwrap_or(line);
        return format!("{}...", excerpt(end, 0).trim_end_matches("..."));
    }
    excerpt(reply, 0)
}
