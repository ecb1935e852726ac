//! Scripts: conversations of several turns, each of which waits for a reply and sends bytes.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use everysplit::Split;
use regex::bytes::Regex;

use crate::Error;
use crate::text::{count, one_line};

/// Maximum number of cuts of which the turns are named in a message.
const MAX_PLACES: usize = 3;

/// A conversation, as its file describes it.
pub(crate) struct Script {
    /// The name of the file, in one line.
    pub(crate) name: String,
    /// Never empty.
    pub(crate) turns: Vec<Turn>,
    /// What to wait for after the last turn.
    pub(crate) last: Vec<Expect>,
    /// Matches the concatenated sends, each as a group, whatever the captured values are.
    shape: Regex,
}

/// Bytes to send, and what to wait for before that.
pub(crate) struct Turn {
    pub(crate) expects: Vec<Expect>,
    parts: Vec<Part>,
    /// The line of the send, from 1.
    line: usize,
}

/// A pattern for the reply. Its named groups are captured.
pub(crate) struct Expect {
    pub(crate) pattern: Regex,
    /// From 1.
    pub(crate) line: usize,
}

/// A part of what a turn sends.
enum Part {
    Bytes(Vec<u8>),
    /// The value of a captured group.
    Group(String),
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a line is not a step.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let name = one_line(&path.display().to_string()).into_owned();
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read the script {name}: {error}"))?;
        Self::parse(name, &text)
    }

    fn parse(name: String, text: &str) -> Result<Self, Error> {
        let (mut turns, mut expects, mut groups) = (Vec::new(), Vec::new(), HashSet::new());
        for (index, text) in text.lines().enumerate() {
            let line = index + 1;
            let at_line = |error: String| format!("{name}, line {line}: {}", one_line(&error));
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (verb, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let parts = match verb {
                "expect" => {
                    let pattern = pattern(value).map_err(at_line)?;
                    groups.extend(pattern.capture_names().flatten().map(String::from));
                    expects.push(Expect { pattern, line });
                    continue;
                }
                "send" => quoted(value).and_then(parts).map_err(at_line)?,
                "send-hex" => vec![Part::Bytes(hex_bytes(value).map_err(at_line)?)],
                _ => {
                    let error = format!("expected expect, send or send-hex, not {verb:?}");
                    return Err(at_line(error).into());
                }
            };
            check(&parts, &groups).map_err(at_line)?;
            turns.push(Turn {
                expects: std::mem::take(&mut expects),
                parts,
                line,
            });
        }
        if turns.is_empty() {
            return Err(
                format!("the script {name} sends nothing; add a line: send \"TEXT\"").into(),
            );
        }
        let shape = shape(&turns).map_err(|error| format!("the script {name}: {error}"))?;
        Ok(Self {
            name,
            turns,
            last: expects,
            shape,
        })
    }

    /// Returns the concatenated sends, with the names of groups in place of their values.
    pub(crate) fn template(&self) -> Vec<u8> {
        let turns = self.turns.iter();
        turns
            .flat_map(|turn| turn.bytes(|name| format!("${{{name}}}").into_bytes()))
            .collect()
    }

    /// Returns where each turn ends in the concatenated sends of a connection, or `None` if these
    /// are not of this script.
    pub(crate) fn turn_ends(&self, sends: &[u8]) -> Option<Vec<usize>> {
        let found = self.shape.captures(sends)?;
        let turns = found.iter().skip(1).flatten();
        Some(turns.map(|turn| turn.end()).collect())
    }

    /// Returns the pattern of a line.
    pub(crate) fn pattern(&self, line: usize) -> &str {
        let expects = self.turns.iter().flat_map(|turn| &turn.expects);
        let mut expects = expects.chain(&self.last);
        let expect = expects.find(|expect| expect.line == line);
        expect.map_or("", |expect| expect.pattern.as_str())
    }

    /// Returns in which turns the cuts are, in words.
    pub(crate) fn places(&self, sends: &[u8], split: &Split) -> String {
        let ends = self.turn_ends(sends).unwrap_or_default();
        let mut text = String::new();
        for &cut in split.cuts().iter().take(MAX_PLACES) {
            let turn = ends.partition_point(|&end| end <= cut);
            let begin = turn.checked_sub(1).map_or(0, |previous| ends[previous]);
            let Some(Turn { line, .. }) = self.turns.get(turn) else {
                break;
            };
            let (bytes, name) = (count((cut - begin) as u64, "byte"), &self.name);
            let _ = write!(
                text,
                "; cut {bytes} into turn {} ({name}, line {line})",
                turn + 1
            );
        }
        if split.cuts().len() > MAX_PLACES {
            let _ = write!(text, "; {} cuts in all", split.cuts().len());
        }
        text
    }
}

impl Turn {
    /// Returns what to send, given the value of each group.
    pub(crate) fn bytes(&self, value: impl Fn(&str) -> Vec<u8>) -> Vec<u8> {
        let bytes = self.parts.iter().flat_map(|part| match part {
            Part::Bytes(bytes) => bytes.clone(),
            Part::Group(name) => value(name),
        });
        bytes.collect()
    }
}

