//! The smaller public tools: what a command, a fuzzer or a property test needs of the library.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use arbitrary::{Arbitrary, Unstructured};
use everysplit::reference::{Frame, Sent};
use everysplit::subject::{ChunkReader, FeedFn, Frames};
use everysplit::{Case, Harness, Property, Split, Verdicts, Violation, strategy};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// As the command makes them, for servers that are no framers of ours.
#[test]
fn a_violation_can_be_made_from_outside() {
    let case = Case::new(b"\x02ok", Split::new([2]));
    let violation = Violation::new(Property::EverySplit, case, "2 bytes", "none");
    let violation = violation.with_edges(vec![0, 1]);
    assert_eq!(violation.offset, 3);
    let text = violation.to_string();
    assert!(text.contains("\n  000000 :02:6f|6b "), "{text}");
    assert!(
        text.contains("\n  expected  2 bytes\n  actual    none\n"),
        "{text}"
    );
    assert!(text.ends_with("\n  replay    026f6b@2"), "{text}");
}

#[test]
fn fuzzers_make_splits_and_cases() {
    // Before each length of two bytes, an odd byte says that there is another one.
    let mut input = Unstructured::new(&[1, 2, 0, 1, 3, 0, 0]);
    assert_eq!(Split::arbitrary(&mut input).unwrap(), Split::new([2, 5]));
    let bytes = [1, 2, 3, 4, 5];
    let case = Case::arbitrary_take_rest(Unstructured::new(&bytes)).unwrap();
    assert_eq!(case, Case::from(&bytes[..]));
    let case = Case::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
    assert_eq!(case, Case::from(&case.stream[..]));
}

/// The body takes what its size says, modulo what is left and one more.
#[test]
fn fuzzers_make_frames() {
    let header = |size: u8| [[size, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]].concat();
    let frame = |body: &'static [u8]| Frame {
        cmd: 1,
        recv: 2,
        body: body.into(),
    };
    for (size, body) in [(0, &b""[..]), (2, b"ok"), (3, b"ok?"), (4, b""), (6, b"ok")] {
        let input = [&header(size)[..], b"ok?"].concat();
        let made = Frame::arbitrary(&mut Unstructured::new(&input)).unwrap();
        assert_eq!(made, frame(body), "{size}");
    }
    let input = [&header(2)[..], b"ok", &header(1), b"x"].concat();
    let sent = Sent::arbitrary_take_rest(Unstructured::new(&input)).unwrap();
    assert_eq!(sent.frames, [frame(b"ok"), frame(b"x")]);
    // As many bytes as the frames have when they are encoded.
    assert!(sent.split.cuts().iter().all(|&cut| cut < input.len()));
    let last_cuts = (0..100).filter_map(|body| {
        let input = [&header(40)[..], &[body; 40], &header(1), b"x"].concat();
        let sent = Sent::arbitrary_take_rest(Unstructured::new(&input)).unwrap();
        sent.split.cuts().last().copied()
    });
    assert!((53..65).contains(&last_cuts.max().unwrap()));
}

/// The split of an input depends on each of its bytes.
#[test]
fn inputs_have_different_splits() {
    let splits = |change: fn(u8) -> [u8; 9]| {
        let splits = (0..=u8::MAX).map(|byte| {
            let stream = [&[0; 90][..], &change(byte)].concat();
            Case::from(&stream[..]).split.to_string()
        });
        splits.collect::<BTreeSet<_>>().len()
    };
    assert!(splits(|byte| [byte, 0, 0, 0, 0, 0, 0, 0, 0]) > 200);
    assert!(splits(|byte| [0, 0, 0, 0, 0, 0, 0, 0, byte]) > 200);
}

