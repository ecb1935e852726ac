//! `report merge`: the reports of all shards make the report of the whole run.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::program::{Finished, Serve, everysplit, fails, run, server};

/// Emits nothing. After a byte 1, it sees an error in every chunk.
const DRIVER: [&str; 4] = [
    "--",
    "sh",
    "-c",
    "read hello; echo ready 1; while read verb hex; do case $hex in *01*) echo error no;; esac; echo ready; done",
];
/// Streams that hold, and that violate, in every second place.
const STREAMS: [&str; 7] = ["00", "0001", "02", "0101", "03", "04", "0105"];

fn path(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("merge-{name}"));
    path.to_str().unwrap().into()
}

/// Runs a shard. Returns its JSON report, and the exit status.
fn shard(name: &str, shard: &str, more: &[&str]) -> (String, Option<i32>) {
    let report = path(&format!("{name}-{}.json", shard.replace('/', "-")));
    let streams = STREAMS.map(|hex| format!("--hex={hex}"));
    let (report_option, shard_option) = (format!("--report={report}"), format!("--shard={shard}"));
    let exec = ["exec", "--discards-at-end", &report_option, &shard_option];
    let streams: Vec<&str> = streams.iter().map(String::as_str).collect();
    let finished = run(&[&exec[..], more, &streams, &DRIVER].concat());
    (report, finished.status)
}

