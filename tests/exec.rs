//! `everysplit exec`: drivers in Python and in Node, right and wrong, and what is said
//! of them. Skipped, with a message, where there is no such program.

use std::fs;
use std::process::{Command, Output};

const PYTHON: &str = include_str!("../drivers/driver.py");
const NODE: &str = include_str!("../drivers/driver.js");

/// A program, its ready driver, and what its files end with.
type Language = (&'static str, &'static str, &'static str);

const LANGUAGES: [Language; 2] = [("python3", PYTHON, "py"), ("node", NODE, "js")];

/// Runs the ready driver of a language after a change; nothing where there is no such
/// program.
fn exec(language: Language, change: Option<(&str, &str)>, arguments: &[&str]) -> Option<Output> {
    let (program, driver, ending) = language;
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!("skipped: there is no {program}");
        return None;
    }
    let changed = change.map_or(driver.to_string(), |(right, wrong)| {
        assert!(driver.contains(right), "{right}");
        driver.replacen(right, wrong, 1)
    });
    let name = change.map_or(0, |(right, wrong)| {
        let bytes = right.bytes().chain(wrong.bytes());
        bytes.fold(7, |hash: u32, byte| {
            hash.wrapping_mul(31).wrapping_add(byte.into())
        })
    });
    let path = format!("{}/driver-{name:x}.{ending}", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&path, changed).unwrap();
    Some(run(
        &[&["exec"], arguments, &["--", program, &path]].concat()
    ))
}

fn run(arguments: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_everysplit");
    Command::new(command).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_ready_drivers_are_proved_right() {
    for language in LANGUAGES {
        for arguments in [&["--framing", "len16"][..], &["--hex", "00026f6b000561"]] {
            let Some(output) = exec(language, None, arguments) else {
                continue;
            };
            let told = stdout(&output);
            assert_eq!(output.status.code(), Some(0), "{told}");
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
            let Some(output) = exec(language, Some(change), &arguments) else {
                continue;
            };
            let told = stdout(&output);
            assert_eq!(output.status.code(), Some(1), "{told}");
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
        let Some(output) = exec(language, Some(change), &["--hex", "00016100016200"]) else {
            continue;
        };
        let told = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
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
        let Some(output) = exec(language, Some(change), &arguments) else {
            continue;
        };
        let told = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{told}");
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
    for (line, said) in lines {
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
        let Some(output) = exec(python, Some(change), &arguments) else {
            return;
        };
        let told = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("FAIL  hex 000121: progress\n"), "{told}");
        assert!(told.contains(said), "{told}");
        assert!(told.contains("ok    hex 00026f6b: proved"), "{told}");
    }
}

/// One line that says what is wrong, and exit status 2.
#[track_caller]
fn cannot(arguments: &[&str], said: &str) {
    let output = run(arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(said), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
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
    let empty = format!("{}/empty", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&empty, "").unwrap();
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
}
