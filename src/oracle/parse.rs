//! The oracle of a format with a parser for whole streams.

use alloc::vec::Vec;

use super::{Judged, Oracle};
use crate::check::isolate::isolate_as;
use crate::check::judge::{AtStake, Expectation, LimitErrors};
use crate::door::Door;
use crate::expected::{Expected, Outcome, Source};

/// Expects what a function returns for the whole stream. Made by
/// [`Harness::oracle`](crate::Harness::oracle).
#[derive(Clone)]
pub struct Parse<P, E> {
    pub(crate) parse: P,
    /// Which errors reject a body over the size limit, if that is declared.
    pub(crate) limit_errors: Option<LimitErrors<E>>,
}

impl<P, E> crate::door::Sealed for Parse<P, E> {}

impl<T, P, A> Oracle<T> for Parse<P, T::Error>
where
    T: Door,
    P: Fn(&[u8]) -> A,
    A: Into<Option<Expected<T::Frame, T::Error>>>,
{
    const SOURCE: Source = Source::Parser;

    fn expected(&self, _: &T, stream: &[u8]) -> Option<Judged<T>> {
        let parse = || (self.parse)(stream).into();
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
            frames: Vec::new(),
            rejection,
            errors,
        };
        Some(Ok(Expectation { expected, limit }))
    }

    fn has_limit(&self) -> bool {
        self.limit_errors.is_some()
    }
}
