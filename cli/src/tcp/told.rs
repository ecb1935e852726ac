//! What is said of a run: what was done, which splits of a stream held, where replies
//! differ.

use std::fmt;
use std::time::Duration;

use everysplit::check::{Property, Violation};
use everysplit::{Case, Split};

use crate::report::{count, pace};
use crate::wire::DELAY;

/// What was done.
#[derive(Default)]
pub(super) struct Covered {
    pub(super) connections: u64,
    pub(super) time: Duration,
    pub(super) splits: u64,
    /// Those of which it was not seen that each chunk was read before the next.
    pub(super) timed: u64,
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timed, .. } = self;
        let splits = count(self.splits, "split");
        match timed {
            0 => write!(
                f,
                "{splits}, observed: each chunk was read before the next was sent"
            )?,
            _ => write!(
                f,
                "{splits}, {timed} of them timed: {DELAY:?} between chunks, of which several may have been read at once"
            )?,
        }
        let pace = pace(self.connections, self.time);
        write!(f, "; {} {pace}", count(self.connections, "connection"))
    }
}

/// Which splits of a stream held.
pub(super) struct Tried {
    pub(super) bytes: usize,
    pub(super) splits: Vec<Split>,
    pub(super) reply: usize,
    /// What a reply is called.
    pub(super) answer: &'static str,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes,
            splits,
            reply,
            answer,
        } = self;
        let all = bytes - 1;
        let of = |cuts| {
            splits
                .iter()
                .filter(|split| split.cuts().len() == cuts)
                .count()
        };
        let (one, two) = (of(1), of(2));
        let more = splits.len() - 1 - one - two;
        write!(
            f,
            "{bytes} bytes, coalesced, {one} of {all} splits of 1 cut, "
        )?;
        write!(f, "{two} of {} of 2", all * all.saturating_sub(1) / 2)?;
        if more > 0 {
            write!(f, ", {more} of more (byte by byte, and by chance)")?;
        }
        write!(f, ": one {answer} of {reply} bytes")
    }
}

/// Makes a violation of which all bytes were in.
pub(super) fn told(property: Property, case: Case, expected: String, actual: String) -> Violation {
    Violation {
        property,
        offset: case.stream.len(),
        case,
        edges: Vec::new(),
        declared: Vec::new(),
        expected: expected.into(),
        actual: actual.into(),
    }
}

/// Tells a reply, from where it is of interest.
pub(super) fn reply_from(reply: &[u8], at: usize) -> String {
    let from = if at == 0 {
        String::new()
    } else {
        format!(", from byte {at}")
    };
    format!("{} bytes{from}: \"{}\"", reply.len(), excerpt(reply, at))
}

/// Returns how many bytes two replies begin alike.
pub(super) fn same(one: &[u8], other: &[u8]) -> usize {
    let alike = one
        .iter()
        .zip(other)
        .take_while(|(one, other)| one == other);
    alike.count()
}

pub(super) fn excerpt(reply: &[u8], at: usize) -> String {
    let rest = reply.get(at..).unwrap_or_default();
    let end = if rest.len() > 60 { "..." } else { "" };
    format!("{}{end}", rest[..rest.len().min(60)].escape_ascii())
}
