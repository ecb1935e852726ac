//! What is known about replies: where they end, and which of them are the same.

use super::difference::excerpt;
use crate::Error;
use crate::http::{Replies, Requests};
use crate::options::Protocol;
use crate::streams::NamedStream;
use crate::tls::{self, Answer};

impl Protocol {
    /// Checks that a stream consists of whole requests, if that is what the protocol needs.
    pub(super) fn check_stream(self, stream: &NamedStream) -> Result<(), Error> {
        let NamedStream { name, bytes, .. } = stream;
        match self {
            Self::Raw | Self::Tls => Ok(()),
            Self::Http1 => Requests::parse(bytes).map(|_| ()).map_err(|at| {
                format!("the stream {name} has no whole HTTP/1.1 request at byte {at}; mend it, or leave out --framing http1")
                    .into()
            }),
        }
    }

    /// Returns whether replies say themselves where they end.
    pub(super) fn knows_end(self) -> bool {
        self != Self::Raw
    }

    /// Returns whether a reply is complete while the connection is open. `last` says whether the
    /// last request was sent too.
    pub(super) fn is_complete(self, stream: &[u8], reply: &[u8], last: bool) -> bool {
        match (self, Requests::parse(stream)) {
            (Self::Tls, _) => Answer::read(reply).is_complete(),
            (Self::Http1, Ok(requests)) => {
                let replies = Replies::read(reply, &requests, false);
                let count = requests.count() + usize::from(last);
                replies.count() >= count && replies.stays_open()
            }
            _ => false,
        }
    }

    /// Checks that a reply is of the protocol.
    pub(super) fn check_reply(self, reply: &[u8]) -> Result<(), Error> {
        let foreign = match self {
            Self::Raw | Self::Http1 => None,
            Self::Tls => Answer::read(reply).foreign().map(|bytes| excerpt(bytes, 0)),
        };
        match foreign {
            Some(text) => {
                Err(format!("the server does not speak TLS: its reply is \"{text}\"").into())
            }
            None => Ok(()),
        }
    }

    /// Returns whether correct replies to different streams may be the same.
    pub(super) fn may_reply_the_same(self) -> bool {
        self == Self::Tls
    }

    /// Returns whether a reply, as text to compare, is known to refuse the stream.
    pub(super) fn refuses(self, comparable: &[u8]) -> bool {
        self == Self::Tls && comparable.starts_with(b"alert ")
    }

    /// Returns whether a reply, as text to compare, consists of errors.
    pub(super) fn is_error(self, comparable: &[u8]) -> bool {
        // The first line lists the status of each reply.
        let line = comparable.split(|&byte| byte == b'\n').next();
        let statuses = line.and_then(|line| line.split(|&byte| byte == b',').next());
        let is_error = |status: &[u8]| matches!(status, [b'4' | b'5', _, _]);
        self == Self::Http1
            && statuses.is_some_and(|statuses| statuses.split(|&byte| byte == b' ').all(is_error))
    }

    /// Returns a request to send after the complete reply, so that it shows if more replies come
    /// than there are requests.
    pub(super) fn last_request(self, stream: &[u8]) -> Option<Vec<u8>> {
        match (self, Requests::parse(stream)) {
            (Self::Http1, Ok(requests)) => Some(requests.last().to_vec()),
            _ => None,
        }
    }

    /// Returns a reply without what may vary by itself. `closed` says whether the peer has closed
    /// the connection.
    pub(super) fn comparable(self, stream: &[u8], reply: &[u8], closed: bool) -> Vec<u8> {
        match (self, Requests::parse(stream)) {
            (Self::Tls, _) => Answer::read(reply).into_text(),
            (Self::Http1, Ok(requests)) => {
                Replies::read(reply, &requests, closed).into_text(requests.count())
            }
            _ => reply.to_vec(),
        }
    }

    /// Returns the offsets of the fields of a stream, as far as they are known.
    pub(super) fn edges(self, stream: &[u8]) -> Vec<usize> {
        match self {
            Self::Raw => Vec::new(),
            Self::Tls => tls::edges(stream),
            Self::Http1 => {
                let line_ends = (1..=stream.len()).filter(|&end| stream[end - 1] == b'\n');
                line_ends.collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_can_all_be_errors() {
        let cases: [(&[u8], bool); 6] = [
            (b"400, then 200 to one more request\n", true),
            (b"404 503\n", true),
            (b"200 404\n", false),
            (b"no whole reply\n", false),
            (b"", false),
            (b"200\n400", false),
        ];
        for (reply, expected) in cases {
            assert_eq!(Protocol::Http1.is_error(reply), expected);
        }
        assert!(!Protocol::Raw.is_error(b"400\n"));
    }

    #[test]
    fn the_lines_of_a_request_are_its_fields() {
        let request = b"GET / HTTP/1.1\r\nA: b\r\n\r\n";
        assert_eq!(Protocol::Http1.edges(request), [16, 22, 24]);
        assert!(Protocol::Raw.edges(request).is_empty());
    }
}
