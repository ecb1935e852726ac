//! The wire formats: for each a correct framer and a naive parse of whole streams. The two were
//! written independently, and the tests check them against each other.

use bytes::{Buf, BytesMut};
use everysplit::Outcome;

use crate::toy::{Error, Expected, Front, LIMIT, Next, Toy, front, limited, naive, take};

/// A wire format. The type that implements this is its correct framer.
pub(crate) trait Format: Toy + Default + 'static {
    /// Valid, truncated and hostile streams to check the correct framer with.
    const STREAMS: &[&[u8]];

    /// The naive parse: returns the expected result of a whole stream.
    fn parse(stream: &[u8]) -> Expected;
}

/// A length of one byte, then the body.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Short;

impl Toy for Short {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first() else {
            return Ok(None);
        };
        Ok(take(buffer, 1, limited(length.into())?))
    }
}

impl Format for Short {
    const STREAMS: &[&[u8]] = &[
        b"",
        b"\x02ab\0\x01c\x08atlimit!",
        b"\x02ab\x03cd",
        b"\x01a\x09too long!\x01b",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| match usize::from(rest[0]) {
            length if length > LIMIT => Front::Rejected(1, Error::TooLong),
            length => front(rest, 1, length),
        })
    }
}

/// A big-endian length of two bytes, then the body.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Pair;

impl Toy for Pair {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first_chunk() else {
            return Ok(None);
        };
        Ok(take(buffer, 2, limited(u16::from_be_bytes(length).into())?))
    }
}

impl Format for Pair {
    const STREAMS: &[&[u8]] = &[b"\0\x02ab\0\0\0\x01c", b"\0\x01a\0", b"\0\0\x01\0a"];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| match *rest {
            [0, length, ..] if length <= 8 => front(rest, 2, length.into()),
            [_, _, ..] => Front::Rejected(2, Error::TooLong),
            _ => Front::Incomplete,
        })
    }
}

/// A signed little-endian length of four bytes, then the body. The limit is large, so that a
/// length within it can claim far more than the stream holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Int32;

impl Int32 {
    pub(crate) const LIMIT: usize = 4096;

    /// Returns the length, or an error if it is negative or over the limit.
    pub(crate) fn limited(length: [u8; 4]) -> Result<usize, Error> {
        match usize::try_from(i32::from_le_bytes(length)) {
            Ok(length @ ..=Self::LIMIT) => Ok(length),
            _ => Err(Error::TooLong),
        }
    }
}

impl Toy for Int32 {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first_chunk() else {
            return Ok(None);
        };
        Ok(take(buffer, 4, Self::limited(length)?))
    }
}

impl Format for Int32 {
    const STREAMS: &[&[u8]] = &[
        b"\x02\0\0\0ab\0\0\0\0\x01\0\0\0c",
        b"\0\x10\0\0at the limit",
        b"\x01\x10\0\0over",
        b"\x01\0\0\0a\xff\xff\xff\xffnegative",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let [a, b, c, d, ..] = *rest else {
                return Front::Incomplete;
            };
            let length = usize::from(a) + 256 * usize::from(b);
            if c > 0 || d > 0 || length > 4096 {
                return Front::Rejected(4, Error::TooLong);
            }
            front(rest, 4, length)
        })
    }
}

/// A length of up to three bytes of seven bits, the low bits first, then the body. The high bit
/// says that another byte follows. The length has at most 16 bits.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Varint;

impl Varint {
    /// Returns the size of the header and the length that it holds, if the header is complete.
    pub(crate) fn header(buffer: &[u8]) -> Result<Option<(usize, usize)>, Error> {
        let mut length = 0;
        for (place, &byte) in buffer.iter().take(3).enumerate() {
            length |= usize::from(byte & 0x7f) << (7 * place);
            if place == 2 && byte > 3 {
                return Err(Error::Malformed);
            }
            if byte < 0x80 {
                return Ok(Some((place + 1, length)));
            }
        }
        Ok(None)
    }
}

impl Toy for Varint {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some((header, length)) = Self::header(buffer)? else {
            return Ok(None);
        };
        Ok(take(buffer, header, limited(length)?))
    }
}

