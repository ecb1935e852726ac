//! Makes a violation as small as it gets: the fewest cuts first, then cuts at
//! field edges, then the shortest stream. It knows the subject only by what
//! becomes of a case.

use alloc::vec::Vec;

use super::{Property, Violation};
use crate::case::Received;
use crate::split::Split;

/// The longest stream of which every split of two cuts is tried.
const SHORT: usize = 128;

/// Returns the smallest violation of the same property that is found: `violates`
/// tells the violation of a case, `edges` the field edges of a stream.
pub(super) fn minimize(
    violation: Violation,
    violates: impl Fn(&Received) -> Option<Violation>,
    edges: impl Fn(&[u8]) -> Vec<usize>,
) -> Violation {
    let property = violation.property;
    let same = |case: &Received| {
        // Without a cut the first is told as the second.
        let whole = (Property::EverySplit, Property::RoundTrip);
        violates(case)
            .filter(|found| found.property == property || (property, found.property) == whole)
    };
    // A proof can find what only some empty chunks bring about: that cannot be
    // made again from the cuts alone, and stays as it is.
    let Some(mut smallest) = same(&violation.case) else {
        return violation;
    };
    loop {
        let mut smaller = smaller(&smallest.case, &edges(&smallest.case.stream)).into_iter();
        let Some(found) = smaller.find_map(|case| same(&case)) else {
            return smallest;
        };
        smallest = found;
    }
}

/// Makes a violation smaller without trying: a call that does not return is made
/// without the bytes behind it.
pub(super) fn cut_off(mut violation: Violation) -> Violation {
    let Violation {
        property,
        offset,
        case,
        ..
    } = &mut violation;
    if *property == Property::Progress {
        case.stream.truncate(*offset);
        let cuts = case.split.cuts().iter().copied();
        case.split = Split::new(cuts.filter(|cut| cut < offset));
    }
    violation
}

/// Returns cases that are smaller than `case`, those that say most first.
fn smaller(case: &Received, edges: &[usize]) -> Vec<Received> {
    let Received { stream, split } = case;
    let (len, cuts) = (stream.len(), split.cuts());
    let mut smaller = Vec::new();
    let with_split = |split| Received {
        stream: stream.clone(),
        split,
    };

    // Fewer cuts: all splits of few, then one less than there are.
    let few = if len <= SHORT { 2 } else { 1 };
    if let Some(most) = cuts.len().checked_sub(1) {
        let splits = Split::up_to(len, most.min(few));
        smaller.extend(splits.map(with_split));
        for index in 0..cuts.len() {
            let mut fewer = cuts.to_vec();
            fewer.remove(index);
            smaller.push(with_split(Split::new(fewer)));
        }
    }

    // Cuts that are at no edge, moved to one.
    for (index, cut) in cuts.iter().enumerate() {
        if !edges.contains(cut) {
            for &edge in edges.iter().filter(|edge| !cuts.contains(edge)) {
                let mut moved = cuts.to_vec();
                moved[index] = edge;
                smaller.push(with_split(Split::new(moved)));
            }
        }
    }

    // Bytes between two edges, or any one byte, taken out; the end cut off.
    let ends: Vec<usize> = edges.iter().copied().chain([len]).collect();
    let between = ends
        .iter()
        .flat_map(|&to| edges.iter().map(move |&from| (from, to)));
    let single = (0..if len <= SHORT { len } else { 0 }).map(|from| (from, from + 1));
    let mut ranges: Vec<(usize, usize)> = between
        .chain(single)
        .filter(|(from, to)| from < to)
        .collect();
    ranges.sort_by_key(|(from, to)| from.abs_diff(*to));
    for (from, to) in ranges.into_iter().rev() {
        let mut shorter = stream.clone();
        shorter.drain(from..to);
        let shifted = cuts
            .iter()
            .map(|&cut| cut.min(from) + cut.saturating_sub(to));
        let shifted = Split::new(shifted.filter(|&cut| cut < shorter.len()));
        smaller.push(Received {
            stream: shorter,
            split: shifted,
        });
    }
    smaller
}
