//! One recv, one message: the receive loops of tutorials, which take one `recv` for one unit of the
//! protocol.

use bytes::BytesMut;
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{Decimal, Int32, Short};
use crate::toy::{Error, Frame, Next, Toy, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Short>(
            "one recv is taken for one frame",
            "the first tutorials",
            Property::EverySplit,
            RecvIsFrame,
            &[b"\x03abc", b"\x01a\x01b"],
        ),
        Mutant::new::<Int32>(
            "one recv is taken for one header",
            "the length tutorials",
            Property::RoundTrip,
            RecvIsHeader::default(),
            &[b"\x02\0\0\0ab"],
        ),
        Mutant::new::<Int32>(
            "recv(4) is expected to return four bytes",
            "the length tutorials",
            Property::EverySplit,
            FourAreFour,
            &[b"\x02\0\0\0ab"],
        ),
        Mutant::new::<Short>(
            "the last recv of a body eats the next header",
            "the upload tutorials",
            Property::RoundTrip,
            EatsNextHeader,
            &[b"\x02ab\x01c"],
        ),
        Mutant::new::<Decimal>(
            "a prefix of a decimal length is a length",
            "the recv_ready tutorials",
            Property::EverySplit,
            NoEndMark::default(),
            &[b"12:twelve bytes"],
        ),
    ]
}

/// Each chunk is a frame: its first byte is dropped as the length, and the rest is the body.
#[derive(Clone, PartialEq, Eq)]
struct RecvIsFrame;

impl Toy for RecvIsFrame {
    fn feed(
        &mut self,
        _: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        frames.extend(chunk.get(1..).map(Frame::from));
        Ok(())
    }
}

/// The bytes after a length in the same chunk are dropped.
#[derive(Clone, Default, PartialEq, Eq)]
struct RecvIsHeader {
    length: Option<usize>,
}

impl Toy for RecvIsHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(length) = self.length else {
            if let Some(&length) = buffer.first_chunk() {
                self.length = Some(Int32::limited(length)?);
                buffer.clear();
            }
            return Ok(None);
        };
        let frame = take(buffer, 0, length);
        if frame.is_some() {
            self.length = None;
        }
        Ok(frame)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.length.is_some() || !buffer.is_empty()
    }
}

/// Unpacking a cut length is an error.
#[derive(Clone, PartialEq, Eq)]
struct FourAreFour;

impl Toy for FourAreFour {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer.len() {
            1..4 => Err(Error::Malformed),
            _ => Int32.decode(buffer),
        }
    }
}

/// Chunks are collected until there are enough bytes for the body, and the surplus is dropped.
#[derive(Clone, PartialEq, Eq)]
struct EatsNextHeader;

impl Toy for EatsNextHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let frame = Short.decode(buffer)?;
        if frame.is_some() {
            buffer.clear();
        }
        Ok(frame)
    }
}

/// The digits that have arrived are the length, and the colon is skipped only if it has arrived.
#[derive(Clone, Default, PartialEq, Eq)]
struct NoEndMark {
    length: Option<usize>,
}

impl Toy for NoEndMark {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(length) = self.length else {
            let digits = buffer
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let digits = buffer.split_to(digits);
            self.length = str::from_utf8(&digits).unwrap().parse().ok();
            return if self.length.is_some() {
                self.decode(buffer)
            } else {
                Ok(None)
            };
        };
        let mark = usize::from(buffer.first() == Some(&b':'));
        let frame = take(buffer, mark, length);
        if frame.is_some() {
            self.length = None;
        }
        Ok(frame)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.length.is_some() || !buffer.is_empty()
    }
}
