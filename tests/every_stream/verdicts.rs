//! What is found, what is claimed, and what is not.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::{Buf, BytesMut};
use everysplit::subject::{Buffered, Decode, DecodeFn, Frames, ParseFn, Subject};
use everysplit::{Deviation, Expected, Harness, MadeOf, NotProved, Outcome, Property, ProvedBy};

use crate::{Parsed, StateFn, decoder, parse, parser};

/// Forgets a length that arrives without its body.
fn forgets(known: &mut bool, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
    if buffer.len() == 1 && buffer[0] > 0 && !*known {
        *known = true;
        buffer.clear();
    }
    let Some((body, len)) = parse(buffer)? else {
        return Ok(None);
    };
    buffer.advance(len);
    Ok(Some(body))
}

#[test]
fn a_bug_is_found_without_a_stream() {
    let harness = Harness::decoder(|| decoder(forgets)).specification(|| {
        let parse: fn(&[u8]) -> Parsed = parse;
        Buffered::new(ParseFn::new(parse, "truncated"))
    });
    let violation = harness.every_stream(8).unwrap_err();
    assert_eq!(harness.one_split(&violation.case), Err(violation.clone()));
    assert!(violation.case.stream.len() <= 2, "{violation}");
    assert_eq!(harness.clone().every_stream(8), Err(violation));
}

/// It is wrong in every split, which a specification shows.
#[test]
fn a_wrong_frame_is_found_by_a_specification_only() {
    let wrong = |bytes: &[u8]| -> Parsed { Ok(parse(bytes)?.map(|(_, len)| (vec![b'?'], len))) };
    let itself = Harness::parser(wrong, "truncated");
    assert!(itself.every_stream(6).is_ok());
    let specified = itself.specification(|| {
        let parse: fn(&[u8]) -> Parsed = parse;
        Buffered::new(ParseFn::new(parse, "truncated"))
    });
    let violation = specified.every_stream(6).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    assert_eq!(violation.case.stream, [0], "{violation}");
}

/// Parses a whole stream.
fn naive(stream: &[u8]) -> Expected<Vec<u8>, &'static str> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        match parse(&stream[start..]) {
            Ok(Some((body, len))) => {
                start += len;
                frames.push((start, body));
            }
            Ok(None) if start == stream.len() => break Outcome::Clean,
            Ok(None) => break Outcome::Truncated("truncated"),
            Err(error) => {
                let at = start + 1;
                break Outcome::Rejected { at, error };
            }
        }
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

#[test]
fn a_parser_of_whole_streams_is_a_specification() {
    let every = parser(parse).oracle(naive).every_stream(9).unwrap();
    assert_eq!((every.longest, every.any_length), (9, Some(7)), "{every}");
    let violation = Harness::decoder(|| decoder(forgets))
        .oracle(naive)
        .every_stream(9);
    assert!(violation.is_err());
}

/// What follows a frame depends on the frame: the parser cannot judge the rest alone.
#[test]
fn an_oracle_may_look_back() {
    let looks_back = |stream: &[u8]| {
        let mut expected = naive(stream);
        for index in 1..expected.frames.len() {
            if expected.frames[index - 1].1.is_empty() {
                expected.frames[index].1 = b"after an empty one".to_vec();
            }
        }
        expected
    };
    let make = || {
        decoder(|was_empty: &mut bool, buffer| {
            let Some((mut body, len)) = parse(buffer)? else {
                return Ok(None);
            };
            buffer.advance(len);
            if *was_empty {
                body = b"after an empty one".to_vec();
            }
            *was_empty = body.is_empty();
            Ok(Some(body))
        })
    };
    let harness = Harness::decoder(make).oracle(looks_back);
    let every = harness.every_stream(6).unwrap();
    assert_eq!((every.longest, every.not_proved), (6, None), "{every}");
}

/// One stream of thousands: five times an empty frame and one of one byte.
const RARE: &[u8] = b"\0\x01a\0\x01a\0\x01a\0\x01a\0\x01a";

