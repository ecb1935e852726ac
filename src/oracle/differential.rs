//! Compares two framers of one format, without another oracle.

use alloc::format;

use crate::case::{Case, Interruption};
use crate::check::finding::{Difference, Finding};
use crate::check::isolate::{RETURNS, isolate};
use crate::check::one_split::between_empty_chunks;
use crate::report::Violation;
use crate::subject::{Frames, Subject};

/// Checks that two framers emit the same frames at the same bytes and reject the same streams.
/// Their errors, and what follows an error, may differ.
pub(crate) fn differential<P, S>(mut peer: P, mut subject: S, case: &Case) -> Result<(), Violation>
where
    P: Subject,
    S: Subject<Frame = P::Frame>,
{
    let (stream, split) = (&case.stream, &case.split);
    let mut offset = 0;
    let chunks: &mut dyn Iterator<Item = &[u8]> = match case.interruption {
        Interruption::EmptyChunk => &mut between_empty_chunks(split, stream),
        _ => &mut split.chunks(stream),
    };
    loop {
        let mut theirs = Frames::for_stream(stream.len());
        let mut ours = Frames::for_stream(stream.len());
        let chunk = chunks.next();
        offset += chunk.map_or(0, <[u8]>::len);
        let call = || match chunk {
            Some(chunk) => peer.feed(chunk, &mut theirs),
            None => peer.finish(&mut theirs),
        };
        let their_result = isolate(offset, call).map_err(|finding| {
            let actual = format!("the peer: {}", finding.actual);
            let finding = Finding::new(Difference::Peer, offset, RETURNS, actual);
            Violation::without_expectation(finding, case)
        })?;
        let call = || match chunk {
            Some(chunk) => subject.feed(chunk, &mut ours),
            None => subject.finish(&mut ours),
        };
        let our_result = isolate(offset, call)
            .map_err(|finding| Violation::without_expectation(finding, case))?;
        if theirs != ours || their_result.is_ok() != our_result.is_ok() {
            let finding = Finding::of_values(
                Difference::Peer,
                offset,
                &(&*theirs, their_result),
                &(&*ours, our_result),
            );
            return Err(Violation::without_expectation(finding, case));
        }
        if chunk.is_none() || our_result.is_err() {
            return Ok(());
        }
    }
}
