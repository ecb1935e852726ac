//! Framers with a bug, of the formats that have settings. Each must be found with the property that
//! is named, and the same framer without its bug must be left alone.

use bytes::{Buf, Bytes, BytesMut};
use everysplit::subject::{Decode, DecodeFn};
use everysplit::{Expected, Harness, Outcome, Property};
use everysplit_formats::delimited::{self, Delimiter};
use everysplit_formats::length_field::{self, LengthField, Width};
use everysplit_formats::{netstring, varint};

/// Removes the next frame. The number is for what a framer remembers.
type Step = fn(&mut usize, &mut BytesMut) -> Result<Option<Bytes>, Error>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    Truncated,
    Rejected,
}

/// What a framer remembers, and whether it is poisoned.
type State = (usize, bool);

/// Makes a strict decoder of a step.
fn decoder(step: Step) -> impl Decode<Frame = Bytes, Error = Error> + Clone + Eq {
    let decode = move |(memory, is_poisoned): &mut State, buffer: &mut BytesMut| {
        if *is_poisoned {
            return Err(Error::Rejected);
        }
        let decoded = step(memory, buffer);
        *is_poisoned = decoded.is_err();
        decoded
    };
    let decode_eof = move |state: &mut State, buffer: &mut BytesMut| match decode(state, buffer) {
        Ok(None) if !buffer.is_empty() => Err(Error::Truncated),
        decoded => decoded,
    };
    DecodeFn::new((0, false), decode, decode_eof)
}

/// Maps the errors of a parse.
fn expected<E>(parsed: Expected<Bytes, E>) -> Expected<Bytes, Error> {
    Expected {
        frames: parsed.frames,
        at_end: parsed.at_end,
        outcome: match parsed.outcome {
            Outcome::Clean => Outcome::Clean,
            Outcome::Truncated(_) => Outcome::Truncated(Error::Truncated),
            Outcome::Rejected { at, .. } => Outcome::Rejected {
                at,
                error: Error::Rejected,
            },
        },
    }
}

/// Checks a correct step on some streams, and each buggy one on its own, which must be found.
#[track_caller]
fn check<const N: usize>(
    parse: fn(&[u8]) -> Expected<Bytes, Error>,
    correct: Step,
    mutants: [(&str, Step, &[u8], Property); N],
) {
    let harness = |step| Harness::decoder(move || decoder(step)).oracle(parse);
    let found = mutants.map(|(name, buggy, stream, _)| {
        harness(correct).check(stream).unwrap();
        let violation = harness(buggy).check(stream).unwrap_err();
        (name, violation.property)
    });
    assert_eq!(
        found,
        mutants.map(|(name, _, _, property)| (name, property))
    );
}

/// Splits a frame off, and its header off the frame.
fn take(buffer: &mut BytesMut, header: usize, end: usize) -> Option<Bytes> {
    if buffer.len() < end {
        return None;
    }
    let mut frame = buffer.split_to(end);
    frame.advance(header.min(end));
    Some(frame.freeze())
}

/// Two bytes, then a length of two bytes that counts the whole frame; bodies of up to five bytes.
fn whole_frame(
    buffer: &mut BytesMut,
    header: usize,
    frame: std::ops::RangeInclusive<usize>,
) -> Result<Option<Bytes>, Error> {
    if buffer.len() < header {
        return Ok(None);
    }
    let low = buffer.get(3).copied().unwrap_or(0);
    let size = usize::from(u16::from_be_bytes([buffer[2], low]));
    if !frame.contains(&size) {
        return Err(Error::Rejected);
    }
    Ok(take(buffer, 4, size))
}

#[test]
fn length_fields() {
    const FIELD: LengthField = LengthField {
        adjustment: -4,
        max_size: 5,
        ..LengthField::new(2, Width::Two)
    };
    check(
        |stream| expected(length_field::naive::parse(FIELD, stream)),
        |_, buffer| whole_frame(buffer, 4, 4..=9),
        [
            (
                "a length is read before it is whole",
                |_, buffer| whole_frame(buffer, 3, 4..=9),
                b"!!\0\x05a",
                Property::EverySplit,
            ),
            (
                "the limit is one byte less",
                |_, buffer| whole_frame(buffer, 4, 4..=8),
                b"!!\0\x0912345",
                Property::RoundTrip,
            ),
            (
                "the limit is one byte more",
                |_, buffer| whole_frame(buffer, 4, 4..=10),
                b"!!\0\x0a123456",
                Property::Rejection,
            ),
            (
                "the limit is that of the whole frame",
                |_, buffer| whole_frame(buffer, 4, 4..=5),
                b"!!\0\x06ab",
                Property::RoundTrip,
            ),
            (
                "a frame is less than its header",
                |_, buffer| whole_frame(buffer, 4, 0..=9),
                b"!!\0\x01!!\0\x04",
                Property::Rejection,
            ),
            (
                "a length counts what follows it",
                |_, buffer| {
                    let Some(&[_, _, high, low]) = buffer.first_chunk() else {
                        return Ok(None);
                    };
                    match u16::from_be_bytes([high, low]).into() {
                        size @ 4..=9 => Ok(take(buffer, 4, 4 + size)),
                        _ => Err(Error::Rejected),
                    }
                },
                b"!!\0\x05a!!\0\x04",
                Property::RoundTrip,
            ),
        ],
    );
}

