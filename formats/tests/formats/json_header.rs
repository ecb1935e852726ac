//! The framing with a header in JSON: what CPython wrote, small cases without a gap,
//! then chance. What it allocates is counted here too.

use crate::common::Vector;
use allocation_counter::measure;
use bytes::BytesMut;
use everysplit::check::{self, Outcome};
use everysplit::reference::ByteOrder;
use everysplit::{Buffered, Split};
use everysplit_formats::json_header::fuzzing::{CONFIGS, harness};
use everysplit_formats::json_header::naive;
use everysplit_formats::json_header::{
    Config, DecodeError, Decoder, EncodeError, Flaw, Header, Md5, Part,
};
use md5::Digest;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const CHECKED: Config = Config {
    md5: Md5::Check,
    ..Config::DEFAULT
};

/// A frame, its header as it is written here.
fn frame(header: &str, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(header.len()).unwrap();
    [&length.to_le_bytes(), header.as_bytes(), body].concat()
}

fn md5(body: &[u8]) -> String {
    hex::encode(md5::Md5::digest(body))
}

/// Proves every split of a stream against the parse of the whole.
#[track_caller]
fn prove(config: Config, stream: &[u8]) {
    if let Err(violation) = harness(config).prove(stream) {
        panic!("{violation}");
    }
}

/// Returns why a header is refused, and that it is at its last byte.
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