/// Whatever must stay, everything else goes, and single cuts are tried until none can go.
#[test]
fn a_split_is_reduced_to_the_cuts_that_it_needs() {
    for needed in Split::all(8) {
        let mut calls = 0;
        let reduced = Split::bytes(8).reduce(|split| {
            calls += 1;
            Ok::<_, ()>(needed.cuts().iter().all(|cut| split.cuts().contains(cut)))
        });
        assert_eq!(reduced, Ok(needed.clone()));
        assert!(calls < 40, "{needed}: {calls}");
    }
    // The first cut can go only after the second one.
    let reduced = Split::new([3, 7]).reduce(|split| Ok::<_, ()>(split.cuts() != [7]));
    assert_eq!(reduced, Ok(Split::whole()));
    // Half of the cuts at once.
    let mut calls = 0;
    let reduced = Split::bytes(1 << 12).reduce(|split| {
        calls += 1;
        Ok::<_, ()>(split.cuts().contains(&1234))
    });
    assert_eq!(reduced, Ok(Split::new([1234])));
    assert!(calls < 30, "{calls}");
    assert_eq!(Split::bytes(8).reduce(|_| Err("stop")), Err("stop"));
}

#[test]
fn the_split_strategy_cuts_at_edges_and_shrinks_to_none() {
    let mut runner = TestRunner::deterministic();
    let mut at_edge = false;
    for _ in 0..100 {
        let mut tree = strategy::split(100, vec![10, 50])
            .new_tree(&mut runner)
            .unwrap();
        at_edge |= tree.current().cuts().contains(&50);
        while tree.simplify() {}
        assert_eq!(tree.current(), Split::whole());
    }
    assert!(at_edge);
}

/// The frames of a cut are counted from its edge on, and start again with the first edge.
#[test]
fn the_split_strategy_reaches_every_edge() {
    for count in [1, 7, 64] {
        let edges: Vec<usize> = (1..=count).map(|edge| 1000 * edge).collect();
        let mut runner = TestRunner::deterministic();
        let mut reached = BTreeSet::<usize>::new();
        for _ in 0..1000 {
            let tree = strategy::split(65_000, edges.clone()).new_tree(&mut runner);
            let split = tree.unwrap().current();
            // And not byte by byte.
            if split.cuts().len() <= 8 {
                reached.extend(split.cuts());
            }
        }
        let missing = edges.iter().find(|edge| !reached.contains(edge));
        assert_eq!(missing, None, "{count}");
    }
}

/// Loses the first byte of every chunk but the first.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `FeedFn`")]
fn loses(begun: &mut bool, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
    let lost = usize::from(std::mem::replace(begun, true)).min(chunk.len());
    frames.extend(chunk[lost..].iter().copied());
    Ok(())
}

#[test]
fn a_violation_is_made_smaller_only_while_allowed() {
    let every_byte = |stream: &[u8]| everysplit::Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: everysplit::Outcome::Clean,
    };
    let harness = Harness::framer(|| FeedFn::new(false, loses, |_, _| Ok(()))).oracle(every_byte);
    let expected = harness.expected(b"ab").unwrap();
    assert_eq!(expected.frames, [(1, b'a'), (2, b'b')]);
    let smallest = harness.check(b"abcd").unwrap_err();
    assert_eq!(smallest.case.to_string(), "00@whole+empty");
    let as_found = harness.minimize_while(|| false).check(b"abcd").unwrap_err();
    assert_eq!(as_found.case.stream.len(), 4, "{as_found}");
    assert!(as_found.replays, "{as_found}");
}

/// A case has empty chunks everywhere or nowhere.
#[test]
fn what_no_case_shows_has_no_token() {
    #[expect(clippy::unnecessary_wraps, reason = "the signature of `FeedFn`")]
    fn odd(is_odd: &mut bool, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
        *is_odd ^= chunk.is_empty();
        frames.extend(chunk.iter().copied());
        Ok(())
    }
    let harness = Harness::framer(|| {
        FeedFn::new(
            false,
            odd,
            |is_odd, _| if *is_odd { Err(()) } else { Ok(()) },
        )
    });
    let violation = harness.check(b"a").unwrap_err();
    assert_eq!(violation.property, Property::EmptyChunk, "{violation}");
    assert!(!violation.replays, "{violation}");
    harness.one_split(&violation.case).unwrap();
    let text = violation.to_string();
    assert!(
        text.ends_with("\n  replay    run the check again"),
        "{text}"
    );
    let shown = Harness::framer(|| FeedFn::new(false, loses, |_, _| Ok(())));
    assert!(shown.check(b"ab").unwrap_err().replays);
}

