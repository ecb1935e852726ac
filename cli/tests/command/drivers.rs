//! `everysplit driver` and `everysplit protocol`: the ready drivers, the protocol between them and
//! the command, and what the command says about drivers that do not keep to it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::program::{
    Finished, KilledOnDrop, concurrently, everysplit, is_installed, run, run_to_its_end, script,
    usage_error,
};

const PROTOCOL: &str = include_str!("../../drivers/PROTOCOL.md");
const VERSION_1: [(&[&str], &str, &str); 2] = [
    (
        &["python3", "-S"],
        include_str!("../data/drivers/version1.py"),
        "version1.py",
    ),
    (
        &["node"],
        include_str!("../data/drivers/version1.js"),
        "version1.js",
    ),
];

/// Prints a ready driver after a change, and writes it to a file; returns its path.
fn ready(language: &str, name: &str, changes: &[(&str, &str)]) -> String {
    let mut text = run(&["driver", language]).with_status(0);
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    script(name, &text)
}

fn python(path: &str, arguments: &[&str]) -> Finished {
    let start = ["--", "python3", "-S", path];
    run(&[&["exec"], arguments, &start].concat())
}

/// The installed binary has the protocol and the drivers, and names them.
#[test]
fn the_binary_has_the_drivers() {
    assert_eq!(run(&["protocol"]).with_status(0), PROTOCOL);
    let list = run(&["driver", "--list"]).with_status(0);
    for line in list.lines() {
        let name = line.split(' ').next().unwrap();
        let driver = run(&["driver", name]).with_status(0);
        assert!(driver.contains("everysplit"), "{name}: {driver}");
    }
    assert!(list.lines().count() > 6, "{list}");
    usage_error(&["driver", "cobol"], "possible values: python, ");
    usage_error(&["driver"], "required arguments were not provided");
}

/// A session of PROTOCOL.md: requests and replies, in order.
struct Session<'a> {
    /// The name of the driver, from the text before it.
    language: &'a str,
    lines: Vec<&'a str>,
}

fn sessions() -> Vec<Session<'static>> {
    let mut language = "";
    let mut sessions = Vec::new();
    for (index, part) in PROTOCOL.split("```").enumerate() {
        let named = part.rsplit_once("everysplit driver python");
        match (index % 2, named) {
            (1, _) => sessions.push(Session {
                language,
                lines: part.lines().skip(1).collect(),
            }),
            (_, Some((_, suffix))) => {
                language = if suffix.starts_with("-buffer") {
                    "python-buffer"
                } else {
                    "python"
                };
            }
            (_, None) => {}
        }
    }
    sessions
}

