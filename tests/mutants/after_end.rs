//! After the end: the framer is called again when the stream has ended.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::Short;
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    let two_frames: &[&[u8]] = &[b"\x01a\x02bc"];
    vec![
        Mutant::new::<Short>(
            "a second end emits the last frame again",
            "mux.js PR124, flac#22",
            Property::Truncation,
            EmitsAgain::default(),
            two_frames,
        ),
        Mutant::new::<Short>(
            "the end starts the decoder again",
            "async-compression PR148",
            Property::Truncation,
            StartsAgain::default(),
            two_frames,
        ),
        Mutant::new::<Short>(
            "the end forgets an error",
            "qdf PR64",
            Property::Poisoned,
            Forgets::default(),
            &[b"\x01a\xffbc"],
        ),
        Mutant::new::<Short>(
            "an end inside the first frame is clean",
            "rust-snappy#42",
            Property::Truncation,
            CleanFirst::default(),
            &[b"\x03bc"],
        ),
        Mutant::new::<Short>(
            "a byte after an end inside a frame panics",
            "no known one",
            Property::Progress,
            Panics::default(),
            &[b"\x01a\x03bc"],
        ),
    ]
}

/// The last frame is kept, and a second end emits it.
#[derive(Clone, Default, PartialEq, Eq)]
struct EmitsAgain {
    last: Option<Frame>,
    ends: u8,
}

impl Toy for EmitsAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let next = Short.decode(buffer)?;
        if next.is_some() {
            self.last.clone_from(&next);
        }
        Ok(next)
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.ends += 1;
        if self.ends == 2 {
            frames.extend(self.last.take());
        }
        Short.finish(buffer, frames)
    }
}

/// After the end it expects another frame.
#[derive(Clone, Default, PartialEq, Eq)]
struct StartsAgain {
    ended: bool,
}

impl Toy for StartsAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Short.decode(buffer)
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        if std::mem::replace(&mut self.ended, true) && buffer.is_empty() {
            return Err(Error::Truncated);
        }
        Short.finish(buffer, frames)
    }
}

/// An error is kept until the end reports it.
#[derive(Clone, Default, PartialEq, Eq)]
struct Forgets {
    error: Option<Error>,
}

impl Toy for Forgets {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if let Some(error) = self.error {
            return Err(error);
        }
        let next = Short.decode(buffer);
        self.error = next.as_ref().err().copied();
        next
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        match self.error.take() {
            Some(error) => {
                buffer.clear();
                Err(error)
            }
            None => Short.finish(buffer, frames),
        }
    }
}

/// It must not be fed after the end.
#[derive(Clone, Default, PartialEq, Eq)]
struct Panics {
    ended: bool,
}

impl Toy for Panics {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Short.decode(buffer)
    }

    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        assert!(!self.ended, "fed after the end");
        Short.feed(buffer, chunk, frames)
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        self.ended = true;
        Short.finish(buffer, frames)
    }
}

/// A stream without a frame is taken for an empty one.
#[derive(Clone, Default, PartialEq, Eq)]
struct CleanFirst {
    emitted: bool,
}

impl Toy for CleanFirst {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let next = Short.decode(buffer)?;
        self.emitted |= next.is_some();
        Ok(next)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.emitted && !buffer.is_empty()
    }
}