/// The framer forgets what was before a frame, and so does the oracle byte by byte.
#[test]
fn an_oracle_that_looks_back_is_believed() {
    /// Changes what is expected of a stream.
    type Change = fn(&mut Expected<Vec<u8>, &'static str>);
    let frame: Change = |expected| expected.frames[9].1 = b"other".to_vec();
    let at_end: Change = |expected| expected.at_end.push(b"other".to_vec());
    let truncated: Change = |expected| expected.outcome = Outcome::Truncated("other");
    let rejected: Change = |expected| {
        expected.outcome = Outcome::Rejected {
            at: 5,
            error: "other",
        };
    };
    let inside = &RARE[..14];
    let too_long = b"\0\x01a\0\x03";
    for (stream, change, property) in [
        (RARE, frame, Property::RoundTrip),
        (RARE, at_end, Property::Truncation),
        (inside, truncated, Property::Truncation),
        (too_long, rejected, Property::Rejection),
    ] {
        let looks_back = move |bytes: &[u8]| {
            let mut expected = naive(bytes);
            if bytes == stream {
                change(&mut expected);
            }
            expected
        };
        let harness = parser(parse).oracle(looks_back);
        let letters = [&b"\0"[..], b"\x01a", b"\x03"];
        let letters = &letters[..if stream == too_long { 3 } else { 2 }];
        let violation = harness.every_stream_of(letters, stream.len()).unwrap_err();
        assert_eq!(violation.property, property, "{violation}");
        assert_eq!(violation.case.stream, stream, "{violation}");
    }
}

#[test]
fn an_oracle_that_looks_back_may_not_judge() {
    let judges = |stream: &[u8]| (stream != RARE).then(|| naive(stream));
    let harness = parser(parse).oracle(judges);
    let every = harness
        .every_stream_of(["\0", "\x01a"], RARE.len())
        .unwrap();
    assert!(every.unjudged, "{every}");
    assert_eq!(every.any_length, None, "{every}");
}

#[test]
fn messages_follow_one_another_in_any_order() {
    let encode = |body: &Vec<u8>| [&[u8::try_from(body.len()).unwrap()], &body[..]].concat();
    let harness = parser(parse)
        .encoder(encode)
        .messages(["", "a", "bc"])
        .rejects([3], 1, "too long")
        .truncation_error("truncated");
    let every = harness.every_stream(9).unwrap();
    assert_eq!(every.letters.concat(), b"\0\x01\x02\x03abc");
    assert_eq!(
        (every.made_of, every.varied),
        (MadeOf::Messages, 0),
        "{every}"
    );
    assert_eq!(every.any_length, Some(7), "{every}");
    let text = every.to_string();
    assert!(text.contains(", made of messages, "), "{text}");
    // Each stream of that length is a row of messages and the beginning of one.
    let empty = parser(parse).encoder(encode).messages([""]);
    let every = empty.every_stream(4).unwrap();
    assert_eq!(every.streams, 1);
    let text = every.to_string();
    assert!(text.contains(", 1 stream of that length, "), "{text}");

    let forgets = Harness::decoder(|| decoder(forgets))
        .encoder(encode)
        .messages(["", "a"])
        .truncation_error("truncated");
    assert!(forgets.every_stream(4).is_err());
}

#[test]
fn a_proof_says_how_far_it_came() {
    let every = parser(parse).max_work(1 << 16).every_stream(30).unwrap();
    assert!(
        matches!(every.not_proved, Some(NotProved::TooMuchWork { .. })),
        "{every}"
    );
    assert!((2..30).contains(&every.longest), "{every}");
    assert!(
        every.to_string().contains("no longer ones: too much work"),
        "{every}"
    );
    let none = parser(parse).every_stream(0).unwrap();
    assert_eq!((none.longest, none.streams, none.not_proved), (0, 1, None));
}

/// Streams that are longer than those that take too much work are not tried.
#[test]
fn a_proof_that_gives_up_does_not_go_on() {
    let calls = |longest| {
        let calls = Rc::new(Cell::new(0));
        let count = Rc::clone(&calls);
        let parse = move |bytes: &[u8]| {
            count.set(count.get() + 1);
            parse(bytes)
        };
        let harness = Harness::parser(parse, "truncated").max_work(1 << 16);
        let every = harness.every_stream(longest).unwrap();
        assert!(every.not_proved.is_some(), "{every}");
        calls.get()
    };
    let [some, many] = [30, 10_000].map(calls);
    assert!(
        many < 2 * some,
        "{some} calls for 30 bytes, {many} for 10 000"
    );
}

/// Clones share what they have read.
#[test]
fn clones_that_share_state_prove_nothing() {
    #[derive(Clone, Default)]
    struct Shares(Rc<RefCell<Vec<u8>>>);

    impl PartialEq for Shares {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }

    impl Eq for Shares {}

    impl Decode for Shares {
        type Frame = Vec<u8>;
        type Error = &'static str;

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
            let mut held = self.0.borrow_mut();
            held.extend_from_slice(&buffer.split());
            let Some((body, len)) = parse(&held)? else {
                return Ok(None);
            };
            held.drain(..len);
            Ok(Some(body))
        }

        fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
            let decoded = self.decode(buffer)?;
            match decoded {
                None if !self.0.borrow().is_empty() => Err("truncated"),
                decoded => Ok(decoded),
            }
        }
    }

    let every = Harness::decoder(Shares::default)
        .oracle(naive)
        .every_stream(6)
        .unwrap();
    assert_eq!(every.not_proved, Some(NotProved::Unconfirmed), "{every}");
    let text = "a fresh framer does not do what the search found";
    assert!(every.to_string().contains(text), "{every}");
}

