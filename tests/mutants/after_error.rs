//! After an error: the decoder is called again, and does not know.

use bytes::BytesMut;
use everysplit::Frames;
use everysplit::check::Property;

use crate::Mutant;
use crate::formats::{Discard, OVER, Short, line_feed};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Short>(
            "a call after an error goes on for ever",
            "tokio#3976",
            Property::Poisoned,
            Endless::default(),
            &[b"\x01a\xffbc"],
        ),
        Mutant::new::<Discard>(
            "what is discarded is refused again",
            "tokio#3555, tokio#1483",
            Property::EverySplit,
            ErrorAgain::default(),
            &[b"ab\nabcdefghijklm\ncd\n"],
        ),
    ]
}

/// After an error there is always a frame, and nothing is taken off the buffer.
#[derive(Clone, Default, PartialEq, Eq)]
struct Endless {
    refused: bool,
}

impl Toy for Endless {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.refused {
            return Ok(Some(Frame::new()));
        }
        let next = Short.decode(buffer);
        self.refused = next.is_err();
        next
    }

    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        buffer.extend_from_slice(chunk);
        // Whoever asks until there is no frame would be here for ever.
        for _ in 0..4 {
            frames.extend(self.decode(buffer)?);
        }
        Ok(())
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.feed(buffer, b"", frames)
    }
}

/// Each chunk of a line that is being discarded is found to be over the limit.
#[derive(Clone, Default, PartialEq, Eq)]
struct ErrorAgain {
    right: Discard,
}

impl Toy for ErrorAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let discarded = self.right.inside(&BytesMut::new());
        if discarded && !buffer.is_empty() && line_feed(buffer).is_none() {
            buffer.clear();
            return Ok(Some(OVER.to_vec()));
        }
        self.right.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.right.inside(buffer)
    }
}
