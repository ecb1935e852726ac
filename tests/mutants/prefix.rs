//! Cut inside the prefix: a length or a header arrives in part, and the framer does not wait for
//! the rest.

use bytes::{Buf, BytesMut};
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::{
    Chunked, Event, Extended, GREETING, Greeting, Int32, Pair, Short, Typed, Varint, take_line,
};
use crate::toy::{Error, Frame, Next, Toy, limited, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Varint>(
            "a cut varint ends at the cut",
            "mqtt-packet#95",
            Property::EverySplit,
            CutVarint,
            &[b"\x83\0abc\x01d"],
        ),
        Mutant::new::<Int32>(
            "missing bytes of the length are zero",
            "node-mysql2 PR155",
            Property::EverySplit,
            CutHeader::default(),
            &[b"\x02\0\0\0ab\x01\0\0\0c"],
        ),
        Mutant::new::<Pair>(
            "one byte of two is the length",
            "dnsproxy#523, miekg/dns PR448",
            Property::EverySplit,
            LoneByte,
            &[b"\0\x02ab\0\x01c"],
        ),
        Mutant::new::<Extended>(
            "a marker without its length is taken for one",
            "bun PR9027, mint_web_socket PR22",
            Property::Limit,
            LoneMarker,
            &[b"\x01a\x7e\0\x02bc"],
        ),
        Mutant::new::<Extended>(
            "a partial length of zero is started again",
            "mosquitto PR3721",
            Property::EverySplit,
            HighZeros::default(),
            &[b"\x7f\0\0\0\0\0\0\0\x03abc"],
        ),
        Mutant::new::<Chunked>(
            "half of an end mark is enough",
            "aiohttp#4630",
            Property::Prompt,
            HalfMark,
            &[b"2\r\nab\r\n0\r\n\r\n"],
        ),
        Mutant::new::<Event>(
            "CR and LF in two chunks end two lines",
            "eventsource-parser#17",
            Property::EverySplit,
            TwoEnds,
            &[b"a\r\nb\r\n"],
        ),
        Mutant::new::<Typed>(
            "leftover bytes beyond a header are an error",
            "emqx PR4858",
            Property::EverySplit,
            LongTail,
            &[b"t\x03abcu\x01d"],
        ),
        Mutant::new::<Greeting>(
            "a cut greeting is rejected",
            "amqpprox PR10",
            Property::EverySplit,
            ShortGreeting::default(),
            &[b"greeting\x01a"],
        ),
        Mutant::new::<Short>(
            "a chunk is inserted before earlier bytes",
            "vector PR26169",
            Property::EverySplit,
            Shuffled,
            &[b"\x04abcd"],
        ),
    ]
}

/// If one byte is buffered, its high bit is cleared: the length ends there.
#[derive(Clone, PartialEq, Eq)]
struct CutVarint;

impl Toy for CutVarint {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer[..] {
            [first] => {
                buffer[0] = first & 0x7f;
                Ok(None)
            }
            _ => Varint.decode(buffer),
        }
    }
}

/// The length is made of the bytes that have arrived, and the missing ones are zero.
#[derive(Clone, Default, PartialEq, Eq)]
struct CutHeader {
    length: Option<usize>,
}

impl Toy for CutHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.length.is_none() && !buffer.is_empty() {
            let mut length = [0; 4];
            let available = buffer.len().min(4);
            buffer.copy_to_slice(&mut length[..available]);
            self.length = Some(Int32::limited(length)?);
        }
        let Some(length) = self.length else {
            return Ok(None);
        };
        let frame = take(buffer, 0, length);
        if frame.is_some() {
            self.length = None;
        }
        Ok(frame)
    }

    fn inside(&self, _: &BytesMut) -> bool {
        self.length.is_some()
    }
}

/// If one byte is buffered, it is the whole length.
#[derive(Clone, PartialEq, Eq)]
struct LoneByte;

impl Toy for LoneByte {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer[..] {
            [length] => Ok(take(buffer, 1, limited(length.into())?)),
            _ => Pair.decode(buffer),
        }
    }
}

/// If the length after the marker has not arrived, the marker itself is the length.
#[derive(Clone, PartialEq, Eq)]
struct LoneMarker;

impl Toy for LoneMarker {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer.first() {
            Some(&marker) if buffer.len() <= Extended::more(marker) => {
                Ok(take(buffer, 1, limited(marker.into())?))
            }
            _ => Extended.decode(buffer),
        }
    }
}

/// The length is accumulated as its bytes arrive, and 0 means that none has arrived yet.
#[derive(Clone, Default, PartialEq, Eq)]
struct HighZeros {
    length: usize,
    /// How many bytes of the length are missing.
    more: usize,
}

impl Toy for HighZeros {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.length == 0 {
            let Some(&first) = buffer.first() else {
                return Ok(None);
            };
            buffer.advance(1);
            self.more = Extended::more(first);
            self.length = if self.more == 0 { first.into() } else { 0 };
        }
        while self.more > 0 && !buffer.is_empty() {
            self.length = self.length << 8 | usize::from(buffer.get_u8());
            self.more -= 1;
        }
        if self.more > 0 {
            return Ok(None);
        }
        let frame = take(buffer, 0, limited(self.length)?);
        if frame.is_some() {
            self.length = 0;
        }
        Ok(frame)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.length > 0 || self.more > 0 || !buffer.is_empty()
    }
}

/// The CR after a body ends the frame, and the LF is skipped only if it has arrived.
#[derive(Clone, PartialEq, Eq)]
struct HalfMark;

impl Toy for HalfMark {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some((header, length)) = Chunked::header(buffer)? else {
            return Ok(None);
        };
        if buffer.get(header + length) != Some(&b'\r') {
            return Chunked.decode(buffer);
        }
        let body = take(buffer, header, length);
        buffer.advance(buffer.len().min(2));
        Ok(body)
    }
}

/// The LF is skipped only if it is buffered together with its CR.
#[derive(Clone, PartialEq, Eq)]
struct TwoEnds;

impl Toy for TwoEnds {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(end) = buffer.iter().position(|byte| b"\r\n".contains(byte)) else {
            return Ok(None);
        };
        let both = buffer[end..].starts_with(b"\r\n");
        let line = take_line(buffer, end);
        buffer.advance(usize::from(both));
        Ok(Some(line))
    }
}

/// An incomplete frame longer than a header is an error.
#[derive(Clone, PartialEq, Eq)]
struct LongTail;

impl Toy for LongTail {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match Typed.decode(buffer)? {
            None if buffer.len() > 2 => Err(Error::Malformed),
            next => Ok(next),
        }
    }
}

/// A greeting that has not arrived completely is an error.
#[derive(Clone, Default, PartialEq, Eq)]
struct ShortGreeting {
    correct: Greeting,
}

impl Toy for ShortGreeting {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if !self.correct.greeted && !buffer.is_empty() && !buffer.starts_with(GREETING) {
            return Err(Error::Malformed);
        }
        self.correct.decode(buffer)
    }
}

/// A chunk that continues a body is inserted before the part of the body that is buffered.
#[derive(Clone, PartialEq, Eq)]
struct Shuffled;

impl Toy for Shuffled {
    fn feed(
        &mut self,
        buffer: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        let body = buffer.split_off(buffer.len().min(1));
        buffer.extend_from_slice(chunk);
        buffer.extend_from_slice(&body);
        while let Some(frame) = Short.decode(buffer)? {
            frames.push(frame);
        }
        Ok(())
    }
}
