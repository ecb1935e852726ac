//! The list of known violations: they do not fail the run as long as each still occurs.

use std::fs;
use std::path::Path;

use everysplit::Property;

use super::model::StreamResult;
use crate::Error;

/// The list. Each line is a property, a space, and the name of the stream; empty lines and those
/// that begin with # are ignored.
#[derive(Default)]
pub(super) struct KnownViolations(Vec<KnownViolation>);

struct KnownViolation {
    property: Property,
    stream: String,
    occurred: bool,
}

impl KnownViolations {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read the known violations {file}: {error}"))?;
        let mut violations = Vec::new();
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

    /// Returns whether a violation is on the list, and marks it as occurred.
    pub(super) fn matches(&mut self, property: Property, stream: &str) -> bool {
        for known in &mut self.0 {
            if known.property == property && known.stream == stream {
                known.occurred = true;
                return true;
            }
        }
        false
    }

    /// Returns a message for each violation that did not occur on these streams.
    pub(super) fn stale(&self, streams: &[StreamResult]) -> Vec<String> {
        self.0
            .iter()
            .filter(|known| !known.occurred)
            .map(
                |KnownViolation {
                     property, stream, ..
                 }| {
                    let advice = if streams.iter().any(|result| result.name == *stream) {
                        "if it is fixed, remove it from the list"
                    } else {
                        "there is no stream of this name"
                    };
                    format!(
                        "known violation did not occur: {} {stream}; {advice}",
                        property.name()
                    )
                },
            )
            .collect()
    }
}

impl KnownViolation {
    fn parse(line: &str) -> Option<Self> {
        let (name, stream) = line.split_once(' ')?;
        let property = Property::ALL
            .into_iter()
            .find(|property| property.name() == name)?;
        Some(Self {
            property,
            stream: stream.trim().into(),
            occurred: false,
        })
    }
}
