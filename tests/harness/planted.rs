//! Wrong framers, one for each kind of bug that the checks are for, and the
//! check that finds it: the proof that the suite can fail. The framer that they
//! were made from passes it.

use everysplit::check::{self, Harness, Property, Violation};
use everysplit::reference::{
    ByteOrder, Config, DecodeError, EncodeError, Frame, Header, Sent, fuzzing, naive,
};
use everysplit::{Case, Frames, Split, Subject};

const CONFIG: Config = Config {
    byte_order: ByteOrder::Little,
    max_body_size: 8,
};

/// What is wrong with a [`Planted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    Nothing,
    /// A bodySize that comes in two chunks is read from the first alone.
    SizeCut,
    /// Only one frame is taken from a chunk: the second waits for more bytes.
    OneAChunk,
    /// Bytes behind a frame are dropped.
    DropsTheRest,
    /// A frame is given when the first byte of the next one is in.
    Late,
    /// An empty body is given before its recv is in.
    Early,
    /// The limit is checked when the header is whole.
    LimitAfterHeader,
    /// A body at the limit is refused.
    LimitOffByOne,
    /// The end of the stream inside a frame is taken for a clean one.
    CleanEnd,
    /// After an error the rest is read as if nothing had been.
    GoesOn,
    /// No bytes are taken for the end of what was collected.
    EmptyIsReset,
    /// No bytes right before the end spoil it.
    EmptySpoilsEnd,
    /// The end forgets that the stream was refused.
    EndForgets,
    /// The room for a body is made when its header is in.
    Reserves,
    /// cmd and recv change places.
    Swapped,
}

struct Planted {
    bug: Bug,
    buffer: Vec<u8>,
    offset: u64,
    error: Option<DecodeError>,
    spoiled: bool,
}

