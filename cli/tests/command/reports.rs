//! The reports of a run, and known violations: what is written is what was found, and
//! nobody's text does anything but be read. How they look is nobody's to test.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::{io, thread};

use crate::program::{run, there_is};
use everysplit::check::SplitMap;
use everysplit::reference::{Config, Framer, naive};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};
use serde_json::Value;

const DRIVER: &str = include_str!("../../drivers/driver.py");
const COMMAND: &str = env!("CARGO_BIN_EXE_everysplit");

/// What stands in the right driver, and what in its place.
type Change = (&'static str, &'static str);

/// The length is taken before the body is there.
const CONSUMES: Change = (
    "            break\n",
    "            decoder.buffer = decoder.buffer[2:]\n            break\n",
);

/// Interrupts whoever asks, at a stream of an exclamation mark.
const INTERRUPTS: Change = (
    "    decoder.buffer += chunk\n",
    "    import os, signal, time\n    if chunk == b'!': os.kill(os.getppid(), signal.SIGINT); time.sleep(60)\n    decoder.buffer += chunk\n",
);

/// Gives text that does something where it is taken for markup.
const HOSTILE: Change = (
    "        raise EOFError\n",
    "        yield '<script>alert(1)</script> ]]> &amp; http://example.org/'\n",
);

/// A run, and the three reports that it wrote.
struct Told {
    status: Option<i32>,
    stdout: String,
    html: String,
    json: Value,
    junit: Report,
}

/// Writes a file under a name of its own, and returns where.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{name}"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().into()
}

/// Asks the ready driver in Python after some changes, under a name of its own; nothing
/// where there is no Python.
fn exec(name: &str, changes: &[Change], arguments: &[&str]) -> Option<Told> {
    if !there_is("python3") {
        return None;
    }
    let mut driver = DRIVER.to_string();
    for (right, wrong) in changes {
        assert!(driver.contains(right), "{right}");
        driver = driver.replacen(right, wrong, 1);
    }
    let driver = file(&format!("{name}.py"), &driver);
    let reports = ["html", "json", "xml"].map(|ending| file(&format!("{name}.{ending}"), ""));
    let written = reports.iter().flat_map(|path| ["--report", path]);
    let written: Vec<&str> = written.collect();
    let driver = ["--", "python3", &driver];
    let said = run(&[&["exec"], arguments, &written, &driver].concat());
    let [html, json, xml] = reports.map(|path| fs::read_to_string(path).unwrap());
    Some(Told {
        status: said.status,
        stdout: said.stdout,
        html,
        json: serde_json::from_str(&json).unwrap(),
        junit: Report::deserialize_from_str(&xml).unwrap(),
    })
}

impl Told {
    fn cases(&self) -> &[TestCase] {
        &self.junit.test_suites[0].test_cases
    }

    /// Returns how a property fared, and by how many streams.
    fn fared(&self, name: &str) -> (&str, u64) {
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

    /// Checks that the page takes nothing from elsewhere, and runs nothing.
    #[track_caller]
    fn stands_alone(&self) {
        let page = self.html.replace("http://www.w3.org/2000/svg", "");
        for taken in [
            "http://", "https://", "<script", "<link", "src=", "url(", "@import",
        ] {
            assert!(!page.contains(taken), "{taken}: {page}");
        }
    }
}

#[test]
fn what_held_is_told_as_held() {
    let Some(told) = exec("right", &[], &["--framing", "len16"]) else {
        return;
    };
    assert_eq!(told.status, Some(0), "{}", told.stdout);
    assert_eq!(told.json["version"], 1);
    assert_eq!(told.json["result"], "held");
    assert_eq!(told.fared("prompt"), ("held", 0));
    assert_eq!(told.fared("limit"), ("unasked", 0));
    assert_eq!(told.verdicts().len(), 7);
    for stream in told.json["streams"].as_array().unwrap() {
        assert_eq!(stream["verdict"], "held");
        let tried = stream["tried"].as_str().unwrap();
        assert!(tried.starts_with("proved: "), "{tried}");
        assert!(told.html.contains(tried), "{tried}");
        assert!(told.stdout.contains(tried), "{tried}");
    }
    let junit = &told.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (7, 0, 0));
    assert!(told.html.contains("<h1>All held</h1>"));
    told.stands_alone();
}

