//! Oracles that read a stream byte by byte: what
//! [`every_stream`](crate::Harness::every_stream) expects.

use alloc::vec::Vec;

use super::{ByteByByte, Messages, Oracle, Parse, Specified};
use crate::door::{Door, FeedDoor};
use crate::expected::{Expected, Outcome};
use crate::subject::{Frames, Subject};

/// An oracle that can read a stream byte by byte, for a harness whose framer went through the door
/// `T`. All oracles can, [`ByteByByte`] if the framer is `Clone + Eq`.
pub trait Specification<T: Door>: Oracle<T> {
    /// What it knows of the bytes so far. Equal positions expect the same of all later bytes.
    #[doc(hidden)]
    type Position: Clone + Eq;

    /// Returns the position at the beginning of a stream. If `remembers`, it must hold all bytes that
    /// the oracle may look back to; otherwise it may forget those of whole frames.
    #[doc(hidden)]
    fn start(&self, door: &T, remembers: bool) -> Self::Position;

    /// Reads a byte. Returns `None` if the oracle does not judge streams with this byte here.
    #[doc(hidden)]
    fn read(&self, position: &Self::Position, byte: u8) -> Option<Reading<T, Self::Position>>;

    /// Reads some bytes at once. Returns `None` if the oracle does not judge streams with these bytes
    /// here.
    #[doc(hidden)]
    fn read_all(
        &self,
        position: &Self::Position,
        bytes: &[u8],
    ) -> Option<Reading<T, Self::Position>> {
        let mut all = Reading {
            frames: Vec::new(),
            then: Ok(position.clone()),
        };
        for &byte in bytes {
            let Ok(position) = &all.then else { break };
            let reading = self.read(position, byte)?;
            all.frames.extend(reading.frames);
            all.then = reading.then;
        }
        Some(all)
    }

    /// Returns what the end of the stream gives, `None` if the oracle does not know.
    #[doc(hidden)]
    fn end(&self, position: &Self::Position) -> Option<End<T>>;

    /// Returns the bytes that may come next, if the oracle judges few streams.
    #[doc(hidden)]
    fn letters(&self, _: &Self::Position) -> Option<Vec<u8>> {
        None
    }
}

/// What bytes give: the frames that they complete, and the next position or the error.
#[doc(hidden)]
pub struct Reading<T: Door, P> {
    pub(crate) frames: Vec<T::Frame>,
    pub(crate) then: Result<P, T::Error>,
}

/// What the end of a stream gives.
#[doc(hidden)]
pub struct End<T: Door> {
    pub(crate) frames: Vec<T::Frame>,
    pub(crate) result: Result<(), T::Error>,
}

/// Feeds some bytes to a subject.
fn feed<T, S>(subject: &S, bytes: &[u8]) -> Reading<T, S>
where
    T: Door,
    S: Subject<Frame = T::Frame, Error = T::Error> + Clone,
{
    let mut subject = subject.clone();
    let mut frames = Frames::for_stream(bytes.len());
    let result = subject.feed(bytes, &mut frames);
    Reading {
        frames: frames.into_iter().collect(),
        then: result.map(|()| subject),
    }
}

/// Ends the stream of a subject.
fn finish<T, S>(subject: &S) -> End<T>
where
    T: Door,
    S: Subject<Frame = T::Frame, Error = T::Error> + Clone,
{
    let mut frames = Frames::for_stream(1);
    let result = subject.clone().finish(&mut frames);
    End {
        frames: frames.into_iter().collect(),
        result,
    }
}

impl<T: FeedDoor<Subject: Clone + Eq>> Specification<T> for ByteByByte {
    type Position = T::Subject;

    fn start(&self, door: &T, _: bool) -> T::Subject {
        door.subject()
    }

    fn read(&self, position: &T::Subject, byte: u8) -> Option<Reading<T, T::Subject>> {
        Some(feed(position, &[byte]))
    }

    fn read_all(&self, position: &T::Subject, bytes: &[u8]) -> Option<Reading<T, T::Subject>> {
        Some(feed(position, bytes))
    }