impl Format for Varint {
    const STREAMS: &[&[u8]] = &[
        b"\x02ab\0\x81\0c\x83\x80\0def",
        b"\x01a\x81\x80",
        b"\0\x80\x01over",
        b"\x80\x80\x04\0",
        b"\x80\x80\x80\0",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let (header, length) = match *rest {
                [a @ ..0x80, ..] => (1, u32::from(a)),
                [a, b @ ..0x80, ..] => (2, u32::from(a) - 128 + 128 * u32::from(b)),
                [_, _, 4..=255, ..] => return Front::Rejected(3, Error::Malformed),
                [_, _, 1..=3, ..] => return Front::Rejected(3, Error::TooLong),
                [a, b, _, ..] => (3, u32::from(a) - 128 + 128 * (u32::from(b) - 128)),
                _ => return Front::Incomplete,
            };
            if length > 8 {
                return Front::Rejected(header, Error::TooLong);
            }
            front(rest, header, length as usize)
        })
    }
}

/// A length of one byte up to 125, then the body. A first byte of 126 means that the length is in
/// the next two bytes, 127 that it is in the next eight.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Extended;

impl Extended {
    /// Returns how many bytes of the length follow the first.
    pub(crate) const fn more(first: u8) -> usize {
        match first {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }
}

impl Toy for Extended {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&first) = buffer.first() else {
            return Ok(None);
        };
        let header = 1 + Self::more(first);
        let Some(more) = buffer.get(1..header) else {
            return Ok(None);
        };
        let length = match header {
            1 => u64::from(first),
            _ => more
                .iter()
                .fold(0, |length, &byte| length << 8 | u64::from(byte)),
        };
        let length = usize::try_from(length).map_err(|_| Error::TooLong)?;
        Ok(take(buffer, header, limited(length)?))
    }
}

impl Format for Extended {
    const STREAMS: &[&[u8]] = &[
        b"\x02ab\0\x7e\0\x01c",
        b"\x01a\x7f\0\0\0\0\0\0\0\x03def\x7e\0",
        b"\x09over",
        b"\x7f\x80\0\0\0\0\0\0\0",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let (header, zeros) = match rest[0] {
                126 => (3, 1..2),
                127 => (9, 1..8),
                _ => (1, 0..0),
            };
            if rest.len() < header {
                return Front::Incomplete;
            }
            let length = rest[header - 1];
            if length > 8 || rest[zeros].iter().any(|&byte| byte > 0) {
                return Front::Rejected(header, Error::TooLong);
            }
            front(rest, header, length.into())
        })
    }
}

/// A line, ended by LF.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Line;

/// Returns the offset of the first LF.
pub(crate) fn line_feed(buffer: &[u8]) -> Option<usize> {
    buffer.iter().position(|&byte| byte == b'\n')
}

/// Removes a line and the byte that ends it from the buffer, and returns the line.
pub(crate) fn take_line(buffer: &mut BytesMut, end: usize) -> Vec<u8> {
    let line = buffer.split_to(end).to_vec();
    buffer.advance(1);
    line
}

impl Toy for Line {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let end = line_feed(buffer);
        limited(end.unwrap_or(buffer.len()))?;
        Ok(end.map(|end| take_line(buffer, end)))
    }
}

impl Format for Line {
    const STREAMS: &[&[u8]] = &[b"ab\n\ncdefghij\n", b"ab\ncd", b"a\nbcdefghijk\n"];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            match rest.iter().take(9).position(|&byte| byte == b'\n') {
                Some(end) => Front::Frame(end + 1, rest[..end].to_vec()),
                None if rest.len() > 8 => Front::Rejected(9, Error::TooLong),
                None => Front::Incomplete,
            }
        })
    }
}

/// A line, ended by LF. For a line over the limit [`OVER`] is emitted at the first byte over it,
/// and the rest of the line is discarded.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Discard {
    discards: bool,
}

/// The frame that is emitted for a line over the limit.
pub(crate) const OVER: &[u8] = b"(over the limit)";

