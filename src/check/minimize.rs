//! Makes a violation small: the fewest cuts first, then cuts at field edges, then the shortest
//! stream. It knows the framer only by the violations of other cases.

use alloc::vec::Vec;

use crate::case::Case;
use crate::property::Property;
use crate::report::Violation;
use crate::split::Split;

/// The longest stream of which every split of two cuts is tried, in bytes.
const SHORT: usize = 128;
/// The largest number of edges between which bytes are removed.
const MARKS: usize = 64;
/// How many bytes the tried cases may have in total, if that is enough for `LEAST` of them.
const BYTES: usize = 64 * 1024 * 1024;
const LEAST: usize = 64;

/// Returns the smallest violation of the same property that is found. `violates` returns the
/// violation of a case, if there is one.
pub(crate) fn minimize(
    violation: Violation,
    violates: &dyn Fn(&Case) -> Option<Violation>,
) -> Violation {
    let len = violation.case.stream.len();
    let same = |case: &Case, property: Property| {
        violates(case).filter(|found| {
            // Without its cuts, a violation of the first is one of the second.
            let whole = matches!(
                (property, found.property),
                (
                    Property::EverySplit,
                    Property::RoundTrip | Property::Limit | Property::Rejection
                )
            );
            found.property == property || whole && case.stream.len() == len
        })
    };
    // A proof can find what only some of many empty chunks cause. One case with empty chunks
    // everywhere does not reproduce that, and the violation stays as it is.
    let Some(mut smallest) = same(&violation.case, violation.property) else {
        return violation;
    };
    let mut tries = (BYTES / violation.case.stream.len().max(1)).max(LEAST);
    if len > SHORT {
        // Trying every split with few cuts would take too long.
        let _ = violation.case.split.reduce(|split| {
            tries = tries.checked_sub(1).ok_or(())?;
            let case = Case {
                split: split.clone(),
                ..violation.case.clone()
            };
            let found = same(&case, smallest.property);
            let violates = found.is_some();
            smallest = found.unwrap_or_else(|| smallest.clone());
            Ok::<bool, ()>(violates)
        });
    }
    loop {
        let mut found = None;
        for case in smaller(&smallest.case, &smallest.edges).take(tries) {
            tries -= 1;
            found = same(&case, smallest.property);
            if found.is_some() {
                break;
            }
        }
        let Some(found) = found else {
            return smallest;
        };
        smallest = found;
    }
}

/// Makes a violation smaller without running the framer: a call that does not return stays as it
/// is without the bytes after it.
pub(crate) fn cut_off(mut violation: Violation) -> Violation {
    let Violation {
        property,
        offset,
        case,
        edges,
        ..
    } = &mut violation;
    if *property == Property::Progress {
        case.stream.truncate(*offset);
        let cuts = case.split.cuts().iter().copied();
        case.split = Split::new(cuts.filter(|cut| cut < offset));
        edges.retain(|edge| edge <= offset);
    }
    violation
}

/// Returns cases that are smaller than `case`, the clearest first.
fn smaller<'a>(case: &'a Case, edges: &'a [usize]) -> impl Iterator<Item = Case> + 'a {
    let fewer = fewer(case).chain(moved(case, edges));
    let fewer = fewer.map(|split| Case {
        split,
        ..case.clone()
    });
    fewer.chain(shorter(case, edges))
}

/// Returns splits with fewer cuts: every split of up to two (of a long stream, those with one of
/// the cuts), then those with one cut removed.
fn fewer(Case { stream, split, .. }: &Case) -> impl Iterator<Item = Split> {
    let (len, cuts) = (stream.len(), split.cuts());
    let most = cuts.len().checked_sub(1);
    let every = most.filter(|_| len <= SHORT);
    let every = every.map(|most| Split::up_to(len, most.min(2)));
    let few = most.filter(|_| len > SHORT).map(|most| {
        let single = cuts.iter().take(if most > 0 { cuts.len() } else { 0 });
        let single = single.map(|&cut| Split::new([cut]));
        [Split::whole()].into_iter().chain(single)
    });
    let without = (0..cuts.len()).map(|index| {
        let mut fewer = cuts.to_vec();
        fewer.remove(index);
        Split::new(fewer)
    });
    let few = few.into_iter().flatten();
    every.into_iter().flatten().chain(few).chain(without)
}

/// Returns splits with a cut that is at no edge moved to one.
fn moved<'a>(Case { split, .. }: &'a Case, edges: &'a [usize]) -> impl Iterator<Item = Split> + 'a {
    let cuts = split.cuts();
    let inside = cuts.iter().enumerate();
    let inside = inside.filter(|(_, cut)| !edges.contains(cut));
    inside.flat_map(move |(index, _)| {
        let free = edges.iter().filter(|edge| !cuts.contains(edge));
        free.map(move |&edge| {
            let mut moved = cuts.to_vec();
            moved[index] = edge;
            Split::new(moved)
        })
    })
}

/// Returns cases without the bytes between two edges, without one byte, or without the end: those
/// with the fewest bytes first.
fn shorter<'a>(
    Case {
        stream,
        split,
        interruption,
    }: &'a Case,
    edges: &'a [usize],
) -> impl Iterator<Item = Case> + 'a {
    let len = stream.len();
    let marks: Vec<usize> = edges
        .iter()
        .step_by(edges.len().div_ceil(MARKS).max(1))
        .copied()
        .collect();
    let ends: Vec<usize> = marks.iter().copied().chain([len]).collect();
    let between = ends
        .iter()
        .flat_map(|&to| marks.iter().map(move |&from| (from, to)));
    let single = (0..if len <= SHORT { len } else { 0 }).map(|from| (from, from + 1));
    let mut ranges: Vec<(usize, usize)> = between
        .chain(single)
        .filter(|(from, to)| from < to)
        .collect();
    ranges.sort_by_key(|(from, to)| from.abs_diff(*to));
    ranges.into_iter().rev().map(move |(from, to)| {
        let mut shorter = stream.clone();
        shorter.drain(from..to);
        let cuts = split.cuts().iter();
        let shifted = cuts.map(|&cut| cut.min(from) + cut.saturating_sub(to));
        let shifted = Split::new(shifted.filter(|&cut| cut < shorter.len()));
        Case::new(shorter, shifted).with(*interruption)
    })
}
