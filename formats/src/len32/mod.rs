//! A signed 32-bit length, then the body.
//!
//! ```text
//! +--- length: i32 ---+---- body ---------+
//! |  bytes of body    |  length bytes     |
//! +-------------------+-------------------+
//! ```
//!
//! The format comes from Python tutorials, which send `struct.pack("i", len(data))`, then the data.
//!
//! As in the reference decoder, only whole bodies are removed from the buffer, and whether one is
//! whole is read from the bytes on each call.

#[doc(hidden)]
pub mod fuzzing;
pub mod naive;

use core::fmt;

use bytes::{Bytes, BytesMut};
use everysplit::reference::ByteOrder;

use crate::body;

/// The length of an encoded length, in bytes.
const LENGTH: usize = 4;

/// The settings that both ends must agree on.
///
/// ```
/// use everysplit::reference::ByteOrder;
/// use everysplit_formats::len32::Config;
///
/// let config = Config { byte_order: ByteOrder::Big, ..Config::default() };
/// assert_eq!(config.max_size, 8 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The byte order of the length. Little-endian by default.
    pub byte_order: ByteOrder,
    /// The size limit of a body, in bytes: 8 MiB by default. A body of exactly this size is
    /// accepted. No length is over [`i32::MAX`], so a limit above it has no further effect.
    pub max_size: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Config {
    /// Little-endian, bodies of up to 8 MiB. The same as [`Config::default`].
    pub const DEFAULT: Self = Self {
        byte_order: ByteOrder::Little,
        max_size: 8 * 1024 * 1024,
    };

    /// Appends a whole frame to `dst`: the length, then the body.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit_formats::len32::Config;
    ///
    /// let mut wire = BytesMut::new();
    /// Config::default().encode(b"hello", &mut wire)?;
    /// assert_eq!(&wire[..], b"\x05\0\0\0hello");
    /// # Ok::<(), everysplit_formats::len32::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLarge`] if the body is larger than [`max_size`](Self::max_size) or
    /// [`i32::MAX`] bytes. `dst` is then unchanged.
    pub fn encode(self, body: &[u8], dst: &mut BytesMut) -> Result<(), EncodeError> {
        let max = self.max_size.min(i32::MAX.cast_unsigned());
        match u32::try_from(body.len()) {
            Ok(size) if size <= max => {
                dst.extend_from_slice(&self.byte_order.write_u32(size));
                dst.extend_from_slice(body);
                Ok(())
            }
            _ => Err(EncodeError::TooLarge {
                size: body.len(),
                max,
            }),
        }
    }

    /// Reads the length at the front of `bytes`, or returns `None` if it is not whole yet.
    ///
    /// `offset` is the position of `bytes` in the stream, used only in errors.
    fn length(self, bytes: &[u8], offset: u64) -> Result<Option<u32>, DecodeError> {
        let Some(&length) = bytes.first_chunk() else {
            return Ok(None);
        };
        let size = self.byte_order.read_u32(length);
        if size > i32::MAX.cast_unsigned() {
            let size = size.cast_signed();
            return Err(DecodeError::Negative { offset, size });
        }
        if size > self.max_size {
            let max = self.max_size;
            return Err(DecodeError::TooLarge { offset, size, max });
        }
        Ok(Some(size))
    }
}

/// Takes whole bodies from the front of a read buffer that the caller owns.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::len32::{Config, Decoder};
///
/// let mut decoder = Decoder::new(Config::default());
/// let mut buffer = BytesMut::from(&b"\x02\0\0\0o"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"k");
/// assert_eq!(decoder.decode(&mut buffer)?, Some("ok".into()));
/// # Ok::<(), everysplit_formats::len32::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    config: Config,
    /// The position of the caller's buffer in the stream.
    offset: u64,
    /// The error that every call returns from now on.
    poison: Option<DecodeError>,
}

