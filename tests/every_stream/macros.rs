//! `framer_tests!` with a proof of every stream.

use bytes::{Buf, BytesMut};
use everysplit::subject::{StopAtError, TokioDecoder};
use everysplit::{Deviation, Harness, Property, Status, Verdicts};
use tokio_util::codec::LinesCodec;

use crate::{Parsed, decoder, parse, parser};

everysplit::framer_tests!(inferred, parser(parse), every_stream(8));

everysplit::framer_tests!(
    of_letters,
    Harness::decoder(|| StopAtError::new(TokioDecoder::new(LinesCodec::new_with_max_length(3))))
        .declare([Deviation::DiscardsAtEnd]),
    every_stream_of(["a", "\r", "\n"], 8),
    [every_split, progress]
);

#[test]
fn the_line_says_which_streams_were_proved() {
    let line = inferred::verdicts().summary().to_string();
    let streams = "streams of any length, made of 4 letters (00 01 02 03), inferred for each place \
                   within 8 bytes, up to an error, in all splits into chunks of up to 6 bytes";
    assert!(line.starts_with("inferred: proved on "), "{line}");
    assert!(line.contains(&format!(" and on {streams} (")), "{line}");
    let details = inferred::verdicts().details().to_string();
    assert!(
        details.contains(&format!(
            "\nproved: {streams}; up to 8 bytes in all splits, "
        )),
        "{details}"
    );
}

/// It is in a new state after each frame.
#[test]
fn the_line_says_how_far_errors_were_followed() {
    let verdicts = Verdicts::collect("framer", |verdicts| {
        let counts = |count: &mut usize, buffer: &mut BytesMut| {
            Ok(parse(buffer)?.map(|(body, len)| {
                *count += 1;
                buffer.advance(len);
                body
            }))
        };
        let harness = Harness::decoder(move || decoder(counts));
        let every_stream = harness.every_stream_of(["\0", "\x03"], 2);
        verdicts.every_stream(&harness, every_stream)?;
        Ok(())
    });
    let line = verdicts.summary().to_string();
    assert!(
        line.contains(
            "on all streams of up to 2 bytes made of 2 pieces (00 03), in all splits, with one letter \
             after an error ("
        ),
        "{line}"
    );
}

/// A proof is of splits. What else holds is known of the examples.
#[test]
fn examples_are_checked_as_other_streams_are() {
    let verdicts = of_letters::verdicts();
    let Status::Held { streams, proved } = verdicts.status(Property::EverySplit) else {
        panic!("{verdicts}");
    };
    assert!(streams > 10 && streams == proved, "{verdicts}");
}

fn verdicts(parse: fn(&[u8]) -> Parsed, longest: usize, max_work: u64) -> Verdicts {
    Verdicts::collect("framer", move |verdicts| {
        let harness = parser(parse).max_work(max_work);
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        let every_stream = harness.every_stream(longest);
        for stream in verdicts.every_stream(&harness, every_stream)? {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    })
}

/// Loses an empty frame that arrives together with the beginning of another.
fn loses_empty_frames(bytes: &[u8]) -> Parsed {
    match bytes {
        [0, rest @ ..] if !rest.is_empty() => Ok(parse(rest)?.map(|(body, len)| (body, len + 1))),
        _ => parse(bytes),
    }
}

#[test]
fn a_violation_of_every_stream_fails_the_test() {
    let verdicts = verdicts(loses_empty_frames, 8, 1 << 20);
    let table = verdicts.to_string();
    assert!(
        table.starts_with("framer: 1 stream, 1 with a violation\n"),
        "{table}"
    );
    let violation = verdicts.smallest(Property::EverySplit).expect(&table);
    assert_eq!(violation.case.stream, [0, 0], "{violation}");
    let panic = std::panic::catch_unwind(|| verdicts.assert_held()).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(
        message.contains("\non 1 stream, the smallest:\n"),
        "{message}"
    );
}

#[test]
fn a_proof_that_stopped_early_says_so() {
    let verdicts = verdicts(parse, 30, 1 << 17);
    let line = verdicts.summary().to_string();
    assert!(line.contains("; no longer streams: "), "{line}");
}

#[test]
fn a_proof_of_nothing_fails_the_test() {
    let verdicts = verdicts(parse, 8, 1);
    let panic = std::panic::catch_unwind(|| verdicts.assert_held()).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.starts_with("not proved: "), "{message}");
}
