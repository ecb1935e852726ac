//! Checks every property of the reference framer: exhaustively on small streams, then on random
//! larger ones. `tests/harness/planted.rs` shows that the checks can fail.

use std::ops::ControlFlow;

use bytes::{Bytes, BytesMut};
use everysplit::reference::{
    ByteOrder, Config, DecodeError, Decoder, EncodeError, Frame, FrameRef, Framer, Header, Sent,
    Walk, fuzzing, naive, strategy,
};
use everysplit::{Case, Interruption, Outcome, Split, Violation, check_encoder};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

fn frame(cmd: u32, body: &[u8]) -> Frame {
    Frame {
        cmd,
        recv: 1,
        body: Bytes::copy_from_slice(body),
    }
}

fn encode(config: Config, frames: &[Frame]) -> Vec<u8> {
    let mut stream = BytesMut::new();
    for frame in frames {
        config.encode(frame, &mut stream).unwrap();
    }
    stream.to_vec()
}

fn header(config: Config, body_size: u32) -> [u8; Header::LEN] {
    let (cmd, recv) = (7, 1);
    let header = Header {
        body_size,
        cmd,
        recv,
    };
    header.to_bytes(config.byte_order)
}

/// Runs every check that takes bytes.
fn check_decoding(config: Config, stream: &[u8], split: Split) {
    decode(config, &Case::new(stream, split)).unwrap();
}

fn decode(config: Config, case: &Case) -> Result<(), Violation> {
    let framer = move || Framer::new(config);
    let with_empty_chunks = case.clone().with(Interruption::EmptyChunk);
    fuzzing::harness(framer, config).one_split(&with_empty_chunks)?;
    fuzzing::differential(framer, config, case)
}

#[test]
fn every_split_of_short_streams() {
    let max_body_size = 3;
    for byte_order in ORDERS {
        let config = Config {
            byte_order,
            max_body_size,
        };
        let whole = encode(config, &[frame(9, b"abc")]);
        let mut coalesced = encode(config, &[frame(9, b"")]);
        coalesced.extend_from_slice(&header(config, 2)[..3]);
        let mut truncated = encode(config, &[frame(0, b"")]);
        truncated.truncate(8);
        let mut over = header(config, max_body_size + 1).to_vec();
        over.extend(b"xy");
        for stream in [whole, coalesced, truncated, over] {
            for split in Split::all(stream.len()) {
                check_decoding(config, &stream, split);
            }
        }
    }
}

#[test]
fn every_single_cut_of_three_frames() {
    let bodies = [&b""[..], b"x", b"\x0c\0\0\0\x01\0\0\0\0\0\0\0"];
    for byte_order in ORDERS {
        for indices in (0..27).map(|n| [n % 3, n / 3 % 3, n / 9]) {
            let frames = indices.map(|index| frame(5, bodies[index])).to_vec();
            let len = indices.iter().map(|&index| 12 + bodies[index].len()).sum();
            for split in Split::up_to(len, 1).chain([Split::bytes(len)]) {
                let frames = frames.clone();
                fuzzing::round_trip(Framer::new, byte_order, &Sent { frames, split }).unwrap();
            }
        }
    }
}

#[test]
fn every_two_cuts_of_two_frames_and_an_oversized_header() {
    let config = Config {
        max_body_size: 8,
        ..Config::default()
    };
    let mut stream = encode(config, &[frame(1, b"12345678"), frame(2, b"")]);
    stream.extend(header(config, 9));
    for split in Split::up_to(stream.len(), 2) {
        check_decoding(config, &stream, split);
    }
}

