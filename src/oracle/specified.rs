//! The oracle of a format with another framer, simple enough to be trusted.

use alloc::rc::Rc;

use super::{Judged, Oracle, byte_by_byte};
use crate::door::{Door, Fed};
use crate::expected::Source;
use crate::subject::Subject;

/// Expects what another framer emits byte by byte. Made by
/// [`Harness::specification`](crate::Harness::specification).
pub struct Specified<S> {
    door: Fed<S>,
}

impl<S: Subject> Specified<S> {
    pub(crate) fn new(make: impl Fn() -> S + 'static) -> Self {
        let make = Rc::new(make);
        let door = Fed { make };
        Self { door }
    }

    pub(crate) fn make(&self) -> S {
        (self.door.make)()
    }
}

impl<S: Subject> Clone for Specified<S> {
    fn clone(&self) -> Self {
        Self {
            door: self.door.clone(),
        }
    }
}

impl<S> crate::door::Sealed for Specified<S> {}

impl<T, S> Oracle<T> for Specified<S>
where
    T: Door,
    S: Subject<Frame = T::Frame, Error = T::Error>,
{
    const SOURCE: Source = Source::Parser;

    fn expected(&self, _: &T, stream: &[u8]) -> Option<Judged<T::Frame, T::Error>> {
        Some(byte_by_byte(&self.door, stream))
    }
}
