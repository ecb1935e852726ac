//! The harness: what it covers, what it says of it, and how small it makes what
//! it finds.

use everysplit::check::{Expected, Harness, Outcome, Property, Tier};
use everysplit::{Case, FeedFn, Frames, ParseCaseError, Split, Subject};

/// The right answer in the smallest format: a length of one byte, then the body.
fn parse(stream: &[u8]) -> Expected<Vec<u8>, ()> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let Some((&length, rest)) = stream[start..].split_first() else {
            break Outcome::Clean;
        };
        let Some(body) = rest.get(..length.into()) else {
            break Outcome::Truncated(());
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

/// Where each length, each body, and what is left begins.
fn edges(stream: &[u8]) -> Vec<usize> {
    let ends = parse(stream).frames.into_iter().map(|(end, _)| end);
    let mut edges: Vec<usize> = [0]
        .into_iter()
        .chain(ends)
        .flat_map(|at| [at, at + 1])
        .collect();
    edges.dedup();
    edges.retain(|&edge| edge <= stream.len());
    edges
}

/// Right, but for what `wrong` says of the chunks that a frame of two bytes or
/// more came in.
#[derive(Clone)]
struct Framer {
    buffer: Vec<u8>,
    /// How many bytes of the frame at hand each chunk brought.
    chunks: Vec<usize>,
    wrong: fn(&[usize]) -> bool,
}

impl Framer {
    fn new(wrong: fn(&[usize]) -> bool) -> Self {
        let (buffer, chunks) = (Vec::new(), Vec::new());
        Self {
            buffer,
            chunks,
            wrong,
        }
    }
}

/// What it is, `wrong` aside.
impl PartialEq for Framer {
    fn eq(&self, other: &Self) -> bool {
        (&self.buffer, &self.chunks) == (&other.buffer, &other.chunks)
    }
}

impl Eq for Framer {}

impl Subject for Framer {
    type Frame = Vec<u8>;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.chunks.push(chunk.len());
        self.buffer.extend(chunk);
        while let Some(&length) = self.buffer.first() {
            let end = 1 + usize::from(length);
            if self.buffer.len() < end {
                break;
            }
            let mut frame: Vec<u8> = self.buffer.drain(..end).skip(1).collect();
            if length > 1 && (self.wrong)(&self.chunks) {
                frame.push(b'!');
            }
            frames.push(frame);
            self.chunks = Vec::from_iter((!self.buffer.is_empty()).then_some(self.buffer.len()));
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), ()> {
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(())
        }
    }
}

const STREAM: &[u8] = b"\x01a\x04body\x00\x03xyz\x02ok";

type Oracle = fn(&[u8]) -> Expected<Vec<u8>, ()>;

fn harness(wrong: fn(&[usize]) -> bool) -> Harness<impl Fn() -> Framer, Oracle> {
    let oracle: Oracle = parse;
    Harness::new(move || Framer::new(wrong), oracle).edges(edges)
}

#[test]
fn certificates_tell_what_was_covered() {
    let right = harness(|_| false);
    assert_eq!(
        right.bounded(STREAM, 2).unwrap().to_string(),
        "bounded: 15 bytes, 107 splits (up to 2 cuts, and byte by byte), 1058 feeds"
    );
    let sampled = right.sampled(STREAM, 7, 100).unwrap();
    assert_eq!(
        (sampled.tier, sampled.bytes),
        (
            Tier::Sampled {
                seed: 7,
                splits: 100
            },
            15
        )
    );
    let proved = right.prove(STREAM).unwrap();
    assert!(
        matches!(proved.tier, Tier::Proved { states: 8 }),
        "{proved}"
    );
}

/// A framer with a counter in its state: what could be covered is, and told.
#[test]
fn what_cannot_be_proved_is_bounded_and_says_so() {
    #[derive(Clone, PartialEq, Eq)]
    struct Counts(Framer, usize);

    impl Subject for Counts {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.1 += 1;
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.finish(frames)
        }
    }

    let harness = Harness::new(|| Counts(Framer::new(|_| false), 0), parse);
    let certificate = harness.prove(STREAM).unwrap().to_string();
    let (covered, why) = certificate.split_once("; ").unwrap();
    assert!(
        covered.starts_with("bounded: 15 bytes, 107 splits"),
        "{covered}"
    );
    assert!(
        why.starts_with("not proved, as there were more than 64 states at offset "),
        "{why}"
    );
}

