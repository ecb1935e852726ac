//! The replies on a connection: where they end, and what they say.

use std::fmt::Write as _;

use httparse::{EMPTY_HEADER, Header, Response, Status};

use super::Requests;
use super::message::{Body, BodyLength, MAX_HEADERS, Malformed, body, declared_length, has_token};

/// Header fields that are not compared, in lower case: they depend on the time, or on what a cache
/// happens to hold, or number the requests.
const VARYING: [&str; 12] = [
    "age",
    "cache-status",
    "date",
    "expires",
    "last-modified",
    "server-timing",
    "set-cookie",
    "x-cache",
    "x-cache-lookup",
    "x-request-id",
    "x-runtime",
    "x-timer",
];

/// Header fields that say how the body is sent, in lower case. They are not compared: they may
/// depend on when its parts are ready.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// The replies on a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replies {
    /// The status of each, without interim ones such as 100.
    statuses: Vec<u16>,
    /// All of them as text, without what may vary by itself.
    text: Vec<u8>,
    /// What follows them: the beginning of a reply, or something else.
    rest: Vec<u8>,
    /// Whether the server announced that it closes the connection, or left HTTP.
    closes: bool,
}

impl Replies {
    /// Reads the replies to some requests. `closed` says whether the server has closed the
    /// connection.
    pub(crate) fn read(bytes: &[u8], requests: &Requests, closed: bool) -> Self {
        let (mut replies, mut rest) = (Self::default(), bytes);
        while !rest.is_empty() && !replies.closes {
            let to_head = requests.heads.get(replies.statuses.len()) == Some(&true);
            let Ok(Some(reply)) = reply(rest, to_head, closed) else {
                break;
            };
            rest = &rest[reply.len..];
            if reply.is_final() {
                replies.closes = reply.closes;
                replies.statuses.push(reply.status);
                replies.text.extend(reply.text);
            }
        }
        replies.rest = rest.to_vec();
        replies
    }

    /// Returns the number of whole replies.
    pub(crate) fn count(&self) -> usize {
        self.statuses.len()
    }

    /// Returns whether nothing follows the whole replies, and the connection stays open.
    pub(crate) fn stays_open(&self) -> bool {
        self.rest.is_empty() && !self.closes
    }

    /// Returns the replies to a number of requests as text: first the status of each, then all of
    /// them without what may vary by itself.
    pub(crate) fn into_text(self, requests: usize) -> Vec<u8> {
        let (statuses, others) = self
            .statuses
            .split_at_checked(requests)
            .unwrap_or((&self.statuses, &[]));
        let mut text = match statuses {
            [] => "no whole reply".to_string(),
            statuses => list(statuses),
        };
        if statuses.len() < requests && requests > 1 {
            let _ = write!(text, ", then no reply to request {}", statuses.len() + 1);
        }
        if !others.is_empty() {
            let _ = write!(text, ", then {} to one more request", list(others));
        }
        if !self.rest.is_empty() {
            text.push_str(", then something else");
        }
        text.push('\n');
        [text.into_bytes(), self.text, self.rest].concat()
    }
}

fn list(statuses: &[u16]) -> String {
    let statuses: Vec<_> = statuses.iter().map(u16::to_string).collect();
    statuses.join(" ")
}

struct Reply {
    status: u16,
    /// Its length on the wire.
    len: usize,
    /// Whether the server closes the connection after it, or switches to another protocol.
    closes: bool,
    text: Vec<u8>,
}

impl Reply {
    /// Returns whether it is the last reply to its request.
    const fn is_final(&self) -> bool {
        self.status >= 200 || self.status == 101
    }
}

/// Returns the first reply, `None` if it is incomplete.
fn reply(bytes: &[u8], to_head: bool, closed: bool) -> Result<Option<Reply>, Malformed> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut response = Response::new(&mut headers);
    let head = match response.parse(bytes).map_err(|_| Malformed)? {
        Status::Complete(len) => len,
        Status::Partial => return Ok(None),
    };
    let status = response.code.ok_or(Malformed)?;
    let length = if to_head || matches!(status, 100..200 | 204 | 304) {
        BodyLength::Bytes(0)
    } else {
        declared_length(response.headers)?.unwrap_or(BodyLength::UntilClose)
    };
    let rest = &bytes[head..];
    let body = match length {
        BodyLength::UntilClose if closed => Some(Body {
            content: rest.to_vec(),
            len: rest.len(),
        }),
        _ => body(rest, length)?,
    };
    let is_old = response.version == Some(0);
    let closes = status == 101
        || length == BodyLength::UntilClose
        || has_token(response.headers, "connection", "close")
        || (is_old && !has_token(response.headers, "connection", "keep-alive"));
    let title = format!("{status} {}", response.reason.unwrap_or_default());
    Ok(body.map(|Body { content, len }| Reply {
        status,
        len: head + len,
        closes,
        text: text(&title, response.headers, &content),
    }))
}

