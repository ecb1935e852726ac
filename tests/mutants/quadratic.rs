//! Quadratic: each chunk does again what was done for those before it. What comes
//! out is right under every split, and can be proved: only a clock tells.

use bytes::BytesMut;

use everysplit::Frames;

use crate::Mutant;
use crate::formats::{Array, Head, Large};
use crate::toy::{Error, Frame, Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::slow::<Head>(
            "a header is read again from its beginning",
            "RUSTSEC-2023-0065",
            ReadsAgain,
            &[b"a: b\n\n\n\nc: d\n\n"],
            |len| vec![b'h'; len],
        ),
        Mutant::slow::<Large>(
            "what is there of a body is copied again",
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
    ]
}

/// The end of the header is looked for in all of it.
#[derive(Clone, PartialEq, Eq)]
struct ReadsAgain;

impl Toy for ReadsAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Head::default().decode(buffer)
    }
}

/// Each chunk makes a new buffer, of what there was and itself.
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

/// Which entries are whole is forgotten with each chunk.
#[derive(Clone, PartialEq, Eq)]
struct ParsesAgain;

impl Toy for ParsesAgain {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Array::default().decode(buffer)
    }
}
