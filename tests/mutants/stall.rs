//! Stall: a frame is complete, and is not emitted until more bytes arrive.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{Short, Typed};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Short>(
            "one frame a chunk",
            "futures-codec PR18",
            Property::Prompt,
            OneAChunk,
            &[b"\x01a\x02bc"],
        ),
        Mutant::new::<Typed>(
            "the step from header to body waits",
            "devp2p#25",
            Property::Prompt,
            HeaderFirst::default(),
            &[b"t\x02ab"],
        ),
        Mutant::new::<Short>(
            "a frame shorter than the last waits",
            "smk_python_sdk PR12",
            Property::RoundTrip,
            LastNeed::default(),
            &[b"\x03abc\x01d"],
        ),
        Mutant::new::<Short>(
            "need more is taken for the end",
            "futures-codec#27",
            Property::EverySplit,
            WaitIsEnd::default(),
            &[b"\x02ab", b"\x01a\x02bc"],
        ),
    ]
}

/// At most one frame is emitted for each chunk.
#[derive(Clone, PartialEq, Eq)]
struct OneAChunk;

impl Toy for OneAChunk {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        buffer.extend_from_slice(chunk);
        frames.extend(Short.decode(buffer)?);
        Ok(())
    }
}

/// Returns "need more" after reading a header, even if the body is buffered.
#[derive(Clone, Default, PartialEq, Eq)]
struct HeaderFirst {
    known: bool,
}

impl Toy for HeaderFirst {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if !self.known && buffer.len() >= 2 {
            self.known = true;
            return Ok(None);
        }
        let frame = Typed.decode(buffer)?;
        self.known &= frame.is_none();
        Ok(frame)
    }
}

/// The framer waits for as many bytes as the last frame had.
#[derive(Clone, Default, PartialEq, Eq)]
struct LastNeed {
    need: usize,
}

impl Toy for LastNeed {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if buffer.len() < self.need {
            return Ok(None);
        }
        let before = buffer.len();
        let frame = Short.decode(buffer)?;
        self.need = before - buffer.len();
        Ok(frame)
    }
}

/// After "need more" inside a frame, nothing is decoded any more.
#[derive(Clone, Default, PartialEq, Eq)]
struct WaitIsEnd {
    ended: bool,
}

impl Toy for WaitIsEnd {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.ended {
            return Ok(None);
        }
        let frame = Short.decode(buffer)?;
        self.ended = frame.is_none() && !buffer.is_empty();
        Ok(frame)
    }
}
