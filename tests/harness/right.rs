//! No right framer is accused: streams of frames, mutated, cut short and hostile,
//! under every check that the framer can have. What a wrong one gets is told
//! elsewhere.
//!
//! `EVERYSPLIT_STREAMS` says how many streams are drawn. The same number draws the
//! same ones.

use std::fmt::Debug;
use std::io::{Error, ErrorKind};
use std::{env, iter};

use crate::common::oracles::{self, Lengths, Refusal};
use bytes::Bytes;
use everysplit::check::{
    Certificate, Deviation, Expected, Harness, Outcome, Property, Tier, Violation,
};
use everysplit::reference::{ByteOrder, Codec, Config, Decoder, Framer, Header, naive};
use everysplit::{Buffered, Tokio};
use fastrand::Rng;
use tokio_util::codec::{AnyDelimiterCodec, LinesCodec};

/// The longest stream, in bytes.
const LONGEST: usize = 40;

/// No limit, as tokio-util's codecs write it.
const UNLIMITED: usize = usize::MAX;

/// Chance, for each stream of one of the four kinds of formats.
fn chances() -> impl Iterator<Item = Rng> {
    let streams: u64 = env::var("EVERYSPLIT_STREAMS").map_or(4000, |streams| {
        streams
            .parse()
            .expect("EVERYSPLIT_STREAMS is a number of streams")
    });
    (0..streams.div_ceil(4)).map(Rng::with_seed)
}

/// What was drawn, to see that nothing is missing.
#[derive(Debug, Default)]
struct Drawn {
    streams: u64,
    frames: usize,
    clean: u64,
    left_at_end: u64,
    truncated: u64,
    rejected: u64,
}

impl Drawn {
    fn note<F, E>(&mut self, expected: &Expected<F, E>) {
        self.streams += 1;
        self.frames += expected.frames.len();
        *match expected.outcome {
            Outcome::Clean if expected.at_end.is_empty() => &mut self.clean,
            Outcome::Clean => &mut self.left_at_end,
            Outcome::Truncated(_) => &mut self.truncated,
            Outcome::Rejected { .. } => &mut self.rejected,
        } += 1;
    }

    /// Asserts that there was enough of each, where there are streams enough.
    #[track_caller]
    fn has(&self, kinds: &[fn(&Self) -> u64]) {
        println!("{self:?}");
        if self.streams < 100 {
            return;
        }
        let few = self.streams / 50;
        let enough = kinds.iter().all(|kind| kind(self) > few);
        assert!(enough && self.frames as u64 > self.streams, "{self:?}");
    }
}

#[track_caller]
fn holds(setup: &impl Debug, verdict: Result<Certificate, Violation>) -> Tier {
    match verdict {
        Ok(certificate) => certificate.tier,
        Err(violation) => panic!("{setup:?}\n{violation}"),
    }
}

#[track_caller]
fn proved(setup: &impl Debug, verdict: Result<Certificate, Violation>) {
    let tier = holds(setup, verdict);
    assert!(matches!(tier, Tier::Proved { .. }), "{setup:?}\n{tier:?}");
}

/// Whole frames, then nothing, one that is cut short, a hostile one or anything,
/// and changes here and there.
fn stream(
    rng: &mut Rng,
    whole: impl Fn(&mut Rng) -> Vec<u8>,
    hostile: impl Fn(&mut Rng) -> Vec<u8>,
) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..rng.usize(..5) {
        stream.extend(whole(rng));
    }
    // Room for what follows.
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

/// Up to `most` bytes.
fn bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    let len = rng.usize(..=most);
    iter::repeat_with(|| rng.u8(..)).take(len).collect()
}

/// Swaps, takes out, puts in or repeats what is somewhere.
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

/// The reference framer, the decoder that it is made of, and the same for tokio.
#[test]
fn ours() {
    let mut drawn = Drawn::default();
    for mut rng in chances() {
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
            // Often one of the limit.
            let body_size = if rng.u8(..3) == 0 { max } else { body };
            let mut frame = header(rng, body_size).to_bytes(config.byte_order).to_vec();
            // What looks like lengths, too.
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
        drawn.note(&oracle(stream));

        let framer = Harness::new(|| Framer::new(config), oracle);
        proved(&config, framer.prove(stream));
        let decoder = Harness::new(|| Buffered::new(Decoder::new(config)), oracle);
        proved(&config, decoder.prove(stream));
        proved(&config, decoder.prove_decoder(stream));
        let error = |error: Error| oracles::decode_error(&error);
        let make = || Buffered::new(Tokio::new(Codec::new(config), error));
        let codec = Harness::new(make, oracle);
        proved(&config, codec.prove(stream));
        proved(&config, codec.prove_decoder(stream));
    }
    drawn.has(&[|d| d.clean, |d| d.truncated, |d| d.rejected]);
}

/// Set up for the formats that its documents show and for the reference framer's.
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

