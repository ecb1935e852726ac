//! A length field anywhere in a header, with settings for what it counts.
//!
//! ```text
//! +-- offset bytes --+-- length: width bytes --+-- length + adjustment bytes --+
//! |  anything        |  counts what follows    |  the rest of the frame        |
//! +------------------+-------------------------+-------------------------------+
//! ```
//!
//! The settings are those of Netty's `LengthFieldBasedFrameDecoder` and of tokio-util's
//! `LengthDelimitedCodec`. The first `strip` bytes of a frame are removed, and the rest of it is the
//! message.
//!
//! | here | Netty | tokio-util |
//! |---|---|---|
//! | `offset` | `lengthFieldOffset` | `length_field_offset` |
//! | `width` | `lengthFieldLength` | `length_field_length` |
//! | `byte_order` | `byteOrder` | `big_endian`, `little_endian` |
//! | `sign` | 8 bytes are signed, fewer are not | never signed |
//! | `adjustment` | `lengthAdjustment` | `length_adjustment` + `num_skip` - bytes up to the field's end |
//! | `strip` | `initialBytesToStrip` | `num_skip` |
//! | `max_size` + `strip` | `maxFrameLength` | none; `max_frame_length` is about the field itself |
//!
//! Only whole frames are removed from the buffer, and whether one is whole is read from the bytes
//! on each call.

pub mod naive;

use core::fmt;

use bytes::{Bytes, BytesMut};
use everysplit::reference::ByteOrder;

use crate::body;

/// The number of bytes of a length field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// 1 byte.
    One,
    /// 2 bytes.
    Two,
    /// 3 bytes.
    Three,
    /// 4 bytes.
    Four,
    /// 8 bytes.
    Eight,
}

impl Width {
    /// All widths, in increasing order.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Three, Self::Four, Self::Eight];

    /// Returns the number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// Whether a length field can be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// Every length is at least 0.
    Unsigned,
    /// The length is in two's complement, and a negative one is an error.
    Signed,
}

/// The settings that both ends must agree on. All combinations are valid.
///
/// ```
/// use everysplit_formats::length_field::{LengthField, Width};
///
/// // Two bytes of magic, then a length that counts itself and them.
/// let field = LengthField { adjustment: -4, ..LengthField::new(2, Width::Two) };
/// assert_eq!(field.strip, 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LengthField {
    /// The number of bytes before the length field.
    pub offset: u16,
    /// The size of the length field.
    pub width: Width,
    /// The byte order of the length field.
    pub byte_order: ByteOrder,
    /// Whether the length field is signed.
    pub sign: Sign,
    /// What to add to the length to get the number of bytes after the field. Negative if the length
    /// counts bytes before its own end too, positive if it leaves out bytes after it.
    pub adjustment: i32,
    /// The number of bytes that are removed from the front of each frame. A frame with fewer is an
    /// error.
    pub strip: u16,
    /// The size limit of a message, in bytes. A message of exactly this size is accepted.
    pub max_size: u64,
}

impl LengthField {
    /// Creates the settings of an unsigned, big-endian field that counts the bytes after it.
    /// A message is what follows the field, up to 8 MiB.
    #[must_use]
    pub const fn new(offset: u16, width: Width) -> Self {
        Self {
            offset,
            width,
            byte_order: ByteOrder::Big,
            sign: Sign::Unsigned,
            adjustment: 0,
            strip: offset.saturating_add(width.bytes() as u16),
            max_size: 8 * 1024 * 1024,
        }
    }

    /// Returns the number of bytes up to the end of the length field.
    #[must_use]
    pub fn header_size(self) -> usize {
        usize::from(self.offset) + usize::from(self.width.bytes())
    }

    /// Returns the largest length that the field can hold.
    #[must_use]
    pub const fn max_length(self) -> u64 {
        let unused = 64 - 8 * self.width.bytes() as u32;
        match self.sign {
            Sign::Unsigned => u64::MAX >> unused,
            Sign::Signed => u64::MAX >> (unused + 1),
        }
    }

    /// Returns the size of the largest message in bytes: [`max_size`](Self::max_size), or less if
    /// the field cannot hold its length.
    #[must_use]
    pub fn max_message(self) -> u64 {
        let most = self.frame_size(self.max_length().into()) - i128::from(self.strip);
        let most = most.clamp(0, self.max_size.into());
        u64::try_from(most).unwrap_or(self.max_size)
    }

