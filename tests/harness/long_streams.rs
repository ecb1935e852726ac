//! Streams that are too long for a proof at all offsets: a body at a size limit as real formats have
//! it. A check gets a verdict at some offsets, says at how many, and finds bugs near those where
//! framers fail.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::{Buf, BytesMut};
use everysplit::subject::{Decode, DecodeFn, Frames, Subject};
use everysplit::{
    Certificate, Expected, Harness, NotProved, Outcome, Property, ProvedBy, Tier, Violation,
};

/// The size limit.
const LIMIT: usize = 1 << 20;
const HEADER: usize = 4;

/// When a body at the limit is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// It is cut after 64 KiB of the frame.
    Cut64KiB,
    /// Its header is cut.
    CutHeader,
}

/// A length of four bytes, then the body. A frame is the number of its bytes and their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Framer {
    bug: Bug,
    /// How many bytes of the frame have arrived.
    arrived: usize,
    length: usize,
    sum: u64,
    is_changed: bool,
}

impl Framer {
    const fn new(bug: Bug) -> Self {
        Self {
            bug,
            arrived: 0,
            length: 0,
            sum: 0,
            is_changed: false,
        }
    }
}

type Frame = (usize, u64);

impl Subject for Framer {
    type Frame = Frame;
    type Error = ();

    /// Takes one byte at a time, as slow framers do.
    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), ()> {
        for &byte in chunk {
            if self.arrived < HEADER {
                self.length |= usize::from(byte) << (8 * self.arrived);
            } else {
                self.sum += u64::from(byte);
            }
            self.arrived += 1;
            if self.arrived >= HEADER && self.arrived == HEADER + self.length {
                let sum = self.sum + u64::from(self.is_changed && self.length == LIMIT);
                frames.push((self.length, sum));
                *self = Self::new(self.bug);
            }
        }
        self.is_changed |= match self.bug {
            Bug::None => false,
            Bug::Cut64KiB => self.arrived == 65536,
            Bug::CutHeader => (1..HEADER).contains(&self.arrived),
        };
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<Frame>) -> Result<(), ()> {
        if self.arrived == 0 { Ok(()) } else { Err(()) }
    }
}

/// The same format, in the caller's buffer.
#[derive(Clone, PartialEq, Eq)]
struct Decoder {
    bug: Bug,
    is_changed: bool,
}

impl Decode for Decoder {
    type Frame = Frame;
    type Error = ();

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, ()> {
        let length = buffer
            .as_ref()
            .try_get_u32_le()
            .map(|length| length as usize);
        let length = length.ok().filter(|length| buffer.len() >= HEADER + length);
        let Some(length) = length else {
            self.is_changed |= match self.bug {
                Bug::None => false,
                Bug::Cut64KiB => buffer.len() == 65536,
                Bug::CutHeader => (1..HEADER).contains(&buffer.len()),
            };
            return Ok(None);
        };
        let sum =
            sum(&buffer[HEADER..HEADER + length]) + u64::from(self.is_changed && length == LIMIT);
        buffer.advance(HEADER + length);
        self.is_changed = false;
        Ok(Some((length, sum)))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, ()> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() => Err(()),
            decoded => Ok(decoded),
        }
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}

fn parse(stream: &[u8]) -> Expected<Frame, ()> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let mut rest = &stream[start..];
        if rest.is_empty() {
            break Outcome::Clean;
        }
        let length = rest.try_get_u32_le().map(|length| length as usize);
        let Some(body) = length.ok().and_then(|length| rest.get(..length)) else {
            break Outcome::Truncated(());
        };
        start += HEADER + body.len();
        frames.push((start, (body.len(), sum(body))));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

fn stream(bodies: &[usize]) -> Vec<u8> {
    let mut stream = Vec::new();
    for &body in bodies {
        stream.extend(u32::try_from(body).unwrap().to_le_bytes());
        stream.extend((0..body).map(|n| n.to_le_bytes()[0]));
    }
    stream
}

