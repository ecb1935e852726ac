//! Tests the `json_header` format, in which a JSON header states the size of the body, and the body
//! is emitted in pieces: decoder and encoder against the vectors that CPython wrote, and against
//! the naive parse on all small inputs and on random ones; the limits; the error messages.
//!
//! `memory.rs` measures the allocations.

use bytes::{Bytes, BytesMut};
use everysplit::reference::ByteOrder;
use everysplit::{Case, Harness, Outcome, Split, check_encoder};
use everysplit_formats::json_header::fuzzing::{CONFIGS, harness, join};
use everysplit_formats::json_header::naive;
use everysplit_formats::json_header::{
    Config, DecodeError, Decoder, EncodeError, Flaw, Header, Md5, Part,
};
use md5::Digest;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::Vector;
use crate::support::{BYTE_ORDERS, strings};

const MD5_CHECKED: Config = Config {
    md5: Md5::Check,
    ..Config::DEFAULT
};

/// Encodes a frame with the given header text, valid JSON or not.
pub(crate) fn frame(header: &str, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(header.len()).unwrap();
    [&length.to_le_bytes(), header.as_bytes(), body].concat()
}

fn md5(body: &[u8]) -> String {
    hex::encode(md5::Md5::digest(body))
}

/// Proves that every split of a stream yields what the naive parse of the whole stream yields.
#[track_caller]
fn prove(config: Config, stream: &[u8]) {
    if let Err(violation) = harness(config).check(stream) {
        panic!("{violation}");
    }
}

/// Returns the reason for which a header is rejected, and asserts that its last byte decides it.
#[track_caller]
fn flaw(config: Config, header: &str) -> Flaw {
    let stream = frame(header, b"more");
    prove(config, &stream);
    match naive::parse(config, &stream).outcome {
        Outcome::Rejected {
            at,
            error: DecodeError::Header { offset: 0, flaw },
        } if at == 4 + header.len() => flaw,
        outcome => panic!("{header}: {outcome:?}"),
    }
}

/// Returns the body size that an accepted header states.
#[track_caller]
fn size(header: &str) -> u64 {
    let mut buffer = BytesMut::from(&frame(header, b"")[..]);
    match Decoder::new(MD5_CHECKED).decode(&mut buffer) {
        Ok(Some(Part::Header(header))) => header.size,
        other => panic!("{header}: {other:?}"),
    }
}

fn config(vector: &Vector) -> Config {
    let everysplit::reference::Config {
        byte_order,
        max_body_size,
    } = vector.config();
    Config {
        byte_order,
        max_size: max_body_size.into(),
        ..MD5_CHECKED
    }
}

#[derive(Deserialize)]
struct VectorFrame {
    header: Map<String, Value>,
    #[serde(with = "hex")]
    body: Vec<u8>,
    end: usize,
}

#[test]
fn naive_parse_matches_the_vectors() {
    let vectors = crate::common::vectors_of("json_header");
    assert_eq!(vectors.len(), 14);
    for vector in vectors {
        let parsed = naive::parse(config(&vector), &vector.stream);
        let frames = Vec::<VectorFrame>::deserialize(&vector.frames).unwrap();
        assert_eq!(parsed.frames.len(), frames.len(), "{}", vector.name);
        for ((end, (header, body)), frame) in parsed.frames.into_iter().zip(frames) {
            assert_eq!(end, frame.end, "{}", vector.name);
            assert_eq!(header.fields, frame.header, "{}", vector.name);
            assert_eq!(body, frame.body, "{}", vector.name);
        }
        let outcome = match parsed.outcome {
            Outcome::Clean => (crate::common::Outcome::Clean, None),
            Outcome::Truncated(_) => (crate::common::Outcome::Truncated, None),
            Outcome::Rejected { at, .. } => (crate::common::Outcome::Rejected, Some(at)),
        };
        assert_eq!(outcome, (vector.outcome, vector.at), "{}", vector.name);
    }
}

#[test]
fn decoder_matches_the_vectors_under_every_split() {
    for vector in crate::common::vectors_of("json_header") {
        let certificate = harness(config(&vector)).check(&vector.stream);
        match certificate {
            Ok(certificate) => println!("{}: {certificate}", vector.name),
            Err(violation) => panic!("{}: {violation}", vector.name),
        }
    }
}

