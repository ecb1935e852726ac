//! Streams and expectations made of messages and an encoder, and declared deviations from the
//! strict policy.
#![allow(clippy::ptr_arg, reason = "the harness fixes the encoder's signature")]

use std::io::ErrorKind;

use bytes::{Buf, BytesMut};
use everysplit::oracle::Messages;
use everysplit::reference::{Codec, Config, Frame};
use everysplit::subject::{AnyError, Buffered, Decode, DecodeFn, ErrorsAsFrames, FeedFn};
use everysplit::{
    CallerBuffered, Certificate, Deviation, Door, Expected, Harness, NotProved, Outcome, Property,
    Source, Tier, Verdicts, Violation,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    TooLong,
    Truncated,
}

const LIMIT: usize = 4;

/// A decoder of the smallest format, a length of one byte and a body, with a policy for errors and
/// limits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Policy {
    limit: usize,
    counts_header: bool,
    accepts_empty: bool,
    discards_at_end: bool,
    /// Goes on after a frame that is too long: how many of its bytes are still to be skipped.
    skip: Option<usize>,
}

const STRICT: Policy = Policy {
    limit: LIMIT,
    counts_header: false,
    accepts_empty: true,
    discards_at_end: false,
    skip: None,
};

impl Decode for Policy {
    type Frame = Vec<u8>;
    type Error = Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        if let Some(skip) = &mut self.skip {
            let skipped = buffer.len().min(*skip);
            buffer.advance(skipped);
            *skip -= skipped;
        }
        let Some(&length) = buffer.first() else {
            return Ok(None);
        };
        let length = usize::from(length);
        let counted = if self.counts_header {
            length + 1
        } else {
            length
        };
        if counted > self.limit || (length == 0 && !self.accepts_empty) {
            if let Some(skip) = &mut self.skip {
                buffer.advance(1);
                *skip = length;
            }
            return Err(Error::TooLong);
        }
        if buffer.len() <= length {
            return Ok(None);
        }
        buffer.advance(1);
        Ok(Some(buffer.split_to(length).to_vec()))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() && !self.discards_at_end => Err(Error::Truncated),
            decoded => Ok(decoded),
        }
    }
}

