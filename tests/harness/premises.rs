//! What a proof rests on is checked: framers whose `Clone`, `Eq` or `Debug` leaves out state. The
//! proof of each of them passes, or finds what a fresh framer does not do.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use everysplit::subject::{FeedFn, Frames, Subject};
use everysplit::{
    Certificate, Expected, Harness, NotProved, Outcome, Premise, Property, ProvedBy, Tier,
    Violation,
};

fn parse(stream: &[u8]) -> Expected<Vec<u8>, ()> {
    crate::harness::parse_or(stream, ())
}

const STREAM: &[u8] = b"\x05hello\0\x02ok\x04";

/// Removes the first frame of a length of one byte and a body.
fn take(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = usize::from(*buffer.first()?);
    (buffer.len() > length).then(|| buffer.drain(..=length).skip(1).collect())
}

fn finish(buffer: &[u8]) -> Result<(), ()> {
    if buffer.is_empty() { Ok(()) } else { Err(()) }
}

/// A framer that reverses a body that arrives in three chunks or more, if it is buggy.
#[derive(Debug, PartialEq, Eq)]
struct ThreeChunks {
    buffer: Vec<u8>,
    chunks: Cell<usize>,
    is_buggy: bool,
}

impl ThreeChunks {
    const fn new(is_buggy: bool) -> Self {
        Self {
            buffer: Vec::new(),
            chunks: Cell::new(0),
            is_buggy,
        }
    }

    /// Copies the framer with another number of chunks.
    fn copy(&self, chunks: usize) -> Self {
        Self {
            buffer: self.buffer.clone(),
            chunks: Cell::new(chunks),
            is_buggy: self.is_buggy,
        }
    }

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) {
        self.buffer.extend(chunk);
        if !chunk.is_empty() {
            self.chunks.set(3.min(self.chunks.get() + 1));
        }
        while let Some(mut body) = take(&mut self.buffer) {
            if self.is_buggy && self.chunks.get() == 3 {
                body.reverse();
            }
            frames.push(body);
            self.chunks.set(0);
        }
    }
}

/// Defines framers around a [`ThreeChunks`].
macro_rules! framers {
    ($($(#[$attribute:meta])* $name:ident;)*) => {
        $($(#[$attribute])*
        struct $name(ThreeChunks);

        impl Subject for $name {
            type Frame = Vec<u8>;
            type Error = ();

            fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
                self.0.feed(chunk, frames);
                Ok(())
            }

            fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), ()> {
                finish(&self.0.buffer)
            }
        })*
    };
}

framers! {
    /// Its clones start counting afresh.
    #[derive(PartialEq, Eq)]
    StartsAfresh;

    /// `==` does not compare the count.
    Uncompared;

    /// `==` does not compare the count, and there is no `Clone`.
    UncomparedRebuilt;

    /// The text does not show the count.
    Hidden;

    /// The text does not show the count, and there is no `Clone`.
    HiddenRebuilt;
}

impl Clone for StartsAfresh {
    fn clone(&self) -> Self {
        Self(self.0.copy(0))
    }
}

impl Clone for Uncompared {
    fn clone(&self) -> Self {
        Self(self.0.copy(self.0.chunks.get()))
    }
}

impl Clone for Hidden {
    fn clone(&self) -> Self {
        Self(self.0.copy(self.0.chunks.get()))
    }
}

macro_rules! compare_buffers {
    ($($name:ident)*) => {
        $(impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.buffer == other.0.buffer
            }
        }

        impl Eq for $name {})*
    };
}

macro_rules! show_buffers {
    ($($name:ident)*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("Framer")
                    .field("buffer", &self.0.buffer)
                    .finish_non_exhaustive()
            }
        })*
    };
}

compare_buffers!(Uncompared UncomparedRebuilt);
show_buffers!(Hidden HiddenRebuilt);

/// Checks one framer. A macro, as the choice of the proof depends on the type.
macro_rules! check {
    ($make:expr) => {
        Harness::framer($make).oracle(parse).check(STREAM)
    };
}

#[track_caller]
fn assert_premise(found: Result<Certificate, Violation>, premise: Premise, note: &str) {
    let violation = found.unwrap_err();
    assert_eq!(violation.premise, Some(premise), "{violation}");
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
    // It is minimal: no frame is left but the one in three chunks.
    assert_eq!(violation.case.split.cuts().len(), 2, "{violation}");
    let text = violation.to_string();
    assert!(
        text.contains(&format!("\n  note      a proof passed: {note}\n")),
        "{text}"
    );
}

const CLONE: &str = "the framer's clones do not behave as it does";
const EQ: &str = "the framer has state that == does not compare";
const DEBUG: &str = "the framer has state that its Debug text does not show";

