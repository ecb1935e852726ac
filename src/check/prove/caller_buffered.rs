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

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::{iter, mem};

use bytes::BytesMut;

use super::state::release;
use super::{Bounds, Fault, Proof, State, Stop, Work};
use crate::case::hash;
use crate::check::end::end;
use crate::check::input::Input;
use crate::check::isolate::{Calls, Guarded, RETURNS, isolate_calls};
use crate::check::judge::judge_held;
use crate::check::team::{self, Cost, Done};
use crate::check::values::judge_value;
use crate::report::NotProved;
use crate::subject::{Buffered, Decode, Frames};

/// Proves every split of a stream that cuts at no other offsets than `ends`, for the decoders that
/// `fresh` makes. `ends` begin with 0 and end with the length of the stream. Stops if a decoder changes
/// bytes that it leaves in the buffer, which this search cannot follow.
pub(crate) fn prove<W: State<Framer: Decode>>(
    fresh: &dyn Fn() -> W::Framer,
    input: &DecodeInput<'_, W>,
    ends: &[usize],
    bounds: Bounds,
) -> Result<Proof, Stop> {
    let mut search = Search::<W> {
        fresh,
        stream: input.stream,
        hash: hash(input.stream),
        input,
        ends,
        max_states: bounds.max_states,
        initial: 0,
        longest_frames: input.expected.longest_frames(),
        nodes: Vec::new(),
        at: BTreeMap::new(),
        waits: Vec::new(),
        called: Called {
            words: Vec::new(),
            ends: ends.len(),
        },
        left: None,
        followed: Nodes::default(),
        work: Work::new(bounds.max_work),
    };
    search.run()?;
    let states = search.at.values().map(Vec::len).max().unwrap_or(0);
    search.release()?;
    Ok(Proof {
        states,
        calls: search.work.cost.calls,
        by: W::BY,
        work: search.work.cost.work,
    })
}

type DecodeInput<'a, W> =
    Input<'a, <<W as State>::Framer as Decode>::Frame, <<W as State>::Framer as Decode>::Error>;

/// The number of chains that threads share at once.
const AT_ONCE: usize = 1024;

/// Where a decoder can be between two calls.
struct Node<W> {
    state: W,
    consumed: usize,
    delivered: usize,
    /// The call that led here: the node before it, and how many bytes had arrived.
    parent: Option<(usize, usize)>,
    /// The node to which the last call here led.
    next: Option<usize>,
    /// The first end with whose bytes it waits here.
    waits_from: usize,
    /// Whether the stream has been ended here.
    finished: bool,
    /// Where the frame begins that is not whole yet after the consumed bytes.
    frame_start: usize,
    /// The length of the longest frame before that.
    longest_frame: usize,
}

/// A node at which the decoder returned no frame and waits for more bytes.
#[derive(Clone)]
struct Wait {
    node: usize,
    /// The index of the end up to which bytes have arrived.
    end: usize,
    /// Up to which ends bytes can have arrived next: all that no other wait at the node has gone on
    /// with.
    next: Range<usize>,
    /// The wait before the last chunk.
    parent: Option<usize>,
}

struct Search<'a, W: State<Framer: Decode>> {
    fresh: &'a dyn Fn() -> W::Framer,
    stream: &'a [u8],
    /// A hash of the stream.
    hash: u64,
    input: &'a DecodeInput<'a, W>,
    /// The offsets at which chunks may end, from 0 to the end of the stream.
    ends: &'a [usize],
    max_states: usize,
    /// How many bytes a fresh decoder holds.
    initial: usize,
    /// For each number of frames, the length of the longest of the first so many.
    longest_frames: Vec<usize>,
    nodes: Vec<Node<W>>,
    /// The nodes by the number of consumed bytes.
    at: BTreeMap<usize, Vec<usize>>,
    /// In the order in which they were found: fewest chunks first.
    waits: Vec<Wait>,
    called: Called,
    /// What the last wait left in the buffer, and its node.
    left: Option<(usize, BytesMut)>,
    /// Empty memory for the nodes of the next chain.
    followed: Nodes,
    work: Work,
}

