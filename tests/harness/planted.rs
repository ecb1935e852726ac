//! Framers with one bug each, for each kind of bug that the checks are for, and the property that
//! reports it. The framer without a bug passes every check.

use everysplit::reference::{
    ByteOrder, Config, DecodeError, EncodeError, Frame, Header, Sent, fuzzing, naive,
};
use everysplit::subject::{FeedFn, Frames, Subject};
use everysplit::{Case, Harness, Interruption, Property, Split, Violation, check_encoder};

const CONFIG: Config = Config {
    byte_order: ByteOrder::Little,
    max_body_size: 8,
};

/// What is wrong with a [`Planted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// Of a bodySize that comes in two chunks only the bytes in the first are used.
    SizeInTwoChunks,
    /// Takes only one frame from a chunk: the second waits for more bytes.
    OneFramePerChunk,
    /// Drops the bytes after a frame.
    DropsRest,
    /// Emits a frame when the first byte of the next one is in.
    Late,
    /// Emits an empty body before its recv is in.
    Early,
    /// Checks the limit when the header is complete.
    LimitAfterHeader,
    /// Rejects a body at the limit.
    LimitOffByOne,
    /// Takes the end of the stream inside a frame for a clean end.
    CleanEnd,
    /// Goes on after an error as if nothing had happened.
    GoesOn,
    /// Clears its buffer on an empty chunk.
    EmptyClears,
    /// Reports a truncated frame if the last chunk is empty.
    EmptyBeforeEnd,
    /// Forgets at the end that the stream was rejected.
    EndForgetsError,
    /// Reserves far more than a body when its header is in.
    Reserves,
    /// Exchanges cmd and recv.
    Swapped,
}

/// A framer of the reference format with a bug.
struct Planted {
    bug: Bug,
    buffer: Vec<u8>,
    offset: u64,
    error: Option<DecodeError>,
    /// Whether the last chunk was empty, for a bug that depends on it.
    after_empty: bool,
}

impl Planted {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            buffer: Vec::new(),
            offset: 0,
            error: None,
            after_empty: false,
        }
    }

    fn integer(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.buffer[at..at + 4].try_into().unwrap())
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, DecodeError> {
        let deciding = if self.bug == Bug::LimitAfterHeader {
            12
        } else {
            4
        };
        if self.buffer.len() < deciding {
            if self.bug == Bug::SizeInTwoChunks && !self.buffer.is_empty() {
                self.buffer.resize(4, 0);
            }
            return Ok(None);
        }
        let body_size = self.integer(0);
        let limit = CONFIG.max_body_size - u32::from(self.bug == Bug::LimitOffByOne);
        if body_size > limit {
            return Err(DecodeError::BodyTooLarge {
                offset: self.offset,
                body_size,
                max_body_size: CONFIG.max_body_size,
            });
        }
        let header = if self.bug == Bug::Early && body_size == 0 {
            8
        } else {
            Header::LEN
        };
        let end = Header::LEN + body_size as usize;
        if self.bug == Bug::Reserves {
            self.buffer.reserve(1000 * end);
        }
        let due = end - (Header::LEN - header) + usize::from(self.bug == Bug::Late);
        if self.buffer.len() < due {
            return Ok(None);
        }
        self.buffer.resize(self.buffer.len().max(end), 0);
        let (mut cmd, mut recv) = (self.integer(4), self.integer(8));
        if self.bug == Bug::Swapped {
            (cmd, recv) = (recv, cmd);
        }
        let body = self.buffer[Header::LEN..end].to_vec().into();
        self.buffer.drain(..end);
        self.offset += end as u64;
        if self.bug == Bug::DropsRest {
            self.buffer.clear();
        }
        Ok(Some(Frame { cmd, recv, body }))
    }
}

impl Subject for Planted {
    type Frame = Frame;
    type Error = DecodeError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if chunk.is_empty() && self.bug == Bug::EmptyClears {
            self.buffer.clear();
        }
        self.after_empty = chunk.is_empty() && self.bug == Bug::EmptyBeforeEnd;
        self.buffer.extend(chunk);
        loop {
            match self.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.buffer = Vec::new();
                    if self.bug != Bug::GoesOn {
                        self.error = Some(error);
                    }
                    return Err(error);
                }
            }
            if self.bug == Bug::OneFramePerChunk {
                return Ok(());
            }
        }
    }

    fn finish(&mut self, _: &mut Frames<Frame>) -> Result<(), DecodeError> {
        if self.bug == Bug::EndForgetsError {
            self.error = None;
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.buffer.is_empty() && !self.after_empty || self.bug == Bug::CleanEnd {
            return Ok(());
        }
        let known = self.buffer.len() >= 4;
        Err(DecodeError::Truncated {
            offset: self.offset,
            received: self.buffer.len() as u64,
            due: 12 + u64::from(if known { self.integer(0) } else { 0 }),
        })
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(self.buffer.capacity())
    }
}

