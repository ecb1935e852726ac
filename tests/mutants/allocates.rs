//! Allocates before it validates: memory is reserved for bytes that never arrive.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::Int32;
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Int32>(
            "memory is reserved for a claimed length",
            "RUSTSEC-2022-0035, RUSTSEC-2026-0154, msgpack-rust#151",
            Property::Memory,
            Reserves {
                body: Vec::new(),
                capacity: claimed_length,
            },
            &[b"\x01\0\0\0a\xa0\x0f\0\0b"],
        ),
        Mutant::new::<Int32>(
            "memory is reserved before a length is checked",
            "thrift PR3784, Dekaf#893",
            Property::Memory,
            Reserves {
                body: Vec::new(),
                capacity: unchecked_length,
            },
            &[b"\xff\xff\xff\xffabc"],
        ),
        Mutant::new::<Int32>(
            "the caller's buffer grows to a claimed length",
            "RUSTSEC-2022-0035",
            Property::Memory,
            GrowsBuffer,
            &[b"\x01\0\0\0a\xa0\x0f\0\0b"],
        ),
    ]
}

/// Makes room for the whole body in its caller's buffer.
#[derive(Clone, PartialEq, Eq)]
struct GrowsBuffer;

impl Toy for GrowsBuffer {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if let Some(&length) = buffer.first_chunk() {
            let end = 4 + Int32::limited(length)?;
            buffer.reserve(end.saturating_sub(buffer.len()));
        }
        Int32.decode(buffer)
    }
}

/// Reserves memory for a body, and is correct otherwise.
#[derive(Clone)]
struct Reserves {
    body: Vec<u8>,
    /// Returns how many bytes to reserve for a length.
    capacity: fn([u8; 4]) -> usize,
}

/// A length within the limit is reserved before a byte of the body has arrived.
fn claimed_length(length: [u8; 4]) -> usize {
    Int32::limited(length).unwrap_or(0)
}

/// A length is reserved before its sign and the limit are checked. Only the low two of its four
/// bytes count here, because all of them would reserve up to 4 GiB.
fn unchecked_length(length: [u8; 4]) -> usize {
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
                self.body = Vec::with_capacity((self.capacity)(length));
            }
            let Some(frame) = Int32.decode(buffer)? else {
                return Ok(());
            };
            self.body = Vec::new();
            frames.push(frame);
        }
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(self.body.capacity())
    }
}

/// The reserved capacity does not affect behaviour, and the two mutants are never compared with
/// each other.
impl PartialEq for Reserves {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl Eq for Reserves {}
