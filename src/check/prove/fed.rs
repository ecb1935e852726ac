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

use super::{Proof, Stop};
use crate::check::end::end;
use crate::check::finding::Finding;
use crate::check::input::Input;
use crate::check::isolate::isolate;
use crate::check::judge::{Call, judge_held};
use crate::report::NotProved;
use crate::subject::{Frames, Subject};

/// Proves every split of a stream, with empty chunks between any two others, from `subject` at the
/// beginning of a stream. Stops if the subject is in more than `max_states` states at one offset.
pub(crate) fn prove<S: Subject + Clone + Eq>(
    subject: S,
    input: &Input<'_, S::Frame, S::Error>,
    max_states: usize,
) -> Result<Proof, Stop> {
    let mut search = Search {
        input,
        max_states,
        nodes: Vec::new(),
        at: (0..=input.stream.len()).map(|_| Vec::new()).collect(),
        calls: 0,
        frames: Frames::for_expected(input.stream.len(), &input.expected),
        initial: 0,
    };
    search.run(subject)?;
    Ok(Proof {
        states: search.at.iter().map(Vec::len).max().unwrap_or(0),
        calls: search.calls,
    })
}

/// A state that the subject can be in at an offset.
struct Node<S> {
    subject: S,
    offset: usize,
    /// The largest number of bytes that it has had to hold.
    most: usize,
    /// The node from which the last chunk was fed.
    parent: Option<usize>,
}

struct Search<'a, S: Subject> {
    input: &'a Input<'a, S::Frame, S::Error>,
    max_states: usize,
    /// In the order in which they were found.
    nodes: Vec<Node<S>>,
    /// The nodes at each offset.
    at: Vec<Vec<usize>>,
    /// The number of calls of `feed`.
    calls: u64,
    /// The frames of the last call.
    frames: Frames<S::Frame>,
    /// How many bytes the framer held before it was fed.
    initial: usize,
}

impl<S: Subject + Clone + Eq> Search<'_, S> {
    fn run(&mut self, subject: S) -> Result<(), Stop> {
        self.initial = subject.buffered_bytes().unwrap_or(0);
        self.visit(Node {
            subject,
            offset: 0,
            most: 0,
            parent: None,
        })?;
        let mut layer = 0..1;
        while !layer.is_empty() {
            // The chunk to the end first: it needs one cut less than any other.
            for node in layer.clone() {
                self.feed(node, self.input.stream.len())?;
            }
            for node in layer.clone() {
                for to in self.nodes[node].offset..self.input.stream.len() {
                    self.feed(node, to)?;
                }
            }
            layer = layer.end..self.nodes.len();
        }
        Ok(())
    }

    /// Feeds the bytes from a node up to `to`, and visits the node that this leads to.
    fn feed(&mut self, node: usize, to: usize) -> Result<(), Stop> {
        let from = self.nodes[node].offset;
        let mut subject = self.nodes[node].subject.clone();
        let (stream, expected) = (self.input.stream, &self.input.expected);
        let most = self.nodes[node].most.max(expected.need(from, to));
        let frames = &mut self.frames;
        self.calls += 1;
        frames.clear();
        let call = || {
            (
                subject.feed(&stream[from..to], frames),
                subject.buffered_bytes(),
            )
        };
        let judged = isolate(to, call).and_then(|(result, held)| {
            let (frames, result) = (&self.frames[..], &result);
            expected.judge_feed(from, to, &Call { frames, result })?;
            judge_held(to, self.input.held(most, self.initial), held)
        });
        judged.map_err(|finding| self.violation(finding, node, Some(to)))?;
        if self.input.caller_stops() && expected.rejection(to).is_some() {
            return Ok(());
        }
        self.visit(Node {
            subject,
            offset: to,
            most,
            parent: Some(node),
        })
    }

    fn visit(&mut self, node: Node<S>) -> Result<(), Stop> {
        let known = &mut self.at[node.offset];
        if known
            .iter()
            .any(|&known| self.nodes[known].subject == node.subject)
        {
            return Ok(());
        }
        if known.len() == self.max_states {
            return Err(Stop::NotProved(NotProved::TooManyStates {
                offset: node.offset,
                max_states: self.max_states,
            }));
        }
        let new = self.nodes.len();
        known.push(new);
        self.nodes.push(node);
        if self.nodes[new].offset < self.input.stream.len() {
            return Ok(());
        }
        let mut subject = self.nodes[new].subject.clone();
        let most = self.input.held(self.nodes[new].most, self.initial);
        let frames = &mut self.frames;
        end(&mut subject, frames, most, self.input)
            .map_err(|finding| self.violation(finding, new, None))
    }

    /// Makes the violation of a call that fed up to `to` from a node, or ended the stream there.
    fn violation(&self, finding: Finding, node: usize, to: Option<usize>) -> Stop {
        let path = core::iter::successors(Some(node), |&node| self.nodes[node].parent);
        let path = path.map(|node| self.nodes[node].offset);
        Stop::violation(
            self.input
                .violation_on_path(finding, to.into_iter().chain(path)),
        )
    }
}
