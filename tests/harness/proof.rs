//! The proof is held to brute force: on right framers and on wrong ones it must
//! say what trying every split says, with the same number of cuts.
//!
//! The format is the smallest that has everything: a length of one byte, the
//! limit 1, then the body.

use std::mem;

use bytes::{BufMut, BytesMut};
use everysplit::check::{
    self, Certificate, Expected, NotProved, Outcome, Property, Tier, Violation,
};
use everysplit::reference::{Config, Decoder, Framer, naive};
use everysplit::{Buffered, Decode, Split};

const LIMIT: u8 = 1;

/// What a [`Bug::Rewrites`] puts on a length that it has seen.
const MARK: u8 = 0x80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    Refused(u8),
    Truncated,
}

type Verdict = Result<Result<Certificate, NotProved>, Violation>;

/// The whole-buffer answer.
fn parse(stream: &[u8]) -> Expected<Vec<u8>, Error> {
    let (mut frames, mut start) = (Vec::new(), 0);
    let outcome = loop {
        let Some((&length, rest)) = stream[start..].split_first() else {
            break Outcome::Clean;
        };
        if length > LIMIT {
            let (at, error) = (start + 1, Error::Refused(length));
            break Outcome::Rejected { at, error };
        }
        let Some(body) = rest.get(..length.into()) else {
            break Outcome::Truncated(Error::Truncated);
        };
        start += 1 + body.len();
        frames.push((start, body.to_vec()));
    };
    Expected {
        frames,
        at_end: Vec::new(),
        outcome,
    }
}

/// What is wrong with a [`Toy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    Nothing,
    /// Takes the length off the buffer and keeps it: right, with more states.
    KeepsLength,
    /// Takes the length off the buffer and forgets it.
    DropsLength,
    /// Waits for a byte behind each frame.
    Late,
    /// Gives an empty body another form when a byte is behind it.
    Peeks,
    /// Takes the bytes behind a frame with it.
    DropsTheRest,
    /// Goes on after an error.
    NotPoisoned,
    /// Takes an end inside a frame for a clean one.
    CleanEnd,
    /// Has the third of three frames wrong when each of them is cut.
    ThreeCuts,
    /// Forgets what was refused when it is called with nothing.
    EmptyHeals,
    /// Counts its calls: right, but never twice in the same state.
    Counts,
    /// Marks the length that it leaves in the buffer: right all the same.
    Rewrites,
}

#[derive(Clone, PartialEq, Eq)]
struct Toy {
    bug: Bug,
    /// The length, when it has been taken off the buffer.
    length: Option<u8>,
    refused: Option<u8>,
    waited: bool,
    count: usize,
}

impl Toy {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            length: None,
            refused: None,
            waited: false,
            count: 0,
        }
    }
}

impl Decode for Toy {
    type Frame = Vec<u8>;
    type Error = Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        match self.bug {
            Bug::Counts => self.count += 1,
            Bug::EmptyHeals if buffer.is_empty() => self.refused = None,
            _ => {}
        }
        if let Some(length) = self.refused {
            return Err(Error::Refused(length));
        }
        let length = match self.length {
            Some(length) => length,
            None if buffer.is_empty() => return Ok(None),
            None => buffer[0] & !MARK,
        };
        if length > LIMIT {
            if self.bug == Bug::NotPoisoned {
                buffer.clear();
            } else {
                self.refused = Some(length);
            }
            if self.bug == Bug::EmptyHeals {
                buffer.clear();
            }
            return Err(Error::Refused(length));
        }
        let taken = matches!(self.bug, Bug::KeepsLength | Bug::DropsLength);
        if taken && self.length.is_none() {
            let first = buffer.split_to(1)[0];
            if self.bug == Bug::KeepsLength {
                self.length = Some(first);
            }
        }
        let header = usize::from(!taken);
        let end = header + usize::from(length);
        let late = usize::from(self.bug == Bug::Late);
        if buffer.len() < end + late {
            if self.bug == Bug::Rewrites {
                buffer[0] |= MARK;
            }
            self.waited = true;
            return Ok(None);
        }
        self.length = None;
        let mut frame = buffer.split_to(end)[header..].to_vec();
        if self.bug == Bug::Peeks && frame.is_empty() && !buffer.is_empty() {
            frame.put_u8(0);
        }
        let waited = mem::take(&mut self.waited);
        if self.bug == Bug::ThreeCuts {
            self.count = if waited { self.count + 1 } else { 0 };
            if self.count == 3 {
                frame.push(9);
            }
        }
        if self.bug == Bug::DropsTheRest {
            buffer.clear();
        }
        Ok(Some(frame))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, Error> {
        match self.decode(buffer)? {
            None if self.bug == Bug::CleanEnd => Ok(None),
            None if buffer.is_empty() && self.length.is_none() => Ok(None),
            None => Err(Error::Truncated),
            frame => Ok(frame),
        }
    }
}

