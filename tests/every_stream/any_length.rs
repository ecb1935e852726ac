//! Streams of any length, where states are equal at different offsets.

use bytes::{Buf, BytesMut};
use everysplit::reference::{Config, DecodeError, Framer};
use everysplit::subject::{Keyed, StopAtError, TokioDecoder};
use everysplit::{Deviation, Harness, Property};
use tokio_util::codec::LinesCodec;

use crate::{decoder, parse, parser};

#[test]
fn a_length_and_a_body() {
    let every = parser(parse).every_stream(9).unwrap();
    assert_eq!((every.longest, every.any_length), (9, Some(7)), "{every}");
    assert_eq!(every.not_proved, None);
}

#[test]
fn lines() {
    let make = || StopAtError::new(TokioDecoder::new(LinesCodec::new_with_max_length(3)));
    let harness = Harness::decoder(make).declare([Deviation::DiscardsAtEnd]);
    let every = harness.every_stream_of(["a", "\r", "\n"], 10).unwrap();
    assert!(every.any_length.is_some(), "{every}");
}

/// The frame is a number: seven bits in each byte, of at most two bytes.
fn varint(buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
    let mut bytes = buffer.iter().take(2);
    let Some(end) = bytes.position(|byte| byte & 0x80 == 0) else {
        return if buffer.len() < 2 {
            Ok(None)
        } else {
            Err("too long")
        };
    };
    Ok(Some(buffer.split_to(end + 1).to_vec()))
}

#[test]
fn varints() {
    let make = || StopAtError::new(decoder(|(): &mut (), buffer| varint(buffer)));
    let every = Harness::decoder(make).every_stream(6).unwrap();
    assert!(every.any_length.is_some(), "{every}");
}

/// The offsets in the reference framer's state and errors are left out.
#[test]
fn the_reference_framer() {
    let config = Config {
        max_body_size: 2,
        ..Config::default()
    };
    let kind = |error| match error {
        DecodeError::Truncated { .. } => "truncated",
        _ => "too large",
    };
    let key = |framer: &Framer| {
        let ends = framer.finish().map_err(|error| match error {
            DecodeError::Truncated { .. } => "truncated",
            _ => "too large",
        });
        (framer.unfinished().to_vec(), ends)
    };
    let make = move || Keyed::new(Framer::new(config), key).with_errors(kind);
    let every = Harness::framer(make).every_stream(18).unwrap();
    assert_eq!(every.any_length, Some(5), "{every}");

    // With its offsets, no two of its states are equal.
    let every = Harness::framer(move || Framer::new(config))
        .every_stream(18)
        .unwrap();
    assert_eq!((every.any_length, every.longest), (None, 18), "{every}");
}

/// Loses the fifth frame if it does not arrive alone. The states before it are not those after it.
#[test]
fn a_framer_that_counts_is_not_closed() {
    let counts = |frames: &mut usize, buffer: &mut BytesMut| {
        if buffer.is_empty() {
            return Ok(None);
        }
        *frames += 1;
        if *frames == 5 && buffer.len() > 1 {
            buffer.advance(1);
        }
        Ok(Some(buffer.split_to(1).to_vec()))
    };
    let harness = Harness::decoder(move || decoder::<usize>(counts));
    let every = harness.every_stream(4).unwrap();
    assert_eq!((every.any_length, every.longest), (None, 4), "{every}");
    let violation = harness.every_stream(8).unwrap_err();
    assert_eq!(violation.property, Property::EverySplit);
    assert_eq!(violation.case.stream.len(), 6, "{violation}");
}
