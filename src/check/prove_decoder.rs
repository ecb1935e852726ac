//! Proves a decoder whose caller owns the buffer. It does in fewer calls what
//! `prove` does for any subject.
//!
//! Such a decoder sees the bytes from the first that it has not consumed up to
//! the last that came, and nothing of how they came. So all offsets inside one
//! wait share a node: (bytes consumed, frames delivered, state). What a call
//! does there depends on the node and on how many bytes are in, and is asked
//! once for each such pair.
//!
//! Every split is a path through these calls, by induction on its chunks: a
//! chunk makes more bytes be in, then the decoder is called until it gives no
//! frame, and waits at a node. Each wait goes on with every number of bytes
//! that can be in next.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::{iter, mem};

use bytes::BytesMut;

use super::guard::guard;
use super::judge::{Call, Found};
use super::prove::{Stop, conclude};
use super::{Certificate, Expected, NotProved, Violation};
use crate::subject::Decode;

/// Proves every split of `stream` for a `decoder` at the beginning of a stream,
/// as [`prove`](super::prove()) does for a subject. The certificate counts calls
/// of `decode`.
///
/// Returns [`NotProved`] when the decoder was in more than `bound` states after
/// consuming the same bytes, and when it changes bytes that it leaves in the
/// buffer, which this search cannot follow.
///
/// # Errors
///
/// A violation with the fewest cuts.
pub fn prove_decoder<D: Decode + Clone + Eq>(
    decoder: D,
    stream: &[u8],
    expected: &Expected<D::Frame, D::Error>,
    bound: usize,
) -> Result<Result<Certificate, NotProved>, Violation> {
    let mut search = Search {
        stream,
        expected,
        bound,
        nodes: Vec::new(),
        at: (0..=stream.len()).map(|_| Vec::new()).collect(),
        waits: Vec::new(),
        calls: 0,
    };
    let outcome = search.run(decoder);
    let states = search.at.iter().map(Vec::len).max().unwrap_or(0);
    conclude(outcome, states, stream.len(), search.calls)
}

/// Where a decoder can be between two calls.
struct Node<D> {
    decoder: D,
    consumed: usize,
    delivered: usize,
    /// With how many bytes in it has been called here.
    called: Vec<bool>,
    /// The least number of bytes in with which it waits here.
    waits_from: usize,
    /// Whether it has been told of the end here.
    finished: bool,
}

/// A node at which the decoder gave no frame, and waits for more bytes.
#[derive(Clone)]
struct Wait {
    node: usize,
    /// How many bytes are in.
    arrived: usize,
    /// How many bytes can be in next: all that no other wait at the node has
    /// gone on with.
    next: Range<usize>,
    /// The wait before the last chunk.
    parent: Option<usize>,
}

struct Search<'a, D: Decode> {
    stream: &'a [u8],
    expected: &'a Expected<D::Frame, D::Error>,
    bound: usize,
    nodes: Vec<Node<D>>,
    /// The nodes by how many bytes are consumed.
    at: Vec<Vec<usize>>,
    /// In the order in which they were found: fewest chunks first.
    waits: Vec<Wait>,
    calls: u64,
}

