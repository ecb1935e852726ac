//! A violation on the page, as something to look at and to try again. Which properties there
//! are, and in what order, is the page's.

use everysplit::check::{Deviation, Property, Violation};
use maud::{Markup, PreEscaped, html};

use super::super::{Found, LONGEST, Run, Verdict};
use super::dump::Dump;
use super::{command, count};

/// How many characters of what was expected and what happened are shown.
const TEXT: usize = 2000;
/// How many cuts are told one by one.
pub(super) const CUTS: usize = 64;
/// How many of the streams with the same violation are named.
const NAMES: usize = 3;
/// A map of fewer bytes shows less than the words beside it.
const MAP: usize = 4;

/// A violation, and all the streams that were made as small as this.
pub(super) struct Example<'a> {
    index: usize,
    found: &'a Found,
    streams: Vec<&'a str>,
}

impl<'a> Example<'a> {
    /// Gathers the violations of a run, the smallest first.
    pub(super) fn gather(run: &'a Run) -> Vec<Self> {
        let mut examples: Vec<Self> = Vec::new();
        for entry in &run.entries {
            let Verdict::Violated(found) = &entry.verdict else {
                continue;
            };
            match examples.iter_mut().find(|example| example.tells(found)) {
                Some(example) => {
                    example.streams.push(&entry.name);
                    if example.found.map.is_none() {
                        example.found = found;
                    }
                }
                None => examples.push(Self {
                    index: examples.len(),
                    found,
                    streams: vec![&entry.name],
                }),
            }
        }
        examples.sort_by_key(|example| example.found.violation.case.stream.len());
        examples
    }

    /// Returns whether it is of this property, and known or not.
    pub(super) fn is(&self, property: Property, known: bool) -> bool {
        (self.found.violation.property, self.found.known) == (property, known)
    }

    /// Returns whether this is what was found.
    pub(super) fn tells(&self, found: &Found) -> bool {
        self.found.known == found.known && self.found.violation == found.violation
    }

    /// Returns where it is on the page.
    pub(super) fn id(&self) -> String {
        format!("example-{}", self.index)
    }

    /// Tells it; all of it is seen at once if it is the first, or has a map.
    pub(super) fn tell(&self, first: bool) -> Markup {
        let Found {
            violation, replay, ..
        } = self.found;
        let case = &violation.case;
        let map = self.found.map.as_ref();
        let map = map.filter(|_| case.stream.len() >= MAP);
        html! {
            details.example id=(self.id()) open[first || map.is_some()] {
                summary {
                    strong { (count(case.stream.len(), "byte", "bytes")) ", " (cuts(violation)) }
                    span.of { span.name { (self.names()) } }
                }
                (Dump(violation))
                (facts(violation))
                h4 { "try it again: a click selects it" }
                @if replay.len() <= LONGEST {
                    (command(replay))
                } @else {
                    p { "The command line has " (replay.len()) " characters: the JSON report holds it." }
                }
                @if let Some(map) = map {
                    h4 { "where a cut breaks it" }
                    // It holds numbers and names of properties, and nothing from elsewhere.
                    figure.map tabindex="0" { (PreEscaped(map.to_svg())) }
                }
            }
        }
    }

    /// Names the streams.
    fn names(&self) -> Markup {
        let more = self.streams.len().saturating_sub(NAMES);
        html! {
            @for (index, name) in self.streams.iter().take(NAMES).enumerate() {
                @if index > 0 { ", " }
                bdi { (name) }
            }
            @if more > 0 { " and " (more) " more" }
        }
    }
}

/// Tells how the stream was cut.
fn cuts(violation: &Violation) -> String {
    let split = &violation.case.split;
    match split.cuts().len() {
        0 => "not cut".into(),
        1..=8 => format!("cut at {}", split.to_string().replace(',', ", ")),
        cuts => format!("{cuts} cuts"),
    }
}

fn facts(violation: &Violation) -> Markup {
    let Violation {
        case,
        declared,
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
                dd { (parted(expected_shown, actual_shown)) (rest(expected)) }
            }
            div.long {
                dt { "actual" }
                dd { (parted(actual_shown, expected_shown)) (rest(actual)) }
            }
            div {
                dt { "split" }
                dd {
                    @match case.split.cuts().len() {
                        ..=CUTS => code { (case.split) },
                        cuts => (count(cuts, "cut", "cuts")),
                    }
                }
            }
            div { dt { "bytes in" } dd { (offset) " of " (case.stream.len()) } }
            @if !declared.is_empty() {
                @let declared: Vec<_> = declared.iter().map(Deviation::to_string).collect();
                div { dt { "declared" } dd { (declared.join(", ")) } }
            }
            div.long {
                dt { "token" }
                dd {
                    @if token.len() <= LONGEST {
                        code.copy { (token) }
                    } @else {
                        (token.len()) " characters: the JSON report holds it"
                    }
                }
            }
        }
    }
}

/// Returns as much of a text as is shown.
fn beginning(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(TEXT)
        .map_or(text.len(), |(end, _)| end);
    &text[..end]
}

/// Tells how much of a text is not shown.
fn rest(text: &str) -> Markup {
    let rest = text.chars().count().saturating_sub(TEXT);
    html! { @if rest > 0 { span.rest { " … and " (rest) " characters more" } } }
}

/// Tells a text, and marks where it is another than `other`, if they have much in common.
fn parted(text: &str, other: &str) -> Markup {
    let alike = |(one, other): &(char, char)| one == other;
    let bytes = |(one, _): (char, char)| one.len_utf8();
    let front = text.chars().zip(other.chars()).take_while(alike);
    let front: usize = front.map(bytes).sum();
    let back = text[front..]
        .chars()
        .rev()
        .zip(other[front..].chars().rev());
    let back: usize = back.take_while(alike).map(bytes).sum();
    let common = 3 * (front + back) >= text.len().min(other.len());
    let end = text.len() - back;
    html! {
        code {
            @if common && front < end {
                (text[..front]) mark { (text[front..end]) } (text[end..])
            } @else {
                (text)
            }
        }
    }
}
