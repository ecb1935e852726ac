//! The reports of a run, and known violations: they say what was found, and untrusted text in
//! them stays text. How they look is not tested.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use crate::program::{Finished, PYTHON_DRIVER, fails, is_installed, run, server};
use everysplit::Harness;
use everysplit::reference::{Config, Framer};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};
use serde_json::Value;

const COMMAND: &str = env!("CARGO_BIN_EXE_everysplit");

/// What is replaced in the driver, and by what.
type Change = (&'static str, &'static str);

/// Removes the length before the body is complete.
const CONSUMES: Change = (
    "            break\n",
    "            decoder.buffer = decoder.buffer[2:]\n            break\n",
);

/// The same for a frame of four bytes, which no generated stream has at its beginning.
const CONSUMES_FOUR: Change = (
    CONSUMES.0,
    "            if end == 4: decoder.buffer = decoder.buffer[2:]\n            break\n",
);

/// Says nothing of a stream that ends inside a frame.
const ENDS: Change = ("        raise EOFError\n", "        return\n");

/// Interrupts the command at the byte `!`.
const INTERRUPTS: Change = (
    "    decoder.buffer += chunk\n",
    "    import os, signal, time\n    if chunk == b'!': os.kill(os.getppid(), signal.SIGINT); time.sleep(60)\n    decoder.buffer += chunk\n",
);

/// Emits text that does harm if it is taken for markup.
const HOSTILE: Change = (
    "        raise EOFError\n",
    "        yield '<script>alert(1)</script> ]]> &amp; http://example.org/'\n",
);

/// A finished run with its three reports.
struct Reported {
    status: Option<i32>,
    stdout: String,
    html: String,
    json: Value,
    junit: Report,
}

/// Writes a file to the temporary folder of the tests; returns its path.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{name}"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().into()
}

/// Runs the Python driver after some changes, with files of this name; `None` if Python is not
/// installed.
fn exec(name: &str, changes: &[Change], arguments: &[&str]) -> Option<Reported> {
    if !is_installed("python3") {
        return None;
    }
    let mut driver = PYTHON_DRIVER.to_string();
    for (correct, buggy) in changes {
        assert!(driver.contains(correct), "{correct}");
        driver = driver.replacen(correct, buggy, 1);
    }
    let driver = file(&format!("{name}.py"), &driver);
    let reports = ["html", "json", "xml"].map(|ending| file(&format!("{name}.{ending}"), ""));
    let written = reports.iter().flat_map(|path| ["--report", path]);
    let written: Vec<&str> = written.collect();
    let driver = ["--", "python3", "-S", &driver];
    let finished = run(&[&["exec"], arguments, &written, &driver].concat());
    let [html, json, xml] = reports.map(|path| fs::read_to_string(path).unwrap());
    Some(Reported {
        status: finished.status,
        stdout: finished.stdout,
        html,
        json: serde_json::from_str(&json).unwrap(),
        junit: Report::deserialize_from_str(&xml).unwrap(),
    })
}

impl Reported {
    fn cases(&self) -> &[TestCase] {
        &self.junit.test_suites[0].test_cases
    }

    /// Returns the verdict of a property, and its number of streams.
    fn property(&self, name: &str) -> (&str, u64) {
        let properties = self.json["properties"].as_array().unwrap();
        let property = properties.iter().find(|property| property["name"] == name);
        let property = property.unwrap();
        (
            property["verdict"].as_str().unwrap(),
            property["streams"].as_u64().unwrap(),
        )
    }

    /// Returns the verdict of each stream.
    fn verdicts(&self) -> Vec<(&str, &str)> {
        let streams = self.json["streams"].as_array().unwrap().iter();
        streams
            .map(|stream| {
                (
                    stream["name"].as_str().unwrap(),
                    stream["verdict"].as_str().unwrap(),
                )
            })
            .collect()
    }

    /// Asserts that the page loads nothing from elsewhere, and runs nothing.
    #[track_caller]
    fn assert_self_contained(&self) {
        let page = self.html.replace("http://www.w3.org/2000/svg", "");
        for reference in [
            "http://", "https://", "<script", "<link", "src=", "url(", "@import",
        ] {
            assert!(!page.contains(reference), "{reference}: {page}");
        }
    }
}

