//! Consumes before complete: bytes are taken that are needed again.

use bytes::{Buf, BytesMut};
use everysplit::Frames;
use everysplit::check::Property;

use crate::Mutant;
use crate::formats::{Short, Typed, Values, Varint};
use crate::toy::{Error, Frame, Next, Toy, limited, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Typed>(
            "a type byte alone is eaten",
            "hiredis#85",
            Property::EverySplit,
            EatsType,
            &[b"t\x02\x01xu\0"],
        ),
        Mutant::new::<Varint>(
            "the length is taken before the body is in",
            "mqttrs#8",
            Property::EverySplit,
            EatsLength,
            &[b"\x02\0\0\x01a"],
        ),
        Mutant::new::<Short>(
            "a frame over the read size is never whole",
            "Tiny-Redis PR42",
            Property::Prompt,
            SmallRoom,
            &[b"\x02ab\x01c", b"\x06abcdef"],
        ),
        Mutant::new::<Values>(
            "a short recv is ignored",
            "python-luxtronik PR181",
            Property::EverySplit,
            ShortRecv,
            &[b"abcdefgh"],
        ),
    ]
}

/// The type is read off, and forgotten when nothing is behind it.
#[derive(Clone, PartialEq, Eq)]
struct EatsType;

impl Toy for EatsType {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if buffer.len() == 1 {
            buffer.advance(1);
        }
        Typed.decode(buffer)
    }
}

/// The buffer has moved on when the body turns out not to be in.
#[derive(Clone, PartialEq, Eq)]
struct EatsLength;

impl Toy for EatsLength {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some((header, length)) = Varint::header(buffer)? else {
            return Ok(None);
        };
        buffer.advance(header);
        Ok(take(buffer, 0, limited(length)?))
    }
}

/// The buffer has room for one read, and waits for a frame that needs more.
#[derive(Clone, PartialEq, Eq)]
struct SmallRoom;

impl Toy for SmallRoom {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        for &byte in chunk {
            if buffer.len() < 5 {
                buffer.extend([byte]);
            }
            frames.extend(Short.decode(buffer)?);
        }
        Ok(())
    }
}

/// What a chunk holds beside whole values is not kept.
#[derive(Clone, PartialEq, Eq)]
struct ShortRecv;

impl Toy for ShortRecv {
    fn feed(
        &mut self,
        _: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        frames.extend(chunk.chunks_exact(4).map(Frame::from));
        Ok(())
    }
}
