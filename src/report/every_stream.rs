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
/// chunks anywhere. After an error a stream goes on with one letter only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EveryStream {
    /// The length of the longest streams, in bytes.
    pub longest: usize,
    /// How many streams have this length; `u128::MAX` for more than that.
    pub streams: u128,
    /// If streams of any length are proved, up to their first error: the length of the longest
    /// chunks, in bytes.
    pub any_length: Option<usize>,
    /// What the streams are made of: bytes, or pieces of several bytes.
    pub letters: Vec<Vec<u8>>,
    /// Whether the letters were inferred: other bytes do the same as one of them, as far as that was
    /// tried.
    pub inferred: bool,
    /// How many chunks were also tried with other bytes than the letters that stand for them.
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
    /// Why longer streams were not proved, if that was tried.
    pub not_proved: Option<NotProved>,
    /// The declared deviations from the strict policy.
    pub deviations: Vec<Deviation>,
}

impl fmt::Display for EveryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = Letters(self);
        let longest = Count(self.longest as u64, "byte");
        if let Some(chunk) = self.any_length {
            let chunk = Count(chunk as u64, "byte");
            write!(
                f,
                "proved: streams of any length {letters}, up to an error, "
            )?;
            write!(
                f,
                "in all splits into chunks of up to {chunk}; up to {longest} "
            )?;
        } else {
            write!(f, "proved: all streams of up to {longest} {letters}, ")?;
        }
        f.write_str("in all splits, ")?;
        match self.streams {
            u128::MAX => write!(f, "more than 2^128 streams")?,
            1 => write!(f, "1 stream")?,
            streams => write!(f, "{streams} streams")?,
        }
        let (states, calls) = (self.states as u64, self.calls);
        let (states, calls) = (Count(states, "state"), Count(calls, "call"));
        write!(f, " of that length, {calls}, {states}{}", self.by.note())?;
        if self.varied > 0 {
            let varied = Count(self.varied, "chunk");
            write!(f, "; {varied} also with other bytes of the same letters")?;
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
        /// More are counted only.
        const SHOWN: usize = 16;
        let EveryStream {
            letters, inferred, ..
        } = self.0;
        let count = letters.len() as u64;
        let noun = if letters.iter().all(|letter| letter.len() == 1) {
            "letter"
        } else {
            "piece"
        };
        write!(f, "over {}", Count(count, noun))?;
        if *inferred {
            f.write_str(", inferred")?;
        }
        f.write_str(" (")?;
        for (index, letter) in letters.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            for byte in letter {
                write!(f, "{byte:02x}")?;
            }
        }
        f.write_str(if letters.len() > SHOWN { " ...)" } else { ")" })
    }
}
