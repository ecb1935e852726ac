//! `everysplit exec`: correct and buggy decoders in the drivers for Python and Node. A
//! language that is not installed is skipped, with a message.

use crate::program::{
    Finished, NODE_DRIVER, PYTHON_DRIVER, concurrently, fails, is_installed, run, script,
    usage_error,
};

/// A language: the command that runs a script, its driver, and the extension of its files.
type Language = (&'static [&'static str], &'static str, &'static str);

const LANGUAGES: [Language; 2] = [
    // Without site packages, Python starts faster.
    (&["python3", "-S"], PYTHON_DRIVER, "py"),
    (&["node"], NODE_DRIVER, "js"),
];

/// Runs the driver of a language after a change; `None` if the language is not installed.
fn exec(language: Language, change: Option<(&str, &str)>, arguments: &[&str]) -> Option<Finished> {
    let path = driver(language, change)?;
    let start = [&["--"], language.0, &[&path]].concat();
    Some(run(&[&["exec"], arguments, &start].concat()))
}

/// Writes the driver of a language after a change; returns its path.
fn driver(language: Language, change: Option<(&str, &str)>) -> Option<String> {
    let (command, driver, extension) = language;
    if !is_installed(command[0]) {
        return None;
    }
    let changed = change.map_or(driver.to_string(), |(correct, buggy)| {
        assert!(driver.contains(correct), "{correct}");
        driver.replacen(correct, buggy, 1)
    });
    // A name per text: tests run at the same time.
    let name = changed.bytes().fold(7, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    Some(script(&format!("driver-{name:x}.{extension}"), &changed))
}

#[test]
fn proves_the_decoders_of_the_ready_drivers() {
    for language in LANGUAGES {
        for arguments in [
            &["--framing", "len16", "--size-limit", "20"][..],
            &["--framing", "len16", "--message", "one", "--message", "two"],
            &["--hex", "00026f6b000561"],
        ] {
            let Some(finished) = exec(language, None, arguments) else {
                continue;
            };
            let output = finished.with_status(0);
            assert!(output.ends_with(", 0 violated\n"), "{output}");
            assert!(
                output
                    .lines()
                    .all(|line| !line.starts_with("ok") || line.contains("proved"))
            );
        }
    }
}

/// One byte has one split.
#[test]
fn one_byte_shows_nothing_of_splits() {
    for (arguments, shows) in [
        (&["--hex", "00"][..], false),
        (&["--hex", "0000"], true),
        (&["--framing", "len16", "--every-stream", "1"], false),
        (&["--framing", "len16", "--every-stream", "2"], true),
    ] {
        let Some(finished) = exec(LANGUAGES[0], None, arguments) else {
            return;
        };
        let output = finished.with_status(0);
        assert!(output.contains("\nprogress     held\n"), "{output}");
        assert_eq!(output.contains("\nevery_split  held\n"), shows, "{output}");
    }
}

/// No token has two empty chunks in a row.
#[test]
fn what_no_token_shows_has_no_line_to_run() {
    let bug = "    decoder.buffer += chunk
    if not chunk and getattr(decoder, 'empty', False):
        raise ValueError
    decoder.empty = not chunk
";
    let change = Some(("    decoder.buffer += chunk\n", bug));
    let Some(finished) = exec(LANGUAGES[0], change, &["--hex", "0000"]) else {
        return;
    };
    let output = finished.with_status(1);
    assert!(
        output.contains("\n  replay    run the check again\n"),
        "{output}"
    );
    assert!(!output.contains("\n  run "), "{output}");
}

/// A bug: what it replaces in the driver of each language, and by what.
type Bug = [(&'static str, &'static str); 2];

/// Removes the length before the body is complete.
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

/// Emits only one frame per chunk.
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

/// Takes each chunk for a whole frame.
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
fn finds_bugs_with_the_fewest_cuts() {
    let bugs = [
        (CONSUMES, "00026f6b", "every_split", "\n  split     2\n"),
        (STALLS, "0001610000", "prompt", "\n  split     whole\n"),
        (ONE_RECV, "00026f6b", "every_split", "\n  split     1\n"),
    ];
    for (bug, stream, property, split) in bugs {
        for (language, change) in LANGUAGES.into_iter().zip(bug) {
            // Only this stream: each one that is violated is minimized.
            let shard = ["--shard", "1/99"];
            let arguments = [&["--framing", "len16", "--hex", stream], &shard[..]].concat();
            let Some(finished) = exec(language, Some(change), &arguments) else {
                continue;
            };
            let output = finished.with_status(1);
            assert!(output.contains(&format!("\n{property}: ")), "{output}");
            let Some((_, violation)) = output.split_once(&format!("\n{property}: ")) else {
                continue;
            };
            assert!(violation.contains(split), "{output}");
        }
    }
}

/// Without a format, the decoder's own frames byte by byte are the expectation.
#[test]
fn finds_a_bug_without_a_format() {
    for (language, change) in LANGUAGES.into_iter().zip(STALLS) {
        let Some(finished) = exec(language, Some(change), &["--hex", "00016100016200"]) else {
            continue;
        };
        let output = finished.with_status(1);
        assert!(output.contains("\n  split     whole\n"), "{output}");
    }
}

#[test]
fn a_driver_that_saves_no_states_gives_no_proof() {
    let changes = [
        NO_STATES,
        ("canSave = triesToSave(run, config)", "canSave = false"),
    ];
    for (language, change) in LANGUAGES.into_iter().zip(changes) {
        let arguments = ["--hex", "00026f6b", "--max-cuts", "1"];
        let Some(finished) = exec(language, Some(change), &arguments) else {
            continue;
        };
        let output = finished.with_status(0);
        assert!(
            output.contains("bounded: 4 bytes, 5 splits (up to 1 cut,"),
            "{output}"
        );
        assert!(!output.contains("proved: "), "{output}");
    }
}

/// The driver for Python saves no states.
const NO_STATES: (&str, &str) = ("save_bytes = ways_to_save(run)", "save_bytes = None");

/// The report has the driver's stderr, and the next stream gets a new driver.
#[test]
fn a_driver_that_fails_is_a_violation() {
    let python = LANGUAGES[0];
    let fails = |line: &str| format!("    decoder.buffer += chunk\n    if b'!' in chunk: {line}\n");
    let signalled = concat!(env!("CARGO_TARGET_TMPDIR"), "/got-sigterm");
    let _ = std::fs::remove_file(signalled);
    let lines = [
        (
            "10",
            "sys.exit('out of luck')",
            "last line of stderr: out of luck",
        ),
        (
            "10",
            "yield from iter(lambda: b'x', 0)",
            "the driver wrote more than 100000 frames in one reply",
        ),
        (
            "4",
            concat!(
                "import time, signal; signal.signal(15, lambda *_: open(r'",
                env!("CARGO_TARGET_TMPDIR"),
                "/got-sigterm', 'w')); time.sleep(1000)"
            ),
            "the driver did not reply within ",
        ),
        (
            "10",
            "import time; decoder.buffer = b'x' * (1 << 28); time.sleep(1000)",
            "MiB of memory",
        ),
    ];
    concurrently(lines, |(timeout, line, expected)| {
        let buggy = fails(line);
        let change = ("    decoder.buffer += chunk\n", buggy.as_str());
        let arguments = [
            "--framing",
            "len16",
            "--timeout",
            timeout,
            "--max-memory",
            "128",
            "--hex",
            "000121",
            "--hex",
            "00026f6b",
        ];
        let Some(finished) = exec(python, Some(change), &arguments) else {
            return;
        };
        let output = finished.with_status(1);
        assert!(output.contains("FAIL  hex 000121: progress\n"), "{output}");
        assert!(output.contains(expected), "{output}");
        assert!(output.contains("ok    hex 00026f6b: proved"), "{output}");
    });
    // One that hangs is killed at once.
    assert!(!std::fs::exists(signalled).unwrap());
}

#[test]
fn bad_input_is_an_error_with_one_line() {
    let driver = ["--", "no-such-program"];
    let exec = |arguments: &[&'static str]| [&["exec"], arguments, &driver].concat();
    fails(
        &exec(&["--hex", "00"]),
        "everysplit: cannot start no-such-program: ",
    );
    fails(
        &exec(&[]),
        "there is no stream to test; add one with --stream, --corpus, --pcap or --hex",
    );
    fails(
        &exec(&["--stream", "no/such"]),
        "cannot read the stream no/such: ",
    );
    fails(
        &exec(&["--corpus", "no/such"]),
        "cannot read the folder no/such: ",
    );
    let empty = script("empty", "");
    let arguments = ["exec", "--stream", &empty, "--", "no-such-program"];
    fails(&arguments, "is empty; it needs at least one byte");
    fails(
        &["exec", "--hex", "00", "--", "true"],
        "the driver ended (exit status: 0)",
    );
    fails(
        &["exec", "--hex", "00", "--", "cat"],
        "unknown line: \"hello 2\"",
    );
    fails(
        &["exec", "--hex", "00", "--", "sh", "-c", "echo ready 3; cat"],
        "the driver uses another version of the protocol",
    );
    let long = "00".repeat(1000);
    fails(
        &[
            "exec",
            "--max-feeds",
            "3999",
            "--hex",
            &long,
            "--",
            "no-such-program",
        ],
        "is too long: fed byte by byte, it takes 4000 feeds; shorten it, or add --max-feeds 4000",
    );
    fails(
        &["replay", "00@whole", "exec", "--", "no-such-program"],
        "everysplit: cannot start no-such-program: ",
    );
}

#[test]
fn a_replay_refuses_options_for_other_streams() {
    for option in ["--known=x", "--shard=1/2", "--every-stream=3"] {
        let (name, _) = option.split_once('=').unwrap();
        let replay = ["replay", "00@whole", "exec", "--framing=len16", option];
        let message = format!("replay tries the stream of its token only; leave out {name}");
        fails(
            &[&replay[..], &["--", "no-such-program"]].concat(),
            &message,
        );
    }
    let tcp = ["replay", "00@whole", "tcp", "--connect=7", "--shard=1/2"];
    fails(&tcp, "; leave out --shard");
}

#[test]
fn a_bad_command_line_is_a_usage_error() {
    let driver = ["--", "no-such-program"];
    let exec = |arguments: &[&'static str]| [&["exec"], arguments, &driver].concat();
    usage_error(
        &exec(&["--hex", "0"]),
        "invalid value '0' for '--hex <HEX>': ",
    );
    usage_error(
        &exec(&["--hex", "0g"]),
        "write two hexadecimal digits per byte",
    );
    usage_error(
        &["replay", "00026f6b", "exec", "--", "cat"],
        "write a token such as 0a0b0c@1,2",
    );
    usage_error(
        &["replay", "00@9", "exec", "--", "no-such-program"],
        "the cut 9 is not inside the stream of 1 byte",
    );
    usage_error(
        &["exec", "--hex", "00", "--config", "foo", "--", "cat"],
        "invalid value 'foo' for '--config <KEY=VALUE>': expected KEY=VALUE",
    );
    usage_error(
        &exec(&["--config", "a=b c"]),
        "expected KEY=VALUE without spaces",
    );
    for seconds in ["0", "1e10"] {
        usage_error(
            &exec(&["--timeout", seconds]),
            "must be more than 0 and at most 1000000000 seconds",
        );
    }
    usage_error(
        &["exec", "--hex", "00"],
        "required arguments were not provided:\n  <CMD>...",
    );
    usage_error(&["exec", "--no-such-option"], "unexpected argument");
}

#[test]
fn every_help_begins_with_an_example() {
    for verb in [
        &[][..],
        &["exec"],
        &["tcp"],
        &["serve"],
        &["vectors"],
        &["pcap"],
        &["driver"],
        &["protocol"],
        &["completions"],
        &["man"],
        &["replay"],
    ] {
        for help in ["-h", "--help"] {
            let output = run(&[verb, &[help]].concat()).with_status(0);
            let example = output.lines().find(|line| line.contains("everysplit "));
            let line = example.unwrap().trim_start_matches("Example:").trim_start();
            let [_, first, ..] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{output}");
            };
            assert!(output.starts_with("Example"), "{output}");
            assert_eq!(first, *verb.first().unwrap_or(&"exec"), "{output}");
        }
    }
}

/// A decoder of frames with a JSON header, which has the size of the body.
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

/// A decoder of frames with a header of 12 bytes, which has a command and a flag.
const HEADER_12: &str = "    decoder.buffer += chunk
    while len(decoder.buffer) >= 4:
        size, cmd, recv = (int.from_bytes(decoder.buffer[at:at + 4], 'little') for at in (0, 4, 8))
        if size > decoder.limit:
            raise ValueError
        if len(decoder.buffer) < 12 + size:
            break
        yield f'{cmd} {recv} {decoder.buffer[12:12 + size].hex()}'
        decoder.buffer = decoder.buffer[12 + size:]
    return
";

#[test]
fn checks_a_decoder_of_headers_with_12_bytes() {
    let stream = "0200000007000000010000006f6b";
    let arguments = [
        "--framing",
        "header12",
        "--size-limit",
        "9",
        "--hex",
        stream,
    ];
    let buggy = HEADER_12.replace("{cmd} {recv} ", "{recv} {cmd} ");
    let cases = [
        (HEADER_12, 0, "proved: 14 bytes"),
        (&buggy, 1, ": round_trip\n"),
    ];
    concurrently(cases, |(decoder, status, verdict)| {
        let change = ("    decoder.buffer += chunk\n", decoder);
        if let Some(finished) = exec(LANGUAGES[0], Some(change), &arguments) {
            let output = finished.with_status(status);
            assert!(output.contains(verdict), "{output}");
        }
    });
}

#[test]
fn checks_a_decoder_of_json_headers() {
    let arguments = [
        "--framing",
        "json-header",
        "--message",
        "hello",
        "--message",
        "你",
    ];
    let buggy = JSON_HEADER.replace("if not 0 <= size", "if not -1 <= size");
    let cases = [
        (JSON_HEADER, 0, "ok    negative header: proved: "),
        (&buggy, 1, "FAIL  negative: "),
    ];
    concurrently(cases, |(decoder, status, verdict)| {
        let change = ("    decoder.buffer += chunk\n", decoder);
        if let Some(finished) = exec(LANGUAGES[0], Some(change), &arguments) {
            let output = finished.with_status(status);
            assert!(output.contains(verdict), "{output}");
        }
    });
}

#[test]
fn a_stream_is_sampled_if_a_proof_takes_too_many_feeds() {
    let cases = [
        ("3000", 700, "sampled: 702 bytes, 107 random splits"),
        ("3000", 200, "sampled: 202 bytes, 107 random splits"),
        ("30000", 200, "proved: 202 bytes"),
    ];
    concurrently(cases, |(max_feeds, body, tier)| {
        let long = format!("{body:04x}{}", "61".repeat(body));
        let arguments = [
            "--framing",
            "len16",
            "--message",
            "x",
            "--hex",
            &long,
            "--max-feeds",
            max_feeds,
        ];
        let Some(finished) = exec(LANGUAGES[1], None, &arguments) else {
            return;
        };
        let output = finished.with_status(0);
        assert!(output.contains(tier), "{output}");
        assert!(
            output.contains("ok    concatenated: proved: 6 bytes"),
            "{output}"
        );
    });
}

#[cfg(unix)]
#[test]
fn a_driver_that_does_not_read_times_out() {
    let long = script("long", &"x".repeat(200_000));
    let stops = "read hello; echo ready 1; exec sleep 100";
    let output = run(&[
        "exec",
        "--timeout",
        "0.5",
        "--max-feeds",
        "1000000",
        "--stream",
        &long,
        "--",
        "sh",
        "-c",
        stops,
    ])
    .with_status(1);
    assert!(output.contains(": progress\n"), "{output}");
    assert!(
        output.contains("the driver did not reply within "),
        "{output}"
    );
    // The violation is minimised with less time for a reply.
    assert!(output.contains(", nor before within 500ms"), "{output}");
}

/// A replay also prints the frames after each chunk.
#[test]
fn replays_a_token() {
    for (language, change) in LANGUAGES.into_iter().zip(CONSUMES) {
        for (change, status) in [(Some(change), 1), (None, 0)] {
            let Some(path) = driver(language, change) else {
                continue;
            };
            let replay = ["replay", "00026f6b@3", "exec", "--framing", "len16", "--"];
            let output = run(&[&replay, language.0, &[&path]].concat()).with_status(status);
            let (verdict, frames) = if status == 0 {
                ("ok    replayed: 4 bytes, split 3\n", "[\"6f6b\"]")
            } else {
                ("FAIL  replayed: every_split\n", "[]")
            };
            assert!(output.contains(verdict), "{output}");
            let trace = format!("feed 00026f: []\nfeed 6b: {frames}\nfinish: []");
            assert!(output.starts_with(&trace), "{output}");
        }
    }
}

/// A decoder that discards an incomplete frame at the end must be declared, and one that is
/// declared must discard it.
#[test]
fn discarding_at_the_end_must_be_declared() {
    let changes = [
        ("        raise EOFError\n", "        decoder.buffer = b''\n"),
        (
            "throw new RangeError();\n}",
            "decoder.buffer = Buffer.alloc(0);\n}",
        ),
    ];
    concurrently(LANGUAGES.into_iter().zip(changes), |(language, change)| {
        for arguments in [["--framing", "len16"], ["--hex", "000161000261"]] {
            let Some(finished) = exec(language, Some(change), &arguments) else {
                continue;
            };
            let output = finished.with_status(1);
            assert!(output.contains(": truncation\n"), "{output}");
            let declared = [&arguments[..], &["--discards-at-end"]].concat();
            let finished = exec(language, Some(change), &declared).unwrap();
            let output = finished.with_status(0);
            let declared = "; declared: discards at the end of the stream\n";
            assert!(output.contains(declared), "{output}");
        }
        let arguments = ["--framing", "len16", "--discards-at-end"];
        let Some(finished) = exec(language, None, &arguments) else {
            return;
        };
        let output = finished.with_status(1);
        assert!(
            output.contains("FAIL  truncated after 1 of 6: truncation\n"),
            "{output}"
        );
    });
}

/// A single message is encoded twice, as some decoders lose the second frame.
#[test]
fn one_message_makes_two_frames() {
    for (language, change) in LANGUAGES.into_iter().zip(STALLS) {
        let arguments = ["--framing", "len16", "--message", "one"];
        let Some(finished) = exec(language, Some(change), &arguments) else {
            continue;
        };
        let output = finished.with_status(1);
        assert!(output.contains("FAIL  concatenated: prompt\n"), "{output}");
        // On a stream with a violation, the other properties are unknown.
        assert!(output.contains("\nevery_split  unknown: "), "{output}");
    }
}

/// The drivers repeat the decoder's first error, and a report has its kind.
#[test]
fn drivers_repeat_the_first_error() {
    for language in LANGUAGES {
        let arguments = ["--config", "max=2", "--hex", "00 03 61 62 63"];
        if let Some(finished) = exec(language, None, &arguments) {
            let output = finished.with_status(0);
            assert!(output.contains("\npoisoned     held\n"), "{output}");
        }
    }
    let typo = ("decoder.buffer += chunk", "decoder.bufer += chunk");
    if let Some(finished) = exec(LANGUAGES[0], Some(typo), &["--framing", "len16"]) {
        let output = finished.with_status(1);
        assert!(output.contains("Err(AttributeError)"), "{output}");
    }
}

#[test]
fn a_run_stops_after_its_maximum_time() {
    let stream = "000161".repeat(100);
    let arguments = ["--hex", &stream, "--max-cuts", "99", "--max-time", "2"];
    if let Some(finished) = exec(LANGUAGES[0], Some(NO_STATES), &arguments) {
        assert_eq!(
            finished.stderr,
            "everysplit: the time is up; allow more with --max-time\n"
        );
        finished.with_status(2);
    }
}

/// A decoder of frames with a u32 length.
const LEN32: &str = "    decoder.buffer += chunk
    while len(decoder.buffer) >= 4:
        end = 4 + int.from_bytes(decoder.buffer[:4], 'big')
        if end - 4 > decoder.limit:
            raise ValueError
        if len(decoder.buffer) < end:
            break
        yield decoder.buffer[4:end]
        decoder.buffer = decoder.buffer[end:]
    return
";

/// A body of exactly the limit must pass, however large the limit is.
#[test]
fn a_body_at_the_limit_is_sent_for_every_limit() {
    let limits = ["64", "257", "70000"];
    concurrently(limits, |limit| {
        let buggy = LEN32.replace("> decoder.limit", ">= decoder.limit");
        for (decoder, status, verdict) in [(LEN32, 0, "ok   "), (&buggy, 1, "FAIL ")] {
            let change = ("    decoder.buffer += chunk\n", decoder);
            // Long streams are sampled.
            let framed = ["--framing", "len32u", "--size-limit", limit];
            let arguments = [&framed[..], &["--max-feeds", "4000"]].concat();
            let Some(finished) = exec(LANGUAGES[0], Some(change), &arguments) else {
                return;
            };
            let output = finished.with_status(status);
            let verdict = format!("{verdict} at the limit: ");
            assert!(output.contains(&verdict), "{limit}: {output}");
            let held = output.contains("\nlimit        held\n");
            assert_eq!(held, status == 0, "{limit}: {output}");
        }
    });
}

/// The limit did not hold if no body at the limit was sent.
#[test]
fn a_limit_that_is_too_large_to_be_reached_does_not_hold() {
    let change = ("    decoder.buffer += chunk\n", LEN32);
    let arguments = ["--framing", "len32u", "--size-limit", "4000000000"];
    if let Some(finished) = exec(LANGUAGES[0], Some(change), &arguments) {
        let output = finished.with_status(0);
        let omitted = "at the limit: left out, as a body of 4000000000 bytes is too long";
        assert!(output.contains(&format!("skip  {omitted}")), "{output}");
        assert!(output.contains(&format!("; {omitted}")), "{output}");
        assert!(!output.contains("\nlimit "), "{output}");
    }
}

/// A shard without the body at the limit says nothing about the limit.
#[test]
fn a_limit_holds_only_if_a_body_at_it_is_sent() {
    for (limit, shard, holds) in [("65535", "1/9", false), ("3", "1/1", true)] {
        let arguments = ["--framing", "len16", "--hex", "000161"];
        let limited = ["--size-limit", limit, "--shard", shard];
        if let Some(finished) = exec(LANGUAGES[0], None, &[&arguments[..], &limited].concat()) {
            let output = finished.with_status(0);
            assert_eq!(output.contains("\nlimit  "), holds, "{output}");
        }
    }
}

/// What a driver writes is bounded, and so is what the command holds of it.
#[test]
fn a_reply_that_is_too_long_is_a_violation() {
    let replies = [
        "for _ in range(2000): sys.__stdout__.write('frame ' + 'x' * 65536 + '\\n')",
        "while True: sys.__stdout__.write('x' * 65536)",
        "while True: print('frame 00', file=sys.__stdout__)",
    ];
    concurrently(replies, |reply| {
        let change =
            format!("    decoder.buffer += chunk\n    if b'!' in chunk:\n        {reply}\n");
        let change = ("    decoder.buffer += chunk\n", change.as_str());
        let arguments = [
            "--framing",
            "len16",
            "--max-memory",
            "64",
            "--hex",
            "000121",
        ];
        let Some(finished) = exec(LANGUAGES[0], Some(change), &arguments) else {
            return;
        };
        let output = finished.with_status(1);
        assert!(output.contains("FAIL  hex 000121: progress\n"), "{output}");
        assert!(output.contains("the driver wrote more than "), "{output}");
        assert!(output.contains(" in one reply"), "{output}");
    });
}

/// A capture has packets of all connections: it is no stream.
#[test]
fn a_capture_is_no_stream() {
    let folder = format!("{}/captures", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder).unwrap();
    let captures: [&[u8]; 4] = [
        b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0",
        b"\xa1\xb2\xc3\xd4\0\x02\0\x04\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\x01",
        b"\x4d\x3c\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0",
        b"\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0",
    ];
    let vectors = ["vectors", "--framing", "len16"];
    for capture in captures {
        let path = format!("{folder}/capture");
        std::fs::write(&path, capture).unwrap();
        for source in [["--stream", &path], ["--corpus", &folder]] {
            let arguments = [&vectors[..], &source].concat();
            fails(
                &arguments,
                &format!("use --pcap {path} for the streams in it"),
            );
        }
    }
    let stream = script("no-capture", "\n\r\r\nno capture");
    run(&[&vectors[..], &["--stream", &stream]].concat()).with_status(0);
}
