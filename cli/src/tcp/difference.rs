//! Compares replies: masks, where two differ, and excerpts for messages.

use std::time::Duration;

use everysplit::{Case, Property, Violation};

use super::peer::{ConnectionOutcome, Ended};
use crate::options::Mask;
use crate::text::count;

/// Maximum number of bytes of a reply in a message.
const MAX_EXCERPT: usize = 60;

/// How a connection ended that differs from the one with the uncut stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionEnd {
    /// The peer did not close it.
    Open,
    /// The peer closed it after a reply.
    Closed,
    /// The peer closed it without a reply.
    ClosedSilently,
    /// The reply was the same, and then the peer did not close it.
    LeftOpen,
    /// The reply was the same, and then the program ended. It has been started again.
    Crashed,
}

/// A reply that differs from the reply to the uncut stream.
#[derive(Clone)]
pub(super) struct Difference {
    /// Whether the reply ended before the timeout.
    pub(super) in_time: bool,
    pub(super) end: ConnectionEnd,
    pub(super) expected: String,
    pub(super) actual: String,
}

impl Difference {
    /// Returns how the masked reply of a connection differs from the one to the uncut stream.
    pub(super) fn new(uncut: &[u8], reply: &[u8], outcome: &ConnectionOutcome) -> Self {
        let at = first_difference(uncut, reply);
        let expected = if uncut.is_empty() {
            "no reply, or the uncut stream gets the same: it gets none".into()
        } else {
            format!("as for the uncut stream: {}", describe(uncut, at))
        };
        let mut actual = describe(reply, at);
        if outcome.ended == Ended::TooLong {
            actual.push_str(", and more than --max-reply allows");
        }
        Self {
            in_time: outcome.in_time(),
            end: match (outcome.closed, outcome.replied) {
                (false, _) => ConnectionEnd::Open,
                (true, true) => ConnectionEnd::Closed,
                (true, false) => ConnectionEnd::ClosedSilently,
            },
            expected,
            actual,
        }
    }

    /// Returns the difference of a connection with the same reply that stays open for this time.
    pub(super) fn left_open(peer: &str, time: Duration) -> Self {
        Self {
            in_time: false,
            end: ConnectionEnd::LeftOpen,
            expected: format!("the {peer} closes the connection, as after the uncut stream"),
            actual: format!("the same reply, and the connection stays open for {time:?}"),
        }
    }

    /// Returns the difference of a connection with the same reply that has ended the program.
    pub(super) fn crash(peer: &str, crash: &str) -> Self {
        Self {
            in_time: true,
            end: ConnectionEnd::Crashed,
            expected: format!("a {peer} that goes on, as after the uncut stream"),
            actual: format!("the same reply, and then {crash}"),
        }
    }
}

/// Replaces the parts of a reply that may vary by `*`.
pub(super) fn masked(masks: &[Mask], reply: &[u8]) -> Vec<u8> {
    masks.iter().fold(reply.to_vec(), |reply, mask| {
        mask.0.replace_all(&reply, &b"*"[..]).into_owned()
    })
}

/// Returns the length of the longest common prefix.
pub(super) fn first_difference(one: &[u8], other: &[u8]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// Returns the length of a reply and an excerpt from an offset.
fn describe(reply: &[u8], at: usize) -> String {
    let from = if at == 0 {
        String::new()
    } else {
        format!(", from byte {at}")
    };
    let len = count(reply.len() as u64, "byte");
    format!("{len}{from}: \"{}\"", excerpt(reply, at))
}

/// Returns the first bytes of a reply from an offset, escaped.
pub(super) fn excerpt(reply: &[u8], at: usize) -> String {
    let rest = reply.get(at..).unwrap_or_default();
    let end = if rest.len() > MAX_EXCERPT { "..." } else { "" };
    let shown = &rest[..rest.len().min(MAX_EXCERPT)];
    format!("{}{end}", shown.escape_ascii())
}

/// Returns a violation that shows after the whole stream was sent.
pub(super) fn violation(
    property: Property,
    case: Case,
    edges: Vec<usize>,
    expected: String,
    actual: String,
) -> Violation {
    Violation::new(property, case, expected, actual).with_edges(edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_shown_from_its_first_difference() {
        for (one, other, at) in [("abc", "abd", 2), ("ab", "abc", 2), ("x", "abc", 0)] {
            let (one, other) = (one.as_bytes(), other.as_bytes());
            assert_eq!(first_difference(one, other), at);
            assert_eq!(first_difference(other, one), at);
        }
        assert_eq!(describe(b"abd", 2), "3 bytes, from byte 2: \"d\"");
        assert_eq!(describe(b"abd", 0), "3 bytes: \"abd\"");
        assert_eq!(describe(b"", 0), "0 bytes: \"\"");
        // The other reply goes on.
        assert_eq!(describe(b"ab", 2), "2 bytes, from byte 2: \"\"");
    }

    #[test]
    fn a_long_reply_is_cut_off() {
        let reply = [b'x'; 61];
        assert_eq!(excerpt(&reply[..60], 0), "x".repeat(60));
        assert_eq!(excerpt(&reply, 0), "x".repeat(60) + "...");
        assert_eq!(excerpt(&reply, 1), "x".repeat(60));
        assert_eq!(excerpt(&reply, 62), "");
    }
}
