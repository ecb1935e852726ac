//! Tests the `len32` format, a signed 32-bit length and a body: decoder and encoder against the
//! vectors that CPython wrote and against the naive implementation, every split of short streams,
//! the limits, and the error messages.
//!
//! `memory.rs` measures the allocations. The library's `tests/mutants` shows that these checks
//! detect buggy `len32` framers.

use bytes::{Bytes, BytesMut};
use everysplit::reference::ByteOrder;
use everysplit::subject::{Buffered, Keyed};
use everysplit::{Case, Harness, Interruption, Outcome};
use everysplit_formats::len32::fuzzing::harness;
use everysplit_formats::len32::{Config, DecodeError, Decoder, EncodeError};

use crate::common;
use crate::support::{BYTE_ORDERS, bodies, prove_both_ways, simple_splits, strings};

type Expected = everysplit::Expected<Bytes, DecodeError>;

fn config(vector: &crate::common::Vector) -> Config {
    Config {
        byte_order: vector.byte_order(),
        max_size: vector.max,
    }
}

/// Returns the frames and the outcome that a vector states, without parsing its stream.
fn expected(vector: &crate::common::Vector) -> Expected {
    let frames: Vec<_> = bodies(vector)
        .into_iter()
        .map(|(end, body)| (end, body.into()))
        .collect();
    let start = frames.last().map_or(0, |&(end, _)| end);
    let (offset, max) = (start as u64, vector.max);
    let outcome = match vector.outcome {
        common::Outcome::Clean => Outcome::Clean,
        // Every truncated vector ends after 3 of its 5 body bytes.
        common::Outcome::Truncated => Outcome::Truncated(DecodeError::Truncated {
            offset,
            received: 7,
            due: 9,
        }),
        common::Outcome::Rejected => Outcome::Rejected {
            at: vector.at.unwrap(),
            error: match vector.size.unwrap() {
                size @ ..0 => {
                    let size = size.try_into().unwrap();
                    DecodeError::Negative { offset, size }
                }
                size => {
                    let size = size.try_into().unwrap();
                    DecodeError::TooLarge { offset, size, max }
                }
            },
        },
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

fn vectors() -> Vec<crate::common::Vector> {
    let vectors = crate::common::vectors_of("len32");
    assert_eq!(vectors.len(), 10);
    vectors
}

#[test]
fn naive_parse_matches_the_vectors() {
    for vector in vectors() {
        let parsed = everysplit_formats::len32::naive::parse(config(&vector), &vector.stream);
        assert_eq!(parsed, expected(&vector), "{}", vector.name);
    }
}

/// By both proofs: with the decoder's buffer as part of its state, and as its caller's.
#[test]
fn decoder_matches_the_vectors_under_every_split() {
    for vector in vectors() {
        let (config, expected) = (config(&vector), expected(&vector));
        prove_both_ways(
            move || Decoder::new(config),
            move |_: &[u8]| expected.clone(),
            &vector.stream,
        );
    }
}

#[test]
fn both_encoders_write_the_bytes_of_the_vectors() {
    for vector in vectors() {
        let (config, mut written) = (config(&vector), BytesMut::new());
        for (end, body) in expected(&vector).frames {
            let start = written.len();
            config.encode(&body, &mut written).unwrap();
            assert_eq!(written.len(), end);
            let naive = everysplit_formats::len32::naive::encode(config, &body).unwrap();
            assert_eq!(written[start..], naive);
        }
        assert!(vector.stream.starts_with(&written), "{}", vector.name);
    }
}

/// Streams of up to eight bytes, each 0, 1 or 255. The limits lie below, at and above the lengths
/// that such bytes encode.
#[test]
fn every_split_of_every_short_stream() {
    let mut count = 0;
    for byte_order in BYTE_ORDERS {
        for max_size in [0, 1, 0x0101, u32::MAX] {
            let config = Config {
                byte_order,
                max_size,
            };
            let harness = harness(config);
            for stream in (0..=8).flat_map(|len| strings(&[0, 1, 255], len)) {
                harness.check(&stream).unwrap();
                count += 1;
            }
        }
    }
    println!("{count} streams proved");
}

/// With two byte values only, 13 bytes are feasible: room for three empty messages, or two of one
/// byte.
#[test]
fn every_split_of_longer_streams() {
    for byte_order in BYTE_ORDERS {
        let config = Config {
            byte_order,
            max_size: 1,
        };
        let harness = Harness::framer(move || Buffered::new(Decoder::new(config)))
            .oracle(move |stream: &[u8]| everysplit_formats::len32::naive::parse(config, stream));
        for stream in strings(&[0, 1], 13) {
            harness.check(&stream).unwrap();
        }
    }
}

const BIG: Config = Config {
    byte_order: ByteOrder::Big,
    ..Config::DEFAULT
};

#[test]
fn edges_are_the_field_boundaries() {
    let edges = |stream| everysplit_formats::len32::naive::edges(BIG, stream);
    assert_eq!(edges(b""), [0]);
    assert_eq!(edges(b"\0\0\0"), [0]);
    assert_eq!(edges(b"\0\0\0\x02a"), [0, 4]);
    assert_eq!(edges(b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01"), [0, 4, 6, 10, 14]);
    assert_eq!(edges(b"\xff\xff\xff\xffabcd"), [0, 4]);
}

#[test]
fn the_check_of_the_fuzz_target_finds_a_buggy_encoder() {
    use everysplit_formats::len32::fuzzing::encode;

    let without_length = |_, body: &[u8], output: &mut BytesMut| {
        output.extend_from_slice(body);
        Ok(())
    };
    encode(without_length, ByteOrder::Little, b"body").unwrap_err();
}

/// The sizes include the limit, 64 bytes, and one byte less and more.
#[test]
fn checks_of_the_fuzz_target_pass_around_the_limit() {
    for config in everysplit_formats::len32::fuzzing::CONFIGS {
        for size in [0, 1, 63, 64, 65, 255, 256] {
            let body = vec![7; size];
            everysplit_formats::len32::fuzzing::encode(Config::encode, config.byte_order, &body)
                .unwrap();
            let wide = Config {
                max_size: u32::MAX,
                ..config
            };
            let stream = everysplit_formats::len32::naive::encode(wide, &body)
                .unwrap()
                .repeat(2);
            for split in simple_splits(stream.len()) {
                let case = Case::new(stream.clone(), split);
                harness(config)
                    .one_split(&case.with(Interruption::EmptyChunk))
                    .unwrap();
            }
        }
    }
}

/// Even when the buffer holds a valid frame, or nothing.
#[test]
fn repeats_its_error_once_poisoned() {
    let mut decoder = Decoder::new(Config::default());
    let mut buffer = BytesMut::from(&b"\x01\0\0\0a\xff\xff\xff\xff"[..]);
    assert_eq!(decoder.decode(&mut buffer).unwrap().unwrap(), "a");
    let error = DecodeError::Negative {
        offset: 5,
        size: -1,
    };
    assert_eq!(decoder.decode(&mut buffer), Err(error));
    assert_eq!(
        &buffer[..],
        b"\xff\xff\xff\xff",
        "the rejected length was consumed"
    );
    let mut buffer = BytesMut::from(&b"\0\0\0\0"[..]);
    assert_eq!(decoder.decode(&mut buffer), Err(error));
    assert_eq!(decoder.decode_eof(&mut BytesMut::new()), Err(error));
}

#[test]
fn defaults_are_8_mib_and_little_endian() {
    assert_eq!(Config::default().max_size, 8_388_608);
    assert_eq!(Config::default().byte_order, ByteOrder::Little);
}

/// A limit above `i32::MAX` has the effect of `i32::MAX`, the largest length that the format can
/// express.
#[test]
fn rejects_negative_lengths_under_every_limit() {
    for max_size in [0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let config = Config {
            max_size,
            ..Config::DEFAULT
        };
        let decode = |length: i32| {
            let mut buffer = BytesMut::from(&length.to_le_bytes()[..]);
            Decoder::new(config).decode(&mut buffer)
        };
        assert_eq!(decode(i32::MAX), Ok(None));
        for size in [-1, i32::MIN] {
            let error = DecodeError::Negative { offset: 0, size };
            assert_eq!(decode(size), Err(error));
        }
    }
}

/// One byte more than a signed length can express. The body's zeros are never touched, so they
/// take no memory.
#[test]
#[cfg(target_pointer_width = "64")]
fn both_encoders_reject_a_body_of_2_gib() {
    let body = vec![0; 1 << 31];
    let error = EncodeError::TooLarge {
        size: 1 << 31,
        max: 0x7fff_ffff,
    };
    for max_size in [0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let config = Config {
            max_size,
            ..Config::DEFAULT
        };
        let mut output = BytesMut::from("before");
        assert_eq!(config.encode(&body, &mut output), Err(error));
        assert_eq!(output, "before");
        assert_eq!(
            everysplit_formats::len32::naive::encode(config, &body),
            Err(error)
        );
    }
}

/// A body points into the buffer. An empty one holds no reference to it, so the buffer can be
/// reused while the body lives.
#[test]
fn bodies_are_not_copied() {
    let mut buffer = BytesMut::from(&b"\x05\0\0\0hello\0\0\0\0"[..]);
    let start = buffer[4..].as_ptr();
    let mut decoder = Decoder::new(Config::default());
    let body = decoder.decode(&mut buffer).unwrap().unwrap();
    assert_eq!((&body[..], body.as_ptr()), (&b"hello"[..], start));
    drop(body);
    let empty = decoder.decode(&mut buffer).unwrap().unwrap();
    assert_eq!(empty, "");
    assert!(
        buffer.try_reclaim(8),
        "the empty body keeps the buffer alive"
    );
}

#[test]
fn error_messages_say_what_to_do() {
    let negative = |offset, size| DecodeError::Negative { offset, size }.to_string();
    assert_eq!(
        negative(9, -1),
        "length -1 at offset 9 is negative: \
         close the connection, the peer does not send signed 32-bit lengths"
    );
    assert_eq!(
        negative(0, i32::from_le_bytes([0, 0, 0, 200])),
        "length -939524096 at offset 0 is negative: \
         in the other byte order it is 200; check that both ends use the same byte order"
    );
    let over = |size| DecodeError::TooLarge {
        offset: 4,
        size,
        max: 1024,
    };
    assert_eq!(
        over(1025).to_string(),
        "length 1025 at offset 4 is over the limit of 1024 bytes: \
         close the connection, or raise max_size to accept larger bodies"
    );
    assert_eq!(
        over(5 << 24).to_string(),
        "length 83886080 at offset 4 is over the limit of 1024 bytes: \
         in the other byte order it is 5; check that both ends use the same byte order"
    );
    let truncated = |received, due| DecodeError::Truncated {
        offset: 4,
        received,
        due,
    };
    assert_eq!(
        truncated(7, 9).to_string(),
        "stream ended inside the message at offset 4: received 7 of 9 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        truncated(4, 9).to_string(),
        "stream ended inside the message at offset 4: received 4 of 9 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        truncated(3, 4).to_string(),
        "stream ended inside the message at offset 4: received 3 of at least 4 bytes; \
         the peer closed early or bytes were lost"
    );
    let error = EncodeError::TooLarge {
        size: 1025,
        max: 1024,
    };
    assert_eq!(
        error.to_string(),
        "body of 1025 bytes is over the limit of 1024 bytes: \
         send it in several messages, or raise max_size at both ends"
    );
}

/// The offsets in the decoder's state and errors are left out.
#[test]
fn streams_of_any_length() {
    fn kind(error: DecodeError) -> &'static str {
        match error {
            DecodeError::Negative { .. } => "negative",
            DecodeError::TooLarge { .. } => "too large",
            _ => "truncated",
        }
    }
    let key = |framer: &Buffered<Decoder>| {
        let error = framer.decoder().clone().decode(&mut BytesMut::new()).err();
        (framer.buffer().to_vec(), error.map(kind))
    };
    for byte_order in BYTE_ORDERS {
        let config = Config {
            byte_order,
            max_size: 2,
        };
        let make = move || Keyed::new(Buffered::new(Decoder::new(config)), key).with_errors(kind);
        let every = Harness::framer(make).every_stream(10).unwrap();
        assert_eq!(every.any_length, Some(5), "{byte_order:?}: {every}");
    }
}
