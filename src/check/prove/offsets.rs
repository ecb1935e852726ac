//! The offsets at which a search lets chunks end: all of them, or those of a long stream at which
//! framers fail most.

use alloc::vec::Vec;

/// Sizes of the buffers into which programs read.
const BUFFERS: [usize; 4] = [65536, 4096, 8192, 1024];
/// How many edges are taken of a stream that has more.
const EDGES: usize = 16;

/// Returns every offset of a stream of `len` bytes, 0 and `len` included.
pub(crate) fn all(len: usize) -> Vec<usize> {
    (0..=len).collect()
}

/// Returns 0, `len`, and up to `count` offsets between them, increasing: close to the ends of the
/// stream and to its edges, whole buffers and powers of two after an edge, and random ones.
pub(crate) fn pick(len: usize, edges: &[usize], count: usize) -> Vec<usize> {
    let mut rng = fastrand::Rng::with_seed(len as u64);
    let inside = edges.iter().copied().filter(|edge| (1..len).contains(edge));
    let mut inside: Vec<usize> = inside.collect();
    // The first edges, among them those of a header, and any others.
    let first = inside.len().min(EDGES / 2);
    rng.shuffle(&mut inside[first..]);
    inside.truncate(EDGES);
    let starts = || [0].into_iter().chain(inside.iter().copied());

    let near = (0..4).flat_map(|distance| {
        let edges = starts().chain([len]);
        edges.flat_map(move |edge| [edge + distance, edge.saturating_sub(distance)])
    });
    let near: Vec<usize> = near.collect();
    // The sizes themselves first, then one byte less and more.
    let sizes = [1, 0, 2].map(|n| BUFFERS.map(|size| size + n - 1));
    let buffers = sizes.into_iter().flatten();
    let buffers = buffers.flat_map(|size| starts().map(move |start| start + size));
    let buffers: Vec<usize> = buffers.collect();
    let mut powers: Vec<usize> = (0..usize::BITS).map(|power| 1 << power).collect();
    rng.shuffle(&mut powers);

    let mut picked = Vec::from([0, len]);
    let inside = 1..len;
    let mut lists = [near, buffers, powers].map(|list| {
        let offsets = list.into_iter();
        offsets.filter(|offset| inside.contains(offset))
    });
    let most = count.min(inside.len()) + 2;
    for turn in 0.. {
        if picked.len() >= most {
            break;
        }
        let list = lists.get_mut(turn % 4);
        let offset = match list.and_then(Iterator::next) {
            Some(offset) => offset,
            None => rng.usize(inside.clone()),
        };
        if !picked.contains(&offset) {
            picked.push(offset);
        }
    }
    picked.sort_unstable();
    picked.dedup();
    picked
}
