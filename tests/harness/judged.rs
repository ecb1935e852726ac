//! For each way in which a call can differ from what is expected: the property that is blamed, and
//! the text that describes it.

use std::io::Read;

use everysplit::subject::{Buffered, ChunkReader, FeedFn, Frames, ParseFn, Subject};
use everysplit::{
    Case, Certificate, Deviation, Expected, Harness, Interruption, Outcome, Property, Split,
    Violation,
};

type Parsed = Result<Option<(Vec<u8>, usize)>, &'static str>;
type Parse = fn(&[u8]) -> Parsed;

/// A frame with a body of two bytes, then a length that is rejected.
const STREAM: &[u8] = b"\x02ok\x09...";

/// Judges `STREAM` alone, so that violations are not moved to a shorter stream.
fn oracle(stream: &[u8]) -> Option<Expected<Vec<u8>, &'static str>> {
    (stream == STREAM).then(|| Expected {
        frames: vec![(3, b"ok".to_vec())],
        at_end: Vec::new(),
        outcome: Outcome::Rejected {
            at: 4,
            error: "too long",
        },
    })
}

fn correct(bytes: &[u8]) -> Parsed {
    match bytes {
        [] => Ok(None),
        [9, ..] => Err("too long"),
        [length, rest @ ..] => {
            let body = rest.get(..(*length).into());
            Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
        }
    }
}

/// Proves the parser as a decoder whose caller owns the buffer.
fn prove_decoder(parse: Parse) -> Result<Certificate, Violation> {
    let harness = Harness::parser(parse, "truncated");
    harness
        .oracle(oracle)
        .limit_errors(over_limit)
        .check(STREAM)
}

/// Proves the parser, with a buffer, as a framer that is fed.
fn prove_fed(parse: Parse) -> Result<Certificate, Violation> {
    let harness = Harness::framer(move || with_buffer(parse));
    harness
        .oracle(oracle)
        .limit_errors(over_limit)
        .check(STREAM)
}

fn over_limit(error: &&str) -> bool {
    *error == "too long"
}

fn with_buffer(parse: Parse) -> Buffered<ParseFn<Parse, &'static str>> {
    Buffered::new(ParseFn::new(parse, "truncated"))
}

/// Describes the violation of both proofs, which must be the same.
#[track_caller]
fn violation(parse: Parse) -> String {
    let violation = prove_decoder(parse).unwrap_err();
    assert_eq!(prove_fed(parse).unwrap_err(), violation);
    describe(&violation)
}

/// Describes the violation of one split by a reader that calls the parser.
#[track_caller]
fn violation_of_reader(parse: Parse, split: &str) -> String {
    let harness = Harness::reader(move || {
        let mut buffer = Vec::new();
        move |reader: &mut ChunkReader<'_>| {
            loop {
                if let Some((frame, taken)) = parse(&buffer)? {
                    buffer.drain(..taken);
                    return Ok(Some(frame));
                }
                let mut chunk = [0; 64];
                match reader.read(&mut chunk).map_err(|_| "not read")? {
                    0 if buffer.is_empty() => return Ok(None),
                    0 => return Err("truncated"),
                    read => buffer.extend(&chunk[..read]),
                }
            }
        }
    })
    .oracle(oracle)
    .limit_errors(over_limit);
    let case = Case::new(STREAM, split.parse().unwrap());
    describe(&harness.one_split(&case).unwrap_err())
}

fn describe(violation: &Violation) -> String {
    format!(
        "{} {}: {} but {}",
        violation.property.name(),
        violation.case.split,
        violation.expected,
        violation.actual
    )
}

#[test]
fn a_correct_parser_is_proved() {
    assert_eq!(
        prove_decoder(correct).unwrap().to_string(),
        "proved: 7 bytes, all 64 splits, 13 calls, at most 1 state per offset; \
         17 splits replayed"
    );
    assert_eq!(
        prove_fed(correct).unwrap().to_string(),
        "proved: 7 bytes, all 64 splits, 36 calls, at most 1 state per offset; \
         17 splits replayed"
    );
}

