//! quick-xml 0.42.0: a byte order mark is removed only if it arrives in one read.

use std::io::{BufReader, Read};

use quick_xml::{Reader, events::Event};

/// Returns the first event of a document.
fn first(document: impl Read) -> String {
    let mut reader = Reader::from_reader(BufReader::new(document));
    match reader.read_event_into(&mut Vec::new()).unwrap() {
        Event::Text(_) => "text".to_owned(),
        Event::Empty(_) => "element".to_owned(),
        event => format!("{event:?}"),
    }
}

fn main() {
    assert_eq!(first(&b"\xef\xbb\xbf<a/>"[..]), "element");
    // `chain` returns the first byte in a read of its own.
    assert_eq!(first((&b"\xef"[..]).chain(&b"\xbb\xbf<a/>"[..])), "text");
    println!("confirmed");
}