impl<D: Decode + Clone + Eq> Search<'_, D> {
    fn run(&mut self, decoder: D) -> Result<(), Stop> {
        let root = self.visit(decoder, 0, 0)?;
        self.wait(root, 0, None);
        let mut layer = 0..self.waits.len();
        while !layer.is_empty() {
            // The chunk to the end makes one cut less than any other, so it is
            // first.
            for index in layer.clone() {
                let wait = &self.waits[index];
                if wait.next.contains(&self.stream.len()) {
                    self.decode(wait.node, self.stream.len(), index)?;
                }
            }
            for index in layer.clone() {
                let wait = self.waits[index].clone();
                for arrived in wait.next {
                    self.decode(wait.node, arrived, index)?;
                }
            }
            layer = layer.end..self.waits.len();
        }
        Ok(())
    }

    /// Calls the decoder at a node, with so many bytes in, until it waits or has
    /// been there before.
    fn decode(&mut self, node: usize, arrived: usize, wait: usize) -> Result<(), Stop> {
        let mut node = node;
        while !self.nodes[node].called[arrived] {
            self.nodes[node].called[arrived] = true;
            let Node {
                consumed,
                delivered,
                ..
            } = self.nodes[node];
            let mut decoder = self.nodes[node].decoder.clone();
            let mut buffer = BytesMut::from(&self.stream[consumed..arrived]);
            self.calls += 1;
            let result = guard(arrived, || decoder.decode(&mut buffer))
                .map_err(|found| self.violation(found, wait, Some(arrived)))?;
            let rest = &self.stream[consumed..arrived];
            if !rest.ends_with(&buffer) {
                return Err(Stop::NotProved(NotProved {
                    offset: consumed,
                    bound: 0,
                }));
            }
            let consumed = arrived - buffer.len();
            match result {
                Ok(Some(frame)) => {
                    let judged = self.expected.judge_frame(delivered, arrived, &frame);
                    judged.map_err(|found| self.violation(found, wait, Some(arrived)))?;
                    node = self.visit(decoder, consumed, delivered + 1)?;
                }
                other => {
                    let result = other.map(|_| ());
                    let judged = self.expected.judge_wait(delivered, arrived, &result);
                    judged.map_err(|found| self.violation(found, wait, Some(arrived)))?;
                    let node = self.visit(decoder, consumed, delivered)?;
                    self.wait(node, arrived, Some(wait));
                    if arrived == self.stream.len() {
                        self.finish(node, wait)?;
                    }
                    return Ok(());
                }
            }
        }
        // What it does from here on has been followed, and it may wait there.
        Ok(())
    }

    fn visit(&mut self, decoder: D, consumed: usize, delivered: usize) -> Result<usize, Stop> {
        let known = &self.at[consumed];
        let equal = |&&known: &&usize| {
            let known = &self.nodes[known];
            known.delivered == delivered && known.decoder == decoder
        };
        if let Some(&known) = known.iter().find(equal) {
            return Ok(known);
        }
        if known.len() == self.bound {
            return Err(Stop::NotProved(NotProved {
                offset: consumed,
                bound: self.bound,
            }));
        }
        let new = self.nodes.len();
        self.at[consumed].push(new);
        self.nodes.push(Node {
            decoder,
            consumed,
            delivered,
            called: vec![false; self.stream.len() + 1],
            waits_from: self.stream.len() + 1,
            finished: false,
        });
        Ok(new)
    }

    /// Notes that the decoder waits at a node, with every number of bytes that
    /// can be in next and that it has not gone on with from there.
    fn wait(&mut self, node: usize, arrived: usize, parent: Option<usize>) {
        let next = arrived..self.nodes[node].waits_from;
        if next.is_empty() {
            return;
        }
        self.nodes[node].waits_from = arrived;
        self.waits.push(Wait {
            node,
            arrived,
            next,
            parent,
        });
    }

    /// Tells the decoder of the end, at a node where it waits with all bytes in.
    fn finish(&mut self, node: usize, wait: usize) -> Result<(), Stop> {
        if mem::replace(&mut self.nodes[node].finished, true) {
            return Ok(());
        }
        let mut decoder = self.nodes[node].decoder.clone();
        let mut buffer = BytesMut::from(&self.stream[self.nodes[node].consumed..]);
        let mut frames = Vec::new();
        let (len, expected) = (self.stream.len(), self.expected);
        let call = || loop {
            match decoder.decode_eof(&mut buffer) {
                Ok(Some(frame)) if frames.len() <= expected.at_end.len() => frames.push(frame),
                Ok(_) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let judged = guard(len, call).and_then(|result| {
            let (frames, result) = (&frames[..], &result);
            expected.judge_finish(len, &Call { frames, result })
        });
        judged.map_err(|found| self.violation(found, wait, None))
    }

    /// Tells the cuts on the way to a call with so many bytes in, or to the end.
    fn violation(&self, found: Found, wait: usize, arrived: Option<usize>) -> Stop {
        let path = iter::successors(Some(wait), |&wait| self.waits[wait].parent);
        let path = path.map(|wait| self.waits[wait].arrived);
        Stop::Violation(found.on_path(self.stream, arrived.into_iter().chain(path)))
    }
}
