//! A signed length of 32 bits, then the payload: `struct.pack("i", len(data))`
//! and the data. It is not the harness and knows nothing of it.
//!
//! ```text
//! +--- length: i32 ---+---- body ---------+
//! |  bytes of body    |  length bytes     |
//! +-------------------+-------------------+
//! ```
//!
//! Only whole bodies are taken off the buffer, and whether one is whole is read off
//! the bytes each time, as the reference decoder does it.

#[doc(hidden)]
pub mod fuzzing;
pub mod naive;
mod subject;

use core::fmt;

use bytes::{Buf, Bytes, BytesMut};

use everysplit::reference::ByteOrder;

/// How many bytes a length takes.
const LENGTH: usize = 4;

/// What both ends must agree on before the first byte.
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
    /// The byte order of the length; little-endian by default.
    pub byte_order: ByteOrder,
    /// The largest body accepted, in bytes: 8 MiB by default. A body of exactly
    /// this size passes. No length is over [`i32::MAX`], so that a limit above it
    /// allows no more than one of it.
    pub max_size: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Config {
    /// Little-endian, bodies of up to 8 MiB: what [`Default`] gives.
    pub const DEFAULT: Self = Self {
        byte_order: ByteOrder::Little,
        max_size: 8 * 1024 * 1024,
    };

    /// Appends a length and the body behind it to `dst`.
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
    /// [`EncodeError::TooLarge`] when the body is over
    /// [`max_size`](Self::max_size) or [`i32::MAX`]; `dst` is then as it was.
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

    /// Reads the length at the front of `bytes`, `None` while its four bytes are
    /// not in. `offset` is where in the stream `bytes` begin.
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

/// Takes whole bodies off the front of a read buffer.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::len32::{Config, Decoder};
///
/// let mut decoder = Decoder::new(Config::default());
/// let mut buffer = BytesMut::from(&b"\x02\0\0\0o"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"k");
/// assert_eq!(decoder.decode(&mut buffer)?.unwrap(), "ok");
/// # Ok::<(), everysplit_formats::len32::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    config: Config,
    /// Where in the stream the caller's buffer begins.
    offset: u64,
    poison: Option<DecodeError>,
}

impl Decoder {
    /// Starts at the beginning of a stream.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            offset: 0,
            poison: None,
        }
    }

    /// Takes the next body off the front of `buffer`, or returns `None` and takes
    /// nothing when more bytes must come first. Call it until it returns `None`:
    /// one read may hold many. A body shares the buffer that it came in; one of no
    /// bytes is a message like any other.
    ///
    /// No room is reserved for bytes that have not come.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Negative`] and [`DecodeError::TooLarge`], as soon as the four
    /// bytes of a length are in: nothing is taken, every later call returns the
    /// same error, whatever `buffer` holds then.
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
        // Never 4 + size: that sum can overflow, this comparison cannot.
        if buffer.len() - LENGTH < size {
            return Ok(None);
        }
        self.offset += LENGTH as u64 + size as u64;
        buffer.advance(LENGTH);
        if size == 0 {
            // An empty body must not keep the buffer alive.
            return Ok(Some(Bytes::new()));
        }
        Ok(Some(buffer.split_to(size).freeze()))
    }

    /// Takes the next body off a buffer that will not grow any more, `None` when the
    /// stream ended behind a whole one.
    ///
    /// # Errors
    ///
    /// What [`decode`](Self::decode) returns, and [`DecodeError::Truncated`] when
    /// the stream ended inside a length or a body.
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

/// Why a stream is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// A length is below zero. Known as soon as its four bytes are in; the decoder
    /// is poisoned.
    Negative {
        /// Where in the stream the length begins.
        offset: u64,
        /// The length claimed.
        size: i32,
    },
    /// A length is over the limit. Known as soon as its four bytes are in; the
    /// decoder is poisoned.
    TooLarge {
        /// Where in the stream the length begins.
        offset: u64,
        /// The length claimed, in bytes.
        size: u32,
        /// The limit it was held against, in bytes.
        max: u32,
    },
    /// The stream ended inside a length or the body behind it.
    Truncated {
        /// Where in the stream the length begins.
        offset: u64,
        /// How many bytes came, those of the length included.
        received: u64,
        /// How many bytes it is, those of the length included; as long as the
        /// length is not in, its own four.
        due: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// What a body is rarely longer than: the other order explains a negative
        /// length when it makes one below that.
        const LIKELY: u32 = 1 << 24;
        let (size, likely, advice) = match *self {
            Self::Negative { offset, size } => {
                write!(f, "length {size} at offset {offset} is negative: ")?;
                let advice = "close the connection, the peer writes no signed lengths of 32 bits";
                (size.cast_unsigned(), LIKELY, advice)
            }
            Self::TooLarge { offset, size, max } => {
                write!(
                    f,
                    "length {size} at offset {offset} is over the limit of {max} bytes: "
                )?;
                let advice = "close the connection, or raise max_size if the peer is right";
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
                    "stream ended inside the message at offset {offset}: {received} of {at_least}{due} bytes came, \
                     the peer closed early or bytes were lost"
                );
            }
        };
        match size.swap_bytes() {
            swapped if swapped <= likely => write!(
                f,
                "in the other byte order it is {swapped}, check that both ends use the same"
            ),
            _ => f.write_str(advice),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Why a body is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The body is over the limit, so that the decoder would refuse it.
    TooLarge {
        /// The size of the body, in bytes.
        size: usize,
        /// The limit it was held against, in bytes: never more than [`i32::MAX`].
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
