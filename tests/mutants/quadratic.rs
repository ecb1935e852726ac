//! Quadratic: each chunk repeats the work for those before it, or each frame moves all bytes after
//! it. The frames are correct under every split, and the proof passes. Only a measurement of time
//! shows the bug.

use bytes::BytesMut;

use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{Array, Head, Large, Short};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    let small_frames = |len| b"\x01a".iter().cycle().take(len).copied().collect();
    vec![
        Mutant::slow::<Head>(
            "a header is searched again from its start",
            "RUSTSEC-2023-0065",
            SearchesAgain,
            &[b"a: b\n\n\n\nc: d\n\n"],
            |len| vec![b'h'; len],
        ),
        Mutant::slow::<Large>(
            "a partial body is copied again",
            "twisted#6358",
            CopiesAgain,
            &[b"\x02\0\0\0ab\x01\0\0\0c"],
            |len| [&[0, 0, 16, 0], &vec![b'x'; len - 4][..]].concat(),
        ),
        Mutant::slow::<Array>(
            "an array is parsed again from its first entry",
            "node-redis-parser PR26",
            ParsesAgain,
            &[b"\x02\0\0\0\x01a\x02bc\0\0\0\0"],
            |len| {
                let entries = b"\x02ab\x01c\0".iter().cycle();
                b"\0\0\x10\0"
                    .iter()
                    .chain(entries)
                    .take(len)
                    .copied()
                    .collect()
            },
        ),
        Mutant::slow::<Short>(
            "the rest of a chunk is copied after each frame",
            "pika PR1653",
            CopiesRest,
            &[b"\x02ab\0\x01c"],
            small_frames,
        ),
        Mutant::slow::<Short>(
            "the first of all frames is removed each time",
            "rustls PR85",
            RemovesFirst::default(),
            &[b"\x02ab\0\x01c"],
            small_frames,
        ),
    ]
}

/// Each chunk searches the whole buffer for the end of the header.
#[derive(Clone, PartialEq, Eq)]
struct SearchesAgain;

impl Toy for SearchesAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Head::default().decode(buffer)
    }
}

/// Each chunk makes a new buffer of the old buffer and itself.
#[derive(Clone, PartialEq, Eq)]
struct CopiesAgain;

impl Toy for CopiesAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Large.decode(buffer)
    }

    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        *buffer = BytesMut::from(&[&buffer[..], chunk].concat()[..]);
        Large.feed(buffer, b"", frames)
    }
}

/// Each chunk parses the complete entries again.
#[derive(Clone, PartialEq, Eq)]
struct ParsesAgain;

impl Toy for ParsesAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Array::default().decode(buffer)
    }
}

/// Each frame of a chunk copies all frames after it. Byte by byte, no bytes are left after a frame.
#[derive(Clone, PartialEq, Eq)]
struct CopiesRest;

impl Toy for CopiesRest {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let frame = Short.decode(buffer)?;
        *buffer = BytesMut::from(&buffer[..]);
        Ok(frame)
    }
}

/// The frames of a chunk wait in an array. Removing the first one moves all others.
#[derive(Clone, Default, PartialEq, Eq)]
struct RemovesFirst {
    waiting: Vec<Frame>,
}

impl Toy for RemovesFirst {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        buffer.extend_from_slice(chunk);
        let mut result = Ok(());
        while let Some(frame) = Short.decode(buffer).unwrap_or_else(|error| {
            result = Err(error);
            None
        }) {
            self.waiting.push(frame);
        }
        while !self.waiting.is_empty() {
            frames.push(self.waiting.remove(0));
        }
        result
    }
}
