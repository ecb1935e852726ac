//! Correct framers: no check may find a violation, on streams of frames, mutated, truncated and
//! hostile. Every check that the framer allows is run.
//!
//! `EVERYSPLIT_STREAMS` sets the number of random streams. The same number makes the same streams.
//! `EVERYSPLIT_SHARD` takes a share of them.

use std::fmt::Debug;
use std::io::{Error, ErrorKind};
use std::{env, iter};

use crate::common::oracles::{self, Lengths, Refusal};
use bytes::Bytes;
use everysplit::reference::{ByteOrder, Codec, Config, Decoder, Framer, Header, naive};
use everysplit::subject::{Buffered, TokioDecoder};
use everysplit::{
    Certificate, Deviation, Expected, Harness, Outcome, Property, Shard, Tier, Violation,
};
use fastrand::Rng;
use tokio_util::codec::{AnyDelimiterCodec, LinesCodec};

/// The length of the longest stream, in bytes.
const LONGEST: usize = 40;

/// No size limit, for tokio-util's codecs.
const UNLIMITED: usize = usize::MAX;

/// Returns a random number generator for each stream of one format. There are four formats.
fn generators() -> impl Iterator<Item = Rng> {
    let streams: u64 = env::var("EVERYSPLIT_STREAMS").map_or(4000, |streams| {
        streams
            .parse()
            .expect("EVERYSPLIT_STREAMS is a number of streams")
    });
    Shard::from_env()
        .of(0..streams.div_ceil(4))
        .map(Rng::with_seed)
}

/// How many streams of each kind there were, so that no kind is missing.
#[derive(Debug, Default)]
struct Seen {
    streams: u64,
    frames: usize,
    clean: u64,
    left_at_end: u64,
    truncated: u64,
    rejected: u64,
}

impl Seen {
    fn add<F, E>(&mut self, expected: &Expected<F, E>) {
        self.streams += 1;
        self.frames += expected.frames.len();
        *match expected.outcome {
            Outcome::Clean if expected.at_end.is_empty() => &mut self.clean,
            Outcome::Clean => &mut self.left_at_end,
            Outcome::Truncated(_) => &mut self.truncated,
            Outcome::Rejected { .. } => &mut self.rejected,
        } += 1;
    }

    /// Asserts that each kind makes up more than a fiftieth of the streams, if there are 100 or
    /// more.
    #[track_caller]
    fn assert_enough(&self, kinds: &[fn(&Self) -> u64]) {
        println!("{self:?}");
        if self.streams < 100 {
            return;
        }
        let few = self.streams / 50;
        let enough = kinds.iter().all(|kind| kind(self) > few);
        assert!(enough && self.frames as u64 > self.streams, "{self:?}");
    }
}

/// Asserts that there is no violation. Returns how far the check went.
#[track_caller]
fn assert_correct(setup: &impl Debug, verdict: Result<Certificate, Violation>) -> Tier {
    match verdict {
        Ok(certificate) => certificate.tier,
        Err(violation) => panic!("{setup:?}\n{violation}"),
    }
}

#[track_caller]
fn assert_proved(setup: &impl Debug, verdict: Result<Certificate, Violation>) {
    let tier = assert_correct(setup, verdict);
    assert!(matches!(tier, Tier::Proved { .. }), "{setup:?}\n{tier:?}");
}

/// Returns a random stream: up to four whole frames, then nothing, a truncated frame, a hostile one
/// or random bytes; often mutated.
fn stream(
    rng: &mut Rng,
    whole: impl Fn(&mut Rng) -> Vec<u8>,
    hostile: impl Fn(&mut Rng) -> Vec<u8>,
) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..rng.usize(..5) {
        stream.extend(whole(rng));
    }
    // Leaves room for what follows.
    stream.truncate(LONGEST - 4);
    match rng.u8(..6) {
        0 | 1 => {}
        2 => {
            let frame = whole(rng);
            stream.extend(&frame[..rng.usize(..=frame.len())]);
        }
        3 | 4 => stream.extend(hostile(rng)),
        _ => stream.extend(bytes(rng, 12)),
    }
    for _ in 0..[0, 0, 0, 1, 2][rng.usize(..5)] {
        mutate(rng, &mut stream);
    }
    stream.truncate(LONGEST);
    stream
}

