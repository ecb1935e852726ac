//! `everysplit exec`: drivers in Python and in Node, right and wrong, and what is said
//! of them. Skipped, with a message, where there is no such program.

use crate::program::{Said, cannot, run, script, there_is};

const PYTHON: &str = include_str!("../../drivers/driver.py");
const NODE: &str = include_str!("../../drivers/driver.js");

/// A program, its ready driver, and what its files end with.
type Language = (&'static str, &'static str, &'static str);

const LANGUAGES: [Language; 2] = [("python3", PYTHON, "py"), ("node", NODE, "js")];

/// Runs the ready driver of a language after a change; nothing where there is no such
/// program.
fn exec(language: Language, change: Option<(&str, &str)>, arguments: &[&str]) -> Option<Said> {
    let (program, path) = driver(language, change)?;
    let start = ["--", program, &path];
    Some(run(&[&["exec"], arguments, &start].concat()))
}

/// Writes the ready driver of a language after a change; returns its program and its path.
fn driver(language: Language, change: Option<(&str, &str)>) -> Option<(&'static str, String)> {
    let (program, driver, ending) = language;
    if !there_is(program) {
        return None;
    }
    let changed = change.map_or(driver.to_string(), |(right, wrong)| {
        assert!(driver.contains(right), "{right}");
        driver.replacen(right, wrong, 1)
    });
    let name = changed.bytes().fold(7, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    Some((
        program,
        script(&format!("driver-{name:x}.{ending}"), &changed),
    ))
}

#[test]
fn the_ready_drivers_are_proved_right() {
    for language in LANGUAGES {
        for arguments in [
            &["--framing", "len16", "--limit", "20"][..],
            &["--framing", "len16", "--message", "one", "--message", "two"],
            &["--hex", "00026f6b000561"],
        ] {
            let Some(said) = exec(language, None, arguments) else {
                continue;
            };
            let told = said.with(0);
            assert!(told.ends_with(", 0 violated\n"), "{told}");
            assert!(
                told.lines()
                    .all(|line| !line.starts_with("ok") || line.contains("proved"))
            );
        }
    }
}

/// A bug: what stands in the right driver of each language, and in its place.
type Bug = [(&'static str, &'static str); 2];

/// The length is taken before the body is there.
const CONSUMES: Bug = [
    (
        "        if len(decoder.buffer) < end:\n            break\n",
        "        if len(decoder.buffer) < end:\n            decoder.buffer = decoder.buffer[2:]\n            break\n",
    ),
    (
        "if (decoder.buffer.length < end) break;",
        "if (decoder.buffer.length < end) { decoder.buffer = decoder.buffer.subarray(2); break; }",
    ),
];

/// One frame is taken from a chunk: the second waits.
const STALLS: Bug = [
    (
        "    while len(decoder.buffer) >= 2:",
        "    for _ in [len(decoder.buffer)] if len(decoder.buffer) >= 2 else []:",
    ),
    (
        "while (decoder.buffer.length >= 2) {",
        "for (let once = 0; once < 1 && decoder.buffer.length >= 2; once++) {",
    ),
];

/// A chunk is taken for a whole frame.
const ONE_RECV: Bug = [
    (
        "    decoder.buffer += chunk\n",
        "    decoder.buffer = chunk\n",
    ),
    (
        "decoder.buffer = Buffer.concat([decoder.buffer, chunk]);",
        "decoder.buffer = chunk;",
    ),
];

#[test]
fn wrong_decoders_are_caught_with_the_fewest_cuts() {
    let bugs = [
        (CONSUMES, "00026f6b", "prompt", "\n  split     2\n"),
        (STALLS, "0001610000", "prompt", "\n  split     whole\n"),
        (ONE_RECV, "00026f6b", "prompt", "\n  split     1\n"),
    ];
    for (bug, stream, property, split) in bugs {
        for (language, change) in LANGUAGES.into_iter().zip(bug) {
            let arguments = ["--framing", "len16", "--hex", stream];
            let Some(said) = exec(language, Some(change), &arguments) else {
                continue;
            };
            let told = said.with(1);
            assert!(told.contains(&format!("\n{property}: ")), "{told}");
            let Some((_, violation)) = told.split_once(&format!("\n{property}: ")) else {
                continue;
            };
            assert!(violation.contains(split), "{told}");
        }
    }
}

/// A decoder that loses bytes is found without a word on its format, where it gives
/// anything at all byte by byte.
#[test]
fn no_format_is_needed() {
    for (language, change) in LANGUAGES.into_iter().zip(STALLS) {
        let Some(said) = exec(language, Some(change), &["--hex", "00016100016200"]) else {
            continue;
        };
        let told = said.with(1);
        assert!(told.contains("\n  split     whole\n"), "{told}");
    }
}

/// Without states some splits are tried, and that is said.
#[test]
fn what_is_not_proved_is_told() {
    let changes = [
        ("\"ready 1 states\"", "\"ready 1\""),
        ("'ready 1 states\\n'", "'ready 1\\n'"),
    ];
    for (language, change) in LANGUAGES.into_iter().zip(changes) {
        let arguments = ["--hex", "00026f6b", "--cuts", "1"];
        let Some(said) = exec(language, Some(change), &arguments) else {
            continue;
        };
        let told = said.with(0);
        assert!(
            told.contains("bounded: 4 bytes, 5 splits (up to 1 cuts"),
            "{told}"
        );
        assert!(!told.contains("proved: "), "{told}");
    }
}

/// Drivers that break are a verdict, with what they wrote, and the next one goes on.
#[test]
fn drivers_that_break_are_told() {
    let python = LANGUAGES[0];
    let breaks =
        |line: &str| format!("    decoder.buffer += chunk\n    if b'!' in chunk: {line}\n");
    let lines = [
        (
            "sys.exit('out of luck')",
            "the last that it wrote to stderr: out of luck",
        ),
        (
            "print('debug')",
            "the driver wrote a line that is no answer: \"debug\"",
        ),
        (
            "yield from iter(lambda: b'x', 0)",
            "the driver gave more than 100000 frames at once",
        ),
        (
            "import time; time.sleep(1000)",
            "the driver did not answer within ",
        ),
        (
            "import time; decoder.buffer = b'x' * (1 << 28); time.sleep(1000)",
            "MiB of memory",
        ),
    ];
    for (line, expected) in lines {
        let wrong = breaks(line);
        let change = ("    decoder.buffer += chunk\n", wrong.as_str());
        let arguments = [
            "--framing",
            "len16",
            "--timeout",
            "5",
            "--memory",
            "128",
            "--hex",
            "000121",
            "--hex",
            "00026f6b",
        ];
        let Some(said) = exec(python, Some(change), &arguments) else {
            return;
        };
        let told = said.with(1);
        assert!(told.contains("FAIL  hex 000121: progress\n"), "{told}");
        assert!(told.contains(expected), "{told}");
        assert!(told.contains("ok    hex 00026f6b: proved"), "{told}");
    }
}

#[test]
fn bad_input_is_told_in_a_line() {
    let driver = ["--", "no-such-program"];
    let exec = |arguments: &[&'static str]| [&["exec"], arguments, &driver].concat();
    cannot(
        &exec(&["--hex", "00"]),
        "everysplit: cannot start no-such-program: ",
    );
    cannot(
        &exec(&[]),
        "there is no stream: give one with --stream, --corpus or --hex",
    );
    cannot(&exec(&["--hex", "0"]), "\"0\" is no stream: ");
    cannot(
        &exec(&["--stream", "no/such"]),
        "cannot read the stream no/such: ",
    );
    cannot(
        &exec(&["--corpus", "no/such"]),
        "cannot read the folder no/such: ",
    );
    let empty = script("empty", "");
    let arguments = ["exec", "--stream", &empty, "--", "no-such-program"];
    cannot(&arguments, "is empty: give it some bytes");
    cannot(
        &["exec", "--hex", "00", "--", "true"],
        "the driver ended (exit status: 0)",
    );
    cannot(
        &["exec", "--hex", "00", "--", "cat"],
        "no answer: \"hello 1\"",
    );
    cannot(
        &["exec", "--hex", "00", "--", "sh", "-c", "echo ready 2; cat"],
        "the driver speaks another version of the protocol",
    );
    let long = "00".repeat(1000);
    cannot(
        &[
            "exec",
            "--feeds",
            "3999",
            "--hex",
            &long,
            "--",
            "no-such-program",
        ],
        "is too long: byte by byte, it takes 4000 feeds; give a part of it, or --feeds 4000",
    );
    cannot(
        &["replay", "00026f6b", "exec", "--", "cat"],
        "no @ and split behind the bytes; write a token such as 0a0b0c@1,2",
    );
    cannot(
        &["replay", "00@9", "exec", "--", "no-such-program"],
        "00@9 is cut behind its 1 bytes",
    );
    cannot(
        &["exec", "--hex", "00", "--config", "foo", "--", "cat"],
        "--config foo is no KEY=VALUE",
    );
    cannot(
        &["replay", "00@whole", "exec", "--", "no-such-program"],
        "everysplit: cannot start no-such-program: ",
    );
    cannot(
        &["exec", "--hex", "00"],
        "required arguments were not provided: <CMD>...; --help tells what there is",
    );
}

/// A header in JSON, and the size of the body in it.
const JSON_HEADER: &str = "    decoder.buffer += chunk
    import json
    while len(decoder.buffer) >= 4:
        start = 4 + int.from_bytes(decoder.buffer[:4], 'little', signed=True)
        if start < 4:
            raise ValueError
        if len(decoder.buffer) < start:
            break
        size = json.loads(decoder.buffer[4:start])['total_size']
        if not 0 <= size <= decoder.limit:
            raise ValueError
        if len(decoder.buffer) < start + size:
            break
        yield decoder.buffer[start:start + size]
        decoder.buffer = decoder.buffer[start + size:]
    return
";

#[test]
fn a_header_in_json_is_a_format_too() {
    let change = ("    decoder.buffer += chunk\n", JSON_HEADER);
    let arguments = [
        "--framing",
        "json-header",
        "--message",
        "hello",
        "--message",
        "你",
    ];
    if let Some(said) = exec(LANGUAGES[0], Some(change), &arguments) {
        let told = said.with(0);
        assert!(told.contains("ok    negative header: proved: "), "{told}");
    }
    let wrong = JSON_HEADER.replace("if not 0 <= size", "if not -1 <= size");
    let change = ("    decoder.buffer += chunk\n", wrong.as_str());
    if let Some(said) = exec(LANGUAGES[0], Some(change), &arguments) {
        let told = said.with(1);
        assert!(told.contains("FAIL  negative: "), "{told}");
    }
}

/// What is too long to be proved is sampled, and that is said.
#[test]
fn a_long_stream_is_sampled() {
    let long = format!("{:04x}{}", 700, "61".repeat(700));
    for feeds in ["3000", "300000"] {
        let arguments = [
            "--framing",
            "len16",
            "--message",
            "x",
            "--hex",
            &long,
            "--feeds",
            feeds,
        ];
        let Some(said) = exec(LANGUAGES[1], None, &arguments) else {
            return;
        };
        let told = said.with(0);
        let tier = if feeds == "3000" {
            "sampled: 702 bytes, 107 splits"
        } else {
            "proved: 702 bytes"
        };
        assert!(told.contains(tier), "{told}");
        assert!(told.contains("ok    in a row: proved: 6 bytes"), "{told}");
    }
}

/// A driver that reads nothing keeps nobody waiting for longer than it may.
#[cfg(unix)]
#[test]
fn a_driver_that_does_not_read_is_told() {
    let long = script("long", &"x".repeat(200_000));
    let stops = "read hello; echo ready 1; exec sleep 100";
    let told = run(&[
        "exec",
        "--timeout",
        "0.5",
        "--feeds",
        "1000000",
        "--stream",
        &long,
        "--",
        "sh",
        "-c",
        stops,
    ])
    .with(1);
    assert!(told.contains(": progress\n"), "{told}");
    assert!(told.contains("the driver did not answer within "), "{told}");
}

/// A token tries a split again, and tells what is given to each chunk.
#[test]
fn a_token_is_replayed() {
    for (language, change) in LANGUAGES.into_iter().zip(CONSUMES) {
        for (change, status) in [(Some(change), 1), (None, 0)] {
            let Some((program, path)) = driver(language, change) else {
                continue;
            };
            let exec = ["exec", "--framing", "len16", "--", program, &path];
            let told = run(&[&["replay", "00026f6b@3"], &exec[..]].concat()).with(status);
            let (verdict, frames) = if status == 0 {
                ("ok    replayed: 4 bytes, split 3\n", "[\"6f6b\"]")
            } else {
                ("FAIL  replayed: prompt\n", "[]")
            };
            assert!(told.contains(verdict), "{told}");
            let trace = format!("feed 00026f: []\nfeed 6b: {frames}\nfinish: []");
            assert!(told.starts_with(&trace), "{told}");
        }
    }
}

/// A decoder that says nothing of what is left at the end is declared to be one.
#[test]
fn a_decoder_that_discards_at_the_end_is_declared() {
    let changes = [
        ("        raise EOFError\n", "        decoder.buffer = b''\n"),
        (
            "throw new RangeError();\n}",
            "decoder.buffer = Buffer.alloc(0);\n}",
        ),
    ];
    for (language, change) in LANGUAGES.into_iter().zip(changes) {
        for arguments in [["--framing", "len16"], ["--hex", "000161000261"]] {
            let Some(said) = exec(language, Some(change), &arguments) else {
                continue;
            };
            let told = said.with(1);
            assert!(told.contains(": truncation\n"), "{told}");
            let declared = [&arguments[..], &["--discards-at-end"]].concat();
            let told = exec(language, Some(change), &declared).unwrap().with(0);
            let declared = "; declared: discards at the end of the stream\n";
            assert!(told.contains(declared), "{told}");
        }
        let arguments = ["--framing", "len16", "--discards-at-end"];
        let Some(said) = exec(language, None, &arguments) else {
            continue;
        };
        let told = said.with(1);
        assert!(
            told.contains("FAIL  truncated after 1 of 6: truncation\n"),
            "{told}"
        );
    }
}

/// One message is sent twice: its second one may be lost.
#[test]
fn one_message_is_two_frames() {
    for (language, change) in LANGUAGES.into_iter().zip(STALLS) {
        let arguments = ["--framing", "len16", "--message", "one"];
        let Some(said) = exec(language, Some(change), &arguments) else {
            continue;
        };
        let told = said.with(1);
        assert!(told.contains("FAIL  in a row: prompt\n"), "{told}");
        // Of a stream with a violation, nothing else is known.
        assert!(told.contains("\nevery_split  not known, "), "{told}");
    }
}

/// A decoder is not asked any more after its first error, and what that is is told.
#[test]
fn errors_are_kept_and_told() {
    for language in LANGUAGES {
        let arguments = ["--config", "max=2", "--hex", "00 03 61 62 63"];
        if let Some(said) = exec(language, None, &arguments) {
            let told = said.with(0);
            assert!(told.contains("\npoisoned     held\n"), "{told}");
        }
    }
    let typo = ("decoder.buffer += chunk", "decoder.bufer += chunk");
    if let Some(said) = exec(LANGUAGES[0], Some(typo), &["--framing", "len16"]) {
        let told = said.with(1);
        assert!(told.contains("Err(AttributeError)"), "{told}");
    }
}

/// The time is bounded, whatever is asked.
#[test]
fn the_time_is_bounded() {
    let stream = "000161".repeat(100);
    let arguments = ["--hex", &stream, "--cuts", "99", "--time", "2"];
    let change = ("\"ready 1 states\"", "\"ready 1\"");
    if let Some(said) = exec(LANGUAGES[0], Some(change), &arguments) {
        assert_eq!(said.stderr, "everysplit: the time is up, see --time\n");
        said.with(2);
    }
}
