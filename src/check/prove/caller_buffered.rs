//! Proves a decoder whose caller owns the buffer, in far fewer calls than a framer that is fed.
//!
//! Such a decoder sees the bytes from the first one that it has not consumed up to the last one that
//! arrived, and nothing of how they arrived. So all offsets inside one wait share a node: (bytes
//! consumed, frames delivered, state). What a call does there depends only on the node and on how many
//! bytes have arrived, and each such pair is called once.
//!
//! Every split is a path through these calls, by induction on its chunks: a chunk makes more bytes
//! arrive, then the decoder is called until it returns no frame, and waits at a node. From each wait
//! the search goes on with every number of bytes that can have arrived next.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::{iter, mem};

use bytes::BytesMut;

use super::{Proof, Stop};
use crate::check::end::end;
use crate::check::finding::Finding;
use crate::check::input::Input;
use crate::check::isolate::isolate;
use crate::check::judge::judge_held;
use crate::report::NotProved;
use crate::subject::{Buffered, Decode, Frames};

/// Proves every split of a stream for a `decoder` at the beginning of a stream. Stops if the decoder is
/// in more than `max_states` states after consuming the same bytes, and if it changes bytes that it
/// leaves in the buffer, which this search cannot follow.
pub(crate) fn prove<D: Decode + Clone + Eq>(
    decoder: D,
    input: &Input<'_, D::Frame, D::Error>,
    max_states: usize,
) -> Result<Proof, Stop> {
    let mut search = Search {
        stream: input.stream,
        input,
        max_states,
        nodes: Vec::new(),
        at: (0..=input.stream.len()).map(|_| Vec::new()).collect(),
        waits: Vec::new(),
        calls: 0,
    };
    search.run(decoder)?;
    Ok(Proof {
        states: search.at.iter().map(Vec::len).max().unwrap_or(0),
        calls: search.calls,
    })
}

/// Where a decoder can be between two calls.
struct Node<D> {
    decoder: D,
    consumed: usize,
    delivered: usize,
    /// For each number of arrived bytes, whether the decoder has been called here.
    called: Vec<bool>,
    /// The least number of arrived bytes with which it waits here.
    waits_from: usize,
    /// Whether the stream has been ended here.
    finished: bool,
}

/// A node at which the decoder returned no frame and waits for more bytes.
#[derive(Clone)]
struct Wait {
    node: usize,
    /// How many bytes have arrived.
    arrived: usize,
    /// How many bytes can have arrived next: all numbers that no other wait at the node has gone on
    /// with.
    next: Range<usize>,
    /// The wait before the last chunk.
    parent: Option<usize>,
}

struct Search<'a, D: Decode> {
    stream: &'a [u8],
    input: &'a Input<'a, D::Frame, D::Error>,
    max_states: usize,
    nodes: Vec<Node<D>>,
    /// The nodes by the number of consumed bytes.
    at: Vec<Vec<usize>>,
    /// In the order in which they were found: fewest chunks first.
    waits: Vec<Wait>,
    /// The number of calls of `decode`.
    calls: u64,
}

impl<D: Decode + Clone + Eq> Search<'_, D> {
    fn run(&mut self, decoder: D) -> Result<(), Stop> {
        let root = self.visit(decoder, 0, 0)?;
        self.wait(root, 0, None);
        let mut layer = 0..self.waits.len();
        while !layer.is_empty() {
            // The chunk to the end first: it needs one cut less than any other.
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

    /// Calls the decoder at a node with `arrived` bytes, until it waits or reaches a call that has
    /// been made before.
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
            let result = isolate(arrived, || decoder.decode(&mut buffer))
                .map_err(|finding| self.violation(finding, wait, Some(arrived)))?;
            let rest = &self.stream[consumed..arrived];
            if !rest.ends_with(&buffer) {
                return Err(Stop::NotProved(NotProved::BufferRewritten {
                    offset: consumed,
                }));
            }
            let need = self.input.expected.need(consumed, arrived);
            let most = self.input.held(need, 0);
            judge_held(arrived, most, Some(buffer.capacity()))
                .map_err(|finding| self.violation(finding, wait, Some(arrived)))?;
            let consumed = arrived - buffer.len();
            match result {
                Ok(Some(frame)) => {
                    let judged = self.input.expected.judge_frame(
                        delivered,
                        self.waits[wait].arrived,
                        arrived,
                        &frame,
                    );
                    judged.map_err(|finding| self.violation(finding, wait, Some(arrived)))?;
                    node = self.visit(decoder, consumed, delivered + 1)?;
                }
                other => {
                    let result = other.map(|_| ());
                    let judged = self.input.expected.judge_wait(
                        delivered,
                        self.waits[wait].arrived,
                        arrived,
                        &result,
                    );
                    judged.map_err(|finding| self.violation(finding, wait, Some(arrived)))?;
                    if result.is_err() && self.input.caller_stops() {
                        return Ok(());
                    }
                    let node = self.visit(decoder, consumed, delivered)?;
                    self.wait(node, arrived, Some(wait));
                    if arrived == self.stream.len() {
                        self.finish(node, wait)?;
                    }
                    return Ok(());
                }
            }
        }
        // The calls from here on have been followed.
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
        if known.len() == self.max_states {
            return Err(Stop::NotProved(NotProved::TooManyStates {
                offset: consumed,
                max_states: self.max_states,
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

    /// Records that the decoder waits at a node, with every number of bytes that can have arrived
    /// next and that it has not gone on with from there.
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

    /// Ends the stream at a node where the decoder waits with all bytes.
    fn finish(&mut self, node: usize, wait: usize) -> Result<(), Stop> {
        if mem::replace(&mut self.nodes[node].finished, true) {
            return Ok(());
        }
        let decoder = self.nodes[node].decoder.clone();
        let unconsumed = &self.stream[self.nodes[node].consumed..];
        let mut subject = Buffered::resumed(decoder, unconsumed);
        let mut frames = Frames::for_expected(self.stream.len(), &self.input.expected);
        let need = self.stream.len() - self.nodes[node].consumed;
        let most = self.input.held(need, 0);
        end(&mut subject, &mut frames, most, self.input)
            .map_err(|finding| self.violation(finding, wait, None))
    }

    /// Makes the violation of a call with `arrived` bytes, or at the end of the stream.
    fn violation(&self, finding: Finding, wait: usize, arrived: Option<usize>) -> Stop {
        let path = iter::successors(Some(wait), |&wait| self.waits[wait].parent);
        let path = path.map(|wait| self.waits[wait].arrived);
        Stop::violation(
            self.input
                .violation_on_path(finding, arrived.into_iter().chain(path)),
        )
    }
}