#[test]
fn reports_what_held() {
    let Some(reported) = exec("correct", &[], &["--framing", "len16"]) else {
        return;
    };
    assert_eq!(reported.status, Some(0), "{}", reported.stdout);
    assert_eq!(reported.json["version"], 2);
    assert_eq!(reported.json["result"], "held");
    assert_eq!(reported.property("prompt"), ("held", 0));
    assert_eq!(reported.property("limit"), ("not_checked", 0));
    assert_eq!(reported.verdicts().len(), 7);
    for stream in reported.json["streams"].as_array().unwrap() {
        assert_eq!(stream["verdict"], "held");
        let tried = stream["tried"].as_str().unwrap();
        assert!(tried.starts_with("proved: "), "{tried}");
        assert!(reported.html.contains(tried), "{tried}");
        assert!(reported.stdout.contains(tried), "{tried}");
    }
    let junit = &reported.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (7, 0, 0));
    let suite = &junit.test_suites[0];
    assert_eq!(
        &*suite.name,
        "everysplit exec: python3 -S reports-correct.py"
    );
    let class = "everysplit.exec.python3 -S reports-correct_py";
    assert_eq!(suite.test_cases[0].classname.as_deref(), Some(class));
    assert_eq!(&*suite.test_cases[0].name, reported.verdicts()[0].0);
    assert!(reported.html.contains("<h1>All that was checked held</h1>"));
    reported.assert_self_contained();
}

#[test]
fn the_replay_line_of_a_violation_finds_it_again() {
    let streams = ["--framing", "len16", "--hex", "00026f6b"];
    let Some(reported) = exec("buggy", &[CONSUMES], &streams) else {
        return;
    };
    assert_eq!(reported.status, Some(1), "{}", reported.stdout);
    assert_eq!(reported.json["result"], "violated");
    let violated = |(_, verdict): &&(&str, &str)| *verdict == "violated";
    let violated = reported.verdicts().iter().filter(violated).count();
    assert_eq!(reported.verdicts().len(), 8);
    assert!(
        reported
            .stdout
            .ends_with(&format!("; 8 streams, {violated} violated\n"))
    );

    let stream = &reported.json["streams"][0];
    assert_eq!(
        (&stream["name"], &stream["bytes"]),
        (&"hex 00026f6b".into(), &4.into())
    );
    let violation = &stream["violation"];
    let expected = serde_json::json!({
        "property": "every_split", "stream": "000100", "cuts": [2], "edges": [0, 2, 3], "offset": 3,
        "expected": "([\"00\"], Ok(()))", "actual": "([], Ok(()))", "declared": [],
        "token": "000100@2", "replay": violation["replay"],
    });
    assert_eq!(violation, &expected);

    // The command line of the report, with the path of the command.
    let replay = violation["replay"].as_str().unwrap();
    let Some(line) = replay.strip_prefix("everysplit ") else {
        panic!("{replay}");
    };
    assert!(line.starts_with("replay 000100@2 exec "), "{line}");
    assert!(!line.contains("--report"), "{line}");
    let again = Command::new("sh")
        .args(["-c", &format!("\"$0\" {line}"), COMMAND])
        .output()
        .unwrap();
    let again = (
        again.status.code(),
        String::from_utf8(again.stdout).unwrap(),
    );
    assert_eq!(again.0, Some(1), "{}", again.1);
    assert!(again.1.contains("\n  replay    000100@2\n"), "{}", again.1);

    let junit = &reported.junit;
    assert_eq!(
        (junit.tests, junit.failures, junit.errors),
        (8, violated, 0)
    );
    let TestCaseStatus::NonSuccess {
        kind,
        message,
        ty,
        description,
        ..
    } = &reported.cases()[0].status
    else {
        panic!("{:?}", reported.cases()[0]);
    };
    assert_eq!(*kind, NonSuccessKind::Failure);
    assert_eq!(ty.as_deref(), Some("every_split"));
    let sentence = "frames, errors and their offsets do not depend on the split, on valid and on hostile streams";
    assert_eq!(message.as_deref(), Some(sentence));
    let text = description.as_deref().unwrap();
    assert!(text.contains("  replay    000100@2\n"), "{text}");
    assert!(text.ends_with(replay), "{text}");

    assert!(reported.html.contains("000100@2"));
    assert!(reported.html.contains("<svg "));
    reported.assert_self_contained();
}