/// Returns up to `most` random bytes.
fn bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    let len = rng.usize(..=most);
    iter::repeat_with(|| rng.u8(..)).take(len).collect()
}

/// Swaps two elements, removes one, inserts a copy of one, or repeats a range.
fn mutate<T: Clone>(rng: &mut Rng, stream: &mut Vec<T>) {
    if stream.is_empty() {
        return;
    }
    let (at, other) = (rng.usize(..stream.len()), rng.usize(..stream.len()));
    match rng.u8(..4) {
        0 => stream.swap(at, other),
        1 => drop(stream.remove(at)),
        2 => stream.insert(at, stream[other].clone()),
        _ => {
            let (from, to) = (at.min(other), at.max(other));
            let again = stream[from..to].to_vec();
            stream.splice(to..to, again);
        }
    }
}

/// The reference framer, its decoder, and its codec.
#[test]
fn reference_framer() {
    let mut seen = Seen::default();
    for mut rng in generators() {
        let rng = &mut rng;
        let config = Config {
            byte_order: *rng.choice(&[ByteOrder::Little, ByteOrder::Big]).unwrap(),
            max_body_size: *rng.choice(&[0, 1, 2, 5, 12, 20]).unwrap(),
        };
        let max = config.max_body_size;
        let header = |rng: &mut Rng, body_size| Header {
            body_size,
            cmd: rng.u32(..),
            recv: rng.u32(..2),
        };
        let whole = |rng: &mut Rng| {
            let body = rng.u32(..=max.min(5));
            // At least one in three is at the limit.
            let body_size = if rng.u8(..3) == 0 { max } else { body };
            let mut frame = header(rng, body_size).to_bytes(config.byte_order).to_vec();
            // Small bytes, so that a body looks like headers.
            frame.extend(iter::repeat_with(|| rng.u8(..4)).take(body_size as usize));
            frame
        };
        let hostile = |rng: &mut Rng| {
            let sizes = [max + 1, i32::MAX as u32, 1 << 31, u32::MAX, rng.u32(..)];
            let size = *rng.choice(&sizes).unwrap();
            let mut frame = header(rng, size).to_bytes(config.byte_order).to_vec();
            frame.truncate(rng.usize(..=12));
            frame
        };
        let stream = &stream(rng, whole, hostile);
        let oracle = |stream: &[u8]| naive::parse(config, stream);
        seen.add(&oracle(stream));

        let framer = Harness::framer(move || Framer::new(config)).oracle(oracle);
        assert_proved(&config, framer.check(stream));
        let make = move || Decoder::new(config);
        let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
        assert_proved(&config, fed.check(stream));
        let caller_buffered = Harness::decoder(make).oracle(oracle);
        assert_proved(&config, caller_buffered.check(stream));
        let error = |error: Error| oracles::decode_error(&error);
        let make = move || TokioDecoder::new(Codec::new(config)).with_errors(error);
        let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
        assert_proved(&config, fed.check(stream));
        let caller_buffered = Harness::decoder(make).oracle(oracle);
        assert_proved(&config, caller_buffered.check(stream));
    }
    seen.assert_enough(&[
        |seen| seen.clean,
        |seen| seen.truncated,
        |seen| seen.rejected,
    ]);
}

/// Formats of `LengthDelimitedCodec`: the reference format, and those that its documentation shows.
const LENGTHS: [Lengths; 7] = [
    lengths(ByteOrder::Little, 0, 4, 12, 0),
    lengths(ByteOrder::Big, 0, 4, 12, 0),
    lengths(ByteOrder::Little, 0, 4, 8, 4),
    lengths(ByteOrder::Big, 0, 2, 0, 2),
    lengths(ByteOrder::Big, 0, 3, -3, 3),
    lengths(ByteOrder::Little, 1, 2, 4, 0),
    lengths(ByteOrder::Big, 2, 1, 1, 3),
];

