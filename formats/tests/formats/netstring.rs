//! Tests the `netstring` format: every split of short streams, the limits, and the encoders.
//! `mutants.rs` shows that these checks find bugs.

use everysplit::{Outcome, check_encoder};
use everysplit_formats::fuzzing::Format;
use everysplit_formats::netstring::{Config, DecodeError, EncodeError, naive};

use crate::support::strings;

#[test]
fn every_split_of_every_short_stream() {
    let mut count = 0;
    for max_size in [0, 1, 12] {
        let config = Config { max_size };
        let harness = Format::Netstring(config).harness();
        for stream in (0..=6).flat_map(|len| strings(b"01:,", len)) {
            harness.check(&stream).unwrap();
            count += 1;
        }
    }
    assert!(count > 15_000, "{count}");
}

/// A length is over the limit at the digit that makes it so.
#[test]
fn a_length_is_rejected_at_a_digit() {
    for (max_size, stream, decided) in [
        (0, "1", 1),
        (9, "10", 2),
        (20, "21", 2),
        (20, "200", 3),
        (u64::MAX, "18446744073709551616", 20),
        (u64::MAX, "99999999999999999999", 20),
    ] {
        let outcome = naive::parse(Config { max_size }, stream.as_bytes()).outcome;
        let Outcome::Rejected { at, .. } = outcome else {
            panic!("{stream}: {outcome:?}");
        };
        assert_eq!(at, decided, "{stream}");
    }
    let outcome = naive::parse(Config { max_size: u64::MAX }, b"18446744073709551615:").outcome;
    assert!(matches!(outcome, Outcome::Truncated(_)), "{outcome:?}");
}

#[test]
fn encoders_agree_and_write_what_is_decoded() {
    for size in [0, 1, 9, 10, 99, 100, 12_345] {
        for max_size in [size, size + 1, 5] {
            let config = Config { max_size };
            let body = vec![b','; usize::try_from(size).unwrap()];
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

#[test]
fn edges_are_the_field_boundaries() {
    let edges = |stream| naive::edges(Config::DEFAULT, stream);
    assert_eq!(edges(b""), [0]);
    assert_eq!(edges(b"12"), [0]);
    assert_eq!(edges(b":"), [0]);
    assert_eq!(edges(b"2:a"), [0, 2]);
    assert_eq!(edges(b"2:ab,0:,1:"), [0, 2, 4, 5, 7, 8, 10]);
}

#[test]
fn error_messages_say_what_to_do() {
    let offset = 20;
    assert_eq!(
        DecodeError::Unexpected { offset, byte: b';' }.to_string(),
        "byte 0x3b at offset 20 is not part of a netstring: \
         close the connection, the peer does not send netstrings or bytes were lost"
    );
    let max = 2;
    assert_eq!(
        DecodeError::TooLarge { offset, max }.to_string(),
        "length at offset 20 is over the limit of 2 bytes: \
         close the connection, or raise max_size to accept larger bodies"
    );
    let received = 5;
    assert_eq!(
        DecodeError::Truncated { offset, received }.to_string(),
        "stream ended inside the netstring at offset 20, after 5 of its bytes: \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        EncodeError::TooLarge { size: 3, max }.to_string(),
        "body of 3 bytes is over the limit of 2 bytes: \
         send it in several messages, or raise max_size at both ends"
    );
}

#[test]
fn the_default_limit_is_8_mib() {
    assert_eq!(Config::default().max_size, 8_388_608);
}