/// Returns a pattern for the concatenated sends of a script, with a group for each turn.
fn shape(turns: &[Turn]) -> Result<Regex, String> {
    let mut pattern = String::from("(?s-u)^");
    for turn in turns {
        pattern.push('(');
        for part in &turn.parts {
            match part {
                Part::Bytes(bytes) => {
                    for byte in bytes {
                        let _ = write!(pattern, "\\x{byte:02x}");
                    }
                }
                Part::Group(_) => pattern.push_str(".*?"),
            }
        }
        pattern.push(')');
    }
    pattern.push('$');
    Regex::new(&pattern).map_err(|_| "it sends too much; make it shorter".into())
}

/// Checks that a turn sends something, and only groups that are captured before.
fn check(parts: &[Part], groups: &HashSet<String>) -> Result<(), String> {
    let unknown = parts.iter().find_map(|part| match part {
        Part::Group(name) if !groups.contains(name) => Some(name),
        _ => None,
    });
    match unknown {
        Some(name) => Err(format!(
            "no expect before this line captures ${{{name}}}, as (?<{name}>...) does"
        )),
        None if parts.is_empty() => Err("nothing to send".into()),
        None => Ok(()),
    }
}

/// Returns the text between the first and the last quotation mark of a step.
fn quoted(value: &str) -> Result<&str, String> {
    let inner = value.trim().strip_prefix('"');
    inner
        .and_then(|inner| inner.strip_suffix('"'))
        .ok_or_else(|| "expected a text in quotation marks, and nothing after it".into())
}

fn pattern(value: &str) -> Result<Regex, String> {
    let pattern = quoted(value)?;
    Regex::new(pattern).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default();
        format!("{pattern:?} is not a regular expression: {reason}")
    })
}

fn hex_bytes(value: &str) -> Result<Vec<u8>, String> {
    let digits: String = value.split_whitespace().collect();
    match hex::decode(&digits) {
        Ok(bytes) if bytes.is_empty() => Err("nothing to send".into()),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("expected bytes as hexadecimal digits: {error}")),
    }
}

/// Reads the text of a send, with its escapes and groups.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut bytes, mut rest) = (Vec::new(), Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        if let Some(name) = rest.strip_prefix("${") {
            let (name, after) = name.split_once('}').ok_or("${ without }")?;
            if !bytes.is_empty() {
                parts.push(Part::Bytes(std::mem::take(&mut bytes)));
            }
            parts.push(Part::Group(name.into()));
            rest = after;
        } else if let Some(escape) = rest.strip_prefix('\\') {
            let (byte, len) = escaped(escape)
                .ok_or("expected one of \\r \\n \\t \\0 \\\\ \\\" \\xNN after a backslash")?;
            bytes.push(byte);
            rest = &escape[len..];
        } else {
            let (character, after) = rest.split_at(first.len_utf8());
            bytes.extend_from_slice(character.as_bytes());
            rest = after;
        }
    }
    if !bytes.is_empty() {
        parts.push(Part::Bytes(bytes));
    }
    Ok(parts)
}

/// Reads what follows a backslash. Returns the byte, and the length of what was read.
fn escaped(text: &str) -> Option<(u8, usize)> {
    Some(match text.bytes().next()? {
        b'r' => (b'\r', 1),
        b'n' => (b'\n', 1),
        b't' => (b'\t', 1),
        b'0' => (0, 1),
        same @ (b'\\' | b'"') => (same, 1),
        b'x' => (*hex::decode(text.get(1..3)?).ok()?.first()?, 3),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_named_by_turn_whatever_the_values_are() {
        let text = "expect \"(?<n>.)\"\nsend \"a\\x00${n}\\r\"\n# no step\n\nsend-hex 01 02";
        let script = Script::parse("s".into(), text).unwrap();
        assert_eq!(script.template(), b"a\0${n}\r\x01\x02");
        for (sends, ends) in [
            (&b"a\0\r\x01\x02"[..], [3, 5]),
            (b"a\0\xffz\r\x01\x02", [5, 7]),
        ] {
            assert_eq!(script.turn_ends(sends), Some(ends.to_vec()));
            let split = Split::new([1, ends[0] + 1]);
            assert_eq!(
                script.places(sends, &split),
                "; cut 1 byte into turn 1 (s, line 2); cut 1 byte into turn 2 (s, line 5)"
            );
        }
        assert_eq!(script.turn_ends(b"a\0\r\x01"), None);
    }

    #[test]
    fn only_the_first_cuts_are_named() {
        let script = Script::parse("s".into(), "send \"abcde\"").unwrap();
        let three = "; cut 1 byte into turn 1 (s, line 1); cut 2 bytes into turn 1 (s, line 1)\
             ; cut 3 bytes into turn 1 (s, line 1)";
        assert_eq!(script.places(b"abcde", &Split::new([1, 2, 3])), three);
        assert_eq!(
            script.places(b"abcde", &Split::new([1, 2, 3, 4])),
            format!("{three}; 4 cuts in all")
        );
    }

    #[test]
    fn a_text_may_have_escapes() {
        let text = r#"send "\r\n\t\0\\\"\x41""#;
        let script = Script::parse("s".into(), text).unwrap();
        assert_eq!(script.template(), b"\r\n\t\0\\\"A");
    }
}