/// Returns a stream of whole frames, one that ends inside a frame, and one that is rejected.
fn streams() -> [Vec<u8>; 3] {
    let frame = |cmd, body: &'static [u8]| {
        let frame = Frame {
            cmd,
            recv: 1,
            body: body.into(),
        };
        naive::encode(CONFIG, &frame).unwrap()
    };
    let whole = [frame(2, b"atlimit!"), frame(3, b""), frame(4, b"x")].concat();
    let truncated = [&whole[..], &frame(5, b"more")[..13]].concat();
    let over = Header {
        body_size: 9,
        cmd: 6,
        recv: 1,
    };
    let over = over.to_bytes(CONFIG.byte_order);
    let rejected = [frame(2, b"ab"), over.to_vec(), frame(3, b"")].concat();
    [whole, truncated, rejected]
}

/// Returns each stream whole, with one cut, and byte by byte.
fn cases() -> impl Iterator<Item = Case> {
    streams().into_iter().flat_map(|stream| {
        let splits = Split::up_to(stream.len(), 1).chain([Split::bytes(stream.len())]);
        splits.map(move |split| Case::new(stream.clone(), split))
    })
}

/// Returns the first violation of all cases without empty chunks, then with them.
fn check(bug: Bug) -> Result<(), Violation> {
    let harness = fuzzing::harness(move || Planted::new(bug), CONFIG);
    for interruption in [Interruption::None, Interruption::EmptyChunk] {
        for case in cases() {
            harness.one_split(&case.with(interruption))?;
        }
    }
    Ok(())
}

#[track_caller]
fn assert_violates(bug: Bug, property: Property) {
    let violation = check(bug).unwrap_err();
    assert_eq!(violation.property, property, "{bug:?}: {violation}");
}

#[test]
fn a_framer_without_a_bug_passes() {
    check(Bug::None).unwrap();
}

#[test]
fn every_split_finds_what_depends_on_the_split() {
    assert_violates(Bug::SizeInTwoChunks, Property::EverySplit);
    // The early frame contains bytes that had not arrived.
    assert_violates(Bug::Early, Property::EverySplit);
}

#[test]
fn prompt_finds_late_frames() {
    assert_violates(Bug::Late, Property::Prompt);
    assert_violates(Bug::OneFramePerChunk, Property::Prompt);
}

#[test]
fn limit_finds_a_late_and_a_wrong_rejection() {
    assert_violates(Bug::LimitAfterHeader, Property::Limit);
    assert_violates(Bug::LimitOffByOne, Property::Limit);
}

#[test]
fn truncation_finds_an_unreported_end_inside_a_frame() {
    assert_violates(Bug::CleanEnd, Property::Truncation);
}

#[test]
fn poisoned_finds_a_framer_that_goes_on_after_an_error() {
    assert_violates(Bug::GoesOn, Property::Poisoned);
    assert_violates(Bug::EndForgetsError, Property::Poisoned);
}

#[test]
fn empty_chunk_finds_what_an_empty_chunk_changes() {
    assert_violates(Bug::EmptyClears, Property::EmptyChunk);
    assert_violates(Bug::EmptyBeforeEnd, Property::EmptyChunk);
}

#[test]
fn memory_finds_room_reserved_for_bytes_that_have_not_arrived() {
    assert_violates(Bug::Reserves, Property::Memory);
}

/// A correct framer that reports the number of bytes that `held` returns for the bytes fed.
struct Holds {
    framer: Planted,
    fed: usize,
    held: fn(usize) -> usize,
}

impl Subject for Holds {
    type Frame = Frame;
    type Error = DecodeError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        self.fed += chunk.len();
        self.framer.feed(chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        self.framer.finish(frames)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some((self.held)(self.fed))
    }
}

