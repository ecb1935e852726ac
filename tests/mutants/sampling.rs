//! What plain sampling misses: mutants that pass whole, byte by byte, and with a
//! cut or two; that agree with themselves; that nothing can prove.

use bytes::BytesMut;
use everysplit::Frames;
use everysplit::check::Property;

use crate::formats::Short;
use crate::toy::{Error, Frame, Next, Toy};
use crate::{Mutant, Verdict};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Short>(
            "three cuts together spoil a frame",
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
            "chunks are counted, and nothing is wrong",
            "no product",
            Verdict::NotProved,
            Counts::default(),
            &[b"\x02ab\x02cd\x02ef\x02gh\x02ij\x02kl"],
        ),
    ]
}

/// A frame is spoiled when it is the third in a row that waited once, and then
/// with its length alone: three cuts behind lengths, and none in bodies.
#[derive(Clone, Default, PartialEq, Eq)]
struct ThreeCuts {
    row: u8,
    waits: Waits,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Waits {
    #[default]
    None,
    OnceBehindLength,
    Otherwise,
}

impl Toy for ThreeCuts {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(mut frame) = Short.decode(buffer)? else {
            self.waits = match (self.waits, buffer.len()) {
                (waits, 0) => waits,
                (Waits::None, 1) => Waits::OnceBehindLength,
                _ => Waits::Otherwise,
            };
            return Ok(None);
        };
        let waits = std::mem::take(&mut self.waits);
        self.row = match waits {
            Waits::OnceBehindLength => (self.row + 1).min(3),
            _ => 0,
        };
        if self.row == 3 {
            frame.reverse();
        }
        Ok(Some(frame))
    }
}

/// A frame is given with the first byte behind it, or with the end.
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

/// How many chunks came is in the state, and decides nothing.
#[derive(Clone, Default, PartialEq, Eq)]
struct Counts {
    chunks: u64,
}

impl Toy for Counts {
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
