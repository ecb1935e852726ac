//! Pictures of where in a stream a cut breaks a framer: a verdict for every split of one or two cuts,
//! as text and as SVG.

mod svg;
mod text;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::property::Property;
use crate::split::Split;

/// The verdict for every split of a stream with up to two cuts, and for the stream byte by byte. Made
/// by [`SplitHarness::split_map`](crate::SplitHarness::split_map).
///
/// `Display` draws a triangle for a terminal, at most 100 columns wide. Each character is a split: its
/// column is the first cut, its row the second, and splits of one cut are on the diagonal. Lines mark
/// the field edges, so that it shows in which field a cut breaks the framer. For a stream of more than
/// 46 bytes a character covers several cuts and shows the worst of their splits: a violation before
/// none, and the violation that is first in [`Property::ALL`].
///
/// ```
/// use everysplit::Harness;
/// use everysplit::reference::{Config, Framer, naive};
///
/// let config = Config::default();
/// let harness = Harness::framer(move || Framer::new(config))
///     .edges(move |stream| naive::edges(config, stream));
/// assert_eq!(
///     harness.split_map(&[0; 12]).to_string(),
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
    /// The splits with second cut 1, then those with second cut 2, and so on, each ordered by the
    /// first cut.
    cells: Vec<Cell>,
    /// The field edges inside the stream, strictly increasing.
    edges: Vec<usize>,
}

/// The verdict for a split.
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
    /// Makes a map of a stream of `len` bytes: `verdict` is called for each split of up to two cuts, and
    /// for the split byte by byte. `edges` are the offsets to mark, in any order.
    ///
    /// ```
    /// use everysplit::{Cell, Property, SplitMap};
    ///
    /// // Only the splits of one cut were tried.
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
            // A split sorts the offsets and removes duplicates.
            edges: Split::new(edges.iter().copied().filter(|&edge| edge < len))
                .cuts()
                .to_vec(),
        }
    }

    /// Returns the verdict for the whole stream in one chunk.
    #[must_use]
    pub fn whole(&self) -> Cell {
        self.whole
    }

    /// Returns the verdict for the stream byte by byte.
    #[must_use]
    pub fn bytes(&self) -> Cell {
        self.bytes
    }

    /// Returns the verdict for the split with these cuts; if both are equal, with this one cut.
    ///
    /// # Panics
    ///
    /// Panics unless `1 <= first <= second < n`, where n is the length of the stream.
    #[must_use]
    pub fn two_cuts(&self, first: usize, second: usize) -> Cell {
        let ordered = 1 <= first && first <= second && second < self.len;
        assert!(ordered, "no two cuts: {first},{second} of {}", self.len);
        self.cells[second * (second - 1) / 2 + first - 1]
    }

    /// Draws the triangle as a self-contained SVG document without scripts, for light and dark
    /// viewers. For a stream of more than 481 bytes a cell covers several cuts, as a character of the
    /// text does.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use everysplit::reference::{Config, Framer};
    ///
    /// let map = Harness::framer(|| Framer::new(Config::default())).split_map(&[0; 24]);
    /// std::fs::write(std::env::temp_dir().join("split-map.svg"), map.to_svg())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::Svg(self).to_string()
    }

    /// Puts the cuts into at most `most` groups.
    fn grid(&self, most: usize) -> Grid<'_> {
        let cuts = self.len.saturating_sub(1);
        let per = cuts.div_ceil(most).max(1);
        Grid {
            map: self,
            per,
            size: cuts.div_ceil(per),
        }
    }

    /// Returns the properties that splits in the triangle violate, each with the number of splits.
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

/// The triangle with the cuts in groups. Group g holds the cuts from `g * per + 1` to
/// `(g + 1) * per`.
struct Grid<'a> {
    map: &'a SplitMap,
    /// The number of cuts in a group; the last may have fewer.
    per: usize,
    /// The number of groups.
    size: usize,
}

impl Grid<'_> {
    /// Returns the cuts of a group.
    fn cuts(&self, group: usize) -> core::ops::Range<usize> {
        group * self.per + 1..((group + 1) * self.per + 1).min(self.map.len)
    }

    /// Returns the worst verdict in a cell, with `column <= row`: violated before untried before
    /// held.
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

/// The first line of the text and the title of the SVG.
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
