//! Test cases: what a check is tried on. Where they come from is the business
//! of `strategy`, `arbitrary` and the fuzzer.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::split::{ParseSplitError, Split};

/// Bytes as they arrive from anybody, and how they were cut on the way.
///
/// Its text form is a token: the bytes in hexadecimal, `@`, and the split.
///
/// ```
/// use everysplit::Case;
///
/// let case: Case = "0a0b0c@1,2".parse()?;
/// assert_eq!(case.stream, b"\x0a\x0b\x0c");
/// assert_eq!(case.to_string(), "0a0b0c@1,2");
/// # Ok::<(), everysplit::ParseCaseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The bytes: frames, the beginning of one, or anything else.
    pub stream: Vec<u8>,
    /// The cuts.
    pub split: Split,
}

/// Draws the split from a hash of the stream, so that the bytes alone are a whole
/// case.
impl From<&[u8]> for Case {
    fn from(stream: &[u8]) -> Self {
        Self {
            split: Split::sample(stream.len(), &[], hash(stream)),
            stream: stream.to_vec(),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.stream {
            write!(f, "{byte:02x}")?;
        }
        write!(f, "@{}", self.split)
    }
}

impl FromStr for Case {
    type Err = ParseCaseError;

    fn from_str(token: &str) -> Result<Self, ParseCaseError> {
        let (hex, split) = token.split_once('@').ok_or(ParseCaseError::NoSplit)?;
        let split = split.parse().map_err(ParseCaseError::Split)?;
        let (pairs, odd) = hex.as_bytes().as_chunks();
        let digit = |digit| char::from(digit).to_digit(16);
        let byte = |(index, &[high, low]): (usize, &[u8; 2])| {
            let byte = digit(high).zip(digit(low));
            let byte = byte.and_then(|(high, low)| u8::try_from(16 * high + low).ok());
            byte.ok_or(ParseCaseError::Byte(index))
        };
        let stream = pairs
            .iter()
            .enumerate()
            .map(byte)
            .collect::<Result<_, _>>()?;
        if !odd.is_empty() {
            return Err(ParseCaseError::Byte(pairs.len()));
        }
        Ok(Self { stream, split })
    }
}

/// Why a text is not the token of a [`Case`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseCaseError {
    /// There is no `@` behind the bytes.
    NoSplit,
    /// The byte of this index, from 0, is not two hexadecimal digits.
    Byte(usize),
    /// What stands behind the `@` is no split.
    Split(ParseSplitError),
}

impl fmt::Display for ParseCaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSplit => f.write_str("no @ and split behind the bytes")?,
            Self::Byte(index) => write!(f, "byte {index} is not two hexadecimal digits")?,
            Self::Split(error) => return write!(f, "split: {error}"),
        }
        f.write_str("; write a token such as 0a0b0c@1,2")
    }
}

impl core::error::Error for ParseCaseError {}

/// FNV-1a over words: the same on every machine and with every compiler, so that
/// an input keeps its split.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let words = words.iter().map(|&word| u64::from_le_bytes(word));
    let rest = rest.iter().map(|&byte| u64::from(byte));
    words.chain(rest).fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ word).wrapping_mul(0x0100_0000_01b3)
    })
}
