//! A signed 32-bit length, a JSON header that holds the size of the body, then the body.
//!
//! ```text
//! +-- length: i32 --+--- header: length bytes ---+---- body ----+
//! |  bytes of JSON  |  {"total_size": 5}         |  size bytes  |
//! +-----------------+----------------------------+--------------+
//! ```
//!
//! The format comes from Python tutorials, which use it to upload files and to return the output of
//! remote commands: `struct.pack('i', len(header))`, then `json.dumps(header).encode()`, then the
//! bytes of the file.
//!
//! The decoder returns a body in pieces as they arrive, and never buffers a whole body. This
//! receives an upload, whatever chunks the reads return:
//!
//! ```
//! use std::io::{Read, Write};
//!
//! use bytes::BytesMut;
//! use everysplit_formats::json_header::{Config, Decoder, Part};
//!
//! # let mut socket = &b"\x26\0\0\0{\"filename\": \"a.txt\", \"total_size\": 5}hello"[..];
//! # let mut file = Vec::new();
//! let mut decoder = Decoder::new(Config::default());
//! let (mut buffer, mut chunk) = (BytesMut::new(), [0; 8192]);
//! loop {
//!     let read = socket.read(&mut chunk)?;
//!     buffer.extend_from_slice(&chunk[..read]);
//!     while let Some(part) = decoder.decode(&mut buffer)? {
//!         match part {
//!             Part::Header(header) => println!("{} bytes", header.size),
//!             Part::Body(piece) => file.write_all(&piece)?,
//!             Part::End => println!("done"),
//!         }
//!     }
//!     if read == 0 {
//!         decoder.decode_eof(&mut buffer)?;
//!         break;
//!     }
//! }
//! # assert_eq!(file, b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
#[doc(hidden)]
pub mod fuzzing;
mod header;
pub mod naive;

pub use error::{DecodeError, EncodeError, Flaw};
pub use header::{Config, Header, Md5};

use bytes::{Buf, Bytes, BytesMut};
use md5::Digest;

/// A part of a frame. The decoder returns one header, any number of pieces of the body, and one
/// end, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The header, as soon as its last byte has been received.
    Header(Header),
    /// The next bytes of the body, as many as have been received. Never empty.
    ///
    /// They share the allocation of the read buffer. Drop them before the next read, so that it
    /// can be reused, or copy them with [`Bytes::copy_from_slice`].
    Body(Bytes),
    /// The body is whole, and if its md5 is checked, it is correct. A body of 0 bytes has an end
    /// too.
    End,
}

/// Takes the parts of frames from the front of a read buffer that the caller owns.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::json_header::{Config, Decoder, Part};
///
/// let mut decoder = Decoder::new(Config::default());
/// let mut buffer = BytesMut::from("\x11\0\0\0{\"total_size\": 5}hel");
/// let Some(Part::Header(header)) = decoder.decode(&mut buffer)? else { panic!() };
/// assert_eq!(header.size, 5);
/// assert_eq!(decoder.decode(&mut buffer)?, Some(Part::Body("hel".into())));
/// assert_eq!(decoder.decode(&mut buffer)?, None);
/// buffer.extend_from_slice(b"lo");
/// assert_eq!(decoder.decode(&mut buffer)?, Some(Part::Body("lo".into())));
/// assert_eq!(decoder.decode(&mut buffer)?, Some(Part::End));
/// # Ok::<(), everysplit_formats::json_header::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    config: Config,
    /// The position of the caller's buffer in the stream.
    offset: u64,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The buffer begins with a frame.
    Header,
    /// The buffer begins inside a body, or directly after it.
    Body(Body),
    Poisoned(DecodeError),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Body {
    /// The position of its frame in the stream.
    frame: u64,
    size: u64,
    /// The number of bytes not returned yet.
    left: u64,
    check: Option<Check>,
}

/// The md5 in the header, and the md5 of the bytes returned so far.
#[derive(Clone, Debug)]
struct Check {
    expected: u128,
    md5: md5::Md5,
}

impl Check {
    fn actual(&self) -> u128 {
        u128::from_be_bytes(self.md5.clone().finalize().into())
    }
}

