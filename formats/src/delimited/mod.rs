//! A body, then a delimiter: lines, records that end with NUL, or any other mark.
//!
//! ```text
//! +---- body --------------------+-- delimiter --+
//! |  without the delimiter       |  1 to 16 bytes  |
//! +------------------------------+---------------+
//! ```
//!
//! A body ends at the first occurrence of the delimiter, so it cannot contain one, and neither can
//! its end and the beginning of the delimiter together. The delimiter is removed. Nothing else is:
//! with [`Delimiter::LF`] the body of `a\r\n` is `a\r`.
//!
//! Only whole frames are removed from the buffer. The decoder remembers how far it has searched, so
//! that a body that arrives byte by byte is not searched again for each.

pub mod naive;

use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::body;

/// The bytes after each body.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delimiter {
    /// Those from `len` on are 0.
    bytes: [u8; Self::MAX],
    /// Between 1 and `MAX`.
    len: usize,
}

impl Delimiter {
    /// The size of the longest delimiter, in bytes.
    pub const MAX: usize = 16;
    /// A line feed.
    pub const LF: Self = Self::new(b"\n").unwrap();
    /// A carriage return and a line feed.
    pub const CRLF: Self = Self::new(b"\r\n").unwrap();
    /// A byte that is 0.
    pub const NUL: Self = Self::new(&[0]).unwrap();

    /// Creates a delimiter. Returns `None` if it is empty or longer than [`MAX`](Self::MAX).
    ///
    /// ```
    /// use everysplit_formats::delimited::Delimiter;
    ///
    /// assert_eq!(Delimiter::new(b"\r\n"), Some(Delimiter::CRLF));
    /// assert_eq!(Delimiter::new(b""), None);
    /// ```
    #[must_use]
    pub const fn new(delimiter: &[u8]) -> Option<Self> {
        let len = delimiter.len();
        if len == 0 || len > Self::MAX {
            return None;
        }
        let mut bytes = [0; Self::MAX];
        let (front, _) = bytes.split_at_mut(len);
        front.copy_from_slice(delimiter);
        Some(Self { bytes, len })
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// The settings that both ends must agree on.
///
/// ```
/// use everysplit_formats::delimited::{Config, Delimiter};
///
/// let config = Config::new(Delimiter::CRLF);
/// assert_eq!(config.max_size, 8 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The bytes after each body.
    pub delimiter: Delimiter,
    /// The size limit of a body, in bytes. A body of exactly this size is accepted.
    pub max_size: u64,
}

impl Config {
    /// Creates the settings for bodies of up to 8 MiB.
    #[must_use]
    pub const fn new(delimiter: Delimiter) -> Self {
        Self {
            delimiter,
            max_size: 8 * 1024 * 1024,
        }
    }

    /// Appends a body and the delimiter to `dst`.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit_formats::delimited::{Config, Delimiter};
    ///
    /// let mut wire = BytesMut::new();
    /// Config::new(Delimiter::CRLF).encode(b"hello", &mut wire)?;
    /// assert_eq!(&wire[..], b"hello\r\n");
    /// # Ok::<(), everysplit_formats::delimited::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLarge`] if the body is larger than [`max_size`](Self::max_size), and
    /// [`EncodeError::Delimiter`] if it would end earlier. `dst` is then unchanged.
    pub fn encode(self, body: &[u8], dst: &mut BytesMut) -> Result<(), EncodeError> {
        let (size, max) = (body.len(), self.max_size);
        if size as u64 > max {
            return Err(EncodeError::TooLarge { size, max });
        }
        let begun = dst.len();
        dst.extend_from_slice(body);
        dst.extend_from_slice(self.delimiter.as_bytes());
        match self.search(&dst[begun..], 0) {
            Some(at) if at < size => {
                dst.truncate(begun);
                Err(EncodeError::Delimiter { at })
            }
            _ => Ok(()),
        }
    }

    /// Returns the index of the first delimiter in `bytes` that does not begin before `start`.
    fn search(self, bytes: &[u8], start: usize) -> Option<usize> {
        let delimiter = self.delimiter.as_bytes();
        let mut windows = bytes.get(start..)?.windows(delimiter.len());
        Some(start + windows.position(|window| window == delimiter)?)
    }

