//! After an error: the decoder is called again, and does not remember the error.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{Discard, OVER, Short, line_feed};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Short>(
            "a call after an error never ends",
            "tokio#3976",
            Property::Poisoned,
            Endless::default(),
            &[b"\x01a\xffbc"],
        ),
        Mutant::new::<Discard>(
            "a discarded line is rejected again",
            "tokio#3555, tokio#1483",
            Property::EverySplit,
            ErrorAgain::default(),
            &[b"ab\nabcdefghijklm\ncd\n"],
        ),
        Mutant::new::<Short>(
            "frames in the chunk of an error are lost",
            "PyAV PR2303",
            Property::RoundTrip,
            LosesFrames,
            &[b"\x01a\xffbc"],
        ),
    ]
}

/// After an error, each call emits a frame and removes nothing from the buffer.
#[derive(Clone, Default, PartialEq, Eq)]
struct Endless {
    failed: bool,
}

impl Toy for Endless {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.failed {
            return Ok(Some(Frame::new()));
        }
        let next = Short.decode(buffer);
        self.failed = next.is_err();
        next
    }

    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        buffer.extend_from_slice(chunk);
        // A caller that decodes until there is no frame would never return.
        for _ in 0..4 {
            frames.extend(self.decode(buffer)?);
        }
        Ok(())
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.feed(buffer, b"", frames)
    }
}

/// Emits the frames of a chunk only if there is no error after them.
#[derive(Clone, PartialEq, Eq)]
struct LosesFrames;

impl Toy for LosesFrames {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Short.decode(buffer)
    }

    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        buffer.extend_from_slice(chunk);
        let mut decoded = Vec::new();
        while let Some(frame) = Short.decode(buffer)? {
            decoded.push(frame);
        }
        frames.extend(decoded);
        Ok(())
    }
}

/// Each chunk of a discarded line emits the frame for a line over the limit again.
#[derive(Clone, Default, PartialEq, Eq)]
struct ErrorAgain {
    correct: Discard,
}

impl Toy for ErrorAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let discarded = self.correct.inside(&BytesMut::new());
        if discarded && !buffer.is_empty() && line_feed(buffer).is_none() {
            buffer.clear();
            return Ok(Some(OVER.to_vec()));
        }
        self.correct.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.correct.inside(buffer)
    }
}
