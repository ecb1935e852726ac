//! `everysplit exec --every-stream`: all streams of a format, through drivers.

use crate::program::{Finished, fails, is_installed, run, script, usage_error};

const FORMAT: [&str; 5] = ["exec", "--framing", "len16", "--size-limit", "2"];

/// Runs a ready driver for Python after a change; `None` if Python is not installed.
fn exec(language: &str, change: (&str, &str), arguments: &[&str]) -> Option<Finished> {
    if !is_installed("python3") {
        return None;
    }
    let text = run(&["driver", language]).with_status(0);
    assert!(text.contains(change.0), "{text}");
    let name = format!("every-stream-{language}-{}", change.1.len());
    let path = script(&name, &text.replacen(change.0, change.1, 1));
    let driver = ["--", "python3", "-S", &path];
    Some(run(&[&FORMAT, arguments, &driver].concat()))
}

const UNCHANGED: (&str, &str) = ("", "");

#[test]
fn all_streams_of_a_format_are_proved() {
    for language in ["python", "python-buffer"] {
        let Some(finished) = exec(language, UNCHANGED, &["--every-stream", "6"]) else {
            return;
        };
        let output = finished.with_status(0);
        for part in [
            "ok    every stream: proved: ",
            "made of 4 letters (00 01 02 03), inferred for each place",
            "up to 6 bytes in all splits",
            "\nevery_split  held\n",
            "\ntruncation   held\n",
            "\npoisoned     held\n",
        ] {
            assert!(output.contains(part), "{part}: {output}");
        }
    }
}

/// No stream is given, and the violation can be replayed.
#[test]
fn a_bug_is_found_without_a_stream() {
    // It loses a body of two bytes that arrives with one byte of another frame.
    let loses = (
        "        yield decoder.buffer[2:end]\n",
        "        if end != 4 or len(chunk) != 3:\n            yield decoder.buffer[2:end]\n",
    );
    let Some(finished) = exec("python", loses, &["--every-stream", "6"]) else {
        return;
    };
    let output = finished.with_status(1);
    let minimal = "\n  split     1\n";
    assert!(
        output.contains("FAIL  every stream: every_split\n"),
        "{output}"
    );
    assert!(output.contains(minimal), "{output}");
    assert!(
        output.contains("everysplit replay 00020000@1 exec --framing len16"),
        "{output}"
    );
    assert!(
        !output.contains("@1 exec --framing len16 --size-limit 2 --every"),
        "{output}"
    );
}

/// Never more is claimed than was proved in time.
#[test]
fn a_proof_goes_as_far_as_the_time_allows() {
    let arguments = ["--every-stream", "60", "--max-time", "3"];
    let Some(finished) = exec("python", UNCHANGED, &arguments) else {
        return;
    };
    let output = finished.stdout;
    let is_cut_short = output.contains("; no longer ones: up to ");
    assert!(is_cut_short || finished.status == Some(2), "{output}");
    assert!(
        !output.contains("; up to 60 bytes in all splits"),
        "{output}"
    );
}

/// The decoder is in a new state after each call.
#[test]
fn what_is_not_proved_is_not_held() {
    let counts = (
        "    decoder.buffer += chunk\n",
        "    decoder.calls = getattr(decoder, \"calls\", 0) + 1\n    decoder.buffer += chunk\n",
    );
    let Some(finished) = exec("python", counts, &["--every-stream", "6"]) else {
        return;
    };
    assert_eq!(finished.status, Some(2), "{finished:?}");
    let message = "not proved: more than 64 different states at offset 0";
    assert!(finished.stderr.contains(message), "{finished:?}");
}

#[test]
fn it_needs_states_and_a_format() {
    let no_states = ("save_bytes = ways_to_save(run)", "save_bytes = None");
    if let Some(finished) = exec("python", no_states, &["--every-stream", "4"]) {
        assert_eq!(finished.status, Some(2), "{finished:?}");
        let message = "the driver saves no states, and --every-stream compares them";
        assert!(finished.stderr.contains(message), "{finished:?}");
    }
    let driver = ["--", "no-such-program"];
    usage_error(
        &[&["exec", "--every-stream", "4"], &driver[..]].concat(),
        "required arguments were not provided:\n  --framing <FORMAT>",
    );
    let stream = ["--every-stream", "4", "--hex", "00"];
    let arguments = [&FORMAT[..], &stream, &driver].concat();
    usage_error(
        &arguments,
        "'--every-stream <BYTES>' cannot be used with '--hex <HEX>'",
    );
    let arguments = [&FORMAT[..], &stream[..2], &driver].concat();
    fails(&arguments, "cannot start no-such-program");
}