fn encode(body: &Vec<u8>) -> Vec<u8> {
    [&[u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

/// Adds messages around the limit, the errors, and a deviation.
fn expect<T>(
    harness: Harness<T>,
    deviation: Option<Deviation>,
) -> Harness<T, Messages<Vec<u8>, Error>>
where
    T: Door<Frame = Vec<u8>, Error = Error>,
{
    harness
        .encoder(encode)
        .declare(deviation)
        .messages(["ok"])
        .size_limit(LIMIT, |size| vec![b'x'; size], 1, Error::TooLong)
        .truncation_error(Error::Truncated)
}

/// Checks a policy with a declared deviation, as a framer that is fed and as a decoder.
fn check(policy: &Policy, deviation: Option<Deviation>) -> Result<(), Violation> {
    let policy = policy.clone();
    let decoder = expect(
        Harness::decoder({
            let policy = policy.clone();
            move || policy.clone()
        }),
        deviation,
    );
    let fed = expect(
        Harness::framer(move || Buffered::new(policy.clone())),
        deviation,
    );
    assert_eq!(fed.all_streams(), decoder.all_streams());
    for stream in fed.all_streams() {
        for certificate in [
            fed.check(&stream)?,
            decoder.check(&stream)?,
            fed.sampled(&stream, 0, 20)?,
        ] {
            assert_eq!(certificate.deviations, Vec::from_iter(deviation));
        }
    }
    Ok(())
}

/// Returns policies that deviate, how to declare it, what they violate otherwise, and what a strict
/// policy violates if it is declared.
fn deviating() -> [(Policy, Deviation, Property, Property); 3] {
    [
        (
            Policy {
                discards_at_end: true,
                ..STRICT
            },
            Deviation::DiscardsAtEnd,
            Property::Truncation,
            Property::Truncation,
        ),
        (
            Policy {
                counts_header: true,
                ..STRICT
            },
            Deviation::CountsHeader,
            Property::Limit,
            Property::Limit,
        ),
        (
            Policy {
                accepts_empty: false,
                ..STRICT
            },
            Deviation::NoEmptyFrame,
            Property::RoundTrip,
            Property::Rejection,
        ),
    ]
}

#[test]
fn the_strict_policy_needs_no_declaration() {
    check(&STRICT, None).unwrap();
}

#[test]
fn a_deviation_is_a_violation_unless_declared() {
    for (policy, deviation, property, _) in deviating() {
        let undeclared = check(&policy, None).unwrap_err();
        assert_eq!(undeclared.property, property, "{undeclared}");
        check(&policy, Some(deviation)).unwrap();
    }
}

#[test]
fn a_declared_deviation_that_is_absent_is_a_violation() {
    for (_, deviation, _, property) in deviating() {
        let absent = check(&STRICT, Some(deviation)).unwrap_err();
        assert_eq!(absent.property, property, "{absent}");
        assert_eq!(absent.deviations, [deviation]);
        let line = format!("\n  declared  {deviation}\n");
        assert!(absent.to_string().contains(&line), "{absent}");
    }
}

/// A message that is rejected, and its beginning too: the split has nothing to do with it.
#[test]
fn a_message_that_is_rejected_at_its_header_is_no_round_trip() {
    let harness = Harness::decoder(|| STRICT)
        .encoder(encode)
        .messages(["longer"])
        .truncation_error(Error::Truncated);
    for stream in [&b"\x06longer"[..], b"\x06long"] {
        let violation = harness.check(stream).unwrap_err();
        assert_eq!(violation.property, Property::RoundTrip, "{violation}");
        assert_eq!(violation.offset, 1, "{violation}");
    }
}

#[test]
fn a_limit_that_is_off_by_one_is_a_violation() {
    for limit in [LIMIT - 1, LIMIT + 1] {
        let violation = check(&Policy { limit, ..STRICT }, None).unwrap_err();
        assert_eq!(violation.property, Property::Limit, "{violation}");
    }
}

/// Adds messages, and a frame that is an error, to the harness of a framer that resynchronises.
fn expect_errors_as_frames<T>(
    harness: Harness<T>,
) -> Harness<T, Messages<Result<Vec<u8>, Error>, Error>>
where
    T: Door<Frame = Result<Vec<u8>, Error>, Error = Error>,
{
    harness
        .encoder(|body| encode(body.as_ref().unwrap()))
        .messages([Ok(b"ok".to_vec()), Ok(Vec::new())])
        .frame_bytes(b"\x07toolong", 1, Err(Error::TooLong))
        .truncation_error(Error::Truncated)
        .declare([Deviation::Resynchronises])
}

#[test]
fn a_framer_that_goes_on_after_an_error_can_be_declared() {
    fn check(policy: Policy) -> [Result<Certificate, Violation>; 2] {
        let stream = b"\x02ok\x07toolong\x00";
        let decoder = ErrorsAsFrames(policy);
        let fed = Buffered::new(decoder.clone());
        [
            expect_errors_as_frames(Harness::framer(move || fed.clone())).check(stream),
            expect_errors_as_frames(Harness::decoder(move || decoder.clone())).check(stream),
        ]
    }

    let resynchronises = Policy {
        skip: Some(0),
        discards_at_end: true,
        ..STRICT
    };
    for certificate in check(resynchronises).map(Result::unwrap) {
        let text = certificate.to_string();
        assert!(text.starts_with("proved: "), "{text}");
        assert!(text.ends_with("; declared: resynchronises"), "{text}");
    }
    // Returns the same error again and again.
    let [fed, decoder] = check(STRICT).map(Result::unwrap_err);
    assert_eq!(fed.property, Property::Progress, "{fed}");
    assert_eq!(decoder.deviations, [Deviation::Resynchronises]);
}

#[test]
fn an_oracle_that_rejects_a_stream_contradicts_resynchronises() {
    let harness = Harness::decoder(|| STRICT).oracle(|_: &[u8]| Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Rejected {
            at: 1,
            error: Error::TooLong,
        },
    });
    harness.check(b"\x05").unwrap();
    let declared = harness.declare([Deviation::Resynchronises]);
    let violation = declared.check(b"\x05").unwrap_err();
    assert_eq!(violation.property, Property::Poisoned);
}

#[test]
fn an_error_at_the_end_is_not_a_frame() {
    let mut decoder = ErrorsAsFrames(STRICT);
    let mut decode = |bytes: &[u8]| decoder.decode(&mut BytesMut::from(bytes));
    assert_eq!(decode(b"\x01a"), Ok(Some(Ok(b"a".to_vec()))));
    assert_eq!(decode(b"\x01"), Ok(None));
    assert_eq!(decode(b"\x05"), Ok(Some(Err(Error::TooLong))));
    let mut at_end = |bytes: &[u8]| decoder.decode_eof(&mut BytesMut::from(bytes));
    assert_eq!(at_end(b"\x01a"), Ok(Some(Ok(b"a".to_vec()))));
    assert_eq!(at_end(b""), Ok(None));
    assert_eq!(at_end(b"\x01"), Err(Error::Truncated));
}

/// The bytes after the first one of the last frame are not an incomplete frame.
#[test]
fn the_last_frame_of_a_stream_may_be_complete_early() {
    let harness = Harness::framer(|| {
        Buffered::new(ErrorsAsFrames(Policy {
            skip: Some(0),
            ..STRICT
        }))
    })
    .encoder(|body: &Result<Vec<u8>, Error>| encode(body.as_ref().unwrap()))
    .messages([Ok(b"ok".to_vec())])
    .frame_bytes(b"\x07toolong", 1, Err(Error::TooLong))
    .declare([Deviation::Resynchronises]);
    harness.check(b"\x02ok\x07toolong").unwrap();
}

/// The advice is part of the violation and of its text.
#[test]
fn a_framer_that_discards_bytes_at_the_end_must_be_declared() {
    let harness = Harness::decoder(|| Policy {
        discards_at_end: true,
        ..STRICT
    });
    harness.check(b"\0").unwrap();
    let violation = harness.check(b"\0\x01").unwrap_err();
    assert_eq!(violation.property, Property::Truncation);
    assert_eq!(*violation.actual, *"byte by byte: the end is clean");
    let declare = [Deviation::DiscardsAtEnd, Deviation::BytesBetweenFrames];
    assert_eq!(violation.declare, declare);
    let advice =
        "\n  advice    if this is meant to be, declare `DiscardsAtEnd` or `BytesBetweenFrames`\n";
    assert!(violation.to_string().contains(advice), "{violation}");

    let declared = harness.declare([Deviation::DiscardsAtEnd]);
    let certificate = declared.check(b"\0\x01").unwrap().to_string();
    assert!(
        certificate.ends_with("; declared: discards at the end of the stream"),
        "{certificate}"
    );
}

#[test]
fn a_parser_may_expect_a_clean_end_after_bytes_that_are_no_frame() {
    let harness = Harness::decoder(|| Policy {
        discards_at_end: true,
        ..STRICT
    });
    let harness = harness.oracle(|_: &[u8]| Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    });
    harness.check(b"\x01").unwrap();
}

#[test]
fn a_violation_that_no_declaration_allows_has_no_advice() {
    let violation = check(&Policy { limit: 0, ..STRICT }, None).unwrap_err();
    assert_eq!(violation.declare, []);
    assert!(!violation.to_string().contains("advice"), "{violation}");
}

#[test]
fn an_oracle_that_expects_an_error_at_the_end_contradicts_discards_at_end() {
    let harness = Harness::decoder(|| STRICT).oracle(|_: &[u8]| Expected {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Truncated(Error::Truncated),
    });
    harness.check(b"\x01").unwrap();
    let declared = harness.declare([Deviation::DiscardsAtEnd]);
    let violation = declared.check(b"\x01").unwrap_err();
    assert_eq!(violation.property, Property::Truncation, "{violation}");
    assert_eq!(*violation.actual, *"the oracle: an error at the end");
    assert_eq!(violation.declare, [], "it is declared already");
}

fn strict() -> Harness<CallerBuffered<Policy>, Messages<Vec<u8>, Error>> {
    Harness::decoder(|| STRICT).encoder(encode)
}

/// Recorded frames have no encoder.
#[test]
#[should_panic(expected = "there is no encoder: add frames with `frame_bytes`")]
fn recorded_frames_are_given_as_bytes() {
    let harness = Harness::decoder(|| STRICT).recorded();
    let _ = harness.messages(["ok"]);
}

#[test]
fn streams_are_made_of_the_messages() {
    let harness = strict()
        .messages(["a", "bc"])
        .rejects(b"\x05", 1, Error::TooLong);
    assert_eq!(
        harness.all_streams(),
        [
            &b""[..],
            b"\x01a\x02bc",
            b"\x01a",
            b"\x02bc",
            b"\x05",
            b"\x05\x01a",
            b"\x01a\x05\x01a"
        ]
    );
    let truncated = harness.clone().truncation_error(Error::Truncated);
    let incomplete = [
        &b"\x01"[..],
        b"\x01a\x01",
        b"\x02",
        b"\x01a\x02",
        b"\x02b",
        b"\x01a\x02b",
    ];
    assert_eq!(truncated.all_streams()[7..], incomplete);
    let discarded = harness.declare([Deviation::DiscardsAtEnd]);
    assert_eq!(discarded.all_streams()[7..], incomplete);
    let with_another = discarded.streams([b"\x03"]).all_streams();
    assert_eq!(with_another.last().unwrap(), b"\x03");
}

#[test]
fn no_message_around_a_small_limit_is_repeated() {
    let concatenated = |limit| {
        let harness = strict().size_limit(limit, |size| vec![b'x'; size], 1, Error::TooLong);
        harness.all_streams().swap_remove(1)
    };
    assert_eq!(concatenated(0), b"\x00");
    assert_eq!(concatenated(1), b"\x00\x01x");
    assert_eq!(concatenated(2), b"\x00\x01x\x02xx");
}

#[test]
fn a_long_encoding_is_truncated_near_its_beginning_and_before_its_last_byte() {
    let harness = strict()
        .messages([[b'x'; 200]])
        .truncation_error(Error::Truncated);
    let ends = |harness: &Harness<_, Messages<_, _>>| {
        let streams = harness.all_streams();
        // Each of them stands alone, and after a message of 201 bytes.
        let alone = streams[2..].iter().map(Vec::len).filter(|&len| len < 201);
        alone.collect::<Vec<_>>()
    };
    let few = [137, 146, 155, 164, 173, 182, 191, 200];
    assert!(ends(&harness).into_iter().eq((1..129).chain(few)));
    assert!(ends(&harness.truncate_up_to(300)).into_iter().eq(1..201));
}

/// A stream of many kibibytes takes long to check.
#[test]
fn a_very_long_encoding_is_truncated_at_fewer_offsets() {
    let harness = Harness::decoder(|| STRICT)
        .encoder(Vec::clone)
        .messages([vec![b'x'; 20_000]])
        .truncate_up_to(4)
        .truncation_error(Error::Truncated);
    let streams = harness.all_streams();
    let truncated = streams.iter().map(Vec::len).filter(|&len| len < 20_000);
    assert!(truncated.eq([0, 1, 2, 3, 4, 10_001, 19_999]));
    // The bound itself is not too long.
    for (len, expected) in [(16 * 1024, 8), (16 * 1024 + 1, 2)] {
        let harness = Harness::decoder(|| STRICT).encoder(Vec::clone);
        let harness = harness.messages([vec![b'x'; len]]).truncate_up_to(0);
        let streams = harness.truncation_error(Error::Truncated).all_streams();
        let truncated = streams.iter().filter(|it| (1..len).contains(&it.len()));
        assert_eq!(truncated.count(), expected, "{len}");
    }
}

/// There is no message that could stand before the frame.
#[test]
fn a_rejected_frame_is_truncated_without_messages() {
    let harness = strict()
        .rejects(b"\x05\x05", 2, Error::TooLong)
        .truncation_error(Error::Truncated);
    assert_eq!(harness.all_streams(), [&b""[..], b"\x05\x05", b"\x05"]);
}

/// A framer of one or two bytes per frame. A full stop is a frame. Of any other two bytes, the
/// first is emitted at once, except a question mark: it is rejected with the second byte.
type Pairs = FeedFn<(Option<u8>, bool), u8, Error>;

fn pairs() -> Pairs {
    FeedFn::new(
        (None, false),
        |(first, rejected), chunk: &[u8], frames| {
            for &byte in chunk {
                *rejected |= *first == Some(b'?');
                if *rejected {
                    break;
                }
                if first.take().is_none() {
                    frames.extend((byte != b'?').then_some(byte));
                    *first = (byte != b'.').then_some(byte);
                }
            }
            if *rejected {
                Err(Error::TooLong)
            } else {
                Ok(())
            }
        },
        |(first, rejected), _| match first {
            _ if *rejected => Err(Error::TooLong),
            Some(_) => Err(Error::Truncated),
            None => Ok(()),
        },
    )
}

/// A frame emitted before its last byte is expected of a stream that ends between the two; a
/// beginning that is not yet rejected is an incomplete frame.
#[test]
fn frames_complete_early_and_rejected_late_are_truncated_too() {
    let harness = Harness::framer(pairs)
        .encoder(|&byte| vec![byte])
        .frame_bytes(b"ab", 1, b'a')
        .messages([b'.'])
        .rejects(b"?!", 2, Error::TooLong)
        .truncation_error(Error::Truncated);
    let streams = [
        &b""[..],
        b"ab.",
        b"ab",
        b".",
        b"?!",
        b"?!ab",
        b"ab?!ab",
        b"a",
        b"aba",
        b"?",
        b"ab?",
    ];
    assert_eq!(harness.all_streams(), streams);
    for stream in streams {
        harness.check(stream).unwrap();
    }
}

#[test]
fn a_violation_is_made_smaller_among_the_streams_of_messages() {
    /// Loses a frame that comes in two chunks.
    #[derive(Clone, PartialEq, Eq)]
    struct Loses;

    impl Decode for Loses {
        type Frame = Vec<u8>;
        type Error = Error;

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
            let decoded = STRICT.clone().decode(buffer)?;
            if decoded.is_none() {
                buffer.clear();
            }
            Ok(decoded)
        }

        fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
            STRICT.clone().decode_eof(buffer)
        }
    }

    let bodies = ["one", "two", ""];
    let fed = Harness::framer(|| Buffered::new(Loses))
        .encoder(encode)
        .messages(bodies);
    let decoder = Harness::decoder(|| Loses).encoder(encode).messages(bodies);
    let stream = &fed.all_streams()[1];
    for violation in [fed.check(stream), decoder.check(stream)].map(Result::unwrap_err) {
        assert_eq!(violation.case.stream.len(), 4, "{violation}");
        assert_eq!(violation.case.split.cuts().len(), 1, "{violation}");
    }
}

