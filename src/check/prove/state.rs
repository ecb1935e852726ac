//! The ways to save a framer's state, to compare it with another, and to continue from it.
//!
//! | the framer is | a state is continued by | and compared by |
//! |---|---|---|
//! | `Clone + Eq` | a clone | `==` |
//! | `Clone + Debug` | a clone | its `Debug` text |
//! | `Eq` | feeding its path again | `==` |
//! | `Debug` | feeding its path again | its `Debug` text |

use alloc::boxed::Box;
use alloc::format;
use core::fmt::Debug;
use core::marker::PhantomData;

use super::Fault;
use crate::check::isolate::{Guarded, isolate_as};
use crate::report::ProvedBy;

/// A saved state. Each method calls the framer's own code, isolated, after `offset` bytes.
pub(crate) trait State: Sized {
    type Framer;

    const BY: ProvedBy;

    /// The framer's `clone`, if the way needs it.
    const CLONE: Option<fn(&Self::Framer) -> Self::Framer> = None;

    fn save(framer: Guarded<Self::Framer>, offset: usize) -> Result<Self, Fault>;

    fn equals(&self, other: &Self, offset: usize) -> Result<bool, Fault>;

    /// Makes a framer in this state. Without a clone, the search must feed the state's path again.
    fn resume(&self, offset: usize) -> Option<Result<Guarded<Self::Framer>, Fault>>;

    fn release(self, offset: usize) -> Result<(), Fault>;

    /// Returns how many bytes of text are written to save the state.
    fn text_len(&self) -> usize {
        0
    }
}

/// A state of a framer that is `Clone + Eq`.
pub(crate) struct Cloned<S>(Guarded<S>);

/// A state of a framer that is `Clone + Debug`.
pub(crate) struct ClonedText<S> {
    framer: Guarded<S>,
    text: Box<str>,
}

/// A state of a framer that is `Eq`.
pub(crate) struct Rebuilt<S>(Guarded<S>);

/// A state of a framer that is `Debug`.
pub(crate) struct RebuiltText<S> {
    text: Box<str>,
    framer: PhantomData<fn() -> S>,
}

impl<S: Clone + Eq> State for Cloned<S> {
    type Framer = S;

    const BY: ProvedBy = ProvedBy::CloneEq;
    const CLONE: Option<fn(&S) -> S> = Some(S::clone);

    fn save(framer: Guarded<S>, _: usize) -> Result<Self, Fault> {
        Ok(Self(framer))
    }

    fn equals(&self, other: &Self, offset: usize) -> Result<bool, Fault> {
        equal(&*self.0, &*other.0, offset)
    }

    fn resume(&self, offset: usize) -> Option<Result<Guarded<S>, Fault>> {
        Some(clone(&*self.0, offset))
    }

    fn release(self, offset: usize) -> Result<(), Fault> {
        release(self.0, offset)
    }
}

impl<S: Clone + Debug> State for ClonedText<S> {
    type Framer = S;

    const BY: ProvedBy = ProvedBy::CloneDebug;
    const CLONE: Option<fn(&S) -> S> = Some(S::clone);

    fn save(framer: Guarded<S>, offset: usize) -> Result<Self, Fault> {
        let text = text(&*framer, offset)?;
        Ok(Self { framer, text })
    }

    fn equals(&self, other: &Self, _: usize) -> Result<bool, Fault> {
        Ok(self.text == other.text)
    }

    fn resume(&self, offset: usize) -> Option<Result<Guarded<S>, Fault>> {
        Some(clone(&*self.framer, offset))
    }

    fn release(self, offset: usize) -> Result<(), Fault> {
        release(self.framer, offset)
    }

    fn text_len(&self) -> usize {
        self.text.len()
    }
}

impl<S: Eq> State for Rebuilt<S> {
    type Framer = S;

    const BY: ProvedBy = ProvedBy::RebuildEq;

    fn save(framer: Guarded<S>, _: usize) -> Result<Self, Fault> {
        Ok(Self(framer))
    }

    fn equals(&self, other: &Self, offset: usize) -> Result<bool, Fault> {
        equal(&*self.0, &*other.0, offset)
    }

    fn resume(&self, _: usize) -> Option<Result<Guarded<S>, Fault>> {
        None
    }

    fn release(self, offset: usize) -> Result<(), Fault> {
        release(self.0, offset)
    }
}

impl<S: Debug> State for RebuiltText<S> {
    type Framer = S;

    const BY: ProvedBy = ProvedBy::RebuildDebug;

    fn save(framer: Guarded<S>, offset: usize) -> Result<Self, Fault> {
        let text = text(&*framer, offset)?;
        release(framer, offset)?;
        let framer = PhantomData;
        Ok(Self { text, framer })
    }

    fn equals(&self, other: &Self, _: usize) -> Result<bool, Fault> {
        Ok(self.text == other.text)
    }

    fn resume(&self, _: usize) -> Option<Result<Guarded<S>, Fault>> {
        None
    }

    fn release(self, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn text_len(&self) -> usize {
        self.text.len()
    }
}

fn clone<S: Clone>(framer: &S, offset: usize) -> Result<Guarded<S>, Fault> {
    own("the framer's `clone` returns", offset, || framer.clone()).map(Guarded::new)
}

fn equal<S: Eq>(one: &S, other: &S, offset: usize) -> Result<bool, Fault> {
    own("the framer's `==` returns", offset, || one == other)
}

fn text<S: Debug>(framer: &S, offset: usize) -> Result<Box<str>, Fault> {
    let text = || format!("{framer:?}").into();
    own("the framer's `Debug` returns", offset, text)
}

/// Drops a framer.
pub(crate) fn release<S>(framer: Guarded<S>, offset: usize) -> Result<(), Fault> {
    let released = framer.release("the framer's `drop` returns", offset);
    released.map_err(Fault::State)
}

fn own<T>(expected: &str, offset: usize, call: impl FnOnce() -> T) -> Result<T, Fault> {
    isolate_as(expected, offset, call).map_err(Fault::State)
}
