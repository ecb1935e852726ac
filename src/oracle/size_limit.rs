//! What an oracle without an encoder knows of a format's size limit.

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::check::judge::{AtStake, LimitErrors};
use crate::door::Door;
use crate::expected::{Expected, Outcome};

/// An oracle without an encoder, for which the size limit is declared: [`Parse`](super::Parse) or
/// [`Specified`](super::Specified).
pub trait Limited<T: Door>: crate::door::Sealed {
    #[doc(hidden)]
    fn limit(&mut self) -> &mut SizeLimit<T::Frame, T::Error>;
}

/// What is declared of a size limit.
pub struct SizeLimit<F, E> {
    /// Which errors reject a body over the limit, if that is declared.
    pub(crate) errors: Option<LimitErrors<E>>,
    /// Which frames have a body of exactly the limit, if that is declared.
    pub(crate) frames: Option<LimitFrames<F>>,
}

/// Returns whether a frame has a body of exactly the size limit.
type LimitFrames<F> = Rc<dyn Fn(&F) -> bool>;

impl<F, E> SizeLimit<F, E> {
    pub(super) const UNKNOWN: Self = Self {
        errors: None,
        frames: None,
    };

    /// Returns where the limit is at stake in a stream.
    pub(super) fn at_stake(&self, expected: &Expected<F, E>) -> AtStake<E> {
        AtStake {
            frames: self.at_limit(&expected.frames),
            rejection: match (&expected.outcome, &self.errors) {
                (Outcome::Rejected { error, .. }, Some(errors)) => errors(error),
                _ => false,
            },
            errors: self.errors.clone(),
        }
    }

    /// Returns the indices of the frames whose bodies have exactly the size of the limit.
    fn at_limit(&self, frames: &[(usize, F)]) -> Vec<usize> {
        let Some(at_limit) = &self.frames else {
            return Vec::new();
        };
        let frames = frames.iter().enumerate();
        let at_limit = frames.filter(|(_, (_, frame))| at_limit(frame));
        at_limit.map(|(index, _)| index).collect()
    }
}

impl<F, E> Clone for SizeLimit<F, E> {
    fn clone(&self) -> Self {
        Self {
            errors: self.errors.clone(),
            frames: self.frames.clone(),
        }
    }
}
