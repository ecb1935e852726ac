//! The framer of signed lengths held to every property: the golden vectors, short
//! streams exhaustively, its encoder and its errors. What it allocates is counted in
//! `memory`, that the checks can fail is shown in `mutants`.

use std::iter;

use bytes::{Bytes, BytesMut};
use everysplit::check::{self, Certificate, Expected, Harness};
use everysplit::reference::ByteOrder;
use everysplit::{Buffered, Case, Split};
use everysplit_formats::len32::{Config, DecodeError, Decoder, EncodeError};
use serde::Deserialize;

type Answer = Expected<Bytes, DecodeError>;

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

fn config(vector: &crate::common::Vector) -> Config {
    Config {
        byte_order: vector.byte_order(),
        max_size: vector.max,
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(with = "hex")]
    body: Vec<u8>,
    end: usize,
}

/// What a vector's stream must give, read off the vector alone.
fn expected(vector: &crate::common::Vector) -> Answer {
    let bodies = Vec::<Body>::deserialize(&vector.frames).unwrap();
    let frames = bodies
        .into_iter()
        .map(|Body { body, end }| (end, body.into()));
    let frames: Vec<_> = frames.collect();
    let start = frames.last().map_or(0, |&(end, _)| end);
    let (offset, max) = (start as u64, vector.max);
    let outcome = match vector.outcome {
        crate::common::Outcome::Clean => check::Outcome::Clean,
        // The only ones there are: 3 of the 5 bytes behind the length.
        crate::common::Outcome::Truncated => check::Outcome::Truncated(DecodeError::Truncated {
            offset,
            received: 7,
            due: 9,
        }),
        crate::common::Outcome::Rejected => check::Outcome::Rejected {
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
fn naive_gives_what_the_vectors_say() {
    for vector in vectors() {
        let parsed = everysplit_formats::len32::naive::parse(config(&vector), &vector.stream);
        assert_eq!(parsed, expected(&vector), "{}", vector.name);
    }
}

/// All splits of each, through both proofs.
#[test]
fn the_framer_gives_what_the_vectors_say() {
    for vector in vectors() {
        let harness = Harness::new(|| framer(config(&vector)), |_: &[u8]| expected(&vector));
        let stream = &vector.stream;
        for proof in [harness.prove(stream), harness.prove_decoder(stream)] {
            match proof {
                Ok(certificate) => println!("{}: {}", vector.name, proved(&certificate)),
                Err(violation) => panic!("{}: {violation}", vector.name),
            }
        }
    }
}

/// Returns what a certificate says, if it is a proof.
#[track_caller]
fn proved(certificate: &Certificate) -> String {
    let told = certificate.to_string();
    assert!(told.starts_with("proved"), "{told}");
    told
}

#[test]
fn both_write_what_cpython_wrote() {
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

fn framer(config: Config) -> Buffered<Decoder> {
    Buffered::new(Decoder::new(config))
}

/// The framer beside the oracle.
fn harness(config: Config) -> Harness<impl Fn() -> Buffered<Decoder>, impl Fn(&[u8]) -> Answer> {
    Harness::new(
        move || framer(config),
        move |stream: &[u8]| everysplit_formats::len32::naive::parse(config, stream),
    )
}

/// All streams of so many of these bytes.
fn streams(letters: &'static [u8], len: usize) -> impl Iterator<Item = Vec<u8>> {
    let count = letters.len().pow(len.try_into().unwrap());
    (0..count).map(move |mut number| {
        let letter = iter::repeat_with(|| {
            let letter = letters[number % letters.len()];
            number /= letters.len();
            letter
        });
        letter.take(len).collect()
    })
}

/// Every stream of up to eight bytes that are 0, 1 or 255, under limits below and
/// above what two of them say, and every split of it.
#[test]
fn every_split_of_every_short_stream() {
    let mut count = 0;
    for byte_order in ORDERS {
        for max_size in [0, 1, 0x0101, u32::MAX] {
            let config = Config {
                byte_order,
                max_size,
            };
            let harness = harness(config);
            for stream in (0..=8).flat_map(|len| streams(&[0, 1, 255], len)) {
                harness.prove_decoder(&stream).unwrap();
                count += 1;
            }
        }
    }
    println!("{count} streams proved");
}

/// Two letters make longer ones: three empty messages, two of a byte, and so on.
#[test]
fn every_split_of_longer_streams() {
    for byte_order in ORDERS {
        let config = Config {
            byte_order,
            max_size: 1,
        };
        let harness = harness(config);
        for stream in streams(&[0, 1], 13) {
            harness.prove(&stream).unwrap();
        }
    }
}

const BIG: Config = Config {
    byte_order: ByteOrder::Big,
    ..Config::DEFAULT
};

#[test]
fn edges_are_where_fields_begin_and_end() {
    let edges = |stream| everysplit_formats::len32::naive::edges(BIG, stream);
    assert_eq!(edges(b""), [0]);
    assert_eq!(edges(b"\0\0\0"), [0]);
    assert_eq!(edges(b"\0\0\0\x02a"), [0, 4]);
    assert_eq!(edges(b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01"), [0, 4, 6, 10, 14]);
    assert_eq!(edges(b"\xff\xff\xff\xffabcd"), [0, 4]);
}

/// Bodies of exactly the limit, one below and one above it, through the checks of
/// the fuzz target.
#[test]
fn what_the_fuzz_target_asks() {
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
            for split in [Split::bytes(stream.len())]
                .into_iter()
                .chain(Split::up_to(stream.len(), 1))
            {
                let stream = stream.clone();
                let case = Case { stream, split };
                everysplit_formats::len32::fuzzing::decode(|| framer(config), config, &case)
                    .unwrap();
            }
        }
    }
}

/// After an error nothing comes out any more, whatever the buffer holds.
#[test]
fn poisoned() {
    let mut decoder = Decoder::new(Config::default());
    let mut buffer = BytesMut::from(&b"\x01\0\0\0a\xff\xff\xff\xff"[..]);
    assert_eq!(decoder.decode(&mut buffer).unwrap().unwrap(), "a");
    let error = DecodeError::Negative {
        offset: 5,
        size: -1,
    };
    assert_eq!(decoder.decode(&mut buffer), Err(error));
    assert_eq!(&buffer[..], b"\xff\xff\xff\xff", "nothing is taken");
    let mut buffer = BytesMut::from(&b"\0\0\0\0"[..]);
    assert_eq!(decoder.decode(&mut buffer), Err(error));
    assert_eq!(decoder.decode_eof(&mut BytesMut::new()), Err(error));
}

#[test]
fn the_limit_is_8_mib_unless_told_otherwise() {
    assert_eq!(Config::default().max_size, 8_388_608);
    assert_eq!(Config::default().byte_order, ByteOrder::Little);
}

/// A limit above what a signed length can say allows no more than that: the wire
/// knows no length between.
#[test]
fn the_limit_ends_where_lengths_do() {
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

/// A limit of 2 GiB and a byte more than a signed length can say, of zeros that
/// are never touched: the encoder refuses it, and the oracle does.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_body_over_two_gib_is_not_written() {
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

/// A body is given out as it lies in the buffer, an empty one without it.
#[test]
fn bodies_share_the_buffer() {
    let mut buffer = BytesMut::from(&b"\x05\0\0\0hello\0\0\0\0"[..]);
    let lies = buffer[4..].as_ptr();
    let mut decoder = Decoder::new(Config::default());
    let body = decoder.decode(&mut buffer).unwrap().unwrap();
    assert_eq!((&body[..], body.as_ptr()), (&b"hello"[..], lies));
    drop(body);
    let empty = decoder.decode(&mut buffer).unwrap().unwrap();
    assert_eq!(empty, "");
    assert!(buffer.try_reclaim(8), "an empty body keeps the buffer");
}

#[test]
fn errors_tell_what_to_do() {
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
