//! The requests that a stream consists of.

use httparse::{EMPTY_HEADER, Header, Status};

use super::message::{BodyLength, MAX_HEADERS, Malformed, body, declared_length, value};

/// The requests of a stream, as far as the replies depend on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requests {
    /// Whether each is a HEAD request, whose reply has no body.
    pub(super) heads: Vec<bool>,
    /// A request that closes the connection after its reply.
    last: Vec<u8>,
}

/// A request at the beginning of some bytes.
struct Request {
    is_head: bool,
    /// Its length on the wire.
    len: usize,
    /// A request of the same target that closes the connection.
    closing: Vec<u8>,
}

impl Requests {
    /// Parses a stream that consists of whole requests.
    ///
    /// # Errors
    ///
    /// The offset of the first request that is malformed or incomplete.
    pub(crate) fn parse(stream: &[u8]) -> Result<Self, usize> {
        let mut requests = Self {
            heads: Vec::new(),
            last: Vec::new(),
        };
        let mut at = 0;
        while at < stream.len() {
            let Ok(Some(request)) = request(&stream[at..]) else {
                return Err(at);
            };
            if requests.heads.is_empty() {
                requests.last = request.closing;
            }
            requests.heads.push(request.is_head);
            at += request.len;
        }
        Ok(requests)
    }

    /// Returns the number of requests.
    pub(crate) fn count(&self) -> usize {
        self.heads.len()
    }

    /// Returns one more request, of the first target, with `Connection: close`.
    ///
    /// Replies come in the order of the requests. So if a part of the stream was taken for a
    /// request of its own, its reply comes first.
    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }
}

/// Returns the first request, `None` if it is incomplete.
fn request(bytes: &[u8]) -> Result<Option<Request>, Malformed> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(bytes).map_err(|_| Malformed)? {
        Status::Complete(len) => len,
        Status::Partial => return Ok(None),
    };
    let length = declared_length(request.headers)?.unwrap_or(BodyLength::Bytes(0));
    let body = body(&bytes[head..], length)?;
    Ok(body.map(|body| Request {
        is_head: request.method == Some("HEAD"),
        len: head + body.len,
        closing: closing(request.path.unwrap_or("/"), request.headers),
    }))
}

fn closing(path: &str, headers: &[Header<'_>]) -> Vec<u8> {
    let host = value(headers, "host").unwrap_or(b"localhost");
    let line = format!("GET {path} HTTP/1.1\r\nHost: ");
    [line.as_bytes(), host, b"\r\nConnection: close\r\n\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Target, shapes};

    #[test]
    fn counts_the_requests_of_every_shape() {
        let target = Target {
            path: "/a".into(),
            host: "here".into(),
            body: "x=1".into(),
        };
        for stream in shapes(&target) {
            let requests = Requests::parse(&stream.bytes).unwrap();
            let count = match &*stream.name {
                "two pipelined" => 2,
                "three pipelined" => 3,
                _ => 1,
            };
            assert_eq!(requests.count(), count, "{}", stream.name);
            // No beginning of it is a stream of whole requests, except at their ends.
            let ends = (1..stream.bytes.len())
                .filter(|&end| Requests::parse(&stream.bytes[..end]).is_ok());
            assert_eq!(ends.count(), count - 1, "{}", stream.name);
        }
    }

    #[test]
    fn the_last_request_is_for_the_same_target() {
        let stream = b"POST /a?b HTTP/1.1\r\nhOsT: here:1\r\nContent-Length: 1\r\n\r\nx";
        let requests = Requests::parse(stream).unwrap();
        let last = b"GET /a?b HTTP/1.1\r\nHost: here:1\r\nConnection: close\r\n\r\n";
        assert_eq!(requests.last(), last);
    }

    #[test]
    fn returns_the_offset_of_what_is_no_request() {
        let get = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        assert_eq!(Requests::parse(b"\x00\x02ok"), Err(0));
        assert_eq!(Requests::parse(&[&get[..], b"ok"].concat()), Err(get.len()));
        let length = b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n";
        assert_eq!(Requests::parse(length), Err(0));
        let length = b"POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\nx";
        assert_eq!(Requests::parse(length), Err(0));
        let chunk = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n";
        assert_eq!(Requests::parse(chunk), Err(0));
    }
}
