//! The oracle of a format with a parser for whole streams.

use super::Oracle;
use crate::check::finding::{Finding, Source};
use crate::door::Door;
use crate::expected::Expected;

/// Expects what a function returns for the whole stream. Made by
/// [`Harness::oracle`](crate::Harness::oracle).
#[derive(Clone, Copy, Debug)]
pub struct Parse<P>(pub(crate) P);

impl<P> crate::door::Sealed for Parse<P> {}

impl<T, P, A> Oracle<T> for Parse<P>
where
    T: Door,
    P: Fn(&[u8]) -> A,
    A: Into<Option<Expected<T::Frame, T::Error>>>,
{
    const SOURCE: Source = Source::Parser;

    fn expected(
        &self,
        _: &T,
        stream: &[u8],
    ) -> Option<Result<Expected<T::Frame, T::Error>, Finding>> {
        (self.0)(stream).into().map(Ok)
    }
}