const fn lengths(
    byte_order: ByteOrder,
    offset: usize,
    field: usize,
    adjustment: isize,
    skip: usize,
) -> Lengths {
    Lengths {
        byte_order,
        offset,
        field,
        adjustment,
        skip,
        max: 7,
    }
}

/// It is not `Eq`: its states are compared by their `Debug` text.
#[test]
fn length_delimited_codec() {
    let mut seen = Seen::default();
    for (seed, mut rng) in (0..).zip(generators()) {
        let rng = &mut rng;
        let lengths = *rng.choice(&LENGTHS).unwrap();
        let header = |rng: &mut Rng, length: usize| {
            let mut field = length.to_le_bytes()[..lengths.field].to_vec();
            if lengths.byte_order == ByteOrder::Big {
                field.reverse();
            }
            let before = iter::repeat_with(|| rng.u8(..)).take(lengths.offset);
            before.chain(field).collect::<Vec<u8>>()
        };
        let whole = |rng: &mut Rng| {
            let least = usize::try_from(-lengths.adjustment).unwrap_or(0);
            let length = rng.usize(least..=lengths.max);
            let end = (lengths.skip + length).checked_add_signed(lengths.adjustment);
            let mut frame = header(rng, length);
            frame.extend(iter::repeat_with(|| rng.u8(..4)).take(end.unwrap() - lengths.decided()));
            frame
        };
        let hostile = |rng: &mut Rng| {
            let claims = [0, lengths.max + 1, usize::MAX, rng.usize(..)];
            let length = *rng.choice(&claims).unwrap();
            [header(rng, length), bytes(rng, 4)].concat()
        };
        let mut stream = stream(rng, whole, hostile);
        if ends_after_a_skipped_header(lengths, &stream) {
            stream.pop();
        }
        seen.add(&lengths.parse(&stream));

        let make =
            move || TokioDecoder::new(lengths.codec()).with_errors(|error: Error| error.kind());
        let harness = Harness::decoder(make).oracle(|stream: &[u8]| lengths.parse(stream));
        assert_correct(&lengths, harness.bounded(&stream, 1));
        assert_correct(&lengths, harness.sampled(&stream, seed, 8));
    }
    seen.assert_enough(&[
        |seen| seen.clean,
        |seen| seen.truncated,
        |seen| seen.rejected,
    ]);
}

/// Returns whether the stream ends right after a header that is skipped whole. tokio-util's codec
/// takes that for a clean end, as its buffer is empty.
fn ends_after_a_skipped_header(lengths: Lengths, stream: &[u8]) -> bool {
    let expected = lengths.parse(stream);
    let start = expected.frames.last().map_or(0, |&(end, _)| end);
    expected.outcome == Outcome::Truncated(ErrorKind::Other) && lengths.skip == stream.len() - start
}

#[test]
fn length_delimited_codec_accepts_an_end_after_a_skipped_header() {
    for lengths in LENGTHS {
        let make =
            move || TokioDecoder::new(lengths.codec()).with_errors(|error: Error| error.kind());
        let harness = Harness::decoder(make).oracle(|stream: &[u8]| lengths.parse(stream));
        // A length of 5, and no body.
        let mut stream = vec![0; lengths.decided()];
        let least = match lengths.byte_order {
            ByteOrder::Little => lengths.offset,
            ByteOrder::Big => lengths.decided() - 1,
        };
        stream[least] = 5;
        let verdict = harness.bounded(&stream, 1);
        if ends_after_a_skipped_header(lengths, &stream) {
            assert_eq!(verdict.unwrap_err().property, Property::Truncation);
        } else {
            assert_correct(&lengths, verdict);
        }
    }
}

