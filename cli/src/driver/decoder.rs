//! The decoder in a driver, as the library's checks call it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use bytes::{Buf as _, BytesMut};
use everysplit::subject::{Decode, Frames, Subject};

use super::Driver;
use super::handle::Handle;
use super::reply::{DriverReply, Emission};
use crate::text::one_line;

/// Which frames and errors are different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Frames of different text, and errors of different kinds.
    ByText,
    /// Frames of different text in lower case, and no errors: only the driver knows its kinds, and
    /// the expectation is from elsewhere.
    ByFormat,
}

/// An error of the decoder.
#[derive(Clone)]
pub(crate) struct DecoderError {
    pub(crate) kind: String,
    pub(crate) comparison: Comparison,
}

impl PartialEq for DecoderError {
    fn eq(&self, other: &Self) -> bool {
        self.comparison == Comparison::ByFormat || self.kind == other.kind
    }
}

impl Eq for DecoderError {}

impl fmt::Debug for DecoderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.kind))
    }
}

/// What the decoder emits: a frame, or an error after which it goes on.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DriverFrame {
    Frame(String),
    Rejection(DecoderError),
}

impl fmt::Debug for DriverFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(text) => text.fmt(f),
            Self::Rejection(error) => write!(f, "error {error:?}"),
        }
    }
}

/// Joins pieces to frames, and makes errors of kinds.
#[derive(Clone, PartialEq, Eq)]
struct Reader {
    comparison: Comparison,
    /// The pieces of a frame that is not complete.
    unfinished: String,
}

impl Reader {
    /// Reads what a decoder emits. Returns the frame that it completes, if any.
    fn read(&mut self, emission: Emission) -> Option<DriverFrame> {
        Some(match emission {
            Emission::Piece(text) => {
                self.unfinished.push_str(&text);
                return None;
            }
            Emission::Frame(text) => {
                let mut frame = text;
                if !self.unfinished.is_empty() {
                    frame.insert_str(0, &std::mem::take(&mut self.unfinished));
                }
                if self.comparison == Comparison::ByFormat {
                    frame.make_ascii_lowercase();
                }
                DriverFrame::Frame(frame)
            }
            Emission::Rejection(kind) => {
                self.unfinished.clear();
                DriverFrame::Rejection(self.error(kind))
            }
        })
    }

    fn error(&self, kind: String) -> DecoderError {
        DecoderError {
            kind,
            comparison: self.comparison,
        }
    }

    /// Moves the frames of a reply to `frames`, and returns its error.
    fn read_all(
        &mut self,
        reply: DriverReply,
        frames: &mut Frames<DriverFrame>,
    ) -> Result<(), DecoderError> {
        let emitted = reply.emitted.into_iter();
        frames.extend(emitted.filter_map(|emission| self.read(emission)));
        reply.error.map_or(Ok(()), |kind| Err(self.error(kind)))
    }
}

/// A decoder that is fed. Its clones can be compared if the driver saves states.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DriverDecoder {
    handle: Handle,
    reader: Reader,
}

impl DriverDecoder {
    pub(crate) fn new(driver: &Rc<RefCell<Driver>>, comparison: Comparison) -> Self {
        Self {
            handle: Handle::new(driver),
            reader: Reader {
                comparison,
                unfinished: String::new(),
            },
        }
    }
}

impl Subject for DriverDecoder {
    type Frame = DriverFrame;
    type Error = DecoderError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<DriverFrame>) -> Result<(), DecoderError> {
        let (reply, _) = self.handle.call(chunk);
        self.reader.read_all(reply, frames)
    }

    fn finish(&mut self, frames: &mut Frames<DriverFrame>) -> Result<(), DecoderError> {
        let (reply, _) = self.handle.finish(&[]);
        self.reader.read_all(reply, frames)
    }
}

/// A decoder whose caller owns the buffer. Its clones can be compared if the driver saves states.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CallerBufferedDecoder(DriverDecoder);

impl CallerBufferedDecoder {
    pub(crate) fn new(driver: &Rc<RefCell<Driver>>, comparison: Comparison) -> Self {
        Self(DriverDecoder::new(driver, comparison))
    }

    /// Calls the decoder until it completes a frame, or needs more bytes.
    fn call(
        &mut self,
        buffer: &mut BytesMut,
        call: fn(&mut Handle, &[u8]) -> (DriverReply, usize),
    ) -> Result<Option<DriverFrame>, DecoderError> {
        let DriverDecoder { handle, reader } = &mut self.0;
        loop {
            let (reply, consumed) = call(handle, buffer);
            buffer.advance(consumed);
            let goes_on = consumed > 0 && !reply.emitted.is_empty();
            let emitted = reply.emitted.into_iter();
            let frame = emitted.filter_map(|emission| reader.read(emission)).last();
            if let Some(kind) = reply.error {
                return Err(reader.error(kind));
            }
            // After pieces, the frame may be complete.
            if frame.is_some() || !goes_on {
                return Ok(frame);
            }
        }
    }
}

impl Decode for CallerBufferedDecoder {
    type Frame = DriverFrame;
    type Error = DecoderError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<DriverFrame>, DecoderError> {
        self.call(buffer, Handle::call)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<DriverFrame>, DecoderError> {
        self.call(buffer, Handle::finish)
    }
}
