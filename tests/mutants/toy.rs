//! Shared by the mutants and the correct framers: a trait for a framer in a few lines, and a naive
//! parser. The bug of each mutant is in the mutant's own code.

use std::any::Any;

use bytes::{Buf, BytesMut};
use everysplit::Outcome;
use everysplit::subject::{Frames, Subject};

/// The size limit of a body in most of the formats.
pub(crate) const LIMIT: usize = 8;

pub(crate) type Frame = Vec<u8>;

/// The next frame, or `None` if more bytes are needed.
pub(crate) type Next = Result<Option<Frame>, Error>;

/// The expected result of a stream.
pub(crate) type Expected = everysplit::Expected<Frame, Error>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    TooLong,
    Malformed,
    Truncated,
    /// A read returned an error, such as `WouldBlock`, and no bytes.
    Blocked,
}

/// A framer in a few lines. Its caller owns the buffer: bytes that `decode` leaves there are
/// still in it at the next call.
pub(crate) trait Toy: Clone + Eq {
    /// Removes the next frame from the front of the buffer and returns it.
    fn decode(&mut self, _: &mut BytesMut) -> Next {
        Ok(None)
    }

    /// Takes a chunk. A mutant whose bug is in this method needs no `decode`.
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

    /// Returns whether the stream is inside a frame.
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

/// A [`Toy`] of any type: the checks are compiled once, and not once for each mutant.
trait AnyToy {
    fn clone_boxed(&self) -> Box<dyn AnyToy>;

    fn equals(&self, other: &dyn AnyToy) -> bool;

    fn as_any(&self) -> &dyn Any;

    fn feed_any(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error>;

    fn finish_any(
        &mut self,
        buffer: &mut BytesMut,
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error>;

    fn buffered_bytes_any(&self) -> Option<usize>;
}

impl<T: Toy + 'static> AnyToy for T {
    fn clone_boxed(&self) -> Box<dyn AnyToy> {
        Box::new(self.clone())
    }

    fn equals(&self, other: &dyn AnyToy) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn feed_any(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        self.feed(buffer, chunk, frames)
    }

    fn finish_any(
        &mut self,
        buffer: &mut BytesMut,
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        self.finish(buffer, frames)
    }

    fn buffered_bytes_any(&self) -> Option<usize> {
        self.buffered_bytes()
    }
}

/// A [`Toy`] with its buffer: the subject of the checks.
pub(crate) struct Framed {
    toy: Box<dyn AnyToy>,
    buffer: BytesMut,
}

impl Framed {
    pub(crate) fn new(toy: impl Toy + 'static) -> Self {
        Self {
            toy: Box::new(toy),
            buffer: BytesMut::new(),
        }
    }
}

impl Clone for Framed {
    fn clone(&self) -> Self {
        Self {
            toy: self.toy.clone_boxed(),
            buffer: self.buffer.clone(),
        }
    }
}

impl PartialEq for Framed {
    fn eq(&self, other: &Self) -> bool {
        self.toy.equals(&*other.toy) && self.buffer == other.buffer
    }
}

impl Eq for Framed {}

impl Subject for Framed {
    type Frame = Frame;
    type Error = Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.toy.feed_any(&mut self.buffer, chunk, frames)
    }

    fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.toy.finish_any(&mut self.buffer, frames)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        let buffer = Some(self.buffer.capacity());
        self.toy.buffered_bytes_any().or(buffer)
    }
}

/// Removes a header and the body after it from the buffer and returns the body. Returns `None` if
/// the buffer does not hold both.
pub(crate) fn take(buffer: &mut BytesMut, header: usize, length: usize) -> Option<Frame> {
    let end = header.checked_add(length)?;
    if buffer.len() < end {
        return None;
    }
    buffer.advance(header);
    Some(buffer.split_to(length).to_vec())
}

/// Returns `length`, or an error if it is over the limit.
pub(crate) fn limited(length: usize) -> Result<usize, Error> {
    if length > LIMIT {
        return Err(Error::TooLong);
    }
    Ok(length)
}

/// The parse of the first frame in the rest of a stream.
pub(crate) enum Front {
    /// A frame, and its length on the wire in bytes.
    Frame(usize, Frame),
    /// An error, and how many bytes decide it.
    Rejected(usize, Error),
    /// The rest of the stream ends inside the frame.
    Incomplete,
}

/// Returns the expected result of a whole stream. `front` parses the first frame of its argument,
/// which is never empty.
pub(crate) fn naive(stream: &[u8], front: impl Fn(&[u8]) -> Front) -> Expected {
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
            Front::Rejected(at, error) => {
                let at = start + at;
                break Outcome::Rejected { at, error };
            }
            Front::Incomplete => break Outcome::Truncated(Error::Truncated),
        }
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// Returns the body after a header of `header` bytes, if `rest` holds both.
pub(crate) fn front(rest: &[u8], header: usize, length: usize) -> Front {
    match rest.get(header..header + length) {
        Some(body) => Front::Frame(header + length, body.to_vec()),
        None => Front::Incomplete,
    }
}
