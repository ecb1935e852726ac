//! One byte at a time costs in proportion to the bytes, whatever is in them: of
//! the reference framer, and not of those that do all over again what they did.

use std::cell::Cell;
use std::hint::black_box;
use std::panic;

use everysplit::check::{self, Property};
use everysplit::reference::{Config, Frame, Framer, Header, Walk};
use everysplit::{Frames, Subject};

/// What is dribbled, for a length.
type Stream = fn(usize) -> Vec<u8>;

fn one_body(len: usize) -> Vec<u8> {
    let header = Config::default().encode_header(1, 0, len - Header::LEN);
    let mut stream = header.unwrap().to_vec();
    stream.resize(len, b'x');
    stream
}

fn empty_bodies(len: usize) -> Vec<u8> {
    let header = Config::default().encode_header(1, 0, 0).unwrap();
    header.into_iter().cycle().take(len).collect()
}

fn never_whole(len: usize) -> Vec<u8> {
    let mut stream = one_body(len + 1);
    stream.truncate(len);
    stream
}

fn refused(len: usize) -> Vec<u8> {
    vec![0xff; len]
}

#[test]
fn the_framer_is_linear() {
    for stream in [one_body, empty_bodies, never_whole, refused] {
        check::linear(|| Framer::new(Config::default()), stream).unwrap();
    }
}

/// Gives nothing: what it does with its buffer and a chunk is all there is to it.
struct Toy {
    buffer: Vec<u8>,
    take: fn(&mut Vec<u8>, &[u8]),
}

impl Subject for Toy {
    type Frame = Frame;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], _: &mut Frames<Frame>) -> Result<(), ()> {
        (self.take)(&mut self.buffer, chunk);
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<Frame>) -> Result<(), ()> {
        Ok(())
    }
}

/// Looks for the end of a header from its beginning each time.
fn reads_header_again(buffer: &mut Vec<u8>, chunk: &[u8]) {
    buffer.extend(chunk);
    black_box(buffer.windows(4).any(|end| end == b"\r\n\r\n"));
}

/// Copies all that is there of a body each time.
fn copies_body_again(buffer: &mut Vec<u8>, chunk: &[u8]) {
    *buffer = [buffer, chunk].concat();
}

/// Parses an array from its first entry each time.
fn parses_array_again(buffer: &mut Vec<u8>, chunk: &[u8]) {
    buffer.extend(chunk);
    let mut walk = Walk::new(Config::default(), buffer);
    while let Ok(Some(entry)) = walk.next_frame() {
        black_box(entry);
    }
}

fn toy(take: fn(&mut Vec<u8>, &[u8])) -> Toy {
    let buffer = Vec::new();
    Toy { buffer, take }
}

#[track_caller]
fn finds(take: fn(&mut Vec<u8>, &[u8]), stream: Stream) {
    let violation = check::linear(|| toy(take), stream).unwrap_err();
    assert_eq!(violation.property, Property::Linear, "{violation}");
    let short = violation.offset;
    let expected = format!("{} bytes take about 4 times as long as {short}", 4 * short);
    assert_eq!(*violation.expected, *expected);
    // Nobody reads a cut between every two bytes.
    assert!(violation.to_string().lines().count() < 16, "{violation}");
    assert_eq!(violation.case.split.cuts().len(), short - 1);
}

#[test]
fn those_that_are_not_are_found() {
    finds(reads_header_again, refused);
    finds(copies_body_again, one_body);
    finds(parses_array_again, empty_bodies);
}

/// A format's limit, say, allows no longer one.
#[test]
fn streams_that_do_not_grow_for_long_are_enough() {
    let stream = |len: usize| refused(len.min(2048));
    check::linear(|| Framer::new(Config::default()), stream).unwrap();
    check::linear(|| toy(reads_header_again), stream).unwrap_err();
}

/// Three to five times as long is about four times.
#[test]
fn streams_of_about_the_lengths_are_compared() {
    let compared = |longer: usize| {
        let stream = |len| refused(if len == 256 { len } else { longer });
        panic::catch_unwind(|| check::linear(|| toy(|_, _| {}), stream).unwrap()).is_ok()
    };
    assert!(!compared(3 * 256 - 1));
    assert!(compared(3 * 256));
    assert!(compared(5 * 256));
    assert!(!compared(5 * 256 + 1));
}

/// What is in proportion at once is not tried on and on.
#[test]
fn tries_end_when_they_say_enough() {
    let made = Cell::new(0);
    let make = || {
        made.set(made.get() + 1);
        toy(|_, _| {})
    };
    check::linear(make, |len| refused(len.min(1024))).unwrap();
    // Of both streams five are enough; five times as many are the most.
    assert!((10..50).contains(&made.get()), "{}", made.get());
}

#[test]
#[should_panic(expected = "make them of about the lengths asked for")]
fn streams_that_do_not_grow_say_nothing() {
    let _ = check::linear(|| toy(reads_header_again), |_| refused(4096));
}