/// Bodies of up to 200 bytes. `is_last` says whether a byte of a length is the last of it.
fn varint_frame(
    buffer: &mut BytesMut,
    max_bytes: usize,
    is_last: impl Fn(u8, usize) -> bool,
) -> Result<Option<Bytes>, Error> {
    let mut size = 0_usize;
    for (index, &byte) in buffer.iter().enumerate() {
        if index == max_bytes {
            return Err(Error::Rejected);
        }
        let shift = 7 * u32::try_from(index).unwrap();
        size |= usize::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if is_last(byte, index + 1) {
            if size > 200 {
                return Err(Error::Rejected);
            }
            return Ok(take(buffer, index + 1, index + 1 + size));
        }
        if index + 1 == max_bytes {
            return Err(Error::Rejected);
        }
    }
    Ok(None)
}

#[test]
fn varints() {
    const CONFIG: varint::Config = varint::Config {
        width: varint::Width::U32,
        max_size: 200,
    };
    let long = [b"\x82\x01", &[b'a'; 130][..], b"\x01b"].concat();
    check(
        |stream| expected(varint::naive::parse(CONFIG, stream)),
        |_, buffer| varint_frame(buffer, 5, |byte, _| byte < 0x80),
        [
            (
                "a length that is cut counts as whole",
                |_, buffer| {
                    let received = buffer.len();
                    varint_frame(buffer, 5, |byte, bytes| byte < 0x80 || bytes == received)
                },
                b"\x80\x00\x01a",
                Property::Prompt,
            ),
            (
                "a length is one byte",
                |_, buffer| varint_frame(buffer, 5, |_, _| true),
                &long,
                Property::RoundTrip,
            ),
            (
                "a length may have one byte more",
                |_, buffer| varint_frame(buffer, 6, |byte, _| byte < 0x80),
                b"\x80\x80\x80\x80\x80\x00",
                Property::Rejection,
            ),
            (
                "a length may have one byte less",
                |_, buffer| varint_frame(buffer, 4, |byte, _| byte < 0x80),
                b"\x81\x80\x80\x80\x00a",
                Property::RoundTrip,
            ),
            (
                "a length without an end is waited for",
                |_, buffer| varint_frame(buffer, 100, |byte, _| byte < 0x80),
                b"\xff\xff\xff\xff\xff\xff",
                Property::Rejection,
            ),
        ],
    );
}

/// Bodies of up to three bytes, after each CR LF. Searches from `start` on.
fn line(buffer: &mut BytesMut, start: usize) -> Result<Option<Bytes>, Error> {
    let rest = buffer.get(start..).unwrap_or_default();
    let found = rest.windows(2).position(|window| window == b"\r\n");
    match found.map(|at| start + at) {
        Some(size @ ..=3) => {
            let body = buffer.split_to(size).freeze();
            buffer.advance(2);
            Ok(Some(body))
        }
        None if buffer.len() <= 3 || buffer[3..] == b"\r"[..] => Ok(None),
        _ => Err(Error::Rejected),
    }
}

