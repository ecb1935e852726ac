//! What is said of each thing that a call can do wrong: the property by which it is
//! named, and what was expected and happened instead.

use everysplit::check::{self, Expected, Outcome, Property, Violation};
use everysplit::{Buffered, Frames, ParseFn, Split, Subject};

type Parse = fn(&[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str>;

/// A body of two bytes, then a length that is refused.
const STREAM: &[u8] = b"\x02ok\x09...";

fn expected() -> Expected<Vec<u8>, &'static str> {
    Expected {
        frames: vec![(3, b"ok".to_vec())],
        at_end: Vec::new(),
        outcome: Outcome::Rejected {
            at: 4,
            error: "too long",
        },
    }
}

fn right(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
    match bytes {
        [] => Ok(None),
        [9, ..] => Err("too long"),
        [length, rest @ ..] => {
            let body = rest.get(..(*length).into());
            Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
        }
    }
}

/// What the proof for decoders says, in one line.
fn said(parse: Parse) -> String {
    let decoder = ParseFn::new(parse, "truncated");
    match check::prove_decoder(decoder, STREAM, &expected(), 8) {
        Ok(proof) => proof.unwrap().to_string(),
        Err(violation) => in_one_line(&violation),
    }
}

fn in_one_line(violation: &Violation) -> String {
    format!(
        "{} {}: {} but {}",
        violation.property.name(),
        violation.case.split,
        violation.expected,
        violation.actual
    )
}

#[test]
fn a_right_decoder_is_proved() {
    assert_eq!(
        said(right),
        "proved: 7 bytes, all 64 splits, 13 feeds, at most 1 states an offset"
    );
}

#[test]
fn frames_of_a_decoder_are_told_apart() {
    // Given when its length is in.
    let early: Parse = |bytes| match bytes {
        [2, ..] => Ok(Some((b"ok".to_vec(), bytes.len().min(3)))),
        _ => right(bytes),
    };
    assert_eq!(said(early), "prompt 1: None but Some([111, 107])");
    // Another one than is due, and one where none is due yet.
    let other: Parse = |bytes| Ok(right(bytes)?.map(|(_, taken)| (b"no".to_vec(), taken)));
    assert_eq!(
        said(other),
        "round_trip whole: Some([111, 107]) but Some([110, 111])"
    );
    let nothing: Parse = |bytes| match bytes {
        [2] => Ok(Some((Vec::new(), 1))),
        _ => right(bytes),
    };
    assert_eq!(said(nothing), "every_split 1: None but Some([])");
    // One behind what is refused.
    let goes_on: Parse = |bytes| match bytes {
        [9, ..] => Ok(Some((Vec::new(), 1))),
        _ => right(bytes),
    };
    assert_eq!(said(goes_on), "poisoned whole: None but Some([])");
}

/// Where nothing is due and nothing was refused, a frame comes out of nothing.
#[test]
fn a_frame_of_a_decoder_that_nothing_makes_due_is_found() {
    let expected = Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Truncated("truncated"),
    };
    let surplus: Parse = |bytes| Ok((!bytes.is_empty()).then(|| (bytes.to_vec(), bytes.len())));
    let decoder = ParseFn::new(surplus, "truncated");
    let violation = check::prove_decoder(decoder, b"\x07", &expected, 8).unwrap_err();
    assert_eq!(
        in_one_line(&violation),
        "round_trip whole: None but Some([7])"
    );
}

#[test]
fn waits_of_a_decoder_are_told_apart() {
    let late: Parse = |bytes| match bytes {
        [2, _, _] => Ok(None),
        _ => right(bytes),
    };
    assert_eq!(
        said(late),
        "prompt 3: ([[111, 107]], Ok(())) but ([], Ok(()))"
    );
    let another: Parse = |bytes| right(bytes).map_err(|_| "too short");
    assert_eq!(
        said(another),
        "round_trip whole: ([], Err(\"too long\")) but ([], Err(\"too short\"))"
    );
    let silent: Parse = |bytes| Ok(right(bytes).unwrap_or_default());
    assert_eq!(
        said(silent),
        "limit whole: ([], Err(\"too long\")) but ([], Ok(()))"
    );
    let hasty: Parse = |bytes| match bytes {
        [2] => Err("too long"),
        _ => right(bytes),
    };
    assert_eq!(
        said(hasty),
        "limit 1: ([], Ok(())) but ([], Err(\"too long\"))"
    );
}

/// Right, but for what it does with no bytes.
#[derive(Clone)]
struct OnNothing {
    framer: Buffered<ParseFn<Parse, &'static str>>,
    wrong: fn(&mut Frames<Vec<u8>>),
}

/// What it is, `wrong` aside.
impl PartialEq for OnNothing {
    fn eq(&self, other: &Self) -> bool {
        self.framer == other.framer
    }
}

impl Eq for OnNothing {}

impl Subject for OnNothing {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        if chunk.is_empty() {
            (self.wrong)(frames);
        }
        self.framer.feed(chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        self.framer.finish(frames)
    }
}

/// A proof feeds empty chunks where another is fed, and a violation by one has its
/// name, but for a panic, which keeps its own.
#[test]
fn a_proof_names_what_an_empty_chunk_breaks() {
    let prove = |wrong| {
        let framer = Buffered::new(ParseFn::new(right as Parse, "truncated"));
        let proof = check::prove(OnNothing { framer, wrong }, STREAM, &expected(), 8);
        proof.unwrap_err()
    };
    let surplus = prove(|frames| frames.push(Vec::new()));
    assert_eq!(
        in_one_line(&surplus),
        "empty_chunk whole: ([], Ok(())) but ([[]], Ok(()))"
    );
    let panic = prove(|_| panic!("a bug of the framer"));
    assert_eq!(panic.property, Property::Progress, "{panic}");
    // Where no chunk is empty, none is blamed.
    let parser = |parse: Parse| Buffered::new(ParseFn::new(parse, "truncated"));
    let late: Parse = |bytes| match bytes {
        [2, _, _] => Ok(None),
        _ => right(bytes),
    };
    let violation = check::prove(parser(late), STREAM, &expected(), 8).unwrap_err();
    assert_eq!(
        in_one_line(&violation),
        "prompt 3: ([[111, 107]], Ok(())) but ([], Ok(()))"
    );
}

/// What the end of the stream breaks is told without a cut where the stream ends.
#[test]
fn a_violation_at_the_end_has_no_cut_there() {
    let expected = Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let framer = || ParseFn::new(right as Parse, "truncated");
    for proof in [
        check::prove(Buffered::new(framer()), b"\x02o", &expected, 8),
        check::prove_decoder(framer(), b"\x02o", &expected, 8),
    ] {
        let violation = proof.unwrap_err();
        assert_eq!(violation.case.split, Split::whole());
        assert_eq!(
            in_one_line(&violation),
            "truncation whole: at the end ([], Ok(())) but at the end ([], Err(\"truncated\"))"
        );
    }
}
