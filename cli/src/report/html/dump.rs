//! The bytes of a violation on the page, with its cuts and the edges of its fields. The page's
//! style lays them out, sixteen or eight in a row.

use everysplit::check::Violation;
use maud::{Markup, Render, html};

use super::count;
use super::example::CUTS;

/// How many bytes stand in a row where there is room; half as many where there is none.
const ROW: usize = 16;
/// How many rows are shown, whatever is in them.
const ROWS: usize = 4;

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
                @for shown in self.shown() {
                    @match shown {
                        Shown::Bytes(start, end) => div.row {
                            @for at in start..end { (self.byte(at)) " " }
                        },
                        Shown::LeftOut(bytes) => p.gap { "⋯ " (count(bytes, "byte", "bytes")) },
                    }
                }
                @if case.stream.is_empty() { p.gap { "no bytes" } }
            }
            p.legend {
                @if !case.split.cuts().is_empty() { span.cut { "cut" } }
                @if !edges.is_empty() { span.field { "field edge" } }
                @if *offset < case.stream.len() { span.due { "not in yet" } }
            }
        }
    }
}

/// A part of the stream.
enum Shown {
    /// From and up to.
    Bytes(usize, usize),
    /// So many bytes that are like many around them.
    LeftOut(usize),
}

impl Dump<'_> {
    /// Lays out the rows, as the text of a violation does: the first ones, and those around
    /// a cut and around the end of what was in.
    fn shown(&self) -> Vec<Shown> {
        let Violation { case, offset, .. } = self.0;
        let (len, cuts) = (case.stream.len(), case.split.cuts());
        let mut shown = Vec::new();
        for start in (0..len).step_by(ROW) {
            let end = len.min(start + ROW);
            let here = start..=end;
            let cut = cuts.len() <= CUTS && cuts.iter().any(|cut| here.contains(cut));
            let told = start < ROWS * ROW || cut || here.contains(offset);
            match shown.last_mut() {
                Some(Shown::Bytes(_, until)) if told => *until = end,
                Some(Shown::LeftOut(bytes)) if !told => *bytes += end - start,
                _ if told => shown.push(Shown::Bytes(start, end)),
                _ => shown.push(Shown::LeftOut(end - start)),
            }
        }
        shown
    }

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
        let before = case.split.cuts().partition_point(|&cut| cut <= at);
        let cut = case.split.cuts().contains(&at);
        let field = edges.contains(&at);
        let odd = before % 2 == 1;
        let due = at >= *offset;
        let row = at.is_multiple_of(ROW / 2).then(|| format!("{at:06x}"));
        html! {
            span.cut[cut].field[field].odd[odd].due[due]
                data-at=[row] data-char=(character) title={ "byte " (at) }
            { (format!("{byte:02x}")) }
        }
    }
}
