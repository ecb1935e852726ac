//! The errors of the decoder and the encoder. They share [`Flaw`], the invalid content of a header.

use core::fmt;

/// Why a stream was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The length of a header is negative or over the size limit. Returned as soon as its four
    /// bytes have been received. The decoder is then poisoned.
    HeaderLength {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The length claimed, in bytes.
        length: i32,
        /// The size limit, in bytes.
        max_header_size: u32,
    },
    /// The content of a header is invalid. Returned as soon as its last byte has been received.
    /// The decoder is then poisoned.
    Header {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The reason.
        flaw: Flaw,
    },
    /// A body does not have the md5 that its header announces. Returned as soon as its last byte
    /// has been received. The decoder is then poisoned.
    Md5Mismatch {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The md5 in the header. Its first digit is the most significant.
        expected: u128,
        /// The md5 of the body.
        actual: u128,
    },
    /// The stream ended inside a header or its length.
    TruncatedHeader {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The number of bytes of length and header that were received.
        received: u64,
        /// The number of bytes of length and header. If the length was not received, 4.
        due: u64,
    },
    /// The stream ended inside a body.
    TruncatedBody {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The number of bytes of the body that were received.
        received: u64,
        /// The size of the body, in bytes.
        due: u64,
    },
}

/// Why the content of a header is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// It is not UTF-8.
    NotUtf8,
    /// It is not JSON, or has more than 127 levels of nesting. NaN and Infinity, which Python's
    /// `json.dumps` writes, are not JSON.
    NotJson,
    /// It is JSON, but not an object.
    NotObject,
    /// It has a duplicate key. Some parsers read the first value and some the last, so both ends
    /// could understand it differently.
    KeyTwice,
    /// It has none of these keys for the size of the body.
    NoSize(&'static [&'static str]),
    /// It has both of these keys for the size of the body.
    TwoSizes(&'static str, &'static str),
    /// The value of this key is not an integer from 0 to 2^64 - 1. 5.0 and 5e0 are not integers.
    NotSize(&'static str),
    /// The body is over the size limit.
    BodyTooLarge {
        /// The size announced, in bytes.
        size: u64,
        /// The size limit, in bytes.
        max_size: u64,
    },
    /// The md5 is checked, and is not a string of 32 hexadecimal digits.
    NotMd5,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderLength {
                offset,
                length,
                max_header_size,
            } => {
                write!(
                    f,
                    "header length {length} at offset {offset} is not in the range 0 to {max_header_size}: "
                )?;
                let swapped = length.swap_bytes();
                if u32::try_from(swapped).is_ok_and(|swapped| swapped <= max_header_size) {
                    write!(
                        f,
                        "in the other byte order it is {swapped}; \
                         check that both ends use the same byte order"
                    )
                } else {
                    f.write_str(
                        "close the connection, or raise max_header_size to accept larger headers",
                    )
                }
            }
            Self::Header { offset, flaw } => write!(f, "header at offset {offset} {flaw}"),
            Self::Md5Mismatch {
                offset,
                expected,
                actual,
            } => write!(
                f,
                "body of the frame at offset {offset} has the md5 {actual:032x}, \
                 but its header says {expected:032x}: discard the body and request it again"
            ),
            Self::TruncatedHeader {
                offset,
                received,
                due,
            } => {
                let at_least = if received < 4 { "at least " } else { "" };
                write!(
                    f,
                    "stream ended inside the header at offset {offset}: \
                     received {received} of {at_least}{due} bytes; \
                     the peer closed early or bytes were lost"
                )
            }
            Self::TruncatedBody {
                offset,
                received,
                due,
            } => write!(
                f,
                "stream ended inside the body of the frame at offset {offset}: \
                 received {received} of {due} bytes; the peer closed early or bytes were lost"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotUtf8 => f.write_str("is not UTF-8: encode it as UTF-8"),
            Self::NotJson => {
                f.write_str("is not JSON: check that both ends send a length, then the header")
            }
            Self::NotObject => {
                f.write_str("is not a JSON object: send one such as {\"total_size\": 5}")
            }
            Self::KeyTwice => f.write_str("has a duplicate key: send each key once"),
            Self::NoSize(keys) => write!(
                f,
                "has no size: send it under one of {keys:?}, or add its key to size_keys"
            ),
            Self::TwoSizes(first, second) => {
                write!(f, "has two sizes, {first} and {second}: send one of them")
            }
            Self::NotSize(key) => write!(
                f,
                "has a {key} that is not an integer from 0 to {}: \
                 send the size of the body in bytes, without fraction or exponent",
                u64::MAX
            ),
            Self::BodyTooLarge { size, max_size } => write!(
                f,
                "announces a body of {size} bytes, over the limit of {max_size} bytes: \
                 close the connection, or raise max_size to accept larger bodies"
            ),
            Self::NotMd5 => f.write_str(
                "has an md5 that is not a string of 32 hexadecimal digits: \
                 send one, or use Md5::Ignore",
            ),
        }
    }
}

impl core::error::Error for Flaw {}

/// Why a header was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The header is over the size limit: the decoder would reject it.
    HeaderTooLarge {
        /// The size of the header, in bytes.
        header_size: usize,
        /// The size limit, in bytes. At most 2^31 - 1.
        max_header_size: u32,
    },
    /// The content of the header is invalid: the decoder would reject it.
    Header(Flaw),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderTooLarge {
                header_size,
                max_header_size,
            } => write!(
                f,
                "header of {header_size} bytes is over the limit of {max_header_size} bytes: \
                 shorten it, or raise max_header_size at both ends"
            ),
            Self::Header(flaw) => write!(f, "header {flaw}"),
        }
    }
}

impl core::error::Error for EncodeError {}
