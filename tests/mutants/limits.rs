//! Limit logic: a legal frame is rejected, or a frame over the limit is accepted.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{Header12, Line, Total, Typed, line_feed};
use crate::toy::{Error, Frame, Next, Toy, limited};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Total>(
            "a legal frame is measured with its header",
            "tokio#4815",
            Property::Limit,
            CountsHeader,
            &[b"\x02a\x09atlimit!"],
        ),
        Mutant::new::<Typed>(
            "a frame over the limit is measured too short",
            "tokio#4815",
            Property::Limit,
            ForgetsType,
            &[b"t\x01at\x08over"],
        ),
        Mutant::new::<Line>(
            "the counter grows with each chunk",
            "netty#3460",
            Property::Limit,
            CountsAgain::default(),
            &[b"abcdef\n"],
        ),
        Mutant::new::<Line>(
            "a chunk of legal lines is over the limit",
            "split2#23",
            Property::Limit,
            LongChunk,
            &[b"abc\ndef\nghi\n"],
        ),
        Mutant::new::<Header12>(
            "only incomplete frames are measured",
            "s3s#837",
            Property::Limit,
            CountsBuffered,
            &[b"\x06\0\0\0cmd.recvabcdef\0"],
        ),
    ]
}

/// The limit of the body is compared with the size, which counts the header too.
#[derive(Clone, PartialEq, Eq)]
struct CountsHeader;

impl Toy for CountsHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if let Some(&size) = buffer.first() {
            limited(size.into())?;
        }
        Total.decode(buffer)
    }
}

/// The limit is compared with the length, which does not count the type.
#[derive(Clone, PartialEq, Eq)]
struct ForgetsType;

impl Toy for ForgetsType {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.get(1) else {
            return Ok(None);
        };
        Ok(Typed::take(buffer, limited(length.into())?))
    }
}

/// Bytes that are still buffered are counted again with each chunk.
#[derive(Clone, Default, PartialEq, Eq)]
struct CountsAgain {
    counted: usize,
}

impl Toy for CountsAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if line_feed(buffer).is_some() {
            self.counted = 0;
        } else {
            self.counted = limited(self.counted + buffer.len())?;
        }
        Line.decode(buffer)
    }
}

/// The limit of a line is compared with the size of a chunk.
#[derive(Clone, PartialEq, Eq)]
struct LongChunk;

impl Toy for LongChunk {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        limited(chunk.len())?;
        buffer.extend_from_slice(chunk);
        while let Some(line) = Line.decode(buffer)? {
            frames.push(line);
        }
        Ok(())
    }
}

/// The limit is compared with the buffered bytes of an incomplete frame, header included.
#[derive(Clone, PartialEq, Eq)]
struct CountsBuffered;

impl Toy for CountsBuffered {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let frame = Header12.decode(buffer)?;
        if frame.is_none() {
            limited(buffer.len())?;
        }
        Ok(frame)
    }
}
