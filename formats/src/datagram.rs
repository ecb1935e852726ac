//! One datagram, one frame: the reference format over UDP. It sends and receives
//! nothing, and there is no stream here to put frames back together from.
//!
//! A datagram comes whole or not at all. So half a frame is an error and not a
//! wait, and so is anything behind a frame. Whether frames come, in what order and
//! how often, UDP does not say and neither does this.
//!
//! Receive with room for [`MAX_DATAGRAM`] bytes: what does not fit the buffer is
//! cut off by the kernel and lost.

use core::cmp::Ordering;
use core::fmt;

use bytes::BytesMut;

use everysplit::reference::{Config, FrameRef, Header};

/// The most bytes that one datagram of UDP over IPv4 carries: 65 535, less the 20
/// of the header of IP and the 8 of that of UDP.
pub const MAX_DATAGRAM: usize = 65_507;

/// Reads a datagram as the one frame that it is.
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
/// [`DatagramError`]: drop the datagram. The next one is another, so that nothing
/// is poisoned.
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
/// [`EncodeError`], and `dst` is as it was: nothing is sent, and nothing cut off.
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

/// Why a datagram is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatagramError {
    /// The header claims a body over the limit.
    BodyTooLarge {
        /// The bodySize claimed, in bytes.
        body_size: u32,
        /// The limit it was held against, in bytes.
        max_body_size: u32,
    },
    /// There is less than a frame, and no more to come.
    Truncated {
        /// How many bytes the datagram has.
        received: u64,
        /// How many bytes the frame has, header included; as long as bodySize is
        /// not there, the twelve of its header.
        due: u64,
    },
    /// There is more than a frame.
    Trailing {
        /// How many bytes the frame has, header included.
        frame: u64,
        /// How many bytes the datagram has.
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
                        "in the other byte order it is {swapped}, check that both ends use the same"
                    ),
                    _ => f.write_str("drop it, or raise max_body_size if the peer is right"),
                }
            }
            Self::Truncated { received, due } => {
                let at_least = if received < 4 { "at least " } else { "" };
                write!(
                    f,
                    "datagram ended inside the frame: {received} of {at_least}{due} bytes came, and no more will: \
                     receive with room for {MAX_DATAGRAM} bytes, and send each frame in one datagram"
                )
            }
            Self::Trailing { frame, received } => write!(
                f,
                "datagram of {received} bytes goes on behind its frame of {frame}: \
                 send each frame in a datagram of its own"
            ),
        }
    }
}

impl core::error::Error for DatagramError {}

/// Why a frame is not made a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The body is over the limit, so that the peer would refuse it.
    BodyTooLarge {
        /// The size of the body, in bytes.
        body_size: usize,
        /// The limit it was held against, in bytes.
        max_body_size: u32,
    },
    /// The frame is over [`MAX_DATAGRAM`], so that the kernel would refuse it.
    DatagramTooLarge {
        /// The size of the frame, header included, in bytes.
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
                "frame of {size} bytes is over the {MAX_DATAGRAM} of a datagram: \
                 send it in several frames, or over TCP"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}