/// Without `Clone`, and without `Eq`.
#[test]
fn each_way_to_compare_states_proves_all_streams() {
    macro_rules! decodes {
        ($($name:ident $by:ident: $($derived:ident)*;)*) => {
            $({
                #[derive(Default, $($derived),*)]
                struct $name;

                impl Decode for $name {
                    type Frame = Vec<u8>;
                    type Error = &'static str;

                    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
                        let Some((body, len)) = parse(buffer)? else {
                            return Ok(None);
                        };
                        buffer.advance(len);
                        Ok(Some(body))
                    }

                    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
                        match self.decode(buffer)? {
                            None if !buffer.is_empty() => Err("truncated"),
                            decoded => Ok(decoded),
                        }
                    }
                }

                let every = Harness::decoder($name::default).oracle(naive).every_stream(7).unwrap();
                assert_eq!((every.by, every.not_proved), (ProvedBy::$by, None), "{every}");
                assert_eq!((every.longest, every.any_length), (7, Some(5)), "{every}");
            })*
        };
    }
    decodes! {
        Equal CloneEq: Clone PartialEq Eq;
        Text CloneDebug: Clone Debug;
        Again RebuildEq: PartialEq Eq;
        AgainText RebuildDebug: Debug;
    }
}

#[test]
fn a_panic_is_a_violation() {
    let panics = |bytes: &[u8]| -> Parsed {
        assert!(!bytes.starts_with(&[2, 1]), "a body may not begin with 1");
        parse(bytes)
    };
    let violation = Harness::parser(panics, "truncated")
        .every_stream(6)
        .unwrap_err();
    assert_eq!(violation.property, Property::Progress);
    assert_eq!(violation.case.stream, [2, 1], "{violation}");
}

/// It accepts what comes after an error. Its caller does not read on.
#[test]
fn a_caller_that_stops_is_believed() {
    fn goes_on(
        rejected: &mut bool,
        buffer: &mut BytesMut,
    ) -> Result<Option<Vec<u8>>, &'static str> {
        if std::mem::take(rejected) {
            buffer.clear();
        }
        match parse(buffer) {
            Ok(Some((body, len))) => {
                buffer.advance(len);
                Ok(Some(body))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                *rejected = true;
                Err(error)
            }
        }
    }
    let finish = |rejected: &mut bool, buffer: &mut BytesMut| match goes_on(rejected, buffer)? {
        None if !buffer.is_empty() => Err("truncated"),
        decoded => Ok(decoded),
    };
    let make = move || DecodeFn::new(false, goes_on, finish);
    let violation = Harness::decoder(make).every_stream(5).unwrap_err();
    assert_eq!(violation.declare, [Deviation::CallerStops], "{violation}");
    let every = Harness::decoder(make)
        .declare([Deviation::CallerStops])
        .every_stream(5);
    assert_eq!(every.unwrap().longest, 5);
}