/// Returns the size of a header that passes.
#[track_caller]
fn size(header: &str) -> u64 {
    let mut buffer = BytesMut::from(&frame(header, b"")[..]);
    match Decoder::new(CHECKED).decode(&mut buffer) {
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
        ..CHECKED
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
fn naive_gives_what_the_vectors_say() {
    let vectors = crate::common::vectors_of("json_header");
    assert_eq!(vectors.len(), 14);
    for vector in vectors {
        let parsed = naive::parse(config(&vector), &vector.stream);
        let frames = Vec::<VectorFrame>::deserialize(&vector.frames).unwrap();
        assert_eq!(parsed.frames.len(), frames.len(), "{}", vector.name);
        for ((end, (header, body)), told) in parsed.frames.into_iter().zip(frames) {
            assert_eq!(end, told.end, "{}", vector.name);
            assert_eq!(header.fields, told.header, "{}", vector.name);
            assert_eq!(body, told.body, "{}", vector.name);
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
fn the_vectors_hold_under_every_split() {
    for vector in crate::common::vectors_of("json_header") {
        let certificate = harness(config(&vector)).prove(&vector.stream);
        match certificate {
            Ok(certificate) => println!("{}: {certificate}", vector.name),
            Err(violation) => panic!("{}: {violation}", vector.name),
        }
    }
}

#[test]
fn sizes_are_plain_integers() {
    assert_eq!(size(r#"{"total_size": 0}"#), 0);
    assert_eq!(size(r#" {"a": {"total_size": 1}, "file_size":7 } "#), 7);
    assert_eq!(size(r#"{"\u0066ilesize": 18446744073709551615}"#), u64::MAX);
    let over = "1".repeat(38);
    for refused in [
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
        let header = format!("{{\"total_size\":{refused}}}");
        assert_eq!(flaw(CHECKED, &header), Flaw::NotSize("total_size"));
    }
    for number in [
        "05", "+5", "5.", ".5", "0x5", "1e400", "NaN", "Infinity", "",
    ] {
        let header = format!("{{\"total_size\":{number}}}");
        assert_eq!(flaw(CHECKED, &header), Flaw::NotJson);
    }
}

#[test]
fn headers_are_objects_with_one_size() {
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
        assert_eq!(flaw(CHECKED, header), expected, "{header}");
    }
    let nested = |depth| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!("{{\"total_size\":5,\"a\":{open}{close}}}")
    };
    assert_eq!(size(&nested(126)), 5);
    assert_eq!(flaw(CHECKED, &nested(127)), Flaw::NotJson);
    // A key twice further down is no business of the framing's.
    assert_eq!(size(r#"{"total_size":5,"a":{"b":1,"b":2}}"#), 5);
    // Only keys that are asked for are sizes.
    let named = Config {
        size_keys: &["length"],
        ..CHECKED
    };
    assert_eq!(flaw(named, "{\"total_size\":5}"), Flaw::NoSize(&["length"]));
    let stream = frame(r#"{"length":2,"total_size":"no size here"}"#, b"ab");
    prove(named, &stream);
    assert_eq!(naive::parse(named, &stream).outcome, Outcome::Clean);
}

#[test]
fn limits_pass_what_is_equal() {
    let config = Config {
        max_header_size: 18,
        max_size: 10,
        ..CHECKED
    };
    let passes = frame(r#"{"total_size": 10}"#, b"ten bytes.");
    prove(config, &passes);
    assert_eq!(naive::parse(config, &passes).outcome, Outcome::Clean);
    let (size, max_size) = (11, 10);
    assert_eq!(
        flaw(config, r#"{"total_size": 11}"#),
        Flaw::BodyTooLarge { size, max_size }
    );
    for byte_order in [ByteOrder::Little, ByteOrder::Big] {
        for length in [19, i32::MAX, -1, i32::MIN] {
            let bytes = match byte_order {
                ByteOrder::Little => length.to_le_bytes(),
                ByteOrder::Big => length.to_be_bytes(),
            };
            let config = Config {
                byte_order,
                ..config
            };
            let stream = [&passes_in(byte_order)[..], &bytes, b"more"].concat();
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

/// A frame of 20 bytes.
fn passes_in(byte_order: ByteOrder) -> BytesMut {
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
fn an_md5_is_checked_when_asked_to() {
    let ignored = Config::DEFAULT;
    let told = |config, told: Value, body: &[u8]| {
        let header = json!({"md5": told, "total_size": body.len()}).to_string();
        let stream = [frame(&header, body), frame("{\"data_size\":0}", b"")].concat();
        prove(config, &stream);
        (header.len(), naive::parse(config, &stream))
    };
    for body in [&b""[..], b"abc"] {
        let right = md5(body);
        for right in [right.to_uppercase(), right] {
            for config in [CHECKED, ignored] {
                let (_, parsed) = told(config, right.clone().into(), body);
                assert_eq!((parsed.frames.len(), parsed.outcome), (2, Outcome::Clean));
            }
        }
        let (len, parsed) = told(CHECKED, md5(b"wrong").into(), body);
        let number = |md5: String| u128::from_str_radix(&md5, 16).unwrap();
        let error = DecodeError::Md5Mismatch {
            offset: 0,
            expected: number(md5(b"wrong")),
            actual: number(md5(body)),
        };
        let at = 4 + len + body.len();
        assert_eq!(parsed.outcome, Outcome::Rejected { at, error });
        assert_eq!(parsed.frames, []);
        assert_eq!(told(ignored, md5(b"wrong").into(), body).1.frames.len(), 2);
    }
    let right = md5(b"abc");
    for malformed in [
        json!(right[1..]),
        json!(format!("{right}0")),
        json!(format!("+{}", &right[1..])),
        json!(format!("g{}", &right[1..])),
        json!(format!("é{}", &right[2..])),
        json!(""),
        json!(5),
        json!(null),
        json!([right]),
    ] {
        let header = json!({"md5": malformed, "total_size": 3}).to_string();
        assert_eq!(flaw(CHECKED, &header), Flaw::NotMd5, "{header}");
        let (_, parsed) = told(ignored, malformed, b"abc");
        assert_eq!((parsed.frames.len(), parsed.outcome), (2, Outcome::Clean));
    }
}

/// The mistake of the upload tutorials: what came with the end of a body is eaten.
#[test]
fn what_is_behind_a_body_is_left_in_the_buffer() {
    let inner = frame("{\"total_size\":1}", b"x");
    let header = format!("{{\"filesize\":{}}}", inner.len());
    let outer = frame(&header, &inner);
    let stream = [&outer[..], &outer, &inner].concat();
    prove(CHECKED, &stream);
    let bodies: Vec<_> = naive::parse(CHECKED, &stream)
        .frames
        .into_iter()
        .map(|(_, (_, body))| body)
        .collect();
    assert_eq!(bodies, [&inner[..], &inner, b"x"]);

    let mut buffer = BytesMut::from(&stream[..]);
    let mut decoder = Decoder::new(CHECKED);
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

/// What must have come out of a stream, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Header(Header),
    Byte(u8),
    End,
}

/// The events of a stream that ends on a frame boundary, each with how many bytes must
/// be in for it.
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
fn each_byte_of_a_body_is_out_as_soon_as_it_is_in() {
    let stream = [
        frame("{\"total_size\":5}", b"hello"),
        frame("{\"data_size\":0}", b""),
        frame("{\"file_size\":2}", b"{}"),
    ]
    .concat();
    let events = events(CHECKED, &stream);
    for split in Split::up_to(stream.len(), 2).chain([Split::bytes(stream.len())]) {
        let (mut decoder, mut buffer) = (Decoder::new(CHECKED), BytesMut::new());
        let (mut out, mut fed) = (Vec::new(), 0);
        for chunk in split.chunks(&stream) {
            buffer.extend_from_slice(chunk);
            fed += chunk.len();
            while let Some(part) = decoder.decode(&mut buffer).unwrap() {
                match part {
                    Part::Header(header) => out.push(Event::Header(header)),
                    Part::Body(piece) => {
                        assert!(!piece.is_empty());
                        out.extend(piece.into_iter().map(Event::Byte));
                    }
                    Part::End => out.push(Event::End),
                }
            }
            let due = events.iter().take_while(|(at, _)| *at <= fed);
            assert!(due.map(|(_, event)| event).eq(&out), "{split} at {fed}");
        }
        assert_eq!(decoder.decode_eof(&mut buffer), Ok(None));
    }
}

#[test]
fn an_end_inside_a_frame_tells_what_was_due() {
    let first = frame("{\"data_size\":0}", b"");
    let stream = [first.clone(), frame("{\"total_size\":5}", b"hello")].concat();
    for end in 0..=stream.len() {
        prove(CHECKED, &stream[..end]);
    }
    let end = |stream: &[u8]| {
        let (mut decoder, mut buffer) = (Decoder::new(CHECKED), BytesMut::from(stream));
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
    prove(CHECKED, &stream);
    assert_eq!(end(&stream), Some(body(4, u64::MAX)));
}

/// Every text of up to seven letters of JSON, as a header and as a size.
#[test]
fn small_headers_are_read_as_the_oracle_reads_them() {
    let config = Config {
        size_keys: &["n", ""],
        ..CHECKED
    };
    let check = |header: &str| {
        let stream = frame(header, b"ab");
        let expected = naive::parse(config, &stream);
        for split in [Split::whole(), Split::bytes(stream.len())] {
            let whole = everysplit_formats::json_header::fuzzing::whole(config);
            check::split(whole, &stream, &split, &expected).unwrap();
        }
        usize::from(!expected.frames.is_empty())
    };
    let mut whole = 0;
    for text in texts(b"{}\"n:,1", 6) {
        whole += check(&text);
    }
    for text in texts(b"012-+.e\" ", 4) {
        whole += check(&format!("{{\"n\":{text}}}"));
    }
    for text in texts(b"\"n:1,", 6) {
        whole += check(&format!("{{\"n\":1,{text}}}"));
    }
    println!("{whole} headers pass");
    assert!(whole > 50, "{whole}");
}

/// Every text of up to `most` of these letters.
fn texts(letters: &[u8], most: u32) -> impl Iterator<Item = String> {
    let all = (0..=most).flat_map(|len| {
        let count = letters.len().pow(len);
        (0..count).map(move |number| (len, number))
    });
    all.map(move |(len, number)| {
        let letter = |place| letters[number / letters.len().pow(place) % letters.len()];
        (0..len).map(letter).map(char::from).collect()
    })
}

/// Every two frames with bodies of up to three letters, the second cut off anywhere.
#[test]
fn small_streams_hold_under_every_split() {
    let frames: Vec<_> = (0..=3)
        .flat_map(|len| (0..2usize.pow(len)).map(move |bits| (len, bits)))
        .map(|(len, bits)| {
            let body: Vec<u8> = (0..len).map(|place| b"{\0"[bits >> place & 1]).collect();
            frame(&format!("{{\"n\":{len}}}"), &body)
        })
        .collect();
    let config = Config {
        size_keys: &["n"],
        ..CHECKED
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
fn what_is_encoded_comes_back() {
    let body = b"hello";
    let fields = json!({"filename": "大.bin", "file_size": 5, "md5": md5(body), "more": [1.5, {}]});
    let Value::Object(fields) = fields else {
        panic!()
    };
    let mut stream = BytesMut::new();
    for _ in 0..2 {
        assert_eq!(CHECKED.encode_header(&fields, &mut stream), Ok(5));
        stream.extend_from_slice(body);
    }
    prove(CHECKED, &stream);
    let parsed = naive::parse(CHECKED, &stream);
    let frame = (Header { size: 5, fields }, body.to_vec());
    let frames: Vec<_> = parsed.frames.into_iter().map(|(_, frame)| frame).collect();
    assert_eq!(frames, [frame.clone(), frame]);
    assert_eq!(parsed.outcome, Outcome::Clean);
}

#[test]
fn what_would_be_refused_is_not_written() {
    let refuses = |config: Config, fields: Value, error: EncodeError| {
        let Value::Object(fields) = fields else {
            panic!()
        };
        let encode = |output: &mut BytesMut| config.encode_header(&fields, output).map(|_| ());
        check::encode(encode, Err(error)).unwrap();
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
        refuses(CHECKED, fields, EncodeError::Header(flaw));
    }
    let deep = (0..127).fold(json!(0), |value, _| json!([value]));
    let deep = json!({"total_size": 5, "deep": deep});
    refuses(CHECKED, deep, EncodeError::Header(Flaw::NotJson));
    let limited = Config {
        max_header_size: 16,
        max_size: 9,
        ..CHECKED
    };
    let (size, max_size) = (10, 9);
    let flaw = Flaw::BodyTooLarge { size, max_size };
    refuses(limited, json!({"data_size": 10}), EncodeError::Header(flaw));
    let error = EncodeError::HeaderTooLarge {
        header_size: 17,
        max_header_size: 16,
    };
    refuses(limited, json!({"total_size": 10}), error);
    let fields = Map::from_iter([("total_size".to_string(), Value::from(9))]);
    let written = b"\x10\0\0\0{\"total_size\":9}";
    let encode = |output: &mut BytesMut| limited.encode_header(&fields, output).map(|_| ());
    check::encode(encode, Ok(written)).unwrap();
    let big = Config {
        byte_order: ByteOrder::Big,
        ..limited
    };
    let encode = |output: &mut BytesMut| big.encode_header(&fields, output).map(|_| ());
    check::encode(encode, Ok(b"\0\0\0\x10{\"total_size\":9}")).unwrap();
}

/// Any JSON, nested a little.
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

/// The text of a header: fields of any kind, twice now and then, and a size as it often
/// is.
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
    fn random_headers_are_read_as_the_oracle_reads_them(
        frames in vec((header(), vec(any::<u8>(), 0..40)), 1..4),
        spoilt in proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), any::<u8>())),
        checked in any::<bool>(),
    ) {
        let frames = frames.iter().map(|(header, body)| frame(header, body));
        let mut stream = frames.collect::<Vec<_>>().concat();
        if let Some((index, byte)) = spoilt {
            let index = index.index(stream.len());
            stream[index] = byte;
        }
        let config = if checked { CHECKED } else { Config::DEFAULT };
        harness(config).sampled(&stream, 0, 8)?;
    }

    #[test]
    fn random_frames_come_back(
        bodies in vec(vec(any::<u8>(), 0..40), 0..4),
        extra in value(),
    ) {
        let mut stream = BytesMut::new();
        for body in &bodies {
            let fields = json!({"filesize": body.len(), "md5": md5(body), "extra": extra});
            let Value::Object(fields) = fields else { panic!() };
            CHECKED.encode_header(&fields, &mut stream)?;
            stream.extend_from_slice(body);
        }
        let parsed = naive::parse(CHECKED, &stream);
        let came: Vec<_> = parsed.frames.into_iter().map(|(_, (_, body))| body).collect();
        prop_assert_eq!(came, bodies);
        prop_assert_eq!(parsed.outcome, Outcome::Clean);
        harness(CHECKED).sampled(&stream, 0, 8)?;
    }

    #[test]
    fn random_bytes_are_read_as_the_oracle_reads_them(
        stream in vec(prop_oneof![Just(0), 0..=255u8], 0..64),
    ) {
        for config in CONFIGS {
            harness(config).sampled(&stream, 0, 8)?;
        }
    }
}

const KIB: usize = 1024;

/// Moves a body through a decoder in chunks, and tells how much was allocated for it
/// at any time, beyond the buffer that was there.
fn moves(config: Config, header: &str, chunk: &[u8], chunks: usize) -> u64 {
    let mut buffer = BytesMut::with_capacity(chunk.len());
    let header = frame(header, b"");
    let (mut bytes, mut ends) = (0, 0);
    let measured = measure(|| {
        let mut decoder = Decoder::new(config);
        for read in [&header[..]].into_iter().chain((0..chunks).map(|_| chunk)) {
            buffer.extend_from_slice(read);
            while let Some(part) = decoder.decode(&mut buffer).unwrap() {
                match part {
                    Part::Header(_) => {}
                    Part::Body(piece) => bytes += piece.len(),
                    Part::End => ends += 1,
                }
            }
            assert!(buffer.is_empty());
        }
    });
    assert_eq!((bytes, ends), (chunk.len() * chunks, 1));
    measured.bytes_max
}

/// 64 MiB through a buffer of 64 KiB.
#[test]
fn nothing_of_a_body_is_held() {
    let chunk = vec![7; 64 * KIB];
    let chunks = 1024;
    let header = format!("{{\"total_size\":{}}}", chunk.len() * chunks);
    let most = moves(CHECKED, &header, &chunk, chunks);
    println!("{most} bytes at most");
    assert!(most < 2048, "{most}");

    let mut digest = md5::Md5::new();
    for _ in 0..16 {
        digest.update(&chunk);
    }
    let md5 = hex::encode(digest.finalize());
    let header = format!("{{\"total_size\":{},\"md5\":\"{md5}\"}}", chunk.len() * 16);
    let most = moves(CHECKED, &header, &chunk, 16);
    assert!(most < 2048, "{most}");
}

#[test]
fn a_size_that_is_claimed_allocates_nothing() {
    let claim = frame("{\"total_size\":18446744073709551615}", b"");
    let mut buffer = BytesMut::from(&claim[..]);
    let measured = measure(|| {
        let mut decoder = Decoder::new(CHECKED);
        assert!(decoder.decode(&mut buffer).unwrap().is_some());
        assert_eq!(decoder.decode(&mut buffer), Ok(None));
    });
    assert!(measured.bytes_max < 2048, "{measured:?}");
    let mut buffer = BytesMut::from(&(64 * 1024i32).to_le_bytes()[..]);
    let measured = measure(|| {
        let decoded = Decoder::new(CHECKED).decode(&mut buffer);
        assert_eq!(decoded, Ok(None));
    });
    assert_eq!(measured.bytes_max, 0, "{measured:?}");
}

#[test]
fn one_byte_at_a_time_costs_in_proportion() {
    let config = Config {
        max_header_size: u32::MAX,
        ..CHECKED
    };
    let body = |len| {
        let header = format!("{{\"total_size\":{len},\"md5\":\"{}\"}}", "0".repeat(32));
        frame(&header, &vec![b'x'; len])
    };
    let header = |len| frame(&" ".repeat(len), b"");
    let empty = |len: usize| frame("{\"data_size\":0}", b"").repeat(len / 19);
    let streams: [fn(usize) -> Vec<u8>; 3] = [body, header, empty];
    for stream in streams {
        check::linear(|| Buffered::new(Decoder::new(config)), stream).unwrap();
    }
}

/// The worst that is known: objects of one entry each.
#[test]
fn the_fields_of_a_header_take_about_a_hundred_times_its_bytes() {
    let objects = ["{\"\":0}"].repeat(9000).join(",");
    let header = format!("{{\"total_size\":0,\"a\":[{objects}]}}");
    assert!(header.len() < 64 * KIB);
    let mut buffer = BytesMut::from(&frame(&header, b"")[..]);
    let measured = measure(|| {
        let decoded = Decoder::new(CHECKED).decode(&mut buffer);
        assert!(matches!(decoded, Ok(Some(Part::Header(_)))));
    });
    let times = measured.bytes_max / header.len() as u64;
    println!("{times} times");
    assert!(times <= 120, "{times}");
}

#[test]
fn flaws_tell_what_to_do() {
    let (size, max_size) = (10, 9);
    for (flaw, told) in [
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
            format!("header at offset 20 {told}")
        );
        assert_eq!(
            EncodeError::Header(flaw).to_string(),
            format!("header {told}")
        );
    }
}

#[test]
fn errors_tell_what_to_do() {
    let told = |error: DecodeError| error.to_string();
    let (offset, max_header_size) = (20, 64);
    let length = |length| {
        told(DecodeError::HeaderLength {
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
        told(DecodeError::Md5Mismatch {
            offset,
            expected: 0xabc,
            actual: u128::MAX,
        }),
        "body of the frame at offset 20 has the md5 ffffffffffffffffffffffffffffffff, \
         but its header says 00000000000000000000000000000abc: discard the body and request it again"
    );
    assert_eq!(
        told(DecodeError::TruncatedHeader {
            offset,
            received: 3,
            due: 4,
        }),
        "stream ended inside the header at offset 20: received 3 of at least 4 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        told(DecodeError::TruncatedBody {
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
