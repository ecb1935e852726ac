//! Overflow, negative, undersized: arithmetic on a hostile length wraps.

use bytes::BytesMut;
use everysplit::Property;

use crate::Mutant;
use crate::formats::{Chunked, Int32, Total, Typed, Varint, hexadecimal};
use crate::toy::{Error, LIMIT, Next, Toy, limited, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Chunked>(
            "digits of a length wrap",
            "RUSTSEC-2021-0079",
            Property::Limit,
            HexWraps,
            &[b"101\r\na"],
        ),
        Mutant::new::<Typed>(
            "the sum of header and length wraps",
            "RUSTSEC-2026-0181, Dekaf#893",
            Property::Limit,
            SumWraps,
            &[b"t\x01at\xfeover"],
        ),
        Mutant::new::<Int32>(
            "a negative length is below the limit",
            "thrift PR3784",
            Property::Limit,
            Negative,
            &[b"\0\0\0\0\xff\xff\xff\xffabc"],
        ),
        Mutant::new::<Total>(
            "a size of 0 minus its header is huge",
            "rust-snappy#29",
            Property::Rejection,
            Underflows,
            &[b"\x02a\0abc"],
        ),
        Mutant::new::<Varint>(
            "high bits of a varint are dropped",
            "prost#528",
            Property::Rejection,
            VarintWraps,
            &[b"\x85\x80\x04abc"],
        ),
    ]
}

/// The length is accumulated in a `u8`, which wraps at the third digit.
#[derive(Clone, PartialEq, Eq)]
struct HexWraps;

impl Toy for HexWraps {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(end) = buffer.windows(2).position(|mark| mark == b"\r\n") else {
            return Ok(None);
        };
        let digits = buffer[..end].iter().filter_map(|&byte| hexadecimal(byte));
        let length = digits.fold(0u8, |length, digit| length.wrapping_mul(16) + digit);
        if buffer.len() < end + 2 + usize::from(length) + 2 {
            return Ok(None);
        }
        let body = take(buffer, end + 2, length.into());
        take(buffer, 0, 2);
        Ok(body)
    }
}

/// The sum that is compared with the limit has the type of the length, and wraps.
#[derive(Clone, PartialEq, Eq)]
struct SumWraps;

impl Toy for SumWraps {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.get(1) else {
            return Ok(None);
        };
        let header = 2;
        if usize::from(length.wrapping_add(header)) > LIMIT + 1 {
            return Err(Error::TooLong);
        }
        Ok(Typed::take(buffer, length.into()))
    }
}

/// The limit is compared with the signed length. The framer waits for the unsigned length.
#[derive(Clone, PartialEq, Eq)]
struct Negative;

impl Toy for Negative {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&length) = buffer.first_chunk() else {
            return Ok(None);
        };
        if i32::from_le_bytes(length) > 4096 {
            return Err(Error::TooLong);
        }
        let unsigned = u32::from_le_bytes(length);
        Ok(take(buffer, 4, usize::try_from(unsigned).unwrap()))
    }
}

/// The header is subtracted from the size without a check for underflow.
#[derive(Clone, PartialEq, Eq)]
struct Underflows;

impl Toy for Underflows {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let Some(&size) = buffer.first() else {
            return Ok(None);
        };
        if usize::from(size) > 1 + LIMIT {
            return Err(Error::TooLong);
        }
        Ok(take(buffer, 1, usize::from(size).wrapping_sub(1)))
    }
}

/// The bits of the third byte that do not fit are dropped.
#[derive(Clone, PartialEq, Eq)]
struct VarintWraps;

impl Toy for VarintWraps {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let [first, second, third, ..] = buffer[..] else {
            return Varint.decode(buffer);
        };
        if first < 0x80 || second < 0x80 {
            return Varint.decode(buffer);
        }
        let length =
            u16::from(first & 0x7f) | u16::from(second & 0x7f) << 7 | u16::from(third) << 14;
        Ok(take(buffer, 3, limited(length.into())?))
    }
}
