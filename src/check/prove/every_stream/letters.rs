//! The letters that streams are made of: pieces that were given, or bytes that are inferred from a
//! specification.
//!
//! Where letters are inferred, two bytes share a letter if the specification emits frames and errors
//! of the same shape in the same places, also at the end of the stream, whichever of them comes next:
//! followed by each of some test bytes, again and again. The *shape* of a value is its `Debug` text with its numbers and the
//! characters in its strings left out. So the bytes of a body share a letter, and the sizes of a
//! header do not.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Write};
use core::iter;

use crate::case::hash;
use crate::check::isolate::isolate;
use crate::check::prove::{Fault, Work};
use crate::check::team;
use crate::door::Door;
use crate::oracle::{Reading, Specification};

/// What streams are made of.
pub(super) enum Letters {
    /// Bytes that the specification distinguishes, followed by test bytes.
    Inferred,
    Pieces(Pieces),
}

/// Sequences of bytes.
pub(super) struct Pieces(pub(super) Vec<Vec<u8>>);

impl Letters {
    /// Returns the pieces that may have begun at the beginning of a stream.
    pub(super) fn begin(&self) -> Vec<(usize, usize)> {
        match self {
            Self::Inferred => Vec::new(),
            Self::Pieces(pieces) => pieces.begin(),
        }
    }

    /// Returns the pieces that may have begun after one more byte.
    pub(super) fn advance(&self, begun: &[(usize, usize)], byte: u8) -> Vec<(usize, usize)> {
        match self {
            Self::Inferred => Vec::new(),
            Self::Pieces(pieces) => pieces.advance(begun, byte),
        }
    }
}

impl Pieces {
    fn begin(&self) -> Vec<(usize, usize)> {
        (0..self.0.len()).map(|piece| (piece, 0)).collect()
    }

    fn advance(&self, begun: &[(usize, usize)], byte: u8) -> Vec<(usize, usize)> {
        let goes_on = |&&(piece, len): &&(usize, usize)| self.0[piece][len] == byte;
        let mut next = Vec::new();
        for &(piece, len) in begun.iter().filter(goes_on) {
            if len + 1 == self.0[piece].len() {
                next.extend(self.begin());
            } else {
                next.push((piece, len + 1));
            }
        }
        next.sort_unstable();
        next.dedup();
        next
    }

    /// Returns the bytes that may come next.
    pub(super) fn next_bytes(&self, begun: &[(usize, usize)]) -> Vec<u8> {
        let mut bytes: Vec<u8> = begun
            .iter()
            .map(|&(piece, len)| self.0[piece][len])
            .collect();
        bytes.sort_unstable();
        bytes.dedup();
        bytes
    }
}

/// Lets each byte stand for itself.
pub(super) fn singles(bytes: impl IntoIterator<Item = u8>) -> Vec<Vec<u8>> {
    bytes.into_iter().map(|byte| vec![byte]).collect()
}

/// Returns the bytes with which the specification judges streams after a position.
pub(super) fn judged<T: Door, O: Specification<T>>(oracle: &O, at: &O::Position) -> Vec<u8> {
    let is_judged = |byte| {
        let read = isolate(0, || oracle.read(at, byte).is_some());
        read.unwrap_or(true)
    };
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    let are_judged = team::map(bytes.len() as u64, bytes.len(), |index| {
        is_judged(bytes[index])
    });
    let judged = bytes.into_iter().zip(are_judged);
    judged
        .filter_map(|(byte, is_judged)| is_judged.then_some(byte))
        .collect()
}

