//! What plain sampling misses: a mutant that passes uncut, byte by byte, and with one or two cuts;
//! one whose frames are late under every split alike; and one that cannot be proved.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::formats::Short;
use crate::toy::{Error, Frame, Next, Toy};
use crate::{Mutant, Verdict};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Short>(
            "three cuts together corrupt a frame",
            "no product",
            Property::EverySplit,
            ThreeCuts::default(),
            &[b"\x07abcdefg\x07abcdefg\x07abcdefg"],
        ),
        Mutant::new::<Short>(
            "each frame is one byte late",
            "no product",
            Property::Prompt,
            Late,
            &[b"\x02ab\x01c\0"],
        ),
        Mutant::new::<Short>(
            "a chunk counter in a correct framer",
            "no product",
            Verdict::NotProved,
            ChunkCounter::default(),
            &[b"\x02ab\x02cd\x02ef\x02gh\x02ij\x02kl"],
        ),
    ]
}

/// A frame is reversed if it and the two before it were each incomplete in exactly one call, with
/// only its length buffered. This takes three cuts, each after a length, and no cut inside a body.
#[derive(Clone, Default, PartialEq, Eq)]
struct ThreeCuts {
    consecutive: u8,
    waited: Waited,
}

/// The calls in which the current frame was incomplete.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Waited {
    #[default]
    Never,
    OnceAfterLength,
    Otherwise,
}

impl Toy for ThreeCuts {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(mut frame) = Short.decode(buffer)? else {
            self.waited = match (self.waited, buffer.len()) {
                (waited, 0) => waited,
                (Waited::Never, 1) => Waited::OnceAfterLength,
                _ => Waited::Otherwise,
            };
            return Ok(None);
        };
        self.consecutive = match std::mem::take(&mut self.waited) {
            Waited::OnceAfterLength => (self.consecutive + 1).min(3),
            _ => 0,
        };
        if self.consecutive == 3 {
            frame.reverse();
        }
        Ok(Some(frame))
    }
}

/// A frame is emitted only at the first byte after it, or at the end of the stream.
#[derive(Clone, PartialEq, Eq)]
struct Late;

impl Toy for Late {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer.first() {
            Some(&length) if buffer.len() == 1 + usize::from(length) => Ok(None),
            _ => Short.decode(buffer),
        }
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        Short.finish(buffer, frames)
    }
}

/// The number of chunks is part of the state, but does not affect behaviour.
#[derive(Clone, Default, PartialEq, Eq)]
struct ChunkCounter {
    chunks: u64,
}

impl Toy for ChunkCounter {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Short.decode(buffer)
    }

    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        self.chunks += 1;
        Short.feed(buffer, chunk, frames)
    }
}