/// Collects the name of every field.
fn fields<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                names.insert(name);
                fields(value, names);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, names)),
        _ => {}
    }
}

#[test]
fn docs_describe_every_json_field() {
    let arguments = ["--hex", "0000", "--hex", "00026f6b", "--hex", "21"];
    let Some(reported) = exec("fields", &[CONSUMES, INTERRUPTS], &arguments) else {
        return;
    };
    assert_eq!(reported.status, Some(1), "{}", reported.stdout);
    let reason = "; not everything was checked: interrupted\n";
    assert!(reported.stdout.ends_with(reason), "{}", reported.stdout);
    // A server whose replies vary by themselves.
    let address = server(|mut socket| {
        static REPLIES: AtomicUsize = AtomicUsize::new(0);
        let _ = write!(socket, "{}", REPLIES.fetch_add(1, Ordering::Relaxed));
    });
    let (path, address) = (file("fields-varies.json", ""), address.to_string());
    let known = file("fields-known", "prompt *\n");
    let streams = ["--hex=00", "--hex=01", "--shard=1/2", "--known", &known];
    let tcp = ["tcp", "--connect", &address, "--report", &path];
    run(&[&tcp[..], &streams].concat()).with_status(2);
    let varies: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut written = BTreeSet::new();
    fields(&reported.json, &mut written);
    fields(&varies, &mut written);
    let text = include_str!("../../../docs/REPORT.md");
    let (_, text) = text.split_once("## JSON").unwrap();
    let (text, _) = text.split_once("## JUnit").unwrap();
    let described: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(written, described);
}

/// A property of which the check was interrupted did not hold.
#[test]
fn reports_that_a_run_was_stopped() {
    let arguments = ["--hex", "21", "--hex", "0000"];
    let Some(reported) = exec("stopped", &[INTERRUPTS], &arguments) else {
        return;
    };
    assert_eq!(reported.status, Some(2), "{}", reported.stdout);
    assert_eq!(reported.json["result"], "stopped");
    assert_eq!(reported.json["stopped"], "interrupted");
    let command = reported.json["command"].as_str().unwrap();
    let line = "everysplit exec --hex 21 --hex 0000 --report ";
    assert!(command.starts_with(line), "{command}");
    let summary = "; 0 streams, 0 violated; not everything was checked\n";
    assert!(reported.stdout.ends_with(summary), "{}", reported.stdout);
    assert_eq!(reported.property("every_split"), ("not_checked", 0));
    assert_eq!(reported.verdicts(), []);
    let junit = &reported.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (1, 0, 1));
    assert!(reported.html.contains("<h1>Stopped early</h1>"));
    assert!(reported.html.contains("interrupted"));
}

/// A stream of which some splits were not tried in time has no verdict.
#[test]
fn a_property_did_not_hold_if_the_time_was_up() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for client in server.incoming() {
            let client = client.unwrap();
            let _ = io::copy(&mut &client, &mut &client);
        }
    });
    let json = file("time.json", "");
    let stream = "00".repeat(100);
    let streams = ["--hex", &stream, "--max-rate", "20", "--max-time", "2"];
    let arguments = ["tcp", "--connect", &address, "--report", &json];
    run(&[&arguments[..], &streams].concat()).with_status(2);
    let json: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    // There was time for some splits, but not for the 99 with one cut.
    assert!(
        !json["covered"].as_str().unwrap().starts_with("0 "),
        "{json}"
    );
    assert_eq!(
        json["stopped"],
        "the time is up; allow more with --max-time"
    );
    let properties = json["properties"].as_array().unwrap();
    assert!(
        properties
            .iter()
            .all(|property| property["verdict"] == "not_checked")
    );
}