impl Decoder {
    /// Creates a decoder at the beginning of a stream.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            offset: 0,
            poison: None,
        }
    }

    /// Removes the next frame from the front of `buffer` and returns its body. If the frame is not
    /// whole yet, returns `None` and leaves `buffer` unchanged.
    ///
    /// Call it until it returns `None`, because one read may bring many frames. A body of 0 bytes
    /// is a message like any other. A body shares the allocation of `buffer` and keeps it alive.
    /// The decoder reserves no space for bytes that have not been received.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Negative`] and [`DecodeError::TooLarge`], as soon as the four bytes of the
    /// length have been received. Nothing is removed from `buffer`, and the decoder is poisoned:
    /// every later call returns the same error, whatever `buffer` holds by then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        if let Some(error) = self.poison {
            return Err(error);
        }
        let size = match self.config.length(buffer, self.offset) {
            Ok(Some(size)) => size as usize,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.poison = Some(error);
                return Err(error);
            }
        };
        // The subtraction cannot underflow: the length is in the buffer.
        if buffer.len() - LENGTH < size {
            return Ok(None);
        }
        self.offset += LENGTH as u64 + size as u64;
        Ok(Some(body::take(buffer, LENGTH, size, 0)))
    }

    /// Removes the next frame from `buffer` after the end of the stream, when no more bytes can
    /// follow, and returns its body. Returns `None` if the stream ended on a frame boundary.
    ///
    /// # Errors
    ///
    /// The errors of [`decode`](Self::decode), and [`DecodeError::Truncated`] if the stream ended
    /// inside a length or a body.
    pub fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        let body = self.decode(buffer)?;
        if body.is_some() || buffer.is_empty() {
            return Ok(body);
        }
        let size = self.config.length(buffer, self.offset)?;
        Err(DecodeError::Truncated {
            offset: self.offset,
            received: buffer.len() as u64,
            due: LENGTH as u64 + u64::from(size.unwrap_or(0)),
        })
    }
}

/// Why a stream was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// A length is negative. Returned as soon as its four bytes have been received. The decoder is
    /// then poisoned.
    Negative {
        /// The position of the length in the stream, in bytes.
        offset: u64,
        /// The length claimed.
        size: i32,
    },
    /// A length is over the size limit. Returned as soon as its four bytes have been received. The
    /// decoder is then poisoned.
    TooLarge {
        /// The position of the length in the stream, in bytes.
        offset: u64,
        /// The length claimed, in bytes.
        size: u32,
        /// The size limit, in bytes.
        max: u32,
    },
    /// The stream ended inside a length or the body after it.
    Truncated {
        /// The position of the length in the stream, in bytes.
        offset: u64,
        /// The number of bytes of length and body that were received.
        received: u64,
        /// The number of bytes of length and body. If the length was not received, 4.
        due: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A size that few bodies exceed. If a negative length is at most this in the other byte
        /// order, the byte order is the likely cause.
        const LIKELY: u32 = 1 << 24;
        let (size, likely, advice) = match *self {
            Self::Negative { offset, size } => {
                write!(f, "length {size} at offset {offset} is negative: ")?;
                let advice = "close the connection, the peer does not send signed 32-bit lengths";
                (size.cast_unsigned(), LIKELY, advice)
            }
            Self::TooLarge { offset, size, max } => {
                write!(
                    f,
                    "length {size} at offset {offset} is over the limit of {max} bytes: "
                )?;
                let advice = "close the connection, or raise max_size to accept larger bodies";
                (size, max, advice)
            }
            Self::Truncated {
                offset,
                received,
                due,
            } => {
                let at_least = match received {
                    0..4 => "at least ",
                    _ => "",
                };
                return write!(
                    f,
                    "stream ended inside the message at offset {offset}: \
                     received {received} of {at_least}{due} bytes; \
                     the peer closed early or bytes were lost"
                );
            }
        };
        match size.swap_bytes() {
            swapped if swapped <= likely => write!(
                f,
                "in the other byte order it is {swapped}; \
                 check that both ends use the same byte order"
            ),
            _ => f.write_str(advice),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Why a body was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The body is over the size limit: the decoder would reject it.
    TooLarge {
        /// The size of the body, in bytes.
        size: usize,
        /// The size limit, in bytes. At most [`i32::MAX`].
        max: u32,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::TooLarge { size, max } = self;
        write!(
            f,
            "body of {size} bytes is over the limit of {max} bytes: \
             send it in several messages, or raise max_size at both ends"
        )
    }
}

impl core::error::Error for EncodeError {}
