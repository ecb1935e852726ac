//! The split map as SVG.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use super::{Cell, Grid, Heading, SplitMap, verdict};
use crate::property::Property;

/// Returns the colour of a violation. The colours differ for colour-blind viewers too, and have
/// contrast on light and dark backgrounds.
const fn colour(property: Property) -> &'static str {
    match property {
        Property::RoundTrip => "#a8324a",
        Property::EverySplit => "#d9622b",
        Property::Prompt => "#dea52f",
        Property::Limit => "#3f7fc1",
        Property::Rejection => "#5f9e4a",
        Property::Truncation => "#b978b0",
        Property::Poisoned => "#7a5bb5",
        Property::Memory => "#4fa9a5",
        Property::Progress => "#8a5a2b",
        Property::EmptyChunk
        | Property::Linear
        | Property::Interrupted
        | Property::Cancelled
        | Property::Encode
        | Property::Written
        | Property::Differential => "#808080",
    }
}

/// The position of the triangle's corner from the left and the top, in pixels.
const CORNER: (usize, usize) = (64, 56);
/// The width and the height of the triangle, in pixels.
const SIDE: usize = 480;

/// A map as an SVG document.
pub(super) struct Svg<'a>(pub(super) &'a SplitMap);

impl fmt::Display for Svg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, top) = CORNER;
        let (width, height) = (left + SIDE + 24, top + SIDE + 56);
        let heading = Heading(self.0);
        let grid = self.0.grid(SIDE);
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="system-ui, sans-serif" font-size="13" role="img">
<title>{heading}</title>
<style>
.paper {{ fill: #ffffff }} .ink {{ fill: #24292f }} .held {{ fill: #d3e4da }} .edge {{ stroke: #24292f }}
@media (prefers-color-scheme: dark) {{
.paper {{ fill: #14181d }} .ink {{ fill: #d5dae0 }} .held {{ fill: #2b4136 }} .edge {{ stroke: #d5dae0 }}
}}
</style>
<rect class="paper" width="{width}" height="{height}" rx="8"/>
<text class="ink" x="{left}" y="32" font-size="15">{heading}</text>"#
        )?;
        cells(f, &grid)?;
        edges(f, &grid)?;
        legend(f, &grid)?;
        f.write_str("</svg>\n")
    }
}

/// Writes the triangle: a path for all splits, and over it one for each verdict other than held.
fn cells(f: &mut fmt::Formatter<'_>, grid: &Grid<'_>) -> fmt::Result {
    let (left, top) = CORNER;
    let size = grid.size;
    if size == 0 {
        return Ok(());
    }
    writeln!(
        f,
        r#"<svg x="{left}" y="{top}" width="{SIDE}" height="{SIDE}" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">"#
    )?;
    write!(f, r#"<path class="held" d="M0 0"#)?;
    (0..size).try_for_each(|_| f.write_str("h1v1"))?;
    writeln!(f, r#"H0z"><title>held</title></path>"#)?;
    let runs = runs(grid);
    let violated = Property::ALL.map(Cell::Violated);
    for cell in [Cell::Untried].into_iter().chain(violated) {
        let mut of_it = runs.iter().filter(|run| run.cell == cell).peekable();
        if of_it.peek().is_none() {
            continue;
        }
        match cell {
            Cell::Violated(property) => write!(f, r#"<path fill="{}" d=""#, colour(property))?,
            Cell::Untried | Cell::Held => write!(f, r#"<path class="paper" d=""#)?,
        }
        for Run {
            row, column, count, ..
        } in of_it
        {
            write!(f, "M{column} {row}h{count}v1h-{count}z")?;
        }
        let name = verdict(cell);
        write!(f, r#""><title>{name}"#)?;
        if let Cell::Violated(property) = cell {
            write!(f, ": {}", property.sentence())?;
        }
        writeln!(f, "</title></path>")?;
    }
    writeln!(f, "</svg>")
}

/// Neighbouring cells of a row with the same verdict, other than held.
struct Run {
    cell: Cell,
    row: usize,
    column: usize,
    count: usize,
}

fn runs(grid: &Grid<'_>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for row in 0..grid.size {
        for column in 0..=row {
            let cell = grid.worst(column, row);
            if cell == Cell::Held {
                continue;
            }
            match runs.last_mut() {
                Some(run) if (run.cell, run.row, run.column + run.count) == (cell, row, column) => {
                    run.count += 1;
                }
                _ => runs.push(Run {
                    cell,
                    row,
                    column,
                    count: 1,
                }),
            }
        }
    }
    runs
}

/// Writes the field edges: lines through the triangle, with their offsets on both axes where there is
/// room.
fn edges(f: &mut fmt::Formatter<'_>, grid: &Grid<'_>) -> fmt::Result {
    let (left, top) = CORNER;
    let bottom = top + SIDE;
    // The middle of the cut's cell.
    let at = |edge: usize| (2 * edge - 1) * SIDE / (2 * grid.size * grid.per);
    // If cells are as thin as lines, they must show through.
    let opacity = if grid.per == 1 { ".4" } else { ".2" };
    write!(
        f,
        r#"<path class="edge" stroke-opacity="{opacity}" fill="none" transform="translate(.5 .5)" d=""#
    )?;
    for &edge in &grid.map.edges {
        let (x, y) = (left + at(edge), top + at(edge));
        write!(f, "M{} {y}H{x}V{}", left - 6, bottom + 6)?;
    }
    writeln!(f, r#""/>"#)?;
    let (mut row, mut column) = (None, None);
    writeln!(f, r#"<g class="ink" font-size="12">"#)?;
    for &edge in &grid.map.edges {
        let at = at(edge);
        if row.is_none_or(|end| end <= at) {
            row = Some(at + 13);
            let (x, y) = (left - 10, top + at + 4);
            writeln!(
                f,
                r#"<text x="{x}" y="{y}" text-anchor="end">{edge}</text>"#
            )?;
        }
        let half = 4 * edge.to_string().len();
        if column.is_none_or(|end| end + half <= at) {
            column = Some(at + half + 4);
            let (x, y) = (left + at, bottom + 20);
            writeln!(
                f,
                r#"<text x="{x}" y="{y}" text-anchor="middle">{edge}</text>"#
            )?;
        }
    }
    let middle = (left + SIDE / 2, top + SIDE / 2);
    writeln!(
        f,
        r#"</g>
<text class="ink" x="{}" y="{}" text-anchor="middle">first cut</text>
<text class="ink" transform="translate(20 {}) rotate(-90)" text-anchor="middle">second cut</text>"#,
        middle.0,
        bottom + 42,
        middle.1,
    )
}

/// Writes the legend, in the corner beside the triangle.
fn legend(f: &mut fmt::Formatter<'_>, grid: &Grid<'_>) -> fmt::Result {
    let x = CORNER.0 + SIDE / 2 + 24;
    let mut y = CORNER.1 + 20;
    let map = grid.map;
    let (held, untried) = (map.count(Cell::Held), map.count(Cell::Untried));
    writeln!(
        f,
        r#"<rect class="held" x="{x}" y="{}" width="12" height="12"/><text class="ink" x="{}" y="{y}">held: {held}</text>"#,
        y - 11,
        x + 20,
    )?;
    if untried > 0 {
        y += 22;
        writeln!(
            f,
            r#"<rect class="paper edge" x="{x}.5" y="{}.5" width="11" height="11"/><text class="ink" x="{}" y="{y}">untried: {untried}</text>"#,
            y - 11,
            x + 20,
        )?;
    }
    for (property, count) in map.violated() {
        y += 22;
        let (colour, name) = (colour(property), property.name());
        writeln!(
            f,
            r#"<rect fill="{colour}" x="{x}" y="{}" width="12" height="12"/><text class="ink" x="{}" y="{y}">{name}: {count}</text>"#,
            y - 11,
            x + 20,
        )?;
    }
    y += 30;
    let (whole, bytes) = (verdict(map.whole), verdict(map.bytes));
    writeln!(
        f,
        r#"<text class="ink" x="{x}" y="{y}">whole: {whole}</text>"#
    )?;
    y += 20;
    writeln!(
        f,
        r#"<text class="ink" x="{x}" y="{y}">byte by byte: {bytes}</text>"#
    )?;
    if !map.edges.is_empty() {
        y += 20;
        writeln!(
            f,
            r#"<text class="ink" x="{x}" y="{y}">lines: field edges</text>"#
        )?;
    }
    if grid.per > 1 {
        y += 20;
        let per = grid.per;
        writeln!(
            f,
            r#"<text class="ink" x="{x}" y="{y}">a cell: {per} by {per} cuts, the worst</text>"#
        )?;
    }
    Ok(())
}
