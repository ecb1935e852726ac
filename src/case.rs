//! Cases: a stream, how it is cut, and what happens between its chunks.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::split::{ParseSplitError, Split};

/// One run of a framer: a stream, how it is cut, and what happens between the chunks.
///
/// Its text form is a *token*: the bytes in hexadecimal, `@`, the split and, after `+`, the
/// interruption if there is one. Every violation prints the token that
/// [replays](crate::SplitHarness::replay) it.
///
/// ```
/// use everysplit::{Case, Interruption};
///
/// let case: Case = "0a0b0c@1,2".parse()?;
/// assert_eq!(case.stream, b"\x0a\x0b\x0c");
/// assert_eq!(case.to_string(), "0a0b0c@1,2");
/// let case: Case = "0a0b0c@1,2+empty".parse()?;
/// assert_eq!(case.interruption, Interruption::EmptyChunk);
/// # Ok::<(), everysplit::ParseCaseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Case {
    /// The bytes: frames, the beginning of one, or anything else.
    pub stream: Vec<u8>,
    /// The cuts.
    pub split: Split,
    /// What happens before each chunk.
    pub interruption: Interruption,
}

/// What happens before each chunk, and before the end of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interruption {
    /// Nothing: the chunks follow one another.
    #[default]
    None,
    /// An empty chunk is fed. For framers that are fed.
    EmptyChunk,
    /// One call of `read` or `write` returns `ErrorKind::Interrupted`; the framer must retry at
    /// once. For readers and senders.
    Interrupted,
    /// `read` or `write` returns `ErrorKind::WouldBlock` until the framer returns an error of any kind
    /// to its caller, which calls again later. For readers and senders.
    WouldBlock,
    /// Polls return `Pending` until the framer is pending too. For asynchronous readers and senders.
    Pending,
    /// The same, and the framer's future is dropped then. For asynchronous readers and senders.
    Dropped,
    /// From the last chunk on, each call of `write` returns `Ok(0)`; the sender must return an
    /// error. For senders.
    WriteZero,
}

impl Interruption {
    const ALL: [Self; 7] = [
        Self::None,
        Self::EmptyChunk,
        Self::Interrupted,
        Self::WouldBlock,
        Self::Pending,
        Self::Dropped,
        Self::WriteZero,
    ];

    /// Returns what must hold before this can be the cause of a violation.
    pub(crate) const fn simpler(self) -> &'static [Self] {
        match self {
            Self::None => &[],
            Self::Dropped => &[Self::None, Self::Pending],
            _ => &[Self::None],
        }
    }

    /// Returns whether the caller calls again after it, to go on with the same frame.
    pub(crate) const fn is_resumed(self) -> bool {
        matches!(self, Self::WouldBlock | Self::Dropped)
    }

    /// Returns the name used in tokens.
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::EmptyChunk => "empty",
            Self::Interrupted => "interrupted",
            Self::WouldBlock => "would_block",
            Self::Pending => "pending",
            Self::Dropped => "dropped",
            Self::WriteZero => "write_zero",
        }
    }
}

impl Case {
    /// Makes a case without interruptions.
    #[must_use]
    pub fn new(stream: impl Into<Vec<u8>>, split: Split) -> Self {
        Self {
            stream: stream.into(),
            split,
            interruption: Interruption::None,
        }
    }

    /// Sets what happens between the chunks.
    #[must_use]
    pub fn with(self, interruption: Interruption) -> Self {
        Self {
            interruption,
            ..self
        }
    }
}

/// Derives a random split from a hash of the stream, so that a fuzzer's input is a whole case.
impl From<&[u8]> for Case {
    fn from(stream: &[u8]) -> Self {
        Self::new(stream, Split::sample(stream.len(), &[], hash(stream)))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.stream {
            write!(f, "{byte:02x}")?;
        }
        write!(f, "@{}", self.split)?;
        match self.interruption {
            Interruption::None => Ok(()),
            interruption => write!(f, "+{}", interruption.name()),
        }
    }
}

impl FromStr for Case {
    type Err = ParseCaseError;

    fn from_str(token: &str) -> Result<Self, ParseCaseError> {
        let (hex, split) = token.split_once('@').ok_or(ParseCaseError::NoSplit)?;
        let (split, interruption) = match split.split_once('+') {
            None => (split, Interruption::None),
            Some((split, name)) => {
                let mut named = Interruption::ALL.into_iter().skip(1);
                let interruption = named.find(|it| it.name() == name);
                (split, interruption.ok_or(ParseCaseError::Interruption)?)
            }
        };
        let split = split.parse().map_err(ParseCaseError::Split)?;
        Ok(Self::new(parse_hex(hex)?, split).with(interruption))
    }
}

fn parse_hex(hex: &str) -> Result<Vec<u8>, ParseCaseError> {
    let (pairs, odd) = hex.as_bytes().as_chunks();
    let digit = |digit| char::from(digit).to_digit(16);
    let byte = |(index, &[high, low]): (usize, &[u8; 2])| {
        let byte = digit(high).zip(digit(low));
        let byte = byte.and_then(|(high, low)| u8::try_from(16 * high + low).ok());
        byte.ok_or(ParseCaseError::Byte(index))
    };
    let bytes = pairs.iter().enumerate().map(byte).collect();
    if odd.is_empty() {
        bytes
    } else {
        bytes.and(Err(ParseCaseError::Byte(pairs.len())))
    }
}

/// Why a text is not the token of a [`Case`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseCaseError {
    /// There is no `@` after the bytes.
    NoSplit,
    /// The byte with this index, from 0, is not two hexadecimal digits.
    Byte(usize),
    /// The text after the `@` is not a split.
    Split(ParseSplitError),
    /// The text after the `+` is not an interruption.
    Interruption,
}

impl fmt::Display for ParseCaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSplit => f.write_str("no @ and split after the bytes")?,
            Self::Byte(index) => write!(f, "byte {index} is not two hexadecimal digits")?,
            Self::Split(error) => return write!(f, "split: {error}"),
            Self::Interruption => {
                f.write_str("unknown interruption after +; expected one of")?;
                let mut names = Interruption::ALL.iter().skip(1);
                return names.try_for_each(|it| write!(f, " {}", it.name()));
            }
        }
        f.write_str("; write a token such as 0a0b0c@1,2")
    }
}

impl core::error::Error for ParseCaseError {}

/// FNV-1a over words: the same on every machine and with every compiler, so that an input keeps
/// its split.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let words = words.iter().map(|&word| u64::from_le_bytes(word));
    let rest = rest.iter().map(|&byte| u64::from(byte));
    words.chain(rest).fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ word).wrapping_mul(0x0100_0000_01b3)
    })
}
