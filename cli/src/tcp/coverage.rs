//! What was covered, in words: by the run as a whole, and on one stream.

use std::fmt::{self, Write as _};
use std::time::Instant;

use everysplit::Split;

use super::difference::excerpt;
use super::peer::{Reader, Reading};
use crate::queues::{CHUNK_DELAY, Holder};
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
            Some(Reader::Other(Holder::Hidden)) => {
                format!(
                    ", not observed: the chunks were read by {}, which may not be the {peer}",
                    Holder::Hidden
                )
            }
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
            "{}, uncut, {one} of {offsets} splits with 1 cut",
            count(*bytes as u64, "byte")
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
                ": the same {reply_name} of {}: \"{}\"",
                count(len as u64, "byte"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn same_reply(bytes: usize, splits: Vec<Split>, reply: &[u8]) -> String {
        let same = SameReply {
            bytes,
            splits,
            reply,
            reply_name: "reply",
        };
        same.to_string()
    }

    #[test]
    fn the_splits_of_a_stream_are_counted_by_their_cuts() {
        let all = [&[][..], &[1], &[2], &[3], &[1, 2], &[1, 3], &[1, 2, 3]];
        let all = all.map(|cuts| Split::new(cuts.iter().copied()));
        assert_eq!(
            same_reply(4, all.to_vec(), b"hello\r\nmore"),
            "4 bytes, uncut, 3 of 3 splits with 1 cut, 2 of 3 with 2, 1 with more (byte by byte, and random): the same reply of 11 bytes: \"hello...\""
        );
        assert_eq!(
            same_reply(11, all.to_vec(), b""),
            "11 bytes, uncut, 3 of 10 splits with 1 cut (30 %, spread over the stream), 2 of 45 with 2, 1 with more (byte by byte, in equal chunks, and random): no reply to any of them"
        );
        assert_eq!(
            same_reply(2, all[..2].to_vec(), b"x"),
            "2 bytes, uncut, 1 of 1 splits with 1 cut, 0 of 0 with 2: the same reply of 1 byte: \"x\""
        );
        let whole = vec![Split::whole()];
        assert!(
            same_reply(1, whole, b"x")
                .starts_with("1 byte, uncut, 0 of 0 splits with 1 cut, 0 of 0 with 2: ")
        );
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        let shares = [(0, 10), (1, 1000), (10, 1000), (999, 1000), (7, 7), (0, 0)];
        assert_eq!(
            shares.map(|(part, whole)| share(part, whole)),
            ["0 %", "less than 1 %", "1 %", "99 %", "100 %", "0 %"]
        );
    }

    /// Returns what is said of these connections, with splits of one cut, of a stream of 11 bytes.
    fn observation(readings: &[Reading]) -> String {
        let mut coverage = Coverage::start();
        coverage.add_stream(11);
        for &reading in readings {
            coverage.add_split(&Split::new([1]));
            coverage.add_split(&Split::new([1, 2]));
            coverage.add_reading(reading);
        }
        coverage.observation("server", None)
    }

    #[test]
    fn what_was_not_observed_is_counted() {
        let observed = ", observed: each chunk was read before the next was sent";
        let others = ", the others observed: each chunk was read before the next was sent";
        let timed =
            " of them timed: 20ms between chunks, so the server may have read several at once";
        let stopped = " of them not read to their end, as the server closed the connection";
        let read = [Reading::Observed; 10];
        assert_eq!(observation(&read), format!("10 splits{observed}"));
        let share = "(20 % of those with 1 cut)";
        assert_eq!(
            observation(&[Reading::Observed, Reading::Timed]),
            format!("2 splits {share}, 1{timed}{others}")
        );
        assert_eq!(
            observation(&[Reading::Stopped(3), Reading::Observed]),
            format!("2 splits {share}, 1{stopped}{others}")
        );
        assert_eq!(
            observation(&[Reading::Timed; 2]),
            format!("2 splits {share}, 2{timed}")
        );
        let mixed = [Reading::Stopped(3), Reading::Timed, Reading::Stopped(3)];
        assert_eq!(
            observation(&mixed),
            format!("3 splits (30 % of those with 1 cut), 2{stopped}, 1{timed}")
        );
        assert_eq!(observation(&[]), "no split was tried");
    }

    #[test]
    fn a_summary_names_the_connections() {
        let mut coverage = Coverage::start();
        assert!(
            coverage
                .summary("server", None)
                .starts_with("no split was tried; 0 connections ")
        );
        (coverage.connections, coverage.listened) = (7, 1);
        let summary = coverage.summary("server", None);
        let listened = "no split was tried; listened for late bytes after 1; 7 connections in ";
        assert!(summary.starts_with(listened), "{summary}");
    }

    #[test]
    fn the_first_line_of_a_text_is_shown() {
        let replies: [(&[u8], &str); 5] = [
            (b"one\r\ntwo", "one..."),
            (b"one", "one"),
            (b"\nsecond", "\\nsecond"),
            (b"\x01\nsecond", "\\x01\\nsecond"),
            (b"", ""),
        ];
        for (reply, line) in replies {
            assert_eq!(first_line(reply), line);
        }
        assert_eq!(last_line(b"one\ntwo\r\n"), "two");
        assert_eq!(
            first_line(&[&[b'x'; 61][..], b"\ny"].concat()),
            "x".repeat(60) + "..."
        );
    }
}
