//! Compares both proofs with brute force, for each way to save and compare states. On correct and on buggy framers a proof must have the
//! same result as trying every split, and report a violation with the same number of cuts.
//!
//! The format is the smallest in which everything can go wrong: a length of one byte, at most 1,
//! then the body.

use std::mem;

use bytes::{BufMut, BytesMut};
use everysplit::reference::{Config, Decoder, Framer, naive};
use everysplit::subject::{Buffered, Decode};
use everysplit::{
    Case, Certificate, Expected, Harness, Interruption, NotProved, Outcome, Property, ProvedBy,
    Split, Tier, Violation,
};

/// The largest length of a body.
const LIMIT: u8 = 1;

/// The bit that [`Bug::Rewrites`] sets in a length that it has read.
const MARK: u8 = 0x80;

/// How many states at one offset the proofs follow.
const MAX_STATES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    TooLong(u8),
    Truncated,
}

/// Parses a whole stream.
fn parse(stream: &[u8]) -> Expected<Vec<u8>, Error> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let Some((&length, rest)) = stream[start..].split_first() else {
            break Outcome::Clean;
        };
        if length > LIMIT {
            let (at, error) = (start + 1, Error::TooLong(length));
            break Outcome::Rejected { at, error };
        }
        let Some(body) = rest.get(..length.into()) else {
            break Outcome::Truncated(Error::Truncated);
        };
        start += 1 + body.len();
        frames.push((start, body.to_vec()));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// What a [`Toy`] does differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// Removes the length from the buffer and stores it. Correct, with more states.
    StoresLength,
    /// Removes the length from the buffer and forgets it.
    DropsLength,
    /// Waits for one byte after each frame.
    Late,
    /// Adds a byte to an empty body if more bytes follow it in the buffer.
    Peeks,
    /// Drops the bytes after a frame.
    DropsTheRest,
    /// Goes on after an error.
    NotPoisoned,
    /// Accepts an end inside a frame.
    CleanEnd,
    /// Returns a wrong frame if that frame and the two before it are cut.
    ThreeCuts,
    /// Forgets an error when it is called with an empty buffer.
    EmptyHeals,
    /// Counts its calls. Correct, but never in the same state twice.
    Counts,
    /// Marks the length that it leaves in the buffer. Correct.
    Rewrites,
    /// Marks the length, and removes the mark in the next call. Correct.
    RewritesAndRestores,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Toy {
    bug: Bug,
    /// The length, if it has been removed from the buffer.
    length: Option<u8>,
    /// The length that was over the limit.
    rejected: Option<u8>,
    /// Whether the current frame is cut.
    waited: bool,
    /// The calls so far; with [`Bug::ThreeCuts`] the cut frames in succession.
    count: usize,
}

impl Toy {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            length: None,
            rejected: None,
            waited: false,
            count: 0,
        }
    }
}

impl Decode for Toy {
    type Frame = Vec<u8>;
    type Error = Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        match self.bug {
            Bug::Counts => self.count += 1,
            Bug::EmptyHeals if buffer.is_empty() => self.rejected = None,
            _ => {}
        }
        if let Some(length) = self.rejected {
            return Err(Error::TooLong(length));
        }
        let length = match self.length {
            Some(length) => length,
            None if buffer.is_empty() => return Ok(None),
            None => buffer[0] & !MARK,
        };
        if length > LIMIT {
            if self.bug == Bug::NotPoisoned {
                buffer.clear();
            } else {
                self.rejected = Some(length);
            }
            if self.bug == Bug::EmptyHeals {
                buffer.clear();
            }
            return Err(Error::TooLong(length));
        }
        let taken = matches!(self.bug, Bug::StoresLength | Bug::DropsLength);
        if taken && self.length.is_none() {
            let first = buffer.split_to(1)[0];
            if self.bug == Bug::StoresLength {
                self.length = Some(first);
            }
        }
        let header = usize::from(!taken);
        let end = header + usize::from(length);
        let late = usize::from(self.bug == Bug::Late);
        if buffer.len() < end + late {
            match self.bug {
                Bug::Rewrites => buffer[0] |= MARK,
                Bug::RewritesAndRestores => buffer[0] ^= MARK,
                _ => {}
            }
            self.waited = true;
            return Ok(None);
        }
        self.length = None;
        let mut frame = buffer.split_to(end)[header..].to_vec();
        if self.bug == Bug::Peeks && frame.is_empty() && !buffer.is_empty() {
            frame.put_u8(0);
        }
        let waited = mem::take(&mut self.waited);
        if self.bug == Bug::ThreeCuts {
            self.count = if waited { self.count + 1 } else { 0 };
            if self.count == 3 {
                frame.push(9);
            }
        }
        if self.bug == Bug::DropsTheRest {
            buffer.clear();
        }
        Ok(Some(frame))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        match self.decode(buffer)? {
            None if self.bug == Bug::CleanEnd => Ok(None),
            None if buffer.is_empty() && self.length.is_none() => Ok(None),
            None => Err(Error::Truncated),
            frame => Ok(frame),
        }
    }
}

