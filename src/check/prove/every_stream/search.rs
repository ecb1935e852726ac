//! The search: from each node, nearest first, each chunk of letters.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::{iter, mem};

use fastrand::Rng;

use super::automaton::{Automaton, Edge};
use super::letters::alike;
use super::{Found, Stop};
use crate::case::{Case, Interruption};
use crate::check::end::end;
use crate::check::finding::Finding;
use crate::check::input::Input;
use crate::check::isolate::{Calls, Guarded, RETURNS, isolate, isolate_calls};
use crate::check::judge::Expectation;
use crate::check::prove::state::release;
use crate::check::prove::{Fault, State, Work};
use crate::check::team::{self, Cost};
use crate::check::values::judge_values;
use crate::door::FeedDoor;
use crate::expected::{Expected, Outcome, Source};
use crate::oracle::{End, Specification};
use crate::report::NotProved;
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// A state of the framer at a position of the specification.
struct Node<W> {
    position: usize,
    state: W,
    /// The number of bytes after which it is first reached.
    depth: usize,
    /// The node before it, and the chunk.
    parent: Option<(usize, Box<[u8]>)>,
    /// The cost of all chunks after it, if they were tried ahead and led to nothing new, and the depth
    /// that it had then.
    tried: Option<(usize, Cost)>,
}

/// A fault of a call, or none if it only returned something else than expected.
impl From<Finding> for Option<Fault> {
    fn from(finding: Finding) -> Self {
        Some(finding.into())
    }
}

/// Why a search ended before it was done.
pub(super) enum Halt {
    Stop(Stop),
    /// After a position, a byte does not do the same as the letter that stands for it, if `rest`
    /// follows.
    Letter {
        position: usize,
        byte: u8,
        rest: Vec<u8>,
    },
}

pub(super) struct Search<'a, T: FeedDoor, O: Specification<T>, W> {
    door: &'a T,
    automaton: &'a Automaton<'a, T, O>,
    /// The largest number of states at one position.
    max_states: usize,
    /// As many as the longest stream has bytes.
    zeros: Vec<u8>,
    nodes: Vec<Node<W>>,
    /// The nodes of each position.
    at: Vec<Vec<usize>>,
    /// The nodes that are first reached after each number of bytes, as far as it is known.
    by_depth: Vec<Vec<usize>>,
    work: &'a mut Work,
    frames: Guarded<Frames<T::Frame>>,
    rng: Rng,
    /// Whether nodes are tried that are expanded later: what is new ends the try.
    is_ahead: bool,
}

/// What a specification gives for a chunk.
struct Read<T: FeedDoor, P> {
    frames: Vec<T::Frame>,
    /// Its position after it, or the error.
    at: Result<P, T::Error>,
    /// What the end of the stream gives after it, unless the oracle does not know.
    end: Option<End<T>>,
    /// Whether each byte gives values of the same shape as its letter.
    alike: bool,
}

/// A chunk of letters after a node: the edges that it follows, each with the position before it.
type Path<'a, T> = Vec<(usize, &'a Edge<T>)>;

