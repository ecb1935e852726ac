//! A signed length, then the body: bugs of receive loops that do read a length first. A length cut
//! by `recv(4)` is in `one_recv`, and one whose missing bytes are taken for zero in `prefix`.

use bytes::{Buf, BytesMut};
use everysplit::Property;
use everysplit::subject::Frames;

use crate::Mutant;
use crate::formats::Int32;
use crate::toy::{Error, Frame, Next, Toy, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Int32>(
            "one recv is taken for a whole body",
            "the length-prefix tutorials",
            Property::EverySplit,
            OneRecvBody::default(),
            &[b"\x02\0\0\0ab\x01\0\0\0c"],
        ),
        Mutant::new::<Int32>(
            "a message is no longer than one recv",
            "the recv(1024) tutorials",
            Property::EverySplit,
            RecvOfFive,
            &[b"\x01\0\0\0a", b"\x02\0\0\0bc"],
        ),
        Mutant::new::<Int32>(
            "a length is read without its sign",
            "the length-prefix tutorials",
            Property::Limit,
            Unsigned,
            &[b"\x01\0\0\0a\xff\xff\xff\xffabc"],
        ),
        Mutant::new::<Int32>(
            "a negative length is an empty body",
            "the length-prefix tutorials",
            Property::Limit,
            NegativeIsEmpty,
            &[b"\x01\0\0\0a\xff\xff\xff\xffabc"],
        ),
        Mutant::new::<Int32>(
            "a length is not checked against a limit",
            "the length-prefix tutorials",
            Property::Limit,
            NoLimit,
            &[b"\x01\0\0\0a\x01\x10\0\0over"],
        ),
        Mutant::new::<Int32>(
            "a length is checked only with the body",
            "the length-prefix tutorials",
            Property::Limit,
            LateLimit,
            &[b"\x01\0\0\0a\x01\x10\0\0over"],
        ),
        Mutant::new::<Int32>(
            "length plus header wraps below zero",
            "thrift PR3784, Dekaf#893",
            Property::Limit,
            NegativeSum,
            &[b"\x01\0\0\0a\xff\xff\xff\x7fover"],
        ),
        Mutant::new::<Int32>(
            "an empty body is no message",
            "the length-prefix tutorials",
            Property::RoundTrip,
            DropsEmpty,
            &[b"\x01\0\0\0a\0\0\0\0\x01\0\0\0b"],
        ),
    ]
}

/// `recv(length)` may return fewer bytes, but its result is taken for the whole body.
#[derive(Clone, Default, PartialEq, Eq)]
struct OneRecvBody {
    length: Option<usize>,
}

impl Toy for OneRecvBody {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if self.length.is_none() {
            let Some(&length) = buffer.first_chunk() else {
                return Ok(None);
            };
            buffer.advance(4);
            self.length = Some(Int32::limited(length)?);
        }
        let Some(length) = self.length else {
            return Ok(None);
        };
        if buffer.is_empty() && length > 0 {
            return Ok(None);
        }
        self.length = None;
        Ok(take(buffer, 0, length.min(buffer.len())))
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.length.is_some() || !buffer.is_empty()
    }
}

/// `recv(5)` where the tutorials have `recv(1024)`: the result of each call, without its length, is
/// taken for a message.
#[derive(Clone, PartialEq, Eq)]
struct RecvOfFive;

impl Toy for RecvOfFive {
    fn feed(
        &mut self,
        _: &mut BytesMut,
        chunk: &[u8],
        frames: &mut Frames<Frame>,
    ) -> Result<(), Error> {
        let received = chunk.chunks(5).filter_map(|received| received.get(4..));
        frames.extend(received.map(Frame::from));
        Ok(())
    }
}

/// `struct.unpack("I")` where the peer packs `"i"`: a negative length is read as a large one, and
/// there is no limit.
#[derive(Clone, PartialEq, Eq)]
struct Unsigned;

impl Toy for Unsigned {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first_chunk() else {
            return Ok(None);
        };
        Ok(take(buffer, 4, u32::from_le_bytes(length) as usize))
    }
}

/// `while received < length` ends at once if the length is negative.
#[derive(Clone, PartialEq, Eq)]
struct NegativeIsEmpty;

impl Toy for NegativeIsEmpty {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer.first_chunk() {
            Some(&length) if i32::from_le_bytes(length) < 0 => Ok(take(buffer, 4, 0)),
            _ => Int32.decode(buffer),
        }
    }
}

/// The sign is checked, the limit is not.
#[derive(Clone, PartialEq, Eq)]
struct NoLimit;

impl Toy for NoLimit {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first_chunk() else {
            return Ok(None);
        };
        let length = usize::try_from(i32::from_le_bytes(length));
        Ok(take(buffer, 4, length.map_err(|_| Error::TooLong)?))
    }
}

/// A length is rejected only once a byte of the body has arrived.
#[derive(Clone, PartialEq, Eq)]
struct LateLimit;

impl Toy for LateLimit {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer[..] {
            [0, 0, 0, 0, ..] | [_, _, _, _, _, ..] => Int32.decode(buffer),
            _ => Ok(None),
        }
    }
}

/// The sum that is compared with the limit is signed, and wraps below zero.
#[derive(Clone, PartialEq, Eq)]
struct NegativeSum;

impl Toy for NegativeSum {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first_chunk() else {
            return Ok(None);
        };
        let length = i32::from_le_bytes(length);
        let over = length.wrapping_add(4) > 4 + 4096;
        match usize::try_from(length) {
            Ok(length) if !over => Ok(take(buffer, 4, length)),
            _ => Err(Error::TooLong),
        }
    }
}

/// `if not data: continue` skips empty messages.
#[derive(Clone, PartialEq, Eq)]
struct DropsEmpty;

impl Toy for DropsEmpty {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        loop {
            match Int32.decode(buffer)? {
                Some(body) if body.is_empty() => {}
                next => return Ok(next),
            }
        }
    }
}
