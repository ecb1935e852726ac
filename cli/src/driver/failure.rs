//! Why a driver did not reply as the protocol requires.

use std::fmt;
use std::time::Duration;

use crate::text::one_line;

/// Maximum number of characters of a line in a message.
const MAX_LINE: usize = 80;

/// The text is the beginning of a message: exit status and stderr follow it.
#[derive(Debug)]
pub(super) enum Failure {
    Ended,
    Timeout(Duration),
    /// Of a reply for which less time was allowed, after one had timed out.
    LaterTimeout {
        waited: Duration,
        timeout: Duration,
    },
    /// In MiB.
    TooMuchMemory(u64),
    TooManyFrames(usize),
    /// In MiB.
    LongReply(u64),
    CannotStart(String),
    /// A line that is no reply.
    UnknownLine(String),
    /// A frame or an error after an error, in one reply.
    AfterError,
    /// The driver's answer to `hello`.
    WrongVersion(String),
    /// The number of consumed bytes is missing.
    NoNumber(String),
    /// The decoder takes more bytes than its buffer has.
    ConsumesTooMuch {
        consumed: usize,
        buffered: usize,
    },
    /// More than one frame from one call of a decoder whose caller owns the buffer.
    SeveralFrames,
    /// The run must stop before there is a reply.
    Stopped,
}

impl Failure {
    /// Returns whether the driver does not keep to the protocol, which says nothing about the
    /// decoder in it.
    pub(super) const fn is_misuse(&self) -> bool {
        match self {
            Self::CannotStart(_)
            | Self::UnknownLine(_)
            | Self::AfterError
            | Self::WrongVersion(_)
            | Self::NoNumber(_)
            | Self::SeveralFrames => true,
            Self::Ended
            | Self::Timeout(_)
            | Self::LaterTimeout { .. }
            | Self::TooMuchMemory(_)
            | Self::TooManyFrames(_)
            | Self::LongReply(_)
            | Self::ConsumesTooMuch { .. }
            | Self::Stopped => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("the driver ended"),
            Self::Timeout(timeout) => write!(f, "the driver did not reply within {timeout:?}"),
            Self::LaterTimeout { waited, timeout } => write!(
                f,
                "the driver did not reply within {waited:?}, nor before within {timeout:?}"
            ),
            Self::TooMuchMemory(mebibytes) => {
                write!(f, "the driver uses {mebibytes} MiB of memory")
            }
            Self::TooManyFrames(most) => {
                write!(f, "the driver wrote more than {most} frames in one reply")
            }
            Self::LongReply(most) => write!(
                f,
                "the driver wrote more than {most} MiB in one reply; allow more with --max-memory"
            ),
            Self::CannotStart(reason) => f.write_str(reason),
            Self::UnknownLine(line) => {
                let line: String = line.chars().take(MAX_LINE).collect();
                write!(f, "the driver wrote an unknown line: {line:?}")
            }
            Self::AfterError => {
                f.write_str("the driver wrote a frame or an error after an error in one reply")
            }
            Self::WrongVersion(ready) => write!(
                f,
                "the driver uses another version of the protocol: expected \"ready 2\" or \"ready 1\" in reply to \"hello 2\", not \"ready {}\"",
                one_line(ready)
            ),
            Self::NoNumber(ready) => write!(
                f,
                "expected \"ready\" with the number of consumed bytes, not \"ready {}\"",
                one_line(ready)
            ),
            Self::ConsumesTooMuch { consumed, buffered } => {
                write!(
                    f,
                    "the decoder consumed {consumed} bytes of a buffer of {buffered}"
                )
            }
            Self::SeveralFrames => {
                f.write_str("the driver wrote more than one frame for one call of decode")
            }
            Self::Stopped => f.write_str("the run was stopped"),
        }
    }
}
