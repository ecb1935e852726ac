//! Text in messages: counts with their noun, rates, and untrusted text.

use std::borrow::Cow;
use std::time::Duration;

/// Returns a count with its noun, of which the plural is regular: `1 feed`, `2 feeds`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Returns a number of properties.
pub(crate) fn properties(number: usize) -> String {
    match number {
        1 => "1 property".into(),
        _ => format!("{number} properties"),
    }
}

/// Shorter times than this say nothing about a rate.
const MIN_PACE_TIME: Duration = Duration::from_millis(20);

/// Returns a total time and the rate per second: `in 1.5 s, 200 per second`.
pub(crate) fn pace(count: u64, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if time < MIN_PACE_TIME {
        return format!("in {seconds:.3} s");
    }
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let rate = count.saturating_mul(1000) / milliseconds;
    format!("in {seconds:.1} s, {rate} per second")
}

/// Returns untrusted text as it may be printed in a line: characters that a terminal acts on, and
/// line breaks, are escaped.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character == '\t')
}

/// Like [`one_line`], and keeps the line breaks `\n`.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| matches!(character, '\t' | '\n'))
}

fn escaped(text: &str, keeps: impl Fn(char) -> bool) -> Cow<'_, str> {
    let escapes = |character| is_active(character) && !keeps(character);
    if !text.contains(escapes) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if escapes(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

/// Returns whether a terminal or a page acts on a character instead of showing it: control
/// characters, line and paragraph separators, and those that change the direction of text.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_some_time() {
        for (count, milliseconds, text) in [
            (7, 19, "in 0.019 s"),
            (7, 20, "in 0.0 s, 350 per second"),
            (3, 1500, "in 1.5 s, 2 per second"),
        ] {
            assert_eq!(pace(count, Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn active_characters_are_escaped() {
        let forged = "a\r\u{1b}[2K\nok\0\u{9b}\u{202e}";
        assert_eq!(
            one_line(forged),
            "a\\r\\u{1b}[2K\\nok\\u{0}\\u{9b}\\u{202e}"
        );
        assert_eq!(lines("a\n\tb\u{7}"), "a\n\tb\\u{7}");
        assert_eq!(one_line("你 \"a\" \\n\t"), "你 \"a\" \\n\t");
    }
}
