//! Cut inside the prefix: what comes first is short, and is not awaited.

use bytes::{Buf, BytesMut};
use everysplit::Frames;
use everysplit::check::Property;

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
            "a marker without its length is one",
            "bun PR9027, mint_web_socket PR22",
            Property::Limit,
            LoneMarker,
            &[b"\x01a\x7e\0\x02bc"],
        ),
        Mutant::new::<Extended>(
            "a length of zero so far has not begun",
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
            "a tail longer than a header is bad",
            "emqx PR4858",
            Property::Limit,
            LongTail,
            &[b"t\x03abcu\x01d"],
        ),
        Mutant::new::<Greeting>(
            "a greeting that is cut is refused",
            "amqpprox PR10",
            Property::Limit,
            ShortGreeting::default(),
            &[b"greeting\x01a"],
        ),
        Mutant::new::<Short>(
            "what comes later is put in front",
            "vector PR26169",
            Property::EverySplit,
            Shuffled,
            &[b"\x04abcd"],
        ),
    ]
}

/// The high bit of the last byte that came says that there is another: it is not
/// awaited.
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

/// Whatever bytes of the length are there make it.
#[derive(Clone, Default, PartialEq, Eq)]
struct CutHeader {
    length: Option<usize>,
}

impl Toy for CutHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.length.is_none() && !buffer.is_empty() {
            let mut length = [0; 4];
            let there = buffer.len().min(4);
            buffer.copy_to_slice(&mut length[..there]);
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

/// A read of one byte is taken for the whole length.
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

/// When the bytes that the marker speaks of are not there, it is a length itself.
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

/// The length is put together as it comes, and 0 is taken for "none yet".
#[derive(Clone, Default, PartialEq, Eq)]
struct HighZeros {
    length: usize,
    /// How many bytes of it are to come.
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

/// The CR behind a body ends it, and the LF is skipped if it is there.
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

/// The LF is skipped only when it is in one buffer with its CR.
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

/// Only as much as a header is thought to be left over.
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

/// Fewer bytes than a greeting has are not one.
#[derive(Clone, Default, PartialEq, Eq)]
struct ShortGreeting {
    right: Greeting,
}

impl Toy for ShortGreeting {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if !self.right.greeted && !buffer.is_empty() && !buffer.starts_with(GREETING) {
            return Err(Error::Malformed);
        }
        self.right.decode(buffer)
    }
}

/// A chunk inside a body is joined to the wrong end of what is there.
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