#[test]
fn a_clone_that_starts_afresh_is_found() {
    let found = check!(|| StartsAfresh(ThreeChunks::new(true)));
    assert_premise(found, Premise::Clone, CLONE);
    // What replays is what a fresh framer does.
    let harness = Harness::framer(|| StartsAfresh(ThreeChunks::new(true))).oracle(parse);
    let violation = harness.check(STREAM).unwrap_err();
    let replayed = harness.replay(&violation.case.to_string()).unwrap_err();
    assert_eq!(replayed.premise, None);
    assert_eq!(replayed.actual, violation.actual);
}

#[test]
fn state_that_is_not_compared_is_found() {
    let found = check!(|| Uncompared(ThreeChunks::new(true)));
    assert_premise(found, Premise::Eq, EQ);
    let found = check!(|| UncomparedRebuilt(ThreeChunks::new(true)));
    assert_premise(found, Premise::Eq, EQ);
}

#[test]
fn state_that_the_text_does_not_show_is_found() {
    let found = check!(|| Hidden(ThreeChunks::new(true)));
    assert_premise(found, Premise::Debug, DEBUG);
    let found = check!(|| HiddenRebuilt(ThreeChunks::new(true)));
    assert_premise(found, Premise::Debug, DEBUG);
}

/// A state that decides nothing may be left out.
#[test]
fn correct_framers_with_such_state_are_proved() {
    let proofs = [
        (
            check!(|| StartsAfresh(ThreeChunks::new(false))),
            ProvedBy::CloneEq,
        ),
        (
            check!(|| Uncompared(ThreeChunks::new(false))),
            ProvedBy::CloneEq,
        ),
        (
            check!(|| UncomparedRebuilt(ThreeChunks::new(false))),
            ProvedBy::RebuildEq,
        ),
        (
            check!(|| Hidden(ThreeChunks::new(false))),
            ProvedBy::CloneDebug,
        ),
        (
            check!(|| HiddenRebuilt(ThreeChunks::new(false))),
            ProvedBy::RebuildDebug,
        ),
    ];
    for (proof, way) in proofs {
        let certificate = proof.unwrap();
        let Tier::Proved { by, replayed, .. } = certificate.tier else {
            panic!("{certificate}");
        };
        assert_eq!(by, way, "{certificate}");
        // The whole, byte by byte, ten of one cut, and random ones.
        assert!((13..=112).contains(&replayed), "{certificate}");
        let text = certificate.to_string();
        let end = format!("; {replayed} splits replayed");
        assert!(text.ends_with(&end), "{text}");
    }
}

/// No split is counted twice.
#[test]
fn a_stream_with_few_splits_has_few_replays() {
    let harness = Harness::framer(|| Uncompared(ThreeChunks::new(false))).oracle(parse);
    for (stream, splits) in [(&b""[..], 1), (b"\0", 1), (b"\0\0", 2), (b"\0\0\0", 4)] {
        let certificate = harness.check(stream).unwrap();
        let Tier::Proved { replayed, .. } = certificate.tier else {
            panic!("{certificate}");
        };
        assert_eq!(replayed, splits, "{certificate}");
    }
}

/// The last chunk of any framer on this thread was of one byte, and so is this one: then a body is
/// reversed. The proof feeds no two such chunks one after the other.
#[test]
fn state_outside_of_the_framer_is_found() {
    thread_local! {
        static SINGLE: Cell<bool> = const { Cell::new(false) };
    }

    #[derive(Clone, PartialEq, Eq)]
    struct Global(Vec<u8>);

    impl Subject for Global {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            let single = chunk.len() == 1;
            let both = SINGLE.replace(single) && single;
            self.0.extend(chunk);
            while let Some(mut body) = take(&mut self.0) {
                if both {
                    body.reverse();
                }
                frames.push(body);
            }
            Ok(())
        }

        fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            finish(&self.0)
        }
    }

    let make = || {
        SINGLE.set(false);
        Global(Vec::new())
    };
    let violation = Harness::framer(make)
        .oracle(parse)
        .check(STREAM)
        .unwrap_err();
    assert_eq!(violation.premise, Some(Premise::Eq), "{violation}");
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
}

