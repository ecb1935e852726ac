//! The decoder's frames after each chunk, as text for a replay.

use std::panic::{AssertUnwindSafe, catch_unwind};

use everysplit::Case;
use everysplit::subject::{Frames, Subject};

use crate::driver::{DecoderError, DriverFrame};

/// A decoder of any kind.
type AnyDecoder = dyn Subject<Frame = DriverFrame, Error = DecoderError>;

/// Feeds a decoder chunk by chunk. Returns a line for each chunk and one for the end.
pub(super) fn trace(decoder: &mut AnyDecoder, Case { stream, split, .. }: &Case) -> String {
    let mut lines = Vec::new();
    for chunk in split.chunks(stream).map(Some).chain([None]) {
        let (line, alive) = step(decoder, chunk);
        lines.push(line);
        if !alive {
            break;
        }
    }
    lines.join("\n")
}

/// Feeds a chunk, or ends the stream. Returns a line, and whether the driver is still alive.
fn step(decoder: &mut AnyDecoder, chunk: Option<&[u8]>) -> (String, bool) {
    let mut frames = Frames::new(usize::MAX);
    // A driver that fails panics.
    let result = catch_unwind(AssertUnwindSafe(|| match chunk {
        Some(chunk) => decoder.feed(chunk, &mut frames),
        None => decoder.finish(&mut frames),
    }));
    let frames: Vec<DriverFrame> = frames.iter().cloned().collect();
    let call = match chunk {
        Some(chunk) => format!("feed {}", hex::encode(chunk)),
        None => "finish".into(),
    };
    let problem = match &result {
        Ok(Ok(())) => String::new(),
        Ok(Err(error)) => format!(" error {error:?}"),
        Err(failure) => format!(
            " {}",
            failure.downcast_ref::<String>().map_or("", String::as_str)
        ),
    };
    (format!("{call}: {frames:?}{problem}"), result.is_ok())
}
