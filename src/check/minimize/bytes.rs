//! Passes that remove bytes of a violation's stream.

use alloc::vec::Vec;
use core::ops::Range;

use super::SHORT;
use super::cuts;
use super::search::Search;
use crate::split::Split;

/// The longest stream of which every range of bytes is removed, in bytes.
const RANGES: usize = 32;
/// The longest stream of which every two ranges of bytes are removed, and of which the rest is cut
/// in every way, in bytes.
const PAIRS: usize = 16;
/// In how many bytes after an edge a length is looked for, in a longer stream.
const HEADER: usize = 16;
/// How many edges after a length may be the end of the bytes that it counts.
const ENDS: usize = 4;
/// How many bytes a byte of a length may stand for: one of the last, the second or the third place.
const PLACES: [usize; 3] = [1, 1 << 8, 1 << 16];

/// Removes the bytes after the call that violates the property.
pub(super) fn rest(search: &mut Search<'_>) {
    remove(search, search.smallest.offset..search.stream().len());
}

/// Removes the bytes between edges.
pub(super) fn fields(search: &mut Search<'_>) {
    if search.stream().len() <= SHORT {
        all(search, marks);
    } else {
        windows(search, marks);
    }
}

/// Removes ranges of bytes.
pub(super) fn ranges(search: &mut Search<'_>) {
    if search.stream().len() <= RANGES {
        all(search, offsets);
    } else {
        windows(search, offsets);
    }
}

/// Removes bytes and decreases an earlier byte by their number: a length, without which the bytes
/// that it counts cannot go. They end at an edge or at the end of the stream.
pub(super) fn counted(search: &mut Search<'_>) {
    let len = search.stream().len();
    if len <= SHORT {
        for at in 0..len {
            while shorten(search, at) {}
        }
    } else {
        let marks = search.marks().into_iter();
        let _ = marks
            .flat_map(|mark| mark..mark + HEADER)
            .any(|at| shorten(search, at));
    }
}

/// Removes two ranges of bytes at once, of a very short stream.
pub(super) fn pairs(search: &mut Search<'_>) {
    let len = search.stream().len();
    if len > PAIRS {
        return;
    }
    for second in (0..len).flat_map(|from| (from + 1..=len).map(move |to| from..to)) {
        let before = second.start;
        for first in (0..before).flat_map(|from| (from + 1..before).map(move |to| from..to)) {
            let (stream, split) = without(search.stream(), search.split(), second.clone());
            let (stream, split) = without(&stream, &split, first);
            if search.try_case(&stream, &split) {
                return;
            }
        }
    }
}

/// Decreases the byte at an offset, and removes that many bytes after it. Returns whether it finds a
/// smaller violation.
fn shorten(search: &mut Search<'_>, at: usize) -> bool {
    let len = search.stream().len();
    let Some(&value) = search.stream().get(at) else {
        return false;
    };
    let after = search.edges.iter().copied().filter(|&edge| edge > at + 1);
    let ends: Vec<usize> = after.take(ENDS).chain([len]).collect();
    for place in PLACES {
        let room = u8::try_from((len - at - 1) / place).unwrap_or(u8::MAX);
        for less in halves(value.min(room)) {
            let count = usize::from(less) * place;
            for &end in ends.iter().filter(|&&end| end > at + count) {
                let mut stream = search.stream().to_vec();
                stream[at] -= less;
                if remove_from(search, &stream, end - count..end) {
                    return true;
                }
            }
        }
    }
    false
}

/// Returns a number, half of it, and so on down to 1.
fn halves(number: u8) -> impl Iterator<Item = u8> {
    let numbers = core::iter::successors(Some(number), |number| Some(number / 2));
    numbers.take_while(|&number| number > 0)
}

/// Removes ranges between any two points, the longest first, until that is a smaller violation.
fn all(search: &mut Search<'_>, points: fn(&Search<'_>) -> Vec<usize>) {
    let points = points(search);
    let pairs = points.iter().enumerate();
    let mut ranges: Vec<Range<usize>> = pairs
        .flat_map(|(index, &from)| points[index + 1..].iter().map(move |&to| from..to))
        .collect();
    ranges.sort_by_key(Range::len);
    let _ = ranges.into_iter().rev().any(|range| remove(search, range));
}

/// Removes ranges between points: half of the points at once first, single ones last.
fn windows(search: &mut Search<'_>, points: fn(&Search<'_>) -> Vec<usize>) {
    let mut now = points(search);
    let mut size = now.len() / 2;
    while size > 0 && !search.is_over() {
        let mut first = 0;
        while first + 1 < now.len() && !search.is_over() {
            let last = (first + size).min(now.len() - 1);
            if remove(search, now[first]..now[last]) {
                now = points(search);
            } else {
                first += size;
            }
        }
        size = (size / 2).min(now.len() / 2);
    }
}

/// Returns some of the edges, and the end of the stream.
fn marks(search: &Search<'_>) -> Vec<usize> {
    let mut marks = search.marks();
    marks.push(search.stream().len());
    marks
}

/// Returns every offset, and the end of the stream.
fn offsets(search: &Search<'_>) -> Vec<usize> {
    (0..=search.stream().len()).collect()
}

/// Removes a range of bytes. Returns whether that is a smaller violation.
fn remove(search: &mut Search<'_>, range: Range<usize>) -> bool {
    let stream = search.stream().to_vec();
    !range.is_empty() && remove_from(search, &stream, range)
}

/// Removes a range of bytes from a stream of the same length. The cuts in the range move to its
/// beginning or stay where they are, and so do those after it. A very short stream is cut in every
/// way. Returns whether one of the cases is a smaller violation.
fn remove_from(search: &mut Search<'_>, stream: &[u8], range: Range<usize>) -> bool {
    if search.is_over() {
        return false;
    }
    let (shorter, moved) = without(stream, search.split(), range.clone());
    let as_before = search.split().clone();
    let cuts = as_before.cuts().iter();
    let kept = Split::new(cuts.map(|&cut| match cut {
        cut if cut < range.end => cut,
        cut => cut - range.len(),
    }));
    let (len, count) = (shorter.len(), search.cuts());
    let few = len <= PAIRS && cuts::count(len, count) <= PAIRS;
    let every = few.then(|| cuts::exactly(len, count)).into_iter().flatten();
    let mut tried = Vec::new();
    for split in [moved, kept, as_before].into_iter().chain(every) {
        if tried.contains(&split) {
            continue;
        }
        if search.try_case(&shorter, &split) {
            return true;
        }
        tried.push(split);
    }
    false
}

/// Removes a range of bytes. The cuts after it move with their bytes, those in it to its beginning.
fn without(stream: &[u8], split: &Split, range: Range<usize>) -> (Vec<u8>, Split) {
    let mut shorter = stream.to_vec();
    let cuts = split.cuts().iter();
    let moved = cuts.map(|&cut| cut.min(range.start) + cut.saturating_sub(range.end));
    shorter.drain(range.clone());
    (shorter, Split::new(moved))
}
