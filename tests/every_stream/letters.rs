//! The letters that are inferred, and what they leave out.

use everysplit::reference::{Config, Frame, Framer};
use everysplit::subject::{FeedFn, Frames, Subject};
use everysplit::{Deviation, Expected, Harness, Outcome, Property};

use crate::{Parsed, parse, parser};

/// Asserts which letters are inferred. They are the smallest bytes of their classes.
#[track_caller]
fn assert_letters(actual: &[Vec<u8>], expected: &[u8]) {
    assert_eq!(actual.concat(), expected);
}

/// The sizes, one that is too large, and one byte that stands for all of a body.
#[test]
fn of_a_length() {
    let every = parser(parse).every_stream(6).unwrap();
    assert_letters(&every.letters, &[0, 1, 2, 3]);
}

#[test]
fn of_the_reference_header() {
    let config = Config {
        max_body_size: 2,
        ..Config::default()
    };
    let every = Harness::framer(move || Framer::new(config))
        .every_stream(15)
        .unwrap();
    assert_letters(&every.letters, &[0, 1, 2, 3]);
    // Of the sizes that are too large there are many: any of the four bytes can be.
    assert!(every.varied > 100, "{every}");
}

/// Lines without their end, a line feed or both.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a parser")]
fn line(bytes: &[u8]) -> Parsed {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    Ok(end.map(|end| {
        let line = &bytes[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (line.to_vec(), end + 1)
    }))
}

/// The line feed, the carriage return before it, and what is no text.
#[test]
fn of_lines() {
    let text = |bytes: &[u8]| match line(bytes)? {
        Some((line, _)) if !line.is_ascii() => Err("no text"),
        line => Ok(line),
    };
    let every = parser(text).every_stream(5).unwrap();
    assert_letters(&every.letters, &[0, b'\n', b'\r', 0x80]);
}

/// That a carriage return is a letter shows only if a line feed follows, which is one itself. In a
/// shorter stream it is none.
#[test]
fn that_show_before_other_letters() {
    let every = parser(line).every_stream(2).unwrap();
    assert_letters(&every.letters, &[0, b'\n', b'\r']);
    // Inside a line, only the line feed still shows.
    assert_eq!(every.streams, 7);
    let every = parser(line).every_stream(1).unwrap();
    assert_letters(&every.letters, &[0, b'\n']);
}

/// One letter shows only before another, which shows only before a third.
#[test]
fn that_show_before_letters_that_do() {
    let chain = |bytes: &[u8]| -> Parsed {
        let end = bytes.iter().position(|&byte| byte == b'a');
        let before = &bytes[..end.unwrap_or(bytes.len())];
        if before.windows(2).any(|pair| pair == b"cb") {
            return Err("cb");
        }
        let body = before.strip_suffix(b"b").unwrap_or(before);
        Ok(end.map(|end| (body.to_vec(), end + 1)))
    };
    let every = parser(chain).every_stream(3).unwrap();
    assert_letters(&every.letters, b"\0abc");
}

/// Digits, a colon, a body of so many bytes, and a comma.
fn netstring(bytes: &[u8]) -> Parsed {
    let Some(colon) = bytes.iter().position(|&byte| byte == b':') else {
        let is_number = bytes.len() < 2 && bytes.iter().all(u8::is_ascii_digit);
        return if is_number {
            Ok(None)
        } else {
            Err("no length")
        };
    };
    let [digit @ b'0'..=b'9'] = bytes[..colon] else {
        return Err("no length");
    };
    let end = colon + 1 + usize::from(digit - b'0');
    match bytes.get(end) {
        None => Ok(None),
        Some(b',') => Ok(Some((bytes[colon + 1..end].to_vec(), end + 1))),
        Some(_) => Err("no comma"),
    }
}

#[test]
fn of_netstrings() {
    let every = parser(netstring).every_stream(6).unwrap();
    let letters = every.letters.concat();
    for letter in [0, b',', b'0', b'1', b'2', b'3', b':'] {
        assert!(letters.contains(&letter), "{letters:x?}");
    }
    // What is longer than the streams is one letter.
    assert!(!letters.contains(&b'8'), "{letters:x?}");
}

/// Bodies of text: a continuation byte alone is an error.
#[test]
fn of_a_varint() {
    fn varint(bytes: &[u8]) -> Parsed {
        match *bytes {
            [length @ 0..0x80, ..] => {
                let body = bytes.get(1..=length.into());
                Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
            }
            [_, 0..0x80, ..] => Err("too long"),
            [_, _, ..] => Err("no varint"),
            _ => Ok(None),
        }
    }
    let every = parser(varint).every_stream(5).unwrap();
    let letters = every.letters.concat();
    for letter in [0, 1, 2, 3, 0x80] {
        assert!(letters.contains(&letter), "{letters:x?}");
    }
}

/// Emits two frames for each byte. The second one shows whether the byte is ASCII.
#[derive(Clone, PartialEq, Eq)]
struct Pairs;

impl Subject for Pairs {
    type Frame = Option<u8>;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Option<u8>>) -> Result<(), ()> {
        for &byte in chunk {
            frames.extend([Some(byte), byte.is_ascii().then_some(byte)]);
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<Option<u8>>) -> Result<(), ()> {
        Ok(())
    }
}

#[test]
fn of_the_second_frame_of_a_byte() {
    let every = Harness::framer(|| Pairs).every_stream(3).unwrap();
    assert_letters(&every.letters, &[0, 0x80]);
}

/// Corrupts a frame with a body of two bytes and a `cmd` that ends in `ff`, if the stream is cut at
/// 5 and at 9.
#[derive(Clone, PartialEq, Eq)]
struct Planted {
    framer: Framer,
    fed: usize,
    /// Whether a chunk was the bytes from 5 to 9, with this `cmd`.
    triggered: bool,
}

impl Planted {
    fn new() -> Self {
        let config = Config {
            max_body_size: 2,
            ..Config::default()
        };
        Self {
            framer: Framer::new(config),
            fed: 0,
            triggered: false,
        }
    }
}

impl Subject for Planted {
    type Frame = Frame;
    type Error = <Framer as Subject>::Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), Self::Error> {
        self.triggered |= self.fed == 5 && chunk.len() == 4 && chunk[2] == 0xff;
        self.fed += chunk.len();
        let mut emitted = Frames::new(100);
        let result = Subject::feed(&mut self.framer, chunk, &mut emitted);
        for mut frame in emitted {
            if self.triggered && frame.body.len() == 2 {
                frame.body.clear();
            }
            frames.push(frame);
        }
        result
    }

    fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), Self::Error> {
        Subject::finish(&mut self.framer, frames)
    }
}

