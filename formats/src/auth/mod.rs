//! A challenge of 32 random bytes and, as the answer, its HMAC under a shared key. Frames of any
//! format follow.
//!
//! ```text
//! server to client  +-- challenge: 32 random bytes ------+-- frames in any format ...
//! client to server  +-- answer: HMAC, 32 or 16 bytes ----+-- frames in any format ...
//! ```
//!
//! It authenticates the client, once. It does not encrypt or sign the frames that follow.
//!
//! The format comes from Python tutorials: their server computes
//! `hmac.new(key, challenge, "md5")` and reads the answer with a single `recv`, which may return a
//! part of the answer, or the answer and the first frames.

#[cfg(feature = "tokio")]
mod codec;
#[doc(hidden)]
pub mod fuzzing;
pub mod naive;
mod subject;

pub use subject::GuardedError;

use core::fmt;

use bytes::{Buf, BytesMut};
use hmac::digest::{CtOutput, Output, OutputSizeUser};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::Sha256;

/// The HMAC algorithm. Both ends must use the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC-SHA-256, with an answer of 32 bytes.
    #[default]
    Sha256,
    /// HMAC-MD5, with an answer of 16 bytes. It is the algorithm of the tutorials.
    Md5,
}

impl Algorithm {
    /// Returns the length of an answer, in bytes.
    #[must_use]
    pub const fn answer_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Md5 => 16,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "HMAC-SHA-256",
            Self::Md5 => "HMAC-MD5",
        })
    }
}

/// The bytes that a server sends first.
///
/// They need not be secret. Each connection must have new ones, because an answer that was used
/// before is accepted again for the same challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Challenge([u8; Self::LEN]);

impl Challenge {
    /// The length of a challenge, in bytes.
    pub const LEN: usize = 32;

    /// Creates a challenge from the operating system's random number generator.
    ///
    /// # Errors
    ///
    /// The generator's error, if it fails.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; Self::LEN];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Returns the bytes to send.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Removes a challenge from the front of `buffer` and returns it. If `buffer` holds less than
    /// 32 bytes, returns `None` and leaves it unchanged.
    ///
    /// A client calls it until it has the challenge. The bytes after it belong to the framer.
    #[must_use]
    pub fn decode(buffer: &mut BytesMut) -> Option<Self> {
        let challenge = Self(*buffer.first_chunk()?);
        buffer.advance(Self::LEN);
        Some(challenge)
    }

    /// Removes a challenge from `buffer` after the end of the stream, when no more bytes can
    /// follow.
    ///
    /// # Errors
    ///
    /// [`AuthError::ChallengeTruncated`] if `buffer` holds less than 32 bytes.
    pub fn decode_eof(buffer: &mut BytesMut) -> Result<Self, AuthError> {
        Self::decode(buffer).ok_or(AuthError::ChallengeTruncated {
            received: buffer.len() as u64,
            due: Self::LEN as u64,
        })
    }

    /// Returns the answer under `key`, which may have any length. The client sends it, and the
    /// server's [`Guarded`] compares with it.
    #[must_use]
    pub fn answer(&self, algorithm: Algorithm, key: &[u8]) -> Answer {
        Answer(match algorithm {
            Algorithm::Sha256 => Digest::Sha256(hmac(key, &self.0)),
            Algorithm::Md5 => Digest::Md5(hmac(key, &self.0)),
        })
    }
}

impl From<[u8; Self::LEN]> for Challenge {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

/// The answer to a challenge: its HMAC under the shared key.
///
/// Answers are compared in constant time. `Debug` does not print the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(Digest);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Digest {
    Sha256(CtOutput<Hmac<Sha256>>),
    Md5(CtOutput<Hmac<Md5>>),
}

impl Answer {
    /// Returns the bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Digest::Sha256(digest) => digest.as_bytes(),
            Digest::Md5(digest) => digest.as_bytes(),
        }
    }

    /// Returns the algorithm that computed the answer.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Digest::Sha256(_) => Algorithm::Sha256,
            Digest::Md5(_) => Algorithm::Md5,
        }
    }

    /// Returns whether `bytes` are the whole answer. For bytes of the same length, the time does
    /// not depend on where they differ.
    fn matches(&self, bytes: &[u8]) -> bool {
        match &self.0 {
            Digest::Sha256(digest) => digest_matches(digest, bytes),
            Digest::Md5(digest) => digest_matches(digest, bytes),
        }
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], challenge: &[u8]) -> CtOutput<M> {
    let mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    mac.chain_update(challenge).finalize()
}

fn digest_matches<M: OutputSizeUser>(digest: &CtOutput<M>, bytes: &[u8]) -> bool {
    <&Output<M>>::try_from(bytes).is_ok_and(|bytes| *digest == bytes.into())
}