fn fed(bug: Bug, stream: &[u8]) -> Result<Certificate, Violation> {
    Harness::framer(move || Framer::new(bug))
        .oracle(parse)
        .check(stream)
}

fn caller_buffered(bug: Bug, stream: &[u8]) -> Result<Certificate, Violation> {
    let is_changed = false;
    Harness::decoder(move || Decoder { bug, is_changed })
        .oracle(parse)
        .check(stream)
}

#[test]
fn a_body_of_a_mebibyte_is_proved_at_some_offsets() {
    let stream = stream(&[LIMIT]);
    for (proof, least) in [
        (fed(Bug::None, &stream), 16),
        (caller_buffered(Bug::None, &stream), 100),
    ] {
        let certificate = proof.unwrap();
        let Tier::ProvedAt {
            offsets,
            states: 1,
            by: ProvedBy::CloneEq,
            replayed,
        } = certificate.tier
        else {
            panic!("{certificate}");
        };
        assert!(offsets >= least, "{certificate}");
        assert!(replayed >= 3, "{certificate}");
        let text = certificate.to_string();
        let begin = format!("proved at {offsets} of 1048579 offsets: 1048580 bytes, all ");
        assert!(text.starts_with(&begin), "{text}");
        assert!(text.contains(" splits that cut only there, "), "{text}");
    }
}

#[test]
fn bugs_at_a_limit_of_a_mebibyte_are_found() {
    let stream = stream(&[LIMIT]);
    for bug in [Bug::Cut64KiB, Bug::CutHeader] {
        for found in [fed(bug, &stream), caller_buffered(bug, &stream)] {
            let violation = found.unwrap_err();
            assert_eq!(violation.property, Property::EverySplit, "{bug:?}");
            let cuts = violation.case.split.cuts();
            let found = match bug {
                Bug::CutHeader => matches!(cuts, [1..HEADER]),
                _ => cuts == [65536],
            };
            assert!(found, "{bug:?}: {cuts:?}");
        }
    }
}

/// The work that a proof may do decides. All offsets of a short stream are within it by default.
#[test]
fn max_work_decides_how_long_a_stream_is_proved_at_all_offsets() {
    let stream = stream(&[60, 0, 50]);
    let harness = || Harness::framer(|| Framer::new(Bug::None)).oracle(parse);
    assert!(matches!(
        harness().check(&stream).unwrap().tier,
        Tier::Proved { .. }
    ));
    for (max_work, expected) in [(100_000, 20..60), (10_000, 8..20)] {
        let certificate = harness().max_work(max_work).check(&stream).unwrap();
        assert!(
            matches!(certificate.tier, Tier::ProvedAt { offsets, .. } if expected.contains(&offsets)),
            "{certificate}"
        );
    }
}

/// A proof that leaves out a single offset does not claim all splits.
#[test]
fn a_proof_that_leaves_out_one_offset_says_so() {
    let stream = stream(&[12]);
    let all_but_one = (1..500).map(|step| 20 * step).find(|&max_work| {
        let harness = Harness::framer(|| Framer::new(Bug::None)).oracle(parse);
        let certificate = harness.max_work(max_work).check(&stream).unwrap();
        matches!(certificate.tier, Tier::ProvedAt { offsets, .. } if offsets + 2 == stream.len())
    });
    assert!(all_but_one.is_some());
}

/// The length depends on what a proof feeds, and on how it compares states.
#[test]
fn a_stream_of_kilobytes_is_proved_at_all_offsets() {
    #[derive(Clone, Debug)]
    struct Shown(Framer);

    forward!(Shown, Framer);

    let shown = Harness::framer(|| Shown(Framer::new(Bug::None))).oracle(parse);
    let certificate = shown.check(&stream(&[4000])).unwrap();
    assert!(
        matches!(certificate.tier, Tier::ProvedAt { offsets: 16.., .. }),
        "{certificate}"
    );
    for certificate in [
        fed(Bug::None, &stream(&[1100])),
        caller_buffered(Bug::None, &stream(&[2000])),
        shown.check(&stream(&[400])),
    ] {
        let certificate = certificate.unwrap();
        assert!(
            matches!(certificate.tier, Tier::Proved { .. }),
            "{certificate}"
        );
    }
}

