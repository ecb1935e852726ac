//! Zero length: a frame with an empty body is mistaken for something else.

use bytes::BytesMut;
use everysplit::Property;

use crate::Mutant;
use crate::formats::{Short, Total};
use crate::toy::{Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Total>(
            "an empty frame waits for more bytes",
            "mp4-stream PR8",
            Property::RoundTrip,
            Halts,
            &[b"\x01\x02a"],
        ),
        Mutant::new::<Short>(
            "an empty frame is the end mark",
            "lz4 PR899, the length-prefix tutorials",
            Property::RoundTrip,
            EndMark::default(),
            &[b"\x01a\0\x01b"],
        ),
    ]
}

/// A frame with no body to read is treated as incomplete.
#[derive(Clone, PartialEq, Eq)]
struct Halts;

impl Toy for Halts {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if buffer.first() == Some(&1) {
            return Ok(None);
        }
        Total.decode(buffer)
    }
}

/// Bytes after an empty body are discarded.
#[derive(Clone, Default, PartialEq, Eq)]
struct EndMark {
    ended: bool,
}

impl Toy for EndMark {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        self.ended |= buffer.first() == Some(&0);
        if self.ended {
            buffer.clear();
        }
        Short.decode(buffer)
    }
}
