//! Compares two framers of one format, without an oracle.

use alloc::format;
use alloc::vec::Vec;

use super::{Property, Violation};
use crate::case::Received;
use crate::split::Split;
use crate::subject::Subject;

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
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    let mut chunks = split.chunks(stream);
    loop {
        theirs.clear();
        ours.clear();
        let chunk = chunks.next();
        let (their_result, our_result) = match chunk {
            Some(chunk) => {
                offset += chunk.len();
                (
                    peer.feed(chunk, &mut theirs),
                    subject.feed(chunk, &mut ours),
                )
            }
            None => (peer.finish(&mut theirs), subject.finish(&mut ours)),
        };
        if theirs != ours || their_result.is_ok() != our_result.is_ok() {
            return Err(Violation {
                property: Property::Agree,
                case: Received {
                    stream: stream.to_vec(),
                    split: split.clone(),
                },
                edges: Vec::new(),
                offset,
                expected: format!("{:?}", (theirs, their_result)).into(),
                actual: format!("{:?}", (ours, our_result)).into(),
            });
        }
        if chunk.is_none() || our_result.is_err() {
            return Ok(());
        }
    }
}
