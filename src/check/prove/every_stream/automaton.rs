//! What a specification expects of all streams over certain letters: its positions, and the letters
//! that lead from one to another.
//!
//! The streams are those that the letters form. A letter stands for itself and, where letters are
//! inferred, for other bytes that lead to the same frames and errors in the same places.

use alloc::vec;
use alloc::vec::Vec;
use core::{iter, mem};

use super::letters::{self, Letters};
use super::{Streams, Stuck};
use crate::check::isolate::{Guarded, isolate};
use crate::check::prove::Work;
use crate::door::Door;
use crate::oracle::{End, Reading, Specification};

/// The positions that streams of up to a length can reach, the nearest first.
pub(super) struct Automaton<'a, T: Door, O: Specification<T>> {
    pub(super) oracle: &'a O,
    pub(super) streams: Streams<'a>,
    letters: Letters,
    /// The test bytes with which letters are inferred.
    tests: Vec<u8>,
    pub(super) positions: Vec<Position<T, O>>,
    /// Whether there are streams that the oracle does not judge.
    pub(super) unjudged: bool,
    work: Work,
}

/// What the specification expects after some bytes.
pub(super) struct Position<T: Door, O: Specification<T>> {
    /// The specification's own position, or the error with which it rejected the stream.
    pub(super) at: Guarded<Result<O::Position, T::Error>>,
    /// Which pieces may have begun, each with the number of its bytes so far.
    begun: Vec<(usize, usize)>,
    /// The number of bytes after which it is first reached.
    depth: usize,
    /// The position before it, and the byte.
    parent: Option<(usize, u8)>,
    /// Whether the letters that may follow it are known.
    expanded: bool,
    /// Whether they are inferred.
    inferred: bool,
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

/// The largest number of test bytes.
const MOST_TESTS: usize = 8;
/// The largest number of positions.
const MOST_POSITIONS: usize = 1 << 13;

impl<'a, T: Door, O: Specification<T>> Automaton<'a, T, O> {
    /// Makes the automaton of all streams of up to a length. Fails with the bytes at which the
    /// specification gets stuck, or if it has too many positions.
    pub(super) fn new(
        oracle: &'a O,
        door: &T,
        letters: Letters,
        streams: Streams<'a>,
        max_work: u64,
    ) -> Result<Self, Stuck> {
        let begun = letters.begin();
        let mut automaton = Self {
            oracle,
            streams,
            letters,
            tests: vec![0, u8::MAX],
            positions: Vec::new(),
            unjudged: false,
            work: Work::new(max_work),
        };
        let start = isolate(0, || oracle.start(door, streams.remembers));
        let start = start.map_err(|finding| Stuck::At(Vec::new(), finding))?;
        automaton.visit(Ok(start), begun, None)?;
        automaton.complete()?;
        Ok(automaton)
    }