#[test]
fn an_end_of_stream_at_every_offset() {
    for byte_order in ORDERS {
        let config = Config {
            byte_order,
            ..Config::default()
        };
        let frames = [frame(1, b"first"), frame(2, b""), frame(3, b"third")];
        let stream = encode(config, &frames);
        let boundaries = [0, 17, 29, 46];
        for len in 0..=stream.len() {
            let stream = &stream[..len];
            let mut framer = Framer::new(config);
            framer.feed(stream, &mut Vec::new()).unwrap();
            let start = boundaries.iter().rfind(|&&boundary| boundary <= len);
            let received = (len - start.unwrap()) as u64;
            let end = match framer.finish() {
                Ok(()) => 0,
                Err(DecodeError::Truncated { received, .. }) => received,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(end, received, "at {len}");
            check_decoding(config, stream, Split::bytes(len));
        }
    }
}

#[test]
fn rejects_a_size_at_its_fourth_byte_and_not_before() {
    let limits = [0, 1, 16, 8 << 20, i32::MAX as u32, 1 << 31, u32::MAX - 1];
    for byte_order in ORDERS {
        for max_body_size in limits {
            let config = Config {
                byte_order,
                max_body_size,
            };
            for body_size in [max_body_size + 1, 1 << 31, u32::MAX] {
                if body_size <= max_body_size {
                    continue;
                }
                let header = header(config, body_size);
                let error = DecodeError::BodyTooLarge {
                    offset: 0,
                    body_size,
                    max_body_size,
                };
                let mut framer = Framer::new(config);
                assert_eq!(framer.feed(&header[..3], &mut Vec::new()), Ok(()));
                for rest in [&header[3..4], &header[4..], b""] {
                    assert_eq!(framer.feed(rest, &mut Vec::new()), Err(error));
                }
                assert_eq!(framer.finish(), Err(error));
                let mut walk = Walk::new(config, &header[..4]);
                assert_eq!(walk.next_frame(), Err(error));
                assert_eq!(walk.next_frame(), Err(error));
            }
        }
    }
}

#[test]
fn a_body_at_the_limit_passes() {
    for max_body_size in [0, 1, 16, 8 << 20] {
        let config = Config {
            max_body_size,
            ..Config::default()
        };
        let sent = frame(1, &vec![b'x'; max_body_size as usize]);
        let stream = encode(config, std::slice::from_ref(&sent));
        let (mut framer, mut frames) = (Framer::new(config), Vec::new());
        for chunk in stream.chunks(16 * 1024) {
            framer.feed(chunk, &mut frames).unwrap();
        }
        assert_eq!(framer.finish(), Ok(()));
        assert_eq!(frames, [sent]);
    }
}

#[test]
fn the_largest_u32_is_a_valid_limit() {
    let config = Config {
        max_body_size: u32::MAX,
        ..Config::default()
    };
    let mut framer = Framer::new(config);
    assert_eq!(
        framer.feed(&header(config, u32::MAX), &mut Vec::new()),
        Ok(())
    );
    let error = DecodeError::Truncated {
        offset: 0,
        received: 12,
        due: 12 + u64::from(u32::MAX),
    };
    assert_eq!(framer.finish(), Err(error));
}

/// Sizes from 2^31 on are valid: the field is unsigned.
#[cfg(target_pointer_width = "64")]
#[test]
fn rejects_a_body_that_does_not_fit_the_field() {
    let config = Config {
        max_body_size: u32::MAX,
        ..Config::default()
    };
    for body_size in [i32::MAX as usize, 1 << 31, u32::MAX as usize] {
        let header = config.encode_header(1, 0, body_size).unwrap();
        let header = Header::from_bytes(header, config.byte_order);
        assert_eq!(header.body_size as usize, body_size);
    }
    let body_size = u32::MAX as usize + 1;
    let error = EncodeError::BodyTooLarge {
        body_size,
        max_body_size: u32::MAX,
    };
    assert_eq!(config.encode_header(1, 0, body_size), Err(error));
    // Zeroed pages that are never touched, so they take no memory.
    let body = vec![0; body_size];
    let frame = FrameRef {
        cmd: 1,
        recv: 0,
        body: &body,
    };
    check_encoder(|output| config.encode(frame, output), Err(error)).unwrap();
}

#[test]
fn a_poisoned_decoder_rejects_a_fresh_buffer() {
    let config = Config::default();
    let mut decoder = Decoder::new(config);
    let mut buffer = BytesMut::from(&[0xff; 4][..]);
    let error = decoder.decode(&mut buffer).unwrap_err();
    assert_eq!(buffer.len(), 4, "nothing is consumed");
    let mut fresh = BytesMut::from(&encode(config, &[frame(1, b"fine")])[..]);
    assert_eq!(decoder.decode(&mut fresh), Err(error));
    assert_eq!(decoder.decode_eof(&mut fresh), Err(error));
}

#[test]
fn every_decoder_reports_offsets_from_the_start_of_the_stream() {
    let config = Config::default();
    let mut stream = encode(config, &[frame(1, b"first"), frame(2, b"second")]);
    stream.extend([0xff; 4]);
    let error = DecodeError::BodyTooLarge {
        offset: 35,
        body_size: u32::MAX,
        max_body_size: config.max_body_size,
    };
    assert_eq!(Walk::new(config, &stream).finish(), Err(error));
    assert_eq!(
        Framer::new(config).feed(&stream, &mut Vec::new()),
        Err(error)
    );
    let (mut decoder, mut buffer) = (Decoder::new(config), BytesMut::from(&stream[..]));
    assert!(decoder.decode(&mut buffer).unwrap().is_some());
    assert!(decoder.decode(&mut buffer).unwrap().is_some());
    assert_eq!(decoder.decode(&mut buffer), Err(error));
}

#[test]
fn error_messages_suggest_a_remedy() {
    let cut = |bytes: &[u8]| {
        Walk::new(Config::default(), bytes)
            .finish()
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        cut(b"\x05\0\0"),
        "stream ended inside the frame at offset 0: received 3 of at least 12 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        cut(b"\x05\0\0\0"),
        "stream ended inside the frame at offset 0: received 4 of 17 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        cut(b"\x05\0\0\0\x01"),
        "stream ended inside the frame at offset 0: received 5 of 17 bytes; \
         the peer closed early or bytes were lost"
    );
    let config = Config {
        max_body_size: 4,
        ..Config::default()
    };
    assert_eq!(
        config.encode_header(1, 0, 5).unwrap_err().to_string(),
        "body of 5 bytes is over the limit of 4 bytes: \
         send it in several frames, or raise max_body_size at both ends"
    );
}

#[test]
fn edges_are_the_boundaries_of_fields_and_frames() {
    let config = Config::default();
    let mut stream = encode(config, &[frame(1, b"first"), frame(2, b"")]);
    let edges = [0, 4, 8, 12, 17, 21, 25, 29];
    assert_eq!(naive::edges(config, &stream), edges);
    // A rejected or incomplete frame has the edges that it reaches.
    stream.extend([0xff; 5]);
    assert_eq!(naive::edges(config, &stream), [&edges[..], &[33]].concat());
    assert_eq!(naive::edges(config, b""), [0]);
}

#[test]
fn the_default_limit_is_8_mib() {
    assert_eq!(Config::default().max_body_size, 8 << 20);
}

/// Generates configurations: either byte order, and limits from 0 to `u32::MAX`.
fn config() -> impl Strategy<Value = Config> + Clone {
    let byte_order = prop_oneof![Just(ByteOrder::Little), Just(ByteOrder::Big)];
    let limit = prop_oneof![4 => Just(64), 1 => 0..4u32, 1 => 0..2000u32, 1 => Just(u32::MAX)];
    (byte_order, limit).prop_map(|(byte_order, max_body_size)| Config {
        byte_order,
        max_body_size,
    })
}

fn settings() -> ProptestConfig {
    ProptestConfig {
        cases: 1000,
        // Not needed: a violation holds its stream and split, which can be committed as a seed.
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Returns a runner with a fixed seed.
fn runner() -> TestRunner {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(settings(), rng)
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn random_streams_are_decoded_alike_under_every_split(
        (config, case) in config().prop_flat_map(|config| (Just(config), strategy::received(config)))
    ) {
        decode(config, &case)?;
    }

    #[test]
    fn random_frames_round_trip(
        (config, case) in config().prop_flat_map(|config| (Just(config), strategy::sent(config)))
    ) {
        fuzzing::round_trip(Framer::new, config.byte_order, &case)?;
        let stream = encode(config, &case.frames);
        let expected = naive::parse(config, &stream);
        prop_assert_eq!(&expected.outcome, &Outcome::Clean);
        let frames: Vec<_> = expected.frames.into_iter().map(|(_, frame)| frame).collect();
        prop_assert_eq!(frames, case.frames);
    }

    #[test]
    fn random_frames_are_encoded_as_specified(
        (config, frame) in config().prop_flat_map(|config| (Just(config), strategy::frame(config)))
    ) {
        fuzzing::encode(fuzzing::encode_whole, config.byte_order, &frame)?;
        fuzzing::encode(fuzzing::encode_in_parts, config.byte_order, &frame)?;
    }
}

#[test]
fn strategies_generate_inputs_that_break_framers() {
    let config = Config {
        max_body_size: 64,
        ..Config::default()
    };
    let mut runner = runner();
    let mut wanted: Vec<u32> = vec![0, 1, 63, 64, 65, i32::MAX as u32, 1 << 31, u32::MAX];
    let (mut at_field_edge, mut by_bytes, mut header_like) = (false, false, false);
    let generated = (0..1000).try_for_each(|_| {
        let case = strategy::received(config)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut rest = &case.stream[..];
        while let Some((header, body)) = rest.split_first_chunk() {
            let header = Header::from_bytes(*header, config.byte_order);
            wanted.retain(|&size| size != header.body_size);
            let Some(body) = body.get(..header.body_size as usize) else {
                break;
            };
            let inner = body
                .first_chunk()
                .map(|inner| Header::from_bytes(*inner, config.byte_order));
            header_like |= inner.is_some_and(|inner| inner.body_size <= 64);
            rest = &rest[Header::LEN + body.len()..];
        }
        let edges = naive::edges(config, &case.stream);
        at_field_edge |= case.split.cuts().iter().any(|cut| edges.contains(cut));
        by_bytes |= case.stream.len() > 9 && case.split == Split::bytes(case.stream.len());
        if wanted.is_empty() && at_field_edge && by_bytes && header_like {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    assert!(generated.is_break(), "never generated: {wanted:?}");
}

/// Bodies have up to 64 KiB, but not where there are many frames.
#[test]
fn strategies_generate_large_bodies_and_many_small_ones() {
    let mut runner = runner();
    let mut sizes = Vec::new();
    let mut many = 0;
    for _ in 0..300 {
        let tree = strategy::frame(Config::default()).new_tree(&mut runner);
        sizes.push(tree.unwrap().current().body.len());
        let small = Config {
            max_body_size: 10,
            ..Config::default()
        };
        let sent = strategy::sent(small).new_tree(&mut runner);
        let frames = sent.unwrap().current().frames;
        if frames.len() > 8 {
            many += 1;
            assert!(frames.iter().all(|frame| frame.body.len() <= 2));
        }
    }
    assert!(sizes.contains(&(64 * 1024)), "{sizes:?}");
    let between = sizes.iter().filter(|size| (5_000..60_000).contains(*size));
    assert!(between.count() > 10, "{sizes:?}");
    assert!(many > 10, "{many}");
}

/// Headers claim sizes up to a limit that is too large to generate a body for.
#[test]
fn strategies_claim_sizes_larger_than_their_bodies() {
    for max_body_size in [8 << 20, u32::MAX] {
        let config = Config {
            max_body_size,
            ..Config::default()
        };
        let mut wanted = vec![max_body_size - 1, max_body_size, i32::MAX as u32, 1 << 31];
        let mut runner = runner();
        for _ in 0..1000 {
            let case = strategy::received(config)
                .new_tree(&mut runner)
                .unwrap()
                .current();
            let last = naive::parse(config, &case.stream)
                .frames
                .last()
                .map_or(0, |last| last.0);
            if let Some(&size) = case.stream[last..].first_chunk() {
                wanted.retain(|&wanted| wanted != u32::from_le_bytes(size));
            }
        }
        assert!(wanted.is_empty(), "never claimed: {wanted:?}");
    }
}

/// A check that fails on any cut inside a bodySize is shrunk to one such cut, in a small stream.
#[test]
fn cases_shrink_to_the_fewest_cuts() {
    let config = Config {
        max_body_size: 64,
        ..Config::default()
    };
    let mut runner = runner();
    let inside_a_size = |case: &Case| {
        let expected = naive::parse(config, &case.stream);
        let starts = expected.frames.iter().map(|&(end, _)| end).chain([0]);
        let starts: Vec<usize> = starts.collect();
        let inside = |&&cut: &&usize| {
            starts
                .iter()
                .any(|start| (start + 1..start + 4).contains(&cut))
        };
        let cuts = case.split.cuts().iter();
        cuts.filter(|&&cut| cut < case.stream.len())
            .any(|cut| inside(&cut))
    };
    let failure = runner.run(&strategy::received(config), |case| {
        prop_assert!(!inside_a_size(&case));
        Ok(())
    });
    let Err(TestError::Fail(_, case)) = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(case.split.cuts().len(), 1, "{case:?}");
    assert!(case.stream.len() < 128, "{case:?}");
}
