//! The split map as text.

use alloc::string::ToString;
use core::fmt::{self, Write};

use super::{Cell, Heading, SplitMap, verdict};
use crate::property::Property;

impl fmt::Display for SplitMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Heading(self))?;
        // With two columns per cell it is about as wide as it is high.
        let grid = self.grid(45);
        if grid.per > 1 {
            let per = grid.per;
            writeln!(
                f,
                "a character covers {per} by {per} cuts and shows the worst"
            )?;
        }
        writeln!(f)?;
        let margin = self.edges.last().map_or(0, |edge| edge.to_string().len());
        for row in 0..grid.size {
            match grid.edge(row) {
                Some(edge) => write!(f, "{edge:>margin$} ┤")?,
                None => write!(f, "{:margin$} │", "")?,
            }
            let mut before = Cell::Held;
            for column in 0..=row {
                let cell = grid.worst(column, row);
                let (gap, held) = match (grid.edge(row), grid.edge(column)) {
                    (Some(_), Some(_)) => ('─', '┼'),
                    (Some(_), None) => ('─', '─'),
                    (None, Some(_)) => (' ', '│'),
                    (None, None) => (' ', '·'),
                };
                let unbroken = column > 0 && (before, cell) == (Cell::Held, Cell::Held);
                f.write_char(if unbroken { gap } else { ' ' })?;
                f.write_char(match cell {
                    Cell::Held => held,
                    Cell::Untried => ' ',
                    Cell::Violated(property) => letter(property),
                })?;
                before = cell;
            }
            writeln!(f)?;
        }
        if grid.size > 0 {
            write!(f, "{:margin$} └", "")?;
            for column in 0..grid.size {
                let tick = grid.edge(column).map_or('─', |_| '┬');
                write!(f, "─{tick}")?;
            }
            writeln!(f)?;
        }
        if !self.edges.is_empty() {
            let mut width = 0;
            for column in 0..grid.size {
                let Some(edge) = grid.edge(column) else {
                    continue;
                };
                // The number starts below its tick, unless the previous one is in the way.
                let start = margin + 3 + 2 * column;
                if width < start {
                    let edge = edge.to_string();
                    write!(f, "{:1$}{edge}", "", start - width)?;
                    width = start + edge.len();
                }
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        let name = |(property, _): (Property, usize)| property.name().len();
        let untried = self.count(Cell::Untried);
        let least = if untried > 0 { "untried" } else { "held" }.len();
        let widest = self.violated().map(name).max().unwrap_or(0).max(least);
        writeln!(f, "·  {:widest$}  {}", "held", self.count(Cell::Held))?;
        if untried > 0 {
            writeln!(f, "   {:widest$}  {untried}", "untried")?;
        }
        for (property, count) in self.violated() {
            let (letter, name) = (letter(property), property.name());
            writeln!(f, "{letter}  {name:widest$}  {count}")?;
        }
        let (whole, bytes) = (verdict(self.whole), verdict(self.bytes));
        write!(f, "whole: {whole}, byte by byte: {bytes}")
    }
}

/// Returns the letter for a violation.
const fn letter(property: Property) -> char {
    match property {
        Property::RoundTrip => 'R',
        Property::EverySplit => 'E',
        Property::Prompt => 'P',
        Property::Limit => 'L',
        Property::Rejection => 'J',
        Property::Truncation => 'T',
        // P is taken.
        Property::Poisoned => 'X',
        Property::Memory => 'M',
        Property::Progress => '!',
        // Never the verdict for a split.
        Property::EmptyChunk
        | Property::Linear
        | Property::Interrupted
        | Property::Cancelled
        | Property::Encode
        | Property::Written
        | Property::Differential => '?',
    }
}
