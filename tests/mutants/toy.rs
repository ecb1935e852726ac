//! What mutants and right framers are written with: the parts that all of them
//! share. What is wrong with a mutant stands in its own lines.

use bytes::{Buf, BytesMut};
use everysplit::check::{Expected, Outcome};
use everysplit::{Frames, Subject};

/// The most bytes of body in most of the formats.
pub(crate) const LIMIT: usize = 8;

pub(crate) type Frame = Vec<u8>;

/// A frame, or that more bytes must come first.
pub(crate) type Next = Result<Option<Frame>, Error>;

pub(crate) type Answer = Expected<Frame, Error>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    TooLong,
    Malformed,
    Truncated,
    /// No bytes were read this time.
    Blocked,
}

/// A framer in as few lines as can be: what it leaves in the buffer is there at
/// the next call.
pub(crate) trait Toy: Clone + Eq {
    /// Takes the next frame off the front of the buffer.
    fn decode(&mut self, _: &mut BytesMut) -> Next {
        Ok(None)
    }

    /// Takes a chunk: those whose mistake is here have no `decode`.
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        buffer.extend_from_slice(chunk);
        while let Some(frame) = self.decode(buffer)? {
            frames.push(frame);
        }
        Ok(())
    }

    /// Returns whether a frame has begun and is not whole.
    fn inside(&self, buffer: &BytesMut) -> bool {
        !buffer.is_empty()
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        while let Some(frame) = self.decode(buffer)? {
            frames.push(frame);
        }
        if self.inside(buffer) {
            return Err(Error::Truncated);
        }
        Ok(())
    }

    fn buffered_bytes(&self) -> Option<usize> {
        None
    }
}

/// A [`Toy`] and its buffer, as the checks see them.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Run<T> {
    toy: T,
    buffer: BytesMut,
}

impl<T> Run<T> {
    pub(crate) fn new(toy: T) -> Self {
        let buffer = BytesMut::new();
        Self { toy, buffer }
    }
}

impl<T: Toy> Subject for Run<T> {
    type Frame = Frame;
    type Error = Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.toy.feed(&mut self.buffer, chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.toy.finish(&mut self.buffer, frames)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        self.toy.buffered_bytes()
    }
}

/// Takes a header and the body behind it off the buffer, once both are there;
/// returns the body.
pub(crate) fn take(buffer: &mut BytesMut, header: usize, length: usize) -> Option<Frame> {
    let end = header.checked_add(length)?;
    if buffer.len() < end {
        return None;
    }
    buffer.advance(header);
    Some(buffer.split_to(length).to_vec())
}

/// Refuses a length over the limit.
pub(crate) fn limited(length: usize) -> Result<usize, Error> {
    if length > LIMIT {
        return Err(Error::TooLong);
    }
    Ok(length)
}

/// What stands at the beginning of what is left of a whole stream.
pub(crate) enum Front {
    /// A frame of so many bytes on the wire.
    Frame(usize, Frame),
    /// Refused, as decided by so many bytes.
    Refused(usize, Error),
    /// The beginning of a frame.
    Part,
}

/// The answer for a whole stream, which never grows.
pub(crate) fn naive(stream: &[u8], front: impl Fn(&[u8]) -> Front) -> Answer {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        if start == stream.len() {
            break Outcome::Clean;
        }
        match front(&stream[start..]) {
            Front::Frame(len, frame) => {
                start += len;
                frames.push((start, frame));
            }
            Front::Refused(at, error) => {
                let at = start + at;
                break Outcome::Rejected { at, error };
            }
            Front::Part => break Outcome::Truncated(Error::Truncated),
        }
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// A header and the body behind it, if `rest` holds both.
pub(crate) fn front(rest: &[u8], header: usize, length: usize) -> Front {
    match rest.get(header..header + length) {
        Some(body) => Front::Frame(header + length, body.to_vec()),
        None => Front::Part,
    }
}