#[test]
fn a_frame_before_its_last_byte_violates_prompt() {
    let early: Parse = |bytes| match bytes {
        [2, ..] => Ok(Some((b"ok".to_vec(), bytes.len().min(3)))),
        _ => correct(bytes),
    };
    assert_eq!(
        violation(early),
        "prompt 1: ([], Ok(())) but ([[111, 107]], Ok(()))"
    );
    assert_eq!(
        violation_of_reader(early, "1"),
        "prompt 1: ([], Ok(())) but ([[111, 107]], Ok(()))"
    );
}

#[test]
fn a_different_frame_violates_round_trip_or_every_split() {
    let different: Parse = |bytes| {
        let parsed = correct(bytes)?;
        Ok(parsed.map(|(_, taken)| (b"no".to_vec(), taken)))
    };
    assert_eq!(
        violation(different),
        "round_trip whole: ([[111, 107]], Err(\"too long\")) but ([[110, 111]], Err(\"too long\"))"
    );
    assert_eq!(
        violation_of_reader(different, "whole"),
        "round_trip whole: ([[111, 107]], Err(\"too long\")) but ([[110, 111]], Ok(()))"
    );
    // Only if the stream is cut after the length, where no frame is due.
    let extra: Parse = |bytes| match bytes {
        [2] => Ok(Some((Vec::new(), 1))),
        _ => correct(bytes),
    };
    assert_eq!(
        violation(extra),
        "every_split 1: ([], Ok(())) but ([[]], Ok(()))"
    );
    assert_eq!(
        violation_of_reader(extra, "1"),
        "every_split 1: ([], Ok(())) but ([[]], Ok(()))"
    );
}

/// Through every door: the error that is due with the header is missing.
#[test]
fn a_frame_in_place_of_a_rejected_header_violates_limit() {
    let continues: Parse = |bytes| match bytes {
        [9, ..] => Ok(Some((Vec::new(), 1))),
        _ => correct(bytes),
    };
    assert_eq!(
        describe(&prove_decoder(continues).unwrap_err()),
        "limit whole: ([[111, 107]], Err(\"too long\")) but ([[111, 107], []], Ok(()))"
    );
    assert_eq!(
        describe(&prove_fed(continues).unwrap_err()),
        "limit whole: ([[111, 107]], Err(\"too long\")) but ([[111, 107], []], Ok(()))"
    );
    assert_eq!(
        violation_of_reader(continues, "whole"),
        "limit whole: ([], Err(\"too long\")) but ([[]], Ok(()))"
    );
}

#[test]
fn a_frame_where_none_is_expected_violates_round_trip() {
    let surplus: Parse = |bytes| Ok((!bytes.is_empty()).then(|| (bytes.to_vec(), bytes.len())));
    let oracle = |stream: &[u8]| {
        (stream == b"\x07").then_some(Expected {
            frames: Vec::new(),
            at_end: Vec::new(),
            outcome: Outcome::Truncated("truncated"),
        })
    };
    let violation = Harness::parser(surplus, "truncated")
        .oracle(oracle)
        .check(b"\x07")
        .unwrap_err();
    assert_eq!(
        describe(&violation),
        "round_trip whole: ([], Ok(())) but ([[7]], Ok(()))"
    );
}

#[test]
fn a_frame_after_its_last_byte_violates_prompt() {
    let late: Parse = |bytes| match bytes {
        [2, _, _] => Ok(None),
        _ => correct(bytes),
    };
    let text = "prompt 3: ([[111, 107]], Ok(())) but ([], Ok(()))";
    assert_eq!(violation(late), text);
    assert_eq!(violation_of_reader(late, "3"), text);
    // The proof feeds empty chunks too, but not here.
    assert_eq!(
        prove_fed(late).unwrap_err().case.interruption,
        Interruption::None
    );
}