impl Toy for Discard {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let end = line_feed(buffer);
        if self.discards {
            buffer.advance(end.map_or(buffer.len(), |end| end + 1));
            self.discards = end.is_none();
            return if self.discards {
                Ok(None)
            } else {
                self.decode(buffer)
            };
        }
        if end.unwrap_or(buffer.len()) > LIMIT {
            self.discards = true;
            return Ok(Some(OVER.to_vec()));
        }
        Ok(end.map(|end| take_line(buffer, end)))
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.discards || !buffer.is_empty()
    }
}

impl Format for Discard {
    const STREAMS: &[&[u8]] = &[b"ab\nabcdefghijk\n\ncd\n", b"ab\nabcdefghi", b"ab"];

    fn parse(stream: &[u8]) -> Expected {
        let (mut frames, mut start) = (Vec::new(), 0);
        for line in stream.split_inclusive(|&byte| byte == b'\n') {
            let end = start + line.len();
            match line.strip_suffix(b"\n") {
                Some(line) if line.len() <= 8 => frames.push((end, line.to_vec())),
                None if line.len() <= 8 => {}
                _ => frames.push((start + 9, OVER.to_vec())),
            }
            start = end;
        }
        let outcome = match stream.last() {
            None | Some(b'\n') => Outcome::Clean,
            _ => Outcome::Truncated(Error::Truncated),
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    }
}

/// A line, ended by CR, LF, or CR LF.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    after_cr: bool,
}

impl Toy for Event {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.after_cr && !buffer.is_empty() {
            buffer.advance(usize::from(buffer[0] == b'\n'));
            self.after_cr = false;
        }
        let end = buffer.iter().position(|byte| b"\r\n".contains(byte));
        if let Some(end) = end {
            self.after_cr = buffer[end] == b'\r';
        }
        Ok(end.map(|end| take_line(buffer, end)))
    }
}

impl Format for Event {
    const STREAMS: &[&[u8]] = &[b"a\r\nb\nc\rd\r\n", b"a\r\r\n\n\nb", b"\r\n"];

    fn parse(stream: &[u8]) -> Expected {
        let (mut frames, mut line) = (Vec::new(), Vec::new());
        for (at, &byte) in stream.iter().enumerate() {
            match byte {
                b'\n' if at > 0 && stream[at - 1] == b'\r' => {}
                b'\r' | b'\n' => frames.push((at + 1, std::mem::take(&mut line))),
                _ => line.push(byte),
            }
        }
        Expected {
            frames,
            at_end: Vec::new(),
            outcome: match line[..] {
                [] => Outcome::Clean,
                _ => Outcome::Truncated(Error::Truncated),
            },
        }
    }
}

/// The reference format: a size, a cmd and a recv, each four bytes and little-endian, then the
/// body. A size over the limit is rejected at its fourth byte.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Header12;

impl Toy for Header12 {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&size) = buffer.first_chunk() else {
            return Ok(None);
        };
        let size = usize::try_from(u32::from_le_bytes(size)).map_err(|_| Error::TooLong)?;
        Ok(take(buffer, 12, limited(size)?))
    }
}

impl Format for Header12 {
    const STREAMS: &[&[u8]] = &[
        b"\x02\0\0\0cmd.recvab\0\0\0\0cmd.recv",
        b"\x01\0\0\0cmd.recva\x01\0\0\0cmd.re",
        b"\x09\0\0\0cmd.recv",
        b"EXIT",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| match *rest {
            [size @ ..=8, 0, 0, 0, ..] => front(rest, 12, size.into()),
            [_, _, _, _, ..] => Front::Rejected(4, Error::TooLong),
            _ => Front::Incomplete,
        })
    }
}

/// A length in decimal digits, a colon, then the body. A length is rejected at the digit that takes
/// it over 12.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Decimal;

impl Toy for Decimal {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let mut length = 0;
        for (place, &byte) in buffer.iter().enumerate() {
            match byte {
                b'0'..=b'9' => length = 10 * length + usize::from(byte - b'0'),
                b':' if place > 0 => return Ok(take(buffer, place + 1, length)),
                _ => return Err(Error::Malformed),
            }
            if length > 12 {
                return Err(Error::TooLong);
            }
        }
        Ok(None)
    }
}