/// A framer whose clones share its buffer: correct, and not proved. Buggy ones are still found.
#[test]
fn clones_that_share_state_are_not_taken_for_a_violation() {
    #[derive(Clone, PartialEq, Eq)]
    struct Shared {
        buffer: Rc<RefCell<Vec<u8>>>,
        is_buggy: bool,
    }

    impl Subject for Shared {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            let mut buffer = self.buffer.borrow_mut();
            buffer.extend(chunk);
            let cut = buffer.len() > chunk.len();
            while let Some(mut body) = take(&mut buffer) {
                if cut && self.is_buggy {
                    body.reverse();
                }
                frames.push(body);
            }
            Ok(())
        }

        fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            finish(&self.buffer.borrow())
        }
    }

    let check = |is_buggy| {
        let make = move || Shared {
            buffer: Rc::default(),
            is_buggy,
        };
        Harness::framer(make).oracle(parse).check(STREAM)
    };
    let certificate = check(false).unwrap();
    assert!(
        matches!(
            certificate.tier,
            Tier::Bounded {
                cuts: 2,
                not_proved: Some(NotProved::UnfaithfulClone),
                ..
            }
        ),
        "{certificate}"
    );
    let text = certificate.to_string();
    let reason = "; not proved: the framer's clones share state, or do not behave as it does";
    assert!(text.ends_with(reason), "{text}");

    let violation = check(true).unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
    assert_eq!(violation.premise, None);
}

/// A framer that counts the chunks of all framers on its thread does not do the same twice: what
/// happens on a path that is fed again is no violation of the split.
#[test]
fn a_framer_that_does_not_do_the_same_twice_is_not_proved() {
    thread_local! {
        static MADE: Cell<usize> = const { Cell::new(0) };
    }

    /// Only the framer that is made as the twentieth loses a frame.
    #[derive(PartialEq, Eq)]
    struct Twentieth(Vec<u8>, bool);

    impl Subject for Twentieth {
        type Frame = Vec<u8>;
        type Error = ();

        fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            self.0.extend(chunk);
            while let Some(body) = take(&mut self.0) {
                if !self.1 {
                    frames.push(body);
                }
            }
            Ok(())
        }

        fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), ()> {
            finish(&self.0)
        }
    }

    let make = || {
        MADE.set(MADE.get() + 1);
        Twentieth(Vec::new(), MADE.get() == 20)
    };
    let certificate = Harness::framer(make).oracle(parse).check(STREAM).unwrap();
    assert!(
        matches!(
            certificate.tier,
            Tier::Bounded {
                not_proved: Some(NotProved::NotRepeatable),
                ..
            }
        ),
        "{certificate}"
    );
    let text = "not proved: the framer does not always do the same when it is fed the same";
    assert!(certificate.to_string().contains(text), "{certificate}");
}

/// It keeps all bytes. Fed the stream as one chunk it may hold them, and the proof follows that path;
/// no premise is broken if a replay finds that it may not hold them byte by byte.
#[test]
fn bytes_held_are_judged_on_each_path() {
    let keeps = |all: &mut Vec<u8>, chunk: &[u8], frames: &mut Frames<u8>| {
        all.extend_from_slice(chunk);
        frames.extend(chunk.iter().copied());
        Ok::<(), ()>(())
    };
    let harness = Harness::framer(move || {
        FeedFn::new(Vec::new(), keeps, |_, _| Ok(())).with_buffered_bytes(Vec::len)
    });
    let violation = harness.check(&[b'x'; 400]).unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
    assert_eq!(violation.premise, None, "{violation}");
}

/// Emits each byte of a stream that must have four of them. Its clone emits another byte for a second
/// chunk of one byte.
#[derive(PartialEq, Eq)]
struct ClonesBadly {
    is_clone: bool,
    fed: usize,
}

impl Clone for ClonesBadly {
    fn clone(&self) -> Self {
        Self {
            is_clone: true,
            fed: self.fed,
        }
    }
}

impl Subject for ClonesBadly {
    type Frame = u8;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<u8>) -> Result<(), ()> {
        self.fed += chunk.len();
        let is_wrong = self.is_clone && chunk.len() == 1 && self.fed == 2;
        frames.extend(chunk.iter().map(|&byte| byte + u8::from(is_wrong)));
        self.is_clone = false;
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<u8>) -> Result<(), ()> {
        if self.fed == 4 { Ok(()) } else { Err(()) }
    }
}

/// What a proof finds in the middle of a stream is compared with a fresh framer that is fed all of it.
#[test]
fn a_clone_that_fails_in_the_middle_is_no_violation() {
    let make = || ClonesBadly {
        is_clone: false,
        fed: 0,
    };
    let oracle = |stream: &[u8]| Expected {
        frames: (1..).zip(stream.iter().copied()).collect(),
        at_end: Vec::new(),
        outcome: match stream.len() {
            4 => Outcome::Clean,
            _ => Outcome::Truncated(()),
        },
    };
    let certificate = Harness::framer(make).oracle(oracle).check(b"abcd").unwrap();
    assert!(
        matches!(
            certificate.tier,
            Tier::Bounded {
                not_proved: Some(NotProved::UnfaithfulClone),
                ..
            }
        ),
        "{certificate}"
    );
}