#[test]
fn a_different_error_at_the_limit_violates_limit() {
    let different: Parse = |bytes| correct(bytes).map_err(|_| "too short");
    assert_eq!(
        violation(different),
        "limit whole: ([[111, 107]], Err(\"too long\")) but ([[111, 107]], Err(\"too short\"))"
    );
    assert_eq!(
        violation_of_reader(different, "whole"),
        "limit whole: ([], Err(\"too long\")) but ([], Err(\"too short\"))"
    );
}

#[test]
fn a_missing_error_violates_limit() {
    let silent: Parse = |bytes| Ok(correct(bytes).unwrap_or_default());
    assert_eq!(
        violation(silent),
        "limit whole: ([[111, 107]], Err(\"too long\")) but ([[111, 107]], Ok(()))"
    );
    assert_eq!(
        violation_of_reader(silent, "whole"),
        "limit whole: ([], Err(\"too long\")) but ([], Ok(()))"
    );
}

#[test]
fn an_early_error_violates_limit() {
    let hasty: Parse = |bytes| match bytes {
        [2] => Err("too long"),
        _ => correct(bytes),
    };
    assert_eq!(
        violation(hasty),
        "limit 1: ([], Ok(())) but ([], Err(\"too long\"))"
    );
}

/// A panic keeps its own property.
#[test]
fn what_an_empty_chunk_changes_violates_empty_chunk() {
    type Framer = Buffered<ParseFn<Parse, &'static str>>;
    type Feed = fn(&mut Framer, &[u8], &mut Frames<Vec<u8>>) -> Result<(), &'static str>;

    let prove = |feed: Feed| {
        Harness::framer(move || FeedFn::new(with_buffer(correct), feed, Framer::finish))
            .oracle(oracle)
            .check(STREAM)
            .unwrap_err()
    };
    let emits = prove(|framer, chunk, frames| {
        if chunk.is_empty() {
            frames.push(Vec::new());
        }
        framer.feed(chunk, frames)
    });
    assert_eq!(
        describe(&emits),
        "empty_chunk whole: ([], Ok(())) but ([[]], Ok(()))"
    );
    let panics = prove(|framer, chunk, frames| {
        assert!(!chunk.is_empty(), "a bug of the framer");
        framer.feed(chunk, frames)
    });
    assert_eq!(panics.property, Property::Progress, "{panics}");
    for violation in [emits, panics] {
        assert_eq!(violation.case.interruption, Interruption::EmptyChunk);
        assert_eq!(violation.case.split, Split::whole());
    }
}

#[test]
fn a_violation_at_the_end_has_no_cut_there() {
    let oracle = |stream: &[u8]| {
        (stream == b"\x02o").then_some(Expected {
            frames: Vec::new(),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        })
    };
    // Declared, as the oracle expects a clean end inside a frame.
    let decoder = Harness::parser(correct, "truncated")
        .oracle(oracle)
        .declare([Deviation::DiscardsAtEnd]);
    let fed = Harness::framer(|| with_buffer(correct))
        .oracle(oracle)
        .declare([Deviation::DiscardsAtEnd]);
    for result in [decoder.check(b"\x02o"), fed.check(b"\x02o")] {
        let violation = result.unwrap_err();
        assert_eq!(violation.case.split, Split::whole());
        assert_eq!(
            describe(&violation),
            "truncation whole: at the end ([], Ok(())) but at the end ([], Err(\"truncated\"))"
        );
    }
}

