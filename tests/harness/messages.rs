//! Streams and answers that are made from an encoder, and what is declared of a
//! framer: told, and held to.
#![allow(clippy::ptr_arg, reason = "a function of the shape that is asked for")]

use bytes::{Buf, BytesMut};
use everysplit::check::{Deviation, Expected, Harness, Messages, Outcome, Property, Violation};
use everysplit::{Buffered, Decode, ErrorsAsFrames, FeedFn};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    TooLong,
    Truncated,
}

const LIMIT: usize = 4;

/// What a framer does with a length of one byte and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Policy {
    limit: usize,
    counts_header: bool,
    empty: bool,
    discards: bool,
    /// The rest of a frame that is too long.
    skip: Option<usize>,
}

const STRICT: Policy = Policy {
    limit: LIMIT,
    counts_header: false,
    empty: true,
    discards: false,
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
        if counted > self.limit || (length == 0 && !self.empty) {
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
            None if !buffer.is_empty() && !self.discards => Err(Error::Truncated),
            decoded => Ok(decoded),
        }
    }
}

fn encode(body: &Vec<u8>) -> Vec<u8> {
    [&[u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

/// What is asked of a framer of which `declared` is declared.
fn check(policy: &Policy, declared: Option<Deviation>) -> Result<(), Violation> {
    let mut messages = Messages::new(encode);
    if let Some(declared) = declared {
        messages = messages.declare(declared);
    }
    let messages = messages
        .messages([b"ok".to_vec()])
        .size_limit(LIMIT, |size| vec![b'x'; size], 1, Error::TooLong)
        .truncation_error(Error::Truncated);
    let harness = messages.harness(|| Buffered::new(policy.clone()));
    for stream in harness.streams() {
        let certificate = harness.prove(stream)?;
        assert_eq!(certificate.declared, Vec::from_iter(declared));
        harness.prove_decoder(stream)?;
        harness.sampled(stream, 0, 20)?;
    }
    Ok(())
}

fn deviating() -> [(Policy, Deviation, Property); 3] {
    [
        (
            Policy {
                discards: true,
                ..STRICT
            },
            Deviation::DiscardsAtEnd,
            Property::Truncation,
        ),
        (
            Policy {
                counts_header: true,
                ..STRICT
            },
            Deviation::CountsHeader,
            Property::Limit,
        ),
        (
            Policy {
                empty: false,
                ..STRICT
            },
            Deviation::NoEmptyFrame,
            Property::Limit,
        ),
    ]
}

#[test]
fn the_strict_one_passes() {
    check(&STRICT, None).unwrap();
}

/// A deviation that is not declared is a violation, one that is declared is
/// none, and one that is declared and not there is one again.
#[test]
fn deviations_are_held_to() {
    for (policy, deviation, property) in deviating() {
        let undeclared = check(&policy, None).unwrap_err();
        assert_eq!(undeclared.property, property, "{undeclared}");
        check(&policy, Some(deviation)).unwrap();
        let absent = check(&STRICT, Some(deviation)).unwrap_err();
        assert_eq!(absent.property, property, "{absent}");
        assert_eq!(absent.declared, [deviation]);
        let told = format!("\n  declared  {deviation}\n");
        assert!(absent.to_string().contains(&told), "{absent}");
    }
}

/// A limit that is one off, either way.
#[test]
fn a_limit_that_is_off_is_found() {
    for limit in [LIMIT - 1, LIMIT + 1] {
        let violation = check(&Policy { limit, ..STRICT }, None).unwrap_err();
        assert_eq!(violation.property, Property::Limit, "{violation}");
    }
}

/// What comes of a framer that goes on behind a frame that is too long, and of
/// one that must not.
#[test]
fn a_framer_that_resynchronises() {
    let messages = || {
        Messages::new(|body: &Result<Vec<u8>, Error>| encode(body.as_ref().unwrap()))
            .messages([Ok(b"ok".to_vec()), Ok(Vec::new())])
            .frame_bytes(encode(&b"toolong".to_vec()), 1, Err(Error::TooLong))
            .truncation_error(Error::Truncated)
            .declare(Deviation::Resynchronises)
    };
    let goes_on = || Policy {
        skip: Some(0),
        discards: true,
        ..STRICT
    };
    let stream = b"\x02ok\x07toolong\x00\x05other";
    let check = |policy: fn() -> Policy| {
        let harness = messages().harness(move || Buffered::new(ErrorsAsFrames(policy())));
        let stream = &stream[..12];
        harness.prove(stream)?;
        harness.prove_decoder(stream)
    };
    let told = check(goes_on).unwrap().to_string();
    assert!(told.ends_with("; declared: resynchronises"), "{told}");

    // One that says the same error over and over.
    let violation = check(|| STRICT).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");

    // A stream that is refused for good is not what was declared.
    let oracle = |_: &[u8]| Expected::<Vec<u8>, Error> {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Rejected {
            at: 1,
            error: Error::TooLong,
        },
    };
    let harness = Harness::new(|| Buffered::new(STRICT), oracle);
    harness.prove(b"\x05").unwrap();
    let declared = harness.declare([Deviation::Resynchronises]);
    assert_eq!(
        declared.prove(b"\x05").unwrap_err().property,
        Property::Poisoned
    );
}

/// An error of the end ends the stream, and any other is a frame.
#[test]
fn an_error_of_the_end_is_none_of_the_frames() {
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

/// A frame that is out before it ends may be the last of a stream.
#[test]
fn a_last_frame_that_is_out_early() {
    let resynchronises = || {
        let goes_on = Policy {
            skip: Some(0),
            ..STRICT
        };
        Buffered::new(ErrorsAsFrames(goes_on))
    };
    let harness = Messages::new(|body: &Result<Vec<u8>, Error>| encode(body.as_ref().unwrap()))
        .messages([Ok(b"ok".to_vec())])
        .frame_bytes(encode(&b"toolong".to_vec()), 1, Err(Error::TooLong))
        .declare(Deviation::Resynchronises)
        .harness(resynchronises);
    harness.prove(b"\x02ok\x07toolong").unwrap();
}

/// An end that drops bytes must be declared, whoever the oracle is.
#[test]
fn an_oracle_is_held_to_what_is_declared() {
    let oracle = |stream: &[u8]| {
        let whole = stream.first() == Some(&0);
        Expected::<Vec<u8>, Error> {
            frames: Vec::from_iter(whole.then(|| (1, Vec::new()))),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        }
    };
    let harness = Harness::new(
        || {
            Buffered::new(Policy {
                discards: true,
                ..STRICT
            })
        },
        oracle,
    );
    harness.prove(b"\0").unwrap();
    let violation = harness.prove(b"\0\x01").unwrap_err();
    assert_eq!(violation.property, Property::Truncation);
    assert!(
        violation.actual.contains("declare `DiscardsAtEnd`"),
        "{violation}"
    );
    let declared = harness.declare([Deviation::DiscardsAtEnd]);
    let certificate = declared.prove(b"\0\x01").unwrap().to_string();
    assert!(
        certificate.ends_with("; declared: discards at the end of the stream"),
        "{certificate}"
    );
}

/// An end that is declared to drop bytes is no error, whoever the oracle is.
#[test]
fn an_oracle_that_takes_a_declared_end_for_an_error_is_found() {
    let oracle = |_: &[u8]| Expected::<Vec<u8>, Error> {
        frames: Vec::new(),
        at_end: Vec::new(),
        outcome: Outcome::Truncated(Error::Truncated),
    };
    let harness = Harness::new(|| Buffered::new(STRICT), oracle);
    harness.prove(b"\x01").unwrap();
    let declared = harness.declare([Deviation::DiscardsAtEnd]);
    let violation = declared.prove(b"\x01").unwrap_err();
    assert_eq!(violation.property, Property::Truncation, "{violation}");
    assert_eq!(*violation.actual, *"the oracle takes the end for an error");
}

#[test]
fn streams_are_made_of_the_messages() {
    let messages = Messages::new(encode)
        .messages([b"a".to_vec(), b"bc".to_vec()])
        .rejects(b"\x05", 1, Error::TooLong);
    assert_eq!(
        messages.streams(),
        [&b""[..], b"\x01a\x02bc", b"\x01a\x05\x01a"]
    );
    let truncated = messages.truncation_error(Error::Truncated).streams();
    assert_eq!(
        truncated[3..],
        [&b"\x01a\x01"[..], b"\x01a\x02", b"\x01a\x02b"]
    );
}

/// Around a limit of 1 or 0 a message is not made twice.
#[test]
fn a_small_limit_has_few_messages() {
    let whole = |most| {
        let messages =
            Messages::new(encode).size_limit(most, |size| vec![b'x'; size], 1, Error::TooLong);
        messages.streams().swap_remove(1)
    };
    assert_eq!(whole(0), b"\x00");
    assert_eq!(whole(1), b"\x00\x01x");
    assert_eq!(whole(2), b"\x00\x01x\x02xx");
}

/// Of a long encoding, the beginning and the last byte.
#[test]
fn a_long_message_is_truncated_where_it_matters() {
    let messages = Messages::new(encode)
        .messages([vec![b'x'; 200]])
        .truncation_error(Error::Truncated);
    let streams = messages.streams();
    let ends = streams[2..].iter().map(|stream| stream.len() - 201);
    let ends: Vec<usize> = ends.collect();
    assert!(ends.into_iter().eq((1..64).chain([200])));
}

/// A full stop is a frame, and so is the first byte of two, unless it is a question
/// mark: that is refused with the second.
type Pairs = FeedFn<(Option<u8>, bool), u8, Error>;

fn pairs() -> Pairs {
    FeedFn::new(
        (None, false),
        |(first, refused), chunk: &[u8], frames| {
            for &byte in chunk {
                *refused |= *first == Some(b'?');
                if *refused {
                    break;
                }
                if first.take().is_none() {
                    frames.extend((byte != b'?').then_some(byte));
                    *first = (byte != b'.').then_some(byte);
                }
            }
            if *refused {
                Err(Error::TooLong)
            } else {
                Ok(())
            }
        },
        |(first, refused), _| match first {
            _ if *refused => Err(Error::TooLong),
            Some(_) => Err(Error::Truncated),
            None => Ok(()),
        },
    )
}

/// A frame that is out early is out where its message is truncated behind that, and a
/// beginning that is not refused yet is one of a frame.
#[test]
fn what_is_out_or_refused_early_is_truncated_too() {
    let messages = Messages::new(|&byte: &u8| vec![byte])
        .frame_bytes(b"ab", 1, b'a')
        .messages([b'.'])
        .rejects(b"?!", 2, Error::TooLong)
        .truncation_error(Error::Truncated);
    let harness = messages.harness(pairs);
    let streams = [&b""[..], b"ab.", b"ab?!ab", b"aba", b"ab?"];
    assert_eq!(harness.streams(), streams);
    for stream in streams {
        harness.prove(stream).unwrap();
    }
}

/// A violation is made small among the streams that can be judged.
#[test]
fn violations_are_made_of_messages_too() {
    /// Loses a frame that comes in two pieces.
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

    let bodies = [&b"one"[..], b"two", b""].map(<[u8]>::to_vec);
    let harness = Messages::new(encode)
        .messages(bodies)
        .harness(|| Buffered::new(Loses));
    let violation = harness.prove(&harness.streams()[1]).unwrap_err();
    assert_eq!(violation.case.stream.len(), 4, "{violation}");
    assert_eq!(violation.case.split.cuts().len(), 1, "{violation}");
}

#[test]
#[should_panic(expected = "a frame is out after 2 of the 1 bytes of its encoding")]
fn an_offset_behind_the_encoding_is_refused() {
    let _ = Messages::<_, _, Error>::new(encode).frame_bytes(b"\0", 2, Vec::new());
}

#[test]
#[should_panic(expected = "a frame is out after 0 of the 0 bytes of its encoding")]
fn an_empty_encoding_is_refused() {
    let _ = Messages::<_, _, Error>::new(|(): &()| Vec::new()).messages([()]);
}

#[test]
#[should_panic(expected = "the oracle can judge the stream")]
fn a_stream_that_cannot_be_judged_is_not_passed_over() {
    let messages = Messages::new(encode)
        .messages([b"a".to_vec()])
        .truncation_error(Error::Truncated);
    let _ = messages.harness(|| Buffered::new(STRICT)).prove(b"\x02??");
}

#[test]
#[should_panic(expected = "is declared behind the limit: declare it first")]
fn a_deviation_of_the_limit_behind_it_is_refused() {
    let limited =
        Messages::new(encode).size_limit(LIMIT, |size| vec![b'x'; size], 1, Error::TooLong);
    let _ = limited.declare(Deviation::CountsHeader);
}
