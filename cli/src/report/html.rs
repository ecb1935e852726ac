//! A report as one page, for people: it needs nothing beside itself, and no script. What
//! programs read is `json` and `junit`.

mod dump;
mod example;

use everysplit::check::Property;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Ended, Entry, Fared, Run, TOOL, Verdict};
use example::Example;

const STYLE: &str = include_str!("html/page.css");

/// What a browser may take from elsewhere, and run: nothing. What is told comes from whom
/// nobody trusts.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

pub(super) fn page(run: &Run) -> String {
    let result = result(run);
    let examples = Example::gather(run);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "everysplit: " (result) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (top(run, &result))
                main {
                    (properties(run))
                    (counterexamples("Counterexamples", &examples, false))
                    (unmet(run))
                    (counterexamples("Known violations", &examples, true))
                    (streams(run, &examples))
                }
                footer { (TOOL) }
            }
        }
    };
    page.into_string() + "\n"
}

/// How something stands: the word for it, and the sign and the colour beside it.
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

    /// Tells the word, with its sign: no colour tells anything alone.
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

/// Tells the result in a few words.
fn result(run: &Run) -> String {
    let violated = run
        .properties()
        .filter(|(_, fared)| matches!(fared, Fared::Violated(_)))
        .count();
    match run.ended() {
        Ended::Held => "all held".into(),
        Ended::Stopped => "stopped before all was asked".into(),
        Ended::Violated if violated > 0 => {
            format!("{} violated", count(violated, "property", "properties"))
        }
        Ended::Violated => {
            let unmet = count(run.unmet.len(), "known violation", "known violations");
            format!("{unmet} not met")
        }
    }
}

/// Tells the result at a glance, what was run, and what that covers.
fn top(run: &Run, result: &str) -> Markup {
    let mark = match run.ended() {
        Ended::Held => Mark::Good,
        Ended::Violated => Mark::Bad,
        Ended::Stopped => Mark::Known,
    };
    let known = run.found().filter(|found| found.known).count();
    let held = run.entries.len() - run.found().count();
    html! {
        header class=(mark.class()) {
            p.tool { "everysplit" }
            h1 { (capital(result)) }
            dl.counts {
                (number("streams", run.entries.len()))
                (number("held", held))
                (number("violated", run.violated()))
                @if known > 0 { (number("known", known)) }
                @if !run.unmet.is_empty() { (number("not met", run.unmet.len())) }
            }
            @if let Some(stopped) = &run.stopped {
                p.stopped { strong { "Not all was asked: " } (stopped) }
            }
            p.covered { (run.covered) }
            (command(&run.command))
        }
    }
}

fn number(name: &str, number: usize) -> Markup {
    html! { div { dt { (name) } dd { (number) } } }
}

/// Tells how every property fared, those last that were not asked for.
fn properties(run: &Run) -> Markup {
    let unasked = |(_, fared): &(Property, Fared)| *fared == Fared::Unasked;
    let (unasked, asked): (Vec<_>, Vec<_>) = run.properties().partition(unasked);
    html! {
        section {
            h2 { "Properties" }
            table.properties {
                thead { tr { th { "property" } th { "what must hold" } th { "verdict" } } }
                tbody {
                    @for (property, fared) in asked.into_iter().chain(unasked) {
                        (fares(property, fared))
                    }
                }
            }
        }
    }
}

fn fares(property: Property, fared: Fared) -> Markup {
    let name = property.name();
    let by = |streams| count(streams, "stream", "streams");
    let (mark, verdict, section) = match fared {
        Fared::Held => (Mark::Good, "held".into(), None),
        Fared::Violated(streams) => (Mark::Bad, format!("violated by {}", by(streams)), Some("")),
        Fared::Known(streams) => {
            let verdict = format!("violated as known by {}", by(streams));
            (Mark::Known, verdict, Some("known-"))
        }
        Fared::Open(streams) => {
            let streams = by(streams);
            let told = format!("not known: {streams} with another violation");
            (Mark::Nothing, told, None)
        }
        Fared::Unasked => (Mark::Nothing, "not asked".into(), None),
    };
    html! {
        tr class=(mark.class()) {
            th scope="row" {
                @if let Some(section) = section {
                    a href={ "#" (section) (name) } { code { (name) } }
                } @else {
                    code { (name) }
                }
            }
            td.sentence { (property.sentence()) }
            td.verdict { (mark.badge(&verdict)) }
        }
    }
}

/// Tells the violations that are known, or those that are not, property by property.
fn counterexamples(title: &str, examples: &[Example], known: bool) -> Markup {
    let of = |property| {
        let examples = examples.iter();
        examples.filter(move |example| example.is(property, known))
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
                @if known { p { "They are on the list of what is known, and fail nothing." } }
                @for property in violated() {
                    @let prefix = if known { "known-" } else { "" };
                    section id={ (prefix) (property.name()) } {
                        h3 { code { (property.name()) } }
                        p.sentence { (capital(property.sentence())) }
                        @for (index, example) in of(property).enumerate() {
                            (example.tell(index == 0))
                        }
                    }
                }
            }
        }
    }
}

/// Tells of the known violations that were not met.
fn unmet(run: &Run) -> Markup {
    html! {
        @if !run.unmet.is_empty() {
            section {
                h2 { "Known, and not met" }
                p { "Each of them fails, so that the list of what is known stays true." }
                ul.unmet { @for unmet in &run.unmet { li { (unmet) } } }
            }
        }
    }
}

/// Tells what came of each stream.
fn streams(run: &Run, examples: &[Example]) -> Markup {
    html! {
        @if !run.entries.is_empty() {
            section {
                h2 { "Streams" }
                table.streams {
                    thead { tr { th { "stream" } th.bytes { "bytes" } th { "verdict" } } }
                    tbody { @for entry in &run.entries { (stream(entry, examples)) } }
                }
            }
        }
    }
}

fn stream(
    Entry {
        name,
        bytes,
        verdict,
    }: &Entry,
    examples: &[Example],
) -> Markup {
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
                    Verdict::Violated(found) => {
                        @let (mark, word) = if found.known {
                            (Mark::Known, "known")
                        } else {
                            (Mark::Bad, "violated")
                        };
                        (mark.badge(word))
                        @if let Some(example) = examples.iter().find(|one| one.tells(found)) {
                            p.tried {
                                a href={ "#" (example.id()) } {
                                    code { (found.violation.property.name()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Shows a command line so that it is copied as it is, and no option is broken in two.
fn command(line: &str) -> Markup {
    let option = |word: &str| word.starts_with('-') && word.len() <= OPTION;
    html! {
        pre.copy {
            @for (index, word) in line.split(' ').enumerate() {
                @if index > 0 { " " }
                @if option(word) { span.option { (word) } } @else { (word) }
            }
        }
    }
}

/// The longest word that no line is broken in, in bytes.
const OPTION: usize = 24;

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Begins a sentence.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