#[test]
fn a_violation_is_told_and_tried_again() {
    let streams = ["--framing", "len16", "--hex", "00026f6b"];
    let Some(told) = exec("wrong", &[CONSUMES], &streams) else {
        return;
    };
    assert_eq!(told.status, Some(1), "{}", told.stdout);
    assert_eq!(told.json["result"], "violated");
    let violated = |(_, verdict): &&(&str, &str)| *verdict == "violated";
    let violated = told.verdicts().iter().filter(violated).count();
    assert_eq!(told.verdicts().len(), 8);
    assert!(
        told.stdout
            .ends_with(&format!("; 8 streams, {violated} violated\n"))
    );

    let stream = &told.json["streams"][0];
    assert_eq!(
        (&stream["name"], &stream["bytes"]),
        (&"hex 00026f6b".into(), &4.into())
    );
    let violation = &stream["violation"];
    let expected = serde_json::json!({
        "property": "prompt", "stream": "00026f6b", "cuts": [2], "edges": [0, 2, 4], "offset": 4,
        "expected": "([\"6f6b\"], Ok(()))", "actual": "([], Ok(()))", "declared": [],
        "token": "00026f6b@2", "replay": violation["replay"],
    });
    assert_eq!(violation, &expected);

    // The command line, as it is told, but for where the command is.
    let replay = violation["replay"].as_str().unwrap();
    let Some(line) = replay.strip_prefix("everysplit ") else {
        panic!("{replay}");
    };
    assert!(line.starts_with("replay 00026f6b@2 exec "), "{line}");
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
    assert!(
        again.1.contains("\n  replay    00026f6b@2\n"),
        "{}",
        again.1
    );

    let junit = &told.junit;
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
    } = &told.cases()[0].status
    else {
        panic!("{:?}", told.cases()[0]);
    };
    assert_eq!(*kind, NonSuccessKind::Failure);
    assert_eq!(ty.as_deref(), Some("prompt"));
    let sentence = "a frame is out as soon as its last byte is in, and not before";
    assert_eq!(message.as_deref(), Some(sentence));
    let text = description.as_deref().unwrap();
    assert!(text.contains("  replay    00026f6b@2\n"), "{text}");
    assert!(text.ends_with(replay), "{text}");

    assert!(told.html.contains("00026f6b@2"));
    assert!(told.html.contains("<svg "));
    told.stands_alone();
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
fn every_field_is_described_and_no_other() {
    let arguments = ["--hex", "0000", "--hex", "00026f6b", "--hex", "21"];
    let Some(told) = exec("fields", &[CONSUMES, INTERRUPTS], &arguments) else {
        return;
    };
    assert_eq!(told.status, Some(1), "{}", told.stdout);
    let mut written = BTreeSet::new();
    fields(&told.json, &mut written);
    let text = include_str!("../../../docs/REPORT.md");
    let (_, text) = text.split_once("## JSON").unwrap();
    let (text, _) = text.split_once("## JUnit").unwrap();
    let described: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(written, described);
}

/// What was not asked to the end is not told as held.
#[test]
fn a_run_that_was_stopped_is_told_as_such() {
    let arguments = ["--hex", "21", "--hex", "0000"];
    let Some(told) = exec("stopped", &[INTERRUPTS], &arguments) else {
        return;
    };
    assert_eq!(told.status, Some(2), "{}", told.stdout);
    assert_eq!(told.json["result"], "stopped");
    assert_eq!(told.json["stopped"], "interrupted");
    assert_eq!(told.fared("every_split"), ("unasked", 0));
    assert_eq!(told.verdicts(), []);
    let junit = &told.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (1, 0, 1));
    assert!(told.html.contains("<h1>Stopped before all was asked</h1>"));
    assert!(told.html.contains("interrupted"));
}

