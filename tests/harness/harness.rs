//! The harness: what its certificates claim, how small its violations are, and how both are
//! printed.

use std::io::{ErrorKind, Read};

use everysplit::oracle::Oracle;
use everysplit::subject::{AsyncChunkReader, ChunkReader, FeedFn, Frames, Subject};
use everysplit::{
    Case, Expected, Fed, Harness, Hexdump, Interruption, NotProved, Outcome, ParseCaseError,
    Property, Row, Source, Split, Tier,
};
use tokio::io::AsyncReadExt;

/// Parses a whole stream of the smallest format: a length of one byte, then the body.
pub(crate) fn parse_or<E>(stream: &[u8], truncation_error: E) -> Expected<Vec<u8>, E> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let Some((&length, rest)) = stream[start..].split_first() else {
            break Outcome::Clean;
        };
        let Some(body) = rest.get(..length.into()) else {
            break Outcome::Truncated(truncation_error);
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

fn parse(stream: &[u8]) -> Expected<Vec<u8>, ()> {
    parse_or(stream, ())
}

/// Returns where each length and each body begins, and the bytes of an incomplete frame.
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

/// A framer that changes a frame if `is_buggy` returns true for the chunks that it came in. Frames
/// of less than two bytes are always correct.
#[derive(Clone)]
struct Mutant {
    buffer: Vec<u8>,
    /// How many bytes of the current frame each chunk contained.
    chunks: Vec<usize>,
    is_buggy: fn(&[usize]) -> bool,
}

impl Mutant {
    fn new(is_buggy: fn(&[usize]) -> bool) -> Self {
        Self {
            buffer: Vec::new(),
            chunks: Vec::new(),
            is_buggy,
        }
    }

    fn correct() -> Self {
        Self::new(|_| false)
    }
}

/// Functions cannot be compared; `is_buggy` never changes.
impl PartialEq for Mutant {
    fn eq(&self, other: &Self) -> bool {
        (&self.buffer, &self.chunks) == (&other.buffer, &other.chunks)
    }
}

impl Eq for Mutant {}

impl Subject for Mutant {
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
            if length > 1 && (self.is_buggy)(&self.chunks) {
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

fn harness(is_buggy: fn(&[usize]) -> bool) -> Harness<Fed<Mutant>, impl Oracle<Fed<Mutant>>> {
    Harness::framer(move || Mutant::new(is_buggy))
        .oracle(parse)
        .edges(edges)
}

#[test]
fn a_certificate_states_what_was_covered() {
    let harness = harness(|_| false);
    assert_eq!(
        harness.bounded(STREAM, 2).unwrap().to_string(),
        "bounded: 15 bytes, 107 splits (up to 2 cuts, and byte by byte), 1058 calls"
    );
    let sampled = harness.sampled(STREAM, 7, 100).unwrap();
    assert_eq!(
        (&sampled.tier, sampled.bytes),
        (
            &Tier::Sampled {
                seed: 7,
                splits: 100
            },
            15
        )
    );
    assert_eq!(
        sampled.to_string(),
        format!(
            "sampled: 15 bytes, 100 random splits from seed 7, {} calls",
            sampled.calls
        )
    );
    let proved = harness.check(STREAM).unwrap();
    assert!(
        matches!(proved.tier, Tier::Proved { states: 8, .. }),
        "{proved}"
    );
}

#[test]
fn a_framer_with_too_many_states_is_checked_up_to_two_cuts() {
    // The number of calls is part of the state.
    let harness = Harness::framer(|| {
        FeedFn::new(
            (Mutant::correct(), 0),
            |(framer, calls), chunk, frames| {
                *calls += 1;
                framer.feed(chunk, frames)
            },
            |(framer, _), frames| framer.finish(frames),
        )
    })
    .oracle(parse);
    let certificate = harness.check(STREAM).unwrap().to_string();
    let (covered, reason) = certificate.split_once("; ").unwrap();
    assert!(
        covered.starts_with("bounded: 15 bytes, 107 splits"),
        "{covered}"
    );
    assert!(
        reason.starts_with("not proved: more than 64 different states at offset "),
        "{reason}"
    );
}

#[test]
fn max_states_bounds_a_proof() {
    let proved = harness(|_| false).max_states(8).check(STREAM).unwrap();
    assert!(
        matches!(proved.tier, Tier::Proved { states: 8, .. }),
        "{proved}"
    );
    let bounded = harness(|_| false).max_states(7).check(STREAM).unwrap();
    assert_eq!(
        bounded.tier,
        Tier::Bounded {
            cuts: 2,
            splits: 107,
            not_proved: Some(NotProved::TooManyStates {
                offset: 6,
                max_states: 7
            })
        }
    );
    // Less coverage must not hide a violation.
    let violation = harness(|chunks| chunks.len() == 2)
        .max_states(1)
        .check(STREAM)
        .unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
}

#[test]
fn a_framer_whose_states_cannot_be_compared_is_checked_up_to_two_cuts() {
    const TEXT: &str = "bounded: 15 bytes, 107 splits (up to 2 cuts, and byte by byte), \
                        1058 calls; not proved: the framer's states cannot be compared: derive \
                        `Eq` or `Debug` for it, unless it is a reader";

    /// Neither `Clone` nor `Eq` nor `Debug`.
    struct Nothing(Mutant);

    #[derive(Clone)]
    struct NotEq(Mutant);

    let nothing = |is_buggy| {
        Harness::framer(move || {
            FeedFn::new(
                Nothing(Mutant::new(is_buggy)),
                |framer, chunk, frames| framer.0.feed(chunk, frames),
                |framer, frames| framer.0.finish(frames),
            )
        })
        .oracle(parse)
        .check(STREAM)
    };
    let not_eq = |is_buggy| {
        Harness::framer(move || {
            FeedFn::new(
                NotEq(Mutant::new(is_buggy)),
                |framer, chunk, frames| framer.0.feed(chunk, frames),
                |framer, frames| framer.0.finish(frames),
            )
        })
        .oracle(parse)
        .check(STREAM)
    };
    for certificate in [nothing(|_| false), not_eq(|_| false)].map(Result::unwrap) {
        assert!(
            matches!(
                certificate.tier,
                Tier::Bounded {
                    not_proved: Some(NotProved::NotComparable),
                    ..
                }
            ),
            "{certificate}"
        );
        assert_eq!(certificate.to_string(), TEXT);
    }
    let in_three: fn(&[usize]) -> bool = |chunks| chunks.len() == 3;
    for violation in [nothing(in_three), not_eq(in_three)].map(Result::unwrap_err) {
        assert_eq!(violation.case.split.cuts().len(), 2, "{violation}");
    }
}

/// Buggy where a frame comes in two chunks: one cut at a field edge and that frame alone remain.
#[test]
fn every_check_returns_a_minimal_violation() {
    let stream = b"\x01a\x02ok\x00\x02go\x01b";
    let buggy = harness(|chunks| chunks.len() == 2);
    let found = [
        buggy.check(stream).unwrap_err(),
        buggy.bounded(stream, 2).unwrap_err(),
        buggy.sampled(stream, 1, 1000).unwrap_err(),
    ];
    for violation in found {
        assert_eq!(violation.case.to_string(), "020000@1", "{violation}");
    }
}

/// Buggy where a frame comes in four chunks: no two cuts show it.
#[test]
fn a_minimal_violation_keeps_the_cuts_that_it_needs() {
    let stream = b"\x01a\x00\x03xyz\x01b";
    let buggy = harness(|chunks| chunks.len() == 4);
    for result in [buggy.bounded(stream, 2), buggy.check(stream)] {
        let violation = result.unwrap_err();
        assert_eq!(violation.case.to_string(), "03000000@1,2,3", "{violation}");
    }
}

/// Buggy where a frame comes byte by byte, and where it comes in three chunks of certain lengths:
/// none of the four cuts can be removed, yet two other cuts are enough. Three body bytes are enough
/// too, if the last chunk has the next frame in it.
#[test]
fn every_pair_of_cuts_is_tried_on_a_short_stream() {
    let buggy = harness(|chunks| matches!(chunks, [1, 1, 1, 1, 1] | [2, 1, 2]));
    let violation = buggy.bounded(b"\x04body", 1).unwrap_err();
    assert_eq!(violation.case.to_string(), "0300000000@2,3", "{violation}");
}

#[test]
fn a_cut_at_the_end_of_a_shortened_stream_is_removed() {
    /// Every byte is a frame. The end is rejected after chunks of certain lengths.
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

    let harness = Harness::framer(|| Lengths(Vec::new())).oracle(every_byte);
    let violation = harness.bounded(b"abcd", 2).unwrap_err();
    assert_eq!(violation.case.to_string(), "000000@1", "{violation}");
}

/// Parses a stream of which every byte is a frame.
fn every_byte<E>(stream: &[u8]) -> Expected<u8, E> {
    Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    }
}

#[test]
fn a_violation_shows_its_cuts_and_fields() {
    let buggy = harness(|chunks| chunks.len() > 1);
    let case = Case::new(
        b"\x01a\x13seventeen bytes ...\x02ok",
        Split::new([3, 10, 23]),
    );
    let text = buggy.one_split(&case).unwrap_err().to_string();
    let (_, text) = text.split_once('\n').unwrap();
    let (picture, _) = text.split_once("  expected").unwrap();
    assert_eq!(
        picture,
        "  000000 :01:61:13#73 65 76 65 6e 74 65|65 6e 20 62 79 74   .a.seventeen byt
  000010  65 73 20 2e 2e 2e:02#6f 6b                        es ....ok
         | cut   : field edge   # both
  split     3,10,23
  bytes fed 23 of 25
"
    );
}

#[test]
fn of_a_long_stream_the_first_rows_and_those_at_cuts_are_shown() {
    let buggy = harness(|chunks| chunks.len() > 1);
    let stream = [&[0; 400][..], b"\x02ok", &[0; 400]].concat();
    let violation = buggy
        .one_split(&Case::new(stream, Split::new([401])))
        .unwrap_err();
    let text = violation.to_string();
    let rows: Vec<&str> = text
        .lines()
        .skip(1)
        .map(|line| line[2..].split(' ').next().unwrap())
        .take(7)
        .collect();
    assert_eq!(
        rows,
        [
            "000000", "000010", "000020", "000030", "...", "000190", "..."
        ],
        "{text}"
    );
    assert!(text.lines().all(|line| line.len() < 1700), "{text}");
    assert_eq!(
        violation.hexdump().rows().collect::<Vec<_>>(),
        [
            Row::Bytes(0..16),
            Row::Bytes(16..32),
            Row::Bytes(32..48),
            Row::Bytes(48..64),
            Row::Omitted(64..400),
            Row::Bytes(400..416),
            Row::Omitted(416..800),
            Row::Bytes(800..803),
        ]
    );
}

#[test]
fn hexdump_rows_cover_the_stream() {
    let rows = |len: usize, cuts: &[usize], offset| {
        let dump = Hexdump {
            bytes: &vec![0; len],
            cuts,
            edges: &[],
            offset,
        };
        dump.rows().collect::<Vec<_>>()
    };
    assert_eq!(rows(0, &[], 0), []);
    assert_eq!(rows(16, &[], 16), [Row::Bytes(0..16)]);
    assert_eq!(rows(17, &[], 17), [Row::Bytes(0..16), Row::Bytes(16..17)]);
    // The first four rows are always shown, and those next to the offset.
    let first = [0..16, 16..32, 32..48, 48..64].map(Row::Bytes);
    assert_eq!(rows(64, &[], 0), first);
    let rest = |len, cuts: &[usize], offset| {
        let rows = rows(len, cuts, offset);
        assert_eq!(rows[..4], first);
        rows[4..].to_vec()
    };
    assert_eq!(rest(100, &[], 0), [Row::Omitted(64..100)]);
    assert_eq!(
        rest(100, &[], 90),
        [
            Row::Omitted(64..80),
            Row::Bytes(80..96),
            Row::Omitted(96..100)
        ]
    );
    // A cut or an offset between two rows shows both.
    for (cuts, offset) in [(&[96][..], 0), (&[], 96)] {
        assert_eq!(
            rest(100, cuts, offset),
            [
                Row::Omitted(64..80),
                Row::Bytes(80..96),
                Row::Bytes(96..100)
            ]
        );
    }
    // Of too many cuts none is shown.
    let cuts: Vec<usize> = (100..=100 + Hexdump::CUTS).collect();
    assert_eq!(rest(200, &cuts, 0), [Row::Omitted(64..200)]);
    assert_eq!(
        rest(200, &cuts[1..], 0),
        [
            Row::Omitted(64..96),
            Row::Bytes(96..112),
            Row::Bytes(112..128),
            Row::Bytes(128..144),
            Row::Bytes(144..160),
            Row::Bytes(160..176),
            Row::Omitted(176..200)
        ]
    );
}

#[test]
fn a_long_split_and_a_long_token_are_not_printed() {
    let buggy = harness(|chunks| chunks.len() > 1);
    let stream = [&[0; 3000][..], b"\x02ok"].concat();
    let violation = buggy
        .one_split(&Case::new(stream, Split::bytes(3003)))
        .unwrap_err();
    let text = violation.to_string();
    assert!(
        text.contains("\n  split     3002 cuts, see its case\n"),
        "{text}"
    );
    let token = violation.case.to_string();
    let replay = format!(
        "\n  replay    a token of {} characters, see its case",
        token.len()
    );
    assert!(text.ends_with(&replay), "{text}");
    assert!(text.lines().count() < 16, "{text}");
    assert_eq!(buggy.replay(&token), Err(violation));
}

#[test]
fn a_token_replays_its_violation() {
    let buggy = harness(|chunks| chunks.len() == 2);
    let violation = buggy.check(STREAM).unwrap_err();
    let token = violation.case.to_string();
    assert_eq!(buggy.replay(&token).unwrap_err(), violation);
    harness(|_| false).replay(&token).unwrap();
}

#[test]
fn a_token_contains_the_interruption() {
    for (name, interruption) in [
        ("empty", Interruption::EmptyChunk),
        ("interrupted", Interruption::Interrupted),
        ("would_block", Interruption::WouldBlock),
        ("pending", Interruption::Pending),
        ("dropped", Interruption::Dropped),
    ] {
        for (split, cuts) in [("whole", &[][..]), ("1,2", &[1, 2])] {
            let token = format!("0a0b0c@{split}+{name}");
            let case: Case = token.parse().unwrap();
            let split = Split::new(cuts.iter().copied());
            assert_eq!(case, Case::new(b"\x0a\x0b\x0c", split).with(interruption));
            assert_eq!(case.to_string(), token);
        }
    }
    let case = Case::new(b"\x0a", Split::whole()).with(Interruption::None);
    assert_eq!(case.to_string(), "0a@whole");
}

#[test]
fn a_text_that_is_not_a_token_is_explained() {
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
    for token in ["0a@1+", "0a@1+nap", "0a@1+empty+empty"] {
        assert_eq!(error(token), ParseCaseError::Interruption);
    }
    assert_eq!(
        error("0a@1+nap").to_string(),
        "unknown interruption after +; expected one of empty interrupted would_block pending \
         dropped write_zero"
    );
}

#[test]
fn a_violation_of_memory_is_made_smaller_without_becoming_another() {
    struct Reserves(Mutant);

    impl Subject for Reserves {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.feed(chunk, frames)
        }

        fn finish(&mut self, frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.finish(frames)
        }

        fn buffered_bytes(&self) -> Option<usize> {
            let length = self.0.buffer.first();
            Some(length.map_or(0, |&length| 100 * usize::from(length)))
        }
    }

    let harness = Harness::framer(|| Reserves(Mutant::correct()))
        .oracle(parse)
        .edges(edges);
    let violation = harness.bounded(STREAM, 1).unwrap_err();
    assert_eq!(violation.property, Property::Memory);
    assert_eq!(violation.case.stream.len(), 1, "{violation}");
}

#[test]
fn a_violation_by_an_empty_chunk_is_made_small_and_replays() {
    let harness = Harness::framer(|| {
        FeedFn::new(
            Mutant::correct(),
            |framer, chunk: &[u8], frames| {
                if chunk.is_empty() {
                    framer.buffer.clear();
                }
                framer.feed(chunk, frames)
            },
            Mutant::finish,
        )
    })
    .oracle(parse)
    .edges(edges);
    for result in [
        harness.check(STREAM),
        harness.bounded(STREAM, 1),
        harness.sampled(STREAM, 1, 100),
    ] {
        let violation = result.unwrap_err();
        assert_eq!(violation.property, Property::EmptyChunk);
        assert_eq!(violation.case.stream.len(), 1, "{violation}");
        let token = violation.case.to_string();
        assert!(token.ends_with("@whole+empty"), "{token}");
        assert_eq!(harness.replay(&token), Err(violation));
        let without = token.strip_suffix("+empty").unwrap();
        harness.replay(without).unwrap();
    }
}

#[test]
fn a_violation_by_an_interrupted_read_replays() {
    fn pairs<E>(stream: &[u8]) -> Option<Expected<[u8; 2], E>> {
        let (pairs, rest) = stream.as_chunks();
        rest.is_empty().then(|| Expected {
            frames: (2..).step_by(2).zip(pairs.iter().copied()).collect(),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        })
    }

    // Loses the first byte of a pair if the read of the second would block.
    let blocked = Harness::reader(|| {
        |reader: &mut ChunkReader<'_>| {
            let mut pair = [0; 2];
            match reader.read_exact(&mut pair) {
                Ok(()) => Ok(Some(pair)),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(error.kind()),
            }
        }
    })
    .oracle(pairs);
    let violation = blocked.check(b"abcdef").unwrap_err();
    assert_eq!(violation.property, Property::Interrupted, "{violation}");
    assert_eq!(violation.case.to_string(), "0000@1+would_block");
    assert_eq!(blocked.replay("0000@1+would_block"), Err(violation));
    for token in ["0000@1", "0000@1+interrupted", "0000@whole+would_block"] {
        blocked.replay(token).unwrap();
    }

    // Takes an interrupted read for an error.
    let interrupted = Harness::reader(|| {
        let (mut pair, mut len) = ([0; 2], 0);
        move |reader: &mut ChunkReader<'_>| {
            loop {
                match reader.read(&mut pair[len..]) {
                    Ok(0) => return Ok(None),
                    Ok(read) => len += read,
                    Err(error) => return Err(error.kind()),
                }
                if len == 2 {
                    len = 0;
                    return Ok(Some(pair));
                }
            }
        }
    })
    .oracle(pairs);
    let violation = interrupted.check(b"ab").unwrap_err();
    assert_eq!(violation.property, Property::Interrupted, "{violation}");
    let token = violation.case.to_string();
    assert_eq!(token, "@whole+interrupted");
    assert_eq!(interrupted.replay(&token), Err(violation));
    interrupted.replay("6162@1+would_block").unwrap();

    // `read_exact` loses the first byte of a pair if its future is dropped.
    let dropped = Harness::async_reader(|| {
        async |reader: &mut AsyncChunkReader<'_, '_>| {
            let mut pair = [0; 2];
            match reader.read_exact(&mut pair).await {
                Ok(_) => Ok(Some(pair)),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(error.kind()),
            }
        }
    })
    .oracle(pairs);
    let violation = dropped.check(b"abcdef").unwrap_err();
    assert_eq!(violation.property, Property::Cancelled, "{violation}");
    assert_eq!(violation.case.to_string(), "0000@1+dropped");
    assert_eq!(dropped.replay("0000@1+dropped"), Err(violation));
    for token in ["0000@1", "0000@1+pending", "0000@whole+dropped"] {
        dropped.replay(token).unwrap();
    }
}

