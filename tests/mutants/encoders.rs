//! Buggy encoders: a decoder reads their output as something else. The split does not matter, so
//! they are not in the kill matrix.

use bytes::{BufMut, BytesMut};
use everysplit::subject::Frames;
use everysplit::{Property, Violation, check_encoder};

use crate::formats::Short;
use crate::toy::{Error, Frame, LIMIT, Toy};

type Encode = fn(&str, &mut BytesMut) -> Result<(), Error>;

/// Appends a length of one byte and the body.
fn correct(body: &str, output: &mut BytesMut) -> Result<(), Error> {
    if body.len() > LIMIT {
        return Err(Error::TooLong);
    }
    let length = u8::try_from(body.len()).map_err(|_| Error::TooLong)?;
    output.put_u8(length);
    output.put(body.as_bytes());
    Ok(())
}

/// The limit is larger than the length field can hold, and the length is truncated to fit.
fn truncates_length(body: &str, output: &mut BytesMut) -> Result<(), Error> {
    if body.len() > 1 << 16 {
        return Err(Error::TooLong);
    }
    let [low, ..] = body.len().to_le_bytes();
    output.put_u8(low);
    output.put(body.as_bytes());
    Ok(())
}

/// The limit is compared with the length after it has wrapped, and the rest of the body is sent as
/// frames of its own.
fn smuggles(body: &str, output: &mut BytesMut) -> Result<(), Error> {
    let [low, ..] = body.len().to_le_bytes();
    if usize::from(low) > LIMIT {
        return Err(Error::TooLong);
    }
    truncates_length(body, output)
}

/// The length is counted in UTF-16 code units.
fn utf16_units(body: &str, output: &mut BytesMut) -> Result<(), Error> {
    let units = body.encode_utf16().count();
    let length = u8::try_from(units).ok().filter(|_| body.len() <= LIMIT);
    output.put_u8(length.ok_or(Error::TooLong)?);
    output.put(body.as_bytes());
    Ok(())
}

fn bodies() -> [String; 5] {
    let smuggled = "\x01!".repeat(128);
    let non_ascii = "粘包".to_owned();
    [
        String::new(),
        "atlimit!".into(),
        "too long!".into(),
        smuggled,
        non_ascii,
    ]
}

/// Returns the correct output, built by hand.
fn expected(body: &str) -> Result<Vec<u8>, Error> {
    if body.len() > 8 {
        return Err(Error::TooLong);
    }
    let mut bytes = body.as_bytes().to_vec();
    bytes.insert(0, b"\0\x01\x02\x03\x04\x05\x06\x07\x08"[body.len()]);
    Ok(bytes)
}

fn check(encode: Encode, body: &str) -> Result<(), Violation> {
    let expected = expected(body);
    let expected = expected.as_deref().map_err(|&error| error);
    check_encoder(|output| encode(body, output), expected)
}

#[test]
fn every_buggy_encoder_is_caught() {
    let [_, _, over, smuggled, non_ascii] = bodies();
    let mutants: [(&str, &str, Encode, &str); 3] = [
        (
            "a length wider than its field is truncated",
            "tokio#5080",
            truncates_length,
            &over,
        ),
        (
            "a wrapped length sends the body as frames",
            "RUSTSEC-2024-0363",
            smuggles,
            &smuggled,
        ),
        (
            "the length counts UTF-16 code units",
            "MNetSocket-CSharp",
            utf16_units,
            &non_ascii,
        ),
    ];
    for (name, source, encode, body) in mutants {
        println!("{name:48} {source}");
        let violation = check(encode, body).unwrap_err();
        assert_eq!(violation.property, Property::Encode, "{name}");
    }
}

#[test]
fn the_correct_encoder_passes() {
    for body in bodies() {
        check(correct, &body).unwrap();
    }
}

/// The encoder sends one body, and the receiver decodes 129 frames.
#[test]
fn a_wrapped_length_smuggles_frames() {
    let (mut output, mut frames) = (BytesMut::new(), Frames::<Frame>::new(200));
    let [.., smuggled, _] = bodies();
    smuggles(&smuggled, &mut output).unwrap();
    Short
        .feed(&mut BytesMut::new(), &output, &mut frames)
        .unwrap();
    assert_eq!(frames.len(), 129);
    assert!(frames[1..].iter().all(|frame| frame == b"!"));
}