impl Planted {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            buffer: Vec::new(),
            offset: 0,
            error: None,
            spoiled: false,
        }
    }

    fn integer(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.buffer[at..at + 4].try_into().unwrap())
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, DecodeError> {
        let decisive = if self.bug == Bug::LimitAfterHeader {
            12
        } else {
            4
        };
        if self.buffer.len() < decisive {
            if self.bug == Bug::SizeCut && !self.buffer.is_empty() {
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
        if self.bug == Bug::DropsTheRest {
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
        if chunk.is_empty() && self.bug == Bug::EmptyIsReset {
            self.buffer.clear();
        }
        self.spoiled = chunk.is_empty() && self.bug == Bug::EmptySpoilsEnd;
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
            if self.bug == Bug::OneAChunk {
                return Ok(());
            }
        }
    }

    fn finish(&mut self, _: &mut Frames<Frame>) -> Result<(), DecodeError> {
        if self.bug == Bug::EndForgets {
            self.error = None;
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.buffer.is_empty() && !self.spoiled || self.bug == Bug::CleanEnd {
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

/// Streams that a right framer gets through, and those that it refuses.
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
    let refused = [frame(2, b"ab"), over.to_vec(), frame(3, b"")].concat();
    [whole, truncated, refused]
}

/// Each stream whole, with one cut, and byte by byte.
fn cases() -> impl Iterator<Item = Case> {
    streams().into_iter().flat_map(|stream| {
        let splits = Split::up_to(stream.len(), 1).chain([Split::bytes(stream.len())]);
        splits.map(move |split| Case {
            stream: stream.clone(),
            split,
        })
    })
}

/// The first violation on any stream under whole, 1-cut and byte-by-byte splits,
/// without empty chunks and with them.
fn check(bug: Bug) -> Result<(), Violation> {
    let planted = || Planted::new(bug);
    for case in cases() {
        fuzzing::decode(planted(), CONFIG, &case)?;
    }
    for case in cases() {
        fuzzing::empty_chunk(planted, CONFIG, &case)?;
    }
    Ok(())
}

#[track_caller]
fn finds(bug: Bug, property: Property) {
    let violation = check(bug).unwrap_err();
    assert_eq!(violation.property, property, "{bug:?}: {violation}");
}

#[test]
fn the_right_one_passes() {
    check(Bug::Nothing).unwrap();
}

#[test]
fn every_split_finds_what_depends_on_the_split() {
    finds(Bug::SizeCut, Property::EverySplit);
    // What is given too early holds bytes that had not come.
    finds(Bug::Early, Property::EverySplit);
}

#[test]
fn prompt_finds_frames_that_come_late() {
    finds(Bug::Late, Property::Prompt);
    finds(Bug::OneAChunk, Property::Prompt);
    finds(Bug::DropsTheRest, Property::Prompt);
}

#[test]
fn limit_finds_a_late_refusal_and_a_wrong_one() {
    finds(Bug::LimitAfterHeader, Property::Limit);
    finds(Bug::LimitOffByOne, Property::Limit);
}

#[test]
fn truncation_finds_an_end_taken_for_clean() {
    finds(Bug::CleanEnd, Property::Truncation);
}

#[test]
fn poisoned_finds_a_framer_that_goes_on() {
    finds(Bug::GoesOn, Property::Poisoned);
    finds(Bug::EndForgets, Property::Poisoned);
}

#[test]
fn empty_chunk_finds_no_bytes_that_change_something() {
    finds(Bug::EmptyIsReset, Property::EmptyChunk);
    finds(Bug::EmptySpoilsEnd, Property::EmptyChunk);
}

#[test]
fn memory_finds_room_for_bytes_that_did_not_come() {
    finds(Bug::Reserves, Property::Memory);
}

/// Right, and says what it is told to of what it holds.
struct Holds<F> {
    planted: Planted,
    fed: usize,
    held: F,
}

impl<F: Fn(usize) -> usize> Subject for Holds<F> {
    type Frame = Frame;
    type Error = DecodeError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        self.fed += chunk.len();
        self.planted.feed(chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        self.planted.finish(frames)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some((self.held)(self.fed))
    }
}

/// Three times what a chunk and the unfinished frame before it need, and 64 bytes.
#[test]
fn memory_holds_to_its_bound() {
    let stream = [0; 12].repeat(20);
    let check = |held: fn(usize) -> usize| {
        let holds = Holds {
            planted: Planted::new(Bug::Nothing),
            fed: 0,
            held,
        };
        let (stream, split) = (stream.clone(), Split::bytes(stream.len()));
        fuzzing::decode(holds, CONFIG, &Case { stream, split })
    };
    check(|_| 3 + 64).unwrap();
    assert_eq!(check(|_| 3 + 65).unwrap_err().property, Property::Memory);
    // What it has had to hold it may go on to hold, and not a byte more.
    check(|fed| 3 * fed.min(12) + 64).unwrap();
    let more: [fn(usize) -> usize; 2] = [
        |fed| 3 * fed.min(12) + 64 + usize::from(fed == 5),
        |fed| 3 * fed.min(12) + 64 + usize::from(fed > 200),
    ];
    for more in more {
        assert_eq!(check(more).unwrap_err().property, Property::Memory);
    }
    // Whoever keeps all that ever came is found, be it ever so slowly.
    assert_eq!(check(|fed| fed).unwrap_err().property, Property::Memory);
}

#[test]
fn round_trip_finds_what_does_not_come_back() {
    let frame = Frame {
        cmd: 2,
        recv: 1,
        // The limit of a round trip is that of the largest body.
        body: "atlimit!".into(),
    };
    let case = Sent {
        frames: vec![frame],
        split: Split::new([1]),
    };
    let check = |bug| fuzzing::round_trip(|_| Planted::new(bug), ByteOrder::Little, &case);
    check(Bug::Nothing).unwrap();
    for bug in [Bug::Swapped, Bug::SizeCut, Bug::LimitOffByOne, Bug::Late] {
        assert_eq!(check(bug).unwrap_err().property, Property::RoundTrip);
    }
    // Without a cut to blame, it is the round trip that is broken.
    finds(Bug::Swapped, Property::RoundTrip);
}

#[test]
fn agree_finds_two_that_do_not() {
    let check = |bug| {
        cases().try_for_each(|case| fuzzing::differential(|| Planted::new(bug), CONFIG, &case))
    };
    check(Bug::Nothing).unwrap();
    for bug in [
        Bug::Swapped,
        Bug::Late,
        Bug::LimitAfterHeader,
        Bug::CleanEnd,
    ] {
        assert_eq!(check(bug).unwrap_err().property, Property::Agree, "{bug:?}");
    }
}

/// Who is right where tokio-util's codec is not asked: the walk is.
#[test]
fn agree_compares_any_two() {
    let stream = &streams()[1];
    let agree = |one, other| {
        let (one, other) = (Planted::new(one), Planted::new(other));
        check::agree(one, other, stream, &Split::whole())
    };
    agree(Bug::CleanEnd, Bug::CleanEnd).unwrap();
    let violation = agree(Bug::CleanEnd, Bug::Nothing).unwrap_err();
    assert_eq!(violation.offset, stream.len());
}

#[test]
fn encode_finds_a_frame_that_is_not_written_as_it_should() {
    let refused = |expected: Result<&[u8], &'static str>, written: &[u8], result| {
        let encode = |output: &mut bytes::BytesMut| {
            output.extend_from_slice(written);
            result
        };
        check::encode(encode, expected).unwrap_err().property
    };
    // Half a frame is left behind.
    assert_eq!(refused(Err("over"), b"head", Err("over")), Property::Encode);
    // Nothing is said.
    assert_eq!(refused(Err("over"), b"", Ok(())), Property::Encode);
    // Other bytes than expected, and none.
    assert_eq!(refused(Ok(b"head"), b"body", Ok(())), Property::Encode);
    assert_eq!(refused(Ok(b"head"), b"", Ok(())), Property::Encode);
    // A body of exactly the limit is refused, and one above it is written.
    let frame = Frame {
        cmd: 1,
        recv: 0,
        body: "body".into(),
    };
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
    fuzzing::encode(fuzzing::encode_whole, ByteOrder::Little, &frame).unwrap();
    // What was in the output is overwritten.
    let overwrites = |output: &mut bytes::BytesMut| {
        output.clear();
        output.extend_from_slice(b"head");
        Ok::<(), &str>(())
    };
    assert!(check::encode(overwrites, Ok(b"head")).is_err());
}

/// What is printed is what a person needs: the property, the stream and the cuts
/// to try again, where it broke, and what should have been.
#[test]
fn a_violation_tells_all() {
    let frame = Frame {
        cmd: 7,
        recv: 1,
        body: "ok".into(),
    };
    let stream = naive::encode(CONFIG, &frame).unwrap();
    let make = || Planted::new(Bug::SizeCut);
    let harness = Harness::new(make, |stream| naive::parse(CONFIG, stream));
    let harness = harness.edges(|stream| naive::edges(CONFIG, stream));
    let violation = harness.bounded(&stream, 1).unwrap_err();
    assert_eq!(
        harness.replay("0200000007000000010000@1"),
        Err(violation.clone())
    );
    let told = violation.to_string();
    assert_eq!(
        told,
        "\
every_split: frames, errors and their offsets do not depend on the split, on valid and on hostile streams
  000000 :02|00 00 00:07 00 00 00:01 00 00                  ...........
         | cut   : field edge   # both
  split     1
  bytes in  11 of 11
  expected  ([], Ok(()))
  actual    ([Frame { cmd: 117440512, recv: 16777216, body: b\"\\0\\0\" }], Ok(()))
  replay    0200000007000000010000@1"
    );
    assert_eq!(format!("{violation:?}"), told, "as unwrap prints it");
}
