//! Options that all verbs share: sizes, seeds, what is printed, and what is saved; and the
//! completions and manual pages.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::program::{
    Finished, PYTHON_DRIVER, everysplit, fails, is_installed, run, run_to_its_end, script,
    usage_error,
};
use serde_json::Value;

/// Loses frames after the first of a chunk.
const STALLS: (&str, &str) = (
    "    while len(decoder.buffer) >= 2:",
    "    for _ in [len(decoder.buffer)] if len(decoder.buffer) >= 2 else []:",
);
/// Ends without an error inside a frame.
const ENDS: (&str, &str) = ("        raise EOFError\n", "        return\n");

/// Runs the Python driver after some changes; `None` if Python is not installed.
fn exec(name: &str, changes: &[(&str, &str)], arguments: &[&str]) -> Option<Finished> {
    is_installed("python3").then(|| run(&words(name, changes, arguments)))
}

fn words<'a>(name: &str, changes: &[(&str, &str)], arguments: &[&'a str]) -> Vec<&'a str> {
    let driver = changes
        .iter()
        .fold(PYTHON_DRIVER.to_string(), |driver, (correct, buggy)| {
            assert!(driver.contains(correct), "{correct}");
            driver.replacen(correct, buggy, 1)
        });
    let path = script(&format!("options-{name}.py"), &driver).leak();
    let exec = ["exec", "--framing", "len16"];
    [&exec, arguments, &["--", "python3", "-S", path]].concat()
}

/// The folder of a test, which does not exist.
fn folder(name: &str) -> String {
    let path = format!("{}/options-{name}", env!("CARGO_TARGET_TMPDIR"));
    let _ = fs::remove_dir_all(&path);
    path
}

#[test]
fn sizes_have_units() {
    for (size, bytes) in [
        ("300", 300),
        ("64K", 65536),
        ("8m", 8 << 20),
        ("1G", 1 << 30),
    ] {
        let finished = run(&["vectors", "--framing", "len32", "--size-limit", size]);
        let vectors: Value = serde_json::from_str(&finished.with_status(0)).unwrap();
        assert_eq!(vectors[0]["max"], bytes, "{size}");
    }
    for (size, message) in [
        ("4G", "must be at most 4294967295 bytes"),
        ("1.5M", "write a number of bytes, such as 65535, 64K or 8M"),
        ("M", "write a number of bytes"),
        ("-1K", "write a number of bytes"),
    ] {
        let size = format!("--size-limit={size}");
        usage_error(&["vectors", "--framing", "len32", &size], message);
    }
}

/// The seed decides which splits are drawn, and the report names it.
#[test]
fn random_splits_have_a_seed() {
    let long = format!("0200{}", "61".repeat(512));
    for seed in ["0", "7"] {
        let arguments = ["--max-feeds", "3000", "--hex", &long, "--seed", seed];
        let Some(finished) = exec("seed", &[], &arguments) else {
            return;
        };
        let output = finished.with_status(0);
        assert!(output.contains(&format!("seed {seed}")), "{output}");
    }
}