/// Defines a [`Toy`] with fewer traits, so that its states are saved and compared in another way.
macro_rules! toy_with {
    ($($name:ident: $($trait:ident)*;)*) => {
        $(#[derive($($trait),*)]
        struct $name(Toy);

        impl Decode for $name {
            type Frame = Vec<u8>;
            type Error = Error;

            fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
                self.0.decode(buffer)
            }

            fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
                self.0.decode_eof(buffer)
            }
        })*
    };
}

toy_with! {
    CloneDebug: Clone Debug;
    OnlyEq: PartialEq Eq;
    OnlyDebug: Debug;
}

/// Tries every split. Returns the smallest number of cuts with which a split shows a violation.
///
/// Empty chunks are tried too if the stream is short or if they trigger the bug.
fn brute_force(bug: Bug, stream: &[u8], expected: &Expected<Vec<u8>, Error>) -> Option<usize> {
    let harness =
        Harness::framer(move || Buffered::new(Toy::new(bug))).oracle(|_: &[u8]| expected.clone());
    // A case with empty chunks is run without them first.
    let interruption = if stream.len() <= 6 || bug == Bug::EmptyHeals {
        Interruption::EmptyChunk
    } else {
        Interruption::None
    };
    Split::all(stream.len())
        .map(|split| Case::new(stream, split).with(interruption))
        .find(|case| harness.one_split(case).is_err())
        .map(|case| case.split.cuts().len())
}

/// Proves a decoder as a framer that is fed, and as a decoder whose caller owns the buffer. A
/// violation is not minimised and keeps the cuts with which the proof found it. A macro, as the
/// choice of the proof depends on the type.
macro_rules! proofs_of {
    ($make:expr, $stream:expr, $expected:expr) => {{
        let make = $make;
        let fed = Harness::framer(move || Buffered::new(make()))
            .oracle(|_: &[u8]| $expected.clone())
            .minimize_while(|| false)
            .max_states(MAX_STATES);
        let caller_buffered = Harness::decoder(make)
            .oracle(|_: &[u8]| $expected.clone())
            .minimize_while(|| false)
            .max_states(MAX_STATES);
        [fed.check($stream), caller_buffered.check($stream)]
    }};
}

/// Both proofs of a [`Toy`].
fn proofs(
    bug: Bug,
    stream: &[u8],
    expected: &Expected<Vec<u8>, Error>,
) -> [Result<Certificate, Violation>; 2] {
    proofs_of!(move || Toy::new(bug), stream, expected)
}

/// The longest stream on which each way to save and compare states is compared, in bytes.
const EACH_WAY: usize = 6;

type Proofs = [Result<Certificate, Violation>; 2];

/// Both proofs for each way to save and compare states; of a longer stream for one way only.
fn proofs_each_way(
    bug: Bug,
    stream: &[u8],
    expected: &Expected<Vec<u8>, Error>,
) -> Vec<(ProvedBy, Proofs)> {
    let mut proofs = vec![(ProvedBy::CloneEq, proofs(bug, stream, expected))];
    if stream.len() <= EACH_WAY {
        let make = move || CloneDebug(Toy::new(bug));
        proofs.push((ProvedBy::CloneDebug, proofs_of!(make, stream, expected)));
        let make = move || OnlyEq(Toy::new(bug));
        proofs.push((ProvedBy::RebuildEq, proofs_of!(make, stream, expected)));
        let make = move || OnlyDebug(Toy::new(bug));
        proofs.push((ProvedBy::RebuildDebug, proofs_of!(make, stream, expected)));
    }
    proofs
}

/// Compares the proofs with brute force. Returns whether there was a violation.
#[track_caller]
fn compare(bug: Bug, stream: &[u8]) -> bool {
    let expected = parse(stream);
    let brute_force = brute_force(bug, stream, &expected);
    let proofs = proofs_each_way(bug, stream, &expected).into_iter();
    for (way, proof) in proofs.flat_map(|(way, proofs)| proofs.map(|proof| (way, proof))) {
        match (&proof, brute_force) {
            (Ok(certificate), None) => {
                assert!(
                    matches!(certificate.tier, Tier::Proved { by, .. } if by == way),
                    "{bug:?} on {stream:?}, {way:?}: {certificate}"
                );
            }
            (Err(violation), Some(cuts)) => {
                assert_eq!(
                    violation.case.split.cuts().len(),
                    cuts,
                    "{bug:?}: {violation}"
                );
                assert_eq!(violation.case.stream, stream, "{bug:?}: {violation}");
            }
            _ => panic!(
                "{bug:?} on {stream:?}, {way:?}: {proof:?}, but brute force: {brute_force:?}"
            ),
        }
    }
    brute_force.is_some()
}