const CONFIG: Config = Config {
    max_body_size: 8,
    ..Config::DEFAULT
};

fn frame(body: &'static str) -> Frame {
    Frame {
        cmd: 7,
        recv: 0,
        body: body.into(),
    }
}

/// A header whose size is over the limit: four bytes decide it.
const OVER: &[u8] = b"\x09\0\0\0\x07\0\0\0\0\0\0\0";

#[track_caller]
fn assert_proved(result: Result<Certificate, Violation>) {
    let certificate = result.unwrap();
    assert!(
        matches!(certificate.tier, Tier::Proved { .. }),
        "{certificate}"
    );
}

#[test]
fn any_error_of_a_codec_equals_any_other() {
    let harness = || Harness::codec(|| Codec::new(CONFIG)).messages([frame("ok"), frame("")]);
    let rejects = harness().rejects(OVER, 4, AnyError::ANY);
    // Nothing, both messages and each of them, the rejected frame in three places, and three
    // truncated frames.
    let streams = rejects.all_streams();
    assert_eq!(streams.len(), 7 + 2 * (13 + 11 + 3));
    for stream in &streams {
        assert_proved(rejects.check(stream));
    }
    // Where the error occurs is compared all the same.
    let too_late = harness().rejects(OVER, 5, AnyError::ANY);
    let violation = too_late.check(&streams[4]).unwrap_err();
    assert_eq!(violation.property, Property::Rejection, "{violation}");
    assert_eq!(format!("{:?}", AnyError::ANY), "any error");
}