/// The bound is three times the bytes of a chunk and the incomplete frame before it, and 64.
#[test]
fn the_bound_of_memory_is_exact() {
    let stream = [0; 12].repeat(20);
    let check = |held: fn(usize) -> usize| {
        let make = move || Holds {
            framer: Planted::new(Bug::None),
            fed: 0,
            held,
        };
        let split = Split::bytes(stream.len());
        fuzzing::harness(make, CONFIG).one_split(&Case::new(stream.clone(), split))
    };
    let first: [fn(usize) -> usize; 2] = [
        |fed| if fed == 0 { 0 } else { 3 + 64 },
        |fed| if fed == 0 { 0 } else { 3 + 65 },
    ];
    check(first[0]).unwrap();
    assert_eq!(check(first[1]).unwrap_err().property, Property::Memory);
    // What it holds before it is fed is not held against it.
    check(|_| 8192).unwrap();
    // A framer may go on holding what it has had to hold, and not a byte more.
    check(|fed| 3 * fed.min(12) + 64 * usize::from(fed > 0)).unwrap();
    let more: [fn(usize) -> usize; 2] = [
        |fed| 3 * fed.min(12) + 64 * usize::from(fed > 0) + usize::from(fed == 5),
        |fed| 3 * fed.min(12) + 64 * usize::from(fed > 0) + usize::from(fed > 200),
    ];
    for more in more {
        assert_eq!(check(more).unwrap_err().property, Property::Memory);
    }
    // A framer that never releases anything is found, however slowly it grows.
    assert_eq!(check(|fed| fed).unwrap_err().property, Property::Memory);
}

/// The size limit is that of the largest body.
#[test]
fn round_trip_finds_what_does_not_come_back() {
    assert_violates(Bug::DropsRest, Property::RoundTrip);
    let frame = Frame {
        cmd: 2,
        recv: 1,
        body: "atlimit!".into(),
    };
    let sent = |cuts: &[usize]| Sent {
        frames: vec![frame.clone()],
        split: Split::new(cuts.iter().copied()),
    };
    let [whole, cut] = [sent(&[]), sent(&[1])];
    let check =
        |bug, sent| fuzzing::round_trip(move |_| Planted::new(bug), ByteOrder::Little, sent);
    check(Bug::None, &whole).unwrap();
    check(Bug::None, &cut).unwrap();
    let violation = check(Bug::Swapped, &whole).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    for (bug, property) in [
        (Bug::Swapped, Property::EverySplit),
        (Bug::SizeInTwoChunks, Property::EverySplit),
        (Bug::LimitOffByOne, Property::Limit),
        (Bug::Late, Property::Prompt),
    ] {
        let violation = check(bug, &cut).unwrap_err();
        assert_eq!(violation.property, property, "{bug:?}: {violation}");
    }
    assert_violates(Bug::Swapped, Property::RoundTrip);
}

#[test]
fn differential_finds_two_framers_that_disagree() {
    let check = |bug| {
        cases().try_for_each(|case| fuzzing::differential(move || Planted::new(bug), CONFIG, &case))
    };
    check(Bug::None).unwrap();
    for bug in [
        Bug::Swapped,
        Bug::Late,
        Bug::LimitAfterHeader,
        Bug::CleanEnd,
    ] {
        let violation = check(bug).unwrap_err();
        assert_eq!(violation.property, Property::Differential, "{bug:?}");
    }
}

#[test]
fn differential_compares_any_two_framers() {
    let [_, stream, _] = streams();
    let compare = |peer, bug| {
        let harness = Harness::framer(move || Planted::new(bug));
        let case = Case::new(stream.clone(), Split::whole());
        harness.differential(Planted::new(peer), &case)
    };
    compare(Bug::CleanEnd, Bug::CleanEnd).unwrap();
    let violation = compare(Bug::CleanEnd, Bug::None).unwrap_err();
    assert_eq!(violation.offset, stream.len());
    // The peer's result is what was expected.
    assert_eq!(*violation.expected, *"([], Ok(()))");
}

/// A framer that forgets all at an empty chunk.
#[test]
fn differential_feeds_the_empty_chunks_of_a_case() {
    fn join(forgets: bool) -> impl Subject<Frame = Vec<u8>, Error = ()> {
        FeedFn::new(
            Vec::new(),
            move |begun: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
                if chunk.is_empty() && forgets {
                    begun.clear();
                }
                begun.extend(chunk);
                if begun.len() == 2 {
                    frames.push(core::mem::take(begun));
                }
                Ok(())
            },
            |_: &mut Vec<u8>, _: &mut Frames<Vec<u8>>| Ok(()),
        )
    }
    let harness = Harness::framer(|| join(true));
    let case = Case::new(b"ab", Split::new([1]));
    harness.differential(join(false), &case).unwrap();
    let case = case.with(Interruption::EmptyChunk);
    harness.differential(join(true), &case).unwrap();
    let violation = harness.differential(join(false), &case).unwrap_err();
    assert_eq!(violation.property, Property::Differential, "{violation}");
}