#[test]
fn a_stream_is_read_from_stdin() {
    let mut command = everysplit(&["vectors", "--framing", "len16", "--stream", "-"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"\0\x01a").unwrap();
    let output = child.wait_with_output().unwrap();
    let vectors: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(vectors[0]["name"], "stdin");
    assert_eq!(vectors[0]["stream"], "000161");
    let mut command = everysplit(&["vectors", "--framing", "len16", "--stream", "-"]);
    let finished = Finished::from(command.stdin(Stdio::null()).output().unwrap());
    assert_eq!(finished.status, Some(2), "{finished:?}");
    assert!(
        finished.stderr.contains("the stream stdin is empty"),
        "{finished:?}"
    );
}

/// The programs under test do not run.
#[test]
fn lists_the_streams() {
    let streams = [
        "--hex",
        "0001",
        "--framing",
        "len16",
        "--message",
        "a",
        "--list",
        "--",
    ];
    let exec = run(&[&["exec"], &streams[..], &["no-such-program"]].concat()).with_status(0);
    assert!(
        exec.starts_with("hex 0001: 2 bytes\nempty: 0 bytes\nconcatenated: 6 bytes\n"),
        "{exec}"
    );
    let tcp = ["tcp", "--port", "1"];
    let tcp = run(&[&tcp, &streams[..], &["no-such-program"]].concat()).with_status(0);
    assert_eq!(tcp, "hex 0001: 2 bytes\nconcatenated: 6 bytes\n");
}

/// What `--hostile` adds has names, too, which `--known` may need.
#[test]
fn lists_the_hostile_streams() {
    let tcp = ["tcp", "--port=1", "--hex=0001", "--framing=len16"];
    let list = ["--hostile", "--list", "--", "no-such-program"];
    let output = run(&[tcp, list].concat()).with_status(0);
    let expected = "hex 0001: 2 bytes
concatenated: 22 bytes
hex 0001, truncated: 1 stream of up to 1 byte
hex 0001, stalled: 1 stream of up to 2 bytes
concatenated, truncated: 21 streams of up to 21 bytes
concatenated, stalled: 1 stream of up to 2 bytes
claimed length: maximal: 1 stream of up to 2 bytes
";
    assert_eq!(output, expected);
}

#[test]
fn prints_as_much_as_is_wanted() {
    let ok = "ok    hex 000161: ";
    let violation = "  bytes fed ";
    for (option, has_ok, violations) in [("--list", false, 0), ("-q", false, 1), ("-v", true, 3)] {
        let streams = ["--hex", "000161", "--hex", "0000000161", option];
        let Some(finished) = exec("print", &[STALLS], &streams) else {
            return;
        };
        let output = finished.with_status(i32::from(option != "--list"));
        assert_eq!(output.contains(ok), has_ok, "{output}");
        // Two streams and the summary.
        assert_eq!(
            output.matches(violation).count(),
            violations,
            "{option}: {output}"
        );
        assert_eq!(output.contains("\nFAIL  "), option != "--list", "{output}");
    }
    usage_error(&["exec", "-q", "-v", "--", "true"], "cannot be used with");
}

/// Violations of other properties are printed, and leave those that were checked with them unknown.
#[test]
fn only_the_named_properties_fail_the_run() {
    let json = script("options-only.json", "");
    for (only, status, mark) in [("truncation", 1, "FAIL "), ("limit", 0, "other")] {
        let limit = ["--size-limit", "9", "--config", "max=9"];
        let only = ["--only", only, "--hex", "0001", "--report", &json];
        let arguments = [&limit[..], &only].concat();
        let Some(finished) = exec("only", &[ENDS], &arguments) else {
            return;
        };
        let output = finished.with_status(status);
        assert!(
            output.contains(&format!("{mark} hex 0001: truncation\n")),
            "{output}"
        );
        let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        let properties = report["properties"].as_array().unwrap();
        let verdict = |name: &str| {
            let property = properties.iter().find(|property| property["name"] == name);
            property.unwrap()["verdict"].as_str().unwrap().to_string()
        };
        let expected = if status == 1 { "violated" } else { "other" };
        assert_eq!(verdict("truncation"), expected);
        assert_eq!(verdict("every_split"), "unknown");
    }
    usage_error(
        &["exec", "--only", "speed", "--", "true"],
        "there is no such property; these are: round_trip, ",
    );
}

/// A property that is named must be checked, and not only on streams that fail otherwise.
#[test]
fn a_named_property_that_was_not_checked_is_no_green_result() {
    let json = script("options-undecided.json", "");
    let not_checked = "--only names limit, which was not checked";
    let unknown = "--only names every_split, which is unknown: 6 streams violated another property";
    for (only, message) in [("limit", not_checked), ("every_split", unknown)] {
        let arguments = ["--only", only, "--hex", "0001", "--report", &json];
        let Some(finished) = exec("undecided", &[ENDS], &arguments) else {
            return;
        };
        assert_eq!(finished.stderr, format!("everysplit: {message}\n"));
        let output = finished.with_status(2);
        let end = "; not everything was checked\n";
        assert!(output.ends_with(end), "{output}");
        let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        assert_eq!(report["result"], "stopped");
        assert_eq!(report["stopped"], Value::Null);
        assert_eq!(report["undecided"], Value::from(vec![message]));
    }
    // The property may be checked in another shard, so only `report merge` knows.
    let shards = ["1/2", "2/2"].map(|shard| {
        let path = script(&format!("options-undecided-{}.json", &shard[..1]), "");
        let arguments = [
            "--only=limit",
            "--hex=0000",
            "--hex=000101",
            "--shard",
            shard,
        ];
        let arguments = [&arguments[..], &["--report", &path]].concat();
        exec("undecided-shard", &[], &arguments)
            .unwrap()
            .with_status(0);
        path
    });
    fails(&["report", "merge", &shards[0], &shards[1]], not_checked);
}

/// The saved streams are a corpus that finds the same violations.
#[test]
fn the_streams_of_violations_are_saved() {
    let folder = folder("finds");
    let arguments = ["--hex", "0000000161", "--save", &folder];
    let Some(finished) = exec("save", &[STALLS], &arguments) else {
        return;
    };
    finished.with_status(1);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_name().into_string().unwrap();
        assert!(name.starts_with("prompt-"), "{name}");
        let stream = hex::encode(fs::read(file.path()).unwrap());
        let finished = exec("save", &[STALLS], &["--hex", &stream]).unwrap();
        let output = finished.with_status(1);
        assert!(
            output.contains(&format!("FAIL  hex {stream}: prompt\n")),
            "{output}"
        );
    }
    // A folder that cannot be written is an error before the run starts.
    let exec = [
        "exec",
        "--hex=00",
        "--save=/dev/null/x",
        "--",
        "no-such-program",
    ];
    fails(&exec, "cannot write a stream to /dev/null/x: ");
}