#[test]
fn errors_compares_those_of_a_codec_by_value() {
    let harness = || {
        Harness::codec(|| Codec::new(CONFIG))
            .messages([frame("ok"), frame("")])
            .errors(|error| error.kind())
    };
    let rejects = harness()
        .truncation_error(ErrorKind::UnexpectedEof)
        .rejects(OVER, 4, ErrorKind::InvalidData);
    let streams = rejects.all_streams();
    assert_eq!(streams.len(), 7 + 2 * (13 + 11 + 3));
    for stream in &streams {
        assert_proved(rejects.check(stream));
    }

    let another_kind = harness().rejects(OVER, 4, ErrorKind::Other);
    let violation = another_kind.check(&streams[4]).unwrap_err();
    assert_eq!(violation.property, Property::Rejection, "{violation}");
    let another_kind = harness().truncation_error(ErrorKind::Other);
    let violation = another_kind.check(&streams[7]).unwrap_err();
    assert_eq!(violation.property, Property::Truncation, "{violation}");
}

#[test]
#[should_panic(expected = "set it with `truncation_error`")]
fn errors_without_a_truncation_error_panics() {
    let harness = Harness::codec(|| Codec::new(CONFIG))
        .messages([frame("ok")])
        .errors(|error| error.kind());
    let _ = harness.all_streams();
}

