//! The JSON report. `docs/REPORT.md` describes its fields.

use everysplit::{Deviation, Violation};
use serde::Serialize;

use super::TOOL;
use super::model::{Counterexample, PropertyStatus, RunResult, Status, StreamResult, Verdict};
use crate::Error;

/// Grows when a field is removed or changes its meaning.
const VERSION: u32 = 2;

pub(super) fn object(result: &RunResult) -> Result<String, Error> {
    let object = JsonReport {
        version: VERSION,
        tool: TOOL,
        command: &result.command,
        result: match result.status() {
            Status::Held => "held",
            Status::Violated => "violated",
            Status::Stopped => "stopped",
        },
        covered: &result.covered,
        stopped: result.stopped.as_deref(),
        properties: properties(result),
        streams: result.streams.iter().map(stream).collect(),
        stale: &result.stale,
        warnings: &result.warnings,
    };
    Ok(serde_json::to_string_pretty(&object)? + "\n")
}

#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    tool: &'a str,
    command: &'a str,
    result: &'a str,
    covered: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
    properties: Vec<JsonProperty>,
    streams: Vec<JsonStream<'a>>,
    stale: &'a [String],
    warnings: &'a [String],
}

#[derive(Serialize)]
struct JsonProperty {
    name: &'static str,
    sentence: &'static str,
    verdict: &'static str,
    streams: usize,
}

#[derive(Serialize)]
struct JsonStream<'a> {
    name: &'a str,
    bytes: usize,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tried: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<JsonViolation<'a>>,
}

#[derive(Serialize)]
struct JsonViolation<'a> {
    property: &'static str,
    stream: String,
    cuts: &'a [usize],
    edges: &'a [usize],
    offset: usize,
    expected: &'a str,
    actual: &'a str,
    declared: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    token: String,
    replay: &'a str,
}

fn properties(result: &RunResult) -> Vec<JsonProperty> {
    let properties = result.properties().map(|(property, status)| {
        let (verdict, streams) = match status {
            PropertyStatus::Held => ("held", 0),
            PropertyStatus::HeldSoFar => ("held_so_far", 0),
            PropertyStatus::Violated(streams) => ("violated", streams),
            PropertyStatus::Known(streams) => ("known", streams),
            PropertyStatus::Other(streams) => ("other", streams),
            PropertyStatus::Unknown(streams) => ("unknown", streams),
            PropertyStatus::NotChecked => ("not_checked", 0),
        };
        JsonProperty {
            name: property.name(),
            sentence: property.sentence(),
            verdict,
            streams,
        }
    });
    properties.collect()
}

fn stream(stream: &StreamResult) -> JsonStream<'_> {
    let (verdict, tried, reason, violation) = match &stream.verdict {
        Verdict::Held(tried) => ("held", Some(tried.as_str()), None, None),
        Verdict::Failed(reason) => ("violated", None, Some(reason.as_str()), None),
        Verdict::NotChecked(reason) => ("not_checked", None, Some(reason.as_str()), None),
        Verdict::Violated(counterexample) => {
            let verdict = if counterexample.known {
                "known"
            } else {
                "violated"
            };
            (verdict, None, None, Some(violation(counterexample)))
        }
    };
    JsonStream {
        name: &stream.name,
        bytes: stream.bytes,
        verdict,
        tried,
        reason,
        violation,
    }
}

fn violation(counterexample: &Counterexample) -> JsonViolation<'_> {
    let Violation {
        property,
        case,
        edges,
        deviations,
        offset,
        expected,
        actual,
        ..
    } = &counterexample.violation;
    JsonViolation {
        property: property.name(),
        stream: hex::encode(&case.stream),
        cuts: case.split.cuts(),
        edges,
        offset: *offset,
        expected,
        actual,
        declared: deviations.iter().map(Deviation::to_string).collect(),
        option: counterexample.option(),
        token: case.to_string(),
        replay: &counterexample.replay,
    }
}