/// Divides bytes that may follow a position into classes that the specification does not distinguish,
/// if up to `remaining` bytes come.
///
/// All bytes are compared by what they give alone, and at once with as many test bytes after them as
/// remain. Then some bytes of each class are compared one by one, and if these differ, all of them.
pub(super) fn infer<T: Door, O: Specification<T>>(
    oracle: &O,
    at: &O::Position,
    bytes: &[u8],
    tests: &[u8],
    remaining: usize,
    work: &mut Work,
) -> Result<Vec<Vec<u8>>, Fault> {
    // For each byte and each test byte some readings.
    work.add((bytes.len() * tests.len() * (64 + remaining) / 4) as u64)?;
    let key = hash(tests);
    let mut stream = vec![0; remaining];
    let at_once = classes(bytes, key, |byte| {
        let mut shape = Shape::default();
        shape.read_all(oracle, at, &[byte]);
        for &test in tests {
            stream.fill(test);
            stream[0] = byte;
            shape.read_all(oracle, at, &stream);
        }
        shape.hash
    });
    let one_by_one = |byte| {
        let mut shape = Shape::default();
        for &test in tests {
            let rest = iter::repeat_n(test, remaining - 1);
            shape.read(oracle, at, iter::once(byte).chain(rest));
        }
        shape.hash
    };
    let refined = at_once.into_iter().flat_map(|class| {
        let step = class.len().div_ceil(SOME);
        let some = class.iter().step_by(step).chain(class.last()).copied();
        let some: Vec<u8> = some.collect();
        if classes(&some, key, one_by_one).len() == 1 {
            return vec![class];
        }
        classes(&class, key, one_by_one)
    });
    let mut refined: Vec<Vec<u8>> = refined.collect();
    refined.sort_unstable();
    Ok(refined)
}

/// Divides bytes that may follow a position by what they give if `rest` follows them.
pub(super) fn divide<T: Door, O: Specification<T>>(
    oracle: &O,
    at: &O::Position,
    class: &[u8],
    rest: &[u8],
) -> Vec<Vec<u8>> {
    classes(class, hash(rest), |byte| {
        let mut shape = Shape::default();
        shape.read(oracle, at, iter::once(byte).chain(rest.iter().copied()));
        shape.hash
    })
}

/// How many bytes of a class are compared one by one, about.
const SOME: usize = 4;

/// Divides bytes into classes of the same shape. `key` stands for what the shape depends on.
fn classes(bytes: &[u8], key: u64, mut shape_of: impl FnMut(u8) -> u64) -> Vec<Vec<u8>> {
    let key = key ^ hash(bytes);
    let shapes = team::map(key, bytes.len(), |index| shape_of(bytes[index]));
    let mut classes: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (shape, &byte) in shapes.into_iter().zip(bytes) {
        let class = classes.entry(shape).or_default();
        if !class.contains(&byte) {
            class.push(byte);
        }
    }
    classes.into_values().collect()
}

/// Returns whether frames have the same shapes, and both or neither of the results is an error. Equal
/// errors may have different texts.
pub(super) fn alike<F, A, B, E>(
    (frames, result): (&[F], &Result<A, E>),
    (other_frames, other_result): (&[F], &Result<B, E>),
) -> bool
where
    F: Debug + PartialEq,
{
    let shape = |frames| {
        let mut shape = Shape::default();
        shape.values::<_, ()>(frames, None);
        shape.hash
    };
    result.is_err() == other_result.is_err() && shape(frames) == shape(other_frames)
}

/// Marks of a [`Shape`].
const NOT_JUDGED: u8 = 1;
const READ: u8 = 2;
const STUCK: u8 = 3;
const NUMBER: u8 = 4;
const CHARACTER: u8 = 5;
const ERROR: u8 = 6;
const ENDS: u8 = 7;
const OPEN_END: u8 = 8;

/// A hash of what was emitted and where, of values by their shape.
struct Shape {
    hash: u64,
}

/// A hash of a `Debug` text, in which all numbers are alike, and all characters in quotes.
struct TextShape {
    shape: Shape,
    text: Text,
}

