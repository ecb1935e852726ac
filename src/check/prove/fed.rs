//! Proves a framer that is fed.
//!
//! Whatever a split did to a framer before an offset is in the state that it left the framer in. So the
//! search visits nodes (offset, state): it starts at offset 0 with a fresh framer, and from each node
//! feeds each chunk that can come next, `offset..end` for every `end`. Each call is judged by what must
//! be emitted between the two offsets, and leads to a node at `end`. A state that is equal to one
//! already visited at that offset leads nowhere new.
//!
//! Every split of the stream is a path through these nodes, by induction on its chunks, and every call
//! on the path has been judged: when the search is done, all 2^(n-1) splits have been checked. A
//! correct framer usually has one state per offset, and (n+1)(n+2)/2 calls of `feed` are enough, one
//! empty chunk per offset included.
//!
//! The search goes layer by layer, one more chunk each, so that the first violation found has the
//! fewest cuts.

use alloc::vec::Vec;
use core::ops::Range;
use core::{iter, mem};

use super::state::release;
use super::{Bounds, Fault, Proof, State, Stop, Work};
use crate::case::hash;
use crate::check::end::end;
use crate::check::input::Input;
use crate::check::isolate::{Calls, Guarded, RETURNS, isolate_calls};
use crate::check::judge::{At, judge_held};
use crate::check::team::{self, Cost, Done};
use crate::check::values::judge_values;
use crate::report::NotProved;
use crate::subject::{Frames, Subject};

/// Proves every split of a stream that cuts at no other offsets than `ends`, with empty chunks
/// between any two others, for the subjects that `fresh` makes. `ends` begin with 0 and end with the
/// length of the stream.
pub(crate) fn prove<W: State<Framer: Subject>>(
    fresh: &dyn Fn() -> W::Framer,
    input: &FedInput<'_, W>,
    ends: &[usize],
    bounds: Bounds,
) -> Result<Proof, Stop> {
    let ends: Vec<At> = ends.iter().map(|&end| input.expected.at(end)).collect();
    let mut search = Search::<W> {
        fresh,
        input,
        ends: &ends,
        max_states: bounds.max_states,
        nodes: Vec::new(),
        at: ends.iter().map(|_| Vec::new()).collect(),
        work: Work::new(bounds.max_work),
        frames: Guarded::new(Frames::for_expected(input.stream.len(), &input.expected)),
        initial: 0,
    };
    search.run()?;
    let states = search.at.iter().map(Vec::len).max().unwrap_or(0);
    search.release()?;
    Ok(Proof {
        states,
        calls: search.work.cost.calls,
        by: W::BY,
        work: search.work.cost.work,
    })
}

type FedInput<'a, W> =
    Input<'a, <<W as State>::Framer as Subject>::Frame, <<W as State>::Framer as Subject>::Error>;

/// A state that the subject can be in at an offset.
struct Node<W> {
    state: W,
    /// The index of the offset among those at which chunks may end.
    end: usize,
    /// The largest number of bytes that it has had to hold.
    most: usize,
    /// The node from which the last chunk was fed.
    parent: Option<usize>,
}

struct Search<'a, W: State<Framer: Subject>> {
    fresh: &'a dyn Fn() -> W::Framer,
    input: &'a FedInput<'a, W>,
    /// The offsets at which chunks may end, from 0 to the end of the stream.
    ends: &'a [At],
    max_states: usize,
    /// In the order in which they were found.
    nodes: Vec<Node<W>>,
    /// The nodes at each of these offsets.
    at: Vec<Vec<usize>>,
    work: Work,
    /// The frames of the last call.
    frames: Guarded<Frames<<W::Framer as Subject>::Frame>>,
    /// How many bytes the framer held before it was fed.
    initial: usize,
}

