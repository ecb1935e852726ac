//! `everysplit vectors`: prints streams and their expected frames as JSON.

use everysplit::Outcome;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Error;
use crate::framing::{self, Framing, FramingKind, ParsedFrame};
use crate::options::StreamOptions;
use crate::output::{print_error, print_line};
use crate::streams::{self, NamedStream};

/// A stream and its expected frames. The fields are described in `docs/REPORT.md`.
#[derive(Serialize)]
struct Vector {
    name: String,
    framing: String,
    order: Option<&'static str>,
    max: Option<u32>,
    stream: String,
    frames: Vec<Map<String, Value>>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    edges: Vec<usize>,
}

/// Prints the vectors of all streams.
pub(crate) fn run(options: &StreamOptions) -> Result<(), Error> {
    let format = options
        .framing
        .ok_or("there is no format; add --framing, such as --framing len32")?;
    let streams = streams::load(options, None, |format| {
        format.streams(&options.messages, framing::MAX_PRINTED_BODY)
    })?;
    if let Some(omitted) = format.omitted(framing::MAX_PRINTED_BODY) {
        print_error(&omitted);
    }
    let vectors: Vec<Vector> = streams
        .iter()
        .map(|stream| vector(format, stream))
        .collect();
    print_line(&serde_json::to_string_pretty(&vectors)?)?;
    Ok(())
}

fn vector(framing: Framing, NamedStream { name, bytes, .. }: &NamedStream) -> Vector {
    let expected = framing.parse(bytes);
    let frames = expected.frames.into_iter();
    let (outcome, at) = match expected.outcome {
        Outcome::Clean => ("clean", None),
        Outcome::Truncated(()) => ("truncated", None),
        Outcome::Rejected { at, .. } => ("rejected", Some(at)),
    };
    Vector {
        name: name.clone(),
        framing: framing.name(),
        order: framing.byte_order_name(),
        max: framing.size_limit,
        stream: hex::encode(bytes),
        frames: frames
            .map(|(end, parsed)| frame(framing, end, parsed))
            .collect(),
        outcome,
        at,
        edges: framing.edges(bytes),
    }
}

fn frame(
    framing: Framing,
    end: usize,
    ParsedFrame { header, body }: ParsedFrame,
) -> Map<String, Value> {
    let mut frame = Map::new();
    match header {
        // A JSON header can have any field, so it is kept apart from `body` and `end`.
        Value::Object(fields) if framing.kind == FramingKind::JsonHeader => {
            frame.insert("header".into(), Value::Object(fields));
        }
        Value::Object(fields) => frame.extend(fields),
        _ => {}
    }
    frame.insert("body".into(), hex::encode(body).into());
    frame.insert("end".into(), end.into());
    frame
}
