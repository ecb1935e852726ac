//! The shapes of requests that `everysplit http` sends.

use crate::options::default;
use crate::streams::NamedStream;

/// What requests are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The path, with a query string if it has one.
    pub(crate) path: String,
    /// The value of the field Host.
    pub(crate) host: String,
    /// The body of requests that have one.
    pub(crate) body: String,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            path: default::HTTP_PATH.into(),
            host: default::HTTP_HOST.into(),
            body: default::HTTP_BODY.into(),
        }
    }
}

/// Returns a stream for each shape of request.
pub(crate) fn shapes(target: &Target) -> Vec<NamedStream> {
    let Target { path, host, body } = target;
    let separator = if path.contains('?') { '&' } else { '?' };
    let minimal = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let usual = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: everysplit\r\n\
         Accept: text/html,*/*;q=0.8\r\nAccept-Language: en\r\nConnection: keep-alive\r\n\r\n"
    );
    let lower_case = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: */*\r\n\r\n");
    let close = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let query = format!("GET {path}{separator}a=1&b=%20%3F&c HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let post = |fields: &str| format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
    let length = format!("Content-Length: {}\r\n", body.len());
    let chunked = "Transfer-Encoding: chunked\r\n";
    let (first, second) = body.split_at(middle(body));
    let sized = post(&length) + body;
    let one_chunk = post(chunked) + &chunk(body) + "0\r\n\r\n";
    let two_chunks = post(chunked) + &chunk(first) + &chunk(second) + "0\r\n\r\n";
    let trailers =
        post(&format!("Trailer: X-Check\r\n{chunked}")) + &chunk(body) + "0\r\nX-Check: ok\r\n\r\n";
    let expect = post(&format!("Expect: 100-continue\r\n{length}")) + body;
    let pipelined_two = format!("{minimal}{query}");
    let pipelined_three = format!("{sized}{minimal}{one_chunk}");
    let shapes = [
        ("minimal", minimal),
        ("usual header fields", usual),
        ("lower-case names", lower_case),
        ("Connection: close", close),
        ("query string", query),
        ("Content-Length", sized),
        ("one chunk", one_chunk),
        ("two chunks", two_chunks),
        ("trailers", trailers),
        ("Expect: 100-continue", expect),
        ("two pipelined", pipelined_two),
        ("three pipelined", pipelined_three),
    ];
    shapes
        .into_iter()
        .map(|(name, request)| NamedStream::new(name, request.into_bytes()))
        .collect()
}

/// Returns a chunk of the chunked coding; nothing for an empty one, which would be the last.
fn chunk(content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("{:x}\r\n{content}\r\n", content.len())
}

/// Returns the offset of the character in the middle.
fn middle(text: &str) -> usize {
    let count = text.chars().count();
    text.char_indices()
        .nth(count / 2)
        .map_or(0, |(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_between_characters() {
        for (text, offset) in [("", 0), ("a", 0), ("abcdef", 3), ("äöü", 2), ("你好", 3)] {
            assert_eq!(middle(text), offset, "{text}");
        }
    }
}