/// The nodes and ends at which the decoder has been called: for each 64 nodes, a word for each end with
/// a bit for each of them. A chain of calls has one end and goes from node to node.
struct Called {
    words: Vec<Box<[u64]>>,
    ends: usize,
}

impl Called {
    #[inline]
    fn contains(&self, node: usize, end: usize) -> bool {
        let words = self.words.get(node / 64);
        words.is_some_and(|words| words[end] & 1 << (node % 64) != 0)
    }

    #[inline]
    fn insert(&mut self, nodes: &Nodes, end: usize) {
        for &(block, word) in &nodes.words {
            while self.words.len() <= block {
                self.words.push(vec![0; self.ends].into());
            }
            self.words[block][end] |= word;
        }
    }
}

/// The nodes of a chain: for blocks of 64 nodes, the number of the block and a word with a bit for each
/// of them.
#[derive(Default)]
struct Nodes {
    words: Vec<(usize, u64)>,
}

impl Nodes {
    #[inline]
    fn push(&mut self, node: usize) {
        let bit = 1 << (node % 64);
        match self.words.last_mut() {
            Some((block, word)) if *block == node / 64 => *word |= bit,
            _ => self.words.push((node / 64, bit)),
        }
    }
}

/// Calls with the same bytes, each at the node to which the one before it led.
struct Chain {
    nodes: Nodes,
    /// The node at which the decoder waits then. There is none if the next call has been made before,
    /// or if the caller stops.
    waits: Option<usize>,
}