/// No letter is the byte that triggers the bug. A byte that the letter stands for is.
#[test]
fn a_bug_that_needs_another_byte_is_found() {
    let violation = Harness::framer(Planted::new).every_stream(16).unwrap_err();
    assert_eq!(violation.property, Property::EverySplit);
    assert_eq!(violation.case.split.cuts(), [5, 9], "{violation}");
    assert_eq!(violation.case.stream[7], 0xff, "{violation}");
}

/// It takes one byte for another in one place only, which no test byte shows: the body `"2"` is
/// followed by a byte that is left out.
#[test]
fn a_byte_that_differs_on_the_way_becomes_a_letter() {
    fn odd(bytes: &[u8]) -> Parsed {
        match *bytes {
            [1, b'2', _, ..] => Ok(Some((vec![b'2'], 3))),
            [1, b'2'] => Ok(None),
            _ => parse(bytes),
        }
    }
    let every = parser(odd).every_stream(6).unwrap();
    assert!(every.letters.contains(&vec![b'2']), "{every}");
}

/// Each character is one, however it is written in a `Debug` text: quoted, escaped, or as it is.
#[test]
fn of_text() {
    let latin = |bytes: &[u8]| -> Result<Option<(String, usize)>, &'static str> {
        Ok(bytes.first().map(|&byte| (char::from(byte).into(), 1)))
    };
    let every = Harness::parser(latin, "truncated").every_stream(3).unwrap();
    assert_letters(&every.letters, &[0]);
}

