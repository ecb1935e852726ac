//! The oracle of a format with an encoder: streams are made of messages, so the expected result is
//! known without a parser.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use fastrand::Rng;

use super::{Judged, Oracle};
use crate::check::judge::{AtStake, Expectation, LONGEST_HEADER};
use crate::deviation::Deviation;
use crate::door::Door;
use crate::expected::{Expected, Outcome, Source};

/// By default, a message is truncated at each of its first bytes up to this length.
const TRUNCATED: usize = 128;
/// Longer encodings, in bytes, are not concatenated with all others.
const LONG: usize = 1024;
/// Longer encodings, in bytes, are not mutated.
const MUTATED: usize = 64;
/// Longer encodings, in bytes, are truncated at two of their last bytes only.
const VERY_LONG: usize = 16 * 1024;

/// Expects the messages that a stream is made of.
///
/// It judges every stream put together from the messages' encodings, in any order and number, and
/// truncated anywhere. No encoding may be a prefix of another, and no error may contain its position
/// in the stream. The methods of [`Harness`](crate::Harness) add messages.
pub struct Messages<F, E> {
    encode: Rc<dyn Fn(&F) -> Vec<u8>>,
    accepted: Vec<Accepted<F>>,
    rejected: Vec<Rejected<E>>,
    truncation_error: Option<E>,
    /// Whether messages around a size limit were added.
    limited: bool,
    /// The size limit of a body, and a function that makes a message with a body of a size.
    sized: Option<(usize, Rc<dyn Fn(usize) -> F>)>,
    /// Up to this length a message is truncated at every byte.
    truncated: usize,
    /// Whether the error of a truncated stream was set and is not known any more.
    truncation_error_lost: bool,
    discards_at_end: bool,
    /// The deviations with which messages around the size limit were added.
    limited_with: Option<Vec<Deviation>>,
}

#[derive(Clone)]
struct Accepted<F> {
    bytes: Vec<u8>,
    /// How many of the bytes must be fed for the frame to be emitted.
    at: usize,
    /// The frame; none for bytes that belong to no frame.
    frame: Option<F>,
    /// Whether the body has exactly the size of the limit.
    at_limit: bool,
}

#[derive(Clone)]
struct Rejected<E> {
    bytes: Vec<u8>,
    /// How many of the bytes decide it.
    at: usize,
    error: E,
    /// Whether it is rejected because its body is over the size limit.
    over_limit: bool,
}

impl<F: Clone, E: Clone> Clone for Messages<F, E> {
    fn clone(&self) -> Self {
        Self {
            encode: Rc::clone(&self.encode),
            accepted: self.accepted.clone(),
            rejected: self.rejected.clone(),
            truncation_error: self.truncation_error.clone(),
            limited: self.limited,
            sized: self.sized.clone(),
            truncated: self.truncated,
            truncation_error_lost: self.truncation_error_lost,
            discards_at_end: self.discards_at_end,
            limited_with: self.limited_with.clone(),
        }
    }
}

impl<F: Clone + PartialEq, E: Clone + PartialEq> Messages<F, E> {
    pub(crate) fn new(encode: impl Fn(&F) -> Vec<u8> + 'static) -> Self {
        Self {
            encode: Rc::new(encode),
            accepted: Vec::new(),
            rejected: Vec::new(),
            truncation_error: None,
            limited: false,
            sized: None,
            truncated: TRUNCATED,
            truncation_error_lost: false,
            discards_at_end: false,
            limited_with: None,
        }
    }

    /// Records that messages around the size limit are added, with these deviations declared.
    pub(crate) fn limited_with(&mut self, deviations: &[Deviation]) {
        self.limited_with = Some(deviations.to_vec());
    }

    pub(crate) fn encode(&self, message: &F) -> Vec<u8> {
        (self.encode)(message)
    }

    #[track_caller]
    pub(crate) fn accept(&mut self, bytes: Vec<u8>, at: usize, frame: Option<F>) {
        assert!(
            (1..=bytes.len()).contains(&at),
            "a frame is complete after {at} of the {} bytes of its encoding: give a number from 1 to {}",
            bytes.len(),
            bytes.len()
        );
        let mut others = self.accepted.iter();
        assert!(
            !others.any(|it| it.bytes == bytes && (it.at, &it.frame) != (at, &frame)),
            "{} is the encoding of two different messages: encode all that they differ in",
            shown(&bytes)
        );
        for rejected in &self.rejected {
            not_both(&bytes, rejected);
        }
        self.accepted.push(Accepted {
            bytes,
            at,
            frame,
            at_limit: false,
        });
    }