/// Nothing held on a stream of which some splits were not tried any more.
#[test]
fn a_property_without_a_verdict_did_not_hold() {
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
    let streams = ["--hex", &stream, "--rate", "20", "--time", "2"];
    let arguments = ["tcp", "--connect", &address, "--report", &json];
    run(&[&arguments[..], &streams].concat()).with(2);
    let json: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    // There was time for some, and not for the 99 of one cut.
    assert!(
        !json["covered"].as_str().unwrap().starts_with("0 "),
        "{json}"
    );
    assert_eq!(json["stopped"], "the time is up, see --time");
    let properties = json["properties"].as_array().unwrap();
    assert!(
        properties
            .iter()
            .all(|property| property["verdict"] == "unasked")
    );
}

#[test]
fn hostile_text_is_text() {
    let stream = file(
        "\u{1}\u{ffff}<img src=x onerror=alert(2)> & co",
        "\0\x05hell",
    );
    let arguments = ["--framing", "len16", "--stream", &stream];
    let Some(told) = exec("hostile", &[HOSTILE], &arguments) else {
        return;
    };
    assert_eq!(told.status, Some(1), "{}", told.stdout);
    let name = told.json["streams"][0]["name"].as_str().unwrap();
    assert!(name.contains("<img src=x onerror=alert(2)> & co"), "{name}");
    let actual = told.json["streams"][0]["violation"]["actual"]
        .as_str()
        .unwrap();
    assert!(
        actual.contains("<script>alert(1)</script> ]]> &amp;"),
        "{actual}"
    );

    assert!(!told.html.contains("<script"));
    assert!(!told.html.contains("<img"));
    assert!(
        told.html
            .contains("&lt;script&gt;alert(1)&lt;/script&gt; ]]&gt; &amp;amp;")
    );
    assert!(
        told.html
            .contains("&lt;img src=x onerror=alert(2)&gt; &amp; co")
    );

    let case = &told.cases()[0];
    // XML has no way to write these.
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
fn known_violations_fail_nothing() {
    let known = file("known", "# what is known\n\n  prompt hex 00026f6b\n");
    let arguments = ["--framing", "len16", "--known", &known, "--hex", "00026f6b"];
    // Only in what was given: what is made of the format has no such bytes.
    let wrong = (
        CONSUMES.0,
        "            if end == 4: decoder.buffer = decoder.buffer[2:]\n            break\n",
    );
    let Some(told) = exec("known", &[wrong], &arguments) else {
        return;
    };
    assert_eq!(told.status, Some(0), "{}", told.stdout);
    assert!(
        told.stdout.contains("known hex 00026f6b: prompt\n"),
        "{}",
        told.stdout
    );
    assert!(
        told.stdout.ends_with("; 8 streams, 0 violated, 1 known\n"),
        "{}",
        told.stdout
    );
    assert_eq!(told.json["result"], "held");
    assert_eq!(told.verdicts()[0], ("hex 00026f6b", "known"));
    assert_eq!(told.json["streams"][0]["violation"]["token"], "00026f6b@2");
    assert_eq!(told.fared("prompt"), ("known", 1));
    assert_eq!(told.json["unmet"], serde_json::json!([]));
    let junit = &told.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (8, 0, 0));
    let TestCaseStatus::Skipped { description, .. } = &told.cases()[0].status else {
        panic!("{:?}", told.cases()[0]);
    };
    assert!(
        description
            .as_deref()
            .unwrap()
            .contains("  replay    00026f6b@2\n")
    );
    assert!(told.html.contains("<h1>All held</h1>"));
    assert!(told.html.contains("<h2>Known violations</h2>"));
    assert!(!told.html.contains("<h2>Counterexamples</h2>"));
}

