//! `--framing` with the formats that have settings: vectors compared with CPython, decoders in
//! drivers, the server, and errors in descriptions.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{PYTHON_DRIVER, concurrently, fails, is_installed, run, script, usage_error};
use crate::serve::serve;

const DESCRIBED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../formats/tests/data/described.py"
);

/// Prints the vectors of a format as JSON.
fn vectors(framing: &str, options: &[&str]) -> String {
    run(&[&["vectors", "--framing", framing], options].concat()).with_status(0)
}

/// The committed vectors are what CPython parsed by itself.
#[test]
fn vectors_agree_with_those_of_cpython() {
    let golden = include_str!("../../../formats/tests/data/described.json");
    let golden: Vec<Value> = serde_json::from_str(golden).unwrap();
    let mut runs: BTreeMap<[String; 3], Vec<&Value>> = BTreeMap::new();
    for vector in &golden {
        let key = ["framing", "order", "max"].map(|name| match &vector[name] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            number => number.to_string(),
        });
        runs.entry(key).or_default().push(vector);
    }
    concurrently(runs, |([framing, order, max], golden)| {
        let mut options = Vec::new();
        for (option, value) in [("--byte-order", &order), ("--size-limit", &max)] {
            if !value.is_empty() {
                options.extend([option, value]);
            }
        }
        for vector in &golden {
            options.extend(["--hex", vector["stream"].as_str().unwrap()]);
        }
        let vectors: Vec<Value> = serde_json::from_str(&vectors(&framing, &options)).unwrap();
        for (vector, golden) in vectors.iter().zip(golden) {
            for name in [
                "framing", "order", "max", "stream", "frames", "outcome", "at",
            ] {
                assert_eq!(vector[name], golden[name], "{name} of {golden}");
            }
        }
    });
}

/// What is generated for each format, with the offsets of its fields.
#[test]
fn generated_streams_are_those_of_the_list() {
    let list = include_str!("../data/streams.txt");
    let formats = list.split("# ").skip(1);
    concurrently(formats, |format| {
        let (framing, expected) = format.split_once('\n').unwrap();
        let mut words = framing.split(' ');
        let mut options = vec!["--message", "a", "--size-limit", "3"];
        let name = words.next().unwrap();
        options.extend(words);
        let vectors = vectors(name, &options);
        let vectors: Vec<Value> = serde_json::from_str(&vectors).unwrap();
        let (mut lines, mut truncated) = (Vec::new(), 0);
        for vector in &vectors {
            let name = vector["name"].as_str().unwrap();
            if name.starts_with("truncated after ") {
                truncated += 1;
            } else if name != "empty" {
                let edges = vector["edges"].as_array().unwrap().iter();
                let edges: Vec<_> = edges.map(Value::to_string).collect();
                let stream = vector["stream"].as_str().unwrap();
                lines.push(format!("{name}: {stream} {}", edges.join(" ")));
            }
        }
        assert_eq!(lines.join("\n"), expected.trim_end(), "{framing}");
        // At each byte of the second of two equal frames.
        let concatenated = vectors[1]["stream"].as_str().unwrap();
        assert_eq!(truncated, concatenated.len() / 4 - 1, "{framing}");
    });
}

/// A message over the limit is encoded, and the decoder must reject it.
#[test]
fn a_message_may_be_over_the_limit() {
    let vectors = vectors("len16", &["--message", "four", "--size-limit", "3"]);
    let vectors: Vec<Value> = serde_json::from_str(&vectors).unwrap();
    assert_eq!(vectors[1]["stream"], "0004666f75720004666f7572");
    assert_eq!(vectors[1]["outcome"], "rejected");
}