/// It can be cloned and not compared.
#[test]
fn length_delimited_codec() {
    let mut drawn = Drawn::default();
    for (seed, mut rng) in (0..).zip(chances()) {
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
        if ends_behind_what_is_skipped(lengths, &stream) {
            stream.pop();
        }
        drawn.note(&lengths.parse(&stream));

        let make = || Buffered::new(Tokio::new(lengths.codec(), |error: Error| error.kind()));
        let harness = Harness::new(make, |stream| lengths.parse(stream));
        holds(&lengths, harness.bounded(&stream, 1));
        holds(&lengths, harness.sampled(&stream, seed, 8));
    }
    drawn.has(&[|d| d.clean, |d| d.truncated, |d| d.rejected]);
}

/// Where a header is skipped whole, tokio-util's codec takes an end right behind it
/// for a clean one: it has nothing left by which to tell.
fn ends_behind_what_is_skipped(lengths: Lengths, stream: &[u8]) -> bool {
    let expected = lengths.parse(stream);
    let start = expected.frames.last().map_or(0, |&(end, _)| end);
    expected.outcome == Outcome::Truncated(ErrorKind::Other) && lengths.skip == stream.len() - start
}

#[test]
fn an_end_behind_what_is_skipped_is_not_reported() {
    for lengths in LENGTHS {
        let make = || Buffered::new(Tokio::new(lengths.codec(), |error: Error| error.kind()));
        let harness = Harness::new(make, |stream| lengths.parse(stream));
        // A length of 5, of which nothing came.
        let mut stream = vec![0; lengths.decided()];
        let least = match lengths.byte_order {
            ByteOrder::Little => lengths.offset,
            ByteOrder::Big => lengths.decided() - 1,
        };
        stream[least] = 5;
        let verdict = harness.bounded(&stream, 1);
        if ends_behind_what_is_skipped(lengths, &stream) {
            assert_eq!(verdict.unwrap_err().property, Property::Truncation);
        } else {
            holds(&lengths, verdict);
        }
    }
}

/// Text, in which no piece between two of `delimiters` is longer than `max` bytes:
/// behind one that is, tokio-util's codecs go on, and no frame is due after an error.
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
    let mut drawn = Drawn::default();
    for mut rng in chances() {
        let letters = [
            'a', '\r', '\r', '\n', '\n', '\0', 'é', '語', '😀', '\u{2028}',
        ];
        let max = *rng.choice(&[4, 7, UNLIMITED]).unwrap();
        let mut stream = text(&mut rng, &letters, &['\n'], max).into_bytes();
        // The end may cut a letter, and nothing else may: behind a line that is no
        // text, too, the codec goes on.
        stream.truncate(stream.len() - rng.usize(..4).min(stream.len()));
        let oracle = |stream: &[u8]| oracles::lines(stream, max);
        let expected = oracle(&stream);
        drawn.note(&expected);
        let framed = expected.frames.last().map_or(0, |&(end, _)| end);
        // Only a CR that is all that the end leaves.
        let discards = stream[framed..] == *b"\r";

        let codec = || LinesCodec::new_with_max_length(max);
        let harness = Harness::new(|| Buffered::new(Tokio::new(codec(), Refusal::from)), oracle);
        let harness = harness.declare(discards.then_some(Deviation::DiscardsAtEnd));
        proved(&max, harness.prove(&stream));
        proved(&max, harness.prove_decoder(&stream));
    }
    drawn.has(&[|d| d.clean, |d| d.left_at_end, |d| d.truncated]);
    assert_eq!(drawn.rejected, 0);
}

#[test]
fn any_delimiter_codec() {
    let mut drawn = Drawn::default();
    for mut rng in chances() {
        let delimiters = *rng
            .choice(&[&[';'][..], &[';', ','], &['\0', '\n', ',']])
            .unwrap();
        let letters = ['a', ';', ',', '\0', '\n', 'é'];
        let max = *rng.choice(&[2, 5, UNLIMITED]).unwrap();
        let stream = text(&mut rng, &letters, delimiters, max);
        let delimiters: Vec<u8> = delimiters.iter().collect::<String>().into();
        let frame = |bytes: &[u8]| Ok(Bytes::copy_from_slice(bytes));
        let oracle = |stream: &[u8]| oracles::delimited(stream, &delimiters, max, frame);
        drawn.note(&oracle(stream.as_bytes()));

        let codec = || AnyDelimiterCodec::new_with_max_length(delimiters.clone(), Vec::new(), max);
        let harness = Harness::new(|| Buffered::new(Tokio::new(codec(), Refusal::from)), oracle);
        let setup = (&delimiters, max);
        proved(&setup, harness.prove(stream.as_bytes()));
        proved(&setup, harness.prove_decoder(stream.as_bytes()));
    }
    drawn.has(&[|d| d.clean, |d| d.left_at_end]);
    assert_eq!(drawn.rejected, 0);
}
