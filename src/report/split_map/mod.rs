//! Draws where in a stream a cut breaks a subject: a verdict for every split of
//! one or two cuts, as text and as SVG. It proves nothing of splits of more.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::property::Property;
use crate::split::Split;

/// What became of every split of a stream with one or two cuts, of the whole
/// stream, and of the stream byte by byte.
///
/// `Display` draws a triangle for a terminal, at most 100 columns wide: a split
/// is a character, its column the first cut, its row the second, and those of
/// one cut are on the diagonal. Lines mark the field edges, so that it shows in
/// which field a cut breaks what. Of a stream of more than 46 bytes, a character
/// covers several cuts and shows the worst of their splits: a violation rather
/// than none, and of several that which is first in [`Property::ALL`].
///
/// ```
/// use everysplit::check::SplitMap;
/// use everysplit::reference::{Config, Framer, naive};
///
/// let (config, stream) = (Config::default(), &[0; 12]);
/// let expected = naive::parse(config, stream);
/// let edges = naive::edges(config, stream);
/// let map = SplitMap::new(|| Framer::new(config), stream, &expected, &edges);
/// assert_eq!(
///     map.to_string(),
///     "\
/// 12 bytes, 66 splits: one cut on the diagonal, two below it
///
///   │ ·
///   │ · ·
///   │ · · ·
/// 4 ┤ ──────┼
///   │ · · · │ ·
///   │ · · · │ · ·
///   │ · · · │ · · ·
/// 8 ┤ ──────┼───────┼
///   │ · · · │ · · · │ ·
///   │ · · · │ · · · │ · ·
///   │ · · · │ · · · │ · · ·
///   └───────┬───────┬──────
///           4       8
///
/// ·  held  66
/// whole: held, byte by byte: held"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMap {
    /// The length of the stream, in bytes.
    len: usize,
    whole: Cell,
    bytes: Cell,
    /// Those of second cut 1, then those of second cut 2, and so on, each in the
    /// order of the first cut.
    cells: Vec<Cell>,
    /// Strictly increasing, each of them a cut.
    edges: Vec<usize>,
}

/// What became of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It was not tried.
    Untried,
    /// Every property held.
    Held,
    /// This one did not.
    Violated(Property),
}

impl SplitMap {
    /// Draws what is known already of a stream of `len` bytes: `verdict` tells it of each
    /// split of up to two cuts, and of that byte by byte.
    ///
    /// ```
    /// use everysplit::check::{Cell, Property, SplitMap};
    ///
    /// // Every split of one cut was tried.
    /// let map = SplitMap::of(5, &[], |split| match split.cuts() {
    ///     [3] => Cell::Violated(Property::EverySplit),
    ///     [] | [_] => Cell::Held,
    ///     _ => Cell::Untried,
    /// });
    /// assert_eq!(map.two_cuts(3, 3), Cell::Violated(Property::EverySplit));
    /// assert_eq!(map.two_cuts(1, 3), Cell::Untried);
    /// ```
    pub fn of(len: usize, edges: &[usize], mut verdict: impl FnMut(&Split) -> Cell) -> Self {
        let cuts = (1..len).flat_map(|second| (1..=second).map(move |first| [first, second]));
        Self {
            len,
            whole: verdict(&Split::whole()),
            bytes: verdict(&Split::bytes(len)),
            cells: cuts.map(|cuts| verdict(&Split::new(cuts))).collect(),
            // A split keeps what is a cut, in order.
            edges: Split::new(edges.iter().copied().filter(|&edge| edge < len))
                .cuts()
                .to_vec(),
        }
    }

    /// Returns what became of the whole stream in one chunk.
    #[must_use]
    pub fn whole(&self) -> Cell {
        self.whole
    }

    /// Returns what became of the stream byte by byte.
    #[must_use]
    pub fn bytes(&self) -> Cell {
        self.bytes
    }

    /// Returns what became of the split with these cuts. Where both are the same, it is the
    /// split of one cut.
    ///
    /// # Panics
    ///
    /// Unless `1 <= first <= second < n`, where n is the length of the stream.
    #[must_use]
    pub fn two_cuts(&self, first: usize, second: usize) -> Cell {
        let ordered = 1 <= first && first <= second && second < self.len;
        assert!(ordered, "no two cuts: {first},{second} of {}", self.len);
        self.cells[second * (second - 1) / 2 + first - 1]
    }

    /// Draws the triangle as SVG, a document that needs no other and no script,
    /// for light viewers and dark ones. Of a stream of more than 481 bytes, a
    /// cell covers several cuts, as a character of the text does.
    ///
    /// ```
    /// use everysplit::check::SplitMap;
    /// use everysplit::reference::{Config, Framer, naive};
    ///
    /// let (config, stream) = (Config::default(), &[0; 24]);
    /// let expected = naive::parse(config, stream);
    /// let edges = naive::edges(config, stream);
    /// let map = SplitMap::new(|| Framer::new(config), stream, &expected, &edges);
    /// std::fs::write(std::env::temp_dir().join("split-map.svg"), map.to_svg())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        Svg(self).to_string()
    }

    /// Lays the cuts out in at most `most` groups.
    fn grid(&self, most: usize) -> Grid<'_> {
        let cuts = self.len.saturating_sub(1);
        let per = cuts.div_ceil(most).max(1);
        Grid {
            map: self,
            per,
            size: cuts.div_ceil(per),
        }
    }

    /// Returns the properties that some split in the triangle violates, the
    /// worst first, each with the number of those splits.
    fn violated(&self) -> impl Iterator<Item = (Property, usize)> {
        Property::ALL.into_iter().filter_map(|property| {
            let count = self.count(Cell::Violated(property));
            (count > 0).then_some((property, count))
        })
    }

    fn count(&self, verdict: Cell) -> usize {
        self.cells.iter().filter(|&&cell| cell == verdict).count()
    }
}

