//! Exactly one frame of the [reference format](everysplit::reference) in each UDP datagram.
//!
//! ```text
//! +---------------------------------- datagram ----------------------------------+
//! +-- bodySize: u32 --+---- cmd: u32 ----+---- recv: u32 ---+---- body ----------+
//! |  bytes of body    |  command, opaque |  1 = reply wanted |  bodySize bytes    |
//! +-------------------+------------------+------------------+--------------------+
//! ```
//!
//! UDP delivers a datagram whole or not at all, so there is no stream to put frames back together
//! from: half a frame is an error, and so are bytes after the frame. UDP may lose, duplicate and
//! reorder datagrams, and this module does not detect that.
//!
//! The module does no I/O. Receive into a buffer of [`MAX_DATAGRAM`] bytes: the kernel discards the
//! part of a datagram that does not fit into the buffer.

use core::cmp::Ordering;
use core::fmt;

use bytes::BytesMut;

use everysplit::reference::{Config, FrameRef, Header};

/// The size limit of a UDP datagram over IPv4, in bytes: 65 535, less 20 bytes of IP header and
/// 8 bytes of UDP header.
pub const MAX_DATAGRAM: usize = 65_507;

/// Decodes a datagram that holds exactly one frame.
///
/// ```
/// use everysplit::reference::Config;
/// use everysplit_formats::datagram;
///
/// let received = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
/// let frame = datagram::decode(Config::default(), received)?;
/// assert_eq!((frame.cmd, frame.body), (7, &b"ok"[..]));
/// assert!(datagram::decode(Config::default(), &received[..13]).is_err());
/// # Ok::<(), datagram::DatagramError>(())
/// ```
///
/// # Errors
///
/// [`DatagramError`] if it holds anything else. Drop the datagram and receive the next one, which
/// is not affected.
pub fn decode(config: Config, datagram: &[u8]) -> Result<FrameRef<'_>, DatagramError> {
    let received = datagram.len() as u64;
    let truncated = |due| DatagramError::Truncated { received, due };
    let header_size = Header::LEN as u64;
    let Some(&size) = datagram.first_chunk() else {
        return Err(truncated(header_size));
    };
    let body_size = config.byte_order.read_u32(size);
    if body_size > config.max_body_size {
        return Err(DatagramError::BodyTooLarge {
            body_size,
            max_body_size: config.max_body_size,
        });
    }
    let due = header_size + u64::from(body_size);
    let Some((&header, body)) = datagram.split_first_chunk() else {
        return Err(truncated(due));
    };
    let Header { cmd, recv, .. } = Header::from_bytes(header, config.byte_order);
    match received.cmp(&due) {
        Ordering::Less => Err(truncated(due)),
        Ordering::Equal => Ok(FrameRef { cmd, recv, body }),
        Ordering::Greater => Err(DatagramError::Trailing {
            frame: due,
            received,
        }),
    }
}

/// Appends a frame to `dst`, to be sent as one datagram.
///
/// # Errors
///
/// [`EncodeError`] if the body is over the size limit or the frame does not fit into a datagram.
/// `dst` is then unchanged.
pub fn encode<'a>(
    config: Config,
    frame: impl Into<FrameRef<'a>>,
    dst: &mut BytesMut,
) -> Result<(), EncodeError> {
    let frame = frame.into();
    let size = Header::LEN + frame.body.len();
    if size > MAX_DATAGRAM {
        return Err(EncodeError::DatagramTooLarge { size });
    }
    let body_size = frame.body.len();
    config
        .encode(frame, dst)
        .map_err(|_| EncodeError::BodyTooLarge {
            body_size,
            max_body_size: config.max_body_size,
        })
}

/// Why a datagram was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatagramError {
    /// The header claims a body over the size limit.
    BodyTooLarge {
        /// The bodySize claimed, in bytes.
        body_size: u32,
        /// The size limit, in bytes.
        max_body_size: u32,
    },
    /// The datagram ends inside the frame.
    Truncated {
        /// The length of the datagram, in bytes.
        received: u64,
        /// The length of the whole frame in bytes, header included. If the datagram ends inside
        /// bodySize, the length of the header.
        due: u64,
    },
    /// The datagram continues after the frame.
    Trailing {
        /// The length of the frame in bytes, header included.
        frame: u64,
        /// The length of the datagram, in bytes.
        received: u64,
    },
}

impl fmt::Display for DatagramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BodyTooLarge {
                body_size,
                max_body_size,
            } => {
                write!(
                    f,
                    "bodySize {body_size} of a datagram is over the limit of {max_body_size} bytes: "
                )?;
                match body_size.swap_bytes() {
                    swapped if swapped <= max_body_size => write!(
                        f,
                        "in the other byte order it is {swapped}; \
                         check that both ends use the same byte order"
                    ),
                    _ => f.write_str(
                        "drop the datagram, or raise max_body_size to accept larger bodies",
                    ),
                }
            }
            Self::Truncated { received, due } => {
                let at_least = if received < 4 { "at least " } else { "" };
                write!(
                    f,
                    "datagram ends inside its frame, after {received} of {at_least}{due} bytes: \
                     receive into a buffer of {MAX_DATAGRAM} bytes, and send each frame in one datagram"
                )
            }
            Self::Trailing { frame, received } => write!(
                f,
                "datagram of {received} bytes continues after its frame of {frame} bytes: \
                 send each frame in its own datagram"
            ),
        }
    }
}

impl core::error::Error for DatagramError {}

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
    /// The frame is over [`MAX_DATAGRAM`]: the kernel would not send it.
    DatagramTooLarge {
        /// The size of the frame in bytes, header included.
        size: usize,
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
            Self::DatagramTooLarge { size } => write!(
                f,
                "frame of {size} bytes is over the datagram limit of {MAX_DATAGRAM} bytes: \
                 send it in several frames, or over TCP"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}
