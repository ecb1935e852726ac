//! Transcripts of runs: everything that is printed, with the number of feeds.

use std::fs;
use std::sync::Mutex;

use crate::program::{concurrently, is_installed, run, script};

/// The transcripts. The first line of each is the command line, and the last one the exit status.
const TRANSCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/transcripts");

/// The decoders, and the protocol.
const DRIVER: &str = concat!(
    include_str!("../data/drivers/variants.py"),
    include_str!("../../drivers/python/loop.py")
);

#[test]
fn runs_are_as_in_their_transcripts() {
    if !is_installed("python3") {
        return;
    }
    let driver = script("variants.py", DRIVER);
    let differing = Mutex::new(Vec::new());
    let mut files = fs::read_dir(TRANSCRIPTS).unwrap();
    let files: Mutex<Vec<_>> = Mutex::new(files.by_ref().map(Result::unwrap).collect());
    concurrently(0..2, |_| {
        while let Some(file) = { files.lock().unwrap().pop() } {
            let transcript = fs::read_to_string(file.path()).unwrap();
            let actual = actual(transcript.lines().next().unwrap_or_default(), &driver);
            if actual != transcript {
                let name = format!("actual-{}", file.file_name().into_string().unwrap());
                differing.lock().unwrap().push(script(&name, &actual));
            }
        }
    });
    // Compare these files with those of `tests/data/transcripts`.
    assert_eq!(differing.into_inner().unwrap(), [""; 0]);
}

/// Runs a command line with the path of the driver. Returns its transcript.
fn actual(line: &str, driver: &str) -> String {
    let words = line.split(' ').skip(1);
    let words = words.map(|word| if word == "variants.py" { driver } else { word });
    let finished = run(&words.collect::<Vec<_>>());
    let stdout: Vec<_> = finished.stdout.lines().map(without_time).collect();
    let (stdout, stderr) = (stdout.join("\n"), finished.stderr);
    let status = finished.status.unwrap_or(-1);
    format!("{line}\n{stdout}\n{stderr}{status}\n").replace(driver, "variants.py")
}

/// Removes the time and the rate from a summary.
fn without_time(line: &str) -> String {
    match line.split_once(" in ") {
        Some((before, rest)) if before.ends_with(" feeds") => {
            format!("{before}{}", &rest[rest.find(';').unwrap_or(rest.len())..])
        }
        _ => line.into(),
    }
}
