//! The bytes of a violation on the page, with cuts and field edges. The page's style lays them
//! out, 16 or 8 in a row.

use everysplit::{Hexdump, Row, Violation};
use maud::{Markup, Render, html};

use super::count;

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
                @for row in self.0.hexdump().rows() {
                    @match row {
                        Row::Bytes(range) => div.row {
                            @for at in range { (self.byte(at)) " " }
                        },
                        Row::Omitted(range) => {
                            p.gap { "⋯ " (count(range.len(), "byte", "bytes")) }
                        },
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
        let row_offset = at
            .is_multiple_of(Hexdump::ROW / 2)
            .then(|| format!("{at:06x}"));
        html! {
            span.cut[cut].field[field].odd[odd_chunk].missing[missing]
                data-at=[row_offset] data-char=(character) title={ "byte " (at) }
            { (format!("{byte:02x}")) }
        }
    }
}