impl<W: State<Framer: Decode>> Search<'_, W> {
    fn run(&mut self) -> Result<(), Stop> {
        let mut decoder = Guarded::new((self.fresh)());
        let root = isolate_calls(0, |calls| {
            calls.next(RETURNS)?;
            self.initial = decoder.buffered_bytes().unwrap_or(0);
            self.visit(calls, &mut decoder, 0, 0, None)
        })
        .map_err(|fault| self.stop(fault, None, 0))?;
        self.wait(root, 0, None);
        if self.stream.is_empty() {
            // The only stream that can end before any call.
            isolate_calls(0, |calls| self.finish(calls, root))
                .map_err(|fault| self.stop(fault, None, 0))?;
        }
        let last = self.ends.len() - 1;
        let mut layer = 0..self.waits.len();
        while !layer.is_empty() {
            // The chunk to the end first: it needs one cut less than any other.
            for index in layer.clone() {
                if self.waits[index].next.contains(&last) {
                    self.decode(index, last)?;
                }
            }
            for index in layer.clone() {
                let mut from = self.waits[index].next.start;
                loop {
                    let ends = self.open_ends(index, from);
                    let Some(last) = ends.last() else { break };
                    from = last + 1;
                    let done = self.ahead(index, &ends);
                    for (item, &end) in ends.iter().enumerate() {
                        match done.get(item) {
                            // The other ends led to calls with other bytes.
                            Some((chain, cost)) if self.work.add_done(*cost) => {
                                self.follow(index, end, chain)?;
                            }
                            _ => self.decode(index, end)?,
                        }
                    }
                }
            }
            layer = layer.end..self.waits.len();
        }
        Ok(())
    }

    /// Returns some ends, the next ones from an end on, with whose bytes the decoder has not been called
    /// after a wait.
    fn open_ends(&self, wait: usize, from: usize) -> Vec<usize> {
        let Wait { node, next, .. } = &self.waits[wait];
        let open = (from..next.end).filter(|&end| !self.called.contains(*node, end));
        open.take(AT_ONCE).collect()
    }

    /// Tries chains after a wait together with other threads.
    fn ahead(&mut self, wait: usize, ends: &[usize]) -> Done<(Chain, Cost)> {
        let key = self.hash ^ ends[0] as u64;
        team::ahead(key, ends.len(), |item| {
            let before = self.work.cost;
            // A state that is new is one too many.
            let max_states = mem::replace(&mut self.max_states, 0);
            let chain = self.chain(wait, ends[item], Nodes::default());
            self.max_states = max_states;
            let cost = self.work.go_back(before);
            Some((chain.ok()?, cost))
        })
    }

    /// Calls the decoder after a wait with the bytes up to an end, until it waits again or reaches a
    /// call that has been made before.
    fn decode(&mut self, wait: usize, end: usize) -> Result<(), Stop> {
        let nodes = mem::take(&mut self.followed);
        let chain = self
            .chain(wait, end, nodes)
            .map_err(|fault| self.stop(fault, Some(wait), end))?;
        self.follow(wait, end, &chain)?;
        self.followed = chain.nodes;
        self.followed.words.clear();
        Ok(())
    }

    /// Records what a chain of calls after a wait did.
    fn follow(&mut self, wait: usize, end: usize, chain: &Chain) -> Result<(), Stop> {
        self.called.insert(&chain.nodes, end);
        let Some(node) = chain.waits else {
            return Ok(());
        };
        self.wait(node, end, Some(wait));
        if end == self.ends.len() - 1 {
            isolate_calls(self.stream.len(), |calls| self.finish(calls, node))
                .map_err(|fault| self.stop(fault, Some(wait), end))?;
        }
        Ok(())
    }

    /// Makes the calls of a chain. `nodes` is empty memory for them.
    fn chain(&mut self, wait: usize, end: usize, nodes: Nodes) -> Result<Chain, Fault> {
        let mut chain = Chain { nodes, waits: None };
        let offset = self.nodes[self.waits[wait].node].consumed;
        isolate_calls(offset, |calls| {
            self.make_calls(calls, wait, end, &mut chain)
        })?;
        self.work.add(self.copied(wait, end, &chain) as u64)?;
        Ok(chain)
    }

    fn make_calls(
        &mut self,
        calls: &Calls,
        wait: usize,
        end: usize,
        chain: &mut Chain,
    ) -> Result<(), Fault> {
        let mut node = self.waits[wait].node;
        if self.called.contains(node, end) {
            return Ok(());
        }
        let expected = &self.input.expected;
        let (from, arrived) = (self.ends[self.waits[wait].end], self.ends[end]);
        let begun = self.nodes[node].frame_start;
        let mut decoder = self.resume(calls, node)?;
        let mut buffer = self.buffer(node, arrived);
        // To move bytes to the front of the buffer needs no more memory.
        let given = buffer.capacity();
        // What a call leaves is where the next one begins.
        loop {
            chain.nodes.push(node);
            let Node {
                consumed,
                delivered,
                ..
            } = self.nodes[node];
            if decoder.is_empty() {
                decoder = self.resume(calls, node)?;
            }
            self.work.call(0)?;
            calls.at(arrived);
            calls.next(RETURNS)?;
            let result = decoder.decode(&mut buffer);
            let held = decoder.buffered_bytes();
            self.compare(&self.stream[consumed..arrived], &buffer, consumed)?;
            let in_buffer = Some(buffer.capacity()).filter(|&capacity| capacity > given);
            let held = in_buffer.unwrap_or(buffer.len()) + held.unwrap_or(0);
            judge_held(arrived, self.may_hold(node, begun, arrived), Some(held))?;
            let is_frame = judge_value(calls, result, |result| match result {
                Ok(Some(frame)) => {
                    expected.judge_frame(delivered, from, arrived, frame)?;
                    Ok(true)
                }
                other => {
                    let error = other.as_ref().err();
                    expected.judge_wait(delivered, from, arrived, error)?;
                    Ok(false)
                }
            })?;
            let consumed = arrived - buffer.len();
            let call = Some((node, arrived));
            if is_frame {
                node = self.visit(calls, &mut decoder, consumed, delivered + 1, call)?;
                if !self.called.contains(node, end) {
                    continue;
                }
            } else if expected.rejection(arrived).is_none() || !self.input.caller_stops() {
                node = self.visit(calls, &mut decoder, consumed, delivered, call)?;
                self.left = Some((node, buffer));
                chain.waits = Some(node);
            }
            break;
        }
        release(decoder, calls)
    }

    /// Returns how many bytes a chain copied into its buffer. If it waits where the one before it
    /// waited, it was given the same buffer.
    fn copied(&self, wait: usize, end: usize, chain: &Chain) -> usize {
        let Wait { node, ref next, .. } = self.waits[wait];
        if chain.nodes.words.is_empty() {
            0
        } else if chain.waits == Some(node) && end > next.start {
            self.ends[end] - self.ends[end - 1]
        } else {
            self.ends[end] - self.nodes[node].consumed
        }
    }

    /// Returns a buffer with the bytes that have arrived and that a node has not consumed. It
    /// continues the buffer of the last wait if that was at this node and with fewer bytes.
    fn buffer(&mut self, node: usize, arrived: usize) -> BytesMut {
        let rest = &self.stream[self.nodes[node].consumed..arrived];
        let left = self.left.take();
        let left = left.filter(|(at, left)| *at == node && left.len() <= rest.len());
        let mut buffer = match left {
            Some((_, left)) if left.capacity() >= rest.len() => left,
            // Little spare capacity, as a decoder may reserve more.
            Some(_) => BytesMut::with_capacity(rest.len() + rest.len() / 8),
            None => BytesMut::with_capacity(rest.len()),
        };
        buffer.extend_from_slice(&rest[buffer.len()..]);
        buffer
    }

    /// Checks that a call left the end of the bytes that it was given in the buffer.
    fn compare(&mut self, rest: &[u8], buffer: &[u8], offset: usize) -> Result<(), Fault> {
        let is_left = if W::Framer::READS_ONLY {
            buffer.len() <= rest.len()
        } else {
            self.work.add(buffer.len() as u64)?;
            rest.ends_with(buffer)
        };
        if is_left {
            return Ok(());
        }
        Err(NotProved::BufferRewritten { offset }.into())
    }

    /// Returns how many bytes may be held after a call at a node, on the path to it that had to hold
    /// least. The bytes since `begun` were given together, or belong to one frame.
    fn may_hold(&self, node: usize, begun: usize, arrived: usize) -> usize {
        let most = self.nodes[node].longest_frame.max(arrived - begun);
        self.input.held(most, self.initial)
    }

    /// Makes a decoder in the state of a node.
    fn resume(&mut self, calls: &Calls, node: usize) -> Result<Guarded<W::Framer>, Fault> {
        if let Some(resumed) = self.nodes[node].state.resume(calls) {
            return resumed;
        }
        let parents = iter::successors(self.nodes[node].parent, |&(node, _)| {
            self.nodes[node].parent
        });
        let parents: Vec<(usize, usize)> = parents.collect();
        let mut decoder = Guarded::new((self.fresh)());
        for (node, arrived) in parents.into_iter().rev() {
            let rest = &self.stream[self.nodes[node].consumed..arrived];
            self.work.call(rest.len())?;
            let mut buffer = BytesMut::from(rest);
            calls.at(arrived);
            calls.next(RETURNS)?;
            drop(decoder.decode(&mut buffer));
        }
        Ok(decoder)
    }

    /// Returns the node of a decoder's state. If it is new, adds it, which takes the decoder. `parent`
    /// is the call that led to it.
    fn visit(
        &mut self,
        calls: &Calls,
        decoder: &mut Guarded<W::Framer>,
        consumed: usize,
        delivered: usize,
        parent: Option<(usize, usize)>,
    ) -> Result<usize, Fault> {
        let text = W::text(decoder, calls)?;
        self.work.text(W::text_len(&text))?;
        let node = match self.find(calls, decoder, &text, consumed, delivered, parent)? {
            Some(known) => known,
            None => self.add(calls, decoder.take(), text, consumed, delivered, parent)?,
        };
        if let Some((parent, _)) = parent {
            self.nodes[parent].next = Some(node);
        }
        Ok(node)
    }

    fn find(
        &self,
        calls: &Calls,
        decoder: &W::Framer,
        text: &W::Text,
        consumed: usize,
        delivered: usize,
        parent: Option<(usize, usize)>,
    ) -> Result<Option<usize>, Fault> {
        let is = |index: usize| -> Result<bool, Fault> {
            let node = &self.nodes[index];
            let is_there = (node.consumed, node.delivered) == (consumed, delivered);
            Ok(is_there && node.state.is(decoder, text, calls)?)
        };
        // Most calls lead to the same node with one byte more.
        let likely = parent.and_then(|(node, _)| self.nodes[node].next);
        if let Some(likely) = likely
            && is(likely)?
        {
            return Ok(Some(likely));
        }
        for &known in self.at.get(&consumed).into_iter().flatten() {
            if is(known)? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    fn add(
        &mut self,
        calls: &Calls,
        decoder: Guarded<W::Framer>,
        text: W::Text,
        consumed: usize,
        delivered: usize,
        parent: Option<(usize, usize)>,
    ) -> Result<usize, Fault> {
        let known = self.at.entry(consumed).or_default();
        if known.len() >= self.max_states {
            return Err(NotProved::TooManyStates {
                offset: consumed,
                max_states: self.max_states,
            }
            .into());
        }
        let state = W::save(decoder, text, calls)?;
        let new = self.nodes.len();
        known.push(new);
        let expected = &self.input.expected;
        let at = expected.at(consumed);
        self.nodes.push(Node {
            state,
            consumed,
            delivered,
            parent,
            next: None,
            waits_from: self.ends.len(),
            finished: false,
            frame_start: expected.frame_start(at),
            longest_frame: self.longest_frames[at.due],
        });
        Ok(new)
    }

    /// Records that the decoder waits at a node, with every end up to which bytes can have arrived
    /// next and that it has not gone on with from there.
    fn wait(&mut self, node: usize, end: usize, parent: Option<usize>) {
        let next = end..self.nodes[node].waits_from;
        if next.is_empty() {
            return;
        }
        self.nodes[node].waits_from = end;
        self.waits.push(Wait {
            node,
            end,
            next,
            parent,
        });
    }

    /// Ends the stream at a node where the decoder waits with all bytes.
    fn finish(&mut self, calls: &Calls, node: usize) -> Result<(), Fault> {
        if mem::replace(&mut self.nodes[node].finished, true) {
            return Ok(());
        }
        let mut decoder = self.resume(calls, node)?;
        let len = self.stream.len();
        let unconsumed = &self.stream[self.nodes[node].consumed..];
        let mut frames = Guarded::new(Frames::for_expected(len, &self.input.expected));
        let most = self.may_hold(node, self.nodes[node].frame_start, len);
        let most = most.max(self.input.held(unconsumed.len(), self.initial));
        let mut subject = Buffered::resumed(&mut *decoder, unconsumed);
        end(calls, &mut subject, &mut frames, most, self.input)?;
        release(decoder, calls)
    }

    /// Adds the path to a fault of a call after a wait, with the bytes up to an end.
    #[cold]
    fn stop(&self, fault: Fault, wait: Option<usize>, end: usize) -> Stop {
        let path = iter::successors(wait, |&wait| self.waits[wait].parent);
        let ends = iter::once(end).chain(path.map(|wait| self.waits[wait].end));
        fault.on_path(self.input, ends.map(|end| self.ends[end]))
    }

    /// Drops the states one by one.
    fn release(&mut self) -> Result<(), Stop> {
        while let Some(Node {
            state, consumed, ..
        }) = self.nodes.pop()
        {
            isolate_calls(consumed, |calls| state.release(calls))
                .map_err(|fault| self.stop(fault, None, self.ends.len() - 1))?;
        }
        Ok(())
    }
}
