//! The oracle of a format with a parser for whole streams.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{Judged, Oracle};
use crate::check::isolate::{Guarded, isolate_as};
use crate::check::judge::{AtStake, Expectation, LimitErrors};
use crate::door::Door;
use crate::expected::{Expected, Outcome, Source};

/// Expects what a function returns for the whole stream. Made by
/// [`Harness::oracle`](crate::Harness::oracle).
pub struct Parse<P, F, E> {
    pub(crate) naive: P,
    /// Which errors reject a body over the size limit, if that is declared.
    pub(crate) limit_errors: Option<LimitErrors<E>>,
    /// Which frames have a body of exactly the size limit, if that is declared.
    pub(crate) limit_frames: Option<LimitFrames<F>>,
}

/// Returns whether a frame has a body of exactly the size limit.
type LimitFrames<F> = Rc<dyn Fn(&F) -> bool>;

impl<P: Clone, F, E> Clone for Parse<P, F, E> {
    fn clone(&self) -> Self {
        Self {
            naive: self.naive.clone(),
            limit_errors: self.limit_errors.clone(),
            limit_frames: self.limit_frames.clone(),
        }
    }
}

impl<P, F, E> Parse<P, F, E> {
    /// Returns the indices of the frames whose bodies have exactly the size of the limit.
    fn at_limit(&self, frames: &[(usize, F)]) -> Vec<usize> {
        let Some(at_limit) = &self.limit_frames else {
            return Vec::new();
        };
        let frames = frames.iter().enumerate();
        let at_limit = frames.filter(|(_, (_, frame))| at_limit(frame));
        at_limit.map(|(index, _)| index).collect()
    }
}

impl<P, F, E> crate::door::Sealed for Parse<P, F, E> {}

impl<T, P, A> Oracle<T> for Parse<P, T::Frame, T::Error>
where
    T: Door,
    P: Fn(&[u8]) -> A,
    A: Into<Option<Expected<T::Frame, T::Error>>>,
{
    const SOURCE: Source = Source::Parser;

    fn expected(&self, _: &T, stream: &[u8]) -> Option<Judged<T::Frame, T::Error>> {
        let parse = || (self.naive)(stream).into();
        let expected = match isolate_as("the oracle returns", stream.len(), parse) {
            Ok(expected) => expected?,
            Err(stuck) => return Some(Err(stuck)),
        };
        let errors = self.limit_errors.clone();
        let rejection = match (&expected.outcome, &errors) {
            (Outcome::Rejected { error, .. }, Some(errors)) => errors(error),
            _ => false,
        };
        let limit = AtStake {
            frames: self.at_limit(&expected.frames),
            rejection,
            errors,
        };
        Some(Ok(Expectation {
            expected: Guarded::new(expected),
            limit,
            longest_frame: None,
            unfinished: None,
        }))
    }

    fn has_limit(&self) -> bool {
        self.limit_errors.is_some()
    }
}
