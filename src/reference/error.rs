//! The errors of the decoder and the encoder.

use core::fmt;

/// Why a stream was rejected.
///
/// The text of an error says where in the stream it happened and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// A header claims a body over the size limit. Returned as soon as the four bytes of bodySize
    /// have been received. The decoder is then poisoned.
    BodyTooLarge {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The bodySize claimed, in bytes.
        body_size: u32,
        /// The size limit, in bytes.
        max_body_size: u32,
    },
    /// The stream ended inside a frame.
    Truncated {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The number of bytes of the frame that were received, header included.
        received: u64,
        /// The length of the whole frame in bytes, header included. If bodySize was not received,
        /// the length of the header.
        due: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BodyTooLarge {
                offset,
                body_size,
                max_body_size,
            } => {
                write!(
                    f,
                    "bodySize {body_size} at offset {offset} is over the limit of {max_body_size} bytes: "
                )?;
                let swapped = body_size.swap_bytes();
                if swapped <= max_body_size {
                    write!(
                        f,
                        "in the other byte order it is {swapped}; \
                         check that both ends use the same byte order"
                    )
                } else {
                    f.write_str(
                        "close the connection, or raise max_body_size to accept larger bodies",
                    )
                }
            }
            Self::Truncated {
                offset,
                received,
                due,
            } => {
                let at_least = if received < 4 { "at least " } else { "" };
                write!(
                    f,
                    "stream ended inside the frame at offset {offset}: \
                     received {received} of {at_least}{due} bytes; \
                     the peer closed early or bytes were lost"
                )
            }
        }
    }
}

impl core::error::Error for DecodeError {}

/// Why a frame was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The body is over the size limit: the decoder would reject it.
    BodyTooLarge {
        /// The size of the body, in bytes.
        body_size: usize,
        /// The size limit, in bytes.
        max_body_size: u32,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BodyTooLarge {
                body_size,
                max_body_size,
            } => write!(
                f,
                "body of {body_size} bytes is over the limit of {max_body_size} bytes: \
                 send it in several frames, or raise max_body_size at both ends"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}