#[test]
fn a_peer_that_panics_is_named() {
    let peer = FeedFn::new(
        (),
        |(): &mut (), _: &[u8], _: &mut Frames<Vec<u8>>| panic!("a bug of the peer"),
        |(): &mut (), _: &mut Frames<Vec<u8>>| Ok::<(), ()>(()),
    );
    let harness = Harness::framer(|| {
        FeedFn::new(
            (),
            |(): &mut (), _: &[u8], _: &mut Frames<Vec<u8>>| Ok::<(), ()>(()),
            |(): &mut (), _: &mut Frames<Vec<u8>>| Ok(()),
        )
    });
    let case = Case::new(b"ab", Split::whole());
    let violation = harness.differential(peer, &case).unwrap_err();
    assert_eq!(violation.property, Property::Differential, "{violation}");
    assert!(violation.actual.starts_with("the peer: "), "{violation}");
}

#[test]
fn encode_finds_wrong_output() {
    let violated = |expected: Result<&[u8], &'static str>, written: &[u8], result| {
        let encode = |output: &mut bytes::BytesMut| {
            output.extend_from_slice(written);
            result
        };
        check_encoder(encode, expected).unwrap_err().property
    };
    // Half a frame stays in the output.
    assert_eq!(
        violated(Err("over"), b"head", Err("over")),
        Property::Encode
    );
    // The error is missing.
    assert_eq!(violated(Err("over"), b"", Ok(())), Property::Encode);
    // Other bytes, and none.
    assert_eq!(violated(Ok(b"head"), b"body", Ok(())), Property::Encode);
    assert_eq!(violated(Ok(b"head"), b"", Ok(())), Property::Encode);
    // The output is overwritten.
    let overwrites = |output: &mut bytes::BytesMut| {
        output.clear();
        output.extend_from_slice(b"head");
        Ok::<(), &str>(())
    };
    let violation = check_encoder(overwrites, Ok(b"head")).unwrap_err();
    assert_eq!(violation.property, Property::Encode);
    // No harness can replay the call of an encoder.
    let text = violation.to_string();
    assert!(
        text.ends_with("\n  replay    run the check again"),
        "{text}"
    );
}

/// It may have written half a frame by then.
#[test]
fn encode_finds_an_encoder_that_panics() {
    let panics = |output: &mut bytes::BytesMut| -> Result<(), &str> {
        output.extend_from_slice(b"head");
        panic!("too long");
    };
    for expected in [Ok(&b"head"[..]), Err("too long")] {
        let violation = check_encoder(panics, expected).unwrap_err();
        assert_eq!(violation.property, Property::Encode, "{violation}");
        assert!(violation.actual.contains("too long"), "{violation}");
        assert_eq!(violation.case.stream, b"beforehead");
    }
}

#[test]
fn encode_finds_a_limit_that_is_off_by_one() {
    let frame = Frame {
        cmd: 1,
        recv: 0,
        body: "body".into(),
    };
    fuzzing::encode(fuzzing::encode_whole, ByteOrder::Little, &frame).unwrap();
    for shift in [1i64, -1] {
        let shifted = |config: Config, frame: &Frame, output: &mut bytes::BytesMut| {
            let limit = i64::from(config.max_body_size) + shift;
            let max_body_size = limit.clamp(0, u32::MAX.into()).try_into().unwrap();
            let shifted = Config {
                max_body_size,
                ..config
            };
            let result = shifted.encode(frame, output);
            result.map_err(|_| EncodeError::BodyTooLarge {
                body_size: frame.body.len(),
                max_body_size: config.max_body_size,
            })
        };
        let violation = fuzzing::encode(shifted, ByteOrder::Little, &frame).unwrap_err();
        assert_eq!(violation.property, Property::Encode);
    }
}

#[test]
fn a_violation_prints_what_a_person_needs() {
    let frame = Frame {
        cmd: 7,
        recv: 1,
        body: "ok".into(),
    };
    let stream = naive::encode(CONFIG, &frame).unwrap();
    let harness = fuzzing::harness(|| Planted::new(Bug::SizeInTwoChunks), CONFIG);
    let violation = harness.bounded(&stream, 1).unwrap_err();
    assert_eq!(harness.replay("00000101@3"), Err(violation.clone()));
    let text = violation.to_string();
    assert_eq!(
        text,
        "\
every_split: frames, errors and their offsets do not depend on the split, on valid and on hostile streams
  000000 :00 00 01|01                                       ....
         | cut   : field edge   # both
  split     3
  bytes fed 4 of 4
  expected  ([], Err(BodyTooLarge { offset: 0, body_size: 16842752, max_body_size: 8 }))
  actual    ([], Err(BodyTooLarge { offset: 0, body_size: 65536, max_body_size: 8 }))
  replay    00000101@3"
    );
    assert_eq!(format!("{violation:?}"), text, "`unwrap` prints the same");
}