impl Format for Decimal {
    const STREAMS: &[&[u8]] = &[
        b"2:ab0:12:twelve bytes",
        b"1:a11",
        b"0:13:over",
        b":a",
        b"1x:a",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let over = (1..=digits).find(|&end| {
                let digits = str::from_utf8(&rest[..end]).unwrap();
                digits.parse::<u64>().unwrap() > 12
            });
            match (over, rest.get(digits)) {
                (Some(at), _) => Front::Rejected(at, Error::TooLong),
                (None, None) => Front::Incomplete,
                (None, Some(b':')) if digits > 0 => {
                    let length = str::from_utf8(&rest[..digits]).unwrap().parse().unwrap();
                    front(rest, digits + 1, length)
                }
                _ => Front::Rejected(digits + 1, Error::Malformed),
            }
        })
    }
}

/// A length in hexadecimal digits, CR LF, the body, CR LF. A length is rejected at the digit that
/// takes it over 15.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Chunked;

impl Chunked {
    /// Returns the size of the header with its CR LF and the length that it holds, if the header is
    /// complete.
    pub(crate) fn header(buffer: &[u8]) -> Result<Option<(usize, usize)>, Error> {
        let mut length = 0;
        for (place, &byte) in buffer.iter().enumerate() {
            match hexadecimal(byte) {
                Some(digit) => length = 16 * length + usize::from(digit),
                None if place == 0 || byte != b'\r' => return Err(Error::Malformed),
                None => {
                    return match buffer.get(place + 1) {
                        None => Ok(None),
                        Some(b'\n') => Ok(Some((place + 2, length))),
                        Some(_) => Err(Error::Malformed),
                    };
                }
            }
            if length > 15 {
                return Err(Error::TooLong);
            }
        }
        Ok(None)
    }
}

/// Returns the value of a hexadecimal digit.
pub(crate) fn hexadecimal(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    digit.try_into().ok()
}

impl Toy for Chunked {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some((header, length)) = Self::header(buffer)? else {
            return Ok(None);
        };
        let end = header + length;
        let mark = buffer.get(end..).unwrap_or_default();
        if !b"\r\n".starts_with(&mark[..mark.len().min(2)]) {
            return Err(Error::Malformed);
        }
        if mark.len() < 2 {
            return Ok(None);
        }
        let body = take(buffer, header, length);
        buffer.advance(2);
        Ok(body)
    }
}

impl Format for Chunked {
    const STREAMS: &[&[u8]] = &[
        b"2\r\nab\r\n03\r\n\r\n\r\r\n0\r\n\r\n",
        b"1\r\na\r",
        b"1\r\nabc",
        b"1\ra",
        b"10\r\nover",
        b"\r\n",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit());
            let digits = str::from_utf8(&rest[..digits.count()]).unwrap();
            let length =
                |end| u64::from_str_radix(&digits[..end], 16).expect("a few hexadecimal digits");
            if let Some(at) = (1..=digits.len()).find(|&end| length(end) > 15) {
                return Front::Rejected(at, Error::TooLong);
            }
            let mark = &rest[digits.len()..];
            if mark.is_empty() {
                return Front::Incomplete;
            }
            if digits.is_empty() {
                return Front::Rejected(1, Error::Malformed);
            }
            let length = usize::try_from(length(digits.len())).unwrap();
            for mark in [digits.len(), digits.len() + 2 + length] {
                for (place, expected) in (mark..).zip(*b"\r\n") {
                    match rest.get(place) {
                        None => return Front::Incomplete,
                        Some(&byte) if byte == expected => {}
                        Some(_) => return Front::Rejected(place + 1, Error::Malformed),
                    }
                }
            }
            let body = digits.len() + 2..digits.len() + 2 + length;
            Front::Frame(body.end + 2, rest[body].to_vec())
        })
    }
}

/// A type, a length of one byte that does not count the type, then the body. The frame is the type
/// and the body, and both count toward the limit.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Typed;

impl Typed {
    /// Removes a type, a length and a body from the buffer, and returns the type and the body.
    pub(crate) fn take(buffer: &mut BytesMut, length: usize) -> Option<Vec<u8>> {
        let first = buffer[0];
        let body = take(buffer, 2, length)?;
        Some([&[first], &body[..]].concat())
    }
}

