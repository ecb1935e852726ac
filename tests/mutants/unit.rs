//! Byte order and length unit: the two ends read the same bytes as different numbers.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{Header12, Short};
use crate::toy::{Error, Frame, Next, Toy, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Header12>(
            "the size is read in network order",
            "MNetSocket-Python, MsgProtol.py",
            Property::RoundTrip,
            NetworkOrder,
            &[b"\x02\0\0\0cmd.recvab"],
        ),
        Mutant::new::<Header12>(
            "the size is read as signed",
            "MNetSocket-CSharp, MsgProtol.cs",
            Property::Limit,
            Signed,
            &[b"\x01\0\0\0cmd.recva\0\0\0\x80cmd."],
        ),
        Mutant::new::<Short>(
            "a handler that throws sees the frame again",
            "MNetSocket, both",
            Property::EverySplit,
            HandlerFirst,
            &[b"\x01!\x02b"],
        ),
        Mutant::new::<Header12>(
            "unframed bytes are read as a size",
            "MNetSocket-Python, ServerSocket.py",
            Property::Limit,
            NoLimit,
            &[b"EXIT", b"\x01\0\0\0cmd.recvaEXIT"],
        ),
    ]
}

/// A size of 2 is read as 33554432, and the framer waits for that many bytes.
#[derive(Clone, PartialEq, Eq)]
struct NetworkOrder;

impl Toy for NetworkOrder {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&size) = buffer.first_chunk() else {
            return Ok(None);
        };
        let size = usize::try_from(u32::from_be_bytes(size)).unwrap();
        Ok(take(buffer, 12, size))
    }
}

/// Sizes from 2^31 on are negative, and so pass the limit.
#[derive(Clone, PartialEq, Eq)]
struct Signed;

impl Toy for Signed {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&size) = buffer.first_chunk() else {
            return Ok(None);
        };
        match i32::from_le_bytes(size) {
            9.. => Err(Error::TooLong),
            size => Ok(usize::try_from(size).map_or(None, |size| take(buffer, 12, size))),
        }
    }
}

/// A frame is removed from the buffer only after its handler has returned. The handler throws on
/// the body "!".
#[derive(Clone, PartialEq, Eq)]
struct HandlerFirst;

impl Toy for HandlerFirst {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        if chunk.is_empty() {
            return Ok(());
        }
        buffer.extend_from_slice(chunk);
        let mut rest = buffer.clone();
        while let Some(frame) = Short.decode(&mut rest)? {
            let throws = frame == b"!";
            frames.push(frame);
            if throws {
                break;
            }
            buffer.clone_from(&rest);
        }
        Ok(())
    }
}

/// The framer waits for as many bytes as the size claims, without a limit.
#[derive(Clone, PartialEq, Eq)]
struct NoLimit;

impl Toy for NoLimit {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&size) = buffer.first_chunk() else {
            return Ok(None);
        };
        let size = usize::try_from(u32::from_le_bytes(size)).unwrap();
        Ok(take(buffer, 12, size))
    }
}