/// Wrong where a frame comes in two chunks: one cut, at a field edge, and nothing
/// but that frame.
#[test]
fn a_violation_is_minimal_whoever_finds_it() {
    let stream = b"\x01a\x02ok\x00\x02go\x01b";
    let wrong = harness(|chunks| chunks.len() == 2);
    let found = [
        wrong.prove(stream).unwrap_err(),
        wrong.bounded(stream, 2).unwrap_err(),
        wrong.sampled(stream, 1, 1000).unwrap_err(),
    ];
    for violation in found {
        let token = violation.case.to_string();
        assert!(
            ["026f6b@1", "02676f@1"].contains(&&token[..]),
            "{violation}"
        );
    }
}

/// Wrong where a frame comes in four chunks: no two cuts show it.
#[test]
fn cuts_that_are_needed_stay() {
    let stream = b"\x01a\x00\x03xyz\x01b";
    let wrong = harness(|chunks| chunks.len() == 4);
    for found in [wrong.bounded(stream, 2), wrong.prove(stream)] {
        let violation = found.unwrap_err();
        assert_eq!(violation.case.to_string(), "0378797a@1,2,3", "{violation}");
    }
}

/// Wrong where a frame comes byte by byte, and where it comes in three chunks of these
/// lengths: no cut of the four can be left out, and two others are enough.
#[test]
fn all_pairs_of_cuts_are_tried_on_a_short_stream() {
    let wrong = harness(|chunks| matches!(chunks, [1, 1, 1, 1, 1] | [2, 1, 2]));
    let violation = wrong.bounded(b"\x04body", 1).unwrap_err();
    assert_eq!(violation.case.to_string(), "04626f6479@2,3", "{violation}");
}

/// A cut where the shorter stream ends is gone with the bytes behind it, and the others
/// stay.
#[test]
fn a_cut_at_the_end_of_a_shorter_stream_is_dropped() {
    /// Each byte is a frame, and the end is refused behind chunks of some lengths.
    struct Lengths(Vec<usize>);

    impl Subject for Lengths {
        type Frame = u8;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
            self.0.extend((!chunk.is_empty()).then_some(chunk.len()));
            frames.extend(chunk.iter().copied());
            Ok(())
        }

        fn finish(&mut self, _: &mut Frames<u8>) -> Result<(), ()> {
            match self.0[..] {
                [2, 1, 1] | [2, 1] | [1, 2] => Err(()),
                _ => Ok(()),
            }
        }
    }

    let oracle = |stream: &[u8]| Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let harness = Harness::new(|| Lengths(Vec::new()), oracle);
    let violation = harness.bounded(b"abcd", 2).unwrap_err();
    assert_eq!(violation.case.to_string(), "616263@2", "{violation}");
}

#[test]
fn a_violation_is_told_with_its_cuts_and_fields() {
    let wrong = harness(|chunks| chunks.len() > 1);
    let case = Case {
        stream: b"\x01a\x13seventeen bytes ...\x02ok".to_vec(),
        split: Split::new([3, 10, 23]),
    };
    let violation = wrong.check(&case).unwrap_err();
    let told = violation.to_string();
    let (_, told) = told.split_once('\n').unwrap();
    let (picture, _) = told.split_once("  expected").unwrap();
    assert_eq!(
        picture,
        "  000000 :01:61:13#73 65 76 65 6e 74 65|65 6e 20 62 79 74   .a.seventeen byt
  000010  65 73 20 2e 2e 2e:02#6f 6b                        es ....ok
         | cut   : field edge   # both
  split     3,10,23
  bytes in  23 of 25
"
    );
}

/// Of a long stream, its beginning, its cuts and the place are shown.
#[test]
fn a_long_stream_is_told_in_part() {
    let wrong = harness(|chunks| chunks.len() > 1);
    let case = Case {
        stream: [&[0; 400][..], b"\x02ok", &[0; 400]].concat(),
        split: Split::new([401]),
    };
    let told = wrong.check(&case).unwrap_err().to_string();
    let rows = told
        .lines()
        .skip(1)
        .map(|line| line[2..].split(' ').next().unwrap());
    let rows: Vec<&str> = rows.take(7).collect();
    assert_eq!(
        rows,
        [
            "000000", "000010", "000020", "000030", "...", "000190", "..."
        ],
        "{told}"
    );
    assert!(told.lines().all(|line| line.len() < 1700), "{told}");
}

