//! Proofs, and the choice between them: one type for each way to save and compare the states of a
//! framer, each with a method `check` that needs what that way needs. A harness dereferences to
//! them, from the cheapest to the dearest, and last to [`SplitHarness`].

use alloc::vec::Vec;
use core::fmt::Debug;
use core::ops::Deref;

use super::effort::{Effort, Feeding};
use super::under_test::UnderTest;
use super::{Harness, SplitHarness};
use crate::check::input::Input;
use crate::check::prove::premises::{self, Contradiction};
use crate::check::prove::{
    Cloned, ClonedText, Proof, Rebuilt, RebuiltText, State, Stop, prove_caller_buffered, prove_fed,
};
use crate::check::{isolate, minimize};
use crate::door::{CallerBuffered, Fed, FeedDoor, Value};
use crate::oracle::Oracle;
use crate::property::Property;
use crate::report::{Certificate, NotProved, Premise, ProvedBy, Tier, Violation};
use crate::subject::{Buffered, Decode, Subject};

/// The part of a [`Harness`] for framers that are `Clone + Debug`: a proof compares their states by
/// their `Debug` texts.
#[derive(Clone)]
pub struct TextHarness<T, O>(RebuildHarness<T, O>);

/// The part of a [`Harness`] for framers that are `Eq`: a proof makes a state again by feeding its
/// path to a fresh framer.
#[derive(Clone)]
pub struct RebuildHarness<T, O>(RebuildTextHarness<T, O>);

/// The part of a [`Harness`] for framers that are `Debug`: a proof makes a state again by feeding
/// its path to a fresh framer, and compares states by their `Debug` texts.
#[derive(Clone)]
pub struct RebuildTextHarness<T, O> {
    splits: SplitHarness<T, O>,
    effort: Effort,
}

impl<T, O> Harness<T, O> {
    pub(super) fn of(splits: SplitHarness<T, O>, effort: Effort) -> Self {
        let last = RebuildTextHarness { splits, effort };
        Self(TextHarness(RebuildHarness(last)))
    }

    pub(super) fn into_parts(self) -> (SplitHarness<T, O>, Effort) {
        let RebuildTextHarness { splits, effort } = self.0.0.0;
        (splits, effort)
    }

    pub(super) fn splits_mut(&mut self) -> &mut SplitHarness<T, O> {
        &mut self.0.0.0.splits
    }

    pub(super) fn effort_mut(&mut self) -> &mut Effort {
        &mut self.0.0.0.effort
    }
}

impl<T, O> RebuildTextHarness<T, O> {
    pub(super) const fn effort(&self) -> &Effort {
        &self.effort
    }
}

/// Dereferences a harness to the next one.
macro_rules! next {
    ($($harness:ident . $field:tt: $next:ident;)*) => {
        $(impl<T, O> Deref for $harness<T, O> {
            type Target = $next<T, O>;

            fn deref(&self) -> &$next<T, O> {
                &self.$field
            }
        })*
    };
}

next! {
    Harness.0: TextHarness;
    TextHarness.0: RebuildHarness;
    RebuildHarness.0: RebuildTextHarness;
    RebuildTextHarness.splits: SplitHarness;
}

/// The longest input of a fuzzer that is proved, in bytes: a proof costs as much as some hundred
/// splits, and a fuzzer should spend its time on new inputs.
const PROVED_INPUT: usize = 32;

/// Adds `check` and `fuzz` to a harness, for framers with the given traits.
macro_rules! check {
    ($($harness:ident: $state:ident, $($bound:ident)+;)*) => {
        $(impl<S, O> $harness<Fed<S>, O>
        where
            S: Subject $(+ $bound)+,
            O: Oracle<Fed<S>>,
        {
            /// Proves every split of a stream, all 2^(n-1), by merging equal states.
            ///
            /// # Errors
            ///
            /// Returns a minimal violation.
            pub fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
                self.check_fed::<$state<S>>(stream)
            }

            /// Checks a fuzzer's input: for all splits if it is short, and otherwise as
            /// [`SplitHarness::fuzz`] does.
            ///
            /// # Errors
            ///
            /// Returns a minimal violation.
            pub fn fuzz(&self, stream: &[u8]) -> Result<(), Violation> {
                match stream.len() {
                    ..=PROVED_INPUT => self.check(stream).map(drop),
                    _ => SplitHarness::fuzz(self, stream),
                }
            }
        }

        impl<D, O> $harness<CallerBuffered<D>, O>
        where
            D: Decode $(+ $bound)+,
            O: Oracle<CallerBuffered<D>>,
        {
            /// Proves every split of a stream, all 2^(n-1), by merging equal states. As the caller
            /// owns the buffer, all offsets inside one wait share a state.
            ///
            /// # Errors
            ///
            /// Returns a minimal violation.
            pub fn check(&self, stream: &[u8]) -> Result<Certificate, Violation> {
                self.check_caller_buffered::<$state<D>, $state<Buffered<D>>>(stream)
            }

            /// Checks a fuzzer's input: for all splits if it is short, and otherwise as
            /// [`SplitHarness::fuzz`] does.
            ///
            /// # Errors
            ///
            /// Returns a minimal violation.
            pub fn fuzz(&self, stream: &[u8]) -> Result<(), Violation> {
                match stream.len() {
                    ..=PROVED_INPUT => self.check(stream).map(drop),
                    _ => SplitHarness::fuzz(self, stream),
                }
            }
        })*
    };
}

check! {
    Harness: Cloned, Clone Eq;
    TextHarness: ClonedText, Clone Debug;
    RebuildHarness: Rebuilt, Eq;
    RebuildTextHarness: RebuiltText, Debug;
}

