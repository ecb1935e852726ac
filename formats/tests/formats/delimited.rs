//! Tests the `delimited` format: every split of short streams, with delimiters that overlap
//! themselves, the time of long bodies, and the encoders. `mutants.rs` shows that these checks find
//! bugs.

use everysplit::check_encoder;
use everysplit_formats::delimited::{Config, DecodeError, Delimiter, EncodeError, naive};
use everysplit_formats::fuzzing::Format;

use crate::support::strings;

/// Of the letters that the streams have; some begin again in themselves.
const DELIMITERS: [&[u8]; 7] = [b"a", b"ab", b"aa", b"aab", b"aba", b"aaa", b"abab"];

fn configs() -> impl Iterator<Item = Config> {
    DELIMITERS.into_iter().flat_map(|delimiter| {
        [0, 2, u64::MAX].map(|max_size| Config {
            delimiter: Delimiter::new(delimiter).unwrap(),
            max_size,
        })
    })
}

#[test]
fn every_split_of_every_short_stream() {
    for config in configs() {
        let harness = Format::Delimited(config).harness();
        for stream in (0..=6).flat_map(|len| strings(b"abc", len)) {
            harness.check(&stream).unwrap();
        }
    }
}

/// No part of a body is searched again for each byte of it.
#[test]
fn a_long_body_costs_no_more_per_byte() {
    for delimiter in [Delimiter::LF, Delimiter::CRLF] {
        let config = Config::new(delimiter);
        let stream = |len| [&vec![b'\r'; len][..], delimiter.as_bytes()].concat();
        Format::Delimited(config).harness().linear(stream).unwrap();
    }
}

#[test]
fn encoders_agree_and_write_what_is_decoded() {
    let (mut written, mut rejected) = (0, 0);
    for config in configs() {
        for body in (0..=5).flat_map(|len| strings(b"abc", len)) {
            let expected = naive::encode(config, &body);
            let borrowed = expected.as_deref().map_err(|error| *error);
            check_encoder(|output| config.encode(&body, output), borrowed).unwrap();
            let Ok(frame) = expected else {
                rejected += 1;
                continue;
            };
            let frames = naive::parse(config, &frame).frames;
            assert_eq!(frames, [(frame.len(), body.into())]);
            written += 1;
        }
    }
    assert!(written > 1000 && rejected > 1000, "{written} {rejected}");
}

#[test]
fn delimiters_have_1_to_16_bytes() {
    assert_eq!(Delimiter::new(b""), None);
    assert_eq!(Delimiter::new(&[0; 17]), None);
    assert_eq!(Delimiter::new(&[1; 16]).unwrap().as_bytes(), [1; 16]);
    assert_ne!(Delimiter::new(&[0, 0]), Some(Delimiter::NUL));
    assert_eq!(format!("{:?}", Delimiter::CRLF), "\"\\r\\n\"");
}

#[test]
fn edges_are_the_field_boundaries() {
    let edges = |stream| naive::edges(Config::new(Delimiter::CRLF), stream);
    assert_eq!(edges(b""), [0]);
    assert_eq!(edges(b"ab\r"), [0]);
    assert_eq!(edges(b"ab\r\n\r\nc"), [0, 2, 4, 6]);
}

#[test]
fn error_messages_say_what_to_do() {
    let (offset, max) = (20, 2);
    assert_eq!(
        DecodeError::TooLarge { offset, max }.to_string(),
        "body at offset 20 has no delimiter after 2 bytes: \
         close the connection, or raise max_size to accept larger bodies"
    );
    let received = 5;
    assert_eq!(
        DecodeError::Truncated { offset, received }.to_string(),
        "stream ended without a delimiter, 5 bytes after the last one, at offset 20: \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        EncodeError::TooLarge { size: 3, max }.to_string(),
        "body of 3 bytes is over the limit of 2 bytes: \
         send it in several messages, or raise max_size at both ends"
    );
    assert_eq!(
        EncodeError::Delimiter { at: 1 }.to_string(),
        "a delimiter begins at byte 1 of the body: escape it, or use a format with lengths"
    );
}

#[test]
fn the_default_limit_is_8_mib() {
    assert_eq!(Config::new(Delimiter::LF).max_size, 8_388_608);
}
