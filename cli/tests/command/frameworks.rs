//! The examples for test frameworks in the guide, each with the decoder of a ready driver, and with
//! a bug in it. The package for pytest is in `python_package`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::decoders::is_there;
use crate::program::{Finished, concurrently, is_installed, run};

const GUIDE: &str = include_str!("../../../docs/guide/other-languages.md");

/// Returns the only block of the guide in a language that has this word.
fn example(language: &str, word: &str) -> &'static str {
    let begin = format!("```{language}\n");
    let mut blocks = GUIDE.split(&begin).skip(1);
    let block = blocks.find(|block| block.contains(word)).unwrap();
    block.split("```").next().unwrap()
}

/// Makes a folder with files; returns its path.
fn folder(name: &str, files: &[(&str, &str)]) -> String {
    let folder = format!("{}/framework-{name}", env!("CARGO_TARGET_TMPDIR"));
    for (name, text) in files {
        let path = Path::new(&folder).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn go_test() {
    if !is_installed("go") {
        return;
    }
    let arguments = example("sh", "testdata/vectors.json");
    let arguments = arguments.strip_prefix("everysplit ").unwrap();
    let arguments = arguments.split_once(" >").unwrap().0.replace('\'', "");
    let vectors = run(&arguments.split(' ').collect::<Vec<_>>()).with_status(0);
    let driver = run(&["driver", "go"]).with_status(0);
    // What a user writes, and the imports that it needs.
    let (written, _) = driver
        .split_once("// ---- Nothing below")
        .or(driver.split_once("// ---- The protocol"))
        .unwrap();
    let imports = written.find("\nimport (\n\t\"errors\"").unwrap();
    let decoder = format!("package main\n{}", &written[imports..]);
    let keeps = "if len(d.buffer) < end {";
    let consumes = format!("{keeps}\n\t\t\td.buffer = d.buffer[2:]");
    assert!(decoder.contains(keeps));
    let cases = [
        ("go", decoder.clone(), true),
        ("go-buggy", decoder.replace(keeps, &consumes), false),
    ];
    for (name, decoder, passes) in cases {
        let files = [
            ("go.mod", "module example\n\ngo 1.18\n"),
            ("decoder.go", &decoder),
            ("decoder_test.go", example("go", "TestEverySplit")),
            ("testdata/vectors.json", &vectors),
        ];
        let mut test = Command::new("go");
        let test = test
            .args(["test", "-vet=off", "."])
            .current_dir(folder(name, &files));
        let Finished {
            status,
            stdout,
            stderr,
        } = test.output().unwrap().into();
        assert_eq!(status == Some(0), passes, "{stdout}{stderr}");
        let violation = "concatenated, split at 0 and 2: ";
        assert_eq!(stdout.contains(violation), !passes, "{stdout}");
    }
}

/// Debian's JUnit.
const JUNIT: &str = "/usr/share/java/junit-platform-console-standalone.jar";

#[test]
fn junit() {
    if !is_installed("javac") || !is_installed("java") || !is_there(JUNIT, "junit5") {
        return;
    }
    let driver = run(&["driver", "java"]).with_status(0);
    let keeps = "if (buffer.length < end) break;";
    let consumes = "if (buffer.length < end) { buffer = new byte[0]; break; }";
    assert!(driver.contains(keeps));
    let cases = [
        (
            "junit",
            driver.clone(),
            "[         1 tests successful      ]",
        ),
        (
            "junit-buggy",
            driver.replace(keeps, consumes),
            "  split     2\n",
        ),
    ];
    let command = Path::new(env!("CARGO_BIN_EXE_everysplit"))
        .parent()
        .unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", command.to_str().unwrap());
    concurrently(cases, |(name, driver, expected)| {
        let test = example("java", "EverySplitTest");
        let files = [("Driver.java", &*driver), ("EverySplitTest.java", test)];
        let folder = folder(name, &files);
        let mut javac = Command::new("javac");
        let javac = javac.args(["-cp", JUNIT, "Driver.java", "EverySplitTest.java"]);
        let compiled = Finished::from(javac.current_dir(&folder).output().unwrap());
        compiled.with_status(0);
        let mut junit = Command::new("java");
        junit.args(["-XX:TieredStopAtLevel=1", "-cp", &format!("{JUNIT}:.")]);
        junit.args([
            "org.junit.platform.console.ConsoleLauncher",
            "-c",
            "EverySplitTest",
        ]);
        let junit = junit.env("PATH", &path).current_dir(&folder);
        let status = i32::from(name != "junit");
        let output = Finished::from(junit.output().unwrap()).with_status(status);
        assert!(output.contains(expected), "{output}");
    });
}