#[derive(Clone, Default, PartialEq, Eq)]
struct State {
    len: usize,
    rejected: bool,
}

/// Makes each byte a frame, but rejects it if it is `bad` and not one of the first two.
fn numbers(bad: Option<u8>) -> impl Subject<Frame = u8, Error = u8> + Clone + Eq {
    FeedFn::new(
        State::default(),
        move |state: &mut State, chunk: &[u8], frames: &mut Frames<u8>| {
            for &byte in chunk {
                state.rejected |= state.len == 2 && bad == Some(byte);
                if state.rejected {
                    return Err(1);
                }
                state.len = 2.min(state.len + 1);
                frames.push(byte);
            }
            if state.rejected { Err(1) } else { Ok(()) }
        },
        |state: &mut State, _: &mut Frames<u8>| if state.rejected { Err(1) } else { Ok(()) },
    )
}

/// An error is no frame, also if both are numbers.
#[test]
fn where_a_number_is_an_error() {
    for bad in [1, 0x77] {
        let harness = Harness::framer(move || numbers(Some(bad)));
        let every = harness.every_stream(3).unwrap();
        assert_eq!(every.longest, 3, "{every}");
        assert_letters(&every.letters, &[0, bad]);
        let never_rejects = Harness::framer(|| numbers(None));
        let judged = never_rejects.specification(move || numbers(Some(bad)));
        let violation = judged.every_stream(3).unwrap_err();
        assert_eq!(violation.property, Property::Rejection, "{violation}");
        assert_eq!(violation.case.stream[2], bad, "{violation}");
    }
}

/// The beginning of a long frame, before which there may be keep-alives, which are `keep_alive`.
fn unfinished(
    keep_alive: Option<u8>,
) -> impl Subject<Frame = u8, Error = &'static str> + Clone + Eq {
    FeedFn::new(
        false,
        move |has_begun: &mut bool, chunk: &[u8], _: &mut Frames<u8>| {
            *has_begun |= chunk.iter().any(|&byte| keep_alive != Some(byte));
            Ok(())
        },
        |has_begun: &mut bool, _: &mut Frames<u8>| {
            if *has_begun { Err("truncated") } else { Ok(()) }
        },
    )
}

/// No frame is whole.
#[test]
fn that_show_at_the_end() {
    for longest in [1, 2, 4] {
        let harness = Harness::framer(|| unfinished(Some(5)));
        let declared = harness.declare([Deviation::BytesBetweenFrames]);
        let every = declared.every_stream(longest).unwrap();
        assert_eq!(every.longest, longest, "{every}");
        assert_letters(&every.letters, &[0, 5]);
        let has_none = Harness::framer(|| unfinished(None));
        let judged = has_none.specification(|| unfinished(Some(5)));
        let declared = judged.declare([Deviation::BytesBetweenFrames]);
        let violation = declared.every_stream(longest).unwrap_err();
        assert_eq!(violation.property, Property::Truncation, "{violation}");
        assert_eq!(violation.case.stream[..], [5], "{violation}");
    }
}

/// A framer whose end is wrong after one of the bytes that a letter stands for.
#[test]
fn an_end_after_another_byte_is_found() {
    let only_after = |bad: Option<u8>| {
        move || {
            FeedFn::new(
                0,
                |last: &mut u8, chunk: &[u8], _: &mut Frames<u8>| {
                    *last = chunk.last().copied().unwrap_or(*last);
                    Ok(())
                },
                move |last: &mut u8, _: &mut Frames<u8>| {
                    if Some(*last) == bad {
                        Err("bad")
                    } else {
                        Ok(())
                    }
                },
            )
        }
    };
    // The largest byte of a letter is always tried.
    let harness = Harness::framer(only_after(Some(255))).specification(only_after(None));
    let violation = harness.every_stream(3).unwrap_err();
    assert_eq!(violation.property, Property::Truncation, "{violation}");
    assert_eq!(violation.case.stream[..], [255], "{violation}");
}

/// The number of bytes in a frame of each state.
const LENGTHS: [usize; 5] = [1, 2, 3, 1, 4];