/// Cuts after the end of a stream cut nothing.
#[test]
fn cuts_that_have_no_effect_are_not_blamed() {
    let harness = Harness::framer(|| FeedFn::new(true, loses, |_, _| Ok(())));
    let harness = harness.oracle(|stream: &[u8]| everysplit::Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: everysplit::Outcome::Clean,
    });
    for (token, property) in [
        ("61@whole", Property::RoundTrip),
        ("61@1", Property::RoundTrip),
        ("61@9", Property::RoundTrip),
        ("6161@1", Property::EverySplit),
    ] {
        let violation = harness.replay(token).unwrap_err();
        assert_eq!(violation.property, property, "{token}: {violation}");
    }
}

/// The framer is its own oracle, and gets stuck as one.
#[test]
fn a_reader_that_returns_frames_without_reading_violates_progress() {
    let harness = Harness::reader(|| |_: &mut ChunkReader<'_>| Ok::<_, ()>(Some(())));
    let harness = harness.clone();
    assert_eq!(harness.expected(b"a"), None);
    let violation = harness.check(b"ab").unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
    assert_eq!(*violation.actual, *"a frame");
    let map = harness.split_map(b"ab");
    assert_eq!(map.whole(), everysplit::Cell::Violated(Property::Progress));
}

#[test]
#[should_panic(expected = "no @ and split after the bytes")]
fn a_text_that_is_no_token_panics_when_replayed() {
    let harness = Harness::framer(|| FeedFn::new(false, loses, |_, _| Ok(())));
    let _ = harness.replay("0a0b");
}

/// Fails when a text has more bytes than this.
struct Room(usize);

impl fmt::Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// A state that cannot be compared.
struct Opaque;

#[expect(clippy::unnecessary_wraps, reason = "the signature of `FeedFn`")]
fn echo(_: &mut Opaque, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
    frames.extend(chunk.iter().copied());
    Ok(())
}

/// A text does not go on after an error of its writer, and returns it.
#[test]
fn texts_return_the_error_of_their_writer() {
    let length = |bytes: &[u8]| {
        Ok::<_, ()>(bytes.first().and_then(|&length| {
            let body = bytes.get(1..=length.into())?;
            Some((body.to_vec(), 1 + body.len()))
        }))
    };
    let harness = Harness::parser(length, ()).max_work(1 << 14);
    let opaque = Harness::framer(|| FeedFn::new(Opaque, echo, |_, _| Ok(())));
    let long = vec![0; 2000];
    let certificates = [
        harness.check(b"\x01a").unwrap(),
        harness.check(&long).unwrap(),
        harness.bounded(b"\x01a", 1).unwrap(),
        opaque.check(&long).unwrap(),
        harness.sampled(b"\x01a", 1, 5).unwrap(),
    ];
    let every = harness.every_stream(4).unwrap();
    let buggy = Harness::framer(|| FeedFn::new(false, loses, |_, _| Ok(())));
    let violation = buggy.check(b"abcd").unwrap_err();
    let map = buggy.split_map(&[0; 60]);
    let verdicts = Verdicts::collect("length", |verdicts| {
        let length = |bytes: &[u8]| Ok::<_, ()>(bytes.first().map(|_| ((), 1)));
        let harness = Harness::parser(length, ()).streams([b"ab"]);
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    });
    let (summary, details) = (verdicts.summary(), verdicts.details());
    let mut texts: Vec<&dyn fmt::Display> = vec![&every, &violation, &map, &summary, &details];
    texts.extend(certificates.iter().map(|it| it as &dyn fmt::Display));
    for text in texts {
        let len = text.to_string().len();
        write!(Room(len), "{text}").unwrap();
        for room in 0..len {
            write!(Room(room), "{text}").unwrap_err();
        }
    }
}
