//! What a decoder says of bad input, and an encoder of a bad body. A subject
//! that breaks a property is a violation, not an error, and lives in `check`.

use core::fmt;

/// Why a stream is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// A header claims a body over the limit. Known as soon as the four bytes
    /// of bodySize are in; the decoder is poisoned.
    BodyTooLarge {
        /// Where in the stream the frame begins, and with it its bodySize.
        offset: u64,
        /// The bodySize claimed, in bytes.
        body_size: u32,
        /// The limit it was held against, in bytes.
        max_body_size: u32,
    },
    /// The stream ended inside a frame.
    Truncated {
        /// Where in the stream the frame begins.
        offset: u64,
        /// How many bytes of the frame came, header included.
        received: u64,
        /// How many bytes the frame has, header included; as long as bodySize
        /// is not in, the twelve of its header.
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
                        "in the other byte order it is {swapped}, check that both ends use the same"
                    )
                } else {
                    f.write_str("close the connection, or raise max_body_size if the peer is right")
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
                    "stream ended inside the frame at offset {offset}: {received} of {at_least}{due} bytes came, \
                     the peer closed early or bytes were lost"
                )
            }
        }
    }
}

impl core::error::Error for DecodeError {}

/// Why a frame is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The body is over the limit, so that the decoder would refuse it.
    BodyTooLarge {
        /// The size of the body, in bytes.
        body_size: usize,
        /// The limit it was held against, in bytes.
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