#[test]
fn errors_keeps_what_was_set_before() {
    let harness = Harness::codec(|| Codec::new(CONFIG))
        .messages([frame("ok")])
        .streams([b""])
        .edges(|_| vec![5])
        .max_states(0)
        .declare([Deviation::DiscardsAtEnd])
        .errors(|error| error.kind());
    let streams = harness.all_streams();
    // Nothing, the message once and twice, truncated alone and after another, and the given stream.
    assert_eq!(streams.len(), 3 + 2 * 13 + 1);
    let certificate = harness.check(&streams[1]).unwrap();
    assert_eq!(certificate.deviations, [Deviation::DiscardsAtEnd]);
    assert!(
        matches!(
            certificate.tier,
            Tier::Bounded {
                not_proved: Some(NotProved::TooManyStates {
                    offset: 0,
                    max_states: 0
                }),
                ..
            }
        ),
        "{certificate}"
    );
    let violation = harness.check(&streams[3]).unwrap_err();
    assert_eq!(violation.property, Property::Truncation, "{violation}");
    assert_eq!(violation.edges, [5]);
}

#[test]
#[should_panic(expected = "`errors` comes before `rejects` and `size_limit`")]
fn errors_after_rejects_panics() {
    let _ = Harness::codec(|| Codec::new(CONFIG))
        .messages([frame("ok")])
        .rejects(OVER, 4, AnyError::ANY)
        .errors(|error| error.kind());
}