#[test]
fn untrusted_text_stays_text() {
    let stream = file(
        "\u{1}\u{ffff}<img src=x onerror=alert(2)> & co",
        "\0\x05hell",
    );
    let arguments = ["--framing", "len16", "--stream", &stream];
    let Some(reported) = exec("hostile", &[HOSTILE], &arguments) else {
        return;
    };
    assert_eq!(reported.status, Some(1), "{}", reported.stdout);
    let name = reported.json["streams"][0]["name"].as_str().unwrap();
    assert!(name.contains("<img src=x onerror=alert(2)> & co"), "{name}");
    let actual = reported.json["streams"][0]["violation"]["actual"]
        .as_str()
        .unwrap();
    assert!(
        actual.contains("<script>alert(1)</script> ]]> &amp;"),
        "{actual}"
    );

    assert!(!reported.html.contains("<script"));
    assert!(!reported.html.contains("<img"));
    assert!(
        reported
            .html
            .contains("&lt;script&gt;alert(1)&lt;/script&gt; ]]&gt; &amp;amp;")
    );
    assert!(
        reported
            .html
            .contains("&lt;img src=x onerror=alert(2)&gt; &amp; co")
    );

    let case = &reported.cases()[0];
    // XML cannot contain these characters.
    assert_eq!(case.name.as_str(), name.replace(['\u{1}', '\u{ffff}'], ""));
    let TestCaseStatus::NonSuccess { description, .. } = &case.status else {
        panic!("{case:?}");
    };
    let text = description.as_deref().unwrap();
    assert!(
        text.contains("<script>alert(1)</script> ]]> &amp;"),
        "{text}"
    );
}

#[test]
fn known_violations_do_not_fail_the_run() {
    // With a byte order mark, as some editors write it.
    let known = "\u{feff}# comment\n\n  every_split hex 00026f6b\n";
    let known = file("known", known);
    let arguments = ["--framing", "len16", "--known", &known, "--hex", "00026f6b"];
    let Some(reported) = exec("known", &[CONSUMES_FOUR], &arguments) else {
        return;
    };
    assert_eq!(reported.status, Some(0), "{}", reported.stdout);
    assert!(
        reported
            .stdout
            .contains("known hex 00026f6b: every_split\n"),
        "{}",
        reported.stdout
    );
    assert!(
        reported.stdout.ends_with(
            "; 8 streams, 0 violated, 1 known, 4 properties unknown because of known violations\n"
        ),
        "{}",
        reported.stdout
    );
    assert_eq!(reported.json["result"], "held");
    assert_eq!(reported.verdicts()[0], ("hex 00026f6b", "known"));
    assert_eq!(
        reported.json["streams"][0]["violation"]["token"],
        "00020000@2"
    );
    assert_eq!(reported.property("every_split"), ("known", 1));
    assert_eq!(reported.json["stale"], serde_json::json!([]));
    let junit = &reported.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (8, 0, 0));
    let TestCaseStatus::Skipped { description, .. } = &reported.cases()[0].status else {
        panic!("{:?}", reported.cases()[0]);
    };
    assert!(
        description
            .as_deref()
            .unwrap()
            .contains("  replay    00020000@2\n")
    );
    assert!(
        reported
            .html
            .contains("<h1>Only known violations, 4 properties unknown</h1>")
    );
    assert!(reported.html.contains("<h2>Known violations</h2>"));
    assert!(!reported.html.contains("<h2>Counterexamples</h2>"));
}

/// A stream has one violation, and what else would be wrong on it does not show.
#[test]
fn what_known_violations_leave_unknown_is_counted() {
    let known = file("hidden", "truncation *\n");
    let arguments = ["--known", &known, "--hex", "0001"];
    let Some(reported) = exec("hidden", &[ENDS], &arguments) else {
        return;
    };
    assert_eq!(reported.status, Some(0), "{}", reported.stdout);
    let end = ", 1 known, 3 properties unknown because of known violations\n";
    assert!(reported.stdout.ends_with(end), "{}", reported.stdout);
    assert_eq!(reported.property("every_split"), ("unknown", 1));
    let headline = "<h1>Only known violations, 3 properties unknown</h1>";
    assert!(reported.html.contains(headline), "{}", reported.html);
}

