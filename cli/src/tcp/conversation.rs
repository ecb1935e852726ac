//! What is sent on a connection: a stream, or a script that waits, captures groups, and sends turn by
//! turn.

use std::time::Duration;

use everysplit::Split;

use super::connection::Connection;
use super::peer::Request;
use crate::script::{Expect, Script};

/// What a script did on a connection. Without a script, nothing.
#[derive(Default)]
pub(super) struct Conversation {
    /// All sends, with the values of this connection.
    pub(super) sent: Vec<u8>,
    /// The names and values of groups, in the order of their capture.
    captured: Vec<(String, Vec<u8>)>,
    /// Number of bytes of the reply up to the end of the last match.
    matched: usize,
    /// Number of bytes of the reply when the last turn began.
    replied: usize,
    /// The line whose pattern the reply does not match. The script ends there.
    pub(super) unmatched: Option<usize>,
}

impl Conversation {
    /// Runs a script. The cuts of a turn are those of the request's stream in the same turn.
    pub(super) fn run(
        script: &Script,
        connection: &mut Connection,
        request: &Request<'_>,
        find_holders: bool,
    ) -> Self {
        let mut conversation = Self::default();
        let ends = script.turn_ends(request.stream).unwrap_or_default();
        let mut begin = 0;
        for (turn, end) in script.turns.iter().zip(ends) {
            if !conversation.wait_all(&turn.expects, connection, request.timeout) {
                // The rest of the script is never read.
                connection.note_stopped();
                return conversation;
            }
            let cuts = request.split.cuts().iter();
            let inside = cuts.filter(|&&cut| begin < cut && cut < end);
            let split = Split::new(inside.map(|cut| cut - begin));
            begin = end;
            let bytes = turn.bytes(|name| conversation.value(name));
            conversation.replied = connection.reply().len();
            connection.send_split(&bytes, &split, request.timeout, find_holders);
            conversation.sent.extend(bytes);
        }
        conversation.wait_all(&script.last, connection, request.timeout);
        conversation
    }

    /// Waits for replies. Returns whether all came.
    fn wait_all(
        &mut self,
        expects: &[Expect],
        connection: &mut Connection,
        timeout: Duration,
    ) -> bool {
        expects
            .iter()
            .all(|expect| self.wait(expect, connection, timeout))
    }

    fn wait(&mut self, expect: &Expect, connection: &mut Connection, timeout: Duration) -> bool {
        let from = self.matched;
        connection.collect(|reply| expect.pattern.is_match(&reply[from..]), |_| timeout);
        let Some(found) = expect.pattern.captures(&connection.reply()[from..]) else {
            self.unmatched = Some(expect.line);
            return false;
        };
        for name in expect.pattern.capture_names().flatten() {
            let value = found.name(name).map_or(&b""[..], |value| value.as_bytes());
            self.captured.push((name.into(), value.into()));
        }
        self.matched += found.get(0).map_or(0, |all| all.end());
        true
    }

    fn value(&self, name: &str) -> Vec<u8> {
        let last = self.captured.iter().rev().find(|(known, _)| known == name);
        last.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Returns whether a reply has nothing yet to the last turn.
    pub(super) const fn awaits_reply(&self, reply: &[u8]) -> bool {
        reply.len() <= self.replied
    }

    /// Returns a reply with `*` for each captured value.
    pub(super) fn masked(&self, reply: &[u8]) -> Vec<u8> {
        let values = self.captured.iter().map(|(_, value)| value);
        let values = values.filter(|value| !value.is_empty());
        values.fold(reply.to_vec(), |reply, value| replaced(&reply, value))
    }
}

/// Sends a stream, or runs its script. `timeout` is the maximum time to read a chunk, and to reply
/// in between.
pub(super) fn converse(
    connection: &mut Connection,
    request: &Request<'_>,
    timeout: Duration,
    find_holders: bool,
) -> Conversation {
    if let Some(script) = request.script {
        // After a difference, the request has a shorter one.
        let timeout = timeout.min(request.timeout);
        return Conversation::run(
            script,
            connection,
            &Request {
                timeout,
                ..*request
            },
            find_holders,
        );
    }
    connection.send_split(request.stream, request.split, timeout, find_holders);
    Conversation::default()
}

/// Replaces each occurrence of a value by `*`.
fn replaced(reply: &[u8], value: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::with_capacity(reply.len()), reply);
    while let Some((&first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(value) {
            text.push(b'*');
            rest = after;
        } else {
            text.push(first);
            rest = after;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_values_are_replaced() {
        let captured = [("one", "ax"), ("two", ""), ("one", "bb")];
        let captured = captured.map(|(name, value)| (name.into(), value.into()));
        let conversation = Conversation {
            captured: captured.into(),
            ..Conversation::default()
        };
        assert_eq!(conversation.masked(b"xaxbbbax"), b"x**b*");
        // The last one counts.
        assert_eq!(conversation.value("one"), b"bb");
        assert_eq!(conversation.value("two"), b"");
        assert_eq!(conversation.value("three"), b"");
    }

    #[test]
    fn a_reply_to_the_last_turn_is_longer_than_before() {
        let conversation = Conversation {
            replied: 2,
            ..Conversation::default()
        };
        assert!(conversation.awaits_reply(b"ab"));
        assert!(!conversation.awaits_reply(b"abc"));
    }
}