/// Emits its text for each byte.
fn emits_text(len: usize) -> Violation {
    let framer = move || {
        FeedFn::new(
            (),
            move |(): &mut (), chunk: &[u8], frames: &mut Frames<String>| {
                frames.extend(chunk.iter().map(|_| "x".repeat(len)));
                Ok::<(), ()>(())
            },
            |(), _: &mut Frames<String>| Ok(()),
        )
    };
    let oracle = |stream: &[u8]| Expected {
        frames: (1..=stream.len()).map(|at| (at, String::new())).collect(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let harness = Harness::framer(framer).oracle(oracle);
    harness.check(b"a").unwrap_err()
}

/// A value of up to 4 KiB is shown whole.
#[test]
fn long_values_are_shown_up_to_a_length() {
    let around = emits_text(1).actual.len() - 1;
    let longest = emits_text(4096 - around).actual;
    assert_eq!(longest.len(), 4096);
    assert!(!longest.contains("..."), "{longest}");
    for len in [4097 - around, 5000] {
        let cut_off = emits_text(len).actual;
        assert!(
            cut_off.len() < 4200 && cut_off.ends_with(" ..."),
            "{cut_off}"
        );
    }
}

/// Expects each byte as a frame, and a clean end.
fn each_byte(stream: &[u8]) -> Expected<u8, &'static str> {
    Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    }
}

/// The end of the stream is clean, so what is rejected is no beginning of a frame.
#[test]
fn an_error_after_the_last_frame_violates_round_trip() {
    let feed = |fed: &mut usize, chunk: &[u8], frames: &mut Frames<u8>| {
        *fed += chunk.len();
        frames.extend(chunk.iter().copied());
        if *fed < 3 { Ok(()) } else { Err("full") }
    };
    let framer = move || FeedFn::new(0, feed, |_, _| Ok(()));
    let harness = Harness::framer(framer).oracle(each_byte);
    let violation = harness.check(b"abc").unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
}

/// A frame is late only if it is the missing one that comes later.
#[test]
fn another_frame_that_comes_later_violates_every_split() {
    // A byte that comes alone is emitted with the next chunk, with so much added.
    let check = |added: u8| {
        let feed = move |held: &mut Option<u8>, chunk: &[u8], frames: &mut Frames<u8>| {
            frames.extend(held.take().map(|byte| byte + added));
            match chunk {
                &[byte] => *held = Some(byte),
                _ => frames.extend(chunk.iter().copied()),
            }
            Ok(())
        };
        let framer = move || FeedFn::new(None, feed, |_, _| Ok(()));
        Harness::framer(framer).oracle(each_byte).check(b"abc")
    };
    for (added, property) in [(0, Property::Prompt), (1, Property::EverySplit)] {
        let violation = check(added).unwrap_err();
        assert_eq!(violation.property, property, "{violation}");
    }
}

/// A violation on a stream that the oracle does not judge is made smaller among such streams.
#[test]
fn a_violation_on_a_stream_that_is_not_judged_is_made_smaller() {
    let loses = |(): &mut (), chunk: &[u8], frames: &mut Frames<u8>| {
        frames.extend(chunk.iter().copied().filter(|_| chunk.len() != 3));
        Ok::<(), ()>(())
    };
    let framer = move || FeedFn::new((), loses, |(), _| Ok(()));
    let judges_none = |_: &[u8]| None::<Expected<u8, ()>>;
    let harness = Harness::framer(framer).oracle(judges_none);
    let violation = harness.check(b"not judged at all").unwrap_err();
    assert_eq!(violation.case.to_string(), "000000@whole", "{violation}");
}

/// 256 frames for each byte of a short stream, one of a long one, and some more.
#[test]
fn frames_without_end_are_stopped() {
    for (len, most) in [(100, 25_664), (1 << 14, (1 << 14) + 64)] {
        let endless = move |(): &mut (), chunk: &[u8], frames: &mut Frames<u8>| {
            while chunk.len() == len {
                frames.push(0);
            }
            Ok::<(), ()>(())
        };
        let framer = move || FeedFn::new((), endless, |(), _: &mut Frames<u8>| Ok(()));
        let harness = Harness::framer(framer).minimize_while(|| false);
        let harness = harness.declare([Deviation::BytesBetweenFrames]);
        let violation = harness.check(&vec![0; len]).unwrap_err();
        let text = format!("more than {most} frames in one call");
        assert!(violation.actual.contains(&text), "{violation}");
    }
}
