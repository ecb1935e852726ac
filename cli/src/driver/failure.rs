//! Why a driver did not reply as the protocol requires.

use std::fmt;
use std::time::Duration;

use super::PROTOCOL_VERSION;
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
    /// A line that is no reply.
    UnknownLine(String),
    /// The driver's answer to `hello`.
    WrongVersion(String),
    /// The run must stop before there is a reply.
    Stopped,
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
            Self::UnknownLine(line) => {
                let line: String = line.chars().take(MAX_LINE).collect();
                write!(f, "the driver wrote an unknown line: {line:?}")
            }
            Self::WrongVersion(ready) => write!(
                f,
                "the driver uses another version of the protocol: expected \"ready {PROTOCOL_VERSION}\" in reply to \"hello {PROTOCOL_VERSION}\", not \"ready {}\"",
                one_line(ready)
            ),
            Self::Stopped => f.write_str("the run was stopped"),
        }
    }
}
