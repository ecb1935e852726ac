//! The answer to a challenge, ahead of the frames: what is made of one `recv`, and
//! of a comparison of as many bytes as came.

use bytes::{Buf, BytesMut};
use everysplit::Frames;
use everysplit::check::Property;

use crate::Mutant;
use crate::formats::{KEYED, Keyed};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Keyed>(
            "one recv is compared with all of an answer",
            "the hmac tutorials",
            Property::Limit,
            OneRecv::default(),
            &[b"hmac\x01a"],
        ),
        Mutant::new::<Keyed>(
            "what comes in one chunk with the answer is lost",
            "the hmac tutorials",
            Property::Prompt,
            DropsBehind::default(),
            &[b"hmac\x01a\x02bc"],
        ),
        Mutant::new::<Keyed>(
            "a prefix of the answer passes",
            "CVE-2017-5689",
            Property::Limit,
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
            "an answer is refused at its first wrong byte",
            "the hmac tutorials",
            Property::Limit,
            Early::default(),
            &[b"hxac\x01a"],
        ),
        Mutant::new::<Keyed>(
            "traffic goes on after a refused answer",
            "the hmac tutorials",
            Property::Poisoned,
            GoesOn::default(),
            &[b"hmax\x01a\x01b"],
        ),
    ]
}

/// The answer is what the first chunk begins with.
#[derive(Clone, Default, PartialEq, Eq)]
struct OneRecv {
    right: Keyed,
    refused: bool,
}

impl Toy for OneRecv {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        let answer = chunk.get(..KEYED.len()).unwrap_or(chunk);
        self.refused |= !self.right.passed && !chunk.is_empty() && answer != KEYED;
        if self.refused {
            return Err(Error::Malformed);
        }
        self.right.feed(buffer, chunk, frames)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.right.inside(buffer)
    }
}

/// The answer is cut off what was read, and the rest of that goes.
#[derive(Clone, Default, PartialEq, Eq)]
struct DropsBehind {
    right: Keyed,
}

impl Toy for DropsBehind {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if !self.right.passed {
            self.right.open(buffer)?;
            if self.right.passed {
                buffer.clear();
            }
        }
        self.right.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.right.inside(buffer)
    }
}

/// As many bytes are compared as the first chunk has.
#[derive(Clone, Default, PartialEq, Eq)]
struct Prefix {
    right: Keyed,
}

impl Toy for Prefix {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let came = buffer.len().min(KEYED.len());
        if !self.right.passed && came > 0 && KEYED.starts_with(&buffer[..came]) {
            buffer.advance(came);
            self.right.passed = true;
        }
        self.right.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.right.inside(buffer)
    }
}

/// Who hangs up has sent all that was compared, which is nothing.
#[derive(Clone, Default, PartialEq, Eq)]
struct Empty {
    right: Keyed,
}

impl Toy for Empty {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        self.right.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        !buffer.is_empty()
    }
}

/// The bytes are compared as they come: how long it takes tells how many are right.
#[derive(Clone, Default, PartialEq, Eq)]
struct Early {
    right: Keyed,
}

impl Toy for Early {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let wrong = KEYED.iter().zip(&*buffer).any(|(due, came)| due != came);
        if !self.right.passed && wrong {
            return Err(Error::Malformed);
        }
        self.right.decode(buffer)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.right.inside(buffer)
    }
}

/// The refusal is told, and the loop that reads frames is entered all the same.
#[derive(Clone, Default, PartialEq, Eq)]
struct GoesOn {
    right: Keyed,
}

impl Toy for GoesOn {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let next = self.right.decode(buffer);
        if next.is_err() && !self.right.passed {
            buffer.advance(KEYED.len());
            self.right.passed = true;
        }
        next
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.right.inside(buffer)
    }
}
