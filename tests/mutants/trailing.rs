//! Trailing bytes dropped: the framer discards bytes that arrived in the same chunk as something
//! else.

use bytes::BytesMut;
use everysplit::Property;

use crate::Mutant;
use crate::formats::{Greeting, Line};
use crate::toy::{Next, Toy};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Greeting>(
            "frames that come with the greeting are lost",
            "websocketpp#32, rust-libp2p PR31",
            Property::RoundTrip,
            DropsAfterGreeting::default(),
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

/// The buffer is cleared once the greeting is read, with the frames that follow it there.
#[derive(Clone, Default, PartialEq, Eq)]
struct DropsAfterGreeting {
    correct: Greeting,
}

impl Toy for DropsAfterGreeting {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let before = self.correct.greeted;
        let frame = self.correct.decode(buffer)?;
        if self.correct.greeted && !before {
            buffer.clear();
        }
        Ok(frame)
    }
}

/// A buffer without a complete line is cleared.
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