/// Where in a `Debug` text the next character is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Plain,
    Number,
    /// In a name, of which digits are a part.
    Name,
    Quoted,
    /// After a backslash.
    Escaped,
    /// In `\u{` or `\x`, until it ends.
    Code(u8),
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            // FNV-1a.
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Shape {
    fn add(&mut self, value: impl Into<u64>) {
        self.hash = (self.hash ^ value.into()).wrapping_mul(0x0100_0000_01b3);
    }

    /// Adds what bytes give at once after a position.
    fn read_all<T: Door, O: Specification<T>>(
        &mut self,
        oracle: &O,
        at: &O::Position,
        bytes: &[u8],
    ) {
        self.guarded(|shape| match oracle.read_all(at, bytes) {
            Some(all) => shape.reading(oracle, &all),
            None => shape.add(NOT_JUDGED),
        });
    }

    /// Adds what bytes give one by one after a position.
    fn read<T: Door, O: Specification<T>>(
        &mut self,
        oracle: &O,
        at: &O::Position,
        bytes: impl Iterator<Item = u8>,
    ) {
        self.guarded(|shape| {
            let mut position = at.clone();
            for byte in bytes {
                let Some(reading) = oracle.read(&position, byte) else {
                    return shape.add(NOT_JUDGED);
                };
                shape.reading(oracle, &reading);
                match reading.then {
                    Ok(then) => position = then,
                    Err(_) => return,
                }
            }
        });
    }

    /// Calls the user's code. What gets stuck has a shape of its own.
    fn guarded(&mut self, call: impl FnOnce(&mut Self)) {
        let mut shape = Self { hash: self.hash };
        match isolate(0, || call(&mut shape)) {
            Ok(()) => self.hash = shape.hash,
            Err(_) => self.add(STUCK),
        }
    }

    /// Adds what was read, and what an end after it would give.
    fn reading<T, O>(&mut self, oracle: &O, reading: &Reading<T, O::Position>)
    where
        T: Door,
        O: Specification<T>,
    {
        self.values(&reading.frames, reading.then.as_ref().err());
        let Ok(at) = &reading.then else { return };
        match oracle.end(at) {
            Some(end) => {
                self.add(ENDS);
                self.values(&end.frames, end.result.as_ref().err());
            }
            None => self.add(OPEN_END),
        }
    }

    fn values<F: Debug + PartialEq, E: Debug>(&mut self, frames: &[F], error: Option<&E>) {
        self.add(READ);
        let mut before: Option<(&F, u64)> = None;
        for frame in frames {
            // Equal frames have the same text, and are often many.
            let shape = match before {
                Some((equal, shape)) if equal == frame => shape,
                _ => TextShape::of(frame),
            };
            before = Some((frame, shape));
            self.add(shape);
        }
        if let Some(error) = error {
            self.add(ERROR);
            self.add(TextShape::of(error));
        }
    }
}

impl TextShape {
    fn of(value: &dyn Debug) -> u64 {
        let mut text = Self {
            shape: Shape::default(),
            text: Text::Plain,
        };
        // An error of its `Debug` ends the text.
        let _ = write!(text, "{value:?}");
        text.shape.hash
    }

    /// Adds a byte of the text, which is UTF-8.
    fn add(&mut self, byte: u8) {
        self.text = match (self.text, byte) {
            (Text::Plain | Text::Number | Text::Name, b'"') => {
                self.shape.add(b'"');
                Text::Quoted
            }
            (Text::Number, b'0'..=b'9' | b'a'..=b'f' | b'x' | b'_' | b'.') => Text::Number,
            (Text::Plain, b'0'..=b'9') => {
                self.shape.add(NUMBER);
                Text::Number
            }
            (Text::Plain | Text::Number | Text::Name, other) => {
                self.shape.add(other);
                let is_name = other.is_ascii_alphabetic() || other == b'_';
                let goes_on = self.text == Text::Name && other.is_ascii_digit();
                if is_name || goes_on {
                    Text::Name
                } else {
                    Text::Plain
                }
            }
            (Text::Quoted, b'"') => {
                self.shape.add(b'"');
                Text::Plain
            }
            (Text::Quoted, b'\\') => Text::Escaped,
            // Not the first byte of a character.
            (Text::Quoted, 0x80..=0xbf) => Text::Quoted,
            (Text::Escaped, b'x') => Text::Code(2),
            (Text::Escaped, b'u') => Text::Code(u8::MAX),
            (Text::Quoted | Text::Escaped | Text::Code(1), _) | (Text::Code(_), b'}') => {
                self.shape.add(CHARACTER);
                Text::Quoted
            }
            (Text::Code(left), _) => Text::Code(left - 1),
        };
    }
}

impl Write for TextShape {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.add(byte));
        Ok(())
    }
}