/// Returns every stream of `len` bytes from 0, 1 and 2.
fn streams(len: u32) -> impl Iterator<Item = Vec<u8>> {
    let letter = |n: u32, place| [0, 1, 2][(n / 3u32.pow(place) % 3) as usize];
    (0..3u32.pow(len)).map(move |n| (0..len).map(|place| letter(n, place)).collect())
}

/// Compares the proofs with brute force on every stream of up to 9 bytes from 0, 1 and 2, and on
/// random ones of up to 16.
#[track_caller]
fn compare_all(bug: Bug, buggy: bool) {
    let mut found = false;
    for stream in (0..=9).flat_map(streams) {
        found |= compare(bug, &stream);
    }
    let mut random = 0x9e37_79b9_u32;
    for len in 10..=16 {
        for _ in 0..3 {
            let letter = |_| {
                random = random.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
                // A 2 ends the stream with an error, so it is rare.
                [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2][(random >> 28) as usize]
            };
            let stream: Vec<u8> = (0..len).map(letter).collect();
            found |= compare(bug, &stream);
        }
    }
    assert_eq!(found, buggy, "{bug:?}: whether a violation was found");
}

macro_rules! proofs_agree_with_brute_force {
    ($($name:ident: $bug:ident $buggy:literal;)*) => {
        $(#[test]
        fn $name() {
            compare_all(Bug::$bug, $buggy);
        })*
    };
}

proofs_agree_with_brute_force! {
    correct: None false;
    correct_with_more_states: StoresLength false;
    drops_the_length: DropsLength true;
    late: Late true;
    peeks: Peeks true;
    drops_the_rest: DropsTheRest true;
    not_poisoned: NotPoisoned true;
    clean_end: CleanEnd true;
    three_cuts: ThreeCuts true;
    empty_heals: EmptyHeals true;
}

/// A correct framer that is never in the same state twice: the search ends, and the certificate
/// says that it is no proof.
#[test]
fn gives_up_on_states_that_do_not_merge() {
    let stream = [0; 9];
    let expected = parse(&stream);
    assert_eq!(brute_force(Bug::Counts, &stream, &expected), None);
    let proofs_each_way = proofs_each_way(
        Bug::Counts,
        &stream[..EACH_WAY],
        &parse(&stream[..EACH_WAY]),
    );
    let each_way = proofs_each_way.into_iter().flat_map(|(_, proofs)| proofs);
    for proof in each_way.chain(proofs(Bug::Counts, &stream, &expected)) {
        let reason = not_proved(&proof.unwrap());
        assert!(
            matches!(
                reason,
                Some(NotProved::TooManyStates {
                    max_states: MAX_STATES,
                    ..
                })
            ),
            "{reason:?}"
        );
    }
    // An empty stream has no chunks, but empty ones can be fed.
    for proof in proofs(Bug::Counts, &[], &parse(&[])) {
        assert_eq!(
            not_proved(&proof.unwrap()),
            Some(NotProved::TooManyStates {
                offset: 0,
                max_states: MAX_STATES
            })
        );
    }
}

/// Returns why a bounded certificate is not a proof.
#[track_caller]
fn not_proved(certificate: &Certificate) -> Option<NotProved> {
    match certificate.tier {
        Tier::Bounded { not_proved, .. } => not_proved,
        _ => panic!("not bounded: {certificate}"),
    }
}

#[test]
fn a_violation_at_the_end_is_one_of_truncation() {
    let stream = [1];
    for proof in proofs(Bug::CleanEnd, &stream, &parse(&stream)) {
        assert_eq!(proof.unwrap_err().property, Property::Truncation);
    }
    let mut expected = parse(&[]);
    expected.at_end.push(Vec::new());
    for proof in proofs(Bug::None, &[], &expected) {
        assert_eq!(proof.unwrap_err().property, Property::Truncation);
    }
}