    #[track_caller]
    pub(crate) fn reject(&mut self, bytes: Vec<u8>, at: usize, error: E) {
        assert!(
            (1..=bytes.len()).contains(&at),
            "a frame is rejected after {at} of {} bytes: give a number from 1 to {}",
            bytes.len(),
            bytes.len()
        );
        let mut others = self.rejected.iter();
        assert!(
            !others.any(|it| it.bytes[..it.at] == bytes[..at] && it.error != error),
            "{} is rejected with two different errors",
            shown(&bytes[..at])
        );
        let rejected = Rejected {
            bytes,
            at,
            error,
            over_limit: false,
        };
        for accepted in &self.accepted {
            not_both(&accepted.bytes, &rejected);
        }
        self.rejected.push(rejected);
    }

    /// Records that the last accepted message has a body of exactly the size limit.
    pub(crate) fn last_is_at_limit(&mut self) {
        let accepted = self.accepted.split_last_mut();
        let (last, others) = accepted.expect("a message was accepted");
        last.at_limit = true;
        // The first of equal messages is the one that is expected.
        let equal = others.iter_mut().filter(|it| it.bytes == last.bytes);
        equal.for_each(|it| it.at_limit = true);
    }

    /// Records that the last rejected frame is over the size limit.
    pub(crate) fn last_is_over_limit(&mut self) {
        let rejected = self.rejected.split_last_mut();
        let (last, others) = rejected.expect("a frame was rejected");
        last.over_limit = true;
        let same = |it: &&mut Rejected<E>| last.bytes.starts_with(&it.bytes[..it.at]);
        let equal = others.iter_mut().filter(same);
        equal.for_each(|it| it.over_limit = true);
        self.limited = true;
    }

    /// Truncates messages of up to `bytes` bytes at every byte.
    pub(crate) const fn truncate_up_to(&mut self, bytes: usize) {
        self.truncated = bytes;
    }

    pub(crate) fn set_truncation_error(&mut self, error: E) {
        self.truncation_error = Some(error);
        self.truncation_error_lost = false;
    }

    /// Replaces the errors. Returns `None` if there are rejected frames, whose errors are not
    /// known.
    #[cfg(feature = "tokio")]
    pub(crate) fn without_errors<G>(self) -> Option<Messages<F, G>> {
        self.rejected.is_empty().then_some(Messages {
            encode: self.encode,
            accepted: self.accepted,
            rejected: Vec::new(),
            truncation_error: None,
            limited: self.limited,
            sized: self.sized,
            truncated: self.truncated,
            truncation_error_lost: self.truncation_error.is_some(),
            discards_at_end: self.discards_at_end,
            limited_with: self.limited_with,
        })
    }

    /// Records a function that makes a message with a body of any size up to the limit.
    pub(crate) fn sized(&mut self, limit: usize, sized: impl Fn(usize) -> F + 'static) {
        self.sized = Some((limit, Rc::new(sized)));
    }

    /// Returns the encoding of one of the messages, or of one of any size up to the limit, sizes
    /// near the limit and near 0 more often than others.
    pub(crate) fn random_message(&self, rng: &mut Rng) -> Option<Vec<u8>> {
        match &self.sized {
            Some((limit, sized)) if rng.bool() => {
                let near = rng.usize(..3).min(*limit);
                let size = match rng.u8(..4) {
                    0 => near,
                    1 => limit - near,
                    2 => *limit,
                    _ => rng.usize(..=*limit),
                };
                Some(self.encode(&sized(size)))
            }
            _ => Some(rng.choice(&self.accepted)?.bytes.clone()),
        }
    }

    /// Returns one of the rejected frames; nothing if there are none.
    pub(crate) fn random_rejected(&self, rng: &mut Rng) -> Vec<u8> {
        let rejected = rng.choice(&self.rejected);
        rejected.map_or_else(Vec::new, |rejected| rejected.bytes.clone())
    }

