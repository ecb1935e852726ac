//! The frame, its header, and the encoder. The decoder is in `decoder`.

use bytes::{Bytes, BytesMut};

use super::error::EncodeError;

/// The byte order of the integers in a header. Both ends must use the same.
///
/// MNetSocket does not fix it: the program packs in the byte order of the machine
/// (`struct.pack("3I")`), and its test sends network byte order (`"!3I"`).
///
/// ```
/// use everysplit::reference::ByteOrder;
///
/// assert_eq!(ByteOrder::Little.write_u32(5), [5, 0, 0, 0]);
/// assert_eq!(ByteOrder::Big.read_u32([0, 0, 0, 5]), 5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first: `struct.pack("3I")` on x86 and Arm.
    #[default]
    Little,
    /// Most significant byte first, also called network byte order: `struct.pack("!3I")`.
    Big,
}

impl ByteOrder {
    /// Returns the unsigned 32-bit integer that the four bytes encode.
    #[must_use]
    pub const fn read_u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// Returns the four bytes that encode `value`.
    #[must_use]
    pub const fn write_u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// The settings that both ends must agree on.
///
/// ```
/// use everysplit::reference::{ByteOrder, Config};
///
/// let config = Config { byte_order: ByteOrder::Big, ..Config::default() };
/// assert_eq!(config.max_body_size, 8 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The byte order of the header's integers. Little-endian by default.
    pub byte_order: ByteOrder,
    /// The size limit of a body, in bytes: any `u32`, 8 MiB by default. A body of exactly this
    /// size is accepted.
    pub max_body_size: u32,
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
        max_body_size: 8 * 1024 * 1024,
    };

    /// Appends a whole frame to `dst`: the header, then the body.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit::reference::{Config, FrameRef};
    ///
    /// let mut wire = BytesMut::new();
    /// Config::default().encode(FrameRef { cmd: 1, recv: 0, body: b"hello" }, &mut wire)?;
    /// assert_eq!(&wire[..], b"\x05\0\0\0\x01\0\0\0\0\0\0\0hello");
    /// # Ok::<(), everysplit::reference::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError::BodyTooLarge`] if the body is larger than
    /// [`max_body_size`](Self::max_body_size). `dst` is then unchanged.
    #[inline]
    pub fn encode<'a>(
        self,
        frame: impl Into<FrameRef<'a>>,
        dst: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let FrameRef { cmd, recv, body } = frame.into();
        let header = self.header(cmd, recv, body.len())?;
        dst.extend_from_slice(&header.to_bytes(self.byte_order));
        dst.extend_from_slice(body);
        Ok(())
    }

    /// Returns the encoded header alone, so that the body can be sent without copying it: send the
    /// header, then `body_size` bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::BodyTooLarge`] if `body_size`, in bytes, is larger than
    /// [`max_body_size`](Self::max_body_size).
    #[inline]
    pub fn encode_header(
        self,
        cmd: u32,
        recv: u32,
        body_size: usize,
    ) -> Result<[u8; Header::LEN], EncodeError> {
        let header = self.header(cmd, recv, body_size)?;
        Ok(header.to_bytes(self.byte_order))
    }

    #[inline]
    fn header(self, cmd: u32, recv: u32, body_size: usize) -> Result<Header, EncodeError> {
        match u32::try_from(body_size) {
            Ok(body_size) if body_size <= self.max_body_size => Ok(Header {
                body_size,
                cmd,
                recv,
            }),
            _ => Err(EncodeError::BodyTooLarge {
                body_size,
                max_body_size: self.max_body_size,
            }),
        }
    }
}

/// The header before each body: three unsigned 32-bit integers.
///
/// ```text
/// +-- bodySize: u32 --+---- cmd: u32 ----+---- recv: u32 ---+
/// |  bytes of body    |  command, opaque |  1 = reply wanted |
/// +-------------------+------------------+------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The length of the body after the header, in bytes. Called bodySize in the format.
    pub body_size: u32,
    /// The command. Opaque to the framer: every value is accepted.
    pub cmd: u32,
    /// 1 if the sender wants a reply, 0 if not. Opaque to the framer: every value is accepted.
    pub recv: u32,
}

impl Header {
    /// The length of an encoded header, in bytes.
    pub const LEN: usize = 12;

    /// Decodes a header. It accepts every value: the decoder checks the size limit.
    #[must_use]
    #[inline]
    pub const fn from_bytes(bytes: [u8; Self::LEN], byte_order: ByteOrder) -> Self {
        let [s0, s1, s2, s3, c0, c1, c2, c3, r0, r1, r2, r3] = bytes;
        Self {
            body_size: byte_order.read_u32([s0, s1, s2, s3]),
            cmd: byte_order.read_u32([c0, c1, c2, c3]),
            recv: byte_order.read_u32([r0, r1, r2, r3]),
        }
    }

    /// Encodes the header.
    #[must_use]
    #[inline]
    pub const fn to_bytes(self, byte_order: ByteOrder) -> [u8; Self::LEN] {
        let [s0, s1, s2, s3] = byte_order.write_u32(self.body_size);
        let [c0, c1, c2, c3] = byte_order.write_u32(self.cmd);
        let [r0, r1, r2, r3] = byte_order.write_u32(self.recv);
        [s0, s1, s2, s3, c0, c1, c2, c3, r0, r1, r2, r3]
    }
}

/// A frame that owns its body.
///
/// A decoded body shares the allocation of the read buffer and keeps it alive. To keep a body for
/// long, copy it with [`Bytes::copy_from_slice`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The command. Opaque to the framer.
    pub cmd: u32,
    /// 1 if the sender wants a reply, 0 if not. Opaque to the framer.
    pub recv: u32,
    /// The body. Its length is the header's bodySize.
    pub body: Bytes,
}

/// A frame that borrows its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRef<'a> {
    /// The command. Opaque to the framer.
    pub cmd: u32,
    /// 1 if the sender wants a reply, 0 if not. Opaque to the framer.
    pub recv: u32,
    /// The body. Its length is the header's bodySize.
    pub body: &'a [u8],
}

impl<'a> From<&'a Frame> for FrameRef<'a> {
    fn from(frame: &'a Frame) -> Self {
        Self {
            cmd: frame.cmd,
            recv: frame.recv,
            body: &frame.body,
        }
    }
}

impl From<FrameRef<'_>> for Frame {
    /// Copies the body.
    fn from(frame: FrameRef<'_>) -> Self {
        Self {
            cmd: frame.cmd,
            recv: frame.recv,
            body: Bytes::copy_from_slice(frame.body),
        }
    }
}