/// What trying every split says: the fewest cuts of a violation. Empty chunks
/// are tried as well on short streams, and on all where they are the bug.
fn brute_force(bug: Bug, stream: &[u8], expected: &Expected<Vec<u8>, Error>) -> Option<usize> {
    let subject = || Buffered::new(Toy::new(bug));
    let wrong = Split::all(stream.len()).find(|split| {
        let empty = stream.len() <= 6 || bug == Bug::EmptyHeals;
        check::split(subject(), stream, split, expected).is_err()
            || empty && check::empty_chunk(subject, stream, split, expected).is_err()
    });
    wrong.map(|split| split.cuts().len())
}

fn proofs(bug: Bug, stream: &[u8], expected: &Expected<Vec<u8>, Error>) -> [Verdict; 2] {
    let bound = 8;
    [
        check::prove(Buffered::new(Toy::new(bug)), stream, expected, bound),
        check::prove_decoder(Toy::new(bug), stream, expected, bound),
    ]
}

/// Holds both proofs to brute force; returns whether there was a violation.
#[track_caller]
fn compare(bug: Bug, stream: &[u8]) -> bool {
    let expected = parse(stream);
    let brute_force = brute_force(bug, stream, &expected);
    for proof in proofs(bug, stream, &expected) {
        match (&proof, brute_force) {
            (Ok(Ok(certificate)), None) => {
                assert!(matches!(certificate.tier, Tier::Proved { .. }));
            }
            (Err(violation), Some(cuts)) => {
                assert_eq!(
                    violation.case.split.cuts().len(),
                    cuts,
                    "{bug:?}: {violation}"
                );
            }
            _ => panic!("{bug:?} on {stream:?}: {proof:?}, but {brute_force:?}"),
        }
    }
    brute_force.is_some()
}

/// Every stream of `len` letters.
fn streams(len: u32) -> impl Iterator<Item = Vec<u8>> {
    let letter = |n: u32, place| [0, 1, 2][(n / 3u32.pow(place) % 3) as usize];
    (0..3u32.pow(len)).map(move |n| (0..len).map(|place| letter(n, place)).collect())
}

/// Holds the proofs to brute force on every stream of up to 9 letters, and on
/// some of up to 16.
#[track_caller]
fn holds(bug: Bug, wrong: bool) {
    let mut found = false;
    for stream in (0..=9).flat_map(streams) {
        found |= compare(bug, &stream);
    }
    let mut chance = 0x9e37_79b9_u32;
    for len in 10..=16 {
        for _ in 0..3 {
            let letter = |_| {
                chance = chance.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
                // Few refusals, so that streams go on.
                [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2][(chance >> 28) as usize]
            };
            let stream: Vec<u8> = (0..len).map(letter).collect();
            found |= compare(bug, &stream);
        }
    }
    assert_eq!(found, wrong, "{bug:?}");
}

macro_rules! hold {
    ($($name:ident: $bug:ident $wrong:literal;)*) => {
        $(#[test]
        fn $name() {
            holds(Bug::$bug, $wrong);
        })*
    };
}

hold! {
    right: Nothing false;
    right_with_more_states: KeepsLength false;
    drops_the_length: DropsLength true;
    late: Late true;
    peeks: Peeks true;
    drops_the_rest: DropsTheRest true;
    not_poisoned: NotPoisoned true;
    clean_end: CleanEnd true;
    three_cuts: ThreeCuts true;
    empty_heals: EmptyHeals true;
}