/// What is generated for a description, CPython parses in the same way.
#[test]
fn generated_streams_agree_with_cpython() {
    if !is_installed("python3") {
        return;
    }
    let framings = [
        "length:width=1",
        "length:width=2,order=little",
        "length:width=3,counts=frame",
        "length:width=4,signed",
        "length:width=8,signed,order=little",
        "length:offset=2,width=2,counts=frame,strip=0",
        "length:offset=1,width=3,adjust=2,strip=9",
        "varint",
        "varint:bits=32",
        "delimiter:lf",
        "delimiter:crlf",
        "delimiter:0d0d0a",
        "delimiter:6c",
        "delimiter:78797a",
        "netstring",
    ];
    concurrently(framings, |framing| {
        for limit in ["", "--size-limit=0", "--size-limit=9", "--size-limit=300"] {
            let options: &[&str] = if limit.is_empty() { &[] } else { &[limit] };
            let vectors = vectors(framing, options);
            let mut python = Command::new("python3")
                .args(["-S", DESCRIBED, "check"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = python.stdin.take().unwrap();
            stdin.write_all(vectors.as_bytes()).unwrap();
            drop(stdin);
            let output = python.wait_with_output().unwrap();
            let count = vectors.matches("\"outcome\"").count();
            let checked = String::from_utf8(output.stdout).unwrap();
            assert_eq!(checked.trim(), count.to_string(), "{framing} {limit}");
            assert!(count >= 3, "{framing} {limit}: {vectors}");
        }
    });
}

/// A decoder in Python for one format: `step` returns the next body and where its frame ends, or
/// `None`. At most 5 bytes are a body.
struct Decoder {
    framing: &'static str,
    step: &'static str,
    bugs: &'static [Bug],
}

struct Bug {
    correct: &'static str,
    buggy: &'static str,
    /// A split that shows it.
    token: &'static str,
    property: &'static str,
}

/// What takes the place of the ready driver's decoder.
const FEED: &str = r"
def feed(decoder, chunk):
    decoder.buffer += chunk
    while True:
        found = step(decoder.buffer, decoder.limit)
        if found is None:
            return
        body, end = found
        decoder.buffer = decoder.buffer[end:]
        yield body


";

const DECODERS: [Decoder; 4] = [
    Decoder {
        framing: "length:offset=2,width=2,counts=frame",
        step: r#"
def step(buffer, limit):
    if len(buffer) < 4:
        return None
    size = int.from_bytes(buffer[2:4], "big")
    if size < 4 or size - 4 > limit:
        raise ValueError
    if len(buffer) < size:
        return None
    return buffer[4:size], size
"#,
        bugs: &[
            // The length is read before it is whole.
            Bug {
                correct: "len(buffer) < 4",
                buggy: "len(buffer) < 3",
                token: "cafe00066f6b@3",
                property: "every_split",
            },
            Bug {
                correct: "size - 4 > limit",
                buggy: "size - 4 >= limit",
                token: "cafe000968656c6c6f@whole",
                property: "round_trip",
            },
            // The frame is less than its header.
            Bug {
                correct: "size < 4 or ",
                buggy: "size < 3 or ",
                token: "cafe0003@whole",
                property: "rejection",
            },
        ],
    },
    Decoder {
        framing: "varint",
        step: r"
def step(buffer, limit):
    size = 0
    for index, byte in enumerate(buffer[:10]):
        size |= (byte & 127) << 7 * index
        if size >= 1 << 64 or byte >= 128 and index == 9:
            raise ValueError
        if byte < 128:
            break
    else:
        return None
    if size > limit:
        raise ValueError
    end = index + 1 + size
    return (buffer[index + 1:end], end) if len(buffer) >= end else None
",
        bugs: &[
            // A varint that is cut in its middle counts as whole.
            Bug {
                correct: "        if byte < 128:",
                buggy: "        if byte < 128 or index + 1 == len(buffer):",
                token: "8000@1",
                property: "prompt",
            },
            // A varint without an end is waited for.
            Bug {
                correct: "if size >= 1 << 64 or byte >= 128 and index == 9:",
                buggy: "if False:",
                token: "ffffffffffffffffffff@5",
                property: "rejection",
            },
        ],
    },
    Decoder {
        framing: "delimiter:crlf",
        step: r#"
def step(buffer, limit):
    body, mark, _ = buffer.partition(b"\r\n")
    if mark and len(body) <= limit:
        return body, len(body) + 2
    most = limit + 1 if buffer[limit:limit + 1] == b"\r" else limit
    if len(buffer) > most:
        raise ValueError
    return None
"#,
        bugs: &[
            // The delimiter is cut in two after a body of the limit.
            Bug {
                correct: "limit + 1 if buffer[limit:limit + 1] == b\"\\r\" else limit",
                buggy: "limit",
                token: "68656c6c6f0d0a@6",
                property: "every_split",
            },
            // A delimiter that is cut in two is lost.
            Bug {
                correct: "decoder.buffer += chunk",
                buggy: "decoder.buffer = decoder.buffer.rstrip(b\"\\r\") + chunk",
                token: "6f6b0d0a@3",
                property: "every_split",
            },
        ],
    },
    Decoder {
        framing: "netstring",
        step: r#"
def step(buffer, limit):
    digits = buffer.split(b":")[0]
    colon = len(digits)
    if buffer and not digits.isdigit() or digits[:1] == b"0" and colon > 1:
        raise ValueError
    if digits and int(digits) > limit:
        raise ValueError
    if buffer[colon:colon + 1] != b":":
        return None
    comma = colon + 1 + int(digits)
    if len(buffer) <= comma:
        return None
    if buffer[comma:comma + 1] != b",":
        raise ValueError
    return buffer[colon + 1:comma], comma + 1
"#,
        bugs: &[
            // The frame counts as whole without its comma.
            Bug {
                correct: "    if len(buffer) <= comma:\n        return None\n    if buffer[comma:comma + 1]",
                buggy: "    if len(buffer) < comma:\n        return None\n    if buffer[comma:] and buffer[comma:comma + 1]",
                token: "323a6f6b2c@4",
                property: "prompt",
            },
            Bug {
                correct: " or digits[:1] == b\"0\" and colon > 1",
                buggy: "",
                token: "30313a612c@whole",
                property: "rejection",
            },
        ],
    },
];

impl Decoder {
    /// Writes the driver, with a bug if one is given; returns its path.
    fn driver(&self, bug: Option<usize>) -> String {
        let mut decoder = [self.step, FEED].concat();
        if let Some(Bug { correct, buggy, .. }) = bug.map(|bug| &self.bugs[bug]) {
            assert!(decoder.contains(correct), "{correct}");
            decoder = decoder.replacen(correct, buggy, 1);
        }
        // The protocol stands below the functions.
        let at = PYTHON_DRIVER.find("# ----").unwrap();
        let mut driver = PYTHON_DRIVER.to_owned();
        driver.insert_str(at, &decoder);
        let name = self.framing.split(':').next().unwrap();
        let bug = bug.map_or("correct".into(), |bug| format!("bug-{bug}"));
        script(&format!("described-{name}-{bug}.py"), &driver)
    }

    fn exec<'a>(&self, driver: &'a str) -> Vec<&'a str>
    where
        Self: 'a,
    {
        let format = ["exec", "--framing", self.framing, "--size-limit", "5"];
        let messages = ["--message", "a", "--message", "", "--message", "bc"];
        let python = ["--timeout", "60", "--", "python3", "-S", driver];
        [&format[..], &messages, &python].concat()
    }
}

#[test]
fn decoders_of_each_format_are_proved() {
    if !is_installed("python3") {
        return;
    }
    concurrently(&DECODERS, |decoder| {
        let driver = decoder.driver(None);
        let output = run(&decoder.exec(&driver)).with_status(0);
        assert!(output.ends_with(", 0 violated\n"), "{output}");
        let mut held = output.lines().filter(|line| line.starts_with("ok "));
        assert!(held.all(|line| line.contains("proved")), "{output}");
        for property in [
            "every_split",
            "round_trip",
            "limit",
            "poisoned",
            "truncation",
        ] {
            let line = format!("\n{property:<13}held\n");
            assert!(output.contains(&line), "{property}: {output}");
        }
    });
}

#[test]
fn a_split_shows_the_bug_of_each_decoder() {
    if !is_installed("python3") {
        return;
    }
    let bugs = DECODERS
        .iter()
        .flat_map(|decoder| (0..decoder.bugs.len()).map(move |bug| (decoder, bug)));
    concurrently(bugs, |(decoder, number)| {
        let bug = &decoder.bugs[number];
        for (driver, status) in [(decoder.driver(None), 0), (decoder.driver(Some(number)), 1)] {
            let replay = [&["replay", bug.token][..], &decoder.exec(&driver)].concat();
            let output = run(&replay).with_status(status);
            let line = format!("\n{:<13}violated", bug.property);
            assert_eq!(
                output.contains(&line),
                status == 1,
                "{}: {output}",
                bug.buggy
            );
        }
    });
}

/// The server passes `everysplit tcp --hostile` for each description.
#[test]
fn the_server_is_correct_for_each_description() {
    let framings = [
        "length:offset=2,width=2,counts=frame,max=100",
        "length:width=8,signed,order=little,max=100",
        "varint:max=100",
        "delimiter:crlf,max=100",
        "netstring:max=100",
    ];
    concurrently(framings, |framing| {
        let (server, address) = serve(&[framing, "--split", "random", "--max-idle", "0.5"]);
        let tcp = ["tcp", "--connect", &address, "--reply-idle", "0.2"];
        let bounds = ["--hostile", "--max-connections", "40", "--framing", framing];
        let output = run(&[&tcp[..], &bounds].concat()).with_status(0);
        // The reply is as long as the stream.
        let (_, stream) = output.split_once("concatenated: ").unwrap();
        let length = stream.split_once(" bytes").unwrap().0;
        let reply = format!(": the same reply of {length} bytes: \"");
        assert!(stream.contains(&reply), "{framing}: {output}");
        let over = "ok    claimed length: over the limit: ";
        assert!(output.contains(over), "{framing}: {output}");
        drop(server);
    });
}

#[test]
fn errors_name_the_wrong_part_and_what_is_possible() {
    for (framing, message) in [
        (
            "len64",
            "there is no such format; these are: header12, len16,",
        ),
        (
            "length:widht=2",
            "length has no setting widht; it has offset, width, order, signed, counts, adjust, \
             strip and max",
        ),
        ("length:width=5", "width=5 is not 1, 2, 3, 4 or 8"),
        ("length:width=x", "width=x is not a number from 1 to 8"),
        (
            "length:offset=65536",
            "offset=65536 is not a number from 0 to 65535",
        ),
        ("length:offset", "offset has no value: write offset=VALUE"),
        ("length:signed=1", "signed takes no value; leave out =1"),
        ("length:width=2,width=2", "width is given twice"),
        ("length:order=middle", "order=middle is not big or little"),
        ("length:counts=all", "counts=all is not rest or frame"),
        (
            "length:counts=frame,adjust=1",
            "counts and adjust say the same; give one of them",
        ),
        ("varint:bits=31", "bits=31 is not 32 or 64"),
        (
            "varint:order=big",
            "varint has no setting order; it has bits and max",
        ),
        (
            "delimiter",
            "write delimiter: and then lf, crlf, nul, or 1 to 16 bytes in hexadecimal",
        ),
        ("delimiter:0d0", "0d0 is no mark; write delimiter:"),
        ("delimiter:000102030405060708090a0b0c0d0e0f10", "is no mark"),
        (
            "delimiter:lf,crlf",
            "delimiter has no setting crlf; it has the mark and max",
        ),
        (
            "netstring:max=-1",
            "max=-1 is not a number from 0 to 4294967295",
        ),
    ] {
        usage_error(&["vectors", "--framing", framing], message);
    }
    for (arguments, message) in [
        (
            &["netstring", "--byte-order", "big"][..],
            "--framing netstring has no --byte-order",
        ),
        (
            &["length:order=big", "--byte-order", "big"],
            "--framing has the byte order; leave out --byte-order",
        ),
        (
            &["varint:max=1", "--size-limit", "1"],
            "--framing has the maximum; leave out --size-limit",
        ),
        (
            &["delimiter:6c6c", "--message", "hello"],
            "no frame can have the --message \"hello\": a delimiter begins at byte 2 of the body",
        ),
        (
            &["length:width=1,adjust=-300"],
            "--framing length:width=1,adjust=-300 has no frames",
        ),
    ] {
        fails(&[&["vectors", "--framing"], arguments].concat(), message);
    }
}