#[test]
#[should_panic(expected = "the codec does not encode a message")]
fn a_message_that_a_codec_does_not_encode_panics() {
    let _ = Harness::codec(|| Codec::new(CONFIG)).messages([frame("too long.")]);
}

#[test]
#[should_panic(expected = "a frame is complete after 2 of the 1 bytes of its encoding")]
fn an_offset_after_the_encoding_panics() {
    let _ = strict().frame_bytes(b"\0", 2, Vec::new());
}

#[test]
#[should_panic(expected = "a frame is complete after 0 of the 0 bytes of its encoding")]
fn an_empty_encoding_panics() {
    let _ = Harness::decoder(|| STRICT)
        .encoder(|_| Vec::new())
        .messages(["a"]);
}

/// What is not encoded is lost, and the decoder may return anything in its place.
#[test]
#[should_panic(expected = r#""\x01a" is the encoding of two different messages"#)]
fn messages_that_differ_in_what_is_not_encoded_panic() {
    let _ = Harness::decoder(|| STRICT)
        .encoder(|frame| encode(&frame[..1].to_vec()))
        .messages(["a", "ab"]);
}

#[test]
#[should_panic(expected = "encoding of two different messages")]
fn a_frame_cannot_be_complete_at_two_offsets() {
    let frame = || b"a".to_vec();
    let harness = strict().frame_bytes(b"\x01a", 1, frame());
    let _ = harness.frame_bytes(b"\x01a", 2, frame());
}

#[test]
#[should_panic(expected = r#""\x05" is rejected with two different errors"#)]
fn the_same_bytes_cannot_be_rejected_with_two_errors() {
    let harness = strict().rejects(b"\x05", 1, Error::TooLong);
    let _ = harness.rejects(b"\x05?", 1, Error::Truncated);
}

#[test]
#[should_panic(expected = r#""\x01" is rejected, and begins the encoding "\x01a" of a message"#)]
fn what_is_rejected_cannot_begin_a_message() {
    let harness = strict().rejects(b"\x01", 1, Error::TooLong);
    let _ = harness.messages(["a"]);
}

/// An encoder whose length wraps makes of a message over the limit what an empty one begins with.
#[test]
#[should_panic(expected = r#""\x01" is rejected, and begins the encoding"#)]
fn a_message_cannot_begin_with_what_is_rejected() {
    let _ = strict().messages(["a"]).rejects(b"\x01", 1, Error::TooLong);
}