impl Toy for Typed {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.get(1) else {
            return Ok(None);
        };
        limited(1 + usize::from(length))?;
        Ok(Self::take(buffer, length.into()))
    }
}

impl Format for Typed {
    const STREAMS: &[&[u8]] = &[
        b"t\x02abu\0v\x07atlimit",
        b"t\x01au",
        b"t\0u\x08over",
        b"t\xff",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| match *rest {
            [_, 8..=255, ..] => Front::Rejected(2, Error::TooLong),
            [first, length, ..] => match front(rest, 2, length.into()) {
                Front::Frame(len, body) => Front::Frame(len, [vec![first], body].concat()),
                other => other,
            },
            _ => Front::Incomplete,
        })
    }
}

/// A size of one byte that counts itself, then the body.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Total;

impl Toy for Total {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&size) = buffer.first() else {
            return Ok(None);
        };
        let length = usize::from(size).checked_sub(1).ok_or(Error::Malformed)?;
        Ok(take(buffer, 1, limited(length)?))
    }
}

impl Format for Total {
    const STREAMS: &[&[u8]] = &[
        b"\x03ab\x01\x09atlimit!",
        b"\x02a\x03b",
        b"\x01\x0aover",
        b"\x01\0a",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| match rest[0] {
            0 => Front::Rejected(1, Error::Malformed),
            size @ 1..=9 => front(rest, 1, usize::from(size) - 1),
            _ => Front::Rejected(1, Error::TooLong),
        })
    }
}

/// Values of four bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Values;

impl Toy for Values {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        Ok(take(buffer, 0, 4))
    }
}

impl Format for Values {
    const STREAMS: &[&[u8]] = &[b"abcdefgh", b"abcdef"];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| front(rest, 0, 4))
    }
}

/// A greeting of eight bytes, which is emitted as a frame, then frames as in [`Short`].
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) greeted: bool,
}

pub(crate) const GREETING: &[u8; 8] = b"greeting";

impl Toy for Greeting {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.greeted {
            return Short.decode(buffer);
        }
        match buffer.first_chunk() {
            None => Ok(None),
            Some(GREETING) => {
                self.greeted = true;
                Ok(take(buffer, 0, 8))
            }
            Some(_) => Err(Error::Malformed),
        }
    }
}

impl Format for Greeting {
    const STREAMS: &[&[u8]] = &[
        b"greeting\x02ab\0",
        b"greeting",
        b"greeti",
        b"greetingg\x01a",
        b"greetink\x01a",
    ];

    fn parse(stream: &[u8]) -> Expected {
        let Some((greeting, rest)) = stream.split_at_checked(8) else {
            return naive(stream, |_| Front::Incomplete);
        };
        if greeting != b"greeting" {
            return naive(stream, |_| Front::Rejected(8, Error::Malformed));
        }
        let Expected {
            frames,
            at_end,
            outcome,
        } = Short::parse(rest);
        let after = frames.into_iter().map(|(end, frame)| (8 + end, frame));
        Expected {
            frames: [(8, greeting.to_vec())].into_iter().chain(after).collect(),
            at_end,
            outcome: match outcome {
                Outcome::Rejected { at, error } => Outcome::Rejected { at: 8 + at, error },
                other => other,
            },
        }
    }
}

/// The answer to a challenge, of four bytes, then frames as in [`Short`]. A stream without the
/// answer is truncated even if it is empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Keyed {
    pub(crate) passed: bool,
}

pub(crate) const KEYED: &[u8; 4] = b"hmac";

impl Keyed {
    /// Removes the answer from the buffer once it is complete, and checks it.
    pub(crate) fn open(&mut self, buffer: &mut BytesMut) -> Result<(), Error> {
        match buffer.first_chunk() {
            None => Ok(()),
            Some(KEYED) => {
                buffer.advance(KEYED.len());
                self.passed = true;
                Ok(())
            }
            Some(_) => Err(Error::Malformed),
        }
    }
}

