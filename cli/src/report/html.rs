//! The HTML report: one page for people, without scripts and without anything from elsewhere.

mod counterexample;
mod dump;

use everysplit::Property;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::TOOL;
use super::model::{PropertyStatus, RunResult, Status, StreamResult, Verdict};
use crate::text::{lines, properties as properties_text};
use counterexample::Example;

const STYLE: &str = include_str!("html/page.css");

/// What a browser may load and run: nothing but the page's style. Names and frames on the page
/// are untrusted input.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The longest option of a command line in which no line break is allowed, in bytes.
const MAX_UNBROKEN: usize = 24;

pub(super) fn page(result: &RunResult) -> String {
    let headline = headline(result);
    let examples = Example::gather(result);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "everysplit: " (headline) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(result, &headline))
                main {
                    (properties(result))
                    (violations("Counterexamples", result, &examples, false))
                    (stale(result))
                    (violations(expected_title(result), result, &examples, true))
                    (streams(result, &examples))
                }
                footer { (TOOL) }
            }
        }
    };
    lines(&page.into_string()).into_owned() + "\n"
}

/// The colour and the sign of a verdict.
#[derive(Clone, Copy)]
enum Mark {
    Good,
    Bad,
    Known,
    Nothing,
}

impl Mark {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Known => "known",
            Self::Nothing => "nothing",
        }
    }

    /// Renders a verdict with its sign, as colour alone is not accessible.
    fn badge(self, word: &str) -> Markup {
        let sign = match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Known => "!",
            Self::Nothing => "–",
        };
        html! {
            span class={ "badge " (self.class()) } {
                span.sign aria-hidden="true" { (sign) } " " (word)
            }
        }
    }
}

/// Returns the result in a few words.
fn headline(result: &RunResult) -> String {
    let violated = result.violated_properties();
    match result.status() {
        Status::Held => match result.unchecked_streams() {
            0 if result.known_streams() > 0 => match result.unknown_properties() {
                0 => "only known violations".into(),
                unknown => format!(
                    "only known violations, {} unknown",
                    properties_text(unknown)
                ),
            },
            0 => "all that was checked held".into(),
            unchecked => {
                let streams = count(unchecked, "stream", "streams");
                format!("all that was checked held, {streams} not checked")
            }
        },
        Status::Stopped if result.stopped.is_some() => "stopped early".into(),
        Status::Stopped => "not everything was checked".into(),
        Status::Violated if violated > 0 => {
            format!("{} violated", properties_text(violated))
        }
        Status::Violated => count(
            result.stale.len(),
            "stale known violation",
            "stale known violations",
        ),
    }
}

/// Renders the result, the numbers, and what was run.
fn header(result: &RunResult, headline: &str) -> Markup {
    let mark = match result.status() {
        Status::Held => Mark::Good,
        Status::Violated => Mark::Bad,
        Status::Stopped => Mark::Known,
    };
    let known = result.known_streams();
    html! {
        header class=(mark.class()) {
            p.tool { "everysplit" }
            h1 { (capitalized(headline)) }
            dl.counts {
                (number("streams", result.streams.len()))
                (number("held", result.held_streams()))
                (number("violated", result.violated_streams()))
                @if known > 0 { (number("known", known)) }
                @if !result.stale.is_empty() { (number("stale", result.stale.len())) }
                @if !result.warnings.is_empty() { (number("warnings", result.warnings.len())) }
            }
            @for reason in result.reasons() {
                p.stopped { strong { "Not everything was checked: " } (reason) }
            }
            @for warning in &result.warnings {
                p.stopped { strong { "Warning: " } (warning) }
            }
            @if !result.covered.is_empty() { p.covered { (result.covered) } }
            (command_line(&result.command))
        }
    }
}

fn number(name: &str, number: usize) -> Markup {
    html! { div { dt { (name) } dd { (number) } } }
}

/// Renders the status of every property, those that were not checked last.
fn properties(result: &RunResult) -> Markup {
    let is_checked = |(_, status): &(_, PropertyStatus)| *status != PropertyStatus::NotChecked;
    let (checked, unchecked): (Vec<_>, Vec<_>) = result.properties().partition(is_checked);
    html! {
        section {
            h2 { "Properties" }
            table.properties {
                thead { tr { th { "property" } th { "what must hold" } th { "verdict" } } }
                tbody {
                    @for (property, status) in checked.into_iter().chain(unchecked) {
                        (property_row(property, result.title.sentence(property), status))
                    }
                }
            }
        }
    }
}

