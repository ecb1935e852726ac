//! A list of violations that are known and fail nothing, as long as each is met.

use std::fs;
use std::path::Path;

use everysplit::check::Property;

use crate::Cannot;

/// A line each: the property, a space, and the name of the stream. Empty lines, and those
/// that begin with #, say nothing.
#[derive(Default)]
pub(super) struct Known {
    violations: Vec<Violation>,
}

struct Violation {
    property: Property,
    stream: String,
    met: bool,
}

impl Known {
    pub(super) fn read(path: &Path) -> Result<Self, Cannot> {
        let file = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read the known violations {file}: {error}"))?;
        let mut violations = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, stream) = line.split_once(' ').unwrap_or((line, ""));
            let property = Property::ALL
                .into_iter()
                .find(|property| property.name() == name);
            let (Some(property), false) = (property, stream.trim().is_empty()) else {
                return Err(format!(
                    "line {} of {file} is no known violation: {line:?}; write a property and the name of a stream, such as \"prompt in a row\"",
                    index + 1
                )
                .into());
            };
            violations.push(Violation {
                property,
                stream: stream.trim().into(),
                met: false,
            });
        }
        Ok(Self { violations })
    }

    /// Takes note of a violation; returns whether it is known.
    pub(super) fn meet(&mut self, property: Property, stream: &str) -> bool {
        let mut violations = self.violations.iter_mut();
        let known = violations.find(|known| known.property == property && known.stream == stream);
        known.map(|known| known.met = true).is_some()
    }

    /// Tells of those that were not met by these streams.
    pub(super) fn unmet(&self, streams: &[&str]) -> Vec<String> {
        let unmet = self.violations.iter().filter(|known| !known.met);
        unmet
            .map(|known| {
                let (name, stream) = (known.property.name(), &known.stream);
                let why = if streams.contains(&stream.as_str()) {
                    "if that is mended, take it off the list"
                } else {
                    "no stream has this name"
                };
                format!("known, and not met: {name} {stream}; {why}")
            })
            .collect()
    }
}
