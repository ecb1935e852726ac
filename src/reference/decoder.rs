//! The reference decoder: [`Walk`], [`Decoder`] and [`Framer`] all parse with the function
//! [`front`]. They differ only in who owns the bytes.
//!
//! ```text
//! offset                                          end of the bytes received
//! |                                               |
//! +--------+-------------+------------------------+ - - - - - +
//! | header |    body     | header | body ...
//! +--------+-------------+------------------------+ - - - - - +
//! \____ the front frame ____/
//! ```
//!
//! Until an error, a decoder's only state is the offset of the front frame. Whether that frame is
//! whole is read from the bytes on each call, so no state can fall out of step with them, however
//! they are cut.

use alloc::vec::Vec;

use bytes::{Buf, Bytes, BytesMut};

use super::error::DecodeError;
use super::frame::{Config, Frame, FrameRef, Header};

/// Reads the frame at the front of `bytes`, or returns `None` if it is not whole yet.
///
/// `offset` is the position of `bytes` in the stream, used only in errors.
#[inline]
fn front(config: Config, bytes: &[u8], offset: u64) -> Result<Option<FrameRef<'_>>, DecodeError> {
    // A bodySize over the limit is rejected before the rest of the header has been received.
    let Some(&size) = bytes.first_chunk() else {
        return Ok(None);
    };
    let body_size = config.byte_order.read_u32(size);
    if body_size > config.max_body_size {
        return Err(DecodeError::BodyTooLarge {
            offset,
            body_size,
            max_body_size: config.max_body_size,
        });
    }
    let Some((&header, rest)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    let Header { cmd, recv, .. } = Header::from_bytes(header, config.byte_order);
    // 12 + bodySize can overflow on 32-bit targets, a lookup in `rest` cannot.
    let body = rest.get(..body_size as usize);
    Ok(body.map(|body| FrameRef { cmd, recv, body }))
}

/// Checks that a stream may end with `rest`, which holds no whole frame.
fn end(config: Config, rest: &[u8], offset: u64) -> Result<(), DecodeError> {
    if rest.is_empty() {
        return Ok(());
    }
    let body_size = rest
        .first_chunk()
        .map_or(0, |&size| config.byte_order.read_u32(size));
    Err(DecodeError::Truncated {
        offset,
        received: rest.len() as u64,
        due: Header::LEN as u64 + u64::from(body_size),
    })
}

/// Reads frames from a byte slice, one after another, without copying or allocating.
///
/// ```
/// use everysplit::reference::{Config, Walk};
///
/// let bytes = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok\x09\0\0";
/// let mut walk = Walk::new(Config::default(), bytes);
/// while let Some(frame) = walk.next_frame()? {
///     assert_eq!((frame.cmd, frame.body), (7, &b"ok"[..]));
/// }
/// assert_eq!(walk.rest(), b"\x09\0\0"); // The start of the next frame.
/// # Ok::<(), everysplit::reference::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    config: Config,
    rest: &'a [u8],
    /// The position of `rest` in the slice.
    offset: u64,
}

impl<'a> Walk<'a> {
    /// Creates a walk over `bytes`, which must begin with a frame. The offsets in errors count
    /// from the start of `bytes`.
    #[must_use]
    pub const fn new(config: Config, bytes: &'a [u8]) -> Self {
        Self {
            config,
            rest: bytes,
            offset: 0,
        }
    }

    /// Returns the next frame, or `None` if no whole frame is left.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BodyTooLarge`] if the next header claims a body over the limit. The walk
    /// stays there: every later call returns the same error.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<FrameRef<'a>>, DecodeError> {
        let frame = front(self.config, self.rest, self.offset)?;
        if let Some(frame) = &frame {
            let len = Header::LEN + frame.body.len();
            self.rest = &self.rest[len..];
            self.offset += len as u64;
        }
        Ok(frame)
    }

    /// Returns the bytes after the last frame that was returned. Keep them: the next read
    /// continues them.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips all remaining frames and checks that the bytes end with a whole frame.
    ///
    /// # Errors
    ///
    /// The errors of [`next_frame`](Self::next_frame), and [`DecodeError::Truncated`] if the bytes
    /// end inside a frame.
    pub fn finish(mut self) -> Result<(), DecodeError> {
        while self.next_frame()?.is_some() {}
        end(self.config, self.rest, self.offset)
    }
}