/// Returns a reply as text, without what may vary by itself.
fn text(title: &str, headers: &[Header<'_>], content: &[u8]) -> Vec<u8> {
    let mut text = format!("{title}\n").into_bytes();
    for header in headers {
        let name = header.name.to_ascii_lowercase();
        if VARYING.contains(&&*name) || FRAMING.contains(&&*name) {
            continue;
        }
        text.extend([name.as_bytes(), b": ", header.value, b"\n"].concat());
    }
    text.extend([b"\n", content, b"\n"].concat());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: here\r\n\r\n";
    const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    fn read(requests: &[&str], replies: &str, closed: bool) -> Replies {
        let requests = Requests::parse(requests.concat().as_bytes()).unwrap();
        Replies::read(replies.as_bytes(), &requests, closed)
    }

    /// Returns the text of the replies to as many requests.
    fn text_of(requests: &[&str], replies: &str, closed: bool) -> String {
        let replies = read(requests, replies, closed).into_text(requests.len());
        String::from_utf8(replies).unwrap()
    }

    /// Checks one reply that leaves the connection open: it is complete at its last byte, and not
    /// before.
    #[track_caller]
    fn ends(request: &str, reply: &str, text: &str) {
        for end in 0..reply.len() {
            let replies = read(&[request], &reply[..end], false);
            assert_eq!(replies.count(), 0, "{:?}", &reply[..end]);
        }
        let whole = read(&[request], reply, false);
        assert!(whole.stays_open() && whole.count() == 1, "{whole:?}");
        assert_eq!(text_of(&[request], reply, false), text);
        // Anything after it is seen.
        let more = read(&[request], &format!("{reply}H"), false);
        assert!(!more.stays_open() && more.count() == 1, "{more:?}");
    }

    #[test]
    fn a_reply_ends_as_its_kind_says() {
        let sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello";
        ends(GET, sized, "200\n200 OK\nx: y\n\nhello\n");
        ends(GET, EMPTY, "200\n200 OK\n\n\n");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Check: 1\r\n\r\n";
        ends(GET, chunked, "200\n200 OK\n\nhello\n");
        let listed = "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\n\r\n0\r\n\r\n";
        ends(GET, listed, "200\n200 OK\n\n\n");
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        ends(HEAD, head, "200\n200 OK\n\n\n");
        ends(
            GET,
            "HTTP/1.1 204 No Content\r\n\r\n",
            "204\n204 No Content\n\n\n",
        );
        let cached = "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
        ends(GET, cached, "304\n304 Not Modified\n\n\n");
        let interim = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n{EMPTY}");
        ends(GET, &interim, "200\n200 OK\n\n\n");
        let old = "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx";
        ends(GET, old, "200\n200 OK\nconnection: Keep-Alive\n\nx\n");
    }

    #[test]
    fn fields_that_vary_by_themselves_are_left_out() {
        let dated = |date| format!("HTTP/1.1 200 OK\r\nDATE: {date}\r\nContent-Length: 0\r\n\r\n");
        let text = text_of(&[GET], &dated("Mon"), false);
        assert_eq!(text, text_of(&[GET], &dated("Tue"), false));
    }

    #[test]
    fn the_end_of_the_connection_ends_some_replies() {
        for reply in [
            "HTTP/1.1 200 OK\r\n\r\nhello",
            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello",
        ] {
            for end in 0..reply.len() {
                let begun = read(&[GET], &reply[..end], false);
                assert!(begun.count() == 0 || !begun.stays_open(), "{begun:?}");
            }
            assert!(!read(&[GET], reply, false).stays_open());
            let text = text_of(&[GET], reply, true);
            assert!(text.contains("hello"), "{text}");
        }
        // Until it closes, more of the body may come.
        assert_eq!(read(&[GET], "HTTP/1.1 200 OK\r\n\r\nhel", false).count(), 0);
        // What a server sends after its last reply is no reply.
        let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let replies = read(&[GET, GET], &format!("{last}{EMPTY}"), true);
        assert_eq!(replies.count(), 1, "{replies:?}");
        // A body that is shorter than announced is no reply.
        let short = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello";
        let text = text_of(&[GET], short, true);
        assert!(
            text.starts_with("no whole reply, then something else\nHTTP"),
            "{text}"
        );
    }

    #[test]
    fn replies_are_counted() {
        let body = "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx";
        let refused = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        let status = |requests: &[&str], replies: &str| {
            let text = text_of(requests, replies, false);
            text.lines().next().unwrap().to_string()
        };
        let two = format!("{EMPTY}{body}");
        assert_eq!(status(&[GET, GET], &two), "200 404");
        assert_eq!(status(&[GET], &two), "200, then 404 to one more request");
        assert_eq!(status(&[GET, GET], body), "404, then no reply to request 2");
        let mixed = format!("{head}{body}{EMPTY}");
        assert_eq!(status(&[HEAD, GET, GET], &mixed), "200 404 200");
        let phantom = format!("{two}{refused}{EMPTY}");
        assert_eq!(
            status(&[GET, GET], &phantom),
            "200 404, then 400 200 to one more request"
        );
    }

    #[test]
    fn what_is_no_reply_is_kept() {
        for (reply, text) in [
            ("", "no whole reply\n"),
            ("hello", "no whole reply, then something else\nhello"),
            (
                "HTTP/2 200\r\n\r\n",
                "no whole reply, then something else\nHTTP/2 200\r\n\r\n",
            ),
        ] {
            assert_eq!(text_of(&[GET], reply, true), text);
        }
        for field in [
            "Content-Length: x",
            "Content-Length: -1",
            "Transfer-Encoding: chunked",
        ] {
            let reply = format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\nxyz\r\n");
            let text = text_of(&[GET], &reply, true);
            assert!(
                text.starts_with("no whole reply, then something else\n"),
                "{text}"
            );
        }
    }
}
