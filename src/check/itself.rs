//! An oracle for those who have none: the framer itself, byte by byte.

use alloc::vec::Vec;

use super::guard::guard;
use super::{Expected, Outcome};
use crate::subject::{Frames, Subject};

/// Makes an oracle of a framer: what it gives byte by byte is expected of every other
/// split. This finds what depends on the split, and not what is wrong with every
/// split, as a frame that is always late.
///
/// ```
/// use everysplit::check::{self, Harness};
/// use everysplit::reference::{Config, Framer};
///
/// let make = || Framer::new(Config::default());
/// Harness::new(make, check::itself(make)).prove(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")?;
/// # Ok::<(), check::Violation>(())
/// ```
pub fn itself<S: Subject>(make: impl Fn() -> S) -> impl Fn(&[u8]) -> Expected<S::Frame, S::Error> {
    move |stream| {
        let (mut subject, mut given) = (make(), Frames::for_stream(stream.len()));
        let (mut frames, mut at_end) = (Vec::new(), Vec::new());
        let mut outcome = Outcome::Clean;
        for (at, byte) in (1..).zip(stream.chunks(1)) {
            given.clear();
            let result = guard(at, || subject.feed(byte, &mut given));
            frames.extend(given.iter().map(|frame| (at, frame.clone())));
            match result {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    outcome = Outcome::Rejected { at, error };
                    return Expected {
                        frames,
                        at_end,
                        outcome,
                    };
                }
                // What panics here does so under test, where it is told.
                Err(_) => break,
            }
        }
        given.clear();
        let result = guard(stream.len(), || subject.finish(&mut given)).unwrap_or(Ok(()));
        at_end.extend(given);
        if let Err(error) = result {
            outcome = Outcome::Truncated(error);
        }
        Expected {
            frames,
            at_end,
            outcome,
        }
    }
}