#[test]
fn delimiters() {
    const CONFIG: delimited::Config = delimited::Config {
        delimiter: Delimiter::CRLF,
        max_size: 3,
    };
    check(
        |stream| expected(delimited::naive::parse(CONFIG, stream)),
        |_, buffer| line(buffer, 0),
        [
            (
                "a delimiter that is cut in two is lost",
                |searched, buffer| {
                    let found = line(buffer, *searched);
                    *searched = match found {
                        Ok(None) => buffer.len(),
                        _ => 0,
                    };
                    found
                },
                b"ab\r\ncd\r\n",
                Property::EverySplit,
            ),
            (
                "what was searched is not forgotten after a frame",
                |searched, buffer| {
                    let found = line(buffer, *searched);
                    *searched = match found {
                        Ok(None) => buffer.len().saturating_sub(1),
                        _ => *searched,
                    };
                    found
                },
                b"abc\r\nd\r\n",
                Property::EverySplit,
            ),
            (
                "a delimiter that is cut after a body of the limit is over it",
                |_, buffer| match line(buffer, 0) {
                    Ok(None) if buffer.len() > 3 => Err(Error::Rejected),
                    found => found,
                },
                b"abc\r\n",
                Property::EverySplit,
            ),
            (
                "a body of the limit is over it",
                |_, buffer| match line(buffer, 0) {
                    Ok(Some(body)) if body.len() == 3 => Err(Error::Rejected),
                    found => found,
                },
                b"a\r\nabc\r\n",
                Property::RoundTrip,
            ),
            (
                "a body without a delimiter is waited for",
                |_, buffer| match line(buffer, 0) {
                    Err(_) => Ok(None),
                    found => found,
                },
                b"abcd",
                Property::Rejection,
            ),
            (
                "a CR is a delimiter",
                |_, buffer| {
                    if buffer.last() == Some(&b'\r') {
                        let body = buffer.split_to(buffer.len() - 1).freeze();
                        buffer.clear();
                        return Ok(Some(body));
                    }
                    line(buffer, 0)
                },
                b"ab\r\n",
                Property::Prompt,
            ),
        ],
    );
}

/// Bodies of up to 12 bytes. `ends` says whether a frame is whole, with its bytes from the comma on.
fn netstring_frame(
    buffer: &mut BytesMut,
    max: usize,
    is_length: impl Fn(&[u8]) -> bool,
    ends: impl Fn(&[u8]) -> Result<bool, Error>,
) -> Result<Option<Bytes>, Error> {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let digits = buffer.iter().take_while(is_digit).count();
    let size = buffer[..digits]
        .iter()
        .fold(0, |size, digit| 10 * size + usize::from(digit - b'0'));
    let colon = buffer.get(digits);
    if size > max || !is_length(&buffer[..digits]) || colon.is_some_and(|byte| *byte != b':') {
        return Err(Error::Rejected);
    }
    if digits == 0 {
        return colon.map_or(Ok(None), |_| Err(Error::Rejected));
    }
    let comma = digits + 1 + size;
    let Some(rest) = buffer.get(comma..).filter(|_| colon.is_some()) else {
        return Ok(None);
    };
    if !ends(rest)? {
        return Ok(None);
    }
    let body = take(buffer, digits + 1, comma);
    buffer.advance(buffer.len().min(1));
    Ok(body)
}

fn is_minimal(digits: &[u8]) -> bool {
    digits.len() < 2 || digits[0] != b'0'
}

fn is_comma(rest: &[u8]) -> Result<bool, Error> {
    match rest.first() {
        None => Ok(false),
        Some(b',') => Ok(true),
        Some(_) => Err(Error::Rejected),
    }
}

#[test]
fn netstrings() {
    const CONFIG: netstring::Config = netstring::Config { max_size: 12 };
    check(
        |stream| expected(netstring::naive::parse(CONFIG, stream)),
        |_, buffer| netstring_frame(buffer, 12, is_minimal, is_comma),
        [
            (
                "a frame is whole without its comma",
                |_, buffer| netstring_frame(buffer, 12, is_minimal, |_| Ok(true)),
                b"2:ab,0:,",
                Property::Prompt,
            ),
            (
                "a comma is any byte",
                |_, buffer| netstring_frame(buffer, 12, is_minimal, |rest| Ok(!rest.is_empty())),
                b"1:ax",
                Property::Rejection,
            ),
            (
                "a length has zeros in front",
                |_, buffer| netstring_frame(buffer, 12, |_| true, is_comma),
                b"01:a,",
                Property::Rejection,
            ),
            (
                "the limit is one byte more",
                |_, buffer| netstring_frame(buffer, 13, is_minimal, is_comma),
                b"13:",
                Property::Rejection,
            ),
            (
                "a length that is cut counts as whole",
                |_, buffer| {
                    if !buffer.is_empty() && buffer.iter().all(u8::is_ascii_digit) {
                        buffer.extend_from_slice(b":");
                    }
                    netstring_frame(buffer, 12, is_minimal, is_comma)
                },
                b"12:abcdefghijkl,",
                Property::EverySplit,
            ),
        ],
    );
}