#[test]
fn the_line_says_what_was_proved() {
    let pieces = parser(parse)
        .every_stream_of([&b"\x01a"[..], b"\0", b"\x03"], 3)
        .unwrap();
    assert_eq!(
        pieces.to_string(),
        "proved: streams of any length, made of 3 pieces (0161 00 03), up to an error, in all \
         splits into chunks of up to 2 bytes; up to 3 bytes in all splits, with one letter after an \
         error, 9 streams of that length, 34 calls, 5 states; 42 splits replayed"
    );
    let one = parser(parse).every_stream(1).unwrap();
    assert_eq!(
        one.to_string(),
        "proved: all streams of up to 1 byte made of 3 letters (00 01 03), inferred for each place, \
         in all splits, 3 streams of that length, 18 calls, 3 states; 3 chunks with other bytes of the \
         same letters; 26 splits replayed"
    );
}

#[test]
fn the_line_names_the_first_pieces() {
    for (count, names) in [
        (16, "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"),
        (17, "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f ..."),
    ] {
        let pieces = (0..count).map(|byte| [byte]);
        let every = parser(parse).every_stream_of(pieces, 1).unwrap();
        let text = every.to_string();
        assert!(
            text.contains(&format!("made of {count} pieces ({names})")),
            "{text}"
        );
    }
}

/// No two streams lead to the same position. Longer ones have more positions than are kept.
#[test]
fn a_specification_with_too_many_positions_is_not_proved_further() {
    let never_complete = |_: &[u8]| -> Parsed { Ok(None) };
    let every = Harness::parser(never_complete, "truncated")
        .every_stream_of(["a", "b"], 20)
        .unwrap();
    assert_eq!((every.longest, every.streams), (12, 1 << 12), "{every}");
    assert_eq!(every.not_proved, Some(NotProved::TooMuchWork { calls: 0 }));
}

/// Messages of two bytes. After a high byte, the next one must be 0 or 255.
#[derive(Clone)]
struct Pairs {
    /// Whether `==` leaves out whether the byte was high.
    lies: bool,
    /// Whether a message has begun, and with a high byte.
    begun: Option<bool>,
    is_rejected: bool,
}

impl Pairs {
    fn new(lies: bool) -> Self {
        Self {
            lies,
            begun: None,
            is_rejected: false,
        }
    }
}

impl PartialEq for Pairs {
    fn eq(&self, other: &Self) -> bool {
        let begun = if self.lies {
            self.begun.is_some() == other.begun.is_some()
        } else {
            self.begun == other.begun
        };
        begun && self.is_rejected == other.is_rejected
    }
}

impl Eq for Pairs {}

impl Subject for Pairs {
    type Frame = Option<u8>;
    type Error = &'static str;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Option<u8>>) -> Result<(), &'static str> {
        for &byte in chunk {
            self.is_rejected |= self.begun == Some(true) && (1..=254).contains(&byte);
            if self.is_rejected {
                return Err("no pair");
            }
            if self.begun.take().is_some() {
                frames.push(Some(byte));
            } else {
                self.begun = Some(byte >= 128);
                frames.extend((byte >= 128).then_some(None));
            }
        }
        if self.is_rejected {
            Err("no pair")
        } else {
            Ok(())
        }
    }

    fn finish(&mut self, _: &mut Frames<Option<u8>>) -> Result<(), &'static str> {
        match self.begun {
            _ if self.is_rejected => Err("no pair"),
            Some(_) => Err("truncated"),
            None => Ok(()),
        }
    }
}

/// Its equal positions do not expect the same of all bytes. The search ends, and claims nothing.
#[test]
fn a_specification_whose_comparison_is_wrong_proves_nothing() {
    let harness = Harness::framer(|| Pairs::new(false));
    let honest = harness.clone().specification(|| Pairs::new(false));
    let every = honest.every_stream(4).unwrap();
    assert_eq!((every.longest, every.not_proved), (4, None), "{every}");
    let every = harness.specification(|| Pairs::new(true)).every_stream(4);
    let every = every.unwrap();
    assert_eq!(
        (every.longest, every.not_proved),
        (0, Some(NotProved::Unconfirmed)),
        "{every}"
    );
}

#[test]
#[should_panic(expected = "`every_stream_of` needs one piece at least")]
fn there_must_be_pieces() {
    let _ = parser(parse).every_stream_of([[0_u8; 1]; 0], 3);
}