/// Steps through its states with `z`, and jumps to state 3 with 255. Only `a` shows where it is, and
/// the end in state 4.
fn steps(has_bug: bool) -> impl Subject<Frame = Vec<u8>, Error = &'static str> + Clone + Eq {
    FeedFn::new(
        0,
        move |state: &mut usize, chunk: &[u8], frames: &mut Frames<Vec<u8>>| {
            for &byte in chunk {
                match (byte, *state) {
                    (b'a', 4) if has_bug => {}
                    (b'a', _) => frames.push(vec![0; LENGTHS[*state]]),
                    (b'z', _) => *state = 4.min(*state + 1),
                    (255, 0) => *state = 3,
                    _ => {}
                }
            }
            Ok(())
        },
        |state: &mut usize, _: &mut Frames<Vec<u8>>| {
            if *state == 4 { Err("state 4") } else { Ok(()) }
        },
    )
}

/// That 255 is a letter shows only before `z`, which shows only before `a`. Until then, state 3 was
/// reached after three bytes only, and state 4 at the end of the longest streams.
#[test]
fn a_letter_that_is_found_late_may_be_a_shorter_way() {
    let harness = |has_bug| {
        let harness = Harness::framer(move || steps(has_bug)).specification(|| steps(false));
        harness.declare([Deviation::BytesBetweenFrames])
    };
    let every = harness(false).every_stream(4).unwrap();
    assert_letters(&every.letters, b"\0az\xff");
    let violation = harness(true).every_stream(4).unwrap_err();
    assert_eq!(violation.case.stream[..], *b"\xffza", "{violation}");
}

/// Frames of two bytes. After an odd byte but 255, a frame is late by one byte, and the next one is
/// early by one.
fn late_after_odd_bytes() -> impl Subject<Frame = u8, Error = &'static str> + Clone + Eq {
    FeedFn::new(
        0,
        |state: &mut u8, chunk: &[u8], frames: &mut Frames<u8>| {
            for &byte in chunk {
                let is_odd = byte % 2 == 1 && byte != 255;
                *state = match (*state, is_odd) {
                    (0, false) => 1,
                    (0, true) => 2,
                    (2, _) => 3,
                    (3, _) => 4,
                    _ => 0,
                };
                if matches!(state, 0 | 4) {
                    frames.push(0);
                }
            }
            Ok(())
        },
        |state: &mut u8, _: &mut Frames<u8>| match state {
            0 | 4 => Ok(()),
            _ => Err("truncated"),
        },
    )
}

/// Four bytes give the same frames after an odd byte, and one gives none. So only an odd byte that
/// is tried on the way, in place of an even one, shows that it is another letter.
#[test]
fn what_is_late_only_on_the_way_becomes_a_letter() {
    let every = Harness::framer(late_after_odd_bytes)
        .every_stream(4)
        .unwrap();
    assert_eq!(every.longest, 4, "{every}");
    assert_letters(&every.letters, &[0, 1]);
}

/// Wants one byte more, but only that one, after an odd byte that is the first and not 255.
fn wants_another_after_odd_bytes() -> impl Subject<Frame = u8, Error = &'static str> + Clone + Eq {
    FeedFn::new(
        0,
        |state: &mut u8, chunk: &[u8], _: &mut Frames<u8>| {
            for &byte in chunk {
                let is_odd = byte % 2 == 1 && byte != 255;
                *state = match *state {
                    0 if is_odd => 2,
                    2 => 3,
                    _ => 1,
                };
            }
            Ok(())
        },
        |state: &mut u8, _: &mut Frames<u8>| match state {
            3 => Err("truncated"),
            _ => Ok(()),
        },
    )
}

/// Neither one byte nor four show the difference, and no sample of the bytes is odd.
#[test]
fn what_ends_elsewhere_only_on_the_way_becomes_a_letter() {
    let harness = Harness::framer(wants_another_after_odd_bytes);
    let declared = harness.declare([Deviation::BytesBetweenFrames]);
    let every = declared.every_stream(4).unwrap();
    assert_eq!(every.longest, 4, "{every}");
    assert_letters(&every.letters, &[0, 1]);
}

