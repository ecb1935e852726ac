//! Checks for servers that authenticate a client and then decode the reference format, shared by
//! this project's fuzz targets and tests.
//!
//! It is public only for them, hidden from the documentation, and not part of the stable API.

use everysplit::oracle::Parse;
use everysplit::reference::fuzzing::CONFIGS;
use everysplit::reference::{self, DecodeError, Decoder, Frame};
use everysplit::{CallerBuffered, Expected, Harness};

use super::{Algorithm, Challenge, Guarded, GuardedError, naive};

/// An oracle of guarded frames.
type Naive<P> = Parse<P, Frame, GuardedError<DecodeError>>;

/// The algorithms to test.
pub const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];

/// The key that both ends share.
pub const KEY: &[u8] = b"correct horse";

/// The challenge: the bytes 0 to 31.
pub const CHALLENGE: [u8; Challenge::LEN] =
    *b"\0\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\
    \x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";

/// Returns the correct answer to [`CHALLENGE`] under [`KEY`], computed with CPython's `hmac`.
#[must_use]
pub const fn answer(algorithm: Algorithm) -> &'static [u8] {
    match algorithm {
        Algorithm::Sha256 => {
            b"\x7e\x86\x0e\x91\xa6\x46\xcd\x84\x01\x2a\xad\x39\xdc\xf3\x6a\xb7\
              \x26\xa7\x88\x88\x1d\x03\xd2\xbc\x09\xa4\x7b\x87\x65\xbd\x13\x67"
        }
        Algorithm::Md5 => b"\x88\x39\xac\xdc\xc5\x01\x43\xd8\x19\xd0\xd9\xd0\x94\x35\xe7\x40",
    }
}

/// Creates the server's decoder: it waits for the answer to [`CHALLENGE`], then decodes frames
/// with the first of [`CONFIGS`].
#[must_use]
pub fn guarded(algorithm: Algorithm) -> Guarded<Decoder> {
    let due = Challenge::from(CHALLENGE).answer(algorithm, KEY);
    Guarded::new(due, Decoder::new(CONFIGS[0]))
}

/// Returns what a server's decoder must return for `stream`: no frame unless it begins with the
/// correct answer, and then the frames that the naive parser finds after the answer.
#[must_use]
pub fn expected(algorithm: Algorithm, stream: &[u8]) -> Expected<Frame, GuardedError<DecodeError>> {
    naive::parse(algorithm, answer(algorithm), stream, |rest| {
        reference::naive::parse(CONFIGS[0], rest)
    })
}

/// Creates a harness for the server's decoder.
#[must_use]
pub fn harness(
    algorithm: Algorithm,
) -> Harness<
    CallerBuffered<Guarded<Decoder>>,
    Naive<impl Fn(&[u8]) -> Expected<Frame, GuardedError<DecodeError>>>,
> {
    Harness::decoder(move || guarded(algorithm))
        .oracle(move |stream: &[u8]| expected(algorithm, stream))
}