/// Neither the same property on another stream nor another one on the same.
#[test]
fn no_other_violation_is_known() {
    let known = file("other", "prompt hex 0002\nlimit hex 00026f6b\n");
    let arguments = ["--framing", "len16", "--known", &known, "--hex", "00026f6b"];
    let Some(told) = exec("other", &[CONSUMES], &arguments) else {
        return;
    };
    assert_eq!(told.status, Some(1), "{}", told.stdout);
    assert_eq!(told.verdicts()[0], ("hex 00026f6b", "violated"));
    assert_eq!(told.json["unmet"].as_array().unwrap().len(), 2);
    assert!(told.html.contains("<h2>Counterexamples</h2>"));
    assert!(!told.html.contains("<h2>Known violations</h2>"));
}

#[test]
fn known_violations_that_are_not_met_fail() {
    let known = file("unmet", "limit hex 00026f6b\nprompt <b>\n");
    let arguments = ["--known", &known, "--hex", "00026f6b"];
    let Some(told) = exec("unmet", &[], &arguments) else {
        return;
    };
    assert_eq!(told.status, Some(1), "{}", told.stdout);
    assert!(
        told.stdout
            .ends_with("; 1 stream, 0 violated, 2 known and not met\n")
    );
    assert_eq!(told.json["result"], "violated");
    assert_eq!(told.verdicts(), [("hex 00026f6b", "held")]);
    let unmet = told.json["unmet"].as_array().unwrap();
    assert_eq!(unmet.len(), 2);
    assert!(unmet[0].as_str().unwrap().contains("limit hex 00026f6b"));
    let junit = &told.junit;
    assert_eq!((junit.tests, junit.failures, junit.errors), (3, 2, 0));
    assert!(told.html.contains("<h1>2 known violations not met</h1>"));
    assert!(told.html.contains("prompt &lt;b&gt;"));
}

/// The maps bring their own style, which is that of the whole page: no class is of both.
#[test]
fn maps_and_their_page_share_no_class() {
    let (config, stream) = (Config::default(), &[0; 12]);
    let expected = naive::parse(config, stream);
    let map = SplitMap::new(|| Framer::new(config), stream, &expected, &[4]).to_svg();
    let (_, style) = map.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let theirs = classes(style);
    assert!(theirs.contains("held"), "{theirs:?}");
    let ours = classes(include_str!("../../src/report/html/page.css"));
    assert!(ours.contains("example"), "{ours:?}");
    assert_eq!(theirs.intersection(&ours).collect::<Vec<_>>(), [&""; 0]);
}

/// Returns the classes of a style.
fn classes(style: &str) -> BTreeSet<&str> {
    let end = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
    let names = style
        .split('.')
        .skip(1)
        .filter_map(|rest| rest.split(end).next());
    // A fraction begins with a point too.
    let begins = |name: &&str| name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    names.filter(begins).collect()
}

/// Asks a driver with options that cannot be.
#[track_caller]
fn cannot(arguments: &[&str], said: &str) {
    let driver = ["--", "sh", "-c", "echo ready 1; cat > /dev/null"];
    crate::program::cannot(
        &[&["exec", "--hex", "00"], arguments, &driver].concat(),
        said,
    );
}

#[test]
fn what_cannot_be_read_or_written_is_told_in_a_line() {
    cannot(
        &["--known", "no/such"],
        "cannot read the known violations no/such: ",
    );
    for line in ["prompt", "no_such in a row", "prompt "] {
        let known = file(
            "bad",
            &format!("# what is known\nprompt in a row\n{line}\n"),
        );
        let said = format!("line 3 of {known} is no known violation: ");
        cannot(&["--known", &known], &said);
    }
    for path in ["report", "report.htm", ".json"] {
        let said = format!("{path} is no report: its name ends with .html, .json or .xml");
        cannot(&["--report", path], &said);
    }
    cannot(
        &["--report", "no/such/report.json"],
        "cannot write no/such/report.json: ",
    );
}
