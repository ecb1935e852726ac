//! Feeding takes time in proportion to the number of bytes, one byte at a time and many frames at
//! once. Checked for the reference framer on several streams, and for framers that repeat work,
//! which the check must find.

use std::cell::Cell;
use std::hint::black_box;
use std::panic;
use std::rc::Rc;
use std::time::Instant;

use everysplit::reference::{Config, Decoder, Frame, Framer, Header, Walk};
use everysplit::subject::{FeedFn, Frames, Subject};
use everysplit::{Fed, Harness, Property, Split};

/// Returns a stream of the given length.
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

fn incomplete_body(len: usize) -> Vec<u8> {
    let mut stream = one_body(len + 1);
    stream.truncate(len);
    stream
}

fn oversized_header(len: usize) -> Vec<u8> {
    vec![0xff; len]
}

fn framer() -> Harness<Fed<Framer>> {
    Harness::framer(|| Framer::new(Config::default()))
}

#[test]
fn the_framer_is_linear() {
    for stream in [one_body, empty_bodies, incomplete_body, oversized_header] {
        framer().linear(stream).unwrap();
        Harness::decoder(|| Decoder::new(Config::default()))
            .linear(stream)
            .unwrap();
    }
}

/// A framer that emits nothing, and only spends time on its buffer and each chunk.
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

/// Reads the whole buffer to find the end of a header.
fn reads_header_again(buffer: &mut Vec<u8>, chunk: &[u8]) {
    buffer.extend(chunk);
    black_box(buffer.windows(4).any(|end| end == b"\r\n\r\n"));
}

/// Copies the whole buffer.
fn copies_body_again(buffer: &mut Vec<u8>, chunk: &[u8]) {
    *buffer = [buffer, chunk].concat();
}

/// Parses an array from its first entry.
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
fn assert_found(take: fn(&mut Vec<u8>, &[u8]), stream: Stream) {
    let violation = Harness::framer(move || toy(take))
        .linear(stream)
        .unwrap_err();
    assert_eq!(violation.property, Property::Linear, "{violation}");
    let short = violation.offset;
    let expected = format!(
        "one byte at a time, {} bytes take about 4 times as long as {short}",
        4 * short
    );
    assert_eq!(*violation.expected, *expected);
    // The report does not list the cut after every byte.
    assert!(violation.to_string().lines().count() < 16, "{violation}");
    assert_eq!(violation.case.split.cuts().len(), short - 1);
}

#[test]
fn quadratic_framers_are_found() {
    assert_found(reads_header_again, oversized_header);
    assert_found(copies_body_again, one_body);
    assert_found(parses_array_again, empty_bodies);
}

/// Removes the frames of a chunk, which are lines, one by one. Byte by byte the buffer never holds
/// more than one.
fn drains_for_each_frame(buffer: &mut Vec<u8>, chunk: &[u8]) {
    buffer.extend(chunk);
    while let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
        black_box(buffer.drain(..=end));
    }
}

/// Correct: removes the frames of a chunk at once.
fn drains_once(buffer: &mut Vec<u8>, chunk: &[u8]) {
    buffer.extend(chunk);
    let mut start = 0;
    while let Some(end) = buffer[start..].iter().position(|&byte| byte == b'\n') {
        start += end + 1;
    }
    buffer.drain(..start);
}

fn lines(len: usize) -> Vec<u8> {
    b"a line\n".iter().cycle().take(len).copied().collect()
}

#[test]
fn quadratic_cost_inside_a_chunk_is_found() {
    Harness::framer(|| toy(drains_once)).linear(lines).unwrap();
    let violation = Harness::framer(|| toy(drains_for_each_frame))
        .linear(lines)
        .unwrap_err();
    assert_eq!(violation.property, Property::Linear, "{violation}");
    let short = violation.offset;
    let expected = format!(
        "in one chunk, {} bytes take about 4 times as long as {short}",
        4 * short
    );
    assert_eq!(*violation.expected, *expected);
    assert_eq!(violation.case.split, Split::whole());
    assert_eq!(violation.case.stream, lines(short));
}

/// Memory is slower for large chunks than for small ones. That is not the framer's fault.
#[test]
fn a_framer_that_only_copies_is_linear() {
    let take: fn(&mut Vec<u8>, &[u8]) = |buffer, chunk| buffer.extend(chunk);
    Harness::framer(move || toy(take)).linear(one_body).unwrap();
}

/// A machine that becomes four times as slow after its first work is not the framer's fault.
#[test]
fn a_machine_that_becomes_slower_is_no_violation() {
    let fed = Rc::new(Cell::new(0));
    let feed = move |(): &mut (), chunk: &[u8], _: &mut Frames<u8>| {
        if chunk.len() > 1 {
            // The shorter stream is fed first, to four framers.
            let nanos = if fed.get() < 4 * 256 { 50 } else { 200 };
            let start = Instant::now();
            while start.elapsed().as_nanos() < nanos * chunk.len() as u128 {}
            fed.set(fed.get() + chunk.len());
        }
        Ok::<(), ()>(())
    };
    Harness::framer(move || FeedFn::new((), feed.clone(), |(), _| Ok(())))
        .linear(|len| vec![0; len.min(1024)])
        .unwrap();
}

/// A panic in a long chunk is reported with that chunk.
#[test]
fn a_panic_in_one_chunk_is_found() {
    fn panics(buffer: &mut Vec<u8>, chunk: &[u8]) {
        buffer.extend(chunk);
        assert!(chunk.len() < 2, "too much at once");
    }
    let violation = Harness::framer(|| toy(panics)).linear(lines).unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
    assert_eq!(violation.case.split, Split::whole());
}

/// The limit of a format can keep the streams from growing further.
#[test]
fn streams_may_stop_growing_at_some_length() {
    let stream = |len: usize| oversized_header(len.min(2048));
    framer().linear(stream).unwrap();
    Harness::framer(|| toy(reads_header_again))
        .linear(stream)
        .unwrap_err();
}

/// The longer of two streams must be three to five times as long as the shorter.
#[test]
fn streams_of_about_the_requested_lengths_are_compared() {
    let compared = |longer: usize| {
        let stream = |len| oversized_header(if len == 256 { len } else { longer });
        panic::catch_unwind(|| Harness::framer(|| toy(|_, _| {})).linear(stream).unwrap()).is_ok()
    };
    assert!(!compared(3 * 256 - 1));
    assert!(compared(3 * 256));
    assert!(compared(5 * 256));
    assert!(!compared(5 * 256 + 1));
}

/// A framer whose first measurements are in proportion is not measured further.
#[test]
fn measuring_stops_early_for_a_linear_framer() {
    let made = Rc::new(Cell::new(0));
    let count = Rc::clone(&made);
    let harness = Harness::framer(move || {
        count.set(count.get() + 1);
        toy(|_, _| {})
    });
    harness
        .linear(|len| oversized_header(len.min(1024)))
        .unwrap();
    // Five tries are enough: byte by byte of one framer for each of the two streams, and as one
    // chunk of four framers and of one. The maximum is five times as many.
    assert!((10..50).contains(&made.get()), "{}", made.get());
}

#[test]
#[should_panic(expected = "return about as many bytes as requested")]
fn streams_that_do_not_grow_panic() {
    let _ = Harness::framer(|| toy(reads_header_again)).linear(|_| oversized_header(4096));
}
