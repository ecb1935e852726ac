//! The bytes of a violation on the page, with cuts and field edges. The page's style lays them
//! out, 16 or 8 in a row.

use everysplit::check::Violation;
use maud::{Markup, Render, html};

use super::count;
use super::counterexample::MAX_CUTS;

/// Number of bytes in a row on a wide screen; half as many on a narrow one.
const ROW: usize = 16;
/// Number of rows at the beginning that are always shown.
const FIRST_ROWS: usize = 4;

pub(super) struct Dump<'a>(pub(super) &'a Violation);

impl Render for Dump<'_> {
    fn render(&self) -> Markup {
        let Violation {
            case,
            edges,
            offset,
            ..
        } = self.0;
        html! {
            div.dump role="group" aria-label="the stream" {
                @for part in parts(self.0) {
                    @match part {
                        Part::Bytes { start, end } => div.row {
                            @for at in start..end { (self.byte(at)) " " }
                        },
                        Part::Gap { bytes } => p.gap { "⋯ " (count(bytes, "byte", "bytes")) },
                    }
                }
                @if case.stream.is_empty() { p.gap { "no bytes" } }
            }
            p.legend {
                @if !case.split.cuts().is_empty() { span.cut { "cut" } }
                @if !edges.is_empty() { span.field { "field edge" } }
                @if *offset < case.stream.len() { span.missing { "not fed yet" } }
            }
        }
    }
}

/// A part of the stream, as the page shows it.
enum Part {
    /// The bytes from `start` up to `end`.
    Bytes { start: usize, end: usize },
    /// Bytes that are not shown.
    Gap { bytes: usize },
}

/// Chooses the rows to show, by the rule of the library's text: the first ones, and those around
/// a cut and around the offset of the violation.
fn parts(violation: &Violation) -> Vec<Part> {
    let Violation { case, offset, .. } = violation;
    let (len, cuts) = (case.stream.len(), case.split.cuts());
    let mut parts = Vec::new();
    for start in (0..len).step_by(ROW) {
        let end = len.min(start + ROW);
        let row = start..=end;
        let cut = cuts.len() <= MAX_CUTS && cuts.iter().any(|cut| row.contains(cut));
        let show = start < FIRST_ROWS * ROW || cut || row.contains(offset);
        match parts.last_mut() {
            Some(Part::Bytes { end: last, .. }) if show => *last = end,
            Some(Part::Gap { bytes }) if !show => *bytes += end - start,
            _ if show => parts.push(Part::Bytes { start, end }),
            _ => parts.push(Part::Gap { bytes: end - start }),
        }
    }
    parts
}

impl Dump<'_> {
    fn byte(&self, at: usize) -> Markup {
        let Violation {
            case,
            edges,
            offset,
            ..
        } = self.0;
        let byte = case.stream[at];
        let printable = byte == b' ' || byte.is_ascii_graphic();
        let character = if printable { char::from(byte) } else { '·' };
        let cuts_before = case.split.cuts().partition_point(|&cut| cut <= at);
        let cut = case.split.cuts().contains(&at);
        let field = edges.contains(&at);
        let odd_chunk = cuts_before % 2 == 1;
        let missing = at >= *offset;
        let row_offset = at.is_multiple_of(ROW / 2).then(|| format!("{at:06x}"));
        html! {
            span.cut[cut].field[field].odd[odd_chunk].missing[missing]
                data-at=[row_offset] data-char=(character) title={ "byte " (at) }
            { (format!("{byte:02x}")) }
        }
    }
}
