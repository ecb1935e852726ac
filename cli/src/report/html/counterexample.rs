//! A violation on the page: its bytes, the facts, the command line that tries it again, and the
//! split map.

use everysplit::{Deviation, Interruption, Property, Violation};
use maud::{Markup, PreEscaped, html};

use super::dump::Dump;
use super::{command_line, count};
use crate::report::MAX_SHOWN;
use crate::report::model::{Counterexample, RunResult, Verdict};

/// Maximum number of characters shown of what was expected and what happened.
const MAX_TEXT: usize = 2000;
/// Maximum number of cuts that are listed.
const MAX_CUTS: usize = everysplit::Hexdump::CUTS;
/// Maximum number of streams that are named.
const MAX_NAMES: usize = 3;
/// The shortest stream with a map, in bytes. In a shorter one, the cuts are obvious.
const MIN_MAP: usize = 4;

/// A violation, with the names of all streams that have it.
pub(super) struct Example<'a> {
    index: usize,
    counterexample: &'a Counterexample,
    streams: Vec<&'a str>,
}

impl<'a> Example<'a> {
    /// Gathers the violations of a run, those of the shortest streams first.
    pub(super) fn gather(result: &'a RunResult) -> Vec<Self> {
        let mut examples: Vec<Self> = Vec::new();
        for stream in &result.streams {
            let Verdict::Violated(counterexample) = &stream.verdict else {
                continue;
            };
            match examples
                .iter_mut()
                .find(|example| example.shows(counterexample))
            {
                Some(example) => {
                    example.streams.push(&stream.name);
                    if example.counterexample.map.is_none() {
                        example.counterexample = counterexample;
                    }
                }
                None => examples.push(Self {
                    index: examples.len(),
                    counterexample,
                    streams: vec![&stream.name],
                }),
            }
        }
        examples.sort_by_key(|example| example.counterexample.violation.case.stream.len());
        examples
    }

    /// Returns whether it violates this property, and is known or not.
    pub(super) fn is(&self, property: Property, known: bool) -> bool {
        self.counterexample.violation.property == property && self.counterexample.known == known
    }

    /// Returns whether it has the same violation.
    pub(super) fn shows(&self, counterexample: &Counterexample) -> bool {
        self.counterexample.known == counterexample.known
            && self.counterexample.violation == counterexample.violation
    }

    /// Returns its id on the page.
    pub(super) fn id(&self) -> String {
        format!("example-{}", self.index)
    }

    /// Renders it, unfolded if it is the first of its property or has a map.
    pub(super) fn render(&self, first: bool) -> Markup {
        let Counterexample {
            violation,
            map,
            replay,
            ..
        } = self.counterexample;
        let case = &violation.case;
        let map = map.as_ref().filter(|_| case.stream.len() >= MIN_MAP);
        html! {
            details.example id=(self.id()) open[first || map.is_some()] {
                summary {
                    strong { (count(case.stream.len(), "byte", "bytes")) ", " (cuts(violation)) }
                    span.of { span.name { (self.names()) } }
                }
                (Dump(violation))
                (facts(violation, self.counterexample.option().as_deref()))
                h4 { "try it again (click to select)" }
                @if replay.len() <= MAX_SHOWN {
                    (command_line(replay))
                } @else {
                    p { "The command line has " (replay.len()) " characters; the JSON report contains it." }
                }
                @if let Some(map) = map {
                    h4 { "which cuts break it" }
                    // The map consists of numbers and property names, never of untrusted text.
                    figure.map tabindex="0" { (PreEscaped(map.to_svg())) }
                }
            }
        }
    }

    /// Renders the names of the streams.
    fn names(&self) -> Markup {
        let more = self.streams.len().saturating_sub(MAX_NAMES);
        html! {
            @for (index, name) in self.streams.iter().take(MAX_NAMES).enumerate() {
                @if index > 0 { ", " }
                bdi { (name) }
            }
            @if more > 0 { " and " (more) " more" }
        }
    }
}

/// Returns the split in words.
fn cuts(violation: &Violation) -> String {
    let split = &violation.case.split;
    let cuts = match split.cuts().len() {
        0 => "not cut".into(),
        1..=8 => format!("cut at {}", split.to_string().replace(',', ", ")),
        cuts => format!("{cuts} cuts"),
    };
    match violation.case.interruption {
        Interruption::EmptyChunk => format!("{cuts}, with empty chunks"),
        _ => cuts,
    }
}

fn facts(violation: &Violation, option: Option<&str>) -> Markup {
    let Violation {
        case,
        deviations,
        offset,
        expected,
        actual,
        ..
    } = violation;
    let (expected_shown, actual_shown) = (beginning(expected), beginning(actual));
    let token = case.to_string();
    html! {
        dl.facts {
            div.long {
                dt { "expected" }
                dd { (difference(expected_shown, actual_shown)) (rest(expected)) }
            }
            div.long {
                dt { "actual" }
                dd { (difference(actual_shown, expected_shown)) (rest(actual)) }
            }
            div {
                dt { "split" }
                dd {
                    @match case.split.cuts().len() {
                        ..=MAX_CUTS => code { (case.split) },
                        cuts => (count(cuts, "cut", "cuts")),
                    }
                }
            }
            div { dt { "bytes fed" } dd { (offset) " of " (case.stream.len()) } }
            @if !deviations.is_empty() {
                @let declared: Vec<_> = deviations.iter().map(Deviation::to_string).collect();
                div { dt { "declared" } dd { (declared.join(", ")) } }
            }
            @if let Some(option) = option {
                div.long { dt { "advice" } dd { "if this is meant to be, add " code { (option) } } }
            }
            div.long {
                dt { "token" }
                dd {
                    @if token.len() <= MAX_SHOWN {
                        code.copy { (token) }
                    } @else {
                        (token.len()) " characters; the JSON report contains it"
                    }
                }
            }
        }
    }
}

/// Returns the part of a text that is shown.
fn beginning(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(MAX_TEXT)
        .map_or(text.len(), |(end, _)| end);
    &text[..end]
}

/// Renders how much of a text is not shown.
fn rest(text: &str) -> Markup {
    let rest = text.chars().count().saturating_sub(MAX_TEXT);
    html! { @if rest > 0 { span.rest { " … and " (rest) " more characters" } } }
}

/// Renders a text, and marks where it differs from `other` if they have much in common.
fn difference(text: &str, other: &str) -> Markup {
    let equal = |(one, other): &(char, char)| one == other;
    let bytes = |(one, _): (char, char)| one.len_utf8();
    let front = text.chars().zip(other.chars()).take_while(equal);
    let front: usize = front.map(bytes).sum();
    let back = text[front..]
        .chars()
        .rev()
        .zip(other[front..].chars().rev());
    let back: usize = back.take_while(equal).map(bytes).sum();
    let similar = 3 * (front + back) >= text.len().min(other.len());
    let end = text.len() - back;
    html! {
        code {
            @if similar && front < end {
                (text[..front]) mark { (text[front..end]) } (text[end..])
            } @else {
                (text)
            }
        }
    }
}
