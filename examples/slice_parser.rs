//! A function that parses the first frame of a slice.
//!
//! What to learn: `Harness::parser` takes such a function, and `encoder` the one that writes its
//! frames. Both parsers take lines that end in `\r\n`. The buggy one takes the `\n` only if it has
//! arrived, so a cut between the two bytes leaves a `\n` at the beginning of the next line.
//!
//! Prints the violation of `prompt`, and one certificate for each stream of the fixed parser: no
//! lines, all lines, a rejected line between two others, and each line truncated at each byte.
//! Run it with `cargo run --example slice_parser`.

use everysplit::{Certificate, Harness, Property, Violation};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    NotUtf8,
    Truncated,
}

/// A line, and the number of bytes it takes; `None` if it is not complete.
type Parsed = Result<Option<(String, usize)>, Error>;

fn buggy(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\r') else {
        return Ok(None);
    };
    // The bug: the `\n` may arrive with the next chunk.
    let ending = if bytes.get(end + 1) == Some(&b'\n') {
        2
    } else {
        1
    };
    Ok(Some((text(&bytes[..end])?, end + ending)))
}

fn fixed(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    Ok(Some((text(&bytes[..end])?, end + 2)))
}

fn text(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::NotUtf8)
}

fn check(parse: fn(&[u8]) -> Parsed) -> Result<Vec<Certificate>, Violation> {
    let harness = Harness::parser(parse, Error::Truncated)
        .encoder(|line: &String| format!("{line}\r\n").into())
        .messages(["GET /", "", "Host: me"])
        .truncation_error(Error::Truncated)
        // All three bytes must arrive before the line is rejected.
        .rejects(b"\xff\r\n", 3, Error::NotUtf8);
    let streams = harness.all_streams();
    streams.iter().map(|stream| harness.check(stream)).collect()
}

fn main() -> Result<(), Violation> {
    let violation = check(buggy).unwrap_err();
    println!("{violation}\n");
    assert_eq!(violation.property, Property::Prompt);

    for certificate in check(fixed)? {
        println!("{certificate}");
    }
    Ok(())
}
