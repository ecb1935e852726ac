//! The bytes of a stream with its cuts and field edges, as text.

use core::fmt::{self, Write};
use core::ops::Range;

/// A stream laid out for reading: sixteen bytes per row. Before each byte stands a mark if there is a
/// cut (`|`), a field edge (`:`) or both (`#`). Rows far from any cut and from `offset` are left out
/// after the first four.
///
/// ```
/// use everysplit::Hexdump;
///
/// let dump = Hexdump { bytes: b"\x02ok", cuts: &[2], edges: &[0, 1], offset: 3 };
/// assert_eq!(
///     dump.to_string(),
///     "  000000 :02:6f|6b                                          .ok
///          | cut   : field edge   # both
/// "
/// );
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hexdump<'a> {
    /// The stream.
    pub bytes: &'a [u8],
    /// The offsets at which it is cut, increasing.
    pub cuts: &'a [usize],
    /// The offsets at which its fields begin and end.
    pub edges: &'a [usize],
    /// How many bytes had been fed.
    pub offset: usize,
}

/// A row of a [`Hexdump`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The bytes of this range, at most [`Hexdump::ROW`] of them.
    Bytes(Range<usize>),
    /// The bytes of this range are left out.
    Omitted(Range<usize>),
}

impl<'a> Hexdump<'a> {
    /// The number of bytes in a row.
    pub const ROW: usize = 16;
    /// The largest number of cuts that are shown.
    pub const CUTS: usize = 64;
    /// The number of rows that are always shown.
    const FIRST: usize = 4;

    /// Returns the rows, in order. Rows next to each other that are left out are one row.
    pub fn rows(self) -> impl Iterator<Item = Row> + 'a {
        let mut start = 0;
        core::iter::from_fn(move || {
            if start == self.bytes.len() {
                return None;
            }
            let row = start..self.row_end(start);
            start = row.end;
            if self.shows(&row) {
                return Some(Row::Bytes(row));
            }
            while start < self.bytes.len() && !self.shows(&(start..self.row_end(start))) {
                start = self.row_end(start);
            }
            Some(Row::Omitted(row.start..start))
        })
    }

    fn row_end(self, start: usize) -> usize {
        self.bytes.len().min(start + Self::ROW)
    }

    fn shows(self, row: &Range<usize>) -> bool {
        let around = row.start..=row.start + Self::ROW;
        let few = self.cuts.len() <= Self::CUTS;
        row.start < Self::FIRST * Self::ROW
            || few && self.cuts.iter().any(|cut| around.contains(cut))
            || around.contains(&self.offset)
    }

    fn mark(self, at: usize) -> char {
        match (
            self.cuts.binary_search(&at).is_ok(),
            self.edges.contains(&at),
        ) {
            (true, true) => '#',
            (true, false) => '|',
            (false, true) => ':',
            (false, false) => ' ',
        }
    }
}

impl fmt::Display for Hexdump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.rows() {
            let Row::Bytes(row) = row else {
                writeln!(f, "  ...")?;
                continue;
            };
            write!(f, "  {:06x} ", row.start)?;
            for at in row.clone() {
                write!(f, "{}{:02x}", self.mark(at), self.bytes[at])?;
            }
            let missing = 3 * (Self::ROW - row.len());
            write!(f, "{:missing$}   ", "")?;
            for &byte in &self.bytes[row] {
                let printable = byte == b' ' || byte.is_ascii_graphic();
                f.write_char(if printable { byte.into() } else { '.' })?;
            }
            writeln!(f)?;
        }
        match (self.cuts.is_empty(), self.edges.is_empty()) {
            (true, true) => Ok(()),
            (false, true) => writeln!(f, "         | cut"),
            (true, false) => writeln!(f, "         : field edge"),
            (false, false) => writeln!(f, "         | cut   : field edge   # both"),
        }
    }
}
