//! The table that the Coq development in docs/proof prints: what the framer of its theorems returns
//! for the vectors, the captures and short streams, byte by byte. The Rust framer must return the
//! same, so that the theorems speak of it. `ReferenceTable.v` describes the rows.

use std::fmt::Write;

use everysplit::reference::{ByteOrder, Config, DecodeError, Framer};

const TABLE: &str = include_str!("../../docs/proof/reference-table.txt");

/// Returns the words after the first one, in each row that begins with it.
fn rows(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = TABLE.lines().map(|row| row.split(' ').collect::<Vec<_>>());
    rows.filter_map(move |row| (row[0] == kind).then(|| row[1..].to_vec()))
}

fn config(order: &str, max: &str) -> Config {
    Config {
        byte_order: match order {
            "little" => ByteOrder::Little,
            "big" => ByteOrder::Big,
            _ => panic!("{order} is no byte order"),
        },
        max_body_size: max.parse().unwrap(),
    }
}

fn order(config: Config) -> &'static str {
    match config.byte_order {
        ByteOrder::Little => "little",
        ByteOrder::Big => "big",
    }
}

/// Returns what the framer returns for a stream, byte by byte, as the table writes it.
fn result(config: Config, stream: &[u8]) -> String {
    let mut framer = Framer::new(config);
    let mut text = String::new();
    let mut before = error_text(Ok(()));
    for (fed, byte) in (1..).zip(stream) {
        let mut frames = Vec::new();
        let now = error_text(framer.feed(&[*byte], &mut frames));
        for frame in frames {
            let body = hex::encode(&frame.body);
            write!(text, " {fed}:{},{},{body}", frame.cmd, frame.recv).unwrap();
        }
        if now != before {
            write!(text, " {fed}:{now}").unwrap();
        }
        before = now;
    }
    text + " end:" + &error_text(framer.finish())
}

fn error_text(result: Result<(), DecodeError>) -> String {
    match result {
        Ok(()) => "clean".to_owned(),
        Err(DecodeError::BodyTooLarge {
            offset,
            body_size,
            max_body_size,
        }) => format!("too-large({offset},{body_size},{max_body_size})"),
        Err(DecodeError::Truncated {
            offset,
            received,
            due,
        }) => format!("truncated({offset},{received},{due})"),
        Err(other) => panic!("the table has no text for {other:?}"),
    }
}

/// Compares the number of streams and the checksum of their results with those of a row.
fn compare(config: Config, streams: &[Vec<u8>], row: &[&str]) {
    let results = streams.iter().map(|stream| result(config, stream));
    let checksum = results.fold(0, |checksum: u32, result| {
        result.bytes().fold(checksum, |checksum, character| {
            checksum.wrapping_mul(31).wrapping_add(character.into())
        })
    });
    let [.., count, expected] = row else {
        panic!("{row:?}");
    };
    let actual = (streams.len().to_string(), checksum.to_string());
    assert_eq!((&*actual.0, &*actual.1), (*count, *expected), "{row:?}");
}

#[test]
fn coq_and_the_framer_agree_on_each_vector_and_capture() {
    let vectors = crate::common::vectors().into_iter();
    let vectors = vectors.map(|vector| (vector.config(), vector.name, vector.stream));
    let captures = crate::common::captures().into_iter();
    let captures = captures.map(|capture| (capture.config(), capture.stream(), capture.name));
    let captures = captures.map(|(config, stream, name)| (config, name, stream));
    let ours = vectors.chain(captures).map(|(config, name, stream)| {
        let max = config.max_body_size;
        let (order, result) = (order(config), result(config, &stream));
        let stream = hex::encode(stream);
        format!("{name} {order} {max} {stream}{result}")
    });
    let coqs: Vec<String> = rows("stream").map(|row| row.join(" ")).collect();
    assert_eq!(
        ours.collect::<Vec<_>>(),
        coqs,
        "the streams are listed in docs/proof/ReferenceTable.v"
    );
}

#[test]
fn coq_and_the_framer_agree_on_every_byte_at_every_position() {
    let mut streams = 0;
    for row in rows("each") {
        let template = hex::decode(row[2]).unwrap();
        let others = (0..template.len()).flat_map(|position| {
            let template = &template;
            (0..=u8::MAX).map(move |byte| {
                let mut stream = template.clone();
                stream[position] = byte;
                stream
            })
        });
        let others: Vec<_> = others.collect();
        compare(config(row[0], row[1]), &others, &row);
        streams += others.len();
    }
    assert_eq!(streams, 2 * 18 * 256);
}

#[test]
fn coq_and_the_framer_agree_on_all_sequences_of_pieces() {
    let mut streams = 0;
    for row in rows("all") {
        let pieces = row[3].split(',').map(|piece| hex::decode(piece).unwrap());
        let pieces: Vec<_> = pieces.collect();
        let mut sequences = vec![Vec::new()];
        for _ in 0..row[2].parse().unwrap() {
            let longer = sequences.iter().flat_map(|sequence: &Vec<u8>| {
                pieces.iter().map(|piece| [&sequence[..], piece].concat())
            });
            sequences = longer.collect();
        }
        compare(config(row[0], row[1]), &sequences, &row);
        streams += sequences.len();
    }
    assert_eq!(streams, 2 * (1 + 6 + 36 + 216 + 1296));
}