    /// Appends a whole frame to `dst`: `before`, the length, then `after`. The message in it is the
    /// frame without its first [`strip`](Self::strip) bytes.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit_formats::length_field::{LengthField, Width};
    ///
    /// let mut wire = BytesMut::new();
    /// LengthField::new(1, Width::Two).encode(b"!", b"hello", &mut wire)?;
    /// assert_eq!(&wire[..], b"!\0\x05hello");
    /// # Ok::<(), everysplit_formats::length_field::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError::Before`] if `before` has not [`offset`](Self::offset) bytes,
    /// [`EncodeError::TooShort`] if `after` has fewer bytes than the adjustment, or the frame fewer
    /// than are stripped, and [`EncodeError::TooLarge`] if the message is larger than
    /// [`max_message`](Self::max_message). `dst` is then unchanged.
    pub fn encode(
        self,
        before: &[u8],
        after: &[u8],
        dst: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        if before.len() != usize::from(self.offset) {
            return Err(EncodeError::Before {
                size: before.len(),
                offset: self.offset,
            });
        }
        let size = self.header_size() + after.len();
        let length = after.len() as i128 - i128::from(self.adjustment);
        let (Ok(length), Some(message)) = (
            u64::try_from(length),
            size.checked_sub(usize::from(self.strip)),
        ) else {
            return Err(EncodeError::TooShort { size });
        };
        if length > self.max_length() || message as u64 > self.max_size {
            return Err(EncodeError::TooLarge {
                size: message,
                max: self.max_message(),
            });
        }
        dst.extend_from_slice(before);
        let unused = 8 - usize::from(self.width.bytes());
        match self.byte_order {
            ByteOrder::Little => dst.extend_from_slice(&length.to_le_bytes()[..8 - unused]),
            ByteOrder::Big => dst.extend_from_slice(&length.to_be_bytes()[unused..]),
        }
        dst.extend_from_slice(after);
        Ok(())
    }

    /// Returns the size of a frame with this length. It is negative for a negative length.
    fn frame_size(self, length: i128) -> i128 {
        self.header_size() as i128 + length + i128::from(self.adjustment)
    }

    /// Reads a length field.
    fn length(self, field: &[u8]) -> i128 {
        let mut bytes = [0; 8];
        let unused = 8 - field.len();
        // The field is at the most significant end, so that shifting extends its sign.
        match self.byte_order {
            ByteOrder::Little => bytes[unused..].copy_from_slice(field),
            ByteOrder::Big => bytes[..field.len()].copy_from_slice(field),
        }
        let length = match self.byte_order {
            ByteOrder::Little => u64::from_le_bytes(bytes),
            ByteOrder::Big => u64::from_be_bytes(bytes),
        };
        match self.sign {
            Sign::Unsigned => (length >> (8 * unused)).into(),
            Sign::Signed => (length.cast_signed() >> (8 * unused)).into(),
        }
    }

    /// Reads the size of the frame at the front of `bytes`, or returns `None` if its length is not
    /// whole yet. The size is not less than that of the header, or of the bytes to strip.
    ///
    /// `offset` is the position of `bytes` in the stream, used only in errors.
    fn size(self, bytes: &[u8], offset: u64) -> Result<Option<i128>, DecodeError> {
        let field = bytes.get(self.offset.into()..self.header_size());
        let Some(length) = field.map(|field| self.length(field)) else {
            return Ok(None);
        };
        if length < 0 {
            return Err(DecodeError::Negative { offset, length });
        }
        let size = self.frame_size(length);
        let message = size - i128::from(self.strip);
        if message < 0 || size < self.header_size() as i128 {
            return Err(DecodeError::TooShort { offset, length });
        }
        if message > self.max_size.into() {
            return Err(DecodeError::TooLarge {
                offset,
                length,
                max: self.max_message(),
            });
        }
        Ok(Some(size))
    }
}

/// Takes whole messages from the front of a read buffer that the caller owns.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::length_field::{Decoder, LengthField, Width};
///
/// let mut decoder = Decoder::new(LengthField::new(1, Width::Two));
/// let mut buffer = BytesMut::from(&b"!\0\x02o"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"k");
/// assert_eq!(decoder.decode(&mut buffer)?, Some("ok".into()));
/// # Ok::<(), everysplit_formats::length_field::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    field: LengthField,
    /// The position of the caller's buffer in the stream.
    offset: u64,
    /// The error that every call returns from now on.
    poison: Option<DecodeError>,
}

impl Decoder {
    /// Creates a decoder at the beginning of a stream.
    #[must_use]
    pub const fn new(field: LengthField) -> Self {
        Self {
            field,
            offset: 0,
            poison: None,
        }
    }