/// Takes whole frames from the front of a read buffer that the caller owns.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit::reference::{Config, Decoder};
///
/// let mut decoder = Decoder::new(Config::default());
/// let mut buffer = BytesMut::from(&b"\x02\0\0\0\x07\0\0\0"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"\0\0\0\0ok");
/// let frame = decoder.decode(&mut buffer)?.expect("the frame is whole now");
/// assert_eq!((frame.cmd, &frame.body[..]), (7, &b"ok"[..]));
/// # Ok::<(), everysplit::reference::DecodeError>(())
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

    /// Removes the next frame from the front of `buffer` and returns it. If the frame is not whole
    /// yet, returns `None` and leaves `buffer` unchanged.
    ///
    /// Call it until it returns `None`, because one read may bring many frames. It reserves no
    /// space for bytes that have not been received.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BodyTooLarge`] if the header claims a body over the limit. Nothing is
    /// removed from `buffer`, and the decoder is poisoned: every later call returns the same
    /// error, whatever `buffer` holds by then.
    #[inline]
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        if let Some(error) = self.poison {
            return Err(error);
        }
        let FrameRef { cmd, recv, body } = match front(self.config, buffer, self.offset) {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                self.make_room(buffer);
                return Ok(None);
            }
            Err(error) => {
                self.poison = Some(error);
                return Err(error);
            }
        };
        let len = Header::LEN + body.len();
        self.offset += len as u64;
        let body = if body.is_empty() {
            // An empty slice of the buffer would keep its whole allocation alive.
            buffer.advance(len);
            Bytes::new()
        } else {
            let mut frame = buffer.split_to(len).freeze();
            frame.advance(Header::LEN);
            frame
        };
        Ok(Some(Frame { cmd, recv, body }))
    }

    /// Moves the beginning of a frame to the front of the memory that `buffer` has, if the whole frame
    /// fits there: the sooner, the fewer bytes are moved. Allocates nothing.
    fn make_room(&self, buffer: &mut BytesMut) {
        if let Some(&size) = buffer.first_chunk() {
            let len = Header::LEN.saturating_add(self.config.byte_order.read_u32(size) as usize);
            // Without room, the buffer grows with the bytes that arrive.
            let _ = buffer.try_reclaim(len.saturating_sub(buffer.len()));
        }
    }

    /// Removes the next frame from `buffer` after the end of the stream, when no more bytes can
    /// follow. Returns `None` if the stream ended on a frame boundary.
    ///
    /// # Errors
    ///
    /// The errors of [`decode`](Self::decode), and [`DecodeError::Truncated`] if the stream ended
    /// inside a frame.
    pub fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        match self.decode(buffer)? {
            Some(frame) => Ok(Some(frame)),
            None => end(self.config, buffer, self.offset).map(|()| None),
        }
    }
}

/// Accepts a stream chunk by chunk, and buffers the frame that is not whole yet.
///
/// ```
/// use everysplit::reference::{Config, Framer};
///
/// let mut framer = Framer::new(Config::default());
/// let mut frames = Vec::new();
/// for chunk in [&b"\x02\0"[..], b"\0\0\x07\0\0\0\0\0\0\0o", b"k"] {
///     framer.feed(chunk, &mut frames)?;
/// }
/// framer.finish()?;
/// assert_eq!(frames[0].body, "ok");
/// # Ok::<(), everysplit::reference::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framer {
    decoder: Decoder,
    /// Between calls, less than one frame. Empty after an error.
    buffer: BytesMut,
}

impl Framer {
    /// Creates a framer at the beginning of a stream.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            decoder: Decoder::new(config),
            buffer: BytesMut::new(),
        }
    }

    /// Accepts the next chunk of the stream, of any length including 0, and appends to `frames`
    /// every frame that it completes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BodyTooLarge`] if a header claims a body over the limit. The frames before it
    /// have been appended. The framer is poisoned: every later call returns the same error and
    /// appends nothing.
    pub fn feed(&mut self, chunk: &[u8], frames: &mut Vec<Frame>) -> Result<(), DecodeError> {
        if let Some(error) = self.decoder.poison {
            return Err(error);
        }
        self.buffer.extend_from_slice(chunk);
        let before = self.decoder.offset;
        loop {
            match self.decoder.decode(&mut self.buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    self.buffer = BytesMut::new();
                    return Err(error);
                }
            }
        }
        let taken = self.decoder.offset - before;
        if taken > 8 * self.buffer.len() as u64 {
            // The few bytes left would keep the much larger allocation of the frames alive.
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
        Ok(())
    }

    /// Checks that the stream may end here.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] inside a frame. After an error of [`feed`](Self::feed), that
    /// error again.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.decoder.poison {
            Some(error) => Err(error),
            None => end(self.decoder.config, &self.buffer, self.decoder.offset),
        }
    }

    /// Returns the bytes of the unfinished frame. Empty after an error.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        &self.buffer
    }

    /// Returns the capacity of the buffer for the unfinished frame, in bytes.
    ///
    /// Its allocation can be larger: next to the buffered bytes it may hold up to eight times as
    /// many bytes of earlier frames, until the next chunk arrives.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.capacity()
    }
}
