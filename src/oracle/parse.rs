//! The oracle of a format with a parser for whole streams.

use super::size_limit::{Limited, SizeLimit};
use super::{Judged, Oracle};
use crate::check::isolate::{Guarded, isolate_as};
use crate::check::judge::Expectation;
use crate::door::Door;
use crate::expected::{Expected, Source};

/// Expects what a function returns for the whole stream. Made by
/// [`Harness::oracle`](crate::Harness::oracle).
pub struct Parse<P, F, E> {
    pub(crate) naive: P,
    limit: SizeLimit<F, E>,
}

impl<P, F, E> Parse<P, F, E> {
    pub(crate) const fn new(naive: P) -> Self {
        let limit = SizeLimit::UNKNOWN;
        Self { naive, limit }
    }
}

impl<P: Clone, F, E> Clone for Parse<P, F, E> {
    fn clone(&self) -> Self {
        Self {
            naive: self.naive.clone(),
            limit: self.limit.clone(),
        }
    }
}

impl<P, F, E> crate::door::Sealed for Parse<P, F, E> {}

impl<T: Door, P> Limited<T> for Parse<P, T::Frame, T::Error> {
    fn limit(&mut self) -> &mut SizeLimit<T::Frame, T::Error> {
        &mut self.limit
    }
}

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
        let limit = self.limit.at_stake(&expected);
        Some(Ok(Expectation {
            limit,
            ..Expectation::of(Guarded::new(expected))
        }))
    }

    fn has_limit(&self) -> bool {
        self.limit.errors.is_some()
    }
}