/// A server's decoder that is out of reach until the client has sent the correct answer.
///
/// The inner decoder `D` can be any type that reads what the client sends.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::auth::{Algorithm, Challenge, Guarded};
/// use everysplit::reference::{Config, Decoder};
///
/// let (algorithm, key) = (Algorithm::Sha256, b"shared key");
/// // The server sends the challenge and keeps the answer that it expects.
/// let challenge = Challenge::random()?;
/// let due = challenge.answer(algorithm, key);
/// let mut guarded = Guarded::new(due, Decoder::new(Config::default()));
///
/// // The client sends the answer and a frame right after it.
/// let answer = challenge.answer(algorithm, key);
/// let mut buffer = BytesMut::from(answer.as_bytes());
/// buffer.extend_from_slice(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok");
///
/// // After each read:
/// if let Some(decoder) = guarded.open(&mut buffer)? {
///     while let Some(frame) = decoder.decode(&mut buffer)? {
///         assert_eq!(frame.body, "ok");
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded<D> {
    state: State,
    inner: D,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for this answer.
    Waiting(Answer),
    /// The answer was correct.
    Open,
    Poisoned(AuthError),
}

impl<D> Guarded<D> {
    /// Creates a guard at the beginning of the client's stream. It expects the answer `due`.
    ///
    /// `inner` reads the bytes after the answer, so the offsets in its errors count from there.
    pub const fn new(due: Answer, inner: D) -> Self {
        Self {
            state: State::Waiting(due),
            inner,
        }
    }

    /// Returns the inner decoder once the answer has been received, and `None` before that. Call it
    /// after each read.
    ///
    /// The first successful call removes the answer from the front of `buffer`.
    ///
    /// # Errors
    ///
    /// [`AuthError::WrongAnswer`] if the answer is wrong, as soon as its last byte has been
    /// received and not before. Nothing is removed from `buffer`, and the guard is poisoned: every
    /// later call returns the same error, whatever `buffer` holds by then.
    pub fn open(&mut self, buffer: &mut BytesMut) -> Result<Option<&mut D>, AuthError> {
        if let State::Waiting(due) = &self.state {
            let algorithm = due.algorithm();
            let Some(answer) = buffer.get(..algorithm.answer_len()) else {
                return Ok(None);
            };
            self.state = if due.matches(answer) {
                buffer.advance(algorithm.answer_len());
                State::Open
            } else {
                State::Poisoned(AuthError::WrongAnswer { algorithm })
            };
        }
        match self.state {
            State::Waiting(_) => Ok(None),
            State::Open => Ok(Some(&mut self.inner)),
            State::Poisoned(error) => Err(error),
        }
    }

    /// Returns the inner decoder after the end of the stream, when no more bytes can follow.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open), and [`AuthError::AnswerTruncated`] if the stream ended
    /// before the last byte of the answer, or before its first.
    pub fn open_eof(&mut self, buffer: &mut BytesMut) -> Result<&mut D, AuthError> {
        let due = match &self.state {
            State::Waiting(due) => due.algorithm().answer_len() as u64,
            State::Open | State::Poisoned(_) => 0,
        };
        let received = buffer.len() as u64;
        self.open(buffer)?
            .ok_or(AuthError::AnswerTruncated { received, due })
    }
}

/// Why a connection was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthError {
    /// The client's answer is wrong. Returned as soon as all of it has been received. The
    /// [`Guarded`] is then poisoned.
    WrongAnswer {
        /// The algorithm of the expected answer.
        algorithm: Algorithm,
    },
    /// The stream ended inside the client's answer.
    AnswerTruncated {
        /// The number of bytes of the answer that were received.
        received: u64,
        /// The length of the answer, in bytes.
        due: u64,
    },
    /// The stream ended inside the server's challenge.
    ChallengeTruncated {
        /// The number of bytes of the challenge that were received.
        received: u64,
        /// The length of the challenge, in bytes.
        due: u64,
    },
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, received, due) = match *self {
            Self::WrongAnswer { algorithm } => {
                return write!(
                    f,
                    "answer at offset 0 is not the {algorithm} of the challenge: close the connection; \
                     if the peer is legitimate, check that both ends use the same key and the same algorithm"
                );
            }
            Self::AnswerTruncated { received, due } => ("answer", received, due),
            Self::ChallengeTruncated { received, due } => ("challenge", received, due),
        };
        write!(
            f,
            "stream ended inside the {part} at offset 0: received {received} of {due} bytes; "
        )?;
        match self {
            Self::AnswerTruncated { received: 16, .. } => f.write_str(
                "this is the length of an HMAC-MD5, check that both ends use the same algorithm",
            ),
            _ => f.write_str("the peer closed early or bytes were lost"),
        }
    }
}

impl core::error::Error for AuthError {}