impl<'a, T, O, W> Search<'a, T, O, W>
where
    T: FeedDoor,
    O: Specification<T>,
    W: State<Framer = T::Subject>,
{
    pub(super) fn new(
        door: &'a T,
        automaton: &'a Automaton<'a, T, O>,
        max_states: usize,
        work: &'a mut Work,
    ) -> Self {
        let longest = automaton.streams.longest;
        work.cost.varied = 0;
        Self {
            door,
            automaton,
            max_states,
            zeros: vec![0; longest],
            nodes: Vec::new(),
            at: automaton.positions.iter().map(|_| Vec::new()).collect(),
            by_depth: (0..=longest).map(|_| Vec::new()).collect(),
            work,
            // An oracle may expect more than one frame for each byte.
            frames: Guarded::new(Frames::for_stream(64 * longest)),
            rng: Rng::with_seed(0),
            is_ahead: false,
        }
    }

    /// Returns after how many bytes the last node without an error is first reached.
    pub(super) fn deepest(&self) -> usize {
        let positions = &self.automaton.positions;
        let nodes = self.nodes.iter();
        let accepted = nodes.filter(|node| positions[node.position].at.is_ok());
        accepted.map(|node| node.depth).max().unwrap_or(0)
    }

    pub(super) fn states(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn run(&mut self) -> Result<(), Halt> {
        let fresh = Guarded::new(self.door.subject());
        isolate_calls(0, |calls| self.visit(calls, fresh, 0, None, &[]))
            .map_err(|fault| self.stop(fault, None, &[], 0))?;
        let mut known = 0;
        for depth in 0..=self.automaton.streams.longest {
            let mut layer = 0..self.by_depth[depth].len();
            while !layer.is_empty() {
                if mem::replace(&mut known, self.nodes.len()) < self.nodes.len() {
                    self.try_ahead(depth);
                }
                for index in layer.clone() {
                    let node = self.by_depth[depth][index];
                    let tried = self.nodes[node].tried.filter(|&(at, _)| at == depth);
                    if !tried.is_some_and(|(_, cost)| self.work.add_done(cost)) {
                        self.expand(depth, node)?;
                    }
                }
                layer = layer.end..self.by_depth[depth].len();
            }
        }
        Ok(())
    }

    /// Tries the nodes that are known from a depth on, together with other threads.
    fn try_ahead(&mut self, depth: usize) {
        let layers = self.by_depth.iter().enumerate().skip(depth);
        let nodes = layers.flat_map(|(depth, nodes)| nodes.iter().map(move |&node| (depth, node)));
        let nodes = nodes.filter(|&(depth, node)| self.nodes[node].depth == depth);
        let nodes: Vec<(usize, usize)> = nodes.collect();
        let key = self.automaton.positions.len() ^ self.nodes.len() << 16;
        self.is_ahead = true;
        let done = team::ahead(key as u64, nodes.len(), |index| {
            let (depth, node) = nodes[index];
            let before = self.work.cost;
            let expanded = self.expand(depth, node);
            let cost = self.work.go_back(before);
            expanded.is_ok().then_some(cost)
        });
        self.is_ahead = false;
        for (index, (depth, node)) in nodes.into_iter().enumerate() {
            let tried = done.get(index).map(|&cost| (depth, cost));
            self.nodes[node].tried = tried.or(self.nodes[node].tried);
        }
    }

    /// Feeds each chunk that can come after a node, the empty one first.
    fn expand(&mut self, depth: usize, node: usize) -> Result<(), Halt> {
        let automaton = self.automaton;
        let position = self.nodes[node].position;
        if self.nodes[node].depth < depth {
            // It has been reached after fewer bytes since.
            return Ok(());
        }
        // The same on each thread.
        self.rng = Rng::with_seed(node as u64);
        let longest = self.automaton.streams.longest - depth;
        let (mut path, mut chunk) = (Path::new(), Vec::new());
        self.feed(node, &path, &chunk)?;
        // For each byte of the chunk, the letters that are still to be tried there.
        let mut open = vec![automaton.positions[position].edges.iter()];
        if longest == 0 {
            return Ok(());
        }
        while let Some(letters) = open.last_mut() {
            let Some(edge) = letters.next() else {
                open.pop();
                path.pop();
                chunk.pop();
                continue;
            };
            path.push((self.end_of(node, &path), edge));
            chunk.push(edge.byte);
            self.feed(node, &path, &chunk)?;
            self.vary(node, &path)?;
            if chunk.len() < longest {
                open.push(automaton.positions[edge.to].edges.iter());
            } else {
                path.pop();
                chunk.pop();
            }
        }
        Ok(())
    }

    /// Feeds a chunk of letters after a node, and visits the node that this leads to.
    fn feed(&mut self, node: usize, path: &Path<'a, T>, chunk: &[u8]) -> Result<(), Halt> {
        let end = self.end_of(node, path);
        self.try_feed(node, path, chunk)
            .map_err(|fault| self.stop(fault, Some(node), &[chunk], end))
    }

    fn try_feed(
        &mut self,
        node: usize,
        path: &Path<'a, T>,
        chunk: &[u8],
    ) -> Result<(), Option<Fault>> {
        let to = self.end_of(node, path);
        let expected = path.iter().flat_map(|(_, edge)| &edge.frames);
        let error = self.automaton.positions[to].at.as_ref().err();
        let depth = self.nodes[node].depth + chunk.len();
        isolate_calls(depth, |calls| {
            let mut subject = self.resume(calls, node)?;
            self.judge(calls, &mut subject, chunk, expected, error)?;
            if error.is_some() && self.automaton.streams.caller_stops() {
                return Ok(release(subject, calls)?);
            }
            self.visit(calls, subject, to, Some(node), chunk)
        })
    }

    /// Returns the position after a path from a node.
    fn end_of(&self, node: usize, path: &Path<'a, T>) -> usize {
        let last = path.last().map(|(_, edge)| edge.to);
        last.unwrap_or(self.nodes[node].position)
    }

    /// Feeds a chunk. Fails without a fault if the framer returns something else than expected.
    fn judge<'f>(
        &mut self,
        calls: &Calls,
        subject: &mut T::Subject,
        chunk: &[u8],
        expected: impl Iterator<Item = &'f T::Frame>,
        error: Option<&T::Error>,
    ) -> Result<(), Option<Fault>>
    where
        T::Frame: 'f,
    {
        self.work.call(chunk.len())?;
        calls.next(RETURNS)?;
        // A call that panicked may have left frames.
        self.frames.clear();
        let result = subject.feed(chunk, &mut self.frames);
        let mut same = false;
        judge_values(calls, &mut self.frames, result, |call| {
            same = expected.eq(call.frames) && call.result.as_ref().err() == error;
            Ok(())
        })?;
        if same { Ok(()) } else { Err(None) }
    }

    /// Feeds the same chunk with other bytes for its letters, if any stands for more than one: with the
    /// largest ones, and with random ones.
    fn vary(&mut self, node: usize, path: &Path<'a, T>) -> Result<(), Halt> {
        if path.iter().all(|(_, edge)| edge.class.len() == 1) {
            return Ok(());
        }
        let largest = path.iter().filter_map(|(_, edge)| edge.class.last());
        let largest: Vec<u8> = largest.copied().collect();
        self.feed_other(node, path, &largest)?;
        let random = self.draw(path);
        if random == largest || path.iter().map(|(_, edge)| &edge.byte).eq(&random) {
            return Ok(());
        }
        self.feed_other(node, path, &random)
    }

    /// Draws a byte that each letter of a path stands for.
    fn draw(&mut self, path: &Path<'a, T>) -> Vec<u8> {
        let classes = path.iter().map(|(_, edge)| &edge.class);
        classes
            .filter_map(|class| self.rng.choice(class))
            .copied()
            .collect()
    }

    /// Feeds other bytes for the letters of a chunk, and then a chunk of letters at random: what the
    /// bytes change may show later.
    fn feed_other(&mut self, node: usize, path: &Path<'a, T>, bytes: &[u8]) -> Result<(), Halt> {
        let Node {
            position, depth, ..
        } = self.nodes[node];
        let start = &*self.automaton.positions[position].at;
        let read = |bytes: &[u8]| isolate(depth, || self.read(start, path, bytes));
        let Ok(Some(first)) = read(bytes) else {
            // The oracle judges no stream with these bytes, or gets stuck.
            return Ok(());
        };
        if !first.alike {
            return Err(self.other_letter(start, path, bytes));
        }
        self.work.cost.varied += 1;
        let mut end = self.end_of(node, path);
        let mut chunks = vec![(bytes, first)];
        let rest = self.walk(end, self.automaton.streams.longest - depth - bytes.len());
        let later = self.draw(&rest);
        let goes_on = chunks[0].1.at.is_ok() || !self.automaton.streams.caller_stops();
        if goes_on
            && let Ok(Some(second)) = isolate(depth, || self.read(&chunks[0].1.at, &rest, &later))
        {
            chunks.push((&later, second));
        }
        let mut fed = Vec::new();
        let judged = isolate_calls(depth, |calls| {
            let mut subject = self.resume(calls, node)?;
            for (chunk, expected) in &chunks {
                fed.push(*chunk);
                let (frames, error) = (expected.frames.iter(), expected.at.as_ref().err());
                self.judge(calls, &mut subject, chunk, frames, error)?;
                end = rest.last().map_or(end, |(_, edge)| edge.to);
            }
            let last = chunks.last().map(|(_, read)| read);
            if let Some(Read {
                at, end: Some(end), ..
            }) = last
                && (at.is_ok() || !self.automaton.streams.caller_stops())
            {
                let len = depth + fed.concat().len();
                self.judge_end(calls, &mut subject, len, at.is_ok(), end)?;
            }
            Ok(release(subject, calls)?)
        });
        judged.map_err(|fault| self.stop(fault, Some(node), &fed, end))
    }

    /// Returns the first byte of a chunk without which it would give what its letters give.
    fn other_letter(
        &self,
        start: &Result<O::Position, T::Error>,
        path: &Path<'a, T>,
        bytes: &[u8],
    ) -> Halt {
        let letters = path.iter().map(|(_, edge)| edge.byte);
        // The longest beginning of the letters with which the chunk still differs.
        let mixed = (1..=bytes.len()).map(|count| -> Vec<u8> {
            let letters = letters.clone().take(count);
            letters.chain(bytes[count..].iter().copied()).collect()
        });
        let alike = |bytes: &Vec<u8>| {
            let read = isolate(0, || {
                self.read(start, path, bytes).is_none_or(|read| read.alike)
            });
            read.unwrap_or(true)
        };
        let count = mixed.take_while(|bytes| !alike(bytes)).count();
        let index = count.min(bytes.len() - 1);
        Halt::Letter {
            position: path[index].0,
            byte: bytes[index],
            rest: bytes[index + 1..].to_vec(),
        }
    }

    /// Returns a sequence of random letters after a position.
    fn walk(&mut self, mut position: usize, len: usize) -> Path<'a, T> {
        let automaton = self.automaton;
        let mut path = Path::new();
        while path.len() < len {
            let Some(edge) = self.rng.choice(&automaton.positions[position].edges) else {
                break;
            };
            path.push((position, edge));
            position = edge.to;
        }
        path
    }

    /// Reads a chunk that differs from a path in some of its bytes. Returns `None` if the oracle does
    /// not judge streams with it.
    fn read(
        &self,
        start: &Result<O::Position, T::Error>,
        path: &Path<'a, T>,
        bytes: &[u8],
    ) -> Option<Read<T, O::Position>> {
        let mut read = Read {
            frames: Vec::new(),
            at: start.clone(),
            end: self.automaton.end_after(start),
            alike: true,
        };
        for ((_, edge), &byte) in path.iter().zip(bytes) {
            let Ok(from) = &read.at else { break };
            let reading = self.automaton.oracle.read(from, byte)?;
            let letter = &self.automaton.positions[edge.to];
            read.end = self.automaton.end_after(&reading.then);
            read.alike &= alike((&edge.frames, &letter.at), (&reading.frames, &reading.then))
                && match (&letter.end, &read.end) {
                    (Some(end), Some(other)) => {
                        alike((&end.frames, &end.result), (&other.frames, &other.result))
                    }
                    (end, other) => end.is_none() && other.is_none(),
                };
            read.frames.extend(reading.frames);
            read.at = reading.then;
        }
        Some(read)
    }

    fn visit(
        &mut self,
        calls: &Calls,
        subject: Guarded<T::Subject>,
        position: usize,
        parent: Option<usize>,
        chunk: &[u8],
    ) -> Result<(), Option<Fault>> {
        let depth = parent.map_or(0, |parent| self.nodes[parent].depth + chunk.len());
        let text = W::text(&subject, calls)?;
        self.work.text(W::text_len(&text))?;
        let parent = parent.map(|parent| (parent, chunk.into()));
        // Each is compared.
        self.work.add(self.at[position].len() as u64)?;
        for &known in &self.at[position] {
            if self.nodes[known].state.is(&subject, &text, calls)? {
                if depth < self.nodes[known].depth {
                    if self.is_ahead {
                        return Err(None);
                    }
                    self.nodes[known].depth = depth;
                    self.nodes[known].parent = parent;
                    self.by_depth[depth].push(known);
                }
                return Ok(release(subject, calls)?);
            }
        }
        if self.is_ahead {
            return Err(None);
        }
        let accepted = self.automaton.positions[position].at.is_ok();
        if accepted && self.at[position].len() >= self.max_states {
            let reason = NotProved::TooManyStates {
                offset: depth,
                max_states: self.max_states,
            };
            return Err(Some(reason.into()));
        }
        let state = W::save(subject, text, calls)?;
        let new = self.nodes.len();
        self.at[position].push(new);
        self.by_depth[depth].push(new);
        self.nodes.push(Node {
            position,
            state,
            depth,
            parent,
            tried: None,
        });
        self.finish(calls, new)
    }

    /// Ends the stream at a node, and calls the framer again after that.
    fn finish(&mut self, calls: &Calls, node: usize) -> Result<(), Option<Fault>> {
        let Node {
            position, depth, ..
        } = self.nodes[node];
        let position = &self.automaton.positions[position];
        let Some(end) = &position.end else {
            return Ok(());
        };
        let mut subject = self.resume(calls, node)?;
        self.judge_end(calls, &mut subject, depth, position.at.is_ok(), end)?;
        Ok(release(subject, calls)?)
    }

    /// Ends a stream of so many bytes, and calls the framer again after that. `accepted` says that
    /// there was no error.
    fn judge_end(
        &mut self,
        calls: &Calls,
        subject: &mut T::Subject,
        len: usize,
        accepted: bool,
        End { frames, result }: &End<T>,
    ) -> Result<(), Option<Fault>> {
        let expected = Expected {
            frames: Vec::new(),
            at_end: frames.clone(),
            outcome: match result {
                Ok(()) => Outcome::Clean,
                Err(error) if accepted => Outcome::Truncated(error.clone()),
                Err(error) => Outcome::Rejected {
                    at: len,
                    error: error.clone(),
                },
            },
        };
        let input = Input {
            // Only its length matters at the end.
            stream: &self.zeros[..len],
            expected: Expectation::of(Guarded::new(expected)),
            source: Source::Parser,
            edges: None,
            deviations: self.automaton.streams.deviations,
        };
        self.work.call(0)?;
        end(calls, subject, &mut self.frames, usize::MAX, &input).map_err(|_| None)
    }

    /// Makes a subject in the state of a node.
    fn resume(&mut self, calls: &Calls, node: usize) -> Result<Guarded<T::Subject>, Fault> {
        if let Some(resumed) = self.nodes[node].state.resume(calls) {
            return resumed;
        }
        let mut subject = Guarded::new(self.door.subject());
        let chunks: Vec<Box<[u8]>> = self.chunks(node).map(Box::from).collect();
        for chunk in chunks.iter().rev() {
            self.work.call(chunk.len())?;
            calls.next(RETURNS)?;
            drop(subject.feed(chunk, &mut self.frames));
            self.frames.clear();
        }
        Ok(subject)
    }

    /// Returns the chunks before a node, last first.
    fn chunks(&self, node: usize) -> impl Iterator<Item = &[u8]> {
        let first = self.nodes[node].parent.as_ref();
        let parents = iter::successors(first, |(node, _)| self.nodes[*node].parent.as_ref());
        parents.map(|(_, chunk)| &**chunk)
    }

    /// Makes the case of chunks after a node, of which the last did not do what is expected. `end` is
    /// the position that they lead to.
    #[cold]
    fn stop(&self, fault: Option<Fault>, node: Option<usize>, last: &[&[u8]], end: usize) -> Halt {
        let stuck = match fault {
            Some(Fault::NotProved(reason)) => return Halt::Stop(Stop::NotProved(*reason)),
            Some(Fault::State(finding)) => Some(finding),
            Some(Fault::Call(_)) | None => None,
        };
        let before = node.into_iter().flat_map(|node| self.chunks(node));
        let last = last.iter().rev().copied();
        let chunks: Vec<&[u8]> = last.chain(before).collect();
        let interruption = if chunks.iter().any(|chunk| chunk.is_empty()) {
            Interruption::EmptyChunk
        } else {
            Interruption::None
        };
        let (mut stream, mut path) = (Vec::new(), vec![0]);
        for chunk in chunks.into_iter().rev() {
            stream.extend_from_slice(chunk);
            path.push(stream.len());
        }
        // The oracle must judge all of it.
        let rest = self.automaton.to_known_end(end);
        if !rest.is_empty() {
            stream.extend(rest);
            path.push(stream.len());
        }
        let inner = path.iter().copied();
        let split = Split::new(inner.filter(|&cut| 0 < cut && cut < stream.len()));
        let case = Case::new(stream, split).with(interruption);
        Halt::Stop(Stop::Found(Found { case, path, stuck }))
    }

    /// Drops the states one by one.
    pub(super) fn release(&mut self) -> Result<(), Stop> {
        while let Some(Node { state, depth, .. }) = self.nodes.pop() {
            let released: Result<(), Fault> = isolate_calls(depth, |calls| state.release(calls));
            if released.is_err() {
                return Err(Stop::NotProved(NotProved::UnfaithfulClone));
            }
        }
        Ok(())
    }
}
