//! The parts that requests and replies have in common: header fields, and bodies.

use httparse::Header;

/// Maximum number of header fields of a message.
pub(super) const MAX_HEADERS: usize = 200;

/// How the length of a body is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyLength {
    /// There is no body, or this many bytes.
    Bytes(usize),
    Chunked,
    /// The end of the connection ends it.
    UntilClose,
}

/// A body at the beginning of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// Its content, without chunk sizes and trailers.
    pub(super) content: Vec<u8>,
    /// Its length on the wire.
    pub(super) len: usize,
}

/// Returns a body, `None` if it is incomplete.
///
/// # Errors
///
/// If a chunk size is malformed.
pub(super) fn body(bytes: &[u8], length: BodyLength) -> Result<Option<Body>, Malformed> {
    match length {
        BodyLength::Bytes(len) => Ok(bytes.get(..len).map(|content| Body {
            content: content.to_vec(),
            len,
        })),
        BodyLength::Chunked => chunked(bytes),
        BodyLength::UntilClose => Ok(None),
    }
}

/// A message that is not HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

fn chunked(bytes: &[u8]) -> Result<Option<Body>, Malformed> {
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        let rest = &bytes[at..];
        let (head, size) = match httparse::parse_chunk_size(rest).map_err(|_| Malformed)? {
            httparse::Status::Complete(parsed) => parsed,
            httparse::Status::Partial => return Ok(None),
        };
        at += head;
        if size == 0 {
            let trailers = &mut [httparse::EMPTY_HEADER; MAX_HEADERS];
            let trailers =
                httparse::parse_headers(&bytes[at..], trailers).map_err(|_| Malformed)?;
            return Ok(match trailers {
                httparse::Status::Complete((len, _)) => Some(Body {
                    content,
                    len: at + len,
                }),
                httparse::Status::Partial => None,
            });
        }
        let size = usize::try_from(size).map_err(|_| Malformed)?;
        let Some(chunk) = bytes.get(at..).and_then(|rest| rest.get(..size)) else {
            return Ok(None);
        };
        content.extend_from_slice(chunk);
        at += size;
        match bytes.get(at..at + 2) {
            Some(b"\r\n") => at += 2,
            Some(_) => return Err(Malformed),
            None => return Ok(None),
        }
    }
}

/// Returns the length of a body as the header fields give it.
///
/// # Errors
///
/// If Content-Length is not a number.
pub(super) fn declared_length(headers: &[Header<'_>]) -> Result<Option<BodyLength>, Malformed> {
    if has_token(headers, "transfer-encoding", "chunked") {
        return Ok(Some(BodyLength::Chunked));
    }
    let Some(value) = value(headers, "content-length") else {
        return Ok(None);
    };
    let number = std::str::from_utf8(value).map_err(|_| Malformed)?;
    let bytes = number.trim().parse().map_err(|_| Malformed)?;
    Ok(Some(BodyLength::Bytes(bytes)))
}

/// Returns whether a header field has a token in its list of tokens.
pub(super) fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    let tokens = values(headers, name).flat_map(|value| value.split(|&byte| byte == b','));
    let mut tokens = tokens.map(<[u8]>::trim_ascii);
    tokens.any(|other| other.eq_ignore_ascii_case(token.as_bytes()))
}

/// Returns the value of the first header field of a name.
pub(super) fn value<'a>(headers: &'a [Header<'_>], name: &str) -> Option<&'a [u8]> {
    values(headers, name).next()
}

fn values<'a>(headers: &'a [Header<'_>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value)
}
