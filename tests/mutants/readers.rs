//! Readers: framers that read from a reader, and are wrong without any interruption.

use std::io::Read;

use bytes::BytesMut;
use everysplit::subject::ChunkReader;
use everysplit::{Case, Harness, Interruption, Property, Split, Violation};

use crate::Mutant;
use crate::formats::{Format, Pair, Short};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    let mutant = |name, source, property, buggy, correct, streams| {
        let violated = (Interruption::None, property);
        Mutant::reader(name, source, violated, buggy, correct, streams)
    };
    vec![
        mutant(
            "an empty body is taken for the end",
            "diem PR5655, requests-mock PR149",
            Property::RoundTrip,
            check::<Short, EmptyIsEnd>,
            check::<Short, Correct<Short>>,
            &[b"\x02ab\0"],
        ),
        mutant(
            "an end inside a header is clean",
            "rust-snappy#42, curvine PR1605",
            Property::Truncation,
            check::<Pair, CleanHeader>,
            check::<Pair, Correct<Pair>>,
            &[b"\0\x02ab\0"],
        ),
        mutant(
            "a reader goes on after an error",
            "qdf PR64, tokio#3976",
            Property::Poisoned,
            check::<Short, GoesOn>,
            check::<Short, Correct<Short>>,
            &[b"\x01a\x09\x01b"],
        ),
        mutant(
            "frames before an error are lost",
            "PyAV PR2303",
            Property::RoundTrip,
            check::<Short, LosesBeforeError>,
            check::<Short, Correct<Short>>,
            &[b"\x01a\x09too long!\x01b"],
        ),
        mutant(
            "a short read is taken for the end",
            "avio#1836",
            Property::RoundTrip,
            check::<Short, ShortReadIsEnd>,
            check::<Short, Correct<Short>>,
            &[b"\x01a\x02bc"],
        ),
        mutant(
            "a second read at the end returns the last frame",
            "flac#22",
            Property::Truncation,
            check::<Short, RepeatsLast>,
            check::<Short, Correct<Short>>,
            &[b"\x01a\x02bc"],
        ),
    ]
}

/// A framer that reads.
trait Reads: Default + 'static {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next;
}

/// Checks one split of a stream of the format `F`.
fn check<F: Format, R: Reads>(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<(), Violation> {
    let harness = Harness::reader(|| {
        let mut framer = R::default();
        move |reader: &mut ChunkReader<'_>| framer.next(reader)
    });
    let case = Case::new(stream, split.clone()).with(interruption);
    harness
        .oracle(F::parse)
        .limit_errors(|error| *error == Error::TooLong)
        .one_split(&case)
}

/// Appends the next chunk to the buffer, and returns how many bytes it has.
fn fill(reader: &mut ChunkReader<'_>, buffer: &mut BytesMut) -> usize {
    let mut bytes = [0; 16];
    let read = reader.read(&mut bytes).unwrap();
    buffer.extend_from_slice(&bytes[..read]);
    read
}

/// Correct: reads until there is a frame, an error or the end.
#[derive(Default)]
struct Correct<F> {
    format: F,
    buffer: BytesMut,
}

impl<F: Format> Reads for Correct<F> {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next {
        loop {
            if let Some(frame) = self.format.decode(&mut self.buffer)? {
                return Ok(Some(frame));
            }
            if fill(reader, &mut self.buffer) == 0 {
                return match self.buffer[..] {
                    [] => Ok(None),
                    _ => Err(Error::Truncated),
                };
            }
        }
    }
}

/// An empty body looks like what a reader returns at the end.
#[derive(Default)]
struct EmptyIsEnd(Correct<Short>);

impl Reads for EmptyIsEnd {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next {
        Ok(self.0.next(reader)?.filter(|body| !body.is_empty()))
    }
}

/// A stream may end before a header is complete.
#[derive(Default)]
struct CleanHeader(Correct<Pair>);

impl Reads for CleanHeader {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next {
        match self.0.next(reader) {
            Err(Error::Truncated) if self.0.buffer.len() < 2 => Ok(None),
            next => next,
        }
    }
}

/// After an error it skips one byte, and reads on.
#[derive(Default)]
struct GoesOn(Correct<Short>);

impl Reads for GoesOn {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next {
        let next = self.0.next(reader);
        if next == Err(Error::TooLong) {
            let _ = self.0.buffer.split_to(1);
        }
        next
    }
}

/// Decodes all frames of a chunk before it returns the first one, and an error at once.
#[derive(Default)]
struct LosesBeforeError {
    correct: Correct<Short>,
    frames: Vec<Frame>,
}

impl Reads for LosesBeforeError {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next {
        loop {
            while let Some(frame) = Short.decode(&mut self.correct.buffer)? {
                self.frames.push(frame);
            }
            if !self.frames.is_empty() {
                return Ok(Some(self.frames.remove(0)));
            }
            if fill(reader, &mut self.correct.buffer) == 0 {
                return self.correct.next(reader);
            }
        }
    }
}

/// A read that returns fewer bytes than it could is taken for the last one.
#[derive(Default)]
struct ShortReadIsEnd {
    buffer: BytesMut,
    ended: bool,
}

impl Reads for ShortReadIsEnd {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next {
        if self.ended {
            return Ok(None);
        }
        self.ended = fill(reader, &mut self.buffer) < 16;
        Short.decode(&mut self.buffer)
    }
}

/// After the end it returns its last frame once more.
#[derive(Default)]
struct RepeatsLast {
    correct: Correct<Short>,
    last: Option<Frame>,
    ended: bool,
}

impl Reads for RepeatsLast {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Next {
        if self.ended {
            return Ok(self.last.take());
        }
        let next = self.correct.next(reader)?;
        self.ended = next.is_none();
        if next.is_some() {
            self.last.clone_from(&next);
        }
        Ok(next)
    }
}