    /// Returns the empty stream, all messages concatenated, each message alone, each rejected frame
    /// alone, before, and between messages, each long message between two others, and each encoding
    /// truncated, alone and after a message.
    fn make_streams(&self) -> Vec<Vec<u8>> {
        assert!(
            !self.truncation_error_lost || self.discards_at_end,
            "`errors` leaves the error of a truncated stream unknown: set it with \
             `truncation_error`, or declare `DiscardsAtEnd`"
        );
        let encodings = || self.accepted.iter().map(|accepted| &accepted.bytes[..]);
        let (short, long): (Vec<_>, Vec<_>) = encodings().partition(|bytes| bytes.len() <= LONG);
        let first = self.first();
        let rejected = self.rejected.iter().map(|rejected| &rejected.bytes[..]);
        let mut streams = vec![Vec::new(), short.concat()];
        if self.accepted.len() == 1 {
            streams.push([first, first].concat());
        }
        streams.extend(encodings().map(<[u8]>::to_vec));
        for rejected in rejected.clone() {
            streams.push(rejected.to_vec());
            streams.push([rejected, first].concat());
        }
        let between = long.into_iter().chain(rejected);
        streams.extend(between.map(|bytes| [first, bytes, first].concat()));
        if self.truncation_error.is_some() || self.discards_at_end {
            let undecided = self.rejected.iter().map(|it| &it.bytes[..it.at]);
            for bytes in encodings().chain(undecided) {
                for end in self.ends_inside(bytes.len()) {
                    let truncated = &bytes[..end];
                    streams.push(truncated.to_vec());
                    if !first.is_empty() {
                        streams.push([first, truncated].concat());
                    }
                }
            }
        }
        let mut seen = BTreeSet::new();
        streams.retain(|stream| seen.insert(stream.clone()));
        streams
    }

    /// Returns the encoding of the message that stands before and after others: the first one that is
    /// short, or else the shortest.
    fn first(&self) -> &[u8] {
        let messages = self.accepted.iter().filter(|it| it.frame.is_some());
        let messages = messages.map(|accepted| &accepted.bytes[..]);
        let short = messages.clone().find(|bytes| bytes.len() <= LONG);
        let shortest = || messages.min_by_key(|bytes| bytes.len());
        short.or_else(shortest).unwrap_or_default()
    }

    /// Returns where an encoding of `len` bytes is truncated: at each byte up to a length, then at
    /// a few, the last one among them.
    fn ends_inside(&self, len: usize) -> impl Iterator<Item = usize> {
        let each = len.min(self.truncated.saturating_add(1));
        let count = if len > VERY_LONG { 2 } else { 8 };
        let rest = len - each;
        let few = (1..=count).map(move |n| each + rest * n / count - 1);
        (1..each).chain(few.filter(move |&end| end >= each))
    }

    /// Reads the last byte of a message that has begun with `bytes`. Returns the frame that it
    /// completes, and whether the message is whole or the error that rejects it. Returns `None` if no
    /// message begins like this.
    pub(crate) fn read_on(&self, bytes: &[u8]) -> Option<(Option<F>, Result<bool, E>)> {
        let begun = || {
            self.accepted
                .iter()
                .filter(|it| it.bytes.starts_with(bytes))
        };
        let emitted = |it: &Accepted<F>| it.frame.clone().filter(|_| it.at == bytes.len());
        if let Some(whole) = begun().find(|it| it.bytes.len() == bytes.len()) {
            return Some((emitted(whole), Ok(true)));
        }
        let mut rejected = self.rejected.iter();
        if let Some(rejected) = rejected.find(|it| it.bytes[..it.at] == *bytes) {
            return Some((None, Err(rejected.error.clone())));
        }
        if let Some(accepted) = begun().find(|it| it.frame.is_some()).or(begun().next()) {
            return Some((emitted(accepted), Ok(false)));
        }
        let mut rejected = self.rejected.iter();
        rejected
            .any(|it| it.bytes[..it.at].starts_with(bytes))
            .then_some((None, Ok(false)))
    }

    /// Returns the bytes with which a message that has begun can go on.
    pub(crate) fn next_bytes(&self, begun: &[u8]) -> Vec<u8> {
        let accepted = self.accepted.iter().map(|it| &it.bytes[..]);
        let rejected = self.rejected.iter().map(|it| &it.bytes[..it.at]);
        let next = |bytes: &[u8]| bytes.strip_prefix(begun)?.first().copied();
        let next: BTreeSet<u8> = accepted.chain(rejected).filter_map(next).collect();
        next.into_iter().collect()
    }

