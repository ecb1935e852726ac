//! A fuzz target of a user's own format: what `framer_fuzz!` runs, without a fuzzer.

use std::cell::Cell;

use everysplit::oracle::Messages;
use everysplit::reference::{Config, Decoder, naive};
use everysplit::subject::{FeedFn, Frames, Subject};
use everysplit::{Fed, Harness, Property};
use fastrand::Rng;

/// The size limit of a body, in bytes.
const LIMIT: usize = 40;
/// The longest input, in bytes.
const MAX_SIZE: usize = 512;

type Body = Vec<u8>;

fn encode(body: &Body) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&length.to_be_bytes(), &body[..]].concat()
}

/// A length of two bytes, then the body.
#[derive(Clone, PartialEq, Eq, Default)]
struct Framer {
    buffer: Vec<u8>,
    /// The number of bodies of exactly the limit so far.
    at_limit: usize,
    /// The bug: which of them is lost.
    lost: Option<usize>,
}

impl Subject for Framer {
    type Frame = Body;
    type Error = &'static str;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Body>) -> Result<(), &'static str> {
        self.buffer.extend(chunk);
        while let [high, low, rest @ ..] = &self.buffer[..] {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length > LIMIT {
                return Err("too long");
            }
            let Some(body) = rest.get(..length) else {
                break;
            };
            self.at_limit += usize::from(length == LIMIT);
            if length < LIMIT || Some(self.at_limit) != self.lost {
                frames.push(body.to_vec());
            }
            self.buffer.drain(..2 + length);
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<Body>) -> Result<(), &'static str> {
        match self.buffer[..] {
            [] => Ok(()),
            [high, low, ..] if usize::from(u16::from_be_bytes([high, low])) > LIMIT => {
                Err("too long")
            }
            _ => Err("truncated"),
        }
    }
}

fn harness(lost: Option<usize>) -> Harness<Fed<Framer>, Messages<Body, &'static str>> {
    let framer = move || Framer {
        lost,
        ..Framer::default()
    };
    Harness::framer(framer)
        .encoder(encode)
        .messages(["one", ""])
        .size_limit(LIMIT, |size| vec![b'x'; size], 2, "too long")
        .truncation_error("truncated")
}

/// Loses the third body of exactly the limit.
fn buggy() -> Harness<Fed<Framer>, Messages<Body, &'static str>> {
    harness(Some(3))
}

fn correct() -> Harness<Fed<Framer>, Messages<Body, &'static str>> {
    harness(None)
}

/// Changes one random byte, or inserts one.
fn plain(rng: &mut Rng, data: &mut [u8], size: usize, max_size: usize) -> usize {
    if size > 0 && rng.bool() {
        data[rng.usize(..size)] = rng.u8(..);
        return size;
    }
    if size == max_size {
        return size;
    }
    let at = rng.usize(..=size);
    data.copy_within(at..size, at + 1);
    data[at] = rng.u8(..);
    size + 1
}

/// Returns the number of runs after which the bug is found, at most `most`. Each run mutates one of
/// the inputs so far.
fn runs(seed: u64, most: usize, mutate: impl Fn(&mut [u8], usize, u32) -> usize) -> usize {
    let harness = buggy();
    let mut rng = Rng::with_seed(seed);
    let mut corpus = vec![Vec::new()];
    for run in 1..most {
        let mut data = [0; MAX_SIZE];
        let input: &Vec<u8> = &corpus[rng.usize(..corpus.len())];
        data[..input.len()].copy_from_slice(input);
        let size = mutate(&mut data, input.len(), rng.u32(..));
        if harness.fuzz(&data[..size]).is_err() {
            return run;
        }
        corpus.push(data[..size].to_vec());
    }
    most
}

/// A short input is proved, and of a longer one some splits are tried.
#[test]
fn a_decoder_is_fuzzed_with_inputs_of_any_length() {
    let harness = |max_body_size: u32| {
        let config = Config {
            max_body_size,
            ..Config::default()
        };
        Harness::decoder(|| Decoder::new(Config::default()))
            .oracle(move |stream| naive::parse(config, stream))
    };
    let (correct, other_limit) = (harness(Config::default().max_body_size), harness(90));
    for len in [0_u32, 3, 90, 91] {
        let header = [len.to_le_bytes(), [0; 4], [0; 4]].concat();
        let stream = [header, vec![0; len as usize]].concat();
        correct.fuzz(&stream).unwrap();
        assert_eq!(other_limit.fuzz(&stream).is_err(), len == 91, "{len}");
    }
}