/// Not if it is the same property on another stream, or another property on the same stream.
#[test]
fn a_violation_is_known_only_if_stream_and_property_match() {
    let known = file("other", "prompt hex 0002\nlimit hex 00026f6b\n");
    let arguments = ["--framing", "len16", "--known", &known, "--hex", "00026f6b"];
    let Some(reported) = exec("other", &[CONSUMES], &arguments) else {
        return;
    };
    assert_eq!(reported.status, Some(1), "{}", reported.stdout);
    assert_eq!(reported.verdicts()[0], ("hex 00026f6b", "violated"));
    assert_eq!(reported.json["stale"].as_array().unwrap().len(), 2);
    assert!(reported.html.contains("<h2>Counterexamples</h2>"));
    assert!(!reported.html.contains("<h2>Known violations</h2>"));
}

/// `*` stands for any text, and a line with it is stale if no stream violates the property.
#[test]
fn a_line_of_known_violations_can_hold_for_many_streams() {
    for (line, known) in [("every_split *", 2), ("prompt *", 0)] {
        let list = file("pattern", &format!("{line}\n"));
        let framing = ["--framing", "len16", "--known", &list];
        let streams = ["--hex", "00026f6b", "--hex", "00026f6c"];
        let arguments = [framing, streams].concat();
        let Some(reported) = exec("pattern", &[CONSUMES_FOUR], &arguments) else {
            return;
        };
        let verdicts = reported.verdicts();
        let found = verdicts.iter().filter(|(_, verdict)| *verdict == "known");
        assert_eq!(found.count(), known, "{line}: {}", reported.stdout);
        let stale = reported.json["stale"].as_array().unwrap();
        assert_eq!(stale.len(), usize::from(known == 0), "{line}: {stale:?}");
        assert_eq!(reported.status, Some(i32::from(known < 2)), "{line}");
    }
}

#[test]
fn stale_known_violations_fail_the_run() {
    let known = file("stale", "limit hex 00026f6b\nprompt <b>\n");
    let arguments = ["--known", &known, "--hex", "00026f6b"];
    let Some(reported) = exec("stale", &[], &arguments) else {
        return;
    };
    assert_eq!(reported.status, Some(1), "{}", reported.stdout);
    assert!(
        reported
            .stdout
            .ends_with("; 1 stream, 0 violated, 2 stale known violations\n")
    );
    assert_eq!(reported.json["result"], "violated");
    assert_eq!(reported.verdicts(), [("hex 00026f6b", "held")]);
    let stale = reported.json["stale"].as_array().unwrap();
    assert_eq!(stale.len(), 2);
    assert!(stale[0].as_str().unwrap().contains("limit hex 00026f6b"));
    let junit = &reported.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (3, 2, 0));
    assert!(reported.html.contains("<h1>2 stale known violations</h1>"));
    assert!(reported.html.contains("prompt &lt;b&gt;"));
}

/// The style of a split map applies to the whole page, and the other way around.
#[test]
fn split_maps_and_the_page_share_no_class() {
    let harness = Harness::framer(|| Framer::new(Config::default())).edges(|_| vec![4]);
    let map = harness.split_map(&[0; 12]).to_svg();
    let (_, style) = map.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let theirs = classes(style);
    assert!(theirs.contains("held"), "{theirs:?}");
    let ours = classes(include_str!("../../src/report/html/page.css"));
    assert!(ours.contains("example"), "{ours:?}");
    assert_eq!(theirs.intersection(&ours).collect::<Vec<_>>(), [&""; 0]);
}

/// Returns the classes in a style sheet.
fn classes(style: &str) -> BTreeSet<&str> {
    let end = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
    let names = style
        .split('.')
        .skip(1)
        .filter_map(|rest| rest.split(end).next());
    // A decimal point is followed by a digit.
    let begins = |name: &&str| name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    names.filter(begins).collect()
}

