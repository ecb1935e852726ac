//! A state of a decoder in the driver, with the path that leads to it.

use std::rc::Rc;

/// A state that a decoder is in after some calls.
#[derive(Clone)]
pub(super) struct Step(Rc<Inner>);

struct Inner {
    /// The number of the process that named the state.
    generation: u64,
    /// The driver's name for it, if the driver saved it.
    state: Option<Rc<str>>,
    /// How many bytes of the stream the decoder has consumed.
    offset: usize,
    /// The call that led here, none to a fresh decoder.
    call: Option<(Step, Box<[u8]>)>,
}

impl Step {
    pub(super) fn fresh(generation: u64, state: Option<Rc<str>>) -> Self {
        Self(Rc::new(Inner {
            generation,
            state,
            offset: 0,
            call: None,
        }))
    }

    /// Makes the step after a call with `input`, of which `consumed` bytes are consumed.
    pub(super) fn then(
        &self,
        input: &[u8],
        consumed: usize,
        generation: u64,
        state: Option<Rc<str>>,
    ) -> Self {
        Self(Rc::new(Inner {
            generation,
            state,
            offset: self.0.offset + consumed,
            call: Some((self.clone(), input.into())),
        }))
    }

    pub(super) fn offset(&self) -> usize {
        self.0.offset
    }

    /// Returns the name of the state, if the process with this number knows it.
    pub(super) fn state(&self, generation: u64) -> Option<&str> {
        let state = self.0.state.as_deref();
        state.filter(|_| self.0.generation == generation)
    }

    /// Returns what the calls that lead here were given, in order.
    pub(super) fn path(&self) -> Vec<&[u8]> {
        let calls = std::iter::successors(self.0.call.as_ref(), |(from, _)| from.0.call.as_ref());
        let mut path: Vec<_> = calls.map(|(_, input)| &**input).collect();
        path.reverse();
        path
    }
}

/// Equal if one process of the driver has the same name for both: it then promises the same
/// behaviour.
impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        one.state.is_some() && one.state == other.state && one.generation == other.generation
    }
}

impl Drop for Inner {
    /// Not recursively, as a path can have many steps.
    fn drop(&mut self) {
        let mut call = self.call.take();
        while let Some((Step(step), _)) = call {
            call = Rc::into_inner(step).and_then(|mut inner| inner.call.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also one that would be too long for recursion.
    #[test]
    fn a_path_of_any_length_is_released() {
        let mut step = Step::fresh(0, None);
        for _ in 0..300_000 {
            step = step.then(&[], 0, 0, None);
        }
        assert_eq!(step.path().len(), 300_000);
    }
}