fn property_row(property: Property, sentence: &str, status: PropertyStatus) -> Markup {
    let name = property.name();
    let by = |streams| count(streams, "stream", "streams");
    let (mark, verdict, anchor) = match status {
        PropertyStatus::Held => (Mark::Good, "held".into(), None),
        PropertyStatus::HeldSoFar => (Mark::Nothing, "held so far".into(), None),
        PropertyStatus::Violated(streams) => {
            let verdict = format!("violated by {}", by(streams));
            (Mark::Bad, verdict, Some(anchor(property, false)))
        }
        PropertyStatus::Known(streams) => {
            let verdict = format!("violated by {}, as known", by(streams));
            (Mark::Known, verdict, Some(anchor(property, true)))
        }
        PropertyStatus::Other(streams) => {
            let verdict = format!("violated by {}, not named by --only", by(streams));
            (Mark::Known, verdict, Some(anchor(property, true)))
        }
        PropertyStatus::Unknown(streams) => {
            let verdict = format!("unknown: {} violated another property", by(streams));
            (Mark::Nothing, verdict, None)
        }
        PropertyStatus::NotChecked => (Mark::Nothing, "not checked".into(), None),
    };
    html! {
        tr class=(mark.class()) {
            th scope="row" {
                @if let Some(anchor) = anchor {
                    a href={ "#" (anchor) } { code { (name) } }
                } @else {
                    code { (name) }
                }
            }
            td.sentence { (sentence) }
            td.verdict { (mark.badge(&verdict)) }
        }
    }
}

/// Returns the id of the section with the violations of a property.
fn anchor(property: Property, known: bool) -> String {
    let prefix = if known { "known-" } else { "" };
    format!("{prefix}{}", property.name())
}

/// Renders the violations that are known, or those that are not, by property.
fn violations(title: &str, result: &RunResult, examples: &[Example], known: bool) -> Markup {
    let of = |property| {
        examples
            .iter()
            .filter(move |example| example.is(property, known))
    };
    let violated = || {
        Property::ALL
            .into_iter()
            .filter(|&property| of(property).count() > 0)
    };
    html! {
        @if violated().count() > 0 {
            section {
                h2 { (title) }
                @if known { p { "These do not fail the run." } }
                @for property in violated() {
                    section id=(anchor(property, known)) {
                        h3 { code { (property.name()) } }
                        p.sentence { (capitalized(result.title.sentence(property))) }
                        @for (index, example) in of(property).enumerate() {
                            (example.render(index == 0))
                        }
                    }
                }
            }
        }
    }
}

/// Returns the title of the violations that do not fail the run.
const fn expected_title(result: &RunResult) -> &'static str {
    if result.only.is_empty() {
        "Known violations"
    } else {
        "Known violations, and those that --only does not name"
    }
}

/// Renders the known violations that did not occur.
fn stale(result: &RunResult) -> Markup {
    html! {
        @if !result.stale.is_empty() {
            section {
                h2 { "Stale known violations" }
                p { "A listed violation that no longer occurs fails the run, so the list cannot go stale." }
                ul.stale { @for stale in &result.stale { li { (stale) } } }
            }
        }
    }
}

/// Renders the verdict of each stream.
fn streams(result: &RunResult, examples: &[Example]) -> Markup {
    html! {
        @if !result.streams.is_empty() {
            section {
                h2 { "Streams" }
                table.streams {
                    thead { tr { th { "stream" } th.bytes { "bytes" } th { "verdict" } } }
                    tbody { @for stream in &result.streams { (stream_row(stream, examples)) } }
                }
            }
        }
    }
}

fn stream_row(stream: &StreamResult, examples: &[Example]) -> Markup {
    let StreamResult {
        name,
        bytes,
        verdict,
    } = stream;
    html! {
        tr {
            th scope="row" { span.name title=(name) { (name) } }
            td.bytes { (bytes) span.unit { " bytes" } }
            td.verdict {
                @match verdict {
                    Verdict::Held(tried) => {
                        (Mark::Good.badge("held"))
                        p.tried { (tried) }
                    }
                    Verdict::Failed(text) => {
                        (Mark::Bad.badge("violated"))
                        pre { (text) }
                    }
                    Verdict::NotChecked(reason) => {
                        (Mark::Nothing.badge("not checked"))
                        p.tried { (reason) }
                    }
                    Verdict::Violated(counterexample) => {
                        @if counterexample.known {
                            (Mark::Known.badge("known"))
                        } @else {
                            (Mark::Bad.badge("violated"))
                        }
                        @if let Some(example) = examples.iter().find(|one| one.shows(counterexample)) {
                            p.tried {
                                a href={ "#" (example.id()) } {
                                    code { (counterexample.violation.property.name()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Renders a command line that can be copied; no line breaks inside an option.
fn command_line(line: &str) -> Markup {
    let option = |word: &str| word.starts_with('-') && word.len() <= MAX_UNBROKEN;
    html! {
        pre.copy {
            @for (index, word) in line.split(' ').enumerate() {
                @if index > 0 { " " }
                @if option(word) { span.option { (word) } } @else { (word) }
            }
        }
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Returns a sentence with its first letter in upper case.
fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
