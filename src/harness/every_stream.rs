//! Proofs of all streams, and not of one.

use alloc::vec::Vec;
use core::fmt::Debug;
use core::iter;

use super::Harness;
use super::prove::{RebuildHarness, RebuildTextHarness, TextHarness};
use super::under_test::try_make;
use crate::case::Case;
use crate::check::input::Input;
use crate::check::minimize;
use crate::check::prove::every_stream::{self, Found, Proof, Stop, Streams};
use crate::check::prove::premises;
use crate::check::prove::{Cloned, ClonedText, Rebuilt, RebuiltText, State};
use crate::door::FeedDoor;
use crate::expected::Source;
use crate::oracle::Specification;
use crate::report::{EveryStream, MadeOf, NotProved, Violation};
use crate::split::Split;

/// Adds `every_stream` to a harness, for framers with the given traits.
macro_rules! every_stream {
    ($($harness:ident: $state:ident, $($bound:ident)+;)*) => {
        $(impl<T, O> $harness<T, O>
        where
            T: FeedDoor<Subject: $($bound+)+>,
            O: Specification<T>,
        {
            /// Proves all streams of up to `longest` bytes, each in every split, with empty chunks
            /// anywhere. No stream is needed.
            ///
            /// The streams are those that the [messages](Harness::messages) form, in any order and
            /// number. With another oracle, they are made of *letters*: bytes that the oracle
            /// distinguishes are inferred from what it expects. A letter stands for all bytes that lead
            /// to the same frames and errors in the same places; the proof is about the letters, and
            /// the others are tried on the way.
            ///
            /// After an error a stream goes on with one letter only.
            ///
            /// Where states are equal at different offsets, their number does not grow with the
            /// length, and streams of any length are proved up to their first error, see
            /// [`any_length`](EveryStream::any_length).
            ///
            /// If it would take too much work, shorter streams are proved, and the result says
            /// how far it came; see [`max_work`](Harness::max_work).
            ///
            /// ```
            /// use everysplit::Harness;
            ///
            /// // A length of one byte, of at most 2, then the body.
            /// fn parse(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
            ///     let Some((&length, rest)) = bytes.split_first() else {
            ///         return Ok(None);
            ///     };
            ///     if length > 2 {
            ///         return Err("too long");
            ///     }
            ///     let body = rest.get(..length.into());
            ///     Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
            /// }
            ///
            /// let every = Harness::parser(parse, "truncated").every_stream(8)?;
            /// assert_eq!(every.any_length, Some(6), "{every}");
            /// # Ok::<(), everysplit::Violation>(())
            /// ```
            ///
            /// # Errors
            ///
            /// Returns a minimal violation.
            pub fn every_stream(&self, longest: usize) -> Result<EveryStream, Violation> {
                self.prove_streams::<$state<T::Subject>>(None, longest)
            }

            /// Proves all streams of up to `longest` bytes that are made of the given bytes, or of
            /// pieces of several bytes, in any order and number. Pieces are split as well, and the
            /// last one of a stream may be incomplete. As [`every_stream`](Self::every_stream) in all
            /// else.
            ///
            /// ```
            /// use everysplit::Harness;
            ///
            /// let lines = |bytes: &[u8]| {
            ///     let end = bytes.iter().position(|&byte| byte == b'\n');
            ///     Ok::<_, ()>(end.map(|end| (bytes[..end].to_vec(), end + 1)))
            /// };
            /// let every = Harness::parser(lines, ()).every_stream_of(["a", "\r\n"], 8)?;
            /// assert_eq!((every.longest, every.not_proved), (8, None));
            /// # Ok::<(), everysplit::Violation>(())
            /// ```
            ///
            /// # Errors
            ///
            /// Returns a minimal violation.
            ///
            /// # Panics
            ///
            /// Panics if there are no pieces, or if one is empty.
            #[track_caller]
            pub fn every_stream_of<B: AsRef<[u8]>>(
                &self,
                pieces: impl IntoIterator<Item = B>,
                longest: usize,
            ) -> Result<EveryStream, Violation> {
                let pieces: Vec<Vec<u8>> = pieces.into_iter().map(|it| it.as_ref().to_vec()).collect();
                assert!(!pieces.is_empty(), "`every_stream_of` needs one piece at least");
                assert!(
                    pieces.iter().all(|piece| !piece.is_empty()),
                    "a piece has one byte at least"
                );
                self.prove_streams::<$state<T::Subject>>(Some(&pieces), longest)
            }
        })*
    };
}

every_stream! {
    Harness: Cloned, Clone Eq;
    TextHarness: ClonedText, Clone Debug;
    RebuildHarness: Rebuilt, Eq;
    RebuildTextHarness: RebuiltText, Debug;
}

