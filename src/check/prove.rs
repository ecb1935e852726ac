//! Proves that a subject gives the same whatever the split: a search over the
//! states that it can be in, which merges the equal ones.
//!
//! Whatever a split did to a subject before an offset is in the state that it
//! left it in. So the search visits nodes (offset, state): it starts at offset 0
//! with a fresh subject, and from each node feeds each chunk that can come
//! next, `offset..end` for every `end`. Each call is held to what must be out
//! between the two offsets, and leads to a node at `end`. A state that is
//! equal to one seen at that offset leads nowhere new.
//!
//! Every split of the stream is a path through these nodes, by induction on its
//! chunks, and every call on the path has been judged: when the search is done,
//! all 2^(n-1) splits have been. A right framer has one state an offset, and
//! n(n+1)/2 calls of `feed` are enough, with one empty chunk an offset.
//!
//! The search goes layer by layer, a chunk more each, so that the first
//! violation found is one with the fewest cuts.

use alloc::vec::Vec;

use super::guard::guard;
use super::judge::{Call, Found, judge_held};
use super::{Certificate, Expected, Tier, Violation};
use crate::subject::{Frames, Subject};

/// Why a subject could not be proved: it was in so many states at one offset
/// that the search was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotProved {
    /// The offset.
    pub offset: usize,
    /// The bound on states that was passed there.
    pub bound: usize,
}

/// Proves every split of `stream`, empty chunks between any two others
/// included, from `subject` at the beginning of a stream.
///
/// `Eq` must cover all that decides what the subject does next, the bytes that
/// it has buffered included.
///
/// Returns a certificate of the tier [`Tier::Proved`], or [`NotProved`] when the
/// subject was in more than `bound` states at one offset.
///
/// # Errors
///
/// A violation with the fewest cuts.
pub fn prove<S: Subject + Clone + Eq>(
    subject: S,
    stream: &[u8],
    expected: &Expected<S::Frame, S::Error>,
    bound: usize,
) -> Result<Result<Certificate, NotProved>, Violation> {
    let mut search = Search {
        stream,
        expected,
        bound,
        nodes: Vec::new(),
        at: (0..=stream.len()).map(|_| Vec::new()).collect(),
        feeds: 0,
        frames: Frames::for_stream(stream.len()),
    };
    let outcome = search.run(subject);
    let states = search.at.iter().map(Vec::len).max().unwrap_or(0);
    conclude(outcome, states, stream.len(), search.feeds)
}

/// Why a search ends before it is done.
pub(super) enum Stop {
    NotProved(NotProved),
    Violation(Violation),
}

/// Makes of the end of a search what a proof returns.
pub(super) fn conclude(
    outcome: Result<(), Stop>,
    states: usize,
    bytes: usize,
    feeds: u64,
) -> Result<Result<Certificate, NotProved>, Violation> {
    let tier = Tier::Proved { states };
    match outcome {
        Ok(()) => Ok(Ok(Certificate {
            tier,
            bytes,
            feeds,
            declared: Vec::new(),
        })),
        Err(Stop::NotProved(unmerged)) => Ok(Err(unmerged)),
        Err(Stop::Violation(violation)) => Err(violation),
    }
}

/// A state that the subject can be in.
struct Node<S> {
    subject: S,
    offset: usize,
    /// The largest number of bytes that it has had to hold.
    most: usize,
    /// The node at which the chunk was fed that led here.
    parent: Option<usize>,
}

struct Search<'a, S: Subject> {
    stream: &'a [u8],
    expected: &'a Expected<S::Frame, S::Error>,
    bound: usize,
    /// In the order in which they were found.
    nodes: Vec<Node<S>>,
    /// The nodes at each offset.
    at: Vec<Vec<usize>>,
    feeds: u64,
    /// What the last call gave.
    frames: Frames<S::Frame>,
}

impl<S: Subject + Clone + Eq> Search<'_, S> {
    fn run(&mut self, subject: S) -> Result<(), Stop> {
        self.visit(Node {
            subject,
            offset: 0,
            most: 0,
            parent: None,
        })?;
        let mut layer = 0..1;
        while !layer.is_empty() {
            // The chunk to the end makes one cut less than any other, so it is
            // first.
            for node in layer.clone() {
                self.feed(node, self.stream.len())?;
            }
            for node in layer.clone() {
                for to in self.nodes[node].offset..self.stream.len() {
                    self.feed(node, to)?;
                }
            }
            layer = layer.end..self.nodes.len();
        }
        Ok(())
    }

    /// Feeds the bytes from a node up to `to`, and visits where that leads.
    fn feed(&mut self, node: usize, to: usize) -> Result<(), Stop> {
        let from = self.nodes[node].offset;
        let mut subject = self.nodes[node].subject.clone();
        let most = self.nodes[node].most.max(self.expected.need(from, to));
        let (stream, expected, frames) = (self.stream, self.expected, &mut self.frames);
        self.feeds += 1;
        frames.clear();
        let call = || {
            (
                subject.feed(&stream[from..to], frames),
                subject.buffered_bytes(),
            )
        };
        let judged = guard(to, call).and_then(|(result, held)| {
            let (frames, result) = (&self.frames[..], &result);
            expected.judge_feed(from, to, &Call { frames, result })?;
            judge_held(to, most, held)
        });
        judged.map_err(|found| self.violation(found, node, Some(to)))?;
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
        if known.len() == self.bound {
            let (offset, bound) = (node.offset, self.bound);
            return Err(Stop::NotProved(NotProved { offset, bound }));
        }
        let new = self.nodes.len();
        known.push(new);
        self.nodes.push(node);
        if self.nodes[new].offset < self.stream.len() {
            return Ok(());
        }
        let mut subject = self.nodes[new].subject.clone();
        let (len, expected, frames) = (self.stream.len(), self.expected, &mut self.frames);
        frames.clear();
        let judged = guard(len, || subject.finish(frames)).and_then(|result| {
            let (frames, result) = (&self.frames[..], &result);
            expected.judge_finish(len, &Call { frames, result })
        });
        judged.map_err(|found| self.violation(found, new, None))
    }

    /// Tells the cuts on the way to a call that fed up to `to` at a node, or told
    /// it of the end.
    fn violation(&self, found: Found, node: usize, to: Option<usize>) -> Stop {
        let path = core::iter::successors(Some(node), |&node| self.nodes[node].parent);
        let path = path.map(|node| self.nodes[node].offset);
        Stop::Violation(found.on_path(self.stream, to.into_iter().chain(path)))
    }
}