#[test]
fn whole_messages_find_a_bug_in_the_third_message_at_the_limit() {
    let harness = correct();
    let by_messages = |data: &mut [u8], size, seed| {
        let base = |data: &mut [u8], size, max| plain(&mut Rng::with_seed(7), data, size, max);
        harness.mutate(data, size, MAX_SIZE, seed, base)
    };
    let mut found: Vec<usize> = (0..5).map(|seed| runs(seed, 5000, by_messages)).collect();
    found.sort_unstable();
    println!("runs until the bug is found: {found:?}");
    assert!(found[2] <= 500, "{found:?}");

    let by_bytes = |data: &mut [u8], size, seed: u32| {
        plain(&mut Rng::with_seed(seed.into()), data, size, MAX_SIZE)
    };
    assert_eq!(runs(0, 5000, by_bytes), 5000, "bytes find it as well");
}

#[test]
fn a_mutated_input_is_made_of_messages() {
    let harness = correct();
    let base_calls = Cell::new(0);
    let mut data = [0; MAX_SIZE];
    let mut size = 0;
    for seed in 0..2000 {
        size = harness.mutate(&mut data, size, MAX_SIZE, seed, |_, size, _| {
            base_calls.set(base_calls.get() + 1);
            size
        });
        assert!(size <= MAX_SIZE);
        harness.check(&data[..size.min(100)]).unwrap();
    }
    assert!((300..700).contains(&base_calls.get()), "{base_calls:?}");
}

/// Half of the messages that are inserted are those of the harness, those at the limit among them. The
/// others have bodies of any size, mostly close to 0 or to the limit.
#[test]
fn messages_that_are_inserted_have_sizes_around_the_limit() {
    let harness = correct();
    // The rejected frame has a body of one byte more than the limit.
    let mut counts = [0; LIMIT + 2];
    let mut given = 0;
    for seed in 0..4000 {
        let mut data = [0; MAX_SIZE];
        let unused = |_: &mut [u8], _, _| panic!("there are messages");
        match harness.mutate(&mut data, 0, MAX_SIZE, seed, unused) {
            5 if data.starts_with(b"\0\x03one") => given += 1,
            size if size > 2 && data[2] == b'x' => counts[size - 2] += 1,
            _ => {}
        }
    }
    assert!((200..400).contains(&given), "{given}");
    let around = [&counts[1..3], &counts[38..40]].concat();
    assert!(around.iter().all(|count| *count > 60), "{counts:?}");
    assert!(counts[LIMIT] > 720, "{counts:?}");
    assert!(counts[LIMIT + 1] < 700, "{counts:?}");
    let others: usize = counts[3..38].iter().sum();
    assert!((150..800).contains(&others), "{counts:?}");
}

/// What a fuzzer would hardly find: a whole frame that is rejected, at the end of the input.
#[test]
fn a_rejected_frame_is_added_at_the_end() {
    let rejected = b"\xff\xffrejected";
    let harness = correct().rejects(rejected, 2, "too long");
    let is_added = |seed| {
        let mut data = [0; MAX_SIZE];
        data[..3].copy_from_slice(b"\0\x01a");
        let size = harness.mutate(&mut data, 3, MAX_SIZE, seed, |_, size, _| size);
        data[..size].ends_with(rejected)
    };
    let added = (0..200).filter(|&seed| is_added(seed)).count();
    assert!((3..40).contains(&added), "{added}");
}

/// A fuzzer has nothing to change in an empty input.
#[test]
fn an_empty_input_becomes_a_message() {
    let harness = correct();
    for seed in 0..100 {
        let mut data = [0; MAX_SIZE];
        let unused = |_: &mut [u8], _, _| panic!("there are messages");
        harness.mutate(&mut data, 0, MAX_SIZE, seed, unused);
    }
}

#[test]
fn a_short_input_is_proved() {
    // A bug that needs three cuts: no single random split is likely to have them.
    let harness = Harness::framer(|| {
        FeedFn::new(
            (Vec::<usize>::new(), Vec::<u8>::new()),
            |(chunks, bytes), chunk: &[u8], frames| {
                if !chunk.is_empty() {
                    chunks.push(chunk.len());
                    bytes.extend(chunk);
                    if bytes.len() == 12 && *chunks != [5, 1, 1, 5] {
                        frames.push(bytes.len());
                    }
                }
                Ok::<(), ()>(())
            },
            |_, _| Ok(()),
        )
    })
    .max_states(10_000);
    let violation = harness.fuzz(&[1; 12]).unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
    assert_eq!(violation.case.split.cuts(), [5, 6, 7]);
}

/// There is no message to insert, so each mutation is left to the fuzzer.
#[test]
fn without_messages_the_fuzzer_mutates_by_itself() {
    let harness = Harness::framer(Framer::default).encoder(encode);
    for seed in 0..20 {
        let mut data = *b"\0\x01a...";
        let size = harness.mutate(&mut data, 3, 6, seed, |data, size, max_size| {
            assert_eq!((size, max_size), (3, 6));
            data[3] = b'!';
            4
        });
        assert_eq!((size, &data), (4, b"\0\x01a!.."));
    }
}
