//! Consumes before complete: bytes of an incomplete frame are removed from the buffer although the
//! next call needs them.

use bytes::{Buf, BytesMut};
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{Short, Typed, Values, Varint};
use crate::toy::{Error, Frame, Next, Toy, limited, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Typed>(
            "a lone type byte is consumed",
            "hiredis#85",
            Property::EverySplit,
            DropsType,
            &[b"t\x02\x01xu\0"],
        ),
        Mutant::new::<Varint>(
            "the length is taken before the body is in",
            "mqttrs#8",
            Property::EverySplit,
            DropsLength,
            &[b"\x02\0\0\x01a"],
        ),
        Mutant::new::<Short>(
            "a frame over the read size never completes",
            "Tiny-Redis PR42",
            Property::RoundTrip,
            SmallBuffer,
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

/// The type is consumed, and lost if no byte follows it in the buffer.
#[derive(Clone, PartialEq, Eq)]
struct DropsType;

impl Toy for DropsType {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if buffer.len() == 1 {
            buffer.advance(1);
        }
        Typed.decode(buffer)
    }
}

/// The length is consumed before the body is known to be complete.
#[derive(Clone, PartialEq, Eq)]
struct DropsLength;

impl Toy for DropsLength {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some((header, length)) = Varint::header(buffer)? else {
            return Ok(None);
        };
        buffer.advance(header);
        Ok(take(buffer, 0, limited(length)?))
    }
}

/// The buffer holds five bytes. A longer frame never fits, and further bytes are dropped.
#[derive(Clone, PartialEq, Eq)]
struct SmallBuffer;

impl Toy for SmallBuffer {
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

/// The bytes of a chunk after its last complete value are dropped.
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
