//! Compares two framers of one format, without an oracle.

use alloc::format;

use super::guard::guard;
use super::{Property, Violation};
use crate::case::Case;
use crate::split::Split;
use crate::subject::{Frames, Subject};

/// Checks that two framers of one format give the same frames at the same bytes
/// and refuse the same streams. Which error it is, and what follows it, may
/// differ.
///
/// # Errors
///
/// [`Property::Agree`], with `peer` as what was expected.
pub fn agree<P, S>(
    mut peer: P,
    mut subject: S,
    stream: &[u8],
    split: &Split,
) -> Result<(), Violation>
where
    P: Subject,
    S: Subject<Frame = P::Frame>,
{
    let mut offset = 0;
    let mut chunks = split.chunks(stream);
    loop {
        let (mut theirs, mut ours) = (
            Frames::for_stream(stream.len()),
            Frames::for_stream(stream.len()),
        );
        let chunk = chunks.next();
        offset += chunk.map_or(0, <[u8]>::len);
        let their_result = match chunk {
            Some(chunk) => peer.feed(chunk, &mut theirs),
            None => peer.finish(&mut theirs),
        };
        let call = || match chunk {
            Some(chunk) => subject.feed(chunk, &mut ours),
            None => subject.finish(&mut ours),
        };
        let our_result =
            guard(offset, call).map_err(|found| found.in_stream(stream, split.clone()))?;
        if theirs != ours || their_result.is_ok() != our_result.is_ok() {
            return Err(Violation {
                property: Property::Agree,
                case: Case {
                    stream: stream.to_vec(),
                    split: split.clone(),
                },
                edges: [].into(),
                declared: [].into(),
                offset,
                expected: format!("{:?}", (&*theirs, their_result)).into(),
                actual: format!("{:?}", (&*ours, our_result)).into(),
            });
        }
        if chunk.is_none() || our_result.is_err() {
            return Ok(());
        }
    }
}
