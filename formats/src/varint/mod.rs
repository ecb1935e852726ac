//! A length as a base-128 varint, then the body: delimited Protocol Buffers.
//!
//! ```text
//! +-- length: 1 to 10 bytes -----------------+---- body ---------+
//! |  7 bits each, least significant first;   |  length bytes     |
//! |  the top bit is 0 in the last byte       |                   |
//! +------------------------------------------+-------------------+
//! ```
//!
//! This is `writeDelimitedTo` of Protocol Buffers, prost's `encode_length_delimited` and Netty's
//! `ProtobufVarint32FrameDecoder`. As there, a length may have more bytes than it needs.
//!
//! Only whole frames are removed from the buffer, and whether one is whole is read from the bytes
//! on each call.

pub mod naive;

use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::body;

/// The integer that a length fits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// 32 bits, in at most 5 bytes.
    U32,
    /// 64 bits, in at most 10 bytes.
    U64,
}

impl Width {
    /// Returns the number of bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::U32 => 32,
            Self::U64 => 64,
        }
    }

    /// Returns the maximum number of bytes of a length.
    #[must_use]
    pub const fn max_bytes(self) -> usize {
        self.bits().div_ceil(7) as usize
    }
}

/// The settings that both ends must agree on.
///
/// ```
/// use everysplit_formats::varint::{Config, Width};
///
/// let config = Config { width: Width::U32, ..Config::default() };
/// assert_eq!(config.max_size, 8 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The integer that a length fits in: 64 bits by default.
    pub width: Width,
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
    /// Lengths of 64 bits, bodies of up to 8 MiB. The same as [`Config::default`].
    pub const DEFAULT: Self = Self {
        width: Width::U64,
        max_size: 8 * 1024 * 1024,
    };

    /// Returns the size of the largest body in bytes: [`max_size`](Self::max_size), or less if it
    /// does not fit in the integer.
    #[must_use]
    pub fn max_body(self) -> u64 {
        self.max_size.min(u64::MAX >> (64 - self.width.bits()))
    }

    /// Appends a whole frame to `dst`: the length in as few bytes as possible, then the body.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit_formats::varint::Config;
    ///
    /// let mut wire = BytesMut::new();
    /// Config::default().encode(&[b'a'; 300], &mut wire)?;
    /// assert_eq!(&wire[..4], b"\xac\x02aa");
    /// # Ok::<(), everysplit_formats::varint::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLarge`] if the body is larger than [`max_body`](Self::max_body). `dst` is
    /// then unchanged.
    pub fn encode(self, body: &[u8], dst: &mut BytesMut) -> Result<(), EncodeError> {
        let (mut length, max) = (body.len() as u64, self.max_body());
        if length > max {
            let size = body.len();
            return Err(EncodeError::TooLarge { size, max });
        }
        while length >= 0x80 {
            dst.extend_from_slice(&[0x80 | length.to_le_bytes()[0]]);
            length >>= 7;
        }
        dst.extend_from_slice(&[length.to_le_bytes()[0]]);
        dst.extend_from_slice(body);
        Ok(())
    }

    /// Reads the length at the front of `bytes`, and how many bytes it has. Returns `None` if it is
    /// not whole yet.
    ///
    /// `offset` is the position of `bytes` in the stream, used only in errors.
    fn length(self, bytes: &[u8], offset: u64) -> Result<Option<(usize, u64)>, DecodeError> {
        let mut length = 0;
        for (index, &byte) in bytes.iter().enumerate().take(self.width.max_bytes()) {
            let shift = 7 * u32::try_from(index).unwrap_or(u32::MAX);
            let (digit, is_last) = (u64::from(byte & 0x7f), byte < 0x80);
            let fits = digit < 1 << (self.width.bits() - shift).min(7);
            if !fits || !is_last && index + 1 == self.width.max_bytes() {
                return Err(DecodeError::Overflow { offset });
            }
            length |= digit << shift;
            if !is_last {
                continue;
            }
            if length > self.max_size {
                let max = self.max_body();
                let size = length;
                return Err(DecodeError::TooLarge { offset, size, max });
            }
            return Ok(Some((index + 1, length)));
        }
        Ok(None)
    }
}

/// Takes whole bodies from the front of a read buffer that the caller owns.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::varint::{Config, Decoder};
///
/// let mut decoder = Decoder::new(Config::default());
/// let mut buffer = BytesMut::from(&b"\x02o"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"k");
/// assert_eq!(decoder.decode(&mut buffer)?, Some("ok".into()));
/// # Ok::<(), everysplit_formats::varint::DecodeError>(())
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
    /// Call it until it returns `None`, because one read may bring many frames. A body shares the
    /// allocation of `buffer` and keeps it alive, unless it is empty. The decoder reserves no space
    /// for bytes that have not been received.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Overflow`] at the first byte of a length that does not fit, and
    /// [`DecodeError::TooLarge`] as soon as the length is whole. Nothing is removed from `buffer`,
    /// and the decoder is poisoned: every later call returns the same error, whatever `buffer`
    /// holds by then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        if let Some(error) = self.poison {
            return Err(error);
        }
        let (length, size) = match self.config.length(buffer, self.offset) {
            Ok(Some(header)) => header,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.poison = Some(error);
                return Err(error);
            }
        };
        let received = buffer.len() - length;
        let Some(body) = usize::try_from(size).ok().filter(|&size| size <= received) else {
            return Ok(None);
        };
        self.offset += length as u64 + size;
        Ok(Some(body::take(buffer, length, body, 0)))
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
    /// A length does not fit in the integer, or has more bytes than any that does.
    Overflow {
        /// The position of the length in the stream, in bytes.
        offset: u64,
    },
    /// A length is over the size limit.
    TooLarge {
        /// The position of the length in the stream, in bytes.
        offset: u64,
        /// The length claimed, in bytes.
        size: u64,
        /// The size of the largest body, in bytes.
        max: u64,
    },
    /// The stream ended inside a length or the body after it.
    Truncated {
        /// The position of the length in the stream, in bytes.
        offset: u64,
        /// The number of bytes of length and body that were received.
        received: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow { offset } => write!(
                f,
                "length at offset {offset} has too many bits: \
                 close the connection, the peer does not send varints of this width"
            ),
            Self::TooLarge { offset, size, max } => write!(
                f,
                "length {size} at offset {offset} is over the limit of {max} bytes: \
                 close the connection, or raise max_size to accept larger bodies"
            ),
            Self::Truncated { offset, received } => write!(
                f,
                "stream ended inside the message at offset {offset}, after {received} of its bytes: \
                 the peer closed early or bytes were lost"
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
        /// The size of the largest body, in bytes.
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