#[test]
fn accepts_only_unsigned_64_bit_integers_as_sizes() {
    assert_eq!(size(r#"{"total_size": 0}"#), 0);
    assert_eq!(size(r#" {"a": {"total_size": 1}, "file_size":7 } "#), 7);
    assert_eq!(size(r#"{"\u0066ilesize": 18446744073709551615}"#), u64::MAX);
    let over = "1".repeat(38);
    for value in [
        "18446744073709551616",
        &over,
        "-1",
        "-0",
        "1.0",
        "1e3",
        "1.5",
        "1E0",
        "0.0",
        "\"5\"",
        "null",
        "true",
        "[5]",
        "{\"total_size\":5}",
    ] {
        let header = format!("{{\"total_size\":{value}}}");
        assert_eq!(flaw(MD5_CHECKED, &header), Flaw::NotSize("total_size"));
    }
    for number in [
        "05", "+5", "5.", ".5", "0x5", "1e400", "NaN", "Infinity", "",
    ] {
        let header = format!("{{\"total_size\":{number}}}");
        assert_eq!(flaw(MD5_CHECKED, &header), Flaw::NotJson);
    }
}

#[test]
fn accepts_only_json_objects_with_one_size() {
    for (header, expected) in [
        ("", Flaw::NotJson),
        ("{\"total_size\":5", Flaw::NotJson),
        ("{\"total_size\":5}}", Flaw::NotJson),
        ("{\"total_size\":5,}", Flaw::NotJson),
        ("[5", Flaw::NotJson),
        ("\u{feff}{\"total_size\":5}", Flaw::NotJson),
        (r#"{"total_size":5,"a":"\ud800"}"#, Flaw::NotJson),
        (r#"{"total_size":5,"total_size":5"#, Flaw::NotJson),
        ("5", Flaw::NotObject),
        ("[{\"total_size\":5}]", Flaw::NotObject),
        ("{}", Flaw::NoSize(Config::SIZE_KEYS)),
        ("{\"Total_size\":5}", Flaw::NoSize(Config::SIZE_KEYS)),
        (
            "{\"a\":{\"total_size\":5}}",
            Flaw::NoSize(Config::SIZE_KEYS),
        ),
        (r#"{"total_size":5,"total_size":5}"#, Flaw::KeyTwice),
        (r#"{"total_size":5,"total\u005fsize":6}"#, Flaw::KeyTwice),
        (r#"{"total_size":5,"a":1,"a":2}"#, Flaw::KeyTwice),
        (
            r#"{"file_size":5,"data_size":5}"#,
            Flaw::TwoSizes("data_size", "file_size"),
        ),
        (
            r#"{"file_size":5,"data_size":"x"}"#,
            Flaw::TwoSizes("data_size", "file_size"),
        ),
    ] {
        assert_eq!(flaw(MD5_CHECKED, header), expected, "{header}");
    }
    let nested = |depth| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!("{{\"total_size\":5,\"a\":{open}{close}}}")
    };
    assert_eq!(size(&nested(126)), 5);
    assert_eq!(flaw(MD5_CHECKED, &nested(127)), Flaw::NotJson);
    // Duplicate keys are rejected at the top level only.
    assert_eq!(size(r#"{"total_size":5,"a":{"b":1,"b":2}}"#), 5);
    // Only the configured keys state a size.
    let named = Config {
        size_keys: &["length"],
        ..MD5_CHECKED
    };
    assert_eq!(flaw(named, "{\"total_size\":5}"), Flaw::NoSize(&["length"]));
    let stream = frame(r#"{"length":2,"total_size":"no size here"}"#, b"ab");
    prove(named, &stream);
    assert_eq!(naive::parse(named, &stream).outcome, Outcome::Clean);
}

#[test]
fn a_header_and_a_body_at_their_limits_pass() {
    let config = Config {
        max_header_size: 18,
        max_size: 10,
        ..MD5_CHECKED
    };
    let at_the_limit = frame(r#"{"total_size": 10}"#, b"ten bytes.");
    prove(config, &at_the_limit);
    assert_eq!(naive::parse(config, &at_the_limit).outcome, Outcome::Clean);
    let (size, max_size) = (11, 10);
    assert_eq!(
        flaw(config, r#"{"total_size": 11}"#),
        Flaw::BodyTooLarge { size, max_size }
    );
    for byte_order in BYTE_ORDERS {
        for length in [19, i32::MAX, -1, i32::MIN] {
            let bytes = match byte_order {
                ByteOrder::Little => length.to_le_bytes(),
                ByteOrder::Big => length.to_be_bytes(),
            };
            let config = Config {
                byte_order,
                ..config
            };
            let stream = [&frame_of_20_bytes(byte_order)[..], &bytes, b"more"].concat();
            prove(config, &stream);
            let error = DecodeError::HeaderLength {
                offset: 20,
                length,
                max_header_size: 18,
            };
            let outcome = Outcome::Rejected { at: 24, error };
            assert_eq!(naive::parse(config, &stream).outcome, outcome);
        }
    }
}

fn frame_of_20_bytes(byte_order: ByteOrder) -> BytesMut {
    let config = Config {
        byte_order,
        ..Config::DEFAULT
    };
    let fields = Map::from_iter([("file_size".to_string(), Value::from(1))]);
    let mut stream = BytesMut::new();
    assert_eq!(config.encode_header(&fields, &mut stream), Ok(1));
    stream.extend_from_slice(b"x");
    assert_eq!(stream.len(), 20);
    stream
}

#[test]
fn checks_an_md5_only_with_md5_check() {
    let ignored = Config::DEFAULT;
    let parse = |config, md5: Value, body: &[u8]| {
        let header = json!({"md5": md5, "total_size": body.len()}).to_string();
        let stream = [frame(&header, body), frame("{\"data_size\":0}", b"")].concat();
        prove(config, &stream);
        (header.len(), naive::parse(config, &stream))
    };
    for body in [&b""[..], b"abc"] {
        let digest = md5(body);
        for digest in [digest.to_uppercase(), digest] {
            for config in [MD5_CHECKED, ignored] {
                let (_, parsed) = parse(config, digest.clone().into(), body);
                assert_eq!((parsed.frames.len(), parsed.outcome), (2, Outcome::Clean));
            }
        }
        let (len, parsed) = parse(MD5_CHECKED, md5(b"other").into(), body);
        let number = |md5: String| u128::from_str_radix(&md5, 16).unwrap();
        let error = DecodeError::Md5Mismatch {
            offset: 0,
            expected: number(md5(b"other")),
            actual: number(md5(body)),
        };
        let at = 4 + len + body.len();
        assert_eq!(parsed.outcome, Outcome::Rejected { at, error });
        assert_eq!(parsed.frames, []);
        assert_eq!(parse(ignored, md5(b"other").into(), body).1.frames.len(), 2);
    }
    let digest = md5(b"abc");
    for malformed in [
        json!(digest[1..]),
        json!(format!("{digest}0")),
        json!(format!("+{}", &digest[1..])),
        json!(format!("g{}", &digest[1..])),
        json!(format!("é{}", &digest[2..])),
        json!(""),
        json!(5),
        json!(null),
        json!([digest]),
    ] {
        let header = json!({"md5": malformed, "total_size": 3}).to_string();
        assert_eq!(flaw(MD5_CHECKED, &header), Flaw::NotMd5, "{header}");
        let (_, parsed) = parse(ignored, malformed, b"abc");
        assert_eq!((parsed.frames.len(), parsed.outcome), (2, Outcome::Clean));
    }
}

/// A proof merges states that are equal.
#[test]
fn decoders_are_equal_if_the_md5s_of_their_bytes_are() {
    let header = format!(r#"{{"total_size": 4, "md5": "{}"}}"#, md5(b"body"));
    let after = |pieces: &[&[u8]]| {
        let mut decoder = Decoder::new(MD5_CHECKED);
        let mut buffer = BytesMut::from(&frame(&header, b"")[..]);
        for piece in pieces {
            buffer.extend_from_slice(piece);
            while decoder.decode(&mut buffer).unwrap().is_some() {}
        }
        decoder
    };
    assert_eq!(after(&[b"bo"]), after(&[b"b", b"o"]));
    assert_ne!(after(&[b"bo"]), after(&[b"ob"]));
}

/// A piece of a body is never empty.
#[test]
#[should_panic(expected = "is not allowed after")]
fn joining_rejects_an_empty_piece() {
    let fields = Map::new();
    let mut unfinished = Some((Header { size: 1, fields }, Vec::new()));
    join(&mut unfinished, Part::Body(Bytes::new()));
}

/// Upload tutorials call `recv(8192)` until the size is reached, and so swallow the start of the
/// next frame.
#[test]
fn leaves_the_bytes_after_a_body_in_the_buffer() {
    let inner = frame("{\"total_size\":1}", b"x");
    let header = format!("{{\"filesize\":{}}}", inner.len());
    let outer = frame(&header, &inner);
    let stream = [&outer[..], &outer, &inner].concat();
    prove(MD5_CHECKED, &stream);
    let bodies: Vec<_> = naive::parse(MD5_CHECKED, &stream)
        .frames
        .into_iter()
        .map(|(_, (_, body))| body)
        .collect();
    assert_eq!(bodies, [&inner[..], &inner, b"x"]);

    let mut buffer = BytesMut::from(&stream[..]);
    let mut decoder = Decoder::new(MD5_CHECKED);
    assert!(matches!(
        decoder.decode(&mut buffer),
        Ok(Some(Part::Header(_)))
    ));
    assert_eq!(buffer, stream[outer.len() - inner.len()..]);
    let piece = decoder.decode(&mut buffer).unwrap();
    assert_eq!(piece, Some(Part::Body(inner.clone().into())));
    assert_eq!(buffer, stream[outer.len()..]);
    assert_eq!(decoder.decode(&mut buffer), Ok(Some(Part::End)));
    assert_eq!(buffer, stream[outer.len()..]);
}

/// The decoder's output, with bodies taken apart into bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Header(Header),
    Byte(u8),
    End,
}

/// Returns the events of a stream that ends on a frame boundary, each with the number of received
/// bytes at which it must be emitted.
fn events(config: Config, stream: &[u8]) -> Vec<(usize, Event)> {
    let parsed = naive::parse(config, stream);
    assert_eq!(parsed.outcome, Outcome::Clean);
    let mut events = Vec::new();
    for (end, (header, body)) in parsed.frames {
        let start = end - body.len();
        events.push((start, Event::Header(header)));
        let bytes = (start + 1..).zip(body);
        events.extend(bytes.map(|(at, byte)| (at, Event::Byte(byte))));
        events.push((end, Event::End));
    }
    events
}

#[test]
fn emits_each_body_byte_as_soon_as_it_arrives() {
    let stream = [
        frame("{\"total_size\":5}", b"hello"),
        frame("{\"data_size\":0}", b""),
        frame("{\"file_size\":2}", b"{}"),
    ]
    .concat();
    let events = events(MD5_CHECKED, &stream);
    for split in Split::up_to(stream.len(), 2).chain([Split::bytes(stream.len())]) {
        let (mut decoder, mut buffer) = (Decoder::new(MD5_CHECKED), BytesMut::new());
        let (mut emitted, mut fed) = (Vec::new(), 0);
        for chunk in split.chunks(&stream) {
            buffer.extend_from_slice(chunk);
            fed += chunk.len();
            while let Some(part) = decoder.decode(&mut buffer).unwrap() {
                match part {
                    Part::Header(header) => emitted.push(Event::Header(header)),
                    Part::Body(piece) => {
                        assert!(!piece.is_empty());
                        emitted.extend(piece.into_iter().map(Event::Byte));
                    }
                    Part::End => emitted.push(Event::End),
                }
            }
            let due = events.iter().take_while(|(at, _)| *at <= fed);
            let due = due.map(|(_, event)| event);
            assert!(due.eq(&emitted), "split {split}, after {fed} bytes");
        }
        assert_eq!(decoder.decode_eof(&mut buffer), Ok(None));
    }
}

#[test]
fn an_end_inside_a_frame_reports_the_missing_bytes() {
    let first = frame("{\"data_size\":0}", b"");
    let stream = [first.clone(), frame("{\"total_size\":5}", b"hello")].concat();
    for end in 0..=stream.len() {
        prove(MD5_CHECKED, &stream[..end]);
    }
    let end = |stream: &[u8]| {
        let (mut decoder, mut buffer) = (Decoder::new(MD5_CHECKED), BytesMut::from(stream));
        loop {
            match decoder.decode_eof(&mut buffer) {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => {
                    assert_eq!(decoder.decode_eof(&mut buffer), Err(error));
                    return Some(error);
                }
            }
        }
    };
    let offset = first.len() as u64;
    let header = |received, due| DecodeError::TruncatedHeader {
        offset,
        received,
        due,
    };
    let at = |more: usize| end(&stream[..first.len() + more]);
    assert_eq!(at(0), None);
    assert_eq!(at(3), Some(header(3, 4)));
    assert_eq!(at(4), Some(header(4, 20)));
    assert_eq!(at(19), Some(header(19, 20)));
    let body = |received, due| DecodeError::TruncatedBody {
        offset,
        received,
        due,
    };
    assert_eq!(at(20), Some(body(0, 5)));
    assert_eq!(at(24), Some(body(4, 5)));
    assert_eq!(at(25), None);
    let huge = frame("{\"total_size\":18446744073709551615}", b"four");
    let stream = [first, huge].concat();
    prove(MD5_CHECKED, &stream);
    assert_eq!(end(&stream), Some(body(4, u64::MAX)));
}

/// Every header of up to six characters of JSON syntax, every size of up to four, and every second
/// field of up to six.
#[test]
fn all_short_headers_match_the_naive_parse() {
    let config = Config {
        size_keys: &["n", ""],
        ..MD5_CHECKED
    };
    let check = |header: &str| {
        let stream = frame(header, b"ab");
        let expected = naive::parse(config, &stream);
        for split in [Split::whole(), Split::bytes(stream.len())] {
            let case = Case::new(stream.clone(), split);
            harness(config).one_split(&case).unwrap();
        }
        usize::from(!expected.frames.is_empty())
    };
    let texts = |alphabet: &'static [u8], most| {
        (0..=most)
            .flat_map(|len| strings(alphabet, len))
            .map(|text| String::from_utf8(text).unwrap())
    };
    let mut accepted = 0;
    for text in texts(b"{}\"n:,1", 6) {
        accepted += check(&text);
    }
    for text in texts(b"012-+.e\" ", 4) {
        accepted += check(&format!("{{\"n\":{text}}}"));
    }
    for text in texts(b"\"n:1,", 6) {
        accepted += check(&format!("{{\"n\":1,{text}}}"));
    }
    println!("{accepted} headers accepted");
    assert!(accepted > 50, "{accepted}");
}

/// Every pair of frames with bodies of up to three bytes, the second frame truncated everywhere.
#[test]
fn every_split_of_small_streams_matches_the_naive_parse() {
    let frames: Vec<_> = (0..=3)
        .flat_map(|len| (0..2usize.pow(len)).map(move |bits| (len, bits)))
        .map(|(len, bits)| {
            let body: Vec<u8> = (0..len).map(|place| b"{\0"[bits >> place & 1]).collect();
            frame(&format!("{{\"n\":{len}}}"), &body)
        })
        .collect();
    let config = Config {
        size_keys: &["n"],
        ..MD5_CHECKED
    };
    for first in &frames {
        for second in &frames {
            for end in 0..=second.len() {
                prove(config, &[first, &second[..end]].concat());
            }
        }
    }
}

#[test]
fn encoded_frames_decode_to_equal_frames() {
    let body = b"hello";
    let fields = json!({"filename": "大.bin", "file_size": 5, "md5": md5(body), "more": [1.5, {}]});
    let Value::Object(fields) = fields else {
        panic!()
    };
    let mut stream = BytesMut::new();
    for _ in 0..2 {
        assert_eq!(MD5_CHECKED.encode_header(&fields, &mut stream), Ok(5));
        stream.extend_from_slice(body);
    }
    prove(MD5_CHECKED, &stream);
    let parsed = naive::parse(MD5_CHECKED, &stream);
    let frame = (Header { size: 5, fields }, body.to_vec());
    let frames: Vec<_> = parsed.frames.into_iter().map(|(_, frame)| frame).collect();
    assert_eq!(frames, [frame.clone(), frame]);
    assert_eq!(parsed.outcome, Outcome::Clean);
}

#[test]
fn encoder_rejects_what_the_decoder_would_reject() {
    let assert_rejected = |config: Config, fields: Value, error: EncodeError| {
        let Value::Object(fields) = fields else {
            panic!()
        };
        let encode = |output: &mut BytesMut| config.encode_header(&fields, output).map(|_| ());
        check_encoder(encode, Err(error)).unwrap();
    };
    for (fields, flaw) in [
        (json!({}), Flaw::NoSize(Config::SIZE_KEYS)),
        (
            json!({"total_size": 5, "data_size": 5}),
            Flaw::TwoSizes("total_size", "data_size"),
        ),
        (json!({"total_size": -5}), Flaw::NotSize("total_size")),
        (json!({"total_size": 5.0}), Flaw::NotSize("total_size")),
        (json!({"total_size": "5"}), Flaw::NotSize("total_size")),
        (json!({"total_size": 5, "md5": "5"}), Flaw::NotMd5),
    ] {
        assert_rejected(MD5_CHECKED, fields, EncodeError::Header(flaw));
    }
    let deep = (0..127).fold(json!(0), |value, _| json!([value]));
    let deep = json!({"total_size": 5, "deep": deep});
    assert_rejected(MD5_CHECKED, deep, EncodeError::Header(Flaw::NotJson));
    let limited = Config {
        max_header_size: 16,
        max_size: 9,
        ..MD5_CHECKED
    };
    let (size, max_size) = (10, 9);
    let flaw = Flaw::BodyTooLarge { size, max_size };
    assert_rejected(limited, json!({"data_size": 10}), EncodeError::Header(flaw));
    let error = EncodeError::HeaderTooLarge {
        header_size: 17,
        max_header_size: 16,
    };
    assert_rejected(limited, json!({"total_size": 10}), error);
    let fields = Map::from_iter([("total_size".to_string(), Value::from(9))]);
    let written = b"\x10\0\0\0{\"total_size\":9}";
    let encode = |output: &mut BytesMut| limited.encode_header(&fields, output).map(|_| ());
    check_encoder(encode, Ok(written)).unwrap();
    let big = Config {
        byte_order: ByteOrder::Big,
        ..limited
    };
    let encode = |output: &mut BytesMut| big.encode_header(&fields, output).map(|_| ());
    check_encoder(encode, Ok(b"\0\0\0\x10{\"total_size\":9}")).unwrap();
}

/// Generates JSON values nested up to three levels.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("\\PC{0,3}", inner), 0..4)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// Generates header texts of random fields: some keys are duplicates, and many fields are valid
/// sizes or md5s.
fn header() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        2 => "[a-c\"\\\\:{]{0,2}",
        1 => proptest::sample::select(Config::SIZE_KEYS).prop_map(String::from),
        1 => Just("md5".to_string()),
    ];
    let field = prop_oneof![
        3 => (key, value()),
        3 => (0u64..40).prop_map(|size| ("total_size".to_string(), size.into())),
        1 => "[0-9a-fA-F]{32}".prop_map(|md5| ("md5".to_string(), md5.into())),
    ];
    vec(field, 0..4).prop_map(|fields| {
        let fields = fields.iter();
        let fields = fields.map(|(key, value)| format!("{}:{value}", Value::from(&key[..])));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    })
}

proptest! {
    #[test]
    fn random_headers_match_the_naive_parse(
        frames in vec((header(), vec(any::<u8>(), 0..40)), 1..4),
        corruption in proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), any::<u8>())),
        checked in any::<bool>(),
    ) {
        let frames = frames.iter().map(|(header, body)| frame(header, body));
        let mut stream = frames.collect::<Vec<_>>().concat();
        if let Some((index, byte)) = corruption {
            let index = index.index(stream.len());
            stream[index] = byte;
        }
        let config = if checked { MD5_CHECKED } else { Config::DEFAULT };
        harness(config).sampled(&stream, 0, 8)?;
    }

    #[test]
    fn random_frames_decode_to_equal_frames(
        bodies in vec(vec(any::<u8>(), 0..40), 0..4),
        extra in value(),
    ) {
        let mut stream = BytesMut::new();
        for body in &bodies {
            let fields = json!({"filesize": body.len(), "md5": md5(body), "extra": extra});
            let Value::Object(fields) = fields else { panic!() };
            MD5_CHECKED.encode_header(&fields, &mut stream)?;
            stream.extend_from_slice(body);
        }
        let parsed = naive::parse(MD5_CHECKED, &stream);
        let decoded: Vec<_> = parsed.frames.into_iter().map(|(_, (_, body))| body).collect();
        prop_assert_eq!(decoded, bodies);
        prop_assert_eq!(parsed.outcome, Outcome::Clean);
        harness(MD5_CHECKED).sampled(&stream, 0, 8)?;
    }

    #[test]
    fn random_bytes_match_the_naive_parse(
        stream in vec(prop_oneof![Just(0), 0..=255u8], 0..64),
    ) {
        for config in CONFIGS {
            harness(config).sampled(&stream, 0, 8)?;
        }
    }
}

/// For one long body, one long header, and many empty frames.
#[test]
fn cost_is_linear_in_the_bytes() {
    let config = Config {
        max_header_size: u32::MAX,
        ..MD5_CHECKED
    };
    let body = |len| {
        let header = format!("{{\"total_size\":{len},\"md5\":\"{}\"}}", "0".repeat(32));
        frame(&header, &vec![b'x'; len])
    };
    let header = |len| frame(&" ".repeat(len), b"");
    let empty = |len: usize| frame("{\"data_size\":0}", b"").repeat(len / 19);
    let streams: [fn(usize) -> Vec<u8>; 3] = [body, header, empty];
    for stream in streams {
        Harness::decoder(move || Decoder::new(config))
            .linear(stream)
            .unwrap();
    }
}

#[test]
fn header_flaws_say_what_to_do() {
    let (size, max_size) = (10, 9);
    for (flaw, text) in [
        (Flaw::NotUtf8, "is not UTF-8: encode it as UTF-8"),
        (
            Flaw::NotJson,
            "is not JSON: check that both ends send a length, then the header",
        ),
        (
            Flaw::NotObject,
            "is not a JSON object: send one such as {\"total_size\": 5}",
        ),
        (Flaw::KeyTwice, "has a duplicate key: send each key once"),
        (
            Flaw::NoSize(&["a", "b"]),
            "has no size: send it under one of [\"a\", \"b\"], or add its key to size_keys",
        ),
        (
            Flaw::TwoSizes("a", "b"),
            "has two sizes, a and b: send one of them",
        ),
        (
            Flaw::NotSize("filesize"),
            "has a filesize that is not an integer from 0 to 18446744073709551615: \
             send the size of the body in bytes, without fraction or exponent",
        ),
        (
            Flaw::BodyTooLarge { size, max_size },
            "announces a body of 10 bytes, over the limit of 9 bytes: \
             close the connection, or raise max_size to accept larger bodies",
        ),
        (
            Flaw::NotMd5,
            "has an md5 that is not a string of 32 hexadecimal digits: \
             send one, or use Md5::Ignore",
        ),
    ] {
        let offset = 20;
        assert_eq!(
            DecodeError::Header { offset, flaw }.to_string(),
            format!("header at offset 20 {text}")
        );
        assert_eq!(
            EncodeError::Header(flaw).to_string(),
            format!("header {text}")
        );
    }
}

#[test]
fn error_messages_say_what_to_do() {
    let text = |error: DecodeError| error.to_string();
    let (offset, max_header_size) = (20, 64);
    let length = |length| {
        text(DecodeError::HeaderLength {
            offset,
            length,
            max_header_size,
        })
    };
    assert_eq!(
        length(-1),
        "header length -1 at offset 20 is not in the range 0 to 64: \
         close the connection, or raise max_header_size to accept larger headers"
    );
    assert_eq!(
        length(17 << 24),
        "header length 285212672 at offset 20 is not in the range 0 to 64: \
         in the other byte order it is 17; check that both ends use the same byte order"
    );
    assert_eq!(
        text(DecodeError::Md5Mismatch {
            offset,
            expected: 0xabc,
            actual: u128::MAX,
        }),
        "body of the frame at offset 20 has the md5 ffffffffffffffffffffffffffffffff, \
         but its header says 00000000000000000000000000000abc: discard the body and request it again"
    );
    assert_eq!(
        text(DecodeError::TruncatedHeader {
            offset,
            received: 3,
            due: 4,
        }),
        "stream ended inside the header at offset 20: received 3 of at least 4 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        text(DecodeError::TruncatedHeader {
            offset,
            received: 4,
            due: 9,
        }),
        "stream ended inside the header at offset 20: received 4 of 9 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        text(DecodeError::TruncatedBody {
            offset,
            received: 4,
            due: u64::MAX,
        }),
        "stream ended inside the body of the frame at offset 20: \
         received 4 of 18446744073709551615 bytes; the peer closed early or bytes were lost"
    );
    let error = EncodeError::HeaderTooLarge {
        header_size: 17,
        max_header_size: 16,
    };
    assert_eq!(
        error.to_string(),
        "header of 17 bytes is over the limit of 16 bytes: \
         shorten it, or raise max_header_size at both ends"
    );
}

#[test]
fn the_default_limit_of_a_header_is_64_kib() {
    assert_eq!(Config::default().max_header_size, 65_536);
    assert_eq!(Config::default().max_size, u64::MAX);
}
