//! Streams with one change each: what an encoder never writes, and a network or an attacker may.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The longest stream that is mutated, in bytes.
const LONGEST: usize = 128;

/// Returns the mutations of `samples`, or of the short ones of `streams` if there are none, that are
/// not among `streams`. The same arguments make the same streams.
pub(super) fn streams(samples: &[Vec<u8>], streams: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let from = if samples.is_empty() { streams } else { samples };
    let mut seen: BTreeSet<Vec<u8>> = streams.iter().cloned().collect();
    let mut mutated = Vec::new();
    for stream in from.iter().filter(|stream| stream.len() <= LONGEST) {
        let all =
            (0..stream.len()).flat_map(|at| changed(stream, at).chain(rearranged(stream, at)));
        mutated.extend(all.filter(|stream| seen.insert(stream.clone())));
    }
    mutated
}

/// Returns the stream with other values of one byte: small and large ones, and its neighbours.
fn changed(stream: &[u8], at: usize) -> impl Iterator<Item = Vec<u8>> {
    let byte = stream[at];
    let neighbours = [byte.wrapping_add(1), byte.wrapping_sub(1), byte ^ 0x80];
    let values = [0x00, 0xff].into_iter().chain(neighbours);
    values.map(move |value| {
        let mut changed = stream.to_vec();
        changed[at] = value;
        changed
    })
}

/// Returns the stream without one byte, with one byte twice, and with what comes before one byte
/// followed by the stream from its beginning.
fn rearranged(stream: &[u8], at: usize) -> impl Iterator<Item = Vec<u8>> {
    let (before, after) = stream.split_at(at);
    [
        [before, &after[1..]].concat(),
        [before, &after[..1], after].concat(),
        [before, stream].concat(),
    ]
    .into_iter()
}