/// A parser may accept an end after bytes that it still needs: here a padding byte, of which there may
/// be one before each frame.
#[test]
fn padding_that_counts_is_remembered() {
    const REJECTED: u8 = 2;
    let feed = |padding: &mut u8, chunk: &[u8], frames: &mut Frames<u8>| {
        for &byte in chunk {
            match byte {
                _ if *padding == REJECTED => {}
                0 => *padding += 1,
                _ => frames.push(core::mem::take(padding)),
            }
        }
        if *padding == REJECTED {
            Err("padding")
        } else {
            Ok(())
        }
    };
    let finish = |padding: &mut u8, _: &mut Frames<u8>| match *padding {
        REJECTED => Err("padding"),
        _ => Ok(()),
    };
    let naive = |stream: &[u8]| {
        let (mut frames, mut padding, mut outcome) = (Vec::new(), 0, Outcome::Clean);
        for (index, &byte) in stream.iter().enumerate() {
            let at = index + 1;
            match (byte, padding) {
                (0, 0) => padding = 1,
                (0, _) => {
                    let error = "padding";
                    outcome = Outcome::Rejected { at, error };
                    break;
                }
                _ => frames.push((at, core::mem::take(&mut padding))),
            }
        }
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    };
    let harness = Harness::framer(move || FeedFn::new(0, feed, finish)).oracle(naive);
    let declared = harness.declare([Deviation::BytesBetweenFrames]);
    let every = declared.every_stream(4).unwrap();
    assert_eq!(every.longest, 4, "{every}");
    assert_letters(&every.letters, &[0, 1]);
    // Were the padding forgotten, the parser would have to be given whole streams.
    assert!(every.any_length.is_some(), "{every}");
}

/// After the end, it accepts what it has rejected.
#[test]
fn an_end_that_forgets_an_error_is_found() {
    let forgets = || {
        FeedFn::new(
            false,
            |rejected: &mut bool, chunk: &[u8], _: &mut Frames<u8>| {
                *rejected |= chunk.contains(&1);
                if *rejected { Err("one") } else { Ok(()) }
            },
            |rejected: &mut bool, _: &mut Frames<u8>| {
                if core::mem::take(rejected) {
                    Err("one")
                } else {
                    Ok(())
                }
            },
        )
    };
    let harness = Harness::framer(forgets).declare([Deviation::BytesBetweenFrames]);
    let violation = harness.every_stream(2).unwrap_err();
    assert_eq!(violation.property, Property::Poisoned, "{violation}");
}

/// No token has two empty chunks in a row.
#[test]
fn what_no_case_shows_has_no_token() {
    let framer = || {
        FeedFn::new(
            false,
            |was_empty: &mut bool, chunk: &[u8], _: &mut Frames<u8>| {
                if core::mem::replace(was_empty, chunk.is_empty()) && chunk.is_empty() {
                    return Err("empty");
                }
                Ok(())
            },
            |_: &mut bool, _: &mut Frames<u8>| Ok(()),
        )
    };
    let harness = Harness::framer(framer).declare([Deviation::BytesBetweenFrames]);
    let violation = harness.every_stream(2).unwrap_err();
    assert!(!violation.replays, "{violation}");
    harness.one_split(&violation.case).unwrap();
}

/// A frame whose `Debug` is a name with a number of two digits.
#[derive(Clone, PartialEq, Eq)]
struct Op(bool);

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0 { "Op11" } else { "Op10" })
    }
}

/// The digits of a name are a part of it, and no number.
#[test]
fn where_a_name_ends_with_another_digit() {
    let framer = || {
        FeedFn::new(
            (),
            |(): &mut (), chunk: &[u8], frames: &mut Frames<Op>| {
                frames.extend(chunk.iter().map(|&byte| Op(byte == 0x77)));
                Ok::<(), ()>(())
            },
            |(), _: &mut Frames<Op>| Ok(()),
        )
    };
    let every = Harness::framer(framer).every_stream(3).unwrap();
    assert_letters(&every.letters, &[0, 0x77]);
}