/// Returns random text in which no piece between two delimiters is longer than `max` bytes. After a
/// longer one tokio-util's codecs go on, and the oracle expects no frames after an error.
fn text(rng: &mut Rng, letters: &[char], delimiters: &[char], max: usize) -> String {
    let len = rng.usize(..=LONGEST);
    let letter = || *rng.choice(letters).unwrap();
    let mut text: Vec<char> = iter::repeat_with(letter).take(len).collect();
    for _ in 0..rng.usize(..3) {
        mutate(rng, &mut text);
    }
    let (mut fitting, mut piece) = (String::new(), 0);
    for letter in text {
        if delimiters.contains(&letter) {
            piece = 0;
        } else if piece + letter.len_utf8() > max {
            fitting.push(*rng.choice(delimiters).unwrap());
            piece = letter.len_utf8();
        } else {
            piece += letter.len_utf8();
        }
        if fitting.len() + letter.len_utf8() > LONGEST {
            break;
        }
        fitting.push(letter);
    }
    fitting
}

#[test]
fn lines_codec() {
    let mut seen = Seen::default();
    for mut rng in generators() {
        let letters = [
            'a', '\r', '\r', '\n', '\n', '\0', 'é', '語', '😀', '\u{2028}',
        ];
        let max = *rng.choice(&[4, 7, UNLIMITED]).unwrap();
        let mut stream = text(&mut rng, &letters, &['\n'], max).into_bytes();
        // Only the end may cut a character: after a line that is not UTF-8 the codec goes on too.
        stream.truncate(stream.len() - rng.usize(..4).min(stream.len()));
        let oracle = |stream: &[u8]| oracles::lines(stream, max);
        let expected = oracle(&stream);
        seen.add(&expected);
        let framed = expected.frames.last().map_or(0, |&(end, _)| end);
        // A CR alone after the last line is dropped.
        let discards = stream[framed..] == *b"\r";

        let codec = move || LinesCodec::new_with_max_length(max);
        let make = move || TokioDecoder::new(codec()).with_errors(Refusal::from);
        let declared = discards.then_some(Deviation::DiscardsAtEnd);
        let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
        assert_proved(&max, fed.declare(declared).check(&stream));
        let caller_buffered = Harness::decoder(make).oracle(oracle);
        assert_proved(&max, caller_buffered.declare(declared).check(&stream));
    }
    seen.assert_enough(&[
        |seen| seen.clean,
        |seen| seen.left_at_end,
        |seen| seen.truncated,
    ]);
    assert_eq!(seen.rejected, 0);
}

#[test]
fn any_delimiter_codec() {
    let mut seen = Seen::default();
    for mut rng in generators() {
        let delimiters = *rng
            .choice(&[&[';'][..], &[';', ','], &['\0', '\n', ',']])
            .unwrap();
        let letters = ['a', ';', ',', '\0', '\n', 'é'];
        let max = *rng.choice(&[2, 5, UNLIMITED]).unwrap();
        let stream = text(&mut rng, &letters, delimiters, max);
        let delimiters: Vec<u8> = delimiters.iter().collect::<String>().into();
        let frame = |bytes: &[u8]| Ok(Bytes::copy_from_slice(bytes));
        let oracle = |stream: &[u8]| oracles::delimited(stream, &delimiters, max, frame);
        seen.add(&oracle(stream.as_bytes()));

        let codec = AnyDelimiterCodec::new_with_max_length(delimiters.clone(), Vec::new(), max);
        let make = move || TokioDecoder::new(codec.clone()).with_errors(Refusal::from);
        let setup = (&delimiters, max);
        let caller_buffered = Harness::decoder(make.clone()).oracle(&oracle);
        assert_proved(&setup, caller_buffered.check(stream.as_bytes()));
        let fed = Harness::framer(move || Buffered::new(make())).oracle(&oracle);
        assert_proved(&setup, fed.check(stream.as_bytes()));
    }
    seen.assert_enough(&[|seen| seen.clean, |seen| seen.left_at_end]);
    assert_eq!(seen.rejected, 0);
}