/// The bytes that a decoder leaves in its caller's buffer are part of its state. The search for fed
/// framers follows them; the one for decoders does not, and gives up if they change.
#[test]
fn gives_up_on_a_rewritten_buffer() {
    let stream = [1, 1, 0];
    let expected = parse(&stream);
    for bug in [Bug::Rewrites, Bug::RewritesAndRestores] {
        let [fed, caller_buffered] = proofs(bug, &stream, &expected);
        let tier = fed.unwrap().tier;
        assert!(matches!(tier, Tier::Proved { .. }), "{tier:?}");
        let certificate = caller_buffered.unwrap();
        let reason = not_proved(&certificate);
        assert_eq!(reason, Some(NotProved::BufferRewritten { offset: 0 }));
        let text = "not proved: the decoder changed bytes in its buffer at offset 0";
        assert!(certificate.to_string().contains(text), "{certificate}");
    }
}

/// Splits of up to two cuts do not show the bug, and random ones rarely do.
#[test]
fn finds_a_bug_that_needs_three_cuts() {
    let stream = [1, 7, 1, 7, 1, 7];
    let expected = parse(&stream);
    let harness = Harness::framer(|| Buffered::new(Toy::new(Bug::ThreeCuts)))
        .oracle(|_: &[u8]| expected.clone());
    for split in Split::up_to(stream.len(), 2) {
        harness.one_split(&Case::new(stream, split)).unwrap();
    }
    for proof in proofs(Bug::ThreeCuts, &stream, &expected) {
        assert_eq!(proof.unwrap_err().case.split.to_string(), "1,3,5");
    }
}

/// The reference framer has one state at each offset, so its proof takes the least number of calls.
/// Its decoder has two states where a size is rejected: before the error and after it.
#[test]
fn the_certificate_counts_splits_calls_and_states() {
    let config = Config::default();
    let oracle = |stream: &[u8]| naive::parse(config, stream);
    let framer = Harness::framer(move || Framer::new(config)).oracle(oracle);
    let frames = [
        &[5, 0, 0, 0][..],
        &[0; 8],
        b"hello",
        &[0; 12],
        &[5, 0, 0, 0],
        &[0; 8],
        b"world",
    ];
    let proof = framer.clone().max_states(8).check(&frames.concat());
    assert_eq!(
        proof.unwrap().to_string(),
        "proved: 46 bytes, all 35184372088832 splits, 1128 calls, at most 1 state per offset; \
         129 splits replayed"
    );

    let stream = [&[4, 0, 0, 0][..], &[0; 8], b"body", &[0; 12], &[9; 20]].concat();
    let proof = framer.max_states(1).check(&stream);
    assert_eq!(
        proof.unwrap().to_string(),
        "proved: 48 bytes, all 140737488355328 splits, 1225 calls, at most 1 state per offset; \
         134 splits replayed"
    );
    let decoder = Harness::decoder(move || Decoder::new(config)).oracle(oracle);
    let proof = decoder.max_states(2).check(&stream);
    assert_eq!(
        proof.unwrap().to_string(),
        "proved: 48 bytes, all 140737488355328 splits, 120 calls, at most 2 states per offset; \
         64 splits replayed"
    );
}

/// A call is made for each frame that can be next, with each number of bytes that can have arrived.
#[test]
fn many_frames_at_once_take_each_call_once() {
    for frames in [1, 63, 64, 65, 200] {
        let harness = Harness::decoder(|| Toy::new(Bug::None)).oracle(parse);
        let proof = harness.check(&vec![0; frames]).unwrap();
        let calls = (frames + 1) * (frames + 2) / 2;
        assert_eq!(proof.calls, calls as u64, "{frames} frames");
    }
}

/// Moves what it is given into a buffer of its own, which is as large as what is left in it.
#[derive(Clone, PartialEq, Eq)]
struct Moves(Vec<u8>);

impl Decode for Moves {
    type Frame = Vec<u8>;
    type Error = Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        self.0.extend_from_slice(buffer);
        *buffer = BytesMut::new();
        let Some(&length) = self.0.first() else {
            return Ok(None);
        };
        let end = 1 + usize::from(length);
        let frame = (self.0.len() >= end).then(|| self.0.drain(..end).skip(1).collect());
        self.0.shrink_to_fit();
        Ok(frame)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        match self.decode(buffer)? {
            None if !self.0.is_empty() => Err(Error::Truncated),
            decoded => Ok(decoded),
        }
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(self.0.capacity())
    }
}

/// While the frames of a chunk are returned, the rest of the chunk is still held.
#[test]
fn a_decoder_may_hold_the_chunk_that_it_was_given() {
    for frames in [20, 30, 60] {
        let stream = b"\x03abc".repeat(frames);
        let certificate = Harness::decoder(|| Moves(Vec::new()))
            .check(&stream)
            .unwrap();
        let Tier::Proved { .. } = certificate.tier else {
            panic!("{certificate}");
        };
    }
}
