//! The reference decoder: three ways in, one logic. It is not the harness and
//! knows nothing of it.
//!
//! ```text
//! offset                                          end of what came
//! |                                               |
//! +--------+-------------+------------------------+ - - - - - +
//! | header |    body     | header | body ...
//! +--------+-------------+------------------------+ - - - - - +
//! \____ the front frame ____/
//! ```
//!
//! All that a decoder remembers is where the front frame begins. Whether it is
//! whole is read off the bytes themselves each time, so that there is nothing
//! to get out of step when they come in pieces.

use alloc::vec::Vec;

use bytes::{Buf, Bytes, BytesMut};

use super::error::DecodeError;
use super::frame::{Config, Frame, FrameRef, Header};

/// Reads the frame at the front of `bytes`, `None` while it is not whole.
///
/// `offset` is where in the stream `bytes` begin; only errors tell it.
#[inline]
fn front(config: Config, bytes: &[u8], offset: u64) -> Result<Option<FrameRef<'_>>, DecodeError> {
    // bodySize decides alone, before the rest of the header is awaited.
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
    // Never 12 + bodySize: that sum can overflow, this comparison cannot.
    let body = rest.get(..body_size as usize);
    Ok(body.map(|body| FrameRef { cmd, recv, body }))
}

/// Says whether a stream may end with `rest`, which holds no whole frame.
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

/// The way in for those who hold the bytes: walks over a slice, frame by frame,
/// without a copy or an allocation.
///
/// ```
/// use everysplit::reference::{Config, Walk};
///
/// let bytes = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok\x09\0\0";
/// let mut walk = Walk::new(Config::default(), bytes);
/// while let Some(frame) = walk.next_frame()? {
///     assert_eq!((frame.cmd, frame.body), (7, &b"ok"[..]));
/// }
/// assert_eq!(walk.rest(), b"\x09\0\0"); // the beginning of the next frame
/// # Ok::<(), everysplit::reference::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    config: Config,
    rest: &'a [u8],
    /// Where `rest` begins, counted from the beginning of the slice.
    offset: u64,
}

impl<'a> Walk<'a> {
    /// Starts at the beginning of `bytes`, which must be the beginning of a
    /// frame. The offsets in errors count from there.
    #[must_use]
    pub const fn new(config: Config, bytes: &'a [u8]) -> Self {
        Self {
            config,
            rest: bytes,
            offset: 0,
        }
    }

    /// Returns the next frame, or `None` when what is left is not a whole one.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BodyTooLarge`]: the walk goes no further, every later
    /// call returns the same error.
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

    /// Returns the bytes not walked over yet: keep them for the next read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Walks to the end, and says whether a stream may end there.
    ///
    /// # Errors
    ///
    /// What [`next_frame`](Self::next_frame) returns, and
    /// [`DecodeError::Truncated`] when the bytes end inside a frame.
    pub fn finish(mut self) -> Result<(), DecodeError> {
        while self.next_frame()?.is_some() {}
        end(self.config, self.rest, self.offset)
    }
}

/// The way in for those who own a read buffer: takes whole frames off its front.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit::reference::{Config, Decoder};
///
/// let mut decoder = Decoder::new(Config::default());
/// let mut buffer = BytesMut::from(&b"\x02\0\0\0\x07\0\0\0"[..]);
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"\0\0\0\0ok");
/// assert_eq!(decoder.decode(&mut buffer)?.unwrap().body, "ok");
/// # Ok::<(), everysplit::reference::DecodeError>(())
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

    /// Takes the next frame off the front of `buffer`, or returns `None` and
    /// takes nothing when more bytes must come first. Call it until it returns
    /// `None`: one read may hold many frames.
    ///
    /// No room is reserved for bytes that have not come.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BodyTooLarge`]: nothing is taken, every later call
    /// returns the same error, whatever `buffer` holds then.
    #[inline]
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        if let Some(error) = self.poison {
            return Err(error);
        }
        let FrameRef { cmd, recv, body } = match front(self.config, buffer, self.offset) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.poison = Some(error);
                return Err(error);
            }
        };
        let len = Header::LEN + body.len();
        self.offset += len as u64;
        let body = if body.is_empty() {
            // An empty body must not keep the buffer alive.
            buffer.advance(len);
            Bytes::new()
        } else {
            let mut frame = buffer.split_to(len).freeze();
            frame.advance(Header::LEN);
            frame
        };
        Ok(Some(Frame { cmd, recv, body }))
    }

    /// Takes the next frame off a buffer that will not grow any more, `None`
    /// when the stream ended on a frame boundary.
    ///
    /// # Errors
    ///
    /// What [`decode`](Self::decode) returns, and [`DecodeError::Truncated`]
    /// when the stream ended inside a frame.
    pub fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        match self.decode(buffer)? {
            Some(frame) => Ok(Some(frame)),
            None => end(self.config, buffer, self.offset).map(|()| None),
        }
    }
}

/// The way in for those who have only chunks: keeps what is not a whole frame
/// yet.
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
    /// Less than one frame between calls; empty once poisoned.
    buffer: BytesMut,
}

impl Framer {
    /// Starts at the beginning of a stream.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            decoder: Decoder::new(config),
            buffer: BytesMut::new(),
        }
    }

    /// Takes the next chunk of the stream, of any length, and appends to
    /// `frames` every frame that is whole with it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BodyTooLarge`]: the frames before it have been appended;
    /// every later call returns the same error and appends nothing.
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
            // A little that is left must not keep a lot that was taken.
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
        Ok(())
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] inside a frame; once poisoned, the error that
    /// [`feed`](Self::feed) returned.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.decoder.poison {
            Some(error) => Err(error),
            None => end(self.decoder.config, &self.buffer, self.decoder.offset),
        }
    }

    /// Returns how many bytes of memory the framer holds for the unfinished frame,
    /// used or not. Up to eight times as many that were taken off before it may
    /// be kept with them, until more bytes come.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.capacity()
    }
}