    /// Adds the letters that may follow each position, and the positions that they lead to, the nearest
    /// first.
    fn complete(&mut self) -> Result<(), Stuck> {
        loop {
            self.measure();
            let positions = self.positions.iter().enumerate();
            let open = positions.filter(|(_, position)| {
                let ends = position.at.is_err() && self.streams.caller_stops();
                !position.expanded && !ends && position.depth < self.streams.longest
            });
            let open: Vec<(usize, usize)> = open
                .map(|(index, position)| (position.depth, index))
                .collect();
            let Some(nearest) = open.iter().map(|&(depth, _)| depth).min() else {
                return Ok(());
            };
            for (_, index) in open.into_iter().filter(|&(depth, _)| depth == nearest) {
                self.expand(index)?;
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
    fn expand(&mut self, index: usize) -> Result<(), Stuck> {
        self.positions[index].expanded = true;
        let position = &self.positions[index];
        let classes = match (&*position.at, &self.letters) {
            (Ok(_), Letters::Pieces(pieces)) => {
                letters::singles(pieces.next_bytes(&position.begun))
            }
            // One letter is enough to see that the framer ignores what follows an error.
            (Err(_), Letters::Pieces(pieces)) => {
                let next = pieces.next_bytes(&position.begun).into_iter();
                letters::singles(next.take(1))
            }
            (Err(_), Letters::Inferred) => letters::singles([0]),
            (Ok(at), Letters::Inferred) => {
                if let Some(letters) = self.oracle.letters(at) {
                    letters::singles(letters)
                } else {
                    let judged = letters::judged(self.oracle, at);
                    self.unjudged |= judged.len() < 256;
                    let remaining = self.streams.longest - position.depth;
                    let (oracle, work) = (self.oracle, &mut self.work);
                    let classes =
                        letters::infer(oracle, at, &judged, &self.tests, remaining, work)?;
                    self.positions[index].inferred = true;
                    classes
                }
            }
        };
        for class in classes {
            self.add(index, class)?;
        }
        Ok(())
    }

    /// Divides inferred letters further: those that were found since are new test bytes. Returns
    /// whether there were any.
    pub(super) fn infer_again(&mut self) -> Result<bool, Stuck> {
        let tests = self.new_tests();
        if tests.is_empty() {
            return Ok(false);
        }
        for index in 0..self.positions.len() {
            for edge in 0..self.positions[index].edges.len() {
                let position = &mut self.positions[index];
                let (Ok(at), true) = (&*position.at, position.inferred) else {
                    break;
                };
                let class = mem::take(&mut position.edges[edge].class);
                let remaining = self.streams.longest - position.depth;
                let (oracle, work) = (self.oracle, &mut self.work);
                let classes = letters::infer(oracle, at, &class, &tests, remaining, work)?;
                self.divide(index, edge, classes)?;
            }
        }
        self.tests.extend(tests);
        self.complete()?;
        Ok(true)
    }

    /// Divides a letter after a position. The bytes of a class share a letter from now on.
    fn divide(
        &mut self,
        index: usize,
        edge: usize,
        mut classes: Vec<Vec<u8>>,
    ) -> Result<(), Stuck> {
        let edge = &mut self.positions[index].edges[edge];
        let own = classes.iter().position(|class| class.contains(&edge.byte));
        edge.class = classes.swap_remove(own.unwrap_or(0));
        for class in classes {
            self.add(index, class)?;
        }
        Ok(())
    }

    /// Adds the letter that stands for the bytes of a class, if the oracle judges streams with it.
    fn add(&mut self, index: usize, class: Vec<u8>) -> Result<(), Stuck> {
        let position = &self.positions[index];
        let byte = class[0];
        let read = || match &*position.at {
            Ok(at) => self.oracle.read(at, byte),
            Err(error) => Some(Reading {
                frames: Vec::new(),
                then: Err(error.clone()),
            }),
        };
        let read = isolate(position.depth, read);
        let read = read.map_err(|finding| Stuck::At(self.path_with(index, byte), finding))?;
        let Some(Reading { frames, then }) = read else {
            self.unjudged = true;
            return Ok(());
        };
        let begun = self.letters.advance(&position.begun, byte);
        let to = self.visit(then, begun, Some((index, byte)))?;
        self.positions[index].edges.push(Edge {
            byte,
            class,
            frames,
            to,
        });
        Ok(())
    }

    /// Divides the letter that stands for a byte after a position, as the byte does not do the same if
    /// `rest` follows it.
    pub(super) fn split(&mut self, index: usize, byte: u8, rest: &[u8]) -> Result<(), Stuck> {
        let Position { at, edges, .. } = &mut self.positions[index];
        let edge = edges.iter().position(|edge| edge.class.contains(&byte));
        let (Ok(at), Some(edge)) = (&**at, edge) else {
            return Err(Stuck::Varies);
        };
        let class = mem::take(&mut edges[edge].class);
        let classes = letters::divide(self.oracle, at, &class, rest);
        if classes.len() < 2 {
            return Err(Stuck::Varies);
        }
        self.divide(index, edge, classes)?;
        self.complete()
    }

    /// Returns the index of a position, which it adds if it is new.
    fn visit(
        &mut self,
        at: Result<O::Position, T::Error>,
        begun: Vec<(usize, usize)>,
        parent: Option<(usize, u8)>,
    ) -> Result<usize, Stuck> {
        let depth = parent.map_or(0, |(parent, _)| self.positions[parent].depth + 1);
        let at = Guarded::new(at);
        let stuck = |automaton: &Self, finding| {
            let path = parent.map(|(parent, byte)| automaton.path_with(parent, byte));
            Stuck::At(path.unwrap_or_default(), finding)
        };
        // Each is compared.
        self.work.add(8 + self.positions.len() as u64 / 8)?;
        let find = || {
            let mut positions = self.positions.iter();
            positions.position(|known| known.begun == begun && *known.at == *at)
        };
        if let Some(known) = isolate(depth, find).map_err(|finding| stuck(self, finding))? {
            let released = at.release("a `drop` returns", depth);
            released.map_err(|finding| stuck(self, finding))?;
            return Ok(known);
        }
        if self.positions.len() == MOST_POSITIONS {
            return Err(Stuck::TooMuch);
        }
        let end = isolate(depth, || self.end_after(&at)).map_err(|finding| stuck(self, finding))?;
        self.positions.push(Position {
            at,
            begun,
            depth,
            parent,
            expanded: false,
            inferred: false,
            edges: Vec::new(),
            end,
        });
        Ok(self.positions.len() - 1)
    }

    /// Returns what the end of the stream gives after a position or an error, `None` if the oracle does
    /// not know.
    pub(super) fn end_after(&self, at: &Result<O::Position, T::Error>) -> Option<End<T>> {
        match at {
            Ok(at) => self.oracle.end(at),
            Err(error) => Some(End {
                frames: Vec::new(),
                result: Err(error.clone()),
            }),
        }
    }

    /// Returns the bytes that first lead to a position, and one more.
    fn path_with(&self, index: usize, byte: u8) -> Vec<u8> {
        [self.path(index), vec![byte]].concat()
    }

    /// Returns letters that lead from a position to the nearest one whose end is known, nothing if no
    /// position has one.
    pub(super) fn to_known_end(&self, from: usize) -> Vec<u8> {
        let mut seen = vec![false; self.positions.len()];
        seen[from] = true;
        let mut layer = vec![(from, Vec::new())];
        while !layer.is_empty() {
            let mut next = Vec::new();
            for (index, path) in layer {
                let position = &self.positions[index];
                if position.end.is_some() {
                    return path;
                }
                for edge in &position.edges {
                    if !mem::replace(&mut seen[edge.to], true) {
                        next.push((edge.to, [&path[..], &[edge.byte]].concat()));
                    }
                }
            }
            layer = next;
        }
        Vec::new()
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
            edges.map(move |edge| self.path_with(index, edge.byte))
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

    /// Returns whether the oracle does not know what the ends of some streams give.
    pub(super) fn has_open_ends(&self) -> bool {
        self.positions.iter().any(|position| position.end.is_none())
    }

    /// Returns whether there are streams that go on after an error.
    pub(super) fn goes_on_after_errors(&self) -> bool {
        let mut positions = self.positions.iter();
        positions.any(|position| position.at.is_err() && !position.edges.is_empty())
    }

    /// Returns the bytes that are letters somewhere, up to an error.
    pub(super) fn letters(&self) -> Vec<u8> {
        let accepted = self.positions.iter().filter(|position| position.at.is_ok());
        let edges = accepted.flat_map(|position| &position.edges);
        let mut letters: Vec<u8> = edges.map(|edge| edge.byte).collect();
        letters.sort_unstable();
        letters.dedup();
        letters
    }

    /// Returns bytes that showed where letters differ, to look for more differences with, unless they
    /// are test bytes.
    fn new_tests(&self) -> Vec<u8> {
        /// Where there are more letters, they are numbers.
        const FEW: usize = 6;
        let few = self.positions.iter().filter(|it| it.edges.len() <= FEW);
        let mut tests = self.tests.clone();
        for edge in few.flat_map(|position| &position.edges) {
            if tests.len() < MOST_TESTS && !tests.contains(&edge.byte) {
                tests.push(edge.byte);
            }
        }
        tests.split_off(self.tests.len())
    }
}