/// What nobody would read is where it can be had.
#[test]
fn a_split_and_a_token_can_be_too_long_to_tell() {
    let wrong = harness(|chunks| chunks.len() > 1);
    let case = Case {
        stream: [&[0; 3000][..], b"\x02ok"].concat(),
        split: Split::bytes(3003),
    };
    let violation = wrong.check(&case).unwrap_err();
    let told = violation.to_string();
    assert!(
        told.contains("\n  split     3002 cuts, see its case\n"),
        "{told}"
    );
    let token = violation.case.to_string();
    let replay = format!(
        "\n  replay    a token of {} characters, see its case",
        token.len()
    );
    assert!(told.ends_with(&replay), "{told}");
    assert!(told.lines().count() < 16, "{told}");
    assert_eq!(wrong.replay(&token), Err(violation));
}

#[test]
fn a_token_replays() {
    let wrong = harness(|chunks| chunks.len() == 2);
    let violation = wrong.prove(STREAM).unwrap_err();
    let token = violation.case.to_string();
    assert_eq!(wrong.replay(&token).unwrap_err(), violation);
    harness(|_| false).replay(&token).unwrap();
}

#[test]
fn texts_that_are_no_token_are_told_why() {
    let error = |token: &str| token.parse::<Case>().unwrap_err();
    assert_eq!(error("0a0b"), ParseCaseError::NoSplit);
    assert_eq!(error("0a0@1"), ParseCaseError::Byte(1));
    assert_eq!(error("0a+b@1"), ParseCaseError::Byte(1));
    assert_eq!(
        error("0a@x").to_string(),
        "split: cut 1: invalid digit found in string; write increasing offsets such as 3,12,17 or the word whole"
    );
    assert_eq!(
        error("zz@1").to_string(),
        "byte 0 is not two hexadecimal digits; write a token such as 0a0b0c@1,2"
    );
}

#[test]
fn a_memory_violation_keeps_its_property() {
    struct Holds(Framer);

    impl Subject for Holds {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.finish(frames)
        }

        fn buffered_bytes(&self) -> Option<usize> {
            Some(
                self.0
                    .buffer
                    .first()
                    .map_or(0, |&length| 100 * usize::from(length)),
            )
        }
    }

    let harness = Harness::new(|| Holds(Framer::new(|_| false)), parse).edges(edges);
    let violation = harness.bounded(STREAM, 1).unwrap_err();
    assert_eq!(violation.property, Property::Memory);
    assert_eq!(violation.case.stream.len(), 1, "{violation}");
}

/// What empty chunks break is found, made small and replayed like anything else.
#[test]
fn an_empty_chunk_that_changes_something_is_found() {
    struct Forgets(Framer);

    impl Subject for Forgets {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            if chunk.is_empty() {
                self.0.buffer.clear();
            }
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.finish(frames)
        }
    }

    let harness = Harness::new(|| Forgets(Framer::new(|_| false)), parse).edges(edges);
    for found in [harness.bounded(STREAM, 1), harness.sampled(STREAM, 1, 100)] {
        let violation = found.unwrap_err();
        assert_eq!(violation.property, Property::EmptyChunk);
        assert_eq!(violation.case.stream.len(), 1, "{violation}");
        let token = violation.case.to_string();
        assert_eq!(harness.replay(&token), Err(violation));
    }
}

/// A long stream is made short within bounds, and not every split of it is tried.
#[test]
fn a_violation_of_a_long_stream_is_made_small() {
    let loses = |begun: &mut bool, chunk: &[u8], frames: &mut Frames<u8>| -> Result<(), ()> {
        // The first byte of every chunk but the first.
        let lost = usize::from(std::mem::replace(begun, true)).min(chunk.len());
        frames.extend(chunk[lost..].iter().copied());
        Ok(())
    };
    let finish = |_: &mut bool, _: &mut Frames<u8>| Ok(());
    let every_byte = |stream: &[u8]| Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let harness = Harness::new(|| FeedFn::new(false, loses, finish), every_byte);
    let violation = harness.sampled(&vec![7; 100_000], 0, 10).unwrap_err();
    assert_eq!(violation.case.split.cuts().len(), 1, "{violation}");
    assert!(violation.case.stream.len() <= 128, "{violation}");
}