/// Equal if the digests of the bytes returned so far are equal.
impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        (self.expected, self.actual()) == (other.expected, other.actual())
    }
}

impl Eq for Check {}

impl Decoder {
    /// Creates a decoder at the beginning of a stream.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            offset: 0,
            state: State::Header,
        }
    }

    /// Removes the next part of a frame from the front of `buffer` and returns it, or returns
    /// `None` if more bytes must be received first.
    ///
    /// Call it until it returns `None`, because one read may bring many parts. After that, `buffer`
    /// is empty or holds an incomplete header.
    ///
    /// # Errors
    ///
    /// - [`DecodeError::HeaderLength`] as soon as the four bytes of the length have been received,
    /// - [`DecodeError::Header`] as soon as the last byte of the header has been received,
    /// - [`DecodeError::Md5Mismatch`] after the last piece of the body, instead of its end.
    ///
    /// The decoder is then poisoned: every later call returns the same error, whatever `buffer`
    /// holds by then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Part>, DecodeError> {
        let part = match &mut self.state {
            State::Header => self.header(buffer),
            State::Body(body) if body.left == 0 => body.end().map(|()| {
                self.state = State::Header;
                Some(Part::End)
            }),
            State::Body(_) if buffer.is_empty() => Ok(None),
            State::Body(body) => {
                let piece = body.piece(buffer);
                self.offset += piece.len() as u64;
                Ok(Some(Part::Body(piece)))
            }
            State::Poisoned(error) => Err(*error),
        };
        part.inspect_err(|error| self.state = State::Poisoned(*error))
    }

    /// Removes the next part from `buffer` after the end of the stream, when no more bytes can
    /// follow. Returns `None` if the stream ended on a frame boundary.
    ///
    /// # Errors
    ///
    /// The errors of [`decode`](Self::decode), and [`DecodeError::TruncatedHeader`] or
    /// [`DecodeError::TruncatedBody`] if the stream ended inside a frame.
    pub fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Part>, DecodeError> {
        match (self.decode(buffer)?, &self.state) {
            (None, State::Body(body)) => Err(DecodeError::TruncatedBody {
                offset: body.frame,
                received: body.size - body.left,
                due: body.size,
            }),
            (None, _) if !buffer.is_empty() => Err(DecodeError::TruncatedHeader {
                offset: self.offset,
                received: buffer.len() as u64,
                // Without a whole length, at least its own four bytes.
                due: self.config.length(buffer, self.offset)?.unwrap_or(0) as u64 + 4,
            }),
            (part, _) => Ok(part),
        }
    }

    fn header(&mut self, buffer: &mut BytesMut) -> Result<Option<Part>, DecodeError> {
        let frame = self.offset;
        let Some(length) = self.config.length(buffer, frame)? else {
            return Ok(None);
        };
        let Some(json) = buffer.get(4..4 + length) else {
            return Ok(None);
        };
        let (header, md5) = self.config.read(json).map_err(|flaw| DecodeError::Header {
            offset: frame,
            flaw,
        })?;
        buffer.advance(4 + length);
        self.offset += 4 + length as u64;
        self.state = State::Body(Body {
            frame,
            size: header.size,
            left: header.size,
            check: md5.map(|expected| Check {
                expected,
                md5: md5::Md5::new(),
            }),
        });
        Ok(Some(Part::Header(header)))
    }
}

impl Body {
    /// Removes the received bytes of the body from the front of `buffer`, and none after it.
    fn piece(&mut self, buffer: &mut BytesMut) -> Bytes {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let piece = buffer.split_to(buffer.len().min(left)).freeze();
        self.left -= piece.len() as u64;
        if let Some(check) = &mut self.check {
            check.md5.update(&piece);
        }
        piece
    }

    /// Checks the md5 of the whole body, if there is one in the header.
    fn end(&self) -> Result<(), DecodeError> {
        match &self.check {
            Some(check) if check.actual() != check.expected => Err(DecodeError::Md5Mismatch {
                offset: self.frame,
                expected: check.expected,
                actual: check.actual(),
            }),
            _ => Ok(()),
        }
    }
}
