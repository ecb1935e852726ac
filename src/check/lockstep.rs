//! Runs a subject over one split of a stream and holds every call to what is
//! expected of it there. Where the expectation comes from is not its business.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

use super::{Expected, Outcome, Property, Violation};
use crate::split::Split;
use crate::subject::Subject;

/// How many bytes a subject may hold beyond twice of what it was fed (a buffer
/// that grows by doubling).
pub const SLACK: usize = 64;

/// Checks a subject on one split of a stream, call by call: [`EverySplit`],
/// [`Prompt`], [`Limit`], [`Truncation`], [`Poisoned`] and [`Memory`]. After an
/// error the remaining chunks are fed all the same.
///
/// # Errors
///
/// The first violation.
///
/// [`EverySplit`]: Property::EverySplit
/// [`Prompt`]: Property::Prompt
/// [`Limit`]: Property::Limit
/// [`Truncation`]: Property::Truncation
/// [`Poisoned`]: Property::Poisoned
/// [`Memory`]: Property::Memory
pub fn split<S: Subject>(
    subject: S,
    stream: &[u8],
    split: &Split,
    expected: &Expected<S::Frame, S::Error>,
) -> Result<(), Violation> {
    let mut run = Run::new(subject, expected);
    let fed = split.chunks(stream).try_for_each(|chunk| run.feed(chunk));
    fed.and_then(|()| run.finish())
        .map_err(|found| found.in_stream(stream, split))
}

/// Checks as [`split`] does that what was encoded comes back: `expected` holds
/// the frames that were encoded, with the lengths that the output then had.
///
/// # Errors
///
/// [`Property::RoundTrip`].
pub fn round_trip<S: Subject>(
    subject: S,
    stream: &[u8],
    split: &Split,
    expected: &Expected<S::Frame, S::Error>,
) -> Result<(), Violation> {
    self::split(subject, stream, split, expected).map_err(|violation| Violation {
        property: Property::RoundTrip,
        ..violation
    })
}

/// Checks that feeding no bytes changes nothing: as [`split`] does, with an
/// empty chunk before each chunk and after the last.
///
/// # Errors
///
/// [`Property::EmptyChunk`]. A subject that breaks a property without empty
/// chunks is for [`split`] to find.
pub fn empty_chunk<S: Subject>(
    subject: S,
    stream: &[u8],
    split: &Split,
    expected: &Expected<S::Frame, S::Error>,
) -> Result<(), Violation> {
    let mut run = Run::new(subject, expected);
    let mut feed_all = || {
        for chunk in split.chunks(stream) {
            run.feed(&[])?;
            run.feed(chunk)?;
        }
        run.feed(&[])?;
        run.finish()
    };
    feed_all().map_err(|found| Violation {
        property: Property::EmptyChunk,
        ..found.in_stream(stream, split)
    })
}

/// A subject on its way through a stream.
struct Run<'a, S: Subject> {
    subject: S,
    expected: &'a Expected<S::Frame, S::Error>,
    /// How many bytes are in.
    offset: usize,
    /// How many of the expected frames are out.
    out: usize,
    /// What the call at hand gives; empty between calls.
    frames: Vec<S::Frame>,
}

/// A violation that does not know its stream yet.
struct Found {
    property: Property,
    offset: usize,
    expected: String,
    actual: String,
}

impl<'a, S: Subject> Run<'a, S> {
    fn new(subject: S, expected: &'a Expected<S::Frame, S::Error>) -> Self {
        Self {
            subject,
            expected,
            offset: 0,
            out: 0,
            frames: Vec::new(),
        }
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<(), Found> {
        let refused_before = self.refusal().is_some();
        self.offset += chunk.len();
        let result = self.subject.feed(chunk, &mut self.frames);
        let refusal = self.refusal();

        // Frames first: those before an error must be out with it.
        let due = &self.expected.frames[self.out..];
        let due = &due[..due.partition_point(|&(end, _)| end <= self.offset)];
        let same = due.iter().map(|(_, frame)| frame).eq(&self.frames);
        if !same || result.as_ref().err() != refusal {
            let property = if refused_before {
                Property::Poisoned
            } else if !self.frames_in_order() {
                Property::EverySplit
            } else if result.is_err() != refusal.is_some() {
                Property::Limit
            } else if !same {
                Property::Prompt
            } else {
                Property::EverySplit
            };
            let due: Vec<&S::Frame> = due.iter().map(|(_, frame)| frame).collect();
            let expected = (due, refusal.map_or(Ok(()), Err));
            return Err(self.found(property, &expected, &(&self.frames, result)));
        }
        self.out += due.len();
        self.frames.clear();

        let most = 2 * self.offset + SLACK;
        let held = self.subject.held();
        if held > most {
            return Err(self.found(
                Property::Memory,
                &format_args!("at most {most} bytes held"),
                &format_args!("{held} bytes held"),
            ));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Found> {
        let actual = self.subject.finish();
        let (property, expected) = match &self.expected.outcome {
            Outcome::Clean => (Property::Truncation, Ok(())),
            Outcome::Truncated(error) => (Property::Truncation, Err(error)),
            Outcome::Rejected { error, .. } => (Property::Poisoned, Err(error)),
        };
        if actual.as_ref().err() == expected.err() {
            return Ok(());
        }
        Err(self.found(property, &expected, &actual))
    }

    /// Returns the error that every call must give by now.
    fn refusal(&self) -> Option<&'a S::Error> {
        match &self.expected.outcome {
            Outcome::Rejected { at, error } if *at <= self.offset => Some(error),
            _ => None,
        }
    }

    /// Says whether the frames of the call at hand are those that come next, be
    /// they too few or too many for now.
    fn frames_in_order(&self) -> bool {
        let coming = self.expected.frames[self.out..]
            .iter()
            .map(|(_, frame)| frame);
        self.frames.iter().eq(coming.take(self.frames.len()))
    }

    fn found(&self, property: Property, expected: &dyn Debug, actual: &dyn Debug) -> Found {
        Found {
            property,
            offset: self.offset,
            expected: format!("{expected:?}"),
            actual: format!("{actual:?}"),
        }
    }
}

impl Found {
    fn in_stream(self, stream: &[u8], split: &Split) -> Violation {
        Violation {
            property: self.property,
            stream: stream.to_vec(),
            split: split.clone(),
            offset: self.offset,
            expected: self.expected,
            actual: self.actual,
        }
    }
}
