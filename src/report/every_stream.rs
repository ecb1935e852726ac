//! What a proof of many streams covered. Never more than was checked.

use alloc::vec::Vec;
use core::fmt;

use super::ProvedBy;
use super::certificate::Count;
use super::not_proved::NotProved;
use crate::deviation::{Declared, Deviation};

/// What [`every_stream`](crate::Harness::every_stream) covered. Its text is one line.
///
/// The frames, the errors and the end of every stream are as expected in every split, with empty
/// chunks anywhere. After an error a stream goes on with one letter only. Ends that the oracle does not
/// know are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EveryStream {
    /// The length of the longest streams, in bytes.
    pub longest: usize,
    /// How many streams have this length.
    pub streams: u128,
    /// If streams of any length are proved, up to their first error: the length of the longest
    /// chunks, in bytes.
    pub any_length: Option<usize>,
    /// What the streams are made of.
    pub made_of: MadeOf,
    /// The bytes or pieces that occur in them, up to an error.
    pub letters: Vec<Vec<u8>>,
    /// Whether the oracle does not judge some streams of these letters. Then all streams are covered of
    /// which it judges each beginning.
    pub unjudged: bool,
    /// Whether the oracle does not know what the ends of some streams give, such as inside a message
    /// without [`truncation_error`](crate::Harness::truncation_error). These ends are not checked.
    pub open_ends: bool,
    /// Whether some streams go on after an error: with one letter only.
    pub after_errors: bool,
    /// How many chunks of other bytes than the letters that stand for them were tried too.
    pub varied: u64,
    /// The number of different states of the framer, each with what is expected of it.
    pub states: usize,
    /// How the states were compared and continued.
    pub by: ProvedBy,
    /// The number of calls of the framer.
    pub calls: u64,
    /// How many random splits of random streams were then replayed on fresh framers, without their
    /// `Clone` and `Eq`.
    pub replayed: u64,
    /// Some of the streams: for each letter in each place, the shortest stream that ends with it. If
    /// there are more than 256, these are some of them.
    pub examples: Vec<Vec<u8>>,
    /// Why longer streams were not proved, if that was tried.
    pub not_proved: Option<NotProved>,
    /// The declared deviations from the strict policy.
    pub deviations: Vec<Deviation>,
}

/// What streams are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MadeOf {
    /// Letters that were inferred: in each place, one byte for all that do the same there.
    Letters,
    /// The messages of the harness.
    Messages,
    /// The bytes or pieces that were given.
    Pieces,
}

impl EveryStream {
    /// Returns which streams were proved, in a few words.
    pub(crate) fn scope(&self) -> impl fmt::Display {
        Scope(self)
    }
}

struct Scope<'a>(&'a EveryStream);

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = Letters(self.0);
        if let Some(chunk) = self.0.any_length {
            let chunk = Count(chunk as u64, "byte");
            return write!(
                f,
                "streams of any length, {letters}, up to an error, in all splits into chunks of up to \
                 {chunk}"
            );
        }
        let longest = Count(self.0.longest as u64, "byte");
        write!(f, "all streams of up to {longest} {letters}, in all splits")?;
        f.write_str(if self.0.after_errors {
            AFTER_ERRORS
        } else {
            ""
        })
    }
}

const AFTER_ERRORS: &str = ", with one letter after an error";

impl fmt::Display for EveryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (0, Some(reason)) = (self.longest, self.not_proved) {
            return write!(f, "not proved: {reason}");
        }
        write!(f, "proved: {}", self.scope())?;
        if self.any_length.is_some() {
            let longest = Count(self.longest as u64, "byte");
            write!(f, "; up to {longest} in all splits")?;
            f.write_str(if self.after_errors { AFTER_ERRORS } else { "" })?;
        }
        f.write_str(", ")?;
        match self.streams {
            1 => write!(f, "1 stream")?,
            streams => write!(f, "{streams} streams")?,
        }
        let (states, calls) = (self.states as u64, self.calls);
        let (states, calls) = (Count(states, "state"), Count(calls, "call"));
        write!(f, " of that length, {calls}, {states}{}", self.by.note())?;
        if self.varied > 0 {
            let varied = Count(self.varied, "chunk");
            write!(f, "; {varied} with other bytes of the same letters")?;
        }
        write!(f, "; {} replayed", Count(self.replayed, "split"))?;
        if let Some(reason) = self.not_proved {
            write!(f, "; no longer ones: {reason}")?;
        }
        write!(f, "{}", Declared("; declared: ", &self.deviations))
    }
}

/// What the streams are made of.
struct Letters<'a>(&'a EveryStream);

impl fmt::Display for Letters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = Count(self.0.letters.len() as u64, "letter");
        let pieces = Count(self.0.letters.len() as u64, "piece");
        let list = List(&self.0.letters);
        match self.0.made_of {
            MadeOf::Letters => {
                write!(f, "made of {letters} ({list}), inferred for each place")?;
                match self.0.any_length {
                    // What only longer streams distinguish shares a letter.
                    Some(_) => write!(f, " within {}", Count(self.0.longest as u64, "byte")),
                    None => Ok(()),
                }
            }
            MadeOf::Messages => f.write_str("made of messages"),
            MadeOf::Pieces => write!(f, "made of {pieces} ({list})"),
        }?;
        if self.0.unjudged {
            f.write_str(", if the oracle judges each beginning")?;
        }
        if self.0.open_ends {
            f.write_str(", some ends not checked")?;
        }
        Ok(())
    }
}

/// The first of some bytes or pieces, in hexadecimal.
struct List<'a>(&'a [Vec<u8>]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 16;
        for (index, piece) in self.0.iter().take(SHOWN).enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            for byte in piece {
                write!(f, "{byte:02x}")?;
            }
        }
        f.write_str(if self.0.len() > SHOWN { " ..." } else { "" })
    }
}
