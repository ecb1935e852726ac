//! Passes over the cuts of a violation.

use super::SHORT;
use super::search::Search;
use crate::split::Split;

/// The largest number of splits with the same number of cuts of which all are tried.
const SPLITS: usize = 256;

/// Tries splits with fewer cuts: of a short stream every split of up to two; of a long one halves of
/// the cuts, then single ones.
pub(super) fn fewer(search: &mut Search<'_>) {
    let len = search.stream().len();
    let Some(most) = search.cuts().checked_sub(1) else {
        return;
    };
    if search.try_split(&Split::whole()) {
        return;
    }
    if len <= SHORT {
        let mut few = Split::up_to(len, most.min(2));
        if few.any(|split| search.try_split(&split)) {
            return;
        }
    } else if most > 0 {
        let cuts = search.split().cuts().to_vec();
        // Trying all of many cuts would take too long.
        let mut few = cuts.iter().take(SHORT);
        if few.any(|&cut| search.try_split(&Split::new([cut]))) {
            return;
        }
    }
    let _ = search.split().clone().reduce(|split| {
        if search.is_over() {
            return Err(());
        }
        Ok(search.try_split(split))
    });
}

/// Tries splits with as many cuts: each of a few cuts at an edge, and near the beginning at each
/// offset before its own. If there are few such splits, tries all of them.
pub(super) fn moved(search: &mut Search<'_>) {
    let len = search.stream().len();
    if search.cuts() > SHORT {
        return;
    }
    for index in 0..search.cuts() {
        let earlier = 1..search.split().cuts()[index].min(SHORT);
        for to in search.marks().into_iter().chain(earlier) {
            let mut cuts = search.split().cuts().to_vec();
            cuts[index] = to;
            let split = Split::new(cuts);
            // Splits with fewer cuts were tried.
            if split.cuts().len() == search.cuts() {
                search.try_split(&split);
            }
        }
    }
    if count(len, search.cuts()) <= SPLITS {
        for split in exactly(len, search.cuts()) {
            search.try_split(&split);
        }
    }
}

/// Returns every split of a stream with this number of cuts.
pub(super) fn exactly(len: usize, cuts: usize) -> impl Iterator<Item = Split> {
    let first = (cuts < len.max(1)).then(|| Split::new(1..=cuts));
    core::iter::successors(first, move |split| split.successor(len, cuts))
}

/// Returns the number of splits of a stream with this number of cuts, or a larger number than
/// `SPLITS`.
pub(super) fn count(len: usize, cuts: usize) -> usize {
    let places = len.saturating_sub(1);
    let mut count = 1;
    for chosen in 0..cuts {
        count = count * places.saturating_sub(chosen) / (chosen + 1);
        if count > SPLITS {
            break;
        }
    }
    count
}
