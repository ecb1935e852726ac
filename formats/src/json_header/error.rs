//! What the decoder says of bad input, and the encoder of bad fields. What is wrong
//! inside a header is a [`Flaw`], the same for both.

use core::fmt;

/// Why a stream is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A header's length is negative, or over the limit. Known as soon as the four
    /// bytes of the length are in; the decoder is poisoned.
    HeaderLength {
        /// Where in the stream the frame begins, and with it the length.
        offset: u64,
        /// The length claimed, in bytes.
        length: i32,
        /// The limit it was held against, in bytes.
        max_header_size: u32,
    },
    /// A header does not do. Known as soon as its last byte is in; the decoder is
    /// poisoned.
    Header {
        /// Where in the stream the frame begins, and with it the length.
        offset: u64,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// A body is not the one that its header tells the md5 of. Known as soon as its
    /// last byte is in; the decoder is poisoned.
    Md5Mismatch {
        /// Where in the stream the frame begins.
        offset: u64,
        /// The md5 in the header; its first digit is the most significant.
        expected: u128,
        /// The md5 of the body.
        actual: u128,
    },
    /// The stream ended inside a header or its length.
    TruncatedHeader {
        /// Where in the stream the frame begins.
        offset: u64,
        /// How many bytes of length and header came.
        received: u64,
        /// How many bytes length and header have; as long as the length is not in,
        /// its own four.
        due: u64,
    },
    /// The stream ended inside a body.
    TruncatedBody {
        /// Where in the stream the frame begins.
        offset: u64,
        /// How many bytes of the body came.
        received: u64,
        /// How many bytes the body has.
        due: u64,
    },
}

/// What is wrong with a header that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// It is not UTF-8.
    NotUtf8,
    /// It is not JSON, or is nested more than 127 deep. NaN and Infinity, which Python
    /// writes all the same, are not JSON.
    NotJson,
    /// It is JSON, but not an object.
    NotObject,
    /// A key stands twice in it. Who reads the first and who reads the last would not
    /// understand the same.
    KeyTwice,
    /// None of these keys is in it.
    NoSize(&'static [&'static str]),
    /// Both of these keys are in it.
    TwoSizes(&'static str, &'static str),
    /// What stands under this key is not a plain integer from 0 to 2^64 - 1.
    NotSize(&'static str),
    /// The body is over the limit.
    BodyTooLarge {
        /// The size told, in bytes.
        size: u64,
        /// The limit it was held against, in bytes.
        max_size: u64,
    },
    /// The md5 is not a text of 32 hexadecimal digits, and was to be checked.
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
                    "header length {length} at offset {offset} is not from 0 to {max_header_size}: "
                )?;
                let swapped = length.swap_bytes();
                if u32::try_from(swapped).is_ok_and(|swapped| swapped <= max_header_size) {
                    write!(
                        f,
                        "in the other byte order it is {swapped}, check that both ends use the same"
                    )
                } else {
                    f.write_str(
                        "close the connection, or raise max_header_size if the peer is right",
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
                "body of the frame at offset {offset} has the md5 {actual:032x}, its header says \
                 {expected:032x}: discard it and have it sent again"
            ),
            Self::TruncatedHeader {
                offset,
                received,
                due,
            } => {
                let at_least = if received < 4 { "at least " } else { "" };
                write!(
                    f,
                    "stream ended inside the header at offset {offset}: {received} of {at_least}{due} bytes \
                     came, the peer closed early or bytes were lost"
                )
            }
            Self::TruncatedBody {
                offset,
                received,
                due,
            } => write!(
                f,
                "stream ended inside the body of the frame at offset {offset}: {received} of {due} bytes \
                 came, the peer closed early or bytes were lost"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotUtf8 => f.write_str("is not UTF-8: send it so encoded"),
            Self::NotJson => {
                f.write_str("is not JSON: check that both ends send a length, then the header")
            }
            Self::NotObject => {
                f.write_str("is not an object: send one such as {\"total_size\": 5}")
            }
            Self::KeyTwice => f.write_str("has a key twice: send each key once"),
            Self::NoSize(keys) => write!(
                f,
                "tells no size: send it under one of {keys:?}, or name its key in size_keys"
            ),
            Self::TwoSizes(first, second) => {
                write!(f, "tells two sizes, {first} and {second}: send one of them")
            }
            Self::NotSize(key) => write!(
                f,
                "has a {key} that is no plain integer from 0 to {}: send the bytes of the body as one",
                u64::MAX
            ),
            Self::BodyTooLarge { size, max_size } => write!(
                f,
                "tells of a body of {size} bytes, over the limit of {max_size} bytes: close the \
                 connection, or raise max_size if the peer is right"
            ),
            Self::NotMd5 => f.write_str(
                "has an md5 that is not 32 hexadecimal digits: send them as text, or do not check it",
            ),
        }
    }
}

impl core::error::Error for Flaw {}

/// Why a header is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// It is over the limit, so that the decoder would refuse it.
    HeaderTooLarge {
        /// The length of the header, in bytes.
        header_size: usize,
        /// The limit it was held against, in bytes; never over 2^31 - 1.
        max_header_size: u32,
    },
    /// The fields do not do, so that the decoder would refuse them.
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
                 send less in it, or raise max_header_size at both ends"
            ),
            Self::Header(flaw) => write!(f, "header {flaw}"),
        }
    }
}

impl core::error::Error for EncodeError {}
