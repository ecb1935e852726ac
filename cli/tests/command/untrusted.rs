//! Untrusted text in what the command prints: names of files, and what a driver writes.

use std::fs;

use crate::program::{PYTHON_DRIVER, is_installed, run, script};

/// What a terminal acts on. It deletes a line, forges another, and reverses the rest.
const ACTIVE: &str = "\u{1b}[2K\rok    forged: proved\u{7}\u{9b}31m\u{202e}";

/// Asserts that text has no active characters, and no line of `ACTIVE`.
#[track_caller]
fn assert_harmless(text: &str) {
    let active = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!text.contains(active), "{text:?}");
    assert!(
        !text.lines().any(|line| line.starts_with("ok    forged")),
        "{text:?}"
    );
}

#[test]
fn untrusted_text_does_not_reach_the_terminal() {
    if !is_installed("python3") {
        return;
    }
    let python = ACTIVE.escape_unicode().to_string().replace("\\u{", "\\x{");
    // Python writes each character with four digits.
    let python = python
        .split("\\x{")
        .skip(1)
        .fold(String::new(), |text, digits| {
            format!("{text}\\u{:0>4}", digits.trim_end_matches('}'))
        });
    let kind = format!("        raise type('{python}', (Exception,), {{}})\n");
    let ends = format!("        sys.exit('{python}')\n");
    for (name, change) in [("kind", &kind), ("ends", &ends)] {
        let driver = PYTHON_DRIVER.replacen("        raise EOFError\n", change, 1);
        let driver = script(&format!("untrusted-{name}.py"), &driver);
        let corpus = format!("{}/untrusted-{name}", env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(&corpus).unwrap();
        fs::write(format!("{corpus}/\nok    forged\n{ACTIVE}"), "\0\x05hell").unwrap();
        let html = script(&format!("untrusted-{name}.html"), "");
        let arguments = [
            "exec", "--corpus", &corpus, "--report", &html, "--hex", "0001",
        ];
        let start = ["--", "python3", "-S", &driver];
        let finished = run(&[&arguments[..], &start].concat());
        assert_harmless(&finished.stdout);
        assert_harmless(&finished.stderr);
        assert_harmless(&fs::read_to_string(html).unwrap());
        assert!(
            finished.stdout.contains("[2K\\rok    forged: proved"),
            "{}",
            finished.stdout
        );
    }
}

#[cfg(unix)]
#[test]
fn messages_are_one_harmless_line() {
    let ready = r"printf 'ready \033[2K\rok    forged\n'; cat > /dev/null";
    for arguments in [
        &["exec", "--hex", "00", "--", "sh", "-c", ready][..],
        &["exec", "--stream", "no/such\n\u{1b}[2K", "--", "true"],
        &["exec", "--hex", "00", "--", "no-such\n\u{1b}[2K"],
        &[
            "exec",
            "--hex",
            "00",
            "--report",
            "\u{1b}\n.json/x.json",
            "--",
            "true",
        ],
    ] {
        let finished = run(arguments);
        assert_eq!(finished.status, Some(2), "{finished:?}");
        assert_harmless(&finished.stderr);
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
        assert!(finished.stderr.contains("\\u{1b}"), "{finished:?}");
    }
}
