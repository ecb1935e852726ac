//! The cuts of a run, and the readable file that replays them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use everysplit::Split;

/// One end of a connection through the proxy. With `from`, the direction that begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Returns the name of the direction that begins here.
    pub(super) const fn direction(self) -> &'static str {
        match self {
            Self::Client => "client-to-server",
            Self::Server => "server-to-client",
        }
    }
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream {
    /// The number of the connection, from 1, in the order in which they are accepted.
    pub(super) connection: u64,
    pub(super) from: Side,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connection {} {}",
            self.connection,
            self.from.direction()
        )
    }
}

/// A boundary that the proxy puts between two chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cut {
    pub(super) stream: Stream,
    /// The number of bytes of the stream before it.
    pub(super) at: u64,
}

/// The cuts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cuts(BTreeSet<Cut>);

impl Cuts {
    pub(super) fn insert(&mut self, cut: Cut) {
        self.0.insert(cut);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Cut> {
        self.0.iter().copied()
    }

    /// Returns the offsets of the cuts in a stream, in their order.
    pub(super) fn of(&self, stream: Stream) -> Vec<u64> {
        let cut = |at| Cut { stream, at };
        let range = self.0.range(cut(0)..=cut(u64::MAX));
        range.map(|cut| cut.at).collect()
    }

    /// Returns the streams that are cut.
    pub(super) fn streams(&self) -> BTreeSet<Stream> {
        self.iter().map(|cut| cut.stream).collect()
    }
}

impl FromIterator<Cut> for Cuts {
    fn from_iter<I: IntoIterator<Item = Cut>>(cuts: I) -> Self {
        Self(cuts.into_iter().collect())
    }
}

/// Writes a line for each stream, such as `connection 2 client-to-server 3,17`.
impl fmt::Display for Cuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stream in self.streams() {
            let offsets = self.of(stream).into_iter().map(|at| at.to_string());
            writeln!(f, "{stream} {}", offsets.collect::<Vec<_>>().join(","))?;
        }
        Ok(())
    }
}

/// Parses such lines. Empty lines, and lines that begin with `#`, are comments.
impl FromStr for Cuts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut cuts = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                let parsed =
                    line_cuts(line).map_err(|error| format!("line {}: {error}", index + 1))?;
                cuts.0.extend(parsed);
            }
        }
        if cuts.is_empty() {
            return Err("there are no cuts in it".into());
        }
        Ok(cuts)
    }
}

/// Parses the cuts of one stream.
fn line_cuts(line: &str) -> Result<Vec<Cut>, String> {
    let form = "expected a line such as \"connection 2 client-to-server 3,17\"";
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let ["connection", connection, direction, offsets] = words[..] else {
        return Err(form.into());
    };
    let connection = connection.parse().map_err(|_| form)?;
    if connection == 0 {
        return Err("the first connection has the number 1".into());
    }
    let from = Side::BOTH
        .into_iter()
        .find(|side| side.direction() == direction)
        .ok_or(form)?;
    let split: Split = offsets.parse().map_err(|error| format!("{error}"))?;
    let stream = Stream { connection, from };
    let cuts = split.cuts().iter().map(|&at| Cut {
        stream,
        at: at as u64,
    });
    Ok(cuts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_survive_the_file() {
        let text = "connection 1 client-to-server 1,2,300\nconnection 1 server-to-client 5\n\
                    connection 12 server-to-client 7\n";
        let cuts: Cuts = text.parse().unwrap();
        assert_eq!(cuts.len(), 5);
        assert_eq!(cuts.to_string(), text);
        let with_comments = format!("# a comment\n\n  {}", text.replace('\n', "\n#\n"));
        assert_eq!(with_comments.parse(), Ok(cuts));
    }

    #[test]
    fn a_line_that_is_no_cut_is_named() {
        for (line, message) in [
            ("connection 2 client-to-server", "expected a line such as"),
            ("connection 2 sideways 3", "expected a line such as"),
            ("connection x client-to-server 3", "expected a line such as"),
            ("connection 0 client-to-server 3", "has the number 1"),
            ("connection 1 client-to-server 3,3", "cut 2: "),
            (
                "connection 1 client-to-server 3 4",
                "expected a line such as",
            ),
        ] {
            let error = format!("# a comment\n{line}").parse::<Cuts>().unwrap_err();
            assert!(error.starts_with("line 2: "), "{error}");
            assert!(error.contains(message), "{error}");
        }
        assert!("# a comment".parse::<Cuts>().is_err());
    }
}
