//! The JSON report. `docs/REPORT.md` describes its fields.

use everysplit::{Deviation, Property, Violation};
use serde::{Deserialize, Serialize};

use super::TOOL;
use super::known::KnownViolation;
use super::model::{Counterexample, PropertyStatus, RunResult, Status, StreamResult, Verdict};
use crate::Error;
use crate::options::Shard;

/// Grows when a field is removed or changes its meaning.
pub(super) const VERSION: u32 = 2;

pub(super) fn object(result: &RunResult) -> Result<String, Error> {
    let report = JsonReport {
        version: VERSION,
        tool: TOOL.into(),
        command: result.command.clone(),
        verb: result.title.verb.into(),
        subject: result.title.subject.clone(),
        run: result.run.clone(),
        shard: (result.shard != Shard::WHOLE).then(|| result.shard.to_string()),
        shared: result.shared.clone(),
        result: match result.status() {
            Status::Held => "held",
            Status::Violated => "violated",
            Status::Stopped => "stopped",
        }
        .into(),
        covered: result.covered.clone(),
        stopped: result.stopped.clone(),
        properties: properties(result),
        only: names(result.only.iter().copied()),
        omitted: names(result.omitted.iter().map(|&(property, _)| property)),
        streams: result.streams.iter().map(stream).collect(),
        known: result.known.0.iter().map(known).collect(),
        stale: result.stale.clone(),
        undecided: result.undecided.clone(),
        warnings: result.warnings.clone(),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

/// A report, as it is written and as it is read again.
#[derive(Deserialize, Serialize)]
pub(super) struct JsonReport {
    pub(super) version: u32,
    pub(super) tool: String,
    pub(super) command: String,
    pub(super) verb: String,
    pub(super) subject: String,
    pub(super) run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shared: Option<String>,
    result: String,
    pub(super) covered: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stopped: Option<String>,
    pub(super) properties: Vec<JsonProperty>,
    pub(super) only: Vec<String>,
    pub(super) omitted: Vec<String>,
    pub(super) streams: Vec<JsonStream>,
    pub(super) known: Vec<JsonKnown>,
    stale: Vec<String>,
    undecided: Vec<String>,
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct JsonKnown {
    pub(super) property: String,
    pub(super) stream: String,
    pub(super) occurred: bool,
}

#[derive(Deserialize, Serialize)]
pub(super) struct JsonProperty {
    pub(super) name: String,
    sentence: String,
    pub(super) verdict: String,
    pub(super) streams: usize,
}

#[derive(Deserialize, Serialize)]
pub(super) struct JsonStream {
    pub(super) name: String,
    pub(super) bytes: usize,
    pub(super) verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tried: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) violation: Option<JsonViolation>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct JsonViolation {
    pub(super) property: String,
    stream: String,
    cuts: Vec<usize>,
    pub(super) edges: Vec<usize>,
    pub(super) offset: usize,
    pub(super) expected: String,
    pub(super) actual: String,
    pub(super) declared: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) option: Option<String>,
    pub(super) token: String,
    pub(super) replay: String,
}

fn names(properties: impl Iterator<Item = Property>) -> Vec<String> {
    properties.map(|property| property.name().into()).collect()
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
            name: property.name().into(),
            sentence: result.title.sentence(property).into(),
            verdict: verdict.into(),
            streams,
        }
    });
    properties.collect()
}

fn known(known: &KnownViolation) -> JsonKnown {
    JsonKnown {
        property: known.property.name().into(),
        stream: known.stream.clone(),
        occurred: known.occurred,
    }
}

fn stream(stream: &StreamResult) -> JsonStream {
    let (verdict, tried, reason, violation) = match &stream.verdict {
        Verdict::Held(tried) => ("held", Some(tried), None, None),
        Verdict::Failed(reason) => ("violated", None, Some(reason), None),
        Verdict::NotChecked(reason) => ("not_checked", None, Some(reason), None),
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
        name: stream.name.clone(),
        bytes: stream.bytes,
        verdict: verdict.into(),
        tried: tried.cloned(),
        reason: reason.cloned(),
        violation,
    }
}

fn violation(counterexample: &Counterexample) -> JsonViolation {
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
        property: property.name().into(),
        stream: hex::encode(&case.stream),
        cuts: case.split.cuts().to_vec(),
        edges: edges.clone(),
        offset: *offset,
        expected: (**expected).into(),
        actual: (**actual).into(),
        declared: deviations.iter().map(Deviation::to_string).collect(),
        option: counterexample.option(),
        token: case.to_string(),
        replay: counterexample.replay.clone(),
    }
}
