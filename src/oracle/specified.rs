//! The oracle of a format with another framer, simple enough to be trusted.

use alloc::rc::Rc;

use super::size_limit::{Limited, SizeLimit};
use super::{Judged, Oracle, byte_by_byte};
use crate::check::judge::Expectation;
use crate::door::{Door, Fed};
use crate::expected::Source;
use crate::subject::Subject;

/// Expects what another framer emits byte by byte. Made by
/// [`Harness::specification`](crate::Harness::specification).
pub struct Specified<S: Subject> {
    door: Fed<S>,
    limit: SizeLimit<S::Frame, S::Error>,
}

impl<S: Subject> Specified<S> {
    pub(crate) fn new(make: impl Fn() -> S + 'static) -> Self {
        let make = Rc::new(make);
        let door = Fed { make };
        let limit = SizeLimit::UNKNOWN;
        Self { door, limit }
    }

    pub(crate) fn make(&self) -> S {
        (self.door.make)()
    }
}

impl<S: Subject> Clone for Specified<S> {
    fn clone(&self) -> Self {
        Self {
            door: self.door.clone(),
            limit: self.limit.clone(),
        }
    }
}

impl<S: Subject> crate::door::Sealed for Specified<S> {}

impl<T, S> Limited<T> for Specified<S>
where
    T: Door,
    S: Subject<Frame = T::Frame, Error = T::Error>,
{
    fn limit(&mut self) -> &mut SizeLimit<T::Frame, T::Error> {
        &mut self.limit
    }
}

impl<T, S> Oracle<T> for Specified<S>
where
    T: Door,
    S: Subject<Frame = T::Frame, Error = T::Error>,
{
    const SOURCE: Source = Source::Parser;

    fn expected(&self, _: &T, stream: &[u8]) -> Option<Judged<T::Frame, T::Error>> {
        let judged = byte_by_byte(&self.door, stream);
        Some(match judged {
            Ok(expectation) => Ok(Expectation {
                limit: self.limit.at_stake(&expectation),
                ..expectation
            }),
            Err(stuck) => Err(stuck.of_oracle()),
        })
    }

    fn has_limit(&self) -> bool {
        self.limit.errors.is_some()
    }
}