/// A framer that is right and never twice in the same state cannot be proved: the
/// search stops and says so, and does not run for ever.
#[test]
fn states_that_do_not_merge_are_told() {
    let stream = [0; 9];
    let expected = parse(&stream);
    assert_eq!(brute_force(Bug::Counts, &stream, &expected), None);
    for proof in proofs(Bug::Counts, &stream, &expected) {
        let unmerged = proof.unwrap().unwrap_err();
        assert_eq!(unmerged.bound, 8);
    }
    // Nor without any bytes, where nothing but empty chunks can be fed.
    for proof in proofs(Bug::Counts, &[], &parse(&[])) {
        let (offset, bound) = (0, 8);
        assert_eq!(proof.unwrap(), Err(NotProved { offset, bound }));
    }
}

/// What the end breaks is named for that, on an empty stream too.
#[test]
fn a_violation_at_the_end_has_its_name() {
    let stream = [1];
    for proof in proofs(Bug::CleanEnd, &stream, &parse(&stream)) {
        assert_eq!(proof.unwrap_err().property, Property::Truncation);
    }
    let mut expected = parse(&[]);
    expected.at_end.push(Vec::new());
    for proof in proofs(Bug::Nothing, &[], &expected) {
        assert_eq!(proof.unwrap_err().property, Property::Truncation);
    }
}

/// What a decoder leaves in the caller's buffer is part of its state. The search
/// for any subject covers it, that for decoders does not and says so.
#[test]
fn a_buffer_that_is_rewritten_is_told() {
    let stream = [1, 1, 0];
    let expected = parse(&stream);
    let [any_subject, decoder] = proofs(Bug::Rewrites, &stream, &expected);
    assert!(any_subject.unwrap().is_ok());
    let (offset, bound) = (0, 0);
    assert_eq!(decoder.unwrap(), Err(NotProved { offset, bound }));
}

/// Every split of up to two cuts is harmless: sampling needs luck.
#[test]
fn three_cuts_together_are_found() {
    let stream = [1, 7, 1, 7, 1, 7];
    let expected = parse(&stream);
    let subject = || Buffered::new(Toy::new(Bug::ThreeCuts));
    for split in Split::up_to(stream.len(), 2) {
        check::split(subject(), &stream, &split, &expected).unwrap();
    }
    for proof in proofs(Bug::ThreeCuts, &stream, &expected) {
        assert_eq!(proof.unwrap_err().case.split.to_string(), "1,3,5");
    }
}

/// The reference framer: one state an offset, as few calls as can be; the
/// decoder before a refused size and after it.
#[test]
fn the_certificate_tells_what_was_covered() {
    let config = Config::default();
    let frames = [
        &[5, 0, 0, 0][..],
        &[0; 8],
        b"hello",
        &[0; 12],
        &[5, 0, 0, 0],
        &[0; 8],
        b"world",
    ];
    let stream = frames.concat();
    let expected = naive::parse(config, &stream);
    let proof = check::prove(Framer::new(config), &stream, &expected, 8).unwrap();
    assert_eq!(
        proof.unwrap().to_string(),
        "proved: 46 bytes, all 35184372088832 splits, 1128 feeds, at most 1 states an offset"
    );

    let stream = [&[4, 0, 0, 0][..], &[0; 8], b"body", &[0; 12], &[9; 20]].concat();
    let expected = naive::parse(config, &stream);
    let proof = check::prove(Framer::new(config), &stream, &expected, 1).unwrap();
    assert_eq!(
        proof.unwrap().to_string(),
        "proved: 48 bytes, all 140737488355328 splits, 1225 feeds, at most 1 states an offset"
    );
    let proof = check::prove_decoder(Decoder::new(config), &stream, &expected, 2).unwrap();
    assert_eq!(
        proof.unwrap().to_string(),
        "proved: 48 bytes, all 140737488355328 splits, 120 feeds, at most 2 states an offset"
    );
}
