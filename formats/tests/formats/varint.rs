//! Tests the `varint` format: every split of short streams, lengths of all sizes, and the encoders.
//! `mutants.rs` shows that these checks find bugs.

use bytes::BytesMut;
use everysplit::{Outcome, check_encoder};
use everysplit_formats::fuzzing::Format;
use everysplit_formats::varint::{Config, DecodeError, Decoder, EncodeError, Width, naive};

use crate::support::strings;

const WIDTHS: [Width; 2] = [Width::U32, Width::U64];

/// Also after as many bytes of an unfinished length as make each of them the last.
#[test]
fn every_split_of_every_short_stream() {
    let mut count = 0;
    for (width, max_size) in WIDTHS
        .into_iter()
        .flat_map(|width| [(width, 1), (width, 128)])
    {
        let config = Config { width, max_size };
        let harness = Format::Varint(config).harness();
        for front in [0, width.max_bytes() - 3] {
            for tail in (0..=4).flat_map(|len| strings(&[0, 1, 0x0f, 0x80, 0x82], len)) {
                let stream = [&vec![0x80; front][..], &tail].concat();
                harness.check(&stream).unwrap();
                count += 1;
            }
        }
    }
    assert!(count > 6_000, "{count}");
}

/// Every power of two, and one less: with the limit at it, and one below.
#[test]
fn every_length_is_read_exactly() {
    for bits in 0..=64 {
        for number in [(1_u128 << bits) - 1, 1 << bits] {
            let mut stream = Vec::new();
            let mut rest = number;
            while rest >= 128 {
                stream.push((rest % 128 + 128).try_into().unwrap());
                rest /= 128;
            }
            stream.push(rest.try_into().unwrap());
            for width in WIDTHS {
                let config = Config {
                    width,
                    max_size: u64::try_from(number / 2).unwrap(),
                };
                let fits = number < 1 << width.bits();
                let error = match u64::try_from(number) {
                    Ok(0) => continue,
                    Ok(size) if fits => DecodeError::TooLarge {
                        offset: 0,
                        size,
                        max: config.max_body(),
                    },
                    _ => DecodeError::Overflow { offset: 0 },
                };
                let mut buffer = BytesMut::from(&stream[..]);
                assert_eq!(
                    Decoder::new(config).decode(&mut buffer),
                    Err(error),
                    "{number}"
                );
                let outcome = naive::parse(config, &stream).outcome;
                assert!(
                    matches!(outcome, Outcome::Rejected { error: naive, .. } if naive == error)
                );
                if fits {
                    let max_size = u64::MAX;
                    let decoded = Decoder::new(Config { width, max_size }).decode(&mut buffer);
                    assert_eq!(decoded, Ok(None), "{number}");
                }
            }
        }
    }
}

#[test]
fn encoders_agree_and_write_what_is_decoded() {
    for size in [0, 1, 127, 128, 129, 16_383, 16_384, 100_000] {
        for max_size in [size - 1, size, size + 1] {
            for width in WIDTHS {
                let max_size = u64::try_from(max_size).unwrap_or(0);
                let config = Config { width, max_size };
                let body = vec![7; usize::try_from(size).unwrap()];
                let expected = naive::encode(config, &body);
                let borrowed = expected.as_deref().map_err(|error| *error);
                check_encoder(|output| config.encode(&body, output), borrowed).unwrap();
                if let Ok(frame) = expected {
                    let frames = naive::parse(config, &frame).frames;
                    assert_eq!(frames, [(frame.len(), body.into())]);
                }
            }
        }
    }
}

#[test]
fn edges_are_the_field_boundaries() {
    let edges = |stream| naive::edges(Config::DEFAULT, stream);
    assert_eq!(edges(b""), [0]);
    assert_eq!(edges(b"\x80"), [0]);
    assert_eq!(edges(b"\x02a"), [0, 1]);
    assert_eq!(edges(b"\x01a\x80\x00\x81\x00b\x05"), [0, 1, 2, 4, 6, 7, 8]);
}

#[test]
fn the_largest_body_fits_in_the_integer() {
    let max_body = |width, max_size| Config { width, max_size }.max_body();
    assert_eq!(max_body(Width::U32, u64::MAX), 0xffff_ffff);
    assert_eq!(max_body(Width::U64, u64::MAX), u64::MAX);
    assert_eq!(max_body(Width::U32, 5), 5);
}

#[test]
fn error_messages_say_what_to_do() {
    let offset = 20;
    assert_eq!(
        DecodeError::Overflow { offset }.to_string(),
        "length at offset 20 has too many bits: \
         close the connection, the peer does not send varints of this width"
    );
    let (size, max) = (3, 2);
    assert_eq!(
        DecodeError::TooLarge { offset, size, max }.to_string(),
        "length 3 at offset 20 is over the limit of 2 bytes: \
         close the connection, or raise max_size to accept larger bodies"
    );
    let received = 5;
    assert_eq!(
        DecodeError::Truncated { offset, received }.to_string(),
        "stream ended inside the message at offset 20, after 5 of its bytes: \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        EncodeError::TooLarge { size: 3, max }.to_string(),
        "body of 3 bytes is over the limit of 2 bytes: \
         send it in several messages, or raise max_size at both ends"
    );
}

#[test]
fn the_default_is_64_bits_and_8_mib() {
    assert_eq!(Config::default().max_size, 8_388_608);
    assert_eq!(Config::default().width, Width::U64);
}
