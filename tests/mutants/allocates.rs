//! Allocates before it validates: room is made for bytes that never come.

use bytes::BytesMut;
use everysplit::Frames;
use everysplit::check::Property;

use crate::Mutant;
use crate::formats::Int32;
use crate::toy::{Error, Frame, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Int32>(
            "room is made for what a length claims",
            "RUSTSEC-2022-0035, RUSTSEC-2026-0154, msgpack-rust#151",
            Property::Memory,
            Reserves {
                room: Vec::new(),
                makes_room: trusting,
            },
            &[b"\x01\0\0\0a\xa0\x0f\0\0b"],
        ),
        Mutant::new::<Int32>(
            "room is made before a length is refused",
            "thrift PR3784, Dekaf#893",
            Property::Memory,
            Reserves {
                room: Vec::new(),
                makes_room: before_the_sign,
            },
            &[b"\xff\xff\xff\xffabc"],
        ),
    ]
}

/// Makes room for a body, and is right otherwise.
#[derive(Clone)]
struct Reserves {
    room: Vec<u8>,
    makes_room: fn([u8; 4]) -> usize,
}

/// A length in bounds is trusted, before one byte of body is in.
fn trusting(length: [u8; 4]) -> usize {
    Int32::limited(length).unwrap_or(0)
}

/// A length is taken for positive, and its bounds are looked at later. It would be
/// 4 GiB; two of its four bytes are enough to see it.
fn before_the_sign(length: [u8; 4]) -> usize {
    usize::from(u16::from_le_bytes([length[0], length[1]]))
}

impl Toy for Reserves {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        buffer.extend_from_slice(chunk);
        loop {
            if let Some(&length) = buffer.first_chunk() {
                self.room = Vec::with_capacity((self.makes_room)(length));
            }
            let Some(frame) = Int32.decode(buffer)? else {
                return Ok(());
            };
            self.room = Vec::new();
            frames.push(frame);
        }
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(self.room.capacity())
    }
}

/// Capacity decides nothing, and the two mutants never meet.
impl PartialEq for Reserves {
    fn eq(&self, other: &Self) -> bool {
        self.room == other.room
    }
}

impl Eq for Reserves {}
