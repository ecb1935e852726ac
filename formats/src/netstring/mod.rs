//! A netstring: the length in decimal digits, a colon, the body, and a comma.
//!
//! ```text
//! +-- length: digits --+-- ":" --+---- body ---------+-- "," --+
//! |  in decimal        |         |  length bytes     |         |
//! +--------------------+---------+-------------------+---------+
//! ```
//!
//! The format is that of [D. J. Bernstein](https://cr.yp.to/proto/netstrings.txt). A length has no
//! zeros in front: only `0:,` begins with one.
//!
//! Only whole frames are removed from the buffer, and whether one is whole is read from the bytes
//! on each call.

pub mod naive;

use alloc::string::ToString;
use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::body;

/// The settings that both ends must agree on.
///
/// ```
/// use everysplit_formats::netstring::Config;
///
/// assert_eq!(Config::default().max_size, 8 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The size limit of a body, in bytes: 8 MiB by default. A body of exactly this size is
    /// accepted.
    pub max_size: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Config {
    /// Bodies of up to 8 MiB. The same as [`Config::default`].
    pub const DEFAULT: Self = Self {
        max_size: 8 * 1024 * 1024,
    };

    /// Appends a whole netstring to `dst`.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit_formats::netstring::Config;
    ///
    /// let mut wire = BytesMut::new();
    /// Config::default().encode(b"hello", &mut wire)?;
    /// assert_eq!(&wire[..], b"5:hello,");
    /// # Ok::<(), everysplit_formats::netstring::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLarge`] if the body is larger than [`max_size`](Self::max_size). `dst` is
    /// then unchanged.
    pub fn encode(self, body: &[u8], dst: &mut BytesMut) -> Result<(), EncodeError> {
        let (size, max) = (body.len(), self.max_size);
        if size as u64 > max {
            return Err(EncodeError::TooLarge { size, max });
        }
        dst.extend_from_slice(size.to_string().as_bytes());
        dst.extend_from_slice(b":");
        dst.extend_from_slice(body);
        dst.extend_from_slice(b",");
        Ok(())
    }

    /// Reads the length at the front of `bytes`, and how many bytes it has with the colon. Returns
    /// `None` if it is not whole yet.
    ///
    /// `offset` is the position of `bytes` in the stream, used only in errors.
    fn length(self, bytes: &[u8], offset: u64) -> Result<Option<(usize, u64)>, DecodeError> {
        let mut length: u64 = 0;
        for (index, &byte) in bytes.iter().enumerate() {
            let has_leading_zero = index > 0 && bytes[0] == b'0';
            match byte {
                b':' if index > 0 => return Ok(Some((index + 1, length))),
                b'0'..=b'9' if !has_leading_zero => {
                    let digit = u64::from(byte - b'0');
                    let longer = length
                        .checked_mul(10)
                        .and_then(|ten| ten.checked_add(digit));
                    let Some(longer) = longer.filter(|&longer| longer <= self.max_size) else {
                        let max = self.max_size;
                        return Err(DecodeError::TooLarge { offset, max });
                    };
                    length = longer;
                }
                _ => return Err(unexpected(byte, offset + index as u64)),
            }
        }
        Ok(None)
    }

    /// Returns the number of bytes before the body at the front of `bytes`, and that of the body.
    /// Returns `None` if the netstring is not whole yet.
    fn frame(self, bytes: &[u8], offset: u64) -> Result<Option<(usize, usize)>, DecodeError> {
        let Some((start, length)) = self.length(bytes, offset)? else {
            return Ok(None);
        };
        let length = usize::try_from(length).ok();
        let end = length.and_then(|length| length.checked_add(start));
        match end.and_then(|end| Some((end, *bytes.get(end)?))) {
            None => Ok(None),
            Some((end, b',')) => Ok(Some((start, end - start))),
            Some((end, byte)) => Err(unexpected(byte, offset + end as u64)),
        }
    }
}

const fn unexpected(byte: u8, offset: u64) -> DecodeError {
    DecodeError::Unexpected { offset, byte }
}

/// Takes whole bodies from the front of a read buffer that the caller owns.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::netstring::{Config, Decoder};
///
/// let mut decoder = Decoder::new(Config::default());
/// let mut buffer = BytesMut::from(&b"2:ok"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b",");
/// assert_eq!(decoder.decode(&mut buffer)?, Some("ok".into()));
/// # Ok::<(), everysplit_formats::netstring::DecodeError>(())
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

    /// Removes the next netstring from the front of `buffer` and returns its body. If it is not
    /// whole yet, returns `None` and leaves `buffer` unchanged.
    ///
    /// Call it until it returns `None`, because one read may bring many netstrings. A body shares
    /// the allocation of `buffer` and keeps it alive, unless it is empty. The decoder reserves no
    /// space for bytes that have not been received.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooLarge`] at the digit that makes the length too large, and
    /// [`DecodeError::Unexpected`] at the first byte that no netstring has there. Nothing is
    /// removed from `buffer`, and the decoder is poisoned: every later call returns the same error,
    /// whatever `buffer` holds by then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        if let Some(error) = self.poison {
            return Err(error);
        }
        let (start, size) = match self.config.frame(buffer, self.offset) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.poison = Some(error);
                return Err(error);
            }
        };
        self.offset += (start + size + 1) as u64;
        Ok(Some(body::take(buffer, start, size, 1)))
    }

    /// Removes the next netstring from `buffer` after the end of the stream, when no more bytes can
    /// follow, and returns its body. Returns `None` if the stream ended after a netstring.
    ///
    /// # Errors
    ///
    /// The errors of [`decode`](Self::decode), and [`DecodeError::Truncated`] if the stream ended
    /// inside a netstring.
    pub fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        let body = self.decode(buffer)?;
        if body.is_some() || buffer.is_empty() {
            return Ok(body);
        }
        Err(DecodeError::Truncated {
            offset: self.offset,
            received: buffer.len() as u64,
        })
    }
}

/// Why a stream was rejected. After all errors but `Truncated` the decoder is poisoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// A byte is not what must be there: a length without digits or with a zero in front, a byte
    /// that is not a digit in it, or a body without a comma after it.
    Unexpected {
        /// The position of the byte in the stream.
        offset: u64,
        /// The byte.
        byte: u8,
    },
    /// A length is over the size limit.
    TooLarge {
        /// The position of the length in the stream, in bytes.
        offset: u64,
        /// The size limit, in bytes.
        max: u64,
    },
    /// The stream ended inside a netstring.
    Truncated {
        /// The position of the netstring in the stream, in bytes.
        offset: u64,
        /// The number of its bytes that were received.
        received: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { offset, byte } => write!(
                f,
                "byte 0x{byte:02x} at offset {offset} is not part of a netstring: \
                 close the connection, the peer does not send netstrings or bytes were lost"
            ),
            Self::TooLarge { offset, max } => write!(
                f,
                "length at offset {offset} is over the limit of {max} bytes: \
                 close the connection, or raise max_size to accept larger bodies"
            ),
            Self::Truncated { offset, received } => write!(
                f,
                "stream ended inside the netstring at offset {offset}, after {received} of its \
                 bytes: the peer closed early or bytes were lost"
            ),
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
        /// The size limit, in bytes.
        max: u64,
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
