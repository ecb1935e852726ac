//! The answer to a challenge, before the frames: one `recv` is taken for the whole answer, or only
//! the bytes that arrived are compared.

use bytes::{Buf, BytesMut};
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{KEYED, Keyed};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Keyed>(
            "one recv is compared with all of an answer",
            "the hmac tutorials",
            Property::EverySplit,
            OneRecv::default(),
            &[b"hmac\x01a"],
        ),
        Mutant::new::<Keyed>(
            "frames in the chunk of the answer are lost",
            "the hmac tutorials",
            Property::RoundTrip,
            DropsAfterAnswer::default(),
            &[b"hmac\x01a\x02bc"],
        ),
        Mutant::new::<Keyed>(
            "a prefix of the answer passes",
            "CVE-2017-5689",
            Property::Rejection,
            Prefix::default(),
            &[b"h\x02ab"],
        ),
        Mutant::new::<Keyed>(
            "no answer at all passes",
            "CVE-2017-5689",
            Property::Truncation,
            Empty::default(),
            &[b""],
        ),
        Mutant::new::<Keyed>(
            "an answer is rejected at its first wrong byte",
            "the hmac tutorials",
            Property::Rejection,
            Early::default(),
            &[b"hxac\x01a"],
        ),
        Mutant::new::<Keyed>(
            "traffic continues after a rejected answer",
            "the hmac tutorials",
            Property::Poisoned,
            ContinuesAfterError::default(),
            &[b"hmax\x01a\x01b"],
        ),
    ]
}

/// The first chunk must begin with the whole answer.
#[derive(Clone, Default, PartialEq, Eq)]
struct OneRecv {
    correct: Keyed,
    rejected: bool,
}

impl Toy for OneRecv {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        let answer = chunk.get(..KEYED.len()).unwrap_or(chunk);
        self.rejected |= !self.correct.passed && !chunk.is_empty() && answer != KEYED;
        if self.rejected {
            return Err(Error::Malformed);
        }
        self.correct.feed(buffer, chunk, frames)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.correct.inside(buffer)
    }
}

/// The answer is read from the buffer, and the rest of the buffer is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
struct DropsAfterAnswer {
    correct: Keyed,
}

impl Toy for DropsAfterAnswer {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if !self.correct.passed {
            self.correct.open(buffer)?;
            if self.correct.passed {
                buffer.clear();
            }
        }
        self.correct.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.correct.inside(buffer)
    }
}

/// Only as many bytes of the answer are compared as the first chunk has.
#[derive(Clone, Default, PartialEq, Eq)]
struct Prefix {
    correct: Keyed,
}

impl Toy for Prefix {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let compared = buffer.len().min(KEYED.len());
        if !self.correct.passed && compared > 0 && KEYED.starts_with(&buffer[..compared]) {
            buffer.advance(compared);
            self.correct.passed = true;
        }
        self.correct.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.correct.inside(buffer)
    }
}

/// The end of the stream before the answer is clean: no bytes were compared, so none differed.
#[derive(Clone, Default, PartialEq, Eq)]
struct Empty {
    correct: Keyed,
}

impl Toy for Empty {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        self.correct.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        !buffer.is_empty()
    }
}

/// The bytes are compared as they arrive, so that the time of the error reveals how many of them
/// are correct.
#[derive(Clone, Default, PartialEq, Eq)]
struct Early {
    correct: Keyed,
}

impl Toy for Early {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let differs = KEYED.iter().zip(&*buffer).any(|(due, byte)| due != byte);
        if !self.correct.passed && differs {
            return Err(Error::Malformed);
        }
        self.correct.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.correct.inside(buffer)
    }
}

/// The error is reported, but the loop that reads frames is entered all the same.
#[derive(Clone, Default, PartialEq, Eq)]
struct ContinuesAfterError {
    correct: Keyed,
}

impl Toy for ContinuesAfterError {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let next = self.correct.decode(buffer);
        if next.is_err() && !self.correct.passed {
            buffer.advance(KEYED.len());
            self.correct.passed = true;
        }
        next
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.correct.inside(buffer)
    }
}