#[test]
#[should_panic(expected = "a piece has one byte at least")]
fn a_piece_must_not_be_empty() {
    let _ = parser(parse).every_stream_of([""], 3);
}

/// The end of the first message is not known, and the violation is in its middle.
#[test]
fn a_violation_where_the_oracle_knows_no_end_is_found() {
    let wrong = |read: &mut bool, buffer: &mut BytesMut| {
        let frame = (!buffer.is_empty() && !*read).then(|| b"?".to_vec());
        if !buffer.is_empty() {
            buffer.advance(1);
            *read = !*read;
        }
        Ok(frame)
    };
    let harness = Harness::decoder(move || decoder::<bool>(wrong))
        .encoder(|_| Vec::new())
        .frame_bytes("a\n", 1, b"!".to_vec());
    let violation = harness.every_stream(6).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
}

/// What the oracle does not judge is not claimed.
#[test]
fn streams_that_are_not_judged_are_not_claimed() {
    let whole = |stream: &[u8]| {
        let expected = naive(stream);
        let cut_off = matches!(expected.outcome, Outcome::Truncated(_));
        (!cut_off).then_some(expected)
    };
    let every = parser(parse).oracle(whole).every_stream(6).unwrap();
    assert!(every.unjudged, "{every}");
    assert_eq!(every.any_length, None, "{every}");
    assert!(
        every
            .to_string()
            .contains("if the oracle judges each beginning"),
        "{every}"
    );
}

/// So are pieces that it does not judge.
#[test]
fn pieces_that_are_not_judged_are_not_claimed() {
    let without_z = |stream: &[u8]| (!stream.contains(&b'z')).then(|| naive(stream));
    let harness = parser(parse).oracle(without_z);
    let pieces = [&[0][..], &[1], b"a", b"z"];
    let judged = harness.every_stream_of(&pieces[..3], 6).unwrap();
    assert!(!judged.unjudged, "{judged}");
    let every = harness.every_stream_of(pieces, 6).unwrap();
    assert!(every.unjudged, "{every}");
    assert_eq!(every.streams, judged.streams);
}

/// No message begins like the frame that is rejected, and its first byte does not decide.
#[test]
fn a_rejected_frame_may_begin_like_no_message() {
    fn rejects_pair(bytes: &[u8]) -> Parsed {
        match bytes {
            [0xff] => Ok(None),
            [0xff, 1, ..] => Err("rejected"),
            _ => parse(bytes),
        }
    }
    let harness = parser(rejects_pair)
        .encoder(|body: &Vec<u8>| [&[u8::try_from(body.len()).unwrap()], &body[..]].concat())
        .messages(["", "a"])
        .rejects([0xff, 1], 2, "rejected")
        .truncation_error("truncated");
    let every = harness.every_stream(6).unwrap();
    assert_eq!(every.letters.concat(), b"\0\x01a\xff", "{every}");
    assert_eq!((every.longest, every.not_proved), (6, None), "{every}");
}

/// A byte that may be followed by one that is not judged is a letter of its own.
#[test]
fn a_byte_before_one_that_is_not_judged_is_a_letter() {
    let judged = |stream: &[u8]| {
        let is_judged = !stream.windows(3).any(|row| row == [2, b'a', 0]);
        is_judged.then(|| naive(stream))
    };
    let every = parser(parse).oracle(judged).every_stream(5).unwrap();
    assert!(every.unjudged, "{every}");
    assert!(every.letters.contains(&vec![b'a']), "{every}");
}

/// Without a truncation error the end inside a message is not judged, and nothing is wrong there.
#[test]
fn a_framer_whose_end_is_not_known_is_proved() {
    let harness = parser(parse)
        .encoder(|body: &Vec<u8>| [&[u8::try_from(body.len()).unwrap()], &body[..]].concat())
        .messages(["", "ab"]);
    let every = harness.every_stream(6).unwrap();
    assert_eq!((every.longest, every.any_length), (6, Some(4)), "{every}");
}

