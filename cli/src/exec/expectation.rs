//! What is expected of a decoder: what its format says, and where it is declared to differ.

use everysplit::{Deviation, Expected, Outcome};

use crate::driver::{Comparison, DecoderError, DriverFrame};
use crate::framing::Framing;
use crate::options::DECLARATIONS;

/// The expectation of a run.
#[derive(Clone)]
pub(super) struct Expectation {
    framing: Option<Framing>,
    /// Where the decoder is declared to differ from the strict policy.
    declared: Vec<Deviation>,
}

impl Expectation {
    pub(super) fn new(framing: Option<Framing>, declared: &[Deviation]) -> Self {
        Self {
            framing: framing.map(|framing| counted(framing, declared)),
            declared: declared.into(),
        }
    }

    /// Returns the format, with the limit of its bodies.
    pub(super) const fn framing(&self) -> Option<Framing> {
        self.framing
    }

    pub(super) fn caller_stops(&self) -> bool {
        self.declares(Deviation::CallerStops)
    }

    pub(super) fn resynchronises(&self) -> bool {
        self.declares(Deviation::Resynchronises)
    }

    fn declares(&self, deviation: Deviation) -> bool {
        self.declared.contains(&deviation)
    }

    /// Returns what is declared.
    pub(super) fn declared(&self) -> Vec<Deviation> {
        self.declared.clone()
    }

    pub(super) const fn comparison(&self) -> Comparison {
        match self.framing {
            Some(_) => Comparison::ByFormat,
            None => Comparison::ByText,
        }
    }

    /// Returns a driver's configuration, with what it must know of the declarations.
    pub(super) fn configure(&self, config: &str) -> String {
        if self.resynchronises() {
            format!("{config} resynchronises=yes")
        } else {
            config.into()
        }
    }

    /// Returns what a stream must give, `None` if only the decoder itself knows.
    pub(super) fn of(&self, stream: &[u8]) -> Option<Expected<DriverFrame, DecoderError>> {
        let framing = self.framing?;
        let comparison = self.comparison();
        let error = || DecoderError {
            kind: "an error".into(),
            comparison,
        };
        let Expected {
            frames,
            at_end,
            mut outcome,
        } = framing.expect(stream, error);
        let mut frames: Vec<_> = frames
            .into_iter()
            .map(|(end, text)| (end, DriverFrame::Frame(text)))
            .collect();
        if self.declares(Deviation::NoEmptyFrame)
            && let Some((index, at)) = first_empty(framing, stream)
        {
            frames.truncate(index);
            let error = error();
            outcome = Outcome::Rejected { at, error };
        }
        match outcome {
            Outcome::Truncated(_) if self.declares(Deviation::DiscardsAtEnd) => {
                outcome = Outcome::Clean;
            }
            // No format says where a decoder goes on.
            Outcome::Rejected { .. } if self.resynchronises() => return None,
            _ => {}
        }
        Some(Expected {
            frames,
            at_end: at_end.into_iter().map(DriverFrame::Frame).collect(),
            outcome,
        })
    }

    /// Returns the format if it says what a stream must give.
    pub(super) fn judges(&self, stream: &[u8]) -> Option<Framing> {
        self.framing.filter(|_| self.of(stream).is_some())
    }

    /// Returns the declarations that could be added.
    pub(super) fn not_declared(&self) -> impl Iterator<Item = Deviation> {
        let all = DECLARATIONS.iter().map(|&(deviation, _)| deviation);
        all.filter(|&deviation| !self.declares(deviation))
    }

    /// Adds a declaration.
    pub(super) fn with(&self, deviation: Deviation) -> Self {
        let declared = [&self.declared[..], &[deviation]].concat();
        Self {
            framing: self.framing.map(|framing| counted(framing, &[deviation])),
            declared,
        }
    }
}

/// Returns a format with the limit of its bodies, if the decoder's limit counts the header too.
pub(super) fn counted(framing: Framing, declared: &[Deviation]) -> Framing {
    if !declared.contains(&Deviation::CountsHeader) {
        return framing;
    }
    let header = framing.frames(&[String::new()])[0].len();
    let header = u32::try_from(header).unwrap_or(u32::MAX);
    let size_limit = framing.size_limit.map(|limit| limit.saturating_sub(header));
    Framing {
        size_limit,
        ..framing
    }
}

/// Returns the index of the first frame with an empty body, and the offset at which its length is
/// complete.
fn first_empty(framing: Framing, stream: &[u8]) -> Option<(usize, usize)> {
    let frames = framing.parse(stream).frames;
    let index = frames.iter().position(|(_, frame)| frame.body.is_empty())?;
    let start = index.checked_sub(1).map_or(0, |before| frames[before].0);
    let edges = framing.edges(stream);
    let at = edges.into_iter().find(|&edge| edge > start)?;
    Some((index, at))
}