/// As many bytes of an encoding are shown as fit into a line.
#[test]
#[should_panic(expected = r#"x" is rejected, and begins the encoding"#)]
fn a_short_encoding_is_shown_whole() {
    let harness = strict().rejects([b'x'; 32], 32, Error::TooLong);
    let _ = harness.frame_bytes([b'x'; 33], 33, b"x".to_vec());
}

#[test]
#[should_panic(expected = r#"x" ... is rejected, and begins the encoding"#)]
fn of_a_long_encoding_the_beginning_is_shown() {
    let harness = strict().rejects([b'x'; 33], 33, Error::TooLong);
    let _ = harness.frame_bytes([b'x'; 34], 34, b"x".to_vec());
}

#[test]
fn equal_messages_may_be_given_twice() {
    let harness = strict()
        .messages(["a", "a"])
        .rejects(b"\x05", 1, Error::TooLong);
    let harness = harness.rejects(b"\x05??", 1, Error::TooLong);
    assert_eq!(harness.check(b"\x01a").unwrap().source, Source::Encoder);
}

#[test]
#[should_panic(expected = "a frame is rejected after 0 of 1 bytes")]
fn a_frame_rejected_before_its_first_byte_panics() {
    let _ = strict().rejects(b"\x05", 0, Error::TooLong);
}

#[test]
fn a_stream_that_is_not_made_of_the_messages_is_compared_with_byte_by_byte() {
    let harness = strict().messages(["a"]).truncation_error(Error::Truncated);
    let certificate = harness.check(b"\x02??").unwrap();
    assert_eq!(certificate.source, Source::ByteByByte);
    assert!(!certificate.held.contains(&Property::RoundTrip));
    let certificate = harness.check(b"\x01a").unwrap();
    assert_eq!(certificate.source, Source::Encoder);
    assert!(certificate.held.contains(&Property::RoundTrip));
}

#[test]
#[should_panic(expected = "a limit of 0 bytes that counts the header is less than a header of 1")]
fn a_limit_below_the_header_panics_if_it_counts_the_header() {
    let _ = strict().declare([Deviation::CountsHeader]).size_limit(
        0,
        |size| vec![b'x'; size],
        1,
        Error::TooLong,
    );
}

/// The messages around the limit would not follow the declaration.
#[test]
#[should_panic(expected = "declare")]
fn a_deviation_of_the_limit_declared_after_it_panics() {
    let limited = strict().size_limit(LIMIT, |size| vec![b'x'; size], 1, Error::TooLong);
    let _ = limited.declare([Deviation::CountsHeader]);
}

#[test]
fn other_deviations_may_be_declared_after_the_limit() {
    let limited = strict()
        .declare([Deviation::CountsHeader])
        .size_limit(LIMIT, |size| vec![b'x'; size], 1, Error::TooLong)
        .declare([Deviation::CallerStops]);
    let mut verdicts = Verdicts::default();
    assert!(!verdicts.streams(&limited).is_empty());
}

/// Two bytes between frames belong to no frame, and neither does one of them at the end.
#[test]
fn a_stream_may_end_inside_ignored_bytes() {
    let decode = |(): &mut (), buffer: &mut BytesMut| {
        while buffer.starts_with(b"\r\n") {
            buffer.advance(2);
        }
        match buffer.first() {
            None | Some(b'\r') => Ok(None),
            _ => Policy { ..STRICT }.decode(buffer),
        }
    };
    let decode_eof = move |state: &mut (), buffer: &mut BytesMut| match decode(state, buffer)? {
        None if **buffer == b"\r"[..] => {
            buffer.clear();
            Ok(None)
        }
        None if !buffer.is_empty() => Err(Error::Truncated),
        decoded => Ok(decoded),
    };
    let harness = Harness::decoder(move || DecodeFn::new((), decode, decode_eof))
        .encoder(encode)
        .messages(["ok", ""])
        .ignores(b"\r\n")
        .truncation_error(Error::Truncated);
    let streams = harness.all_streams();
    assert!(streams.contains(&b"\x02ok\r".to_vec()), "{streams:?}");
    for stream in streams {
        harness.check(&stream).unwrap();
    }
}
