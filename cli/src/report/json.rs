//! A report as JSON: an object with a version, for programs to read. What its fields mean is
//! in `docs/REPORT.md`.

use everysplit::check::{Deviation, Violation};
use serde::Serialize;

use super::{Ended, Entry, Fared, Found, Run, TOOL, Verdict};
use crate::Cannot;

/// Grows when a field goes, or means something else.
const VERSION: u32 = 1;

pub(super) fn object(run: &Run) -> Result<String, Cannot> {
    let object = Object {
        version: VERSION,
        tool: TOOL,
        command: &run.command,
        result: match run.ended() {
            Ended::Held => "held",
            Ended::Violated => "violated",
            Ended::Stopped => "stopped",
        },
        covered: &run.covered,
        stopped: run.stopped.as_deref(),
        properties: properties(run),
        streams: run.entries.iter().map(stream).collect(),
        unmet: &run.unmet,
    };
    Ok(serde_json::to_string_pretty(&object)? + "\n")
}

#[derive(Serialize)]
struct Object<'a> {
    version: u32,
    tool: &'a str,
    command: &'a str,
    result: &'a str,
    covered: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
    properties: Vec<Property>,
    streams: Vec<Stream<'a>>,
    unmet: &'a [String],
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    sentence: &'static str,
    verdict: &'static str,
    streams: usize,
}

#[derive(Serialize)]
struct Stream<'a> {
    name: &'a str,
    bytes: usize,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tried: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<Counterexample<'a>>,
}

#[derive(Serialize)]
struct Counterexample<'a> {
    property: &'static str,
    stream: String,
    cuts: &'a [usize],
    edges: &'a [usize],
    offset: usize,
    expected: &'a str,
    actual: &'a str,
    declared: Vec<String>,
    token: String,
    replay: &'a str,
}

fn properties(run: &Run) -> Vec<Property> {
    let properties = run.properties().map(|(property, fared)| {
        let (verdict, streams) = match fared {
            Fared::Held => ("held", 0),
            Fared::Violated(streams) => ("violated", streams),
            Fared::Known(streams) => ("known", streams),
            Fared::Open(streams) => ("open", streams),
            Fared::Unasked => ("unasked", 0),
        };
        Property {
            name: property.name(),
            sentence: property.sentence(),
            verdict,
            streams,
        }
    });
    properties.collect()
}

fn stream(entry: &Entry) -> Stream<'_> {
    let (verdict, tried, violation) = match &entry.verdict {
        Verdict::Held(tried) => ("held", Some(tried.as_str()), None),
        Verdict::Violated(found) if found.known => ("known", None, Some(counterexample(found))),
        Verdict::Violated(found) => ("violated", None, Some(counterexample(found))),
    };
    Stream {
        name: &entry.name,
        bytes: entry.bytes,
        verdict,
        tried,
        violation,
    }
}

fn counterexample(found: &Found) -> Counterexample<'_> {
    let Violation {
        property,
        case,
        edges,
        declared,
        offset,
        expected,
        actual,
    } = &found.violation;
    Counterexample {
        property: property.name(),
        stream: hex::encode(&case.stream),
        cuts: case.split.cuts(),
        edges,
        offset: *offset,
        expected,
        actual,
        declared: declared.iter().map(Deviation::to_string).collect(),
        token: case.to_string(),
        replay: &found.replay,
    }
}
