//! What a specification expects of all streams over certain letters: its positions, and the letters
//! that lead from one to another.
//!
//! The streams are those that the letters form. A letter stands for itself and, where letters are
//! inferred, for other bytes that lead to the same frames and errors in the same places.

use alloc::vec;
use alloc::vec::Vec;
use core::{iter, mem};

use super::Stuck;
use super::letters::{self, Letters};
use crate::check::isolate::isolate;
use crate::door::Door;
use crate::oracle::{End, Reading, Specification};

/// The positions that streams of up to a length can reach, the nearest first.
pub(super) struct Automaton<T: Door, O: Specification<T>> {
    pub(super) positions: Vec<Position<T, O>>,
}

/// What the specification expects after some bytes.
pub(super) struct Position<T: Door, O: Specification<T>> {
    /// The specification's own position, or the error with which it rejected the stream.
    pub(super) at: Result<O::Position, T::Error>,
    /// Which pieces may have begun, each with the number of its bytes so far.
    begun: Vec<(usize, usize)>,
    /// The number of bytes after which it is first reached.
    depth: usize,
    /// The position before it, and the byte.
    parent: Option<(usize, u8)>,
    /// Whether the letters that may follow it are known.
    expanded: bool,
    pub(super) edges: Vec<Edge<T>>,
    /// What the end of the stream gives, if it is known.
    pub(super) end: Option<End<T>>,
}

/// A letter that may come next.
pub(super) struct Edge<T: Door> {
    pub(super) byte: u8,
    /// The bytes that it stands for, itself among them.
    pub(super) class: Vec<u8>,
    pub(super) frames: Vec<T::Frame>,
    pub(super) to: usize,
}

/// How far an automaton goes.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    /// The length of the longest streams.
    pub(super) longest: usize,
    pub(super) max_positions: usize,
    /// Whether nothing follows an error.
    pub(super) caller_stops: bool,
    /// Whether the oracle may look back to whole frames.
    pub(super) remembers: bool,
}

impl<T: Door, O: Specification<T>> Automaton<T, O> {
    /// Makes the automaton of all streams of up to a length. Fails with the bytes at which the
    /// specification gets stuck, or if it has too many positions.
    pub(super) fn new(
        oracle: &O,
        door: &T,
        letters: &Letters,
        reach: Reach,
    ) -> Result<Self, Stuck> {
        let mut automaton = Self {
            positions: Vec::new(),
        };
        let start = isolate(0, || oracle.start(door, reach.remembers))
            .map_err(|_| Stuck::At(Vec::new()))?;
        automaton.visit(oracle, Ok(start), letters.begin(), None, reach)?;
        automaton.complete(oracle, letters, reach)?;
        Ok(automaton)
    }

    /// Adds the letters that may follow each position, and the positions that they lead to, the nearest
    /// first.
    fn complete(&mut self, oracle: &O, letters: &Letters, reach: Reach) -> Result<(), Stuck> {
        loop {
            self.measure();
            let positions = self.positions.iter().enumerate();
            let open = positions.filter(|(_, position)| {
                let ends = position.at.is_err() && reach.caller_stops;
                !position.expanded && !ends && position.depth < reach.longest
            });
            let open: Vec<(usize, usize)> = open
                .map(|(index, position)| (position.depth, index))
                .collect();
            let Some(nearest) = open.iter().map(|&(depth, _)| depth).min() else {
                return Ok(());
            };
            for (_, index) in open.into_iter().filter(|&(depth, _)| depth == nearest) {
                self.expand(oracle, index, letters, reach)?;
            }
        }
    }

    /// Finds out after how many bytes each position is first reached.
    fn measure(&mut self) {
        let mut reached = vec![false; self.positions.len()];
        reached[0] = true;
        let mut layer = vec![0];
        while !layer.is_empty() {
            let mut next = Vec::new();
            for index in layer {
                let depth = self.positions[index].depth + 1;
                let edges = self.positions[index].edges.iter();
                for (byte, to) in edges.map(|edge| (edge.byte, edge.to)).collect::<Vec<_>>() {
                    if !mem::replace(&mut reached[to], true) {
                        self.positions[to].depth = depth;
                        self.positions[to].parent = Some((index, byte));
                        next.push(to);
                    }
                }
            }
            layer = next;
        }
    }

    /// Adds the letters that may follow a position.
    fn expand(
        &mut self,
        oracle: &O,
        index: usize,
        letters: &Letters,
        reach: Reach,
    ) -> Result<(), Stuck> {
        self.positions[index].expanded = true;
        let position = &self.positions[index];
        let remaining = reach.longest - position.depth;
        let classes = match (&position.at, letters) {
            (Ok(_), Letters::Pieces(pieces)) => {
                letters::singles(pieces.next_bytes(&position.begun))
            }
            // One letter is enough to see that the framer ignores what follows an error.
            (Err(_), Letters::Pieces(pieces)) => {
                let next = pieces.next_bytes(&position.begun).into_iter();
                letters::singles(next.take(1))
            }
            (Err(_), Letters::Inferred { .. }) => letters::singles([0]),
            (Ok(at), Letters::Inferred { tests }) => {
                match isolate(position.depth, || oracle.letters(at)) {
                    Ok(Some(letters)) => letters::singles(letters),
                    Ok(None) => letters::infer(oracle, at, tests, remaining),
                    Err(_) => return Err(Stuck::At(self.path(index))),
                }
            }
        };
        for class in classes {
            self.add(oracle, index, class, letters, reach)?;
        }
        Ok(())
    }