/// Many frames of a few bytes: too many calls for a proof of the decoder alone.
#[test]
fn many_small_frames_get_a_verdict() {
    let stream = stream(&vec![3; 5_000]);
    for proof in [fed(Bug::None, &stream), caller_buffered(Bug::None, &stream)] {
        let certificate = proof.unwrap();
        assert!(
            matches!(certificate.tier, Tier::ProvedAt { offsets: 8.., .. }),
            "{certificate}"
        );
    }
}

/// A framer that cannot be proved is tried with few cuts, at some offsets.
#[test]
fn long_streams_that_cannot_be_proved_are_cut_at_some_offsets() {
    struct Opaque(Framer);

    forward!(Opaque, Framer);

    let check = |bug, stream: &[u8]| {
        Harness::framer(move || Opaque(Framer::new(bug)))
            .oracle(parse)
            .check(stream)
    };
    let certificate = check(Bug::None, &stream(&[LIMIT])).unwrap();
    assert_eq!(
        certificate.tier,
        Tier::BoundedAt {
            offsets: 31,
            cuts: 1,
            splits: 33,
            not_proved: Some(NotProved::NotComparable)
        }
    );
    let text = certificate.to_string();
    assert!(
        text.starts_with(
            "bounded at 31 of 1048579 offsets: 1048580 bytes, 33 splits (up to 1 cut there, and \
             all of them), "
        ),
        "{text}"
    );
    check(Bug::CutHeader, &stream(&[LIMIT])).unwrap_err();
    check(Bug::Cut64KiB, &stream(&[LIMIT])).unwrap_err();
}

/// Byte by byte, a stream of three bytes has two cuts itself.
#[test]
fn byte_by_byte_is_counted_once() {
    for (len, expected) in [(2, 2), (3, 4), (4, 8)] {
        let certificate = Harness::framer(|| Framer::new(Bug::None))
            .oracle(parse)
            .bounded(&[0; 4][..len], 2)
            .unwrap();
        assert!(
            matches!(certificate.tier, Tier::Bounded { splits, .. } if splits == expected),
            "{certificate}"
        );
    }
}

/// A decoder that moves each chunk into a buffer of its own takes more calls than its door lets
/// expect. That is found out once, and not for each long stream again.
#[test]
fn a_proof_at_all_offsets_is_given_up_once() {
    let calls = Rc::new(Cell::new(0));
    let counter = Rc::clone(&calls);
    let harness = Harness::decoder(move || {
        let counter = Rc::clone(&counter);
        let decode = move |moved: &mut Vec<u8>, buffer: &mut BytesMut| {
            counter.set(counter.get() + 1);
            moved.extend(buffer.split());
            let length = moved.as_slice().try_get_u32_le();
            let length = length.map(|length| HEADER + length as usize);
            let length = length.ok().filter(|&length| length <= moved.len());
            Ok(length.map(|length| {
                let frame: Vec<u8> = moved.drain(..length).collect();
                (length - HEADER, sum(&frame[HEADER..]))
            }))
        };
        let decode_eof = |moved: &mut Vec<u8>, _: &mut BytesMut| {
            if moved.is_empty() { Ok(None) } else { Err(()) }
        };
        DecodeFn::new(Vec::new(), decode, decode_eof)
    });
    let harness = harness.oracle(parse).max_work(1 << 17);
    let stream = stream(&[400]);
    let check = || {
        calls.set(0);
        let certificate = harness.check(&stream).unwrap();
        assert!(
            matches!(certificate.tier, Tier::ProvedAt { .. }),
            "{certificate}"
        );
        calls.get()
    };
    let (first, second) = (check(), check());
    assert!(second * 3 < first, "{first}, then {second} calls");
}