impl<T: FeedDoor, O: Specification<T>> RebuildTextHarness<T, O> {
    /// Proves streams of up to `longest` bytes or, if that is too much work, of as many as it can.
    fn prove_streams<W: State<Framer = T::Subject>>(
        &self,
        pieces: Option<&[Vec<u8>]>,
        longest: usize,
    ) -> Result<EveryStream, Violation> {
        try_make(&self.door, &[], &Split::whole())?;
        let proved = match self.prove_lengths::<W>(pieces, longest, false)? {
            Some(proved) => Some(proved),
            // The oracle may look back to whole frames.
            None => self.prove_lengths::<W>(pieces, longest, true)?,
        };
        let Proved {
            longest,
            proof,
            stopped_by: not_proved,
        } = proved.unwrap_or(Proved {
            stopped_by: Some(NotProved::Unconfirmed),
            ..Proved::NOTHING
        });
        let mut replayed = 0;
        for case in &proof.samples {
            self.replay_case(case)?;
            replayed += 1;
        }
        Ok(EveryStream {
            longest,
            streams: proof.streams,
            any_length: proof.any_length,
            letters: pieces.map_or_else(
                || {
                    proof
                        .letters
                        .iter()
                        .map(|&letter| [letter].into())
                        .collect()
                },
                <[Vec<u8>]>::to_vec,
            ),
            made_of: match pieces {
                Some(_) => MadeOf::Pieces,
                None if O::SOURCE == Source::Encoder => MadeOf::Messages,
                None => MadeOf::Letters,
            },
            unjudged: proof.unjudged,
            open_ends: proof.open_ends,
            after_errors: proof.after_errors,
            varied: proof.varied,
            states: proof.states,
            by: W::BY,
            calls: proof.calls,
            replayed,
            examples: examples(proof.streams_of_letters),
            not_proved,
            deviations: self.deviations.clone(),
        })
    }

    /// Proves streams of more and more bytes, up to `longest`. Returns `None` if a fresh framer does not
    /// do what a search found: then nothing is proved.
    fn prove_lengths<W: State<Framer = T::Subject>>(
        &self,
        pieces: Option<&[Vec<u8>]>,
        longest: usize,
        remembers: bool,
    ) -> Result<Option<Proved>, Violation> {
        let bounds = self.effort().of_streams();
        let mut proved = Proved::NOTHING;
        let mut is_confirmed = true;
        for longest in lengths(longest) {
            // A state is fed chunks of all lengths.
            if (longest as u128).pow(2) / 2 > bounds.max_work.into() {
                proved.stopped_by = Some(NotProved::TooMuchWork { calls: 0 });
                break;
            }
            let streams = Streams {
                pieces,
                longest,
                deviations: &self.deviations,
                remembers,
            };
            match every_stream::prove::<T, O, W>(&self.door, &self.oracle, streams, bounds) {
                Ok(mut proof) => {
                    // What is expected must not contradict what is declared.
                    for stream in &proof.streams_of_letters {
                        self.under_test().input(stream)?;
                    }
                    if let Some(case) = &proof.differs {
                        self.replay_case(case)?;
                        return Ok(None);
                    }
                    // A shorter stream is one of these too.
                    if proved.proof.unjudged {
                        proof.unjudged = true;
                        proof.any_length = None;
                    }
                    is_confirmed = true;
                    proved = Proved {
                        longest,
                        proof,
                        stopped_by: None,
                    };
                }
                Err(Stop::NotProved(NotProved::Unconfirmed)) => return Ok(None),
                Err(Stop::NotProved(reason)) => {
                    proved.stopped_by = Some(reason);
                    break;
                }
                Err(Stop::Found(found)) => {
                    let expected = self.oracle.expected(&self.door, &found.case.stream);
                    self.confirm(found)?;
                    // A longer stream that begins like it may be judged.
                    if expected.is_some() {
                        return Ok(None);
                    }
                    is_confirmed = false;
                }
            }
        }
        Ok(is_confirmed.then_some(proved))
    }

    /// Replays a case on fresh framers. Returns the input of its stream.
    fn replay_case<'a>(
        &'a self,
        case: &'a Case,
    ) -> Result<Input<'a, T::Frame, T::Error>, Violation> {
        let input = self.under_test().input(&case.stream)?;
        self.under_test()
            .run_case(case, &input)
            .map_err(|violation| self.under_test().minimal(violation))?;
        Ok(input)
    }

    /// Returns without an error if a fresh framer does not show what the search found.
    ///
    /// # Errors
    ///
    /// Returns the violation.
    fn confirm(&self, found: Found) -> Result<(), Violation> {
        let Found { case, path, stuck } = found;
        let input = self.replay_case(&case)?;
        let without_replay = |finding| Violation {
            replays: false,
            ..input.violation(finding, &case.split, case.interruption)
        };
        // Empty chunks in some places only, which no case has.
        premises::follow(self.door.subject(), &input, &path).map_err(without_replay)?;
        match stuck {
            Some(finding) => Err(minimize::cut_off(without_replay(finding))),
            None => Ok(()),
        }
    }
}

/// What is proved of some streams.
struct Proved {
    /// The length of the longest.
    longest: usize,
    proof: Proof,
    /// Why longer ones are not.
    stopped_by: Option<NotProved>,
}

impl Proved {
    const NOTHING: Self = Self {
        longest: 0,
        proof: Proof::NOTHING,
        stopped_by: None,
    };
}

/// Returns the lengths up to which streams are proved one after another, up to the longest. Short
/// streams come first: most violations are found with them, and they cost little.
fn lengths(longest: usize) -> Vec<usize> {
    let shorter =
        |&length: &usize| Some(length.saturating_sub(1).saturating_mul(2) / 3).filter(|&it| it > 0);
    let mut lengths: Vec<usize> = iter::successors(Some(longest), shorter).collect();
    lengths.reverse();
    lengths
}

/// Returns the streams, or some of them if there are many.
fn examples(streams: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    const MOST: usize = 256;
    let step = streams.len().div_ceil(MOST).max(1);
    streams.into_iter().step_by(step).collect()
}