fn json(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Merges reports in the reverse order. Returns the JSON report, stdout and the exit status.
fn merge(name: &str, reports: &[String]) -> (Value, String, Option<i32>) {
    let merged = ["html", "json", "xml"].map(|ending| path(&format!("{name}.{ending}")));
    let mut arguments = vec!["report", "merge"];
    for file in &merged {
        arguments.extend(["--report", file]);
    }
    arguments.extend(reports.iter().rev().map(String::as_str));
    let finished = run(&arguments);
    assert!(fs::read_to_string(&merged[0]).unwrap().contains("exec"));
    assert!(
        fs::read_to_string(&merged[2])
            .unwrap()
            .contains("everysplit exec: ")
    );
    (json(&merged[1]), finished.stdout, finished.status)
}

#[test]
fn all_shards_make_the_whole() {
    let known = path("known");
    fs::write(&known, "poisoned hex 0101\n").unwrap();
    let stale = path("stale");
    fs::write(&stale, "prompt nowhere\npoisoned hex 01*\nprompt hex *\n").unwrap();
    // No body at this limit is sent.
    let unreached = ["--framing", "len32u", "--size-limit", "4000000000"];
    let runs: [(&str, &[&str]); 5] = [
        ("plain", &[]),
        ("known", &["--known", &known]),
        ("stale", &["--known", &stale]),
        ("only", &["--only", "prompt"]),
        ("omitted", &unreached),
    ];
    for (name, more) in runs {
        let (whole, status) = shard(name, "1/1", more);
        let whole = json(&whole);
        let omitted = whole["omitted"].as_array().unwrap();
        assert_eq!(omitted.is_empty(), name != "omitted", "{whole}");
        let stale = whole["stale"].as_array().unwrap();
        assert_eq!(stale.len(), if name == "stale" { 2 } else { 0 }, "{whole}");
        let streams = whole["streams"].as_array().unwrap().len();
        for count in [2, 3] {
            let shards =
                (1..=count).map(|number| shard(name, &format!("{number}/{count}"), more).0);
            let shards: Vec<String> = shards.collect();
            let (merged, stdout, merged_status) = merge(name, &shards);
            assert_eq!(merged_status, status, "{stdout}");
            for field in [
                "result",
                "properties",
                "only",
                "omitted",
                "known",
                "stale",
                "undecided",
                "warnings",
                "verb",
                "subject",
                "run",
            ] {
                assert_eq!(merged[field], whole[field], "{name} {field}");
            }
            assert_eq!(without_shard(&merged), without_shard(&whole));
            let covered = merged["covered"].as_str().unwrap();
            assert!(
                covered.starts_with(&format!("{count} shards: ")),
                "{covered}"
            );
            assert!(stdout.contains(&format!("{streams} streams, ")), "{stdout}");
        }
    }
}

/// A warning of all shards is one warning of the whole.
#[test]
fn warnings_of_shards_are_merged() {
    let refuses: Serve = |mut socket| {
        let _ = socket.read_exact(&mut [0; 2]);
        let _ = socket.write_all(b"no\n");
        let _ = socket.read_to_end(&mut Vec::new());
    };
    let address = server(refuses).to_string();
    let shards = ["1/2", "2/2"].map(|shard| {
        let report = path(&format!("warned-{}.json", shard.replace('/', "-")));
        let streams = ["--hex=0001", "--hex=0002", "--hex=0003", "--hex=0004"];
        let limits = ["--max-connections=1", "--reply-idle=0.1"];
        let part = [
            "tcp",
            "--connect",
            &address,
            "--shard",
            shard,
            "--report",
            &report,
        ];
        run(&[&part[..], &limits, &streams].concat()).with_status(0);
        report
    });
    let merged = path("warned.json");
    let merge = ["report", "merge", "--report", &merged];
    run(&[&merge[..], &[&*shards[0], &*shards[1]]].concat()).with_status(0);
    let [first, second, merged] = [&shards[0], &shards[1], &merged].map(|path| json(path));
    let warnings = merged["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{merged}");
    assert_eq!(first["warnings"], merged["warnings"]);
    assert_eq!(second["warnings"], merged["warnings"]);
}

#[test]
fn what_held_in_all_shards_held() {
    let shards = ["1/2", "2/2"].map(|shard| {
        let report = path(&format!("held-{}.json", shard.replace('/', "-")));
        let streams = ["exec", "--discards-at-end", "--hex=0000", "--hex=0002"];
        let part = ["--shard", shard, "--report", &report];
        run(&[&streams[..], &part, &DRIVER].concat()).with_status(0);
        report
    });
    let merged = path("held.json");
    run(&[
        "report", "merge", "--report", &merged, &shards[0], &shards[1],
    ])
    .with_status(0);
    let merged = json(&merged);
    let properties = merged["properties"].as_array().unwrap();
    let verdict = |name| {
        let property = properties.iter().find(|property| property["name"] == name);
        property.unwrap()["verdict"].as_str().unwrap()
    };
    assert_eq!(verdict("every_split"), "held");
    assert_eq!(verdict("limit"), "not_checked");
}

/// Returns the streams without the lines that run a violation again, as these name the shard's report.
fn without_shard(report: &Value) -> Value {
    let mut streams = report["streams"].clone();
    for stream in streams.as_array_mut().unwrap() {
        if let Some(violation) = stream.get_mut("violation") {
            violation.as_object_mut().unwrap().remove("replay");
        }
    }
    streams
}

#[test]
fn a_shard_that_is_missing_is_no_green_result() {
    let held = ["--only", "prompt"];
    let (first, _) = shard("missing", "1/3", &held);
    let (last, status) = shard("missing", "3/3", &held);
    assert_eq!(status, Some(0));
    let (merged, _, status) = merge("missing", &[first, last]);
    assert_eq!(status, Some(2));
    assert_eq!(merged["result"], "stopped");
    assert_eq!(merged["stopped"], "the shard 2/3 is missing");
}

#[test]
fn what_is_not_of_one_run_is_refused() {
    let (first, _) = shard("refused", "1/2", &[]);
    let (second, _) = shard("refused", "2/2", &[]);
    let (third, _) = shard("refused", "1/3", &[]);
    let twice = path("twice.json");
    fs::copy(&first, &twice).unwrap();
    let broken = path("broken.json");
    fs::write(&broken, "{\"version\": 2}").unwrap();
    let old = path("old.json");
    let text = fs::read_to_string(&second).unwrap();
    fs::write(&old, text.replace("\"version\": 2", "\"version\": 1")).unwrap();
    let other = path("other.json");
    fs::write(
        &other,
        text.replace("\"verb\": \"exec\"", "\"verb\": \"tcp\""),
    )
    .unwrap();
    let cases = [
        (&twice, "are both of the shard 1/2"),
        (&third, "not shards of one run: "),
        (&other, "not shards of one run: "),
        (&broken, "is no JSON report of everysplit: missing field"),
        (&old, "is a report of version 1, and this is version 2"),
    ];
    for (file, message) in cases {
        fails(&["report", "merge", &first, file], message);
    }
    fails(
        &["report", "merge", "/nowhere.json"],
        "cannot read /nowhere.json: ",
    );
    fails(
        &["report", "merge", &first, "--report=a.pdf"],
        "unknown report format of a.pdf",
    );
}

/// The shards must be of one run, whatever the order of its options and wherever its reports go.
#[test]
fn shards_of_different_runs_are_refused() {
    let limit = ["--framing", "len16", "--size-limit", "5"];
    let first = shard("run", "1/2", &[&limit[..], &["--seed", "1"]].concat()).0;
    let same = ["--size-limit=5", "--framing=len16", "--seed=1", "--quiet"];
    let same = shard("run", "2/2", &same).0;
    let merged = run(&["report", "merge", &first, &same]);
    assert_ne!(merged.status, Some(2), "{}", merged.stderr);

    let header = ["--framing", "len32", "--only", "limit"];
    let cases: [(&[&str], &str, &str); 3] = [
        (
            &header,
            "`--framing len16 --size-limit 5 --discards-at-end --seed 1`",
            "`--framing len32 --only limit --discards-at-end`",
        ),
        (&limit, "`--seed 1`", "nothing instead"),
        (
            &[&limit[..], &["--seed", "2"]].concat(),
            "`--seed 1`",
            "`--seed 2`",
        ),
    ];
    for (more, in_first, in_other) in cases {
        let other = shard("run-other", "2/2", more).0;
        let message =
            format!("not shards of one run: {first} has {in_first}, and {other} has {in_other}");
        fails(&["report", "merge", &first, &other], &message);
    }
}

/// The command line is the same, and a file is not.
#[test]
fn shards_of_other_files_are_refused() {
    let file = path("shared.bin");
    let shard = |content: &[u8], number| {
        fs::write(&file, content).unwrap();
        shard("shared", number, &["--stream", &file]).0
    };
    let (first, same) = (shard(&[0, 1, 2], "1/2"), shard(&[0, 1, 2], "2/2"));
    let merged = run(&["report", "merge", &first, &same]);
    assert_ne!(merged.status, Some(2), "{}", merged.stderr);
    let other = shard(&[0, 1, 3], "2/2");
    let message = "; give each shard the same files";
    fails(&["report", "merge", &first, &other], message);
    fails(&["report", "merge", &other, &first], message);
}

/// A shard does not say which known violations are stale, so the list must be the same in all.
#[test]
fn shards_with_other_known_violations_are_refused() {
    let [long, copy, short] = ["known-long", "known-copy", "known-short"].map(path);
    let text = "poisoned hex 01*\nprompt nowhere\n";
    fs::write(&long, text).unwrap();
    fs::write(&copy, format!("# The same.\n{text}")).unwrap();
    fs::write(&short, "poisoned hex 01*\n").unwrap();
    let first = shard("known-long", "1/2", &["--known", &long]).0;
    let same = shard("known-copy", "2/2", &["--known", &copy]).0;
    let merged = run(&["report", "merge", &first, &same]).with_status(1);
    assert!(
        merged.contains("did not occur: prompt nowhere; "),
        "{merged}"
    );
    let other = shard("known-short", "2/2", &["--known", &short]).0;
    let message = "has the known violation `prompt nowhere`, and ";
    fails(&["report", "merge", &first, &other], message);
    fails(&["report", "merge", &other, &first], message);
}

/// A number in a report takes no memory.
#[test]
fn claimed_numbers_take_no_memory() {
    let shards = changed("claimed-shards", |report| {
        report["shard"] = "3/4000000000".into();
    });
    let message = "the shard 10/4000000000 is missing; the shard 11/4000000000 is missing; and \
                   3999999989 more shards are missing\n";
    fails(&["report", "merge", &shards], message);
    let streams = changed("claimed-streams", |report| {
        report["properties"][0]["verdict"] = "unknown".into();
        report["properties"][0]["streams"] = (1_u64 << 50).into();
    });
    let message = "round_trip is unknown on 1125899906842624 streams of 1";
    fails(&["report", "merge", &streams], message);
}

/// A file that an earlier process left, of which this one has the number.
#[cfg(unix)]
#[test]
fn a_file_that_is_left_over_does_not_matter() {
    let report = changed("left-over", |_| {});
    let merged = path("left-over.json");
    let shell = "touch \"$0/.everysplit-$$-0.tmp\" && exec \"$@\"";
    let everysplit = env!("CARGO_BIN_EXE_everysplit");
    let arguments = [everysplit, "report", "merge", &report, "--report", &merged];
    let mut command = Command::new("sh");
    command.args(["-c", shell, env!("CARGO_TARGET_TMPDIR")]);
    let output = command.args(arguments).output().unwrap();
    Finished::from(output).with_status(0);
    assert_eq!(json(&merged)["result"], "held");
}

/// Writes a report of one stream that holds, as `change` changes it.
fn changed(name: &str, change: impl Fn(&mut Value)) -> String {
    let report = path(&format!("{name}-changed.json"));
    let exec = ["exec", "--discards-at-end", "--hex=00", "--report", &report];
    run(&[&exec[..], &DRIVER].concat()).with_status(0);
    let mut value = json(&report);
    change(&mut value);
    fs::write(&report, value.to_string()).unwrap();
    report
}

/// Returns the page and the JUnit report of a merged report.
fn rendered(name: &str, report: &str) -> [String; 2] {
    let files = ["html", "xml"].map(|ending| path(&format!("{name}.{ending}")));
    run(&[
        "report", "merge", "--report", &files[0], "--report", &files[1], report,
    ]);
    files.map(|file| fs::read_to_string(file).unwrap())
}

#[test]
fn a_stream_that_was_not_checked_is_shown_with_its_reason() {
    let report = changed("not-checked", |report| {
        let streams = report["streams"].as_array_mut().unwrap();
        let mut other = streams[0].clone();
        other["name"] = "other".into();
        other["verdict"] = "not_checked".into();
        other["reason"] = "it <varies>".into();
        other.as_object_mut().unwrap().remove("tried");
        streams.push(other);
    });
    let [page, junit] = rendered("not-checked", &report);
    assert!(
        page.contains("all that was checked held, 1 stream not checked"),
        "{page}"
    );
    assert!(page.contains("it &lt;varies&gt;"), "{page}");
    assert!(
        junit.contains(r#"<skipped message="it &lt;varies&gt;" type="not_checked"/>"#),
        "{junit}"
    );
}

#[test]
fn a_warning_of_two_shards_is_one_warning() {
    let shards = ["1/2", "2/2"].map(|shard| {
        changed(&format!("warnings-{}", &shard[..1]), |report| {
            report["shard"] = shard.into();
            report["warnings"] = [format!("of {shard}"), "of both".into()].to_vec().into();
        })
    });
    let merged = path("warnings.json");
    run(&[
        "report", "merge", "--report", &merged, &shards[0], &shards[1],
    ])
    .with_status(0);
    let merged = json(&merged);
    let warnings: Vec<&str> = merged["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning.as_str().unwrap())
        .collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for warning in ["of 1/2", "of 2/2", "of both"] {
        assert!(warnings.contains(&warning), "{warnings:?}");
    }
}

#[test]
fn a_verdict_that_does_not_exist_is_refused() {
    let report = changed("verdict", |report| {
        report["streams"][0]["verdict"] = "good".into();
    });
    fails(&["report", "merge", &report], "`good` is no verdict");
}

/// Many cuts, long texts and a long token are not shown in full.
#[test]
fn a_large_violation_is_shortened_on_the_page() {
    let violated = |token: String, offset: usize, text: String| {
        let report = changed("large", |report| {
            report["streams"][0]["verdict"] = "violated".into();
            report["streams"][0]["violation"] = serde_json::json!({
                "property": "every_split", "stream": "", "cuts": [], "edges": [], "offset": offset,
                "expected": text, "actual": "nothing", "declared": [], "token": token,
                "replay": format!("everysplit replay {token}"),
            });
        });
        rendered("large", &report)[0].clone()
    };
    let cuts: Vec<String> = (1..=200).map(|cut| cut.to_string()).collect();
    let token = format!("{}@{}", "20".repeat(3000), cuts.join(","));
    let page = violated(token.clone(), 50, "x".repeat(3000));
    for part in [
        "3000 bytes, 200 cuts",
        "<dd>200 cuts</dd>",
        " … and 1000 more characters",
        "not fed yet",
        " characters; the JSON report contains it",
        "⋯ ",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains(&token));
    let page = violated("@whole".into(), 0, "x".into());
    assert!(page.contains("no bytes"));
}

/// Each report in `tests/data/reports` has its page and what is printed beside it.
#[test]
fn every_verdict_is_shown() {
    let mut differing = Vec::new();
    for name in ["violated", "stopped", "stale"] {
        let data = format!("{}/tests/data/reports/{name}", env!("CARGO_MANIFEST_DIR"));
        let given = json(&format!("{data}.json"));
        let folder = path(&format!("shown-{name}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(format!("{folder}/given.json"), given.to_string()).unwrap();
        // The page shows a short option in one piece.
        let arguments = ["report", "merge", "given.json", "--report", "merged.json"];
        let page_option = "--report=the-page-of-this-report.html";
        let mut command = everysplit(&arguments);
        let output = command.arg(page_option).current_dir(&folder).output();
        let finished = Finished::from(output.unwrap());

        let merged = json(&format!("{folder}/merged.json"));
        for field in ["result", "only", "omitted", "streams", "stale", "warnings"] {
            assert_eq!(merged[field], given[field], "{name} {field}");
        }
        let page = fs::read_to_string(format!("{folder}/the-page-of-this-report.html")).unwrap();
        let (_, body) = page.split_once("<body>").unwrap();
        let mut body = body.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        for block in ["<div", "<dl", "<details", "<h", "<p", "<section", "<tr"] {
            body = body.replace(block, &format!("\n{block}"));
        }
        for (ending, shown) in [("txt", finished.stdout), ("html", body)] {
            let actual = format!("{folder}/actual.{ending}");
            fs::write(&actual, &shown).unwrap();
            let expected = fs::read_to_string(format!("{data}.{ending}"));
            if expected.map_or(true, |expected| expected != shown) {
                differing.push(actual);
            }
        }
    }
    // Compare these files with those of `tests/data/reports`.
    assert_eq!(differing, [""; 0]);
}
