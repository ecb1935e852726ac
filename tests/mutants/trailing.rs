//! Trailing bytes dropped: what came with something else is lost with it.

use bytes::BytesMut;
use everysplit::check::Property;

use crate::Mutant;
use crate::formats::{Greeting, Line};
use crate::toy::{Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Greeting>(
            "frames that come with the greeting are lost",
            "websocketpp#32, rust-libp2p PR31",
            Property::Prompt,
            DropsBehindGreeting::default(),
            &[b"greeting\x01a\x02bc"],
        ),
        Mutant::new::<Line>(
            "the buffer is cleared before a line ends",
            "tokio-serial#77",
            Property::EverySplit,
            ClearsEarly,
            &[b"ab\ncd\n"],
        ),
    ]
}

/// The buffer of the greeting is dropped with what it read ahead.
#[derive(Clone, Default, PartialEq, Eq)]
struct DropsBehindGreeting {
    right: Greeting,
}

impl Toy for DropsBehindGreeting {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let before = self.right.greeted;
        let frame = self.right.decode(buffer)?;
        if self.right.greeted && !before {
            buffer.clear();
        }
        Ok(frame)
    }
}

/// A buffer without a line in it is thought to be of no use.
#[derive(Clone, PartialEq, Eq)]
struct ClearsEarly;

impl Toy for ClearsEarly {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let line = Line.decode(buffer)?;
        if line.is_none() {
            buffer.clear();
        }
        Ok(line)
    }
}