    /// Returns whether no delimiter can begin in `bytes` before a body is over the size limit.
    /// None begins before `start`, and `bytes` contains none.
    fn is_over(self, bytes: &[u8], start: usize) -> bool {
        let last = usize::try_from(self.max_size).unwrap_or(usize::MAX);
        let mut starts = start..=last.min(bytes.len());
        !starts.any(|start| self.delimiter.as_bytes().starts_with(&bytes[start..]))
    }
}

/// Takes whole bodies from the front of a read buffer that the caller owns.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::delimited::{Config, Decoder, Delimiter};
///
/// let mut decoder = Decoder::new(Config::new(Delimiter::CRLF));
/// let mut buffer = BytesMut::from(&b"ok\r"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"\n");
/// assert_eq!(decoder.decode(&mut buffer)?, Some("ok".into()));
/// # Ok::<(), everysplit_formats::delimited::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    config: Config,
    /// The position of the caller's buffer in the stream.
    offset: u64,
    /// The number of bytes at the front of the buffer at which no delimiter begins.
    searched: usize,
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
            searched: 0,
            poison: None,
        }
    }

    /// Removes the next body and its delimiter from the front of `buffer` and returns the body. If
    /// there is no delimiter yet, returns `None` and leaves `buffer` unchanged.
    ///
    /// Call it until it returns `None`, because one read may bring many bodies. Between two calls,
    /// bytes may only be appended to `buffer`. A body shares the allocation of `buffer` and keeps
    /// it alive, unless it is empty.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooLarge`] at the first byte after which the body cannot end within the size
    /// limit. Nothing is removed from `buffer`, and the decoder is poisoned: every later call
    /// returns the same error, whatever `buffer` holds by then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        if let Some(error) = self.poison {
            return Err(error);
        }
        let delimiter = self.config.delimiter.as_bytes().len();
        let found = self.config.search(buffer, self.searched);
        let is_over = if let Some(size) = found {
            size as u64 > self.config.max_size
        } else {
            self.searched = (buffer.len() + 1).saturating_sub(delimiter);
            self.config.is_over(buffer, self.searched)
        };
        if is_over {
            let (offset, max) = (self.offset, self.config.max_size);
            let error = DecodeError::TooLarge { offset, max };
            self.poison = Some(error);
            return Err(error);
        }
        let Some(size) = found else {
            return Ok(None);
        };
        self.offset += (size + delimiter) as u64;
        self.searched = 0;
        Ok(Some(body::take(buffer, 0, size, delimiter)))
    }

    /// Removes the next body from `buffer` after the end of the stream, when no more bytes can
    /// follow, and returns it. Returns `None` if the stream ended after a delimiter.
    ///
    /// # Errors
    ///
    /// The errors of [`decode`](Self::decode), and [`DecodeError::Truncated`] if the stream ended
    /// without a delimiter.
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
    /// A body is over the size limit.
    TooLarge {
        /// The position of the body in the stream, in bytes.
        offset: u64,
        /// The size limit, in bytes.
        max: u64,
    },
    /// The stream ended without a delimiter.
    Truncated {
        /// The position of the last body in the stream, in bytes.
        offset: u64,
        /// The number of its bytes that were received.
        received: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { offset, max } => write!(
                f,
                "body at offset {offset} has no delimiter after {max} bytes: \
                 close the connection, or raise max_size to accept larger bodies"
            ),
            Self::Truncated { offset, received } => write!(
                f,
                "stream ended without a delimiter, {received} bytes after the last one, at offset \
                 {offset}: the peer closed early or bytes were lost"
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
    /// The body contains the delimiter, or its last bytes begin one that ends in the delimiter
    /// after it: the decoder would return a shorter body.
    Delimiter {
        /// The position of that delimiter in the body, in bytes.
        at: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size, max } => write!(
                f,
                "body of {size} bytes is over the limit of {max} bytes: \
                 send it in several messages, or raise max_size at both ends"
            ),
            Self::Delimiter { at } => write!(
                f,
                "a delimiter begins at byte {at} of the body: escape it, or use a format with lengths"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}