/// The triangle, with the cuts in groups. Group g is the cuts from
/// `g * per + 1` to `(g + 1) * per`.
struct Grid<'a> {
    map: &'a SplitMap,
    /// How many cuts a group has; the last may have fewer.
    per: usize,
    /// How many groups there are.
    size: usize,
}

impl Grid<'_> {
    /// Returns the cuts of a group.
    fn cuts(&self, group: usize) -> core::ops::Range<usize> {
        group * self.per + 1..((group + 1) * self.per + 1).min(self.map.len)
    }

    /// Returns the worst verdict in a cell, with `column <= row`. One that is not known is
    /// worse than none that is violated.
    fn worst(&self, column: usize, row: usize) -> Cell {
        let splits = self.cuts(row).flat_map(|second| {
            let firsts = self.cuts(column).take_while(move |&first| first <= second);
            firsts.map(move |first| self.map.two_cuts(first, second))
        });
        let worst = splits.min_by_key(|cell| match *cell {
            Cell::Violated(property) => (0, property as usize),
            Cell::Untried => (1, 0),
            Cell::Held => (2, 0),
        });
        worst.unwrap_or(Cell::Untried)
    }

    /// Returns the first field edge in a group.
    fn edge(&self, group: usize) -> Option<usize> {
        let cuts = self.cuts(group);
        let edges = &self.map.edges;
        let next = edges.get(edges.partition_point(|&edge| edge < cuts.start));
        next.copied().filter(|edge| cuts.contains(edge))
    }
}

impl fmt::Display for SplitMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Heading(self))?;
        // Two columns a cell make it about as wide as it is high.
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
                // The number begins below its tick, if the last one lets it.
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

/// The first line of both pictures.
struct Heading<'a>(&'a SplitMap);

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, splits) = (self.0.len, self.0.cells.len());
        write!(
            f,
            "{bytes} bytes, {splits} splits: one cut on the diagonal, two below it"
        )
    }
}

const fn verdict(cell: Cell) -> &'static str {
    match cell {
        Cell::Untried => "untried",
        Cell::Held => "held",
        Cell::Violated(property) => property.name(),
    }
}

/// Returns what stands for a violation in a terminal.
const fn letter(property: Property) -> char {
    match property {
        Property::RoundTrip => 'R',
        Property::EverySplit => 'E',
        Property::Prompt => 'P',
        Property::Limit => 'L',
        Property::Truncation => 'T',
        // Its initial is taken.
        Property::Poisoned => 'X',
        Property::Memory => 'M',
        Property::Progress => '!',
        // No split is checked for these.
        Property::EmptyChunk
        | Property::Linear
        | Property::Interrupted
        | Property::Cancelled
        | Property::Encode
        | Property::Differential => '?',
    }
}

/// Returns the colour of a violation. They are apart for the colour-blind too,
/// and stand out on light and on dark.
const fn colour(property: Property) -> &'static str {
    match property {
        Property::RoundTrip => "#a8324a",
        Property::EverySplit => "#d9622b",
        Property::Prompt => "#dea52f",
        Property::Limit => "#3f7fc1",
        Property::Truncation => "#b978b0",
        Property::Poisoned => "#7a5bb5",
        Property::Memory => "#4fa9a5",
        Property::Progress => "#8a5a2b",
        Property::EmptyChunk
        | Property::Linear
        | Property::Interrupted
        | Property::Cancelled
        | Property::Encode
        | Property::Differential => "#808080",
    }
}

/// Left, top: where the triangle's corner is, in pixels of a picture at its own
/// size.
const CORNER: (usize, usize) = (64, 56);
/// How wide and how high the triangle is.
const SIDE: usize = 480;

/// A map as an SVG document.
struct Svg<'a>(&'a SplitMap);

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

/// Writes the triangle: a path for what holds, and one for each property.
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
    // All of it, and what did not hold over it.
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

/// Cells beside each other with the same verdict, that did not hold.
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

/// Writes the field edges: lines through the triangle, with their offsets on both
/// axes as far as there is room.
fn edges(f: &mut fmt::Formatter<'_>, grid: &Grid<'_>) -> fmt::Result {
    let (left, top) = CORNER;
    let bottom = top + SIDE;
    // The middle of the cut, in all that the groups have room for.
    let at = |edge: usize| (2 * edge - 1) * SIDE / (2 * grid.size * grid.per);
    // Where cells are as thin as lines, they must show through.
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

/// Writes the legend, in the corner that the triangle leaves free.
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
