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
use crate::check::isolate::{Calls, Guarded};
use crate::report::ProvedBy;

/// A saved state. Each method calls the framer's own code, as one of the calls that are isolated.
pub(crate) trait State: Sized {
    type Framer;

    /// The text that framers are compared by, or nothing if they are compared by `==`.
    type Text;

    const BY: ProvedBy;

    /// The framer's `clone`, if the way needs it.
    const CLONE: Option<fn(&Self::Framer) -> Self::Framer> = None;

    /// Makes the text of a framer.
    fn text(framer: &Self::Framer, calls: &Calls) -> Result<Self::Text, Fault>;

    /// Returns how many bytes of text are written to compare a framer.
    fn text_len(_: &Self::Text) -> usize {
        0
    }

    fn save(framer: Guarded<Self::Framer>, text: Self::Text, calls: &Calls) -> Result<Self, Fault>;

    /// Returns whether a framer with this text is in this state.
    fn is(&self, framer: &Self::Framer, text: &Self::Text, calls: &Calls) -> Result<bool, Fault>;

    /// Makes a framer in this state. Without a clone, the search must feed the state's path again.
    fn resume(&self, calls: &Calls) -> Option<Result<Guarded<Self::Framer>, Fault>>;

    fn release(self, calls: &Calls) -> Result<(), Fault>;
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

    fn text(_: &S, _: &Calls) -> Result<(), Fault> {
        Ok(())
    }

    fn save(framer: Guarded<S>, (): (), _: &Calls) -> Result<Self, Fault> {
        Ok(Self(framer))
    }

    fn is(&self, framer: &S, (): &(), calls: &Calls) -> Result<bool, Fault> {
        equal(&*self.0, framer, calls)
    }

    fn resume(&self, calls: &Calls) -> Option<Result<Guarded<S>, Fault>> {
        Some(clone(&*self.0, calls))
    }

    fn release(self, calls: &Calls) -> Result<(), Fault> {
        release(self.0, calls)
    }
}

impl<S: Clone + Debug> State for ClonedText<S> {
    type Framer = S;
    type Text = Box<str>;

    const BY: ProvedBy = ProvedBy::CloneDebug;
    const CLONE: Option<fn(&S) -> S> = Some(S::clone);

    fn text(framer: &S, calls: &Calls) -> Result<Box<str>, Fault> {
        text(framer, calls)
    }

    fn text_len(text: &Box<str>) -> usize {
        text.len()
    }

    fn save(framer: Guarded<S>, text: Box<str>, _: &Calls) -> Result<Self, Fault> {
        Ok(Self { framer, text })
    }

    fn is(&self, _: &S, text: &Box<str>, _: &Calls) -> Result<bool, Fault> {
        Ok(self.text == *text)
    }

    fn resume(&self, calls: &Calls) -> Option<Result<Guarded<S>, Fault>> {
        Some(clone(&*self.framer, calls))
    }

    fn release(self, calls: &Calls) -> Result<(), Fault> {
        release(self.framer, calls)
    }
}

impl<S: Eq> State for Rebuilt<S> {
    type Framer = S;
    type Text = ();

    const BY: ProvedBy = ProvedBy::RebuildEq;

    fn text(_: &S, _: &Calls) -> Result<(), Fault> {
        Ok(())
    }

    fn save(framer: Guarded<S>, (): (), _: &Calls) -> Result<Self, Fault> {
        Ok(Self(framer))
    }

    fn is(&self, framer: &S, (): &(), calls: &Calls) -> Result<bool, Fault> {
        equal(&*self.0, framer, calls)
    }

    fn resume(&self, _: &Calls) -> Option<Result<Guarded<S>, Fault>> {
        None
    }

    fn release(self, calls: &Calls) -> Result<(), Fault> {
        release(self.0, calls)
    }
}

impl<S: Debug> State for RebuiltText<S> {
    type Framer = S;
    type Text = Box<str>;

    const BY: ProvedBy = ProvedBy::RebuildDebug;

    fn text(framer: &S, calls: &Calls) -> Result<Box<str>, Fault> {
        text(framer, calls)
    }

    fn text_len(text: &Box<str>) -> usize {
        text.len()
    }

    fn save(framer: Guarded<S>, text: Box<str>, calls: &Calls) -> Result<Self, Fault> {
        release(framer, calls)?;
        let framer = PhantomData;
        Ok(Self { text, framer })
    }

    fn is(&self, _: &S, text: &Box<str>, _: &Calls) -> Result<bool, Fault> {
        Ok(self.text == *text)
    }

    fn resume(&self, _: &Calls) -> Option<Result<Guarded<S>, Fault>> {
        None
    }

    fn release(self, _: &Calls) -> Result<(), Fault> {
        Ok(())
    }
}

fn clone<S: Clone>(framer: &S, calls: &Calls) -> Result<Guarded<S>, Fault> {
    calls.next_of_state("the framer's `clone` returns")?;
    Ok(Guarded::new(framer.clone()))
}

fn equal<S: Eq>(one: &S, other: &S, calls: &Calls) -> Result<bool, Fault> {
    calls.next_of_state("the framer's `==` returns")?;
    Ok(one == other)
}

fn text<S: Debug>(framer: &S, calls: &Calls) -> Result<Box<str>, Fault> {
    calls.next_of_state("the framer's `Debug` returns")?;
    Ok(format!("{framer:?}").into())
}

/// Drops a framer.
pub(crate) fn release<S>(framer: Guarded<S>, calls: &Calls) -> Result<(), Fault> {
    if framer.needs_drop() {
        calls.next_of_state("the framer's `drop` returns")?;
    }
    framer.drop_now();
    Ok(())
}