impl<W: State<Framer: Subject>> Search<'_, W> {
    fn run(&mut self) -> Result<(), Stop> {
        let subject = Guarded::new((self.fresh)());
        isolate_calls(0, |calls| {
            calls.next(RETURNS)?;
            self.initial = subject.buffered_bytes().unwrap_or(0);
            self.visit(calls, subject, 0, 0, None)
        })
        .map_err(|fault| self.stop(fault, 0, None))?;
        let last = self.ends.len() - 1;
        let mut layer = 0..1;
        while !layer.is_empty() {
            // The chunk to the end first: it needs one cut less than any other.
            for node in layer.clone() {
                self.feed(node, last)?;
            }
            let done = self.ahead(layer.clone());
            for node in layer.clone() {
                let cost = done.get(node - layer.start);
                if !cost.is_some_and(|&cost| self.work.add_done(cost)) {
                    self.feed_each(node)?;
                }
            }
            layer = layer.end..self.nodes.len();
        }
        Ok(())
    }

    /// Tries the nodes of a layer together with other threads.
    fn ahead(&mut self, layer: Range<usize>) -> Done<Cost> {
        let key = hash(self.input.stream) ^ self.ends.len() as u64;
        team::ahead(key, layer.len(), |index| {
            let before = self.work.cost;
            // A state that is new is one too many.
            let max_states = mem::replace(&mut self.max_states, 0);
            let fed = self.feed_each(layer.start + index);
            self.max_states = max_states;
            let cost = self.work.go_back(before);
            fed.is_ok().then_some(cost)
        })
    }

    /// Feeds each chunk after a node that ends before the end of the stream.
    fn feed_each(&mut self, node: usize) -> Result<(), Stop> {
        let last = self.ends.len() - 1;
        (self.nodes[node].end..last).try_for_each(|to| self.feed(node, to))
    }

    /// Feeds the bytes from a node up to an end, and visits the node that this leads to.
    fn feed(&mut self, node: usize, end: usize) -> Result<(), Stop> {
        self.try_feed(node, end)
            .map_err(|fault| self.stop(fault, end, Some(node)))
    }

    fn try_feed(&mut self, node: usize, end: usize) -> Result<(), Fault> {
        let (from, to, most) = (self.end_of(node), self.ends[end], self.nodes[node].most);
        isolate_calls(from.offset, |calls| {
            let mut subject = self.resume(calls, node)?;
            let (stream, expected) = (self.input.stream, &self.input.expected);
            let most = most.max(expected.need(from, to));
            let chunk = &stream[from.offset..to.offset];
            self.work.call(chunk.len())?;
            calls.at(to.offset);
            calls.next(RETURNS)?;
            // A call that panicked may have left frames.
            self.frames.clear();
            let result = subject.feed(chunk, &mut self.frames);
            let held = subject.buffered_bytes();
            judge_values(calls, &mut self.frames, result, |call| {
                expected.judge_feed(from, to, call)
            })?;
            judge_held(to.offset, self.input.held(most, self.initial), held)?;
            if expected.rejection(to.offset).is_some() && self.input.caller_stops() {
                return release(subject, calls);
            }
            self.visit(calls, subject, end, most, Some(node))
        })
    }

    /// Makes a subject in the state of a node.
    fn resume(&mut self, calls: &Calls, node: usize) -> Result<Guarded<W::Framer>, Fault> {
        if let Some(resumed) = self.nodes[node].state.resume(calls) {
            return resumed;
        }
        let mut subject = Guarded::new((self.fresh)());
        let mut path: Vec<usize> = self.path(node).collect();
        // A fresh subject is at offset 0 without a call.
        let mut from = path.pop().unwrap_or(0);
        for to in path.into_iter().rev() {
            self.work.call(to - from)?;
            let chunk = &self.input.stream[from..to];
            calls.at(to);
            calls.next(RETURNS)?;
            drop(subject.feed(chunk, &mut self.frames));
            self.frames.clear();
            from = to;
        }
        Ok(subject)
    }

    fn visit(
        &mut self,
        calls: &Calls,
        subject: Guarded<W::Framer>,
        end: usize,
        most: usize,
        parent: Option<usize>,
    ) -> Result<(), Fault> {
        let text = W::text(&subject, calls)?;
        self.work.text(W::text_len(&text))?;
        for &known in &self.at[end] {
            if self.nodes[known].state.is(&subject, &text, calls)? {
                return release(subject, calls);
            }
        }
        let offset = self.ends[end].offset;
        if self.at[end].len() >= self.max_states {
            return Err(NotProved::TooManyStates {
                offset,
                max_states: self.max_states,
            }
            .into());
        }
        let state = W::save(subject, text, calls)?;
        let new = self.nodes.len();
        self.at[end].push(new);
        self.nodes.push(Node {
            state,
            end,
            most,
            parent,
        });
        if offset < self.input.stream.len() {
            return Ok(());
        }
        self.finish(calls, new)
    }

    /// Ends the stream at a node.
    fn finish(&mut self, calls: &Calls, node: usize) -> Result<(), Fault> {
        let mut subject = self.resume(calls, node)?;
        let most = self.input.held(self.nodes[node].most, self.initial);
        end(calls, &mut *subject, &mut self.frames, most, self.input)?;
        release(subject, calls)
    }

    /// Returns the offsets at which the chunks before a node end, last first.
    fn path(&self, node: usize) -> impl Iterator<Item = usize> {
        let path = iter::successors(Some(node), |&node| self.nodes[node].parent);
        path.map(|node| self.end_of(node).offset)
    }

    fn end_of(&self, node: usize) -> At {
        self.ends[self.nodes[node].end]
    }

    /// Adds the path to a fault of a call that fed up to an end after a node.
    #[cold]
    fn stop(&self, fault: Fault, end: usize, node: Option<usize>) -> Stop {
        let path = node.into_iter().flat_map(|node| self.path(node));
        fault.on_path(self.input, iter::once(self.ends[end].offset).chain(path))
    }

    /// Drops the states one by one.
    fn release(&mut self) -> Result<(), Stop> {
        while let Some(Node {
            state, end, parent, ..
        }) = self.nodes.pop()
        {
            isolate_calls(self.ends[end].offset, |calls| state.release(calls))
                .map_err(|fault| self.stop(fault, end, parent))?;
        }
        Ok(())
    }
}
