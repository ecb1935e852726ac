//! `everysplit vectors`: streams with what each must give, for the tests of any language. It
//! asks nobody.

use everysplit::check::Outcome;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Cannot;
use crate::args::Streams;
use crate::format::{Format, Parsed};
use crate::report::print;
use crate::streams::{self, Stream};

#[derive(Serialize)]
struct Vector {
    name: String,
    framing: &'static str,
    order: &'static str,
    max: Option<u32>,
    stream: String,
    frames: Vec<Map<String, Value>>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    edges: Vec<usize>,
}

pub(crate) fn run(streams: &Streams) -> Result<bool, Cannot> {
    let format = Format::of(streams)
        .ok_or("there is no format: name one with --framing, such as --framing len32")?;
    let gathered = streams::gather(streams, |format| format.streams(&streams.message))?;
    let vectors: Vec<Vector> = gathered
        .iter()
        .map(|stream| vector(format, streams, stream))
        .collect();
    print(&serde_json::to_string_pretty(&vectors)?);
    Ok(true)
}

fn vector(format: Format, streams: &Streams, Stream { name, bytes }: &Stream) -> Vector {
    let expected = format.frames(bytes, |Parsed { header, body }| {
        let mut frame = Map::new();
        match header {
            // Fields of fixed places stand beside the body, those of JSON on their own.
            Value::Object(fields) if format.is_json() => {
                frame.insert("header".into(), Value::Object(fields));
            }
            Value::Object(fields) => frame.extend(fields),
            _ => {}
        }
        frame.insert("body".into(), hex::encode(body).into());
        frame
    });
    let frames = expected.frames.into_iter().map(|(end, mut frame)| {
        frame.insert("end".into(), end.into());
        frame
    });
    let (outcome, at) = match expected.outcome {
        Outcome::Clean => ("clean", None),
        Outcome::Truncated(()) => ("truncated", None),
        Outcome::Rejected { at, .. } => ("rejected", Some(at)),
    };
    Vector {
        name: name.clone(),
        framing: format.name(),
        order: format.order(),
        max: streams.limit,
        stream: hex::encode(bytes),
        frames: frames.collect(),
        outcome,
        at,
        edges: format.edges(bytes),
    }
}