/// Where the oracle returns `None`, the framer itself is the oracle, byte by byte.
#[test]
fn a_stream_that_the_oracle_cannot_judge_is_never_passed_over() {
    let oracle = |stream: &[u8]| stream.is_empty().then(|| parse(stream));
    let correct = Harness::framer(Mutant::correct).oracle(oracle);
    assert_eq!(correct.check(b"").unwrap().source, Source::Parser);
    assert_eq!(correct.check(b"\x01a").unwrap().source, Source::ByteByByte);
    correct.fuzz(b"\x01a").unwrap();

    // Loses a frame that is cut after its length.
    let harness = Harness::framer(|| {
        FeedFn::new(
            Mutant::correct(),
            |framer, chunk: &[u8], frames| match chunk {
                [1] => Ok(()),
                _ => framer.feed(chunk, frames),
            },
            Mutant::finish,
        )
    })
    .oracle(oracle);
    let verdicts = [
        harness.check(b"\x01a").map(drop),
        harness.bounded(b"\x01a", 1).map(drop),
        harness.sampled(b"\x01a", 0, 20).map(drop),
        harness.one_split(&Case::new(b"\x01a", Split::whole())),
        harness.replay("0161@whole"),
    ];
    for verdict in verdicts {
        assert_eq!(verdict.unwrap_err().property, Property::EverySplit);
    }
}

#[test]
fn a_violation_on_a_long_stream_is_made_small_in_bounded_time() {
    // Loses the first byte of every chunk but the first.
    let loses = |begun: &mut bool, chunk: &[u8], frames: &mut Frames<u8>| -> Result<(), ()> {
        let lost = usize::from(std::mem::replace(begun, true)).min(chunk.len());
        frames.extend(chunk[lost..].iter().copied());
        Ok(())
    };
    let finish = |_: &mut bool, _: &mut Frames<u8>| Ok(());
    let harness = Harness::framer(move || FeedFn::new(false, loses, finish)).oracle(every_byte);
    let violation = harness.sampled(&vec![7; 100_000], 0, 10).unwrap_err();
    assert_eq!(violation.case.split.cuts().len(), 1, "{violation}");
    assert!(violation.case.stream.len() <= 128, "{violation}");
}
