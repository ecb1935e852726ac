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

    /// The text that framers are compared by, or nothing if they are compared by `==`.
    type Text;

    const BY: ProvedBy;

    /// The framer's `clone`, if the way needs it.
    const CLONE: Option<fn(&Self::Framer) -> Self::Framer> = None;

    /// Makes the text of a framer.
    fn text(framer: &Self::Framer, offset: usize) -> Result<Self::Text, Fault>;

    /// Returns how many bytes of text are written to compare a framer.
    fn text_len(_: &Self::Text) -> usize {
        0
    }

    fn save(framer: Guarded<Self::Framer>, text: Self::Text, offset: usize) -> Result<Self, Fault>;

    /// Returns whether a framer with this text is in this state.
    fn is(&self, framer: &Self::Framer, text: &Self::Text, offset: usize) -> Result<bool, Fault>;

    /// Makes a framer in this state. Without a clone, the search must feed the state's path again.
    fn resume(&self, offset: usize) -> Option<Result<Guarded<Self::Framer>, Fault>>;

    fn release(self, offset: usize) -> Result<(), Fault>;
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
    type Text = ();

    const BY: ProvedBy = ProvedBy::CloneEq;
    const CLONE: Option<fn(&S) -> S> = Some(S::clone);

    fn text(_: &S, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn save(framer: Guarded<S>, (): (), _: usize) -> Result<Self, Fault> {
        Ok(Self(framer))
    }

    fn is(&self, framer: &S, (): &(), offset: usize) -> Result<bool, Fault> {
        equal(&*self.0, framer, offset)
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
    type Text = Box<str>;

    const BY: ProvedBy = ProvedBy::CloneDebug;
    const CLONE: Option<fn(&S) -> S> = Some(S::clone);

    fn text(framer: &S, offset: usize) -> Result<Box<str>, Fault> {
        text(framer, offset)
    }

    fn text_len(text: &Box<str>) -> usize {
        text.len()
    }

    fn save(framer: Guarded<S>, text: Box<str>, _: usize) -> Result<Self, Fault> {
        Ok(Self { framer, text })
    }

    fn is(&self, _: &S, text: &Box<str>, _: usize) -> Result<bool, Fault> {
        Ok(self.text == *text)
    }

    fn resume(&self, offset: usize) -> Option<Result<Guarded<S>, Fault>> {
        Some(clone(&*self.framer, offset))
    }

    fn release(self, offset: usize) -> Result<(), Fault> {
        release(self.framer, offset)
    }
}

impl<S: Eq> State for Rebuilt<S> {
    type Framer = S;
    type Text = ();

    const BY: ProvedBy = ProvedBy::RebuildEq;

    fn text(_: &S, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn save(framer: Guarded<S>, (): (), _: usize) -> Result<Self, Fault> {
        Ok(Self(framer))
    }

    fn is(&self, framer: &S, (): &(), offset: usize) -> Result<bool, Fault> {
        equal(&*self.0, framer, offset)
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
    type Text = Box<str>;

    const BY: ProvedBy = ProvedBy::RebuildDebug;

    fn text(framer: &S, offset: usize) -> Result<Box<str>, Fault> {
        text(framer, offset)
    }

    fn text_len(text: &Box<str>) -> usize {
        text.len()
    }

    fn save(framer: Guarded<S>, text: Box<str>, offset: usize) -> Result<Self, Fault> {
        release(framer, offset)?;
        let framer = PhantomData;
        Ok(Self { text, framer })
    }

    fn is(&self, _: &S, text: &Box<str>, _: usize) -> Result<bool, Fault> {
        Ok(self.text == *text)
    }

    fn resume(&self, _: usize) -> Option<Result<Guarded<S>, Fault>> {
        None
    }

    fn release(self, _: usize) -> Result<(), Fault> {
        Ok(())
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
