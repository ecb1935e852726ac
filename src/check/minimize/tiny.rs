//! A pass that tries every case of few bytes.

use alloc::vec;
use alloc::vec::Vec;

use super::search::Search;
use crate::split::Split;

/// The longest violation that this pass makes smaller, and the longest stream that it tries, in
/// bytes.
const TINY: usize = 8;
/// How many cases it tries.
const TRIES: usize = 4096;
/// The bytes that a stream is made of, in addition to those of the violation.
const LETTERS: [u8; 3] = [0, 1, 2];

/// Tries the streams of a few letters, the smallest first, each with every split that makes it
/// smaller than the violation.
pub(super) fn all(search: &mut Search<'_>) {
    if search.stream().len() > TINY {
        return;
    }
    let mut letters = [&LETTERS, search.stream()].concat();
    letters.sort_unstable();
    letters.dedup();
    let mut tries = 0;
    for stream in (0..=TINY).flat_map(|len| streams(&letters, len)) {
        let size = (stream.len(), &stream[..]);
        let is_smaller = size < (search.stream().len(), search.stream());
        let Some(most) = search.cuts().checked_sub(usize::from(!is_smaller)) else {
            return;
        };
        for split in Split::up_to(stream.len(), most) {
            tries += 1;
            if tries > TRIES || search.try_case(&stream, &split) {
                break;
            }
        }
        if tries > TRIES {
            return;
        }
    }
}

/// Returns every stream of this many letters, in lexicographic order.
fn streams(letters: &[u8], len: usize) -> impl Iterator<Item = Vec<u8>> {
    let next = |indices: &Vec<usize>| {
        let mut next = indices.clone();
        let last = letters.len() - 1;
        let place = next.iter().rposition(|&index| index < last)?;
        next[place] += 1;
        next[place + 1..].fill(0);
        Some(next)
    };
    let indices = core::iter::successors(Some(vec![0; len]), next);
    indices.map(|indices| indices.iter().map(|&index| letters[index]).collect())
}