impl<S: Subject, O: Oracle<Fed<S>>> RebuildTextHarness<Fed<S>, O> {
    fn check_fed<W: State<Framer = S>>(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        let input = self.under_test().input(stream)?;
        let proof = self.prove_fed::<W>(&*self.door.make, &input);
        self.certify::<W>(&input, proof)
    }
}

impl<D: Decode, O: Oracle<CallerBuffered<D>>> RebuildTextHarness<CallerBuffered<D>, O> {
    /// A decoder that remembers how far it has looked is in many states after consuming the same
    /// bytes, and often in one state at each offset. So it is then proved with its buffer.
    fn check_caller_buffered<W, B>(&self, stream: &[u8]) -> Result<Certificate, Violation>
    where
        W: State<Framer = D>,
        B: State<Framer = Buffered<D>>,
    {
        let input = self.under_test().input(stream)?;
        let (edges, len) = (input.edges(), stream.len());
        let mut run = |ends: &[usize], bounds| {
            prove_caller_buffered::<W>(&*self.door.make, &input, ends, bounds)
        };
        let mut proof = self.effort.prove(Feeding::Buffers, &edges, len, &mut run);
        let make = || Buffered::new((self.door.make)());
        let is_doubtful = match &proof.1 {
            Err(Stop::NotProved(reason)) => matches!(
                reason,
                NotProved::TooManyStates { .. } | NotProved::TooMuchWork { .. }
            ),
            // How much a decoder may hold depends on the chunks that it was given.
            Err(Stop::Violation { violation, path }) => {
                violation.property == Property::Memory
                    && premises::follow(make(), &input, path).is_ok()
            }
            _ => false,
        };
        if is_doubtful {
            proof = self.prove_fed::<B>(&make, &input);
        }
        self.certify::<B>(&input, proof)
    }
}

/// The offsets at which a proof let chunks end, and its result.
type Proved = (Vec<usize>, Result<Proof, Stop>);

impl<T: FeedDoor, O: Oracle<T>> RebuildTextHarness<T, O> {
    fn prove_fed<W: State<Framer = T::Subject>>(
        &self,
        fresh: &dyn Fn() -> T::Subject,
        input: &Input<'_, T::Frame, T::Error>,
    ) -> Proved {
        let feeding = match W::BY {
            ProvedBy::CloneEq | ProvedBy::RebuildEq => Feeding::Chunks,
            ProvedBy::CloneDebug | ProvedBy::RebuildDebug => Feeding::Texts,
        };
        let mut run = |ends: &[usize], bounds| prove_fed::<W>(fresh, input, ends, bounds);
        let len = input.stream.len();
        self.effort.prove(feeding, &input.edges(), len, &mut run)
    }

    /// Makes a certificate of a proof whose premises hold; without one, checks every split of up to
    /// two cuts.
    fn certify<W: State<Framer = T::Subject>>(
        &self,
        input: &Input<'_, T::Frame, T::Error>,
        proved: Proved,
    ) -> Result<Certificate, Violation> {
        let fresh = || self.door.subject();
        let shown = |path: &[usize]| premises::follow(fresh(), input, path).is_err();
        let broken = |contradiction: &_| premises::broken::<W>(&fresh, input, contradiction);
        let doubts = Doubts {
            shown: &shown,
            premise: match W::CLONE {
                Some(_) => NotProved::UnfaithfulClone,
                None => NotProved::NotRepeatable,
            },
            broken: &broken,
        };
        self.under_test().certify(input, proved, &doubts)
    }
}

/// How the premises of a proof are checked, and what is said if one does not hold.
struct Doubts<'a> {
    /// Returns whether a fresh framer shows what was found on a path.
    shown: &'a dyn Fn(&[usize]) -> bool,
    /// Why nothing is proved if it does not.
    premise: NotProved,
    /// Returns the premise that a contradiction breaks.
    broken: &'a dyn Fn(&Contradiction) -> Option<Premise>,
}

impl<F: Value, E: Value> dyn UnderTest<F, E> + '_ {
    fn certify(
        &self,
        input: &Input<'_, F, E>,
        (ends, proof): Proved,
        doubts: &Doubts<'_>,
    ) -> Result<Certificate, Violation> {
        let proof = match proof {
            Ok(proof) => proof,
            Err(Stop::NotProved(reason)) => return self.check_few_cuts(input.stream, reason),
            Err(Stop::StateViolation(violation)) => {
                return Err(Violation {
                    replays: false,
                    ..minimize::cut_off(*violation)
                });
            }
            Err(Stop::Violation { violation, path }) => {
                return if isolate::hung() || (doubts.shown)(&path) {
                    Err(self.minimal(*violation))
                } else {
                    self.check_few_cuts(input.stream, doubts.premise)
                };
            }
        };
        match premises::replay(self.door(), input, &ends, &proof) {
            Ok(replayed) => {
                let Proof {
                    states, by, calls, ..
                } = proof;
                let tier = if ends.len() > input.stream.len() {
                    Tier::Proved {
                        states,
                        by,
                        replayed,
                    }
                } else {
                    Tier::ProvedAt {
                        offsets: ends.len() - 2,
                        states,
                        by,
                        replayed,
                    }
                };
                Ok(self.certificate(input, tier, calls))
            }
            Err(contradiction) => {
                let premise = (doubts.broken)(&contradiction);
                let Contradiction {
                    finding,
                    split,
                    interruption,
                } = contradiction;
                let found = input.violation(finding, &split, interruption);
                Err(Violation {
                    premise,
                    ..self.minimal(found)
                })
            }
        }
    }
}
