//! The oracle of a format with an encoder: streams are made of messages, so the expected result is
//! known without a parser.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use super::Oracle;
use crate::check::finding::{Finding, Source};
use crate::deviation::Deviation;
use crate::door::Door;
use crate::expected::{Expected, Outcome};

/// Encodings up to this length are truncated at every byte.
const SHORT: usize = 64;

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
    frame: F,
}

#[derive(Clone)]
struct Rejected<E> {
    bytes: Vec<u8>,
    /// How many of the bytes decide it.
    at: usize,
    error: E,
}

impl<F: Clone, E: Clone> Clone for Messages<F, E> {
    fn clone(&self) -> Self {
        Self {
            encode: Rc::clone(&self.encode),
            accepted: self.accepted.clone(),
            rejected: self.rejected.clone(),
            truncation_error: self.truncation_error.clone(),
            truncation_error_lost: self.truncation_error_lost,
            discards_at_end: self.discards_at_end,
            limited_with: self.limited_with.clone(),
        }
    }
}

impl<F: Clone, E: Clone> Messages<F, E> {
    pub(crate) fn new(encode: impl Fn(&F) -> Vec<u8> + 'static) -> Self {
        Self {
            encode: Rc::new(encode),
            accepted: Vec::new(),
            rejected: Vec::new(),
            truncation_error: None,
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
    pub(crate) fn accept(&mut self, bytes: Vec<u8>, at: usize, frame: F) {
        assert!(
            (1..=bytes.len()).contains(&at),
            "a frame is complete after {at} of the {} bytes of its encoding: give a number from 1 to {}",
            bytes.len(),
            bytes.len()
        );
        self.accepted.push(Accepted { bytes, at, frame });
    }

    #[track_caller]
    pub(crate) fn reject(&mut self, bytes: Vec<u8>, at: usize, error: E) {
        assert!(
            (1..=bytes.len()).contains(&at),
            "a frame is rejected after {at} of {} bytes: give a number from 1 to {}",
            bytes.len(),
            bytes.len()
        );
        self.rejected.push(Rejected { bytes, at, error });
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
            truncation_error_lost: self.truncation_error.is_some(),
            discards_at_end: self.discards_at_end,
            limited_with: self.limited_with,
        })
    }

    /// Returns the empty stream, all messages concatenated, each rejected frame between two
    /// messages, and each encoding truncated after a message: at every byte of the first 63, and
    /// before the last.
    fn make_streams(&self) -> Vec<Vec<u8>> {
        assert!(
            !self.truncation_error_lost || self.discards_at_end,
            "`errors` leaves the error of a truncated stream unknown: set it with \
             `truncation_error`, or declare `DiscardsAtEnd`"
        );
        let encodings = || self.accepted.iter().map(|accepted| &accepted.bytes);
        let mut streams = vec![Vec::new(), encodings().flatten().copied().collect()];
        let first = encodings().next().map_or(&[][..], |bytes| bytes);
        let rejected = || self.rejected.iter().map(|rejected| &rejected.bytes);
        streams.extend(rejected().map(|bytes| [first, bytes, first].concat()));
        if self.truncation_error.is_some() || self.discards_at_end {
            for bytes in encodings().chain(rejected()) {
                let short = 1..bytes.len().min(SHORT);
                let last = bytes.len().saturating_sub(1).max(SHORT)..bytes.len();
                streams.extend(short.chain(last).map(|end| [first, &bytes[..end]].concat()));
            }
        }
        streams
    }

    fn expect(&self, stream: &[u8]) -> Option<Expected<F, E>> {
        let (mut frames, mut start) = (Vec::new(), 0);
        let outcome = loop {
            let rest = &stream[start..];
            if rest.is_empty() {
                break Outcome::Clean;
            }
            if let Some(accepted) = self.accepted.iter().find(|it| rest.starts_with(&it.bytes)) {
                frames.push((start + accepted.at, accepted.frame.clone()));
                start += accepted.bytes.len();
                continue;
            }
            let decided = |it: &&Rejected<E>| rest.starts_with(&it.bytes[..it.at]);
            if let Some(Rejected { at, error, .. }) = self.rejected.iter().find(decided) {
                let (at, error) = (start + at, error.clone());
                break Outcome::Rejected { at, error };
            }
            if let Some(accepted) = self.accepted.iter().find(|it| it.bytes.starts_with(rest)) {
                if accepted.at <= rest.len() {
                    frames.push((start + accepted.at, accepted.frame.clone()));
                }
            } else if !self.rejected.iter().any(|it| it.bytes.starts_with(rest)) {
                return None;
            }
            if self.discards_at_end {
                break Outcome::Clean;
            }
            break Outcome::Truncated(self.truncation_error.clone()?);
        };
        Some(Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        })
    }
}

impl<F, E> crate::door::Sealed for Messages<F, E> {}

impl<T: Door> Oracle<T> for Messages<T::Frame, T::Error> {
    const SOURCE: Source = Source::Encoder;

    fn expected(
        &self,
        _: &T,
        stream: &[u8],
    ) -> Option<Result<Expected<T::Frame, T::Error>, Finding>> {
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

    fn streams(&self) -> Vec<Vec<u8>> {
        self.make_streams()
    }
}