impl Toy for Keyed {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if !self.passed {
            self.open(buffer)?;
        }
        if self.passed {
            return Short.decode(buffer);
        }
        Ok(None)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        !self.passed || !buffer.is_empty()
    }
}

impl Format for Keyed {
    const STREAMS: &[&[u8]] = &[
        b"hmac\x02ab\0",
        b"hmac\x01a\x09over",
        b"hmachmac",
        b"xmac\x01a",
        b"hmax\x01a",
    ];

    fn parse(stream: &[u8]) -> Expected {
        let no_frames = |outcome| Expected {
            frames: Vec::new(),
            at_end: Vec::new(),
            outcome,
        };
        match stream.split_at_checked(4) {
            None => no_frames(Outcome::Truncated(Error::Truncated)),
            Some((b"hmac", rest)) => {
                let Expected {
                    frames,
                    at_end,
                    outcome,
                } = Short::parse(rest);
                let frames = frames.into_iter();
                Expected {
                    frames: frames.map(|(end, frame)| (4 + end, frame)).collect(),
                    at_end,
                    outcome: match outcome {
                        Outcome::Rejected { at, error } => Outcome::Rejected { at: 4 + at, error },
                        other => other,
                    },
                }
            }
            Some(_) => {
                let (at, error) = (4, Error::Malformed);
                no_frames(Outcome::Rejected { at, error })
            }
        }
    }
}

/// A header: lines up to an empty line. The frame is the lines without the two LF at their end.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The offset to search from: no end mark begins in the bytes before it.
    searched: usize,
}

impl Toy for Head {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let mut pairs = buffer[self.searched..].windows(2);
        let Some(end) = pairs.position(|pair| pair == b"\n\n") else {
            self.searched = buffer.len().saturating_sub(1);
            return Ok(None);
        };
        let end = std::mem::take(&mut self.searched) + end;
        let head = take(buffer, 0, end);
        buffer.advance(2);
        Ok(head)
    }
}

impl Format for Head {
    const STREAMS: &[&[u8]] = &[b"a: b\nc: d\n\n\n\ne: f\n\n", b"\na: b\n", b"\n\n\n"];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let end = (0..rest.len()).find(|&end| rest[end..].starts_with(b"\n\n"));
            match end {
                Some(end) => Front::Frame(end + 2, rest[..end].to_vec()),
                None => Front::Incomplete,
            }
        })
    }
}

/// A little-endian length of four bytes, then the body, of up to 16 MiB.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Large;

impl Toy for Large {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first_chunk() else {
            return Ok(None);
        };
        match u32::from_le_bytes(length) {
            length @ ..=0x100_0000 => Ok(take(buffer, 4, length as usize)),
            _ => Err(Error::TooLong),
        }
    }
}

impl Format for Large {
    const STREAMS: &[&[u8]] = &[
        b"\x02\0\0\0ab\0\0\0\0\x01\0\0\0c",
        b"\0\0\0\x01at the limit",
        b"\x01\0\0\0a\x01\0\0\x01over",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let [a, b, c, d, ..] = *rest else {
                return Front::Incomplete;
            };
            let length = usize::from(a) + (usize::from(b) << 8) + (usize::from(c) << 16);
            match (d, length) {
                (0, _) => front(rest, 4, length),
                (1, 0) => front(rest, 4, 1 << 24),
                _ => Front::Rejected(4, Error::TooLong),
            }
        })
    }
}

/// A little-endian count of four bytes, then as many entries, which are frames as in [`Short`]. The
/// frame is the bytes of all entries, their lengths included.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Array {
    /// How many entries are complete.
    complete: u32,
    /// The size of the complete entries in bytes.
    bytes: usize,
}

impl Toy for Array {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&count) = buffer.first_chunk() else {
            return Ok(None);
        };
        while self.complete < u32::from_le_bytes(count) {
            let Some((&length, rest)) = buffer[4 + self.bytes..].split_first() else {
                return Ok(None);
            };
            let length = limited(length.into())?;
            if rest.len() < length {
                return Ok(None);
            }
            self.complete += 1;
            self.bytes += 1 + length;
        }
        let Self { bytes, .. } = std::mem::take(self);
        Ok(take(buffer, 4, bytes))
    }
}