/// It has nine states at each offset, so that a proof takes more work than is expected. It is tried
/// with half of the offsets, and again, before it is given up.
#[test]
fn a_proof_at_some_offsets_is_tried_with_fewer() {
    #[derive(Clone, PartialEq, Eq)]
    struct Counts(Framer, u8);

    impl Subject for Counts {
        type Frame = Frame;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), ()> {
            self.1 = (self.1 + 1) % 9;
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), ()> {
            self.0.finish(frames)
        }
    }

    let make = || Counts(Framer::new(Bug::None), 0);
    let harness = Harness::framer(make).oracle(parse).max_work(1 << 18);
    let certificate = harness.check(&stream(&[4000])).unwrap();
    let Tier::ProvedAt { offsets, .. } = certificate.tier else {
        panic!("{certificate}");
    };
    let one_state = Harness::framer(|| Framer::new(Bug::None)).oracle(parse);
    let certificate = one_state.max_work(1 << 18).check(&stream(&[4000])).unwrap();
    let Tier::ProvedAt { offsets: more, .. } = certificate.tier else {
        panic!("{certificate}");
    };
    assert!(4 < offsets && 2 * offsets <= more, "{offsets} of {more}");
}

/// Checks a framer that cannot be proved. Returns the offsets of its first cuts, and up to how many
/// there are in a split.
fn first_cuts(stream: &[u8]) -> (BTreeSet<usize>, usize) {
    struct Records {
        framer: Framer,
        is_fed: bool,
        cuts: Rc<RefCell<BTreeSet<usize>>>,
    }

    impl Subject for Records {
        type Frame = Frame;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), ()> {
            if !self.is_fed {
                self.cuts.borrow_mut().insert(chunk.len());
            }
            self.is_fed = true;
            self.framer.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), ()> {
            self.framer.finish(frames)
        }
    }

    let cuts = Rc::default();
    let recorded = Rc::clone(&cuts);
    let harness = Harness::framer(move || Records {
        framer: Framer::new(Bug::None),
        is_fed: false,
        cuts: Rc::clone(&recorded),
    });
    let certificate = harness.oracle(parse).check(stream).unwrap();
    let Tier::BoundedAt { cuts: count, .. } = certificate.tier else {
        panic!("{certificate}");
    };
    (cuts.take(), count)
}

/// Close to the ends of the stream, at the sizes of buffers and one byte less or more, and at powers
/// of two.
#[test]
fn a_long_stream_is_cut_where_framers_fail_most() {
    let stream = stream(&[LIMIT]);
    let ((cuts, count), len) = (first_cuts(&stream), stream.len());
    assert_eq!(count, 1);
    let near = [1, 2, 3, len - 3, len - 2, len - 1];
    let buffers = [1024, 4096, 8192, 65536];
    let less = buffers.map(|size| size - 1);
    for cut in [&near[..], &buffers, &less, &[65537]].concat() {
        assert!(cuts.contains(&cut), "{cut}: {cuts:?}");
    }
    let powers = cuts.iter().filter(|&&cut| cut > 3 && cut.is_power_of_two());
    assert!(powers.count() > buffers.len() + 2, "{cuts:?}");
}

/// After the first frames, and after some of the others.
#[test]
fn a_stream_of_many_frames_is_cut_at_some_edges() {
    let (cuts, count) = first_cuts(&stream(&[30; 60]));
    assert_eq!(count, 2);
    let edges = (1..60).map(|frames| frames * (HEADER + 30));
    let (first, others): (Vec<_>, Vec<_>) = edges.partition(|&edge| edge <= 8 * (HEADER + 30));
    let missing = first.iter().find(|edge| !cuts.contains(edge));
    assert_eq!(missing, None, "{cuts:?}");
    let others = others.iter().skip(8).filter(|edge| cuts.contains(edge));
    assert!((5..30).contains(&others.count()), "{cuts:?}");
}