/// If the folder is gone in the end, the violation counts.
#[cfg(unix)]
#[test]
fn a_violation_whose_stream_cannot_be_saved_counts() {
    let folder = folder("replaced");
    let _ = fs::remove_file(&folder);
    // It replaces the folder by a file, and emits a frame for a chunk of two bytes.
    let driver = "rmdir \"$0\"; touch \"$0\"; read hello; echo ready 2; while read verb hex; do \
                  case $hex in ????) echo frame x;; esac; echo ready; done";
    let exec = ["exec", "--discards-at-end", "--hex=0000", "--save", &folder];
    let finished = run(&[&exec[..], &["--", "sh", "-c", driver, &folder]].concat());
    let message = format!("everysplit: cannot write a stream to {folder}: ");
    assert!(finished.stderr.starts_with(&message), "{finished:?}");
    finished.with_status(1);
}

#[test]
fn prints_completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]).with_status(0);
        for word in ["everysplit", "size-limit", "replay"] {
            assert!(output.contains(word), "{shell}: {word}");
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]).with_status(0);
        assert!(output.contains("len32u"), "{shell}: {output}");
    }
    usage_error(&["completions", "sh"], "invalid value 'sh'");
    let page = run(&["man"]).with_status(0);
    assert!(page.contains(".TH everysplit 1"), "{page}");
    assert!(page.contains("vectors"), "{page}");
    let page = run(&["man", "exec"]).with_status(0);
    assert!(page.contains("max\\-feeds"), "{page}");
    fails(&["man", "fly"], "there is no verb fly");
}

/// Runs the command at a terminal, which `script` makes.
#[cfg(target_os = "linux")]
fn at_a_terminal(words: &[&str], variables: &[(&str, &str)]) -> Option<String> {
    if !is_installed("script") || !is_installed("python3") {
        return None;
    }
    let words = [&[env!("CARGO_BIN_EXE_everysplit")], words].concat();
    let line = words
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut command = Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null());
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    command.envs(variables.iter().copied());
    Some(run_to_its_end(&mut command).stdout)
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_colours_and_progress() {
    let words = words(
        "terminal",
        &[STALLS],
        &["--hex", "000161", "--hex", "0000000161"],
    );
    let (red, green) = ("\u{1b}[31mFAIL ", "\u{1b}[32mok   ");
    for (variables, colours) in [(&[][..], true), (&[("NO_COLOR", "1")], false)] {
        let Some(output) = at_a_terminal(&words, variables) else {
            return;
        };
        assert_eq!(output.contains(red), colours, "{output:?}");
        assert_eq!(output.contains(green), colours, "{output:?}");
        // Drawn again after each verdict.
        assert!(output.contains(" stream 1 of 9, "), "{output:?}");
        let progress = " left: hex 0000000161: 5 bytes";
        assert!(output.contains(progress), "{output:?}");
        let (_, result) = output.split_once("\nround_trip ").unwrap();
        assert!(!result.contains(" left: "), "{output:?}");
    }
    // Elsewhere there is neither.
    let output = run(&words);
    assert!(!output.stdout.contains('\u{1b}'), "{output:?}");
    assert_eq!(output.stderr, "");
}

/// The progress line is gone when a run has ended early.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_run_leaves_no_progress() {
    let sleeps = (
        "    decoder.buffer += chunk\n",
        "    import time; time.sleep(1000)\n",
    );
    // On a busy machine the line is drawn late.
    for max_time in ["3", "10", "30", "100"] {
        let limits = ["--max-time", max_time, "--timeout", "1000"];
        let Some(output) = at_a_terminal(&words("sleeps", &[sleeps], &limits), &[]) else {
            return;
        };
        assert!(
            output.ends_with("everysplit: the time is up; allow more with --max-time\r\n"),
            "{output:?}"
        );
        if let Some((_, last)) = output.rsplit_once(" left: ") {
            // The line is cleared after it was drawn last.
            assert!(last.contains("\u{1b}[2K"), "{output:?}");
            return;
        }
    }
    panic!("no progress was drawn");
}
