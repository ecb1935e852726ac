//! What a certificate must not claim.

use bytes::BytesMut;
use everysplit::subject::{DecodeFn, Frames, Subject};
use everysplit::{Deviation, Expected, Harness, NotProved, Outcome, Property};

use crate::{Parsed, decoder, parse, parser};

/// Lines of any length.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a parser")]
fn line(bytes: &[u8]) -> Parsed {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    Ok(end.map(|end| (bytes[..end].to_vec(), end + 1)))
}

/// Lines, of which the first ten must not all be empty.
fn no_flood(stream: &[u8]) -> Expected<Vec<u8>, &'static str> {
    let (mut frames, mut start) = (Vec::new(), 0);
    while let Ok(Some((line, len))) = line(&stream[start..]) {
        start += len;
        if start == 10 && frames.len() == 9 {
            return Expected {
                frames,
                at_end: Vec::new(),
                outcome: Outcome::Rejected {
                    at: 10,
                    error: "flood",
                },
            };
        }
        frames.push((start, line));
    }
    Expected {
        frames,
        at_end: Vec::new(),
        outcome: if start == stream.len() {
            Outcome::Clean
        } else {
            Outcome::Truncated("truncated")
        },
    }
}

const FLOOD: &[u8] = b"\n\n\n\n\n\n\n\n\n\n";

/// Each length is compared, and not the longest only.
#[test]
fn an_oracle_that_looks_back_is_believed_at_each_length() {
    let harness = parser(line).oracle(no_flood);
    let violation = harness.every_stream(16).unwrap_err();
    assert_eq!(violation.property, Property::Rejection, "{violation}");
    for longest in [12, 20] {
        let violation = harness.every_stream_of(["a\n", "\n"], longest);
        assert_eq!(violation.unwrap_err().case.stream, FLOOD);
    }
}

/// Streams of any length are claimed: long ones are compared, too.
#[test]
fn an_oracle_that_looks_back_is_believed_beyond_the_proved_length() {
    let harness = parser(line).oracle(no_flood);
    let violation = harness.every_stream_of(["a\n", "\n"], 6).unwrap_err();
    assert_eq!(violation.case.stream, FLOOD, "{violation}");
    let judges = |stream: &[u8]| (!stream.starts_with(FLOOD)).then(|| no_flood(stream));
    let harness = parser(line).oracle(judges);
    let every = harness.every_stream_of(["a\n", "\n"], 6).unwrap();
    assert_eq!((every.unjudged, every.any_length), (true, None), "{every}");
}

#[test]
fn what_is_not_judged_is_not_claimed_at_a_longer_length_either() {
    let judges = |stream: &[u8]| (!stream.starts_with(FLOOD)).then(|| no_flood(stream));
    let harness = parser(line).oracle(judges);
    for longest in [10, 12, 20] {
        let every = harness.every_stream_of(["a\n", "\n"], longest).unwrap();
        assert_eq!((every.unjudged, every.any_length), (true, None), "{every}");
    }
}

#[test]
fn an_oracle_that_panics_on_a_whole_stream_is_a_violation() {
    let panics = |stream: &[u8]| {
        assert!(!stream.starts_with(FLOOD), "a flood");
        no_flood(stream)
    };
    let harness = parser(line).oracle(panics);
    let violation = harness.every_stream_of(["a\n", "\n"], 20).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
}

/// Rejects ten empty lines at the beginning only if they come in one chunk. Longer streams have more
/// positions than are kept, if the oracle remembers all of them.
#[test]
fn any_length_is_not_claimed_after_a_contradiction() {
    #[derive(Clone, Default, PartialEq, Eq)]
    struct Lines {
        line: Vec<u8>,
        has_begun: bool,
        is_rejected: bool,
    }

    impl Subject for Lines {
        type Frame = Vec<u8>;
        type Error = &'static str;

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
            for (index, &byte) in chunk.iter().enumerate() {
                self.is_rejected |= !self.has_begun && chunk[..=index] == *FLOOD;
                if self.is_rejected {
                    return Err("flood");
                }
                if byte == b'\n' {
                    frames.push(std::mem::take(&mut self.line));
                } else {
                    self.line.push(byte);
                }
            }
            self.has_begun |= !chunk.is_empty();
            if self.is_rejected {
                Err("flood")
            } else {
                Ok(())
            }
        }

        fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
            match self {
                Self {
                    is_rejected: true, ..
                } => Err("flood"),
                Self { line, .. } if line.is_empty() => Ok(()),
                _ => Err("truncated"),
            }
        }
    }

    let harness = Harness::framer(Lines::default).oracle(no_flood);
    let every = harness.every_stream_of(["\n", "a\n", "b\n"], 15).unwrap();
    assert_eq!((every.longest, every.any_length), (9, None), "{every}");
    assert!(every.not_proved.is_some(), "{every}");
}

/// Ends inside a message, and without a byte, are not known.
#[test]
fn ends_that_are_not_known_are_not_claimed() {
    let encode = |body: &Vec<u8>| [&[u8::try_from(body.len()).unwrap()], &body[..]].concat();
    let messages = parser(parse).encoder(encode).messages(["", "ab"]);
    let every = messages.every_stream(6).unwrap();
    assert!(every.open_ends, "{every}");
    let text = every.to_string();
    assert!(
        text.contains("made of messages, some ends not checked, "),
        "{text}"
    );
    let every = messages.truncation_error("truncated").every_stream(6);
    assert!(!every.unwrap().open_ends);

    let judges = |stream: &[u8]| (!stream.is_empty()).then(|| no_flood(stream));
    let every = parser(line).oracle(judges).every_stream(4).unwrap();
    assert!(every.open_ends, "{every}");
}

/// They are named like numbers, and are none.
#[test]
fn digits_in_names_are_letters() {
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Version {
        V1,
        V2,
        V3,
    }

    let decode = |(): &mut (), buffer: &mut BytesMut| {
        let first = (!buffer.is_empty()).then(|| buffer.split_to(1)[0]);
        Ok::<_, ()>(first.map(|byte| match byte {
            0 => Version::V1,
            1 => Version::V2,
            _ => Version::V3,
        }))
    };
    let versions = Harness::decoder(move || DecodeFn::new((), decode, decode));
    let every = versions.every_stream(2).unwrap();
    assert_eq!(every.letters.concat(), [0, 1, 2], "{every}");
}

#[test]
fn no_stream_is_too_long_to_be_asked_for() {
    let every = parser(parse).every_stream(usize::MAX).unwrap();
    assert!(
        matches!(every.not_proved, Some(NotProved::TooMuchWork { .. })),
        "{every}"
    );
    // A state that counts is never the same.
    let counts = |count: &mut usize, buffer: &mut BytesMut| {
        *count += buffer.len();
        buffer.clear();
        Ok(None)
    };
    let harness = Harness::decoder(move || decoder(counts)).declare([Deviation::DiscardsAtEnd]);
    let every = harness.every_stream(usize::MAX).unwrap();
    assert!((1..1 << 16).contains(&every.longest), "{every}");
    // Nothing follows the first byte.
    let rejects = |bytes: &[u8]| -> Parsed {
        match bytes {
            [] => Ok(None),
            _ => Err("no frame"),
        }
    };
    let harness = parser(rejects).declare([Deviation::CallerStops]);
    let every = harness.every_stream(usize::MAX).unwrap();
    assert!((1..1 << 16).contains(&every.longest), "{every}");
}