    /// Removes the next frame from the front of `buffer` and returns its message. If the frame is
    /// not whole yet, returns `None` and leaves `buffer` unchanged.
    ///
    /// Call it until it returns `None`, because one read may bring many frames. A message shares
    /// the allocation of `buffer` and keeps it alive, unless it is empty. The decoder reserves no
    /// space for bytes that have not been received.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Negative`], [`DecodeError::TooShort`] and [`DecodeError::TooLarge`], as soon
    /// as the length field has been received. Nothing is removed from `buffer`, and the decoder is
    /// poisoned: every later call returns the same error, whatever `buffer` holds by then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        if let Some(error) = self.poison {
            return Err(error);
        }
        let size = match self.field.size(buffer, self.offset) {
            Ok(Some(size)) => size,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.poison = Some(error);
                return Err(error);
            }
        };
        let size = usize::try_from(size).ok();
        let Some(size) = size.filter(|&size| size <= buffer.len()) else {
            return Ok(None);
        };
        self.offset += size as u64;
        let strip = self.field.strip.into();
        Ok(Some(body::take(buffer, strip, size - strip, 0)))
    }

    /// Removes the next frame from `buffer` after the end of the stream, when no more bytes can
    /// follow, and returns its message. Returns `None` if the stream ended on a frame boundary.
    ///
    /// # Errors
    ///
    /// The errors of [`decode`](Self::decode), and [`DecodeError::Truncated`] if the stream ended
    /// inside a frame.
    pub fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        let message = self.decode(buffer)?;
        if message.is_some() || buffer.is_empty() {
            return Ok(message);
        }
        let size = self.field.size(buffer, self.offset)?;
        let due = size.unwrap_or(self.field.header_size() as i128);
        Err(DecodeError::Truncated {
            offset: self.offset,
            received: buffer.len() as u64,
            due: due.try_into().unwrap_or(u64::MAX),
        })
    }
}

/// Why a stream was rejected. After all errors but `Truncated` the decoder is poisoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// A length is negative.
    Negative {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The length claimed.
        length: i128,
    },
    /// The frame would end before its length field does, or has fewer bytes than are stripped.
    TooShort {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The length claimed.
        length: i128,
    },
    /// A message is over the size limit.
    TooLarge {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The length claimed.
        length: i128,
        /// The size of the largest message, in bytes.
        max: u64,
    },
    /// The stream ended inside a frame.
    Truncated {
        /// The position of the frame in the stream, in bytes.
        offset: u64,
        /// The number of bytes of the frame that were received.
        received: u64,
        /// The size of the frame, at most [`u64::MAX`]. If the length was not received, the size up
        /// to its end.
        due: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Negative { offset, length } => write!(
                f,
                "length {length} of the frame at offset {offset} is negative: \
                 check the sign and the byte order of the length field"
            ),
            Self::TooShort { offset, length } => write!(
                f,
                "length {length} of the frame at offset {offset} is less than its header: \
                 check the adjustment, and how many bytes are stripped"
            ),
            Self::TooLarge {
                offset,
                length,
                max,
            } => write!(
                f,
                "length {length} of the frame at offset {offset} is over the limit of {max} bytes \
                 for a message: check the byte order, or raise max_size to accept larger messages"
            ),
            Self::Truncated {
                offset,
                received,
                due,
            } => write!(
                f,
                "stream ended inside the frame at offset {offset}: \
                 received {received} of at least {due} bytes; the peer closed early or bytes were lost"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Why a frame was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The bytes before the length are more or fewer than the offset of the field.
    Before {
        /// The number of bytes before the length.
        size: usize,
        /// The offset of the field, in bytes.
        offset: u16,
    },
    /// The length would be negative, or the frame has fewer bytes than are stripped.
    TooShort {
        /// The size of the frame, in bytes.
        size: usize,
    },
    /// The message is over the size limit, or its length is too large for the field: the decoder
    /// would reject it.
    TooLarge {
        /// The size of the message, in bytes.
        size: usize,
        /// The size of the largest message, in bytes.
        max: u64,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before { size, offset } => write!(
                f,
                "{size} bytes before the length, and its offset is {offset}: give exactly {offset}"
            ),
            Self::TooShort { size } => write!(
                f,
                "frame of {size} bytes is too short for the adjustment, or for the bytes to strip: \
                 add bytes after the length"
            ),
            Self::TooLarge { size, max } => write!(
                f,
                "message of {size} bytes is over the limit of {max} bytes: \
                 send it in several messages, or raise max_size or the width at both ends"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}
