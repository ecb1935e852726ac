//! The part of a program's stderr that explains why it ended.

use crate::text::one_line;

/// Beginnings of lines that are an error, in the runtimes that write more after them.
const ERRORS: [&str; 4] = [
    "panic: ",
    "fatal error: ",
    "Exception in thread ",
    "thread '",
];
/// Parts of lines of sanitizers that are an error.
const REPORTS: [&str; 2] = ["ERROR: ", "runtime error: "];

/// Returns the line of an error and the place that it names, or else the last line; with a name for
/// it, as the end of a message. Returns nothing if there is no line.
pub(super) fn explanation(text: &str, pipe: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let Some(last) = lines.last() else {
        return String::new();
    };
    match error(&lines) {
        Some(index) if index + 1 < lines.len() => {
            let error = one_line(lines[index].trim());
            match place(&lines[index + 1..]) {
                Some(place) => format!("; {pipe}: {error}, {}", one_line(place)),
                None => format!("; {pipe}: {error}"),
            }
        }
        _ => format!("; last line of {pipe}: {}", one_line(last)),
    }
}

/// Returns the index of the last line that is an error.
fn error(lines: &[&str]) -> Option<usize> {
    let is_error = |line: &str| {
        ERRORS.iter().any(|begin| line.starts_with(begin))
            || REPORTS.iter().any(|part| line.contains(part))
    };
    lines
        .iter()
        .rposition(|line| is_error(line))
        .or_else(|| before_stack(lines))
}

/// Returns the index of the line before a stack trace of the form `    at PLACE`.
fn before_stack(lines: &[&str]) -> Option<usize> {
    let first = lines.iter().position(|line| is_frame(line))?;
    lines[..first].iter().rposition(|line| !line.is_empty())
}

fn is_frame(line: &str) -> bool {
    line.starts_with([' ', '\t']) && line.trim_start().starts_with("at ")
}

/// Returns the first place that a stack trace names: `at PLACE` of Java and Node, the file of a
/// function of the program itself in Go, or the message of Rust.
fn place<'a>(after: &[&'a str]) -> Option<&'a str> {
    if let Some(frame) = after.iter().find(|line| is_frame(line)) {
        return Some(frame.trim());
    }
    let main = after.iter().position(|line| line.starts_with("main."));
    let place = main.map_or_else(|| after.first(), |main| after.get(main + 1));
    place
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::explanation;

    #[test]
    fn the_line_that_explains_is_found() {
        let cases = [
            ("", ""),
            ("a\nb\n", "; last line of stderr: b"),
            ("a\npanic: b\n", "; last line of stderr: panic: b"),
            (
                "debug\npanic: index out of range [2]\n\ngoroutine 1 [running]:\nmain.feed(...)\n\t/a/driver.go:12 +0x1d\nmain.main()\n\t/a/driver.go:40\nexit status 2\n",
                "; stderr: panic: index out of range [2], /a/driver.go:12 +0x1d",
            ),
            (
                "/a/driver.js:12\n    throw new Error('x');\n    ^\n\nError: x\n    at feed (/a/driver.js:12:9)\n    at main\n\nNode.js v20.20.2\n",
                "; stderr: Error: x, at feed (/a/driver.js:12:9)",
            ),
            (
                "Exception in thread \"main\" java.lang.Error: x\n\tat Driver.feed(Driver.java:9)\n\tat Driver.main(Driver.java:1)\n",
                "; stderr: Exception in thread \"main\" java.lang.Error: x, at Driver.feed(Driver.java:9)",
            ),
            (
                "thread 'main' (7) panicked at src/main.rs:2:5:\nboom\nnote: run with\n",
                "; stderr: thread 'main' (7) panicked at src/main.rs:2:5:, boom",
            ),
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 1\n",
                "; last line of stderr: KeyError: 1",
            ),
            (
                "==1==ERROR: AddressSanitizer: heap-use-after-free\n    #0 0x1 in feed a.c:3\n",
                "; stderr: ==1==ERROR: AddressSanitizer: heap-use-after-free, #0 0x1 in feed a.c:3",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(explanation(text, "stderr"), expected);
        }
    }
}
