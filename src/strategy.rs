//! proptest strategies for splits. Those for the reference format are in
//! [`reference::strategy`](crate::reference::strategy).

use alloc::vec::Vec;
use core::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::split::Split;

/// Makes splits of a stream of `len` bytes: up to eight cuts, half of them within one byte of one of
/// the first 64 of `edges` (the offsets at which its fields begin and end), the others up to 64 KiB
/// after one; or byte by byte.
pub fn split(len: usize, edges: Vec<usize>) -> impl Strategy<Value = Split> {
    cuts().prop_map(move |cuts| cuts.apply(len, &edges))
}

/// Cuts before they are placed in a stream. Generated before the stream, they shrink before it.
#[derive(Clone, Debug)]
pub(crate) enum Cuts {
    Few(Vec<Cut>),
    Bytes,
}

/// A position relative to an edge, so that it keeps its place in a frame when earlier frames shrink
/// away.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// The index of the edge, modulo the number of edges.
    edge: usize,
    /// How many bytes after it.
    after: isize,
}

pub(crate) fn cuts() -> impl Strategy<Value = Cuts> {
    // Four fields a frame: it shrinks to the same field of the first frame.
    let edge = (0..16usize, 0..4usize).prop_map(|(frame, field)| 4 * frame + field);
    let after = prop_oneof![
        3 => select(Vec::from([0, 1, -1])),
        2 => 0..16isize,
        1 => 0..1isize << 16,
    ];
    let cut = (edge, after).prop_map(|(edge, after)| Cut { edge, after });
    prop_oneof![7 => vec(cut, 0..=8).prop_map(Cuts::Few), 1 => Just(Cuts::Bytes)]
}

impl Cuts {
    pub(crate) fn apply(&self, len: usize, edges: &[usize]) -> Split {
        let cuts = match self {
            Self::Few(cuts) => cuts,
            Self::Bytes => return Split::bytes(len),
        };
        Split::new(cuts.iter().map(|cut| {
            let edge = edges.get(cut.edge % edges.len().max(1)).unwrap_or(&0);
            edge.saturating_add_signed(cut.after)
        }))
    }
}
