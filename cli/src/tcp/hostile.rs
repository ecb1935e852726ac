//! Rounds of what nobody should send: streams that end anywhere, lengths that nobody
//! means, the beginning of a frame and then nothing. It knows what is to come of them:
//! an answer or the end of the connection in time, the next one served as ever, no growth.

use std::fmt::Write as _;

use everysplit::check::{Property, Violation};
use everysplit::{Case, Split};

use super::told::{excerpt, told};
use super::{Ask, Asking, Baseline, Ending};
use crate::Cannot;
use crate::format::Format;
use crate::streams::Stream;

/// What follows a hostile stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The end of the connection.
    Close,
    /// Nothing.
    Silence,
}

/// Hostile streams of one kind, which are told as one.
struct Round {
    name: String,
    streams: Vec<Vec<u8>>,
    then: Then,
    property: Property,
}

/// Returns the rounds for a stream that is right.
fn rounds(stream: &Stream, format: Option<Format>) -> [Round; 2] {
    let Stream { name, bytes } = stream;
    let begun = match format.map(|format| format.edges(bytes)) {
        // A header and nothing of its body.
        Some(edges) => edges.into_iter().nth(1).unwrap_or(1),
        // One byte is a whole frame of few formats.
        None => 1,
    };
    [
        Round {
            name: format!("{name}, truncated"),
            streams: (1..bytes.len()).map(|end| bytes[..end].to_vec()).collect(),
            then: Then::Close,
            property: Property::Truncation,
        },
        Round {
            name: format!("{name}, begun and then silence"),
            streams: vec![bytes[..begun].to_vec()],
            then: Then::Silence,
            property: Property::Progress,
        },
    ]
}

/// Returns the rounds of a format.
fn claims(format: Format) -> impl Iterator<Item = Round> {
    format
        .claims()
        .into_iter()
        .map(|Stream { name, bytes }| Round {
            name: format!("a length {name}"),
            streams: vec![bytes],
            then: Then::Silence,
            property: Property::Limit,
        })
}

/// Returns all rounds.
fn all(right: &[Stream], format: Option<Format>) -> impl Iterator<Item = Round> {
    let rounds = right.iter().flat_map(move |stream| rounds(stream, format));
    rounds.chain(format.into_iter().flat_map(claims))
}

impl Asking<'_> {
    /// Sends everything hostile; `next` is what the next one asks, with what is to come of
    /// it.
    pub(super) fn hostile(
        &mut self,
        streams: &[Stream],
        next: &(&Stream, Baseline),
    ) -> Result<(), Cannot> {
        self.memory = self.peer.memory();
        for round in all(streams, self.format) {
            self.report.asks([round.property, Property::Progress]);
            self.report.doing(round.name.clone());
            let count = round.streams.len().min(self.tcp.budget.get());
            let streams = round.streams.iter().take(count);
            let mut found = None;
            for stream in streams {
                found = self.round(stream, round.then, round.property, next)?;
                if found.is_some() {
                    break;
                }
            }
            if let Some(violation) = found {
                let len = violation.case.stream.len();
                self.report.violated(&round.name, len, violation, None);
                continue;
            }
            let tried = match count {
                1 => "1 connection, and the next one served".into(),
                _ => format!("{count} connections, and the next one served each time"),
            };
            let longest = round.streams.iter().map(Vec::len).max();
            self.report.held(&round.name, longest.unwrap_or(0), tried);
        }
        Ok(())
    }

    /// Sends a hostile stream again, as it was sent in the rounds that have it.
    pub(super) fn hostile_again(
        &mut self,
        stream: &[u8],
        right: &[Stream],
        next: &(&Stream, Baseline),
    ) -> Result<Option<Violation>, Cannot> {
        self.memory = self.peer.memory();
        let mut sent = false;
        for round in all(right, self.format) {
            if !round.streams.iter().any(|hostile| hostile == stream) {
                continue;
            }
            sent = true;
            self.report.asks([round.property, Property::Progress]);
            let found = self.round(stream, round.then, round.property, next)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if sent {
            return Ok(None);
        }
        Err("no such stream is sent with --hostile: give the streams and the --framing of the run that told the token".into())
    }

    fn round(
        &mut self,
        stream: &[u8],
        then: Then,
        property: Property,
        (next, baseline): &(&Stream, Baseline),
    ) -> Result<Option<Violation>, Cannot> {
        let violation = |property, expected: String, actual: String| {
            let case = Case {
                stream: stream.to_vec(),
                split: Split::whole(),
            };
            Ok(Some(told(property, case, expected, actual)))
        };
        let peer = self.peer.name();
        let (ending, patience) = match then {
            Then::Close => (Ending::Drained, self.tcp.timeout),
            Then::Silence => (Ending::Any, self.tcp.idle),
        };
        let answer = self.send(&Ask {
            stream,
            split: &Split::whole(),
            ending,
            patience,
        })?;
        let after = self.peer.memory();
        if let Some(ended) = self.peer.ended()? {
            let expected = format!("a {peer} that goes on");
            return violation(Property::Progress, expected, ended);
        }
        match then {
            Then::Close if !answer.answered => {
                let expected = format!("the end of the connection within {patience:?}");
                return violation(property, expected, format!("the {peer} keeps it open"));
            }
            Then::Silence if !answer.answered => {
                let expected =
                    format!("an answer or the end of the connection within {patience:?}");
                return violation(property, expected, "neither".into());
            }
            Then::Close | Then::Silence => {}
        }
        if let (Some(before), Some(after)) = (self.memory, after) {
            self.report.asks([Property::Memory]);
            let grown = after.most.saturating_sub(before.most) / 1024;
            let growth = self.tcp.growth;
            if grown > growth {
                // What comes next is no more to blame than before.
                self.memory = Some(after);
                let expected = format!("no more than {growth} MiB more");
                return violation(Property::Memory, expected, format!("{grown} MiB more"));
            }
        }
        let answer = self.whole(&next.bytes, baseline.ending)?;
        let reply = self.masked(&answer.bytes);
        if reply != baseline.masked {
            let expected = format!(
                "the next one gets the reply to {}: \"{}\"",
                next.name,
                excerpt(&baseline.masked, 0)
            );
            let mut actual = format!("it gets \"{}\"", excerpt(&reply, 0));
            if let Some(ended) = self.peer.ended()? {
                let _ = write!(actual, "; {ended}");
            }
            return violation(Property::Progress, expected, actual);
        }
        Ok(None)
    }
}