/// A lead byte is followed by another byte of its character, and both are no letters alone.
#[test]
fn a_character_that_is_cut_is_found() {
    fn lines(bytes: &[u8]) -> Parsed {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            return Ok(None);
        };
        match std::str::from_utf8(&bytes[..end]) {
            Ok(line) => Ok(Some((line.into(), end + 1))),
            Err(_) => Err("no text"),
        }
    }
    // It checks what it has of a line, where a character may be cut.
    fn eager(bytes: &[u8]) -> Parsed {
        let beginning = bytes
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        match std::str::from_utf8(beginning) {
            Err(error) if error.error_len().is_none() && beginning.len() > 2 => Err("no text"),
            _ => lines(bytes),
        }
    }
    let parse: fn(&[u8]) -> Parsed = lines;
    let harness = Harness::parser(eager, "truncated")
        .specification(move || Buffered::new(ParseFn::new(parse, "truncated")));
    assert!(harness.every_stream(8).is_err());
}

/// A `clone` that panics, and a `Debug` of a frame that does.
#[test]
fn other_panics_are_contained() {
    #[derive(PartialEq, Eq)]
    struct Clones(u8);

    impl Clone for Clones {
        fn clone(&self) -> Self {
            assert!(self.0 < 2, "it cannot be cloned");
            Self(self.0)
        }
    }

    impl Decode for Clones {
        type Frame = u8;
        type Error = ();

        fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, ()> {
            let frame = (!buffer.is_empty()).then(|| buffer.get_u8());
            self.0 += u8::from(frame.is_some());
            Ok(frame)
        }

        fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<u8>, ()> {
            self.decode(buffer)
        }
    }

    #[derive(Clone, PartialEq, Eq)]
    struct NoText(u8);

    impl std::fmt::Debug for NoText {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("it has no text")
        }
    }

    let violation = Harness::decoder(|| Clones(0)).every_stream(4).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");

    // No split clones the framer. Only the proof does.
    let specified = Harness::decoder(|| Clones(0)).specification(|| {
        let bytes = |bytes: &[u8]| Ok(bytes.first().map(|&byte| (byte, 1)));
        Buffered::new(ParseFn::new(bytes, ()))
    });
    let violation = specified.every_stream(4).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");

    let every = Harness::parser(|bytes| Ok(bytes.first().map(|&byte| (NoText(byte), 1))), ());
    let every = every.every_stream(4).unwrap();
    assert_eq!(every.longest, 4, "{every}");
}

/// The oracle does not clone the framer, so that the search is what finds it.
#[test]
fn a_clone_that_panics_is_a_violation_with_any_oracle() {
    struct Clones(u8);

    impl Clone for Clones {
        fn clone(&self) -> Self {
            assert!(self.0 < 2, "it cannot be cloned");
            Self(self.0)
        }
    }

    impl PartialEq for Clones {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }

    let count = |clones: &mut Clones, buffer: &mut BytesMut| {
        let decoded = parse(buffer)?;
        Ok(decoded.map(|(body, len)| {
            buffer.advance(len);
            clones.0 = (clones.0 + 1).min(2);
            body
        }))
    };
    let harness = Harness::decoder(move || StateFn {
        state: Clones(0),
        decode: count,
    });
    let violation = harness.oracle(naive).every_stream(4).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
    assert!(
        violation.actual.contains("it cannot be cloned"),
        "{violation}"
    );
}

/// What was cloned is dropped at the end of the search only. Nothing is claimed.
#[test]
fn a_drop_that_panics_proves_nothing() {
    #[derive(Default)]
    struct Drops {
        was_cloned: Cell<bool>,
    }

    impl PartialEq for Drops {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }

    impl Clone for Drops {
        fn clone(&self) -> Self {
            self.was_cloned.set(true);
            Self::default()
        }
    }

    impl Drop for Drops {
        fn drop(&mut self) {
            let can_be_dropped = !self.was_cloned.get() || std::thread::panicking();
            assert!(can_be_dropped, "it cannot be dropped");
        }
    }

    let harness = Harness::decoder(|| StateFn {
        state: Drops::default(),
        decode: |_: &mut Drops, buffer: &mut BytesMut| {
            let decoded = parse(buffer)?;
            Ok(decoded.map(|(body, len)| {
                buffer.advance(len);
                body
            }))
        },
    });
    let every = harness.oracle(naive).every_stream(3).unwrap();
    assert_eq!(every.longest, 0, "{every}");
    assert_eq!(every.not_proved, Some(NotProved::UnfaithfulClone));
}