    /// Adds the letter that stands for the bytes of a class, if the oracle judges streams with it.
    fn add(
        &mut self,
        oracle: &O,
        index: usize,
        class: Vec<u8>,
        letters: &Letters,
        reach: Reach,
    ) -> Result<(), Stuck> {
        let position = &self.positions[index];
        let byte = class[0];
        let stuck = || {
            let mut path = self.path(index);
            path.push(byte);
            Stuck::At(path)
        };
        let read = || match &position.at {
            Ok(at) => oracle.read(at, byte),
            Err(error) => Some(Reading {
                frames: Vec::new(),
                then: Err(error.clone()),
            }),
        };
        let Some(Reading { frames, then }) = isolate(position.depth, read).map_err(|_| stuck())?
        else {
            return Ok(());
        };
        let begun = letters.advance(&position.begun, byte);
        let to = self.visit(oracle, then, begun, Some((index, byte)), reach)?;
        self.positions[index].edges.push(Edge {
            byte,
            class,
            frames,
            to,
        });
        Ok(())
    }

    /// Lets a byte stand for itself after a position, as it does not do the same as its letter.
    pub(super) fn split(
        &mut self,
        oracle: &O,
        index: usize,
        byte: u8,
        letters: &Letters,
        reach: Reach,
    ) -> Result<(), Stuck> {
        for edge in &mut self.positions[index].edges {
            edge.class.retain(|&other| other != byte);
        }
        self.add(oracle, index, vec![byte], letters, reach)?;
        self.complete(oracle, letters, reach)
    }

    /// Returns the index of a position, which it adds if it is new.
    fn visit(
        &mut self,
        oracle: &O,
        at: Result<O::Position, T::Error>,
        begun: Vec<(usize, usize)>,
        parent: Option<(usize, u8)>,
        reach: Reach,
    ) -> Result<usize, Stuck> {
        let depth = parent.map_or(0, |(parent, _)| self.positions[parent].depth + 1);
        let stuck = |automaton: &Self| {
            let mut path = parent.map_or(Vec::new(), |(parent, _)| automaton.path(parent));
            path.extend(parent.map(|(_, byte)| byte));
            Stuck::At(path)
        };
        let find = || {
            let mut positions = self.positions.iter();
            positions.position(|known| known.begun == begun && known.at == at)
        };
        if let Some(known) = isolate(depth, find).map_err(|_| stuck(self))? {
            return Ok(known);
        }
        if self.positions.len() == reach.max_positions {
            return Err(Stuck::TooMany);
        }
        let end = || match &at {
            Ok(at) => oracle.end(at),
            Err(error) => Some(End {
                frames: Vec::new(),
                result: Err(error.clone()),
            }),
        };
        let end = isolate(depth, end).map_err(|_| stuck(self))?;
        self.positions.push(Position {
            at,
            begun,
            depth,
            parent,
            expanded: false,
            edges: Vec::new(),
            end,
        });
        Ok(self.positions.len() - 1)
    }

    /// Returns the bytes that first lead to a position.
    fn path(&self, index: usize) -> Vec<u8> {
        let mut path = Vec::new();
        let mut next = self.positions[index].parent;
        while let Some((parent, byte)) = next {
            path.push(byte);
            next = self.positions[parent].parent;
        }
        path.reverse();
        path
    }

    /// Returns for each letter that may come next somewhere the shortest stream that ends with it, and
    /// the empty stream.
    pub(super) fn streams(&self) -> Vec<Vec<u8>> {
        let positions = self.positions.iter().enumerate();
        let streams = positions.flat_map(|(index, position)| {
            let edges = position.edges.iter();
            edges.map(move |edge| [self.path(index), vec![edge.byte]].concat())
        });
        iter::once(Vec::new()).chain(streams).collect()
    }

    /// Returns how many streams have exactly this length, at most `u128::MAX`.
    pub(super) fn count(&self, len: usize) -> u128 {
        let mut counts = vec![1_u128; self.positions.len()];
        for _ in 0..len {
            let count = |position: &Position<T, O>| {
                let edges = position.edges.iter().map(|edge| counts[edge.to]);
                edges.fold(0, u128::saturating_add)
            };
            counts = self.positions.iter().map(count).collect();
        }
        counts[0]
    }

    /// Returns the bytes that are letters somewhere.
    pub(super) fn letters(&self) -> Vec<u8> {
        let edges = self.positions.iter().flat_map(|position| &position.edges);
        let mut letters: Vec<u8> = edges.map(|edge| edge.byte).collect();
        letters.sort_unstable();
        letters.dedup();
        letters
    }

    /// Returns bytes that showed where letters differ, to look for more differences with.
    pub(super) fn tests(&self) -> Vec<u8> {
        /// Where there are more letters, they are numbers.
        const FEW: usize = 6;
        let few = self.positions.iter().filter(|it| it.edges.len() <= FEW);
        let mut tests = Vec::new();
        for edge in few.flat_map(|position| &position.edges) {
            if !tests.contains(&edge.byte) {
                tests.push(edge.byte);
            }
        }
        tests
    }
}
