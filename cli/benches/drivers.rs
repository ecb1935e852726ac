//! Measures how many feeds per second the ready drivers take, side by side with drivers of version 1
//! of the protocol, which get each feed by itself: for a stream of long frames, and for one of short
//! frames, where each reply has many lines. Each figure is that of the fastest of three runs, as other
//! programs may use the processor. A language that is not installed is left out.

use std::fs;
use std::process::Command;
use std::time::Instant;

/// The bodies of five frames with a length of two bytes, 256 bytes in all.
const LONG: &[usize] = &[50, 96, 48, 40, 12];
/// The same of 36 frames, 252 bytes in all.
const SHORT: &[usize] = &[5; 36];
/// The same of six frames, 1026 bytes in all, for a decoder whose caller owns the buffer.
const KIBIBYTE: &[usize] = &[200, 384, 192, 160, 70, 8];

/// How often each stream is proved.
const RUNS: usize = 3;

/// A driver: its name, the files to write, the compiler if it needs one, and how it is started.
struct Driver {
    name: &'static str,
    files: Vec<(&'static str, String)>,
    compiler: &'static [&'static str],
    start: &'static [&'static str],
}

fn main() {
    println!("| driver | long frames | feeds/s | short frames | feeds/s |");
    println!("|---|---:|---:|---:|---:|");
    let version_1 = |text: &str| text.to_owned();
    let python = include_str!("../tests/data/drivers/version1.py");
    let node = include_str!("../tests/data/drivers/version1.js");
    let drivers = [
        driver(
            "Python, version 1",
            vec![("d.py", version_1(python))],
            &[],
            &["python3", "d.py"],
        ),
        driver(
            "Python",
            vec![("d.py", ready("python"))],
            &[],
            &["python3", "d.py"],
        ),
        driver(
            "Python, caller owns the buffer",
            vec![("d.py", ready("python-buffer"))],
            &[],
            &["python3", "d.py"],
        ),
        driver(
            "Node, version 1",
            vec![("d.js", version_1(node))],
            &[],
            &["node", "d.js"],
        ),
        driver(
            "Node",
            vec![("d.js", ready("node"))],
            &[],
            &["node", "d.js"],
        ),
        driver(
            "Go",
            vec![("driver.go", ready("go"))],
            &["go", "build", "driver.go"],
            &["./driver"],
        ),
        driver(
            "Java",
            vec![("Driver.java", ready("java"))],
            &["javac", "Driver.java"],
            &["java", "-XX:TieredStopAtLevel=1", "Driver"],
        ),
        driver(
            "C#, Mono",
            vec![("Driver.cs", ready("csharp"))],
            &["mcs", "Driver.cs"],
            &["mono", "Driver.exe"],
        ),
        driver(
            "C",
            vec![
                ("driver.c", ready("c")),
                ("everysplit.h", ready("c-header")),
            ],
            &["cc", "-O2", "-o", "driver", "driver.c"],
            &["./driver"],
        ),
        driver(
            "C++",
            vec![
                ("driver.cpp", ready("cpp")),
                ("everysplit.h", ready("c-header")),
            ],
            &["c++", "-std=c++17", "-O2", "-o", "driver", "driver.cpp"],
            &["./driver"],
        ),
    ];
    for driver in drivers {
        measure(&driver);
    }
}

fn driver(
    name: &'static str,
    files: Vec<(&'static str, String)>,
    compiler: &'static [&'static str],
    start: &'static [&'static str],
) -> Driver {
    Driver {
        name,
        files,
        compiler,
        start,
    }
}

/// Returns the text of a ready driver.
fn ready(language: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everysplit"));
    let output = command.args(["driver", language]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Writes and compiles a driver, proves two streams, and prints a row.
fn measure(driver: &Driver) {
    let folder = format!("{}/bench-driver", env!("CARGO_TARGET_TMPDIR"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in &driver.files {
        fs::write(format!("{folder}/{name}"), text).unwrap();
    }
    if let [compiler, arguments @ ..] = driver.compiler {
        let compiled = Command::new(compiler)
            .args(arguments)
            .current_dir(&folder)
            .status();
        if !compiled.is_ok_and(|status| status.success()) {
            return;
        }
    }
    let first = if driver.name.contains("caller") {
        KIBIBYTE
    } else {
        LONG
    };
    let cells = |bodies| {
        let runs = (0..RUNS).map_while(|_| prove(driver, &folder, bodies));
        let (time, rate) = runs.max_by_key(|&(_, rate)| rate)?;
        Some(format!("{time:.2} s | {rate}"))
    };
    if let (Some(first), Some(second)) = (cells(first), cells(SHORT)) {
        println!("| {} | {first} | {second} |", driver.name);
    }
}

/// Proves a stream of frames with these bodies. Returns the time in seconds and the feeds per second;
/// `None` if the driver cannot be started.
fn prove(driver: &Driver, folder: &str, bodies: &[usize]) -> Option<(f64, u64)> {
    let frames = bodies.iter();
    let stream: String = frames
        .map(|&size| format!("{size:04x}") + &"61".repeat(size))
        .collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_everysplit"));
    command
        .args(["exec", "--hex", &stream, "--"])
        .args(driver.start);
    let begun = Instant::now();
    let output = command.current_dir(folder).output().unwrap();
    let time = begun.elapsed().as_secs_f64();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().rfind(|line| line.contains(" feeds in "))?;
    assert!(output.status.success(), "{stdout}");
    // Without the time that the driver takes to start.
    let rate = last.split_once(" per second")?.0.rsplit(' ').next()?;
    Some((time, rate.parse().ok()?))
}