    pub(crate) fn expect(&self, stream: &[u8]) -> Option<Expectation<F, E>> {
        let (mut frames, mut start) = (Vec::new(), 0);
        let mut limit = AtStake::NOWHERE;
        let mut unfinished = None;
        let mut longest = 0;
        let outcome = loop {
            let rest = &stream[start..];
            if rest.is_empty() {
                break Outcome::Clean;
            }
            // At the limit: the frame that comes next.
            let next = frames.len();
            if let Some(accepted) = self.accepted.iter().find(|it| rest.starts_with(&it.bytes)) {
                limit.frames.extend(accepted.at_limit.then_some(next));
                frames.extend(accepted.emitted(start));
                if accepted.frame.is_some() {
                    longest = longest.max(accepted.bytes.len());
                }
                start += accepted.bytes.len();
                continue;
            }
            let decided = |it: &&Rejected<E>| rest.starts_with(&it.bytes[..it.at]);
            if let Some(rejected) = self.rejected.iter().find(decided) {
                limit.rejection = rejected.over_limit;
                break Outcome::Rejected {
                    at: start + rejected.at,
                    error: rejected.error.clone(),
                };
            }
            // If it can be the beginning of a frame, an end here is inside that frame.
            let mut begun = self.accepted.iter().filter(|it| it.bytes.starts_with(rest));
            let frame = begun.clone().find(|it| it.frame.is_some());
            if let Some(accepted) = frame.or_else(|| begun.next()) {
                if accepted.at <= rest.len() {
                    frames.extend(accepted.emitted(start));
                }
                if accepted.frame.is_none() {
                    break Outcome::Clean;
                }
                limit.frames.extend(accepted.at_limit.then_some(next));
                // With fewer bytes, the header may not have arrived.
                if rest.len() >= LONGEST_HEADER {
                    longest = longest.max(accepted.bytes.len());
                }
                unfinished = Some(accepted.bytes[rest.len()..].to_vec());
            } else if !self.rejected.iter().any(|it| it.bytes.starts_with(rest)) {
                return None;
            }
            if self.discards_at_end {
                break Outcome::Clean;
            }
            break Outcome::Truncated(self.truncation_error.clone()?);
        };
        let expected = Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        };
        Some(Expectation {
            expected,
            limit,
            longest_frame: Some(longest),
            unfinished,
        })
    }
}

impl<F: Clone> Accepted<F> {
    /// Returns its frame, if it has one, with the offset at which it is emitted in a stream where
    /// it begins at `start`.
    fn emitted(&self, start: usize) -> Option<(usize, F)> {
        Some((start + self.at, self.frame.clone()?))
    }
}

/// Panics if an accepted encoding begins with what is rejected.
#[track_caller]
fn not_both<E>(accepted: &[u8], rejected: &Rejected<E>) {
    let begin = &rejected.bytes[..rejected.at];
    assert!(
        !accepted.starts_with(begin),
        "{} is rejected, and begins the encoding {} of a message that is accepted",
        shown(begin),
        shown(accepted)
    );
}

/// Returns the first bytes in quotes.
fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 32;
    let rest = if bytes.len() > MOST { " ..." } else { "" };
    let begin = &bytes[..bytes.len().min(MOST)];
    format!("\"{}\"{rest}", begin.escape_ascii())
}

impl<F, E> crate::door::Sealed for Messages<F, E> {}

impl<T: Door> Oracle<T> for Messages<T::Frame, T::Error> {
    const SOURCE: Source = Source::Encoder;

    fn expected(&self, _: &T, stream: &[u8]) -> Option<Judged<T::Frame, T::Error>> {
        self.expect(stream).map(Ok)
    }

    fn declare(&mut self, deviations: &[Deviation]) {
        if let Some(known) = &self.limited_with {
            let of_limit = [Deviation::CountsHeader, Deviation::NoEmptyFrame];
            let late = deviations
                .iter()
                .find(|deviation| of_limit.contains(deviation) && !known.contains(deviation));
            assert!(
                late.is_none(),
                "{late:?} is declared after `size_limit`, which depends on it: declare it first"
            );
        }
        self.discards_at_end = deviations.contains(&Deviation::DiscardsAtEnd);
    }

    fn uses(&self, deviation: Deviation) -> bool {
        let of_limit = [Deviation::CountsHeader, Deviation::NoEmptyFrame];
        let known = self.limited_with.as_deref().unwrap_or_default();
        !of_limit.contains(&deviation) || known.contains(&deviation)
    }

    fn has_limit(&self) -> bool {
        self.limited
    }

    fn streams(&self) -> Vec<Vec<u8>> {
        self.make_streams()
    }

    /// Returns each pair of messages that follow one another.
    fn samples(&self) -> Vec<Vec<u8>> {
        let short = self.accepted.iter().map(|accepted| &accepted.bytes);
        let short: Vec<_> = short.filter(|bytes| bytes.len() <= MUTATED).collect();
        short
            .iter()
            .zip(short.iter().cycle().skip(1))
            .map(|(first, second)| [&first[..], second].concat())
            .collect()
    }

    fn omitted(&self) -> Option<String> {
        let truncates = self.truncation_error.is_some() || self.discards_at_end;
        let long = self.accepted.iter().map(|accepted| accepted.bytes.len());
        let longest = long
            .max()
            .filter(|&len| truncates && len > self.truncated.saturating_add(1))?;
        Some(format!(
            "messages of up to {longest} bytes are truncated at each of their first {} bytes, and \
             at a few more (see `truncate_up_to`)",
            self.truncated
        ))
    }
}
