//! A header in JSON that tells the size of the body, and the body in pieces as it
//! comes. It never holds a body, and knows nothing of files.
//!
//! ```text
//! +-- length: i32 --+--- header: length bytes ---+---- body ----+
//! |  bytes of JSON  |  {"total_size": 5}         |  size bytes  |
//! +-----------------+----------------------------+--------------+
//! ```
//!
//! It is the format in which the documents answer a remote command, describe a file
//! and upload it: `struct.pack('i', len(header))`, the header by
//! `json.dumps(header).encode()`, and the bytes of the file.
//!
//! A whole upload, whatever the reads bring:
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
mod subject;

pub use error::{DecodeError, EncodeError, Flaw};
pub use header::{Config, Header, Md5};

use bytes::{Buf, Bytes, BytesMut};
use md5::Digest;

/// What comes of a frame, in this order: its header, its body in any number of
/// pieces, its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The header, as soon as its last byte is in.
    Header(Header),
    /// The next bytes of the body, never none: all that have come.
    ///
    /// They share the read buffer: drop them before the next read, and it is used
    /// again. [`Bytes::copy_from_slice`] cuts the tie.
    Body(Bytes),
    /// The body is whole, and its md5 right where that is checked. A body of 0 bytes
    /// has an end too.
    End,
}

/// The way in for those who own a read buffer: takes the parts of frames off its
/// front.
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
    /// Where in the stream the caller's buffer begins.
    offset: u64,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The buffer begins with a frame.
    Header,
    /// The buffer begins inside a body, or right behind it.
    Body(Body),
    Poisoned(DecodeError),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Body {
    /// Where in the stream its frame begins.
    frame: u64,
    size: u64,
    /// How many of its bytes have not been given.
    left: u64,
    check: Option<Check>,
}

/// The md5 of the bytes that have been given, and the one that the header tells.
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

/// Equal when the same bytes have been given, as far as an md5 tells.
impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        (self.expected, self.actual()) == (other.expected, other.actual())
    }
}

impl Eq for Check {}

impl Decoder {
    /// Starts at the beginning of a stream.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            offset: 0,
            state: State::Header,
        }
    }

    /// Takes the next part off the front of `buffer`, or returns `None` when more
    /// bytes must come first. Call it until it returns `None`: one read may hold many
    /// parts.
    ///
    /// The bytes behind a body stay in the buffer, and only a header that is not whole
    /// is waited for there.
    ///
    /// # Errors
    ///
    /// [`DecodeError::HeaderLength`] as soon as the four bytes of the length are in,
    /// [`DecodeError::Header`] as soon as the header is,
    /// [`DecodeError::Md5Mismatch`] behind the last byte of the body, in place of its
    /// end. Every later call returns the same error, whatever `buffer` holds then.
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

    /// Takes the next part off a buffer that will not grow any more, `None` when the
    /// stream ended on a frame boundary.
    ///
    /// # Errors
    ///
    /// What [`decode`](Self::decode) returns, and
    /// [`DecodeError::TruncatedHeader`] or [`DecodeError::TruncatedBody`] when the
    /// stream ended inside a frame.
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
                // Without a length it cannot be told.
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
    /// Takes what has come of it off the front of `buffer`, and nothing behind it.
    fn piece(&mut self, buffer: &mut BytesMut) -> Bytes {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let piece = buffer.split_to(buffer.len().min(left)).freeze();
        self.left -= piece.len() as u64;
        if let Some(check) = &mut self.check {
            check.md5.update(&piece);
        }
        piece
    }

    /// Says whether what was given is what the header told of.
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
