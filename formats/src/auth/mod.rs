//! The keyed check of a connection: a challenge and its digest, ahead of any framer. It
//! does not guard what follows: nothing is encrypted, and no frame is signed.
//!
//! ```text
//! server to client  +-- challenge: 32 random bytes --+-- traffic, in any framing ...
//! client to server  +-- answer: its HMAC, 32 or 16 --+-- traffic, in any framing ...
//! ```
//!
//! The format is that of the documents' authenticated servers, which compute
//! `hmac.new(key, challenge, "md5")` and take what one `recv` gives for the answer.

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

/// The hash within the HMAC. Both ends must use the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC-SHA-256: an answer of 32 bytes.
    #[default]
    Sha256,
    /// HMAC-MD5, which is the documents': an answer of 16 bytes.
    Md5,
}

impl Algorithm {
    /// Returns how many bytes an answer has.
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

/// The bytes that a server sends first. They are no secret; they must be new ones
/// for each connection, or an old answer opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Challenge([u8; Self::LEN]);

impl Challenge {
    /// The length of a challenge, in bytes.
    pub const LEN: usize = 32;

    /// Takes its bytes from the operating system's generator.
    ///
    /// # Errors
    ///
    /// That of the operating system, when it gives none.
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

    /// Takes a challenge off the front of `buffer`, or returns `None` and takes
    /// nothing when more bytes must come first. A client calls it once; what follows
    /// is the framer's.
    #[must_use]
    pub fn decode(buffer: &mut BytesMut) -> Option<Self> {
        let challenge = Self(*buffer.first_chunk()?);
        buffer.advance(Self::LEN);
        Some(challenge)
    }

    /// Takes a challenge off a buffer that will not grow any more.
    ///
    /// # Errors
    ///
    /// [`AuthError::ChallengeTruncated`] when there are too few bytes for one.
    pub fn decode_eof(buffer: &mut BytesMut) -> Result<Self, AuthError> {
        Self::decode(buffer).ok_or(AuthError::ChallengeTruncated {
            received: buffer.len() as u64,
            due: Self::LEN as u64,
        })
    }

    /// Returns the answer of those who have the key, which may be of any length: the
    /// client sends it, the server [waits](Guarded) for it.
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

/// The answer to a challenge: its HMAC under the shared key. It is compared in
/// constant time, and `Debug` does not show it.
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

    /// Returns what it was made with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Digest::Sha256(_) => Algorithm::Sha256,
            Digest::Md5(_) => Algorithm::Md5,
        }
    }

    /// Says whether `bytes` are the answer, all of it, in a time that does not depend
    /// on where they differ.
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

/// A server's decoder, or whatever else reads what a client sends, out of reach until
/// the client has given the right answer.
///
/// ```
/// use bytes::BytesMut;
/// use everysplit_formats::auth::{Algorithm, Challenge, Guarded};
/// use everysplit::reference::{Config, Decoder};
///
/// let (algorithm, key) = (Algorithm::Sha256, b"shared key");
/// // The server sends this, and keeps what it must get.
/// let challenge = Challenge::random()?;
/// let due = challenge.answer(algorithm, key);
/// let mut guarded = Guarded::new(due, Decoder::new(Config::default()));
///
/// // The client answers, and sends a frame at once.
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
    Waiting(Answer),
    Open,
    /// After a wrong answer.
    Poisoned(AuthError),
}

impl<D> Guarded<D> {
    /// Starts at the beginning of what the client sends. `inner` begins behind the
    /// answer, and so do the offsets in its errors.
    pub const fn new(due: Answer, inner: D) -> Self {
        let state = State::Waiting(due);
        Self { state, inner }
    }

    /// Takes the answer off the front of `buffer`, once, and returns what reads the
    /// rest; `None` when more bytes of the answer must come first. Call it after each
    /// read.
    ///
    /// # Errors
    ///
    /// [`AuthError::WrongAnswer`], as soon as the answer's last byte is in and not
    /// before: nothing is taken, every later call returns the same error, whatever
    /// `buffer` holds then.
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

    /// Does what [`open`](Self::open) does, with a buffer that will not grow any more.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and [`AuthError::AnswerTruncated`] when the
    /// stream ended before the answer did, be it before its first byte.
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

/// Why a connection is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthError {
    /// The client's answer is not the one that was due. Known when all of it is in;
    /// what waits for it is poisoned.
    WrongAnswer {
        /// What the answer was to be made with.
        algorithm: Algorithm,
    },
    /// The stream ended inside the client's answer.
    AnswerTruncated {
        /// How many bytes of it came.
        received: u64,
        /// How many bytes it has.
        due: u64,
    },
    /// The stream ended inside the server's challenge.
    ChallengeTruncated {
        /// How many bytes of it came.
        received: u64,
        /// How many bytes it has.
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
                     if the peer is right, check that both ends use the same key and the same algorithm"
                );
            }
            Self::AnswerTruncated { received, due } => ("answer", received, due),
            Self::ChallengeTruncated { received, due } => ("challenge", received, due),
        };
        write!(
            f,
            "stream ended inside the {part} at offset 0: {received} of {due} bytes came, "
        )?;
        match self {
            Self::AnswerTruncated { received: 16, .. } => f.write_str(
                "as many as an HMAC-MD5 has, check that both ends use the same algorithm",
            ),
            _ => f.write_str("the peer closed early or bytes were lost"),
        }
    }
}

impl core::error::Error for AuthError {}
