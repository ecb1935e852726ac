//! Truncated end: the stream ends inside a frame, and no error is reported.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::Short;
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    let cut_short: &[&[u8]] = &[b"\x01a\x03bc"];
    vec![
        Mutant::new::<Short>(
            "an end inside a frame is clean",
            "arrow-go PR991",
            Property::Truncation,
            CleanEnd,
            cut_short,
        ),
        Mutant::new::<Short>(
            "a body that is cut short is padded",
            "membrane/api-gateway#3193",
            Property::Truncation,
            Pads,
            cut_short,
        ),
    ]
}

/// The end of the stream is clean, whatever the buffer holds.
#[derive(Clone, PartialEq, Eq)]
struct CleanEnd;

impl Toy for CleanEnd {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Short.decode(buffer)
    }

    fn inside(&self, _: &BytesMut) -> bool {
        false
    }
}

/// The body is allocated at its full length, and the bytes that never arrive stay zero.
#[derive(Clone, PartialEq, Eq)]
struct Pads;

impl Toy for Pads {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Short.decode(buffer)
    }

    fn finish(&mut self, buffer: &mut BytesMut, frames: &mut Frames<Frame>) -> Result<(), Error> {
        if let Some(&length) = buffer.first() {
            buffer.resize(1 + usize::from(length), 0);
        }
        frames.extend(Short.decode(buffer)?);
        Ok(())
    }
}
