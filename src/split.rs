//! Splits: the ways to cut a stream into chunks.

use alloc::vec::Vec;
use core::fmt;
use core::iter;
use core::num::ParseIntError;
use core::str::FromStr;

/// A set of cuts. A cut is an offset in a stream: the boundary between two chunks, before the byte at
/// that offset.
///
/// A split does not belong to a stream. Cuts at or after the end of the stream that it is applied to
/// have no effect.
///
/// Its text form is the cuts in order, such as `3,12,17`, or `whole` if there are none.
///
/// ```
/// use everysplit::Split;
///
/// let split: Split = "3,4".parse()?;
/// let chunks: Vec<&[u8]> = split.chunks(b"abcdef").collect();
/// assert_eq!(chunks, [&b"abc"[..], b"d", b"ef"]);
/// # Ok::<(), everysplit::ParseSplitError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Split {
    /// Strictly increasing, without 0.
    cuts: Vec<usize>,
}

impl Split {
    /// Makes a split of the given cuts, in any order. 0 and duplicates are ignored.
    #[must_use]
    pub fn new(cuts: impl IntoIterator<Item = usize>) -> Self {
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut != 0).collect();
        cuts.sort_unstable();
        cuts.dedup();
        Self { cuts }
    }

    /// Makes the split without cuts: the whole stream is one chunk.
    #[must_use]
    pub const fn whole() -> Self {
        Self { cuts: Vec::new() }
    }

    /// Makes the split of a stream of `len` bytes with every cut: each byte is a chunk.
    #[must_use]
    pub fn bytes(len: usize) -> Self {
        Self {
            cuts: (1..len).collect(),
        }
    }

    /// Returns every split of a stream of `len` bytes, fewest cuts first: 2^(len-1) splits, and one of
    /// the empty stream.
    pub fn all(len: usize) -> impl Iterator<Item = Self> {
        Self::up_to(len, len)
    }

    /// Returns every split of a stream of `len` bytes with up to `most` cuts: fewest cuts first, splits
    /// with the same number of cuts in lexicographic order.
    pub fn up_to(len: usize, most: usize) -> impl Iterator<Item = Self> {
        iter::successors(Some(Self::whole()), move |split| split.successor(len, most))
    }

    /// Makes a random split of a stream of `len` bytes: up to eight cuts, with chunks of a few bytes
    /// and of many. If there are `edges` (the offsets at which the stream's fields begin and end), half
    /// of the cuts are moved to within one byte of an edge. The same arguments make the same split.
    #[must_use]
    pub fn sample(len: usize, edges: &[usize], seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut cuts = Vec::new();
        let mut cut = 0;
        while cuts.len() < 8 {
            // All orders of magnitude are equally likely.
            let scale = rng.u32(..=len.checked_ilog2().map_or(0, |log| log + 1));
            let longest = 1_usize.checked_shl(scale).unwrap_or(usize::MAX);
            cut = rng.usize(1..=longest).saturating_add(cut);
            if cut >= len {
                break;
            }
            cuts.push(cut);
        }
        if !edges.is_empty() {
            for cut in &mut cuts {
                if rng.bool() {
                    let edge = edges[rng.usize(..edges.len())];
                    *cut = edge.saturating_add(rng.usize(..3)).saturating_sub(1);
                }
            }
        }
        Self::new(cuts.into_iter().filter(|&cut| cut < len))
    }

    /// Returns the cuts, strictly increasing, without 0.
    #[must_use]
    pub fn cuts(&self) -> &[usize] {
        &self.cuts
    }

    /// Cuts `stream` into chunks, none of them empty. An empty stream has no chunks.
    pub fn chunks<'a>(&'a self, stream: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let inside = self.cuts.partition_point(|&cut| cut < stream.len());
        let ends = self.cuts[..inside].iter().copied();
        let last = (!stream.is_empty()).then_some(stream.len());
        ends.chain(last).scan(0, |start, end| {
            let chunk = &stream[*start..end];
            *start = end;
            Some(chunk)
        })
    }

    /// Removes cuts for as long as `keep` accepts the rest: half of them at once first, single ones
    /// last. What is left cannot lose any one cut.
    ///
    /// ```
    /// use everysplit::Split;
    ///
    /// // Cuts at 3 and 40 together break something.
    /// let breaks = |split: &Split| Ok::<_, ()>([3, 40].iter().all(|cut| split.cuts().contains(cut)));
    /// assert_eq!(Split::bytes(100).reduce(breaks)?, Split::new([3, 40]));
    /// # Ok::<(), ()>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the first error of `keep`.
    pub fn reduce<E>(&self, mut keep: impl FnMut(&Self) -> Result<bool, E>) -> Result<Self, E> {
        let mut reduced = self.clone();
        let mut count = self.cuts.len().div_ceil(2);
        while count > 0 {
            let mut from = 0;
            let before = reduced.cuts.len();
            while from < reduced.cuts.len() {
                let mut split = reduced.clone();
                split
                    .cuts
                    .drain(from..(from + count).min(reduced.cuts.len()));
                if keep(&split)? {
                    reduced = split;
                } else {
                    from += count;
                }
            }
            // Single cuts are tried until none of them can go.
            if count > 1 || reduced.cuts.len() == before {
                count /= 2;
            }
        }
        Ok(reduced)
    }

    /// Returns the next split in the order of [`up_to`](Self::up_to).
    pub(crate) fn successor(&self, len: usize, most: usize) -> Option<Self> {
        let count = self.cuts.len();
        // The last cut with room after it moves by one, and the cuts after it follow it
        // immediately.
        let movable = (0..count).rev().find(|&i| self.cuts[i] < len - (count - i));
        if let Some(i) = movable {
            let follow = self.cuts[i] + 1..=self.cuts[i] + count - i;
            let cuts = self.cuts[..i].iter().copied().chain(follow).collect();
            return Some(Self { cuts });
        }
        let more = count + 1;
        (more <= most && more < len).then(|| Self {
            cuts: (1..=more).collect(),
        })
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.cuts.split_first() else {
            return f.write_str("whole");
        };
        write!(f, "{first}")?;
        others.iter().try_for_each(|cut| write!(f, ",{cut}"))
    }
}

impl FromStr for Split {
    type Err = ParseSplitError;

    fn from_str(text: &str) -> Result<Self, ParseSplitError> {
        if text == "whole" {
            return Ok(Self::whole());
        }
        let mut cuts = Vec::new();
        let mut last = 0;
        for (index, word) in text.split(',').enumerate() {
            let reason = match word.parse() {
                Ok(cut) if cut > last => {
                    cuts.push(cut);
                    last = cut;
                    continue;
                }
                Ok(_) => Reason::NotAfter(last),
                Err(error) => Reason::NotAnOffset(error),
            };
            return Err(ParseSplitError { index, reason });
        }
        Ok(Self { cuts })
    }
}

/// Why a text is not a [`Split`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSplitError {
    /// The index of the cut, from 0.
    index: usize,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    NotAnOffset(ParseIntError),
    NotAfter(usize),
}

impl fmt::Display for ParseSplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {}: ", self.index + 1)?;
        match &self.reason {
            Reason::NotAnOffset(error) => write!(f, "{error}")?,
            Reason::NotAfter(last) => write!(f, "not after offset {last}")?,
        }
        f.write_str("; write increasing offsets such as 3,12,17 or the word whole")
    }
}

impl core::error::Error for ParseSplitError {}