/// A file that can be written is replaced also where no other file can be made.
#[cfg(unix)]
#[test]
fn a_report_in_a_protected_folder_is_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("reports-protected");
    fs::create_dir_all(&folder).unwrap();
    let report = folder.join("report.json");
    fs::write(&report, "old").unwrap();
    let set_mode = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o555);
    // Root can make one without this.
    let mut command = if fs::write(folder.join("other"), "").is_ok() {
        if !is_installed("setpriv") {
            return;
        }
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override", COMMAND]);
        command
    } else {
        Command::new(COMMAND)
    };
    let driver = "read hello; echo ready 1; while read verb hex; do echo ready; done";
    command.args(["exec", "--discards-at-end", "--hex=00", "--report"]);
    command.arg(&report).args(["--", "sh", "-c", driver]);
    let finished = Finished::from(command.output().unwrap());
    set_mode(0o755);
    finished.with_status(0);
    let json: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(json["result"], "held");
}

/// A decoder that emits a frame if a chunk has this many bytes. It saves no states.
fn large_chunks(bytes: usize) -> [String; 4] {
    let pattern = "??".repeat(bytes);
    let driver = format!(
        "read hello; echo ready 2; while read verb hex; do \
         case $hex in {pattern}) echo frame x;; esac; echo ready; done"
    );
    ["--", "sh", "-c", &driver].map(Into::into)
}

/// In a stream of three bytes, the cuts are obvious.
#[test]
fn a_short_stream_has_no_map_on_the_page() {
    for (bytes, maps) in [(3, 0), (4, 1)] {
        let page = file(&format!("map-{bytes}.html"), "");
        let stream = format!("--hex={}", "00".repeat(bytes));
        let exec = ["exec", "--discards-at-end", "--report", &page, &stream];
        let driver = large_chunks(bytes);
        run(&[&exec[..], &driver.each_ref().map(String::as_str)].concat()).with_status(1);
        let page = fs::read_to_string(page).unwrap();
        assert_eq!(page.matches("<figure ").count(), maps, "{page}");
    }
}

#[cfg(unix)]
#[test]
fn a_report_keeps_the_permissions_of_its_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let report = file("private.json", "old");
    fs::set_permissions(&report, fs::Permissions::from_mode(0o640)).unwrap();
    let arguments = ["exec", "--discards-at-end", "--hex=00", "--report", &report];
    let driver = large_chunks(9);
    run(&[&arguments[..], &driver.each_ref().map(String::as_str)].concat()).with_status(0);
    let mode = fs::metadata(&report).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(fs::read_to_string(report).unwrap().contains("held"));
}

/// Neither a file that cannot be written nor a driver that does not start leaves a result.
#[test]
fn a_run_that_cannot_start_prints_no_result() {
    let temporary = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(temporary.join("reports-folder.json")).unwrap();
    for (report, message) in [
        (
            "reports-folder.json",
            "everysplit: cannot write the report ",
        ),
        (
            "reports-none.json",
            "everysplit: cannot start no-such-driver: ",
        ),
    ] {
        let report = temporary.join(report);
        let report = format!("--report={}", report.display());
        let finished = run(&["exec", "--hex=00", &report, "--", "no-such-driver"]);
        assert_eq!((finished.status, &*finished.stdout), (Some(2), ""));
        assert!(finished.stderr.starts_with(message), "{}", finished.stderr);
    }
}

#[test]
fn bad_files_are_an_error_with_one_line() {
    let driver = ["--", "sh", "-c", "echo ready 1; cat > /dev/null"];
    let fails = |arguments: &[&str], message: &str| {
        let exec = [&["exec", "--hex", "00"], arguments, &driver].concat();
        fails(&exec, message);
    };
    fails(
        &["--known", "no/such"],
        "cannot read the known violations no/such: ",
    );
    for line in ["prompt", "no_such concatenated", "prompt "] {
        let known = file("bad", &format!("# comment\nprompt concatenated\n{line}\n"));
        let message = format!(
            "{known}, line 3: {:?} is not a known violation",
            line.trim()
        );
        fails(&["--known", &known], &message);
    }
    for path in ["report", "report.htm", ".json"] {
        let message = format!("unknown report format of {path}: the file name must end with .html");
        fails(&["--report", path], &message);
    }
    fails(
        &["--report", "no/such/report.json"],
        "cannot write the report no/such/report.json: ",
    );
}