#[test]
fn the_sessions_of_the_protocol_are_true() {
    if !is_installed("python3") {
        return;
    }
    let sessions = sessions();
    assert_eq!(sessions.len(), 4);
    concurrently(sessions.iter().enumerate(), |(index, session)| {
        let path = ready(session.language, &format!("session-{index}.py"), &[]);
        let mut command = Command::new("python3");
        let command = command.args(["-S", &path]).stdin(Stdio::piped());
        let mut driver = KilledOnDrop(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut stdin = driver.0.stdin.take().unwrap();
        let mut stdout = BufReader::new(driver.0.stdout.take().unwrap()).lines();
        for line in &session.lines {
            match line.split_at(2) {
                ("> ", request) => writeln!(stdin, "{request}").unwrap(),
                (_, reply) => assert_eq!(stdout.next().unwrap().unwrap(), reply, "{line}"),
            }
        }
        drop(stdin);
        // Nothing follows, and the driver exits.
        assert!(stdout.next().is_none());
        assert!(driver.0.wait().unwrap().success());
    });
}

/// Drivers of version 1 are still served, and their decoders proved.
#[test]
fn drivers_of_version_1_are_served() {
    concurrently(VERSION_1, |(start, text, name)| {
        if !is_installed(start[0]) {
            return;
        }
        let path = script(name, text);
        let stream = ["exec", "--framing", "len16", "--message", "ok", "--"];
        let output = run(&[&stream, start, &[&path]].concat()).with_status(0);
        assert!(
            output.contains("ok    concatenated: proved: 8 bytes"),
            "{output}"
        );
        let buggy = text.replace("decoder.buffer += chunk", "decoder.buffer = chunk");
        let buggy = buggy.replace("Buffer.concat([decoder.buffer, chunk])", "chunk");
        let path = script(&format!("buggy-{name}"), &buggy);
        let output = run(&[&stream, start, &[&path]].concat()).with_status(1);
        assert!(output.contains("\n  split     1\n"), "{output}");
        // It dies at a version that it does not know.
        let strict = text.replace(
            "if word == \"hello\":",
            "if rest == \"1\" and word == \"hello\":",
        );
        let strict = strict.replace("case 'hello':", "case rest === '1' && 'hello':");
        let path = script(&format!("strict-{name}"), &strict);
        run(&[&stream, start, &[&path]].concat()).with_status(0);
    });
}

#[test]
fn ready_drivers_keep_to_the_protocol() {
    let languages = [
        "python",
        "python-buffer",
        "python-protocol",
        "python-reader",
        "node",
        "node-buffer",
        "node-stream",
    ];
    for language in languages {
        let start = if language.starts_with("python") {
            "python3"
        } else {
            "node"
        };
        if !is_installed(start) {
            continue;
        }
        let path = ready(language, &format!("keeps-{language}"), &[]);
        let check = [
            "driver", "--check", "--config", "max=300", "--", start, &path,
        ];
        let output = run(&check).with_status(0);
        assert_eq!(output.matches("ok    ").count(), 7, "{output}");
    }
}

/// A check of a driver prints a line for each rule.
#[test]
fn a_check_prints_what_it_saw() {
    if !is_installed("python3") {
        return;
    }
    for (language, owner, frames, calls) in [
        ("python", "the decoder is fed", "2 frames", "13 calls"),
        (
            "python-buffer",
            "the caller owns the buffer",
            "1 frame",
            "8 calls",
        ),
    ] {
        let path = ready(language, &format!("checked-{language}.py"), &[]);
        let check = ["driver", "--check", "--", "python3", "-S", &path];
        assert_eq!(
            run(&check).with_status(0),
            format!(
                "ok    replies to hello 2 and new: {owner}, states are saved, so splits are proved
ok    answers pipelined requests in order: {frames}
ok    takes an empty chunk: []
ok    repeats an error: no error was seen; give a stream that the decoder rejects with --hex
ok    has rows that agree with its calls: {calls}
ok    replies once to each request: nothing follows the last reply
ok    exits at the end of stdin: exit status: 0
"
            )
        );
    }
    let limit = ("int(config.get(\"max\", 65535))", "9");
    let path = ready("python", "checked-error.py", &[limit]);
    let check = ["driver", "--check", "--", "python3", "-S", &path];
    let output = run(&check).with_status(0);
    let line = "ok    repeats an error: [], error ValueError\n";
    assert!(output.contains(line), "{output}");
}

/// Rejects the stream, and forgets it.
const CLEARS: &str = "            decoder.buffer = b''\n            raise ValueError\n";

/// Each rule of the protocol that a driver breaks is named.
#[test]
fn a_driver_that_breaks_a_rule_is_told_which() {
    if !is_installed("python3") {
        return;
    }
    let cases = [
        (
            (
                "\"ready 2 buffer\" if is_buffered else \"ready 2\"",
                "\"ready 7\"",
            ),
            "FAIL  replies to hello 2 and new: expected \"ready 2\" or \"ready 2 buffer\"",
        ),
        (
            (
                "run = [new(config), None]",
                "run = [new(config | {'max': 9 + len(saved)}), None]",
            ),
            "FAIL  replies to hello 2 and new: two fresh decoders must be in one state, and are in \"0\" and \"1\"",
        ),
        (
            ("run = thaw(state)", "pass"),
            "FAIL  has rows that agree with its calls: the row, feed 00026f6b: expected [Frame(",
        ),
        (
            (
                "run[:] = None, type(error).__name__\n                failed = run[1]",
                "out.append(\"error \" + type(error).__name__)",
            ),
            "FAIL  repeats an error: the call after an error: expected [], error ValueError, not []",
        ),
        (
            (
                "if word == \"hello\":",
                "if not rest:\n            sys.exit('no bytes')\n        if word == \"hello\":",
            ),
            "FAIL  takes an empty chunk: the driver ended, in reply to \"new\", after 0 replies; last line of stderr: no bytes",
        ),
        (
            (
                "if __name__ == \"__main__\":\n    main()",
                "main()\nsys.exit(3)",
            ),
            "FAIL  exits at the end of stdin: exit status: 3",
        ),
        (
            (
                "if __name__ == \"__main__\":\n    main()",
                "main()\nimport time\ntime.sleep(60)",
            ),
            "FAIL  exits at the end of stdin: it runs on for 5s",
        ),
        (
            (
                "out = []\n        if word",
                "out = ['debug']\n        if word",
            ),
            "the driver wrote an unknown line: \"debug\"",
        ),
    ];
    concurrently(cases.iter().enumerate(), |(index, (change, message))| {
        let change = (change.0.to_owned(), change.1.to_owned());
        let change = (&*change.0, &*change.1);
        let mut changes = vec![change];
        if message.contains("repeats") {
            changes.extend([
                ("int(config.get(\"max\", 65535))", "9"),
                ("            raise ValueError\n", CLEARS),
            ]);
        }
        let path = ready("python", &format!("breaks-{index}.py"), &changes);
        let check = ["driver", "--check", "--", "python3", "-S", &path];
        let output = run(&check).with_status(1);
        assert!(output.contains(message), "{index}: {output}");
    });
}

/// The same for rules that only a driver of a few lines breaks. It is a shell that answers each
/// request with one command.
#[test]
fn a_check_names_what_a_shell_breaks() {
    let cases = [
        (
            "[ $verb = hello ] && echo ready 2 || echo ready a b",
            "FAIL  replies to hello 2 and new: the name of a state is one word, not \"a b\"",
        ),
        // It emits a frame in its first call only.
        (
            "case $verb in feed) [ $first ] && echo frame 61; first=;; esac; [ $verb = hello ] && echo ready 2 || echo ready",
            "FAIL  answers pipelined requests in order: two requests at once: expected [], not [Frame(",
        ),
        // After an error it emits a frame, and then the same error.
        (
            "case $verb in new) failed=;; feed) [ $failed ] && echo frame 61; echo error a; failed=1;; esac; [ $verb = hello ] && echo ready 2 || echo ready",
            "FAIL  repeats an error: the call after an error: expected [], error a, not [Frame(",
        ),
        // Two replies to each chunk, which is seen only after the last.
        (
            "case $verb in hello) echo ready 2;; feed) echo ready; echo ready;; *) echo ready;; esac",
            "FAIL  replies once to each request: after its last reply, the driver wrote \"ready\"",
        ),
        (
            "case $verb in hello) echo ready 2;; finish) echo ready; printf late;; *) echo ready;; esac",
            "FAIL  replies once to each request: after its last reply, the driver wrote \"late\"",
        ),
        // Of a buffer of 13 bytes.
        (
            "case $verb in hello) echo ready 2 buffer;; new) echo ready;; *) echo ready 14;; esac",
            "FAIL  answers pipelined requests in order: the decoder consumed 14 bytes of a buffer of",
        ),
    ];
    concurrently(cases, |(command, message)| {
        let answer = format!("first=1; while read -r verb rest; do {command}; done");
        let output = run(&["driver", "--check", "--", "sh", "-c", &answer]).with_status(1);
        assert!(output.contains(message), "{output}");
    });
}

/// Runs a driver that is a shell, with a command for each request after the greeting.
fn shell(greeting: &str, command: &str, arguments: &[&str]) -> Finished {
    let driver = format!("read hello; {greeting}; while read -r verb hex; do {command}; done");
    let exec = ["exec", "--discards-at-end"];
    run(&[&exec, arguments, &["--", "sh", "-c", &driver]].concat())
}

/// A driver that ends at its first greeting may know no other version than 1.
#[test]
fn a_driver_replies_to_the_version_that_it_is_asked_for() {
    let greeting = "[ \"$hello\" = 'hello 1' ] || exit; echo ready 2";
    let finished = shell(greeting, "echo ready", &["--hex=00"]);
    assert_eq!(finished.status, Some(2), "{finished:?}");
    assert!(finished.stderr.contains("the driver ended"), "{finished:?}");
}

#[test]
fn the_last_line_needs_no_newline() {
    let finished = shell("echo ready 2", "printf what; exit", &["--hex=00"]);
    assert_eq!(finished.status, Some(2), "{finished:?}");
    let message = "the driver wrote an unknown line: \"what\"";
    assert!(finished.stderr.contains(message), "{finished:?}");
}

#[test]
fn a_decoder_that_takes_bytes_that_it_has_not_got_is_a_violation() {
    let command = "case $verb in new) echo ready;; *) echo ready 9;; esac";
    let finished = shell("echo ready 2 buffer", command, &["--hex=00"]);
    let output = finished.with_status(1);
    let message = "the decoder consumed 9 bytes of a buffer of 0\n";
    assert!(output.contains(message), "{output}");
}

#[test]
fn a_first_timeout_is_named_alone() {
    let driver = "read hello; echo ready 2; while read -r verb hex; do \
                  [ $hex ] && exec sleep 100; echo ready; done";
    let replay = ["replay", "00@whole", "exec", "--timeout=1"];
    let finished = run(&[&replay[..], &["--", "sh", "-c", driver]].concat());
    let output = finished.with_status(1);
    let message = "the driver did not reply within 1s\n";
    assert!(output.contains(message), "{output}");
}

/// It keeps a state for each prefix of a stream. The one before has ended.
#[test]
fn a_driver_is_replaced_after_many_bytes_in_rows() {
    if !is_installed("python3") {
        return;
    }
    let log = script("rows-started", "");
    let driver = format!(
        "import os, sys, time
for other in open({log:?}).read().split():
    if os.path.exists('/proc/' + other):
        sys.exit('it runs beside another')
print(os.getpid(), file=open({log:?}, 'a'))
for line in sys.stdin:
    words = line.split()
    if words[0] == 'row':
        out = 'ready 0\\n' * (1 + len(words[2:] and words[2]) // 2)
    else:
        out = dict(hello='ready 2\\n', new='ready 0\\n').get(words[0], 'ready\\n')
    print(out, end='', flush=True)
time.sleep(100)
"
    );
    let path = script("rows.py", &driver);
    // The rows of a stream have a sixth of the cube of its length.
    for (bytes, started) in [(560, 1), (600, 2)] {
        fs::write(&log, "").unwrap();
        let stream = "00".repeat(bytes);
        let arguments = [
            "--discards-at-end",
            "--timeout=100",
            "--hex",
            &stream,
            "--hex=01",
        ];
        python(&path, &arguments).with_status(0);
        let log = fs::read_to_string(&log).unwrap();
        assert_eq!(log.lines().count(), started, "{bytes}");
    }
}

/// The names of states are those of one process: after a failure, the others go on from a fresh
/// decoder.
#[test]
fn a_driver_that_fails_once_goes_on() {
    if !is_installed("python3") {
        return;
    }
    let log = script("fails-once", "");
    let note = |what: &str| format!("print('{what}', file=open({log:?}, 'a'))\n");
    let fails = format!(
        "    if chunk == b'!' and 'failed' not in open({log:?}).read():
        {}        sys.exit()
    decoder.buffer += chunk\n",
        note("failed")
    );
    let starts = format!("import os, sys\n{}", note("started"));
    let path = ready(
        "python",
        "fails-once.py",
        &[
            ("    decoder.buffer += chunk\n", &fails),
            ("return f\" {index}\"", "return f\" {os.getpid()}-{index}\""),
            (
                "saved[int(state)]",
                "saved[int(state.removeprefix(f'{os.getpid()}-'))]",
            ),
            ("import sys  # noqa: E402\n", &starts),
        ],
    );
    let arguments = ["--framing=len16", "--shard=1/9", "--timeout=100"];
    let stream = ["--hex=00022121000161"];
    python(&path, &[&arguments[..], &stream].concat()).with_status(0);
    let log = fs::read_to_string(log).unwrap();
    assert_eq!(log, "started\nfailed\nstarted\n");
}

/// A driver that does not keep to the protocol is an error, and never a verdict on its decoder.
#[test]
fn misuse_of_the_protocol_is_no_verdict() {
    if !is_installed("python3") {
        return;
    }
    let bad_call =
        |line: &str| format!("    decoder.buffer += chunk\n    if b'!' in chunk: {line}\n");
    let cases = [
        (
            "print('debug', file=sys.__stdout__)",
            "the driver wrote an unknown line: \"debug\"",
        ),
        (
            "print('error a', file=sys.__stdout__); raise ValueError",
            "the driver wrote a frame or an error after an error in one reply",
        ),
    ];
    concurrently(cases.iter().enumerate(), |(index, (line, message))| {
        let bad = bad_call(line);
        let changes = [("    decoder.buffer += chunk\n", &*bad)];
        let path = ready("python", &format!("misuse-{index}.py"), &changes);
        let finished = python(&path, &["--hex", "000161", "--hex", "000121"]);
        assert_eq!(finished.status, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(message), "{finished:?}");
        assert!(
            finished.stderr.contains("\"everysplit protocol\" prints"),
            "{finished:?}"
        );
        assert!(!finished.stdout.contains("FAIL"), "{finished:?}");
    });
    let buffered_cases = [
        (
            (
                "f\"ready {consumed[0] if consumed else 0}\"",
                "\"ready all\"",
            ),
            "expected \"ready\" with the number of consumed bytes, not \"ready all",
        ),
        (
            (
                "        yield frame\n",
                "        yield from (frame, frame)\n",
            ),
            "the driver wrote more than one frame for one call of decode",
        ),
    ];
    for (index, (change, message)) in buffered_cases.into_iter().enumerate() {
        let path = ready(
            "python-buffer",
            &format!("misuse-buffer-{index}.py"),
            &[change],
        );
        let finished = python(&path, &["--hex", "000161"]);
        assert_eq!(finished.status, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(message), "{finished:?}");
        let check = ["driver", "--check", "--", "python3", "-S", &path];
        let output = run(&check).with_status(1);
        assert!(output.contains(message), "{output}");
    }
    // A decoder that claims more than it was given is a verdict.
    let path = ready(
        "python-buffer",
        "consumes.py",
        &[("2:end], end", "2:end], end + 1")],
    );
    let output = python(&path, &["--hex", "000161"]).with_status(1);
    let message = "the decoder consumed 3 bytes of a buffer of 2";
    assert!(output.contains(message), "{output}");
}

/// What a decoder prints goes to stderr, and disturbs nothing.
#[test]
fn a_decoder_may_print() {
    let cases = [
        (
            "python",
            "python3",
            "decoder.buffer += chunk",
            "decoder.buffer += chunk; print('debug')",
        ),
        (
            "node",
            "node",
            "const end =",
            "console.log('debug'); const end =",
        ),
    ];
    for (language, program, old, new) in cases {
        if !is_installed(program) {
            continue;
        }
        let path = ready(language, &format!("prints-{language}"), &[(old, new)]);
        let arguments = ["exec", "--hex", "000161", "--", program, &path];
        let output = run(&arguments).with_status(0);
        assert!(output.contains("proved"), "{output}");
    }
}

/// A proof of a decoder whose caller owns the buffer takes far fewer calls, and finds bugs too.
#[test]
fn a_caller_can_own_the_buffer() {
    let cases = [
        (
            "python-buffer",
            "python3",
            "return None, 0",
            "return None, min(len(buffer), 2)",
        ),
        (
            "node-buffer",
            "node",
            "return [undefined, 0]",
            "return [undefined, Math.min(2, buffer.length)]",
        ),
    ];
    for (language, program, old, new) in cases {
        if !is_installed(program) {
            continue;
        }
        let path = ready(language, &format!("owns-{language}"), &[]);
        let stream = "0003616263".repeat(6);
        let arguments = [
            "exec",
            "--framing",
            "len16",
            "--size-limit",
            "9",
            "--hex",
            &stream,
        ];
        let output = run(&[&arguments[..], &["--", program, &path]].concat()).with_status(0);
        let calls = "proved: 30 bytes, all 536870912 splits, 112 calls";
        assert!(output.contains(calls), "{output}");
        let buggy = "exec --framing len16 --hex 00026f6b --shard 1/99";
        let buggy: Vec<_> = buggy.split(' ').collect();
        let path = ready(language, &format!("owns-buggy-{language}"), &[(old, new)]);
        let output = run(&[&buggy[..], &["--", program, &path]].concat()).with_status(1);
        assert!(
            output.contains("every_split: ") || output.contains("prompt: "),
            "{output}"
        );
    }
}

/// Pieces may depend on the split; the frames that they make may not.
#[test]
fn pieces_are_joined() {
    if !is_installed("python3") {
        return;
    }
    // Lines, in pieces of one chunk.
    let lines = "    *ends, rest = chunk.split(b'\\n')
    for end in ends:
        yield end
        decoder.buffer = b''
    decoder.buffer += rest
    if rest:
        yield Piece(rest)
    return
";
    let lost = lines.replace("        decoder.buffer = b''\n", "        break\n");
    for (text, status) in [(lines, 0), (&*lost, 1)] {
        let changes = [("    decoder.buffer += chunk\n", text)];
        let path = ready("python", &format!("pieces-{status}.py"), &changes);
        let arguments = ["--hex", "61620a63640a", "--bytes-between-frames"];
        let output = python(&path, &arguments).with_status(status);
        assert_eq!(output.contains("proved: 6 bytes"), status == 0, "{output}");
    }
}

/// After a piece, the decoder is called again: the frame may be complete.
#[test]
fn pieces_of_a_buffer_are_joined() {
    if !is_installed("python3") {
        return;
    }
    let decode = "    # Example: a length of two bytes, then the body.\n";
    let lines = "    end = buffer.find(b'\\n')
    if end == 0:
        return b'', 1
    piece = buffer if end < 0 else buffer[:end]
    return (Piece(piece), len(piece)) if piece else (None, 0)
";
    let path = ready("python-buffer", "pieces-buffer.py", &[(decode, lines)]);
    let output = python(&path, &["--hex", "61620a63640a"]).with_status(0);
    assert!(output.contains("proved: 6 bytes"), "{output}");
    // A decoder that takes no bytes for its piece is called again only with more bytes.
    let takes_nothing = "    return (Piece(buffer[:1]), 0) if buffer else (None, 0)\n";
    let changes = [(decode, takes_nothing)];
    let path = ready("python-buffer", "pieces-of-nothing.py", &changes);
    let command = ["exec", "--hex", "6162", "--", "python3", "-S", &path];
    let finished = run_to_its_end(&mut everysplit(&command));
    assert_eq!(finished.status, Some(1), "{finished:?}");
}

/// Frames of a format are hexadecimal, in either case.
#[test]
fn hex_may_be_in_either_case() {
    if !is_installed("python3") {
        return;
    }
    let changes = [(
        "        return frame.hex()\n",
        "        return frame.hex().upper()\n",
    )];
    let path = ready("python", "upper.py", &changes);
    python(&path, &["--framing", "len16", "--message", "jklmno"]).with_status(0);
}

/// A decoder in Python is saved by its attributes if they are constants, and pickled otherwise. Both
/// tell states apart.
#[test]
fn states_of_python_are_told_apart() {
    if !is_installed("python3") {
        return;
    }
    let slots = "    __slots__ = (\"limit\", \"buffer\")\n\n    def __init__";
    let own = "    def __getstate__(self):\n        return self.limit, self.buffer\n\n    \
        def __setstate__(self, state):\n        self.limit, self.buffer = state\n\n    def __init__";
    let yields = (
        "yield decoder.buffer[2:end]",
        "yield bytes(decoder.buffer[2:end])",
    );
    // True is equal to 1.
    let mode = (
        "self.limit = limit",
        "self.limit = limit\n        self.mode = 1",
    );
    let sets_mode = (
        "    decoder.buffer += chunk\n",
        "    decoder.mode = chunk == b'\\0\\1' or 1\n    decoder.buffer += chunk\n",
    );
    let cases: [(&str, &[(&str, &str)], u8); 4] = [
        (
            "bytearray",
            &[("self.buffer = b\"\"", "self.buffer = bytearray()"), yields],
            1,
        ),
        ("slots", &[("    def __init__", slots)], 1),
        ("own", &[("    def __init__", own)], 1),
        ("equal", &[mode, sets_mode], 2),
    ];
    concurrently(cases, |(name, changes, states)| {
        let path = ready("python", &format!("states-{name}.py"), changes);
        let output = python(&path, &["--hex", "000161000162"]).with_status(0);
        assert!(output.contains("proved: 6 bytes"), "{name}: {output}");
        let states = format!("at most {states} state");
        assert!(output.contains(&states), "{name}: {output}");
    });
}

/// State that a driver does not save is found by splits that are fed without saving.
#[test]
fn state_beside_what_is_saved_is_found() {
    if !is_installed("python3") {
        return;
    }
    let changes = [
        (
            "    decoder.buffer += chunk\n",
            "    global calls\n    calls += 1\n    decoder.buffer += chunk\n",
        ),
        (
            "        yield decoder.buffer[2:end]\n",
            "        yield decoder.buffer[2:end] if calls != 2 else b'lost'\n",
        ),
        ("class Decoder:", "calls = 0\n\n\nclass Decoder:"),
        (
            "    return Decoder(",
            "    global calls\n    calls = 0\n    return Decoder(",
        ),
    ];
    let path = ready("python", "hidden.py", &changes);
    let output = python(&path, &["--hex", "000161000162000163"]).with_status(1);
    assert!(output.contains("every_split: "), "{output}");
}

/// A deviation that would make a violation correct is named as an option, which then holds.
#[test]
fn a_violation_names_the_option_that_declares_it() {
    if !is_installed("python3") {
        return;
    }
    let poisons = "run[:] = None, type(error).__name__\n                failed = run[1]";
    let goes_on = (poisons, "failed = type(error).__name__");
    let cases: [(&str, &[(&str, &str)], &[&str], &str); 5] = [
        (
            "discards",
            &[("        raise EOFError\n", "        decoder.buffer = b''\n")],
            &["--framing", "len16"],
            "--discards-at-end",
        ),
        (
            "counts",
            &[("if end - 2 > decoder.limit", "if end > decoder.limit")],
            &["--framing", "len16", "--size-limit", "7"],
            "--counts-header",
        ),
        (
            "empty",
            &[(
                "if end - 2 > decoder.limit",
                "if end == 2 or end - 2 > decoder.limit",
            )],
            &["--framing", "len16"],
            "--no-empty-frame",
        ),
        (
            "stops",
            &[
                goes_on,
                (
                    "            raise ValueError\n",
                    "            decoder.buffer = b''\n            raise ValueError\n",
                ),
            ],
            &["--framing", "len16", "--size-limit", "7"],
            "--caller-stops",
        ),
        (
            "resynchronises",
            &[
                goes_on,
                (
                    "            raise ValueError\n",
                    "            decoder.buffer = b''\n            raise ValueError\n",
                ),
            ],
            &["--framing", "len16", "--size-limit", "7"],
            "--resynchronises",
        ),
    ];
    concurrently(cases, |(name, changes, arguments, option)| {
        let path = ready("python", &format!("declares-{name}.py"), changes);
        let output = python(&path, arguments).with_status(1);
        let named = output
            .lines()
            .any(|line| line.starts_with("  option    ") && line.contains(option));
        assert!(named, "{name}: {output}");
        if name != "resynchronises" {
            let output = python(&path, &[arguments, &[option]].concat()).with_status(0);
            assert!(
                output.contains("; declared: ") || name != "discards",
                "{output}"
            );
        }
        // A decoder that needs no declaration is held to the one it has.
        if matches!(name, "discards" | "counts" | "empty") {
            let path = ready("python", &format!("declares-strict-{name}.py"), &[]);
            python(&path, &[arguments, &[option]].concat()).with_status(1);
        }
    });
}

/// A row in which the driver fails is requested once. The states before it are not used: they were
/// those of a process that has ended.
#[test]
fn a_driver_that_fails_in_rows_is_started_again_once() {
    if !is_installed("python3") {
        return;
    }
    let starts = concat!(env!("CARGO_TARGET_TMPDIR"), "/starts-of-rows");
    let _ = fs::remove_file(starts);
    let main = format!("def main():\n    open(r'{starts}', 'a').write('x')\n");
    let thaw = "                run = thaw(state)\n";
    let fails = format!("                if data[:length].endswith(b'!'): sys.exit()\n{thaw}");
    let changes = [
        ("def main():\n", main.as_str()),
        (thaw, fails.as_str()),
        // The replies before it arrive.
        ("if length % 64 == 63:", "if True:"),
    ];
    let path = ready("python", "fails-in-rows.py", &changes);
    let output = python(&path, &["--hex=000361216200026f6b"]).with_status(0);
    assert!(output.contains(": bounded: 9 bytes, "), "{output}");
    assert_eq!(fs::read_to_string(starts).unwrap(), "xx", "{output}");
}

/// The search of a stream ends at a violation, before all replies of its rows are used. They are not
/// those to the next stream.
#[test]
fn rows_of_another_stream_are_not_used() {
    if !is_installed("python3") {
        return;
    }
    let all = "    while len(decoder.buffer) >= 2:";
    let first = "    for _ in [len(decoder.buffer)] if len(decoder.buffer) >= 2 else []:";
    let path = ready("python", "one-frame-per-row.py", &[(all, first)]);
    let stream = ["--framing=len16", "--hex=000161000162"];
    let output = python(&path, &stream).with_status(1);
    for text in [
        "FAIL  hex 000161000162: ",
        "ok    truncated after 2 of 6: proved: 9 bytes, ",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
}
