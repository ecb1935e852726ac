//! The list of known violations: they do not fail the run as long as each still occurs.

use std::fs;
use std::path::Path;

use everysplit::Property;

use super::model::{StreamResult, Verdict};
use crate::Error;
use crate::options;

/// The list. Each line is a property, a space, and the name of the stream, in which `*` stands for
/// any text; empty lines and those that begin with # are ignored.
#[derive(Default)]
pub(super) struct KnownViolations(pub(super) Vec<KnownViolation>);

pub(super) struct KnownViolation {
    pub(super) property: Property,
    /// The name of the stream, or a pattern for names.
    pub(super) stream: String,
    pub(super) occurred: bool,
}

impl KnownViolations {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read the known violations {file}: {error}"))?;
        let mut violations = Vec::new();
        // Some editors write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let violation = KnownViolation::parse(line).ok_or_else(|| {
                format!(
                    "{file}, line {number}: {line:?} is not a known violation; expected a property and the name of a stream, such as \"prompt concatenated\""
                )
            })?;
            violations.push(violation);
        }
        Ok(Self(violations))
    }

    /// Returns whether a violation is on the list, and marks all lines for it as occurred.
    pub(super) fn matches(&mut self, property: Property, stream: &str) -> bool {
        let mut is_known = false;
        for known in &mut self.0 {
            if known.property == property && known.is_for(stream) {
                known.occurred = true;
                is_known = true;
            }
        }
        is_known
    }

    /// Adds the list of another shard. A line of both occurred if it did in one of them.
    pub(super) fn merge(&mut self, other: Self) {
        for line in other.0 {
            let same = |own: &&mut KnownViolation| {
                (own.property, &own.stream) == (line.property, &line.stream)
            };
            match self.0.iter_mut().find(same) {
                Some(own) => own.occurred |= line.occurred,
                None => self.0.push(line),
            }
        }
    }

    /// Returns a message for each violation that did not occur on these streams, which are all
    /// streams of a run.
    pub(super) fn stale(&self, streams: &[StreamResult]) -> Vec<String> {
        let has_stream = |known: &KnownViolation| {
            let mut streams = streams.iter();
            streams.any(|result| known.is_for(&result.name))
        };
        // There, it may still occur.
        let is_unchecked = |known: &KnownViolation| {
            let mut streams = streams.iter();
            streams.any(|result| {
                known.is_for(&result.name) && matches!(result.verdict, Verdict::NotChecked(_))
            })
        };
        self.0
            .iter()
            .filter(|known| !known.occurred && !is_unchecked(known))
            .map(|known| {
                let advice = if has_stream(known) {
                    "if it is fixed, remove it from the list"
                } else {
                    "there is no stream of this name"
                };
                let (property, stream) = (known.property.name(), &known.stream);
                format!("known violation did not occur: {property} {stream}; {advice}")
            })
            .collect()
    }
}

impl KnownViolation {
    fn parse(line: &str) -> Option<Self> {
        let (name, stream) = line.split_once(' ')?;
        Some(Self {
            property: options::property(name)?,
            stream: stream.trim().into(),
            occurred: false,
        })
    }

    /// Returns whether a stream has its name.
    fn is_for(&self, stream: &str) -> bool {
        let mut parts = self.stream.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = stream.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        let Some(inner) = rest.strip_suffix(last) else {
            return false;
        };
        rest = inner;
        parts.all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, matches) in [
            ("*", true),
            ("hex 00", true),
            ("hex 0", false),
            ("hex *", true),
            ("hex 00*", true),
            ("hex 00**", true),
            ("*hex 00", true),
            ("h*x*0", true),
            ("h*0*0", true),
            ("h*0*0*0", false),
            ("h*e*e* 00", false),
            ("hex 00*0", false),
            ("?ex 00", false),
            ("", false),
        ] {
            let known = KnownViolation {
                property: Property::Prompt,
                stream: pattern.into(),
                occurred: false,
            };
            assert_eq!(known.is_for("hex 00"), matches, "{pattern}");
            // Each name is a pattern for itself.
            assert!(known.is_for(pattern), "{pattern}");
        }
    }
}