impl Format for Array {
    const STREAMS: &[&[u8]] = &[
        b"\x03\0\0\0\x01a\0\x02bc\0\0\0\0\x01\0\0\0\0",
        b"\0\x01\0\0\x01a\x03bc",
        b"\x02\0\0\0\x01a\x09over",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let [a, b, c, d, ..] = *rest else {
                return Front::Incomplete;
            };
            let mut end = 4;
            for _ in 0..u32::from_le_bytes([a, b, c, d]) {
                match rest.get(end) {
                    None => return Front::Incomplete,
                    Some(9..) => return Front::Rejected(end + 1, Error::TooLong),
                    Some(&length) => end += 1 + usize::from(length),
                }
            }
            front(rest, 4, end - 4)
        })
    }
}

/// A signed little-endian length of four bytes, then a header, then the body. The header holds
/// entries in braces, one of which is the size of the body: digits and then `t` or `f`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Upload;

impl Upload {
    /// The smallest header length that is over the limit.
    pub(crate) const OVER: i32 = 9;

    /// Returns the length of the header, if its four bytes have arrived.
    pub(crate) fn length(buffer: &[u8]) -> Result<Option<usize>, Error> {
        let length = buffer
            .first_chunk()
            .map(|&length| i32::from_le_bytes(length));
        match length.map(usize::try_from) {
            Some(Ok(length)) => limited(length).map(Some),
            Some(Err(_)) => Err(Error::TooLong),
            None => Ok(None),
        }
    }

    /// Returns the size of the body that a header declares.
    pub(crate) fn size(header: &[u8]) -> Result<usize, Error> {
        let text = str::from_utf8(header).ok();
        let entries = text.and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
        let entries = entries.ok_or(Error::Malformed)?.split(',');
        let mut sizes = entries.filter_map(|entry| entry.strip_suffix(['t', 'f']));
        match (sizes.next(), sizes.next()) {
            (Some(size), None) => size.parse().map_err(|_| Error::Malformed),
            _ => Err(Error::Malformed),
        }
    }
}

impl Toy for Upload {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(length) = Self::length(buffer)? else {
            return Ok(None);
        };
        let Some(header) = buffer.get(4..4 + length) else {
            return Ok(None);
        };
        let size = limited(Self::size(header)?)?;
        Ok(take(buffer, 4 + length, size))
    }
}

impl Format for Upload {
    const STREAMS: &[&[u8]] = &[
        b"\x06\0\0\0{a,2t}ab\x04\0\0\0{0f}",
        b"\x04\0\0\0{8t}at limit",
        b"\x04\0\0\0{9t}too long",
        b"\x07\0\0\0{1t,2f}two sizes",
        b"\x03\0\0\0{t}",
        b"\x05\0\0\0{-1t}",
        b"\0\0\0\0",
        b"\x09\0\0\0{too long",
        b"\xff\xff\xff\xff",
    ];

    fn parse(stream: &[u8]) -> Expected {
        naive(stream, |rest| {
            let [a, b, c, d, ref rest @ ..] = *rest else {
                return Front::Incomplete;
            };
            if a > 8 || b > 0 || c > 0 || d > 0 {
                return Front::Rejected(4, Error::TooLong);
            }
            let length = usize::from(a);
            let Some(header) = rest.get(..length) else {
                return Front::Incomplete;
            };
            let sizes = header.iter().filter(|&byte| b"tf".contains(byte)).count();
            let at = header.iter().position(|byte| b"tf".contains(byte));
            let digits = match (header, at) {
                ([b'{', .., b'}'], Some(at)) if sizes == 1 => {
                    let begin = header[..at].iter().rposition(|byte| b"{,".contains(byte));
                    &header[begin.map_or(at, |begin| begin + 1)..at]
                }
                _ => &[],
            };
            match digits {
                [digit @ b'0'..=b'8'] => match front(rest, length, usize::from(digit - b'0')) {
                    Front::Frame(len, frame) => Front::Frame(4 + len, frame),
                    other => other,
                },
                [b'9'] => Front::Rejected(4 + length, Error::TooLong),
                _ => Front::Rejected(4 + length, Error::Malformed),
            }
        })
    }
}