    fn end(&self, position: &T::Subject) -> Option<End<T>> {
        Some(finish(position))
    }
}

impl<T, S> Specification<T> for Specified<S>
where
    T: Door,
    S: Subject<Frame = T::Frame, Error = T::Error> + Clone + Eq,
{
    type Position = S;

    fn start(&self, _: &T, _: bool) -> S {
        self.make()
    }

    fn read(&self, position: &S, byte: u8) -> Option<Reading<T, S>> {
        Some(feed(position, &[byte]))
    }

    fn read_all(&self, position: &S, bytes: &[u8]) -> Option<Reading<T, S>> {
        Some(feed(position, bytes))
    }

    fn end(&self, position: &S) -> Option<End<T>> {
        Some(finish(position))
    }
}

/// The position of a parser: the bytes that it has not turned into whole frames, or all.
#[doc(hidden)]
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Unparsed {
    bytes: Vec<u8>,
    /// How many frames of these bytes have been emitted.
    emitted: usize,
    remembers: bool,
}

/// After a frame the parser is called with the bytes after it only, unless it remembers all.
impl<T, P, A> Specification<T> for Parse<P, T::Frame, T::Error>
where
    T: Door,
    P: Fn(&[u8]) -> A,
    A: Into<Option<Expected<T::Frame, T::Error>>>,
{
    type Position = Unparsed;

    fn start(&self, _: &T, remembers: bool) -> Unparsed {
        Unparsed {
            remembers,
            ..Unparsed::default()
        }
    }

    fn read(&self, position: &Unparsed, byte: u8) -> Option<Reading<T, Unparsed>> {
        Specification::<T>::read_all(self, position, &[byte])
    }

    fn read_all(&self, position: &Unparsed, bytes: &[u8]) -> Option<Reading<T, Unparsed>> {
        let bytes = [&position.bytes, bytes].concat();
        let parsed = (self.naive)(&bytes).into()?;
        let remembers = position.remembers;
        let whole = parsed.last_end() == bytes.len() && parsed.at_end.is_empty();
        let emitted = parsed.frames.len();
        let frames = parsed.frames.into_iter().skip(position.emitted);
        let then = match parsed.outcome {
            Outcome::Rejected { error, .. } => Err(error),
            Outcome::Clean if whole && !remembers => Ok(Unparsed::default()),
            Outcome::Clean | Outcome::Truncated(_) => Ok(Unparsed {
                bytes,
                emitted,
                remembers,
            }),
        };
        Some(Reading {
            frames: frames.map(|(_, frame)| frame).collect(),
            then,
        })
    }

    fn end(&self, position: &Unparsed) -> Option<End<T>> {
        let parsed = (self.naive)(&position.bytes).into()?;
        Some(End {
            frames: parsed.at_end,
            result: match parsed.outcome {
                Outcome::Clean => Ok(()),
                Outcome::Truncated(error) | Outcome::Rejected { error, .. } => Err(error),
            },
        })
    }
}

/// The position is the bytes of the message that has begun.
impl<T: Door> Specification<T> for Messages<T::Frame, T::Error> {
    type Position = Vec<u8>;

    fn start(&self, _: &T, _: bool) -> Vec<u8> {
        Vec::new()
    }

    fn read(&self, begun: &Vec<u8>, byte: u8) -> Option<Reading<T, Vec<u8>>> {
        let bytes = [begun, &[byte][..]].concat();
        let (frame, then) = self.read_on(&bytes)?;
        Some(Reading {
            frames: frame.into_iter().collect(),
            then: then.map(|is_whole| if is_whole { Vec::new() } else { bytes }),
        })
    }

    fn end(&self, begun: &Vec<u8>) -> Option<End<T>> {
        Some(End {
            frames: Vec::new(),
            result: match self.expect(begun)?.expected.outcome {
                Outcome::Clean => Ok(()),
                Outcome::Truncated(error) | Outcome::Rejected { error, .. } => Err(error),
            },
        })
    }

    fn letters(&self, begun: &Vec<u8>) -> Option<Vec<u8>> {
        Some(self.next_bytes(begun))
    }
}
