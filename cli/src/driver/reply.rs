//! The lines of a reply.

use std::ops::ControlFlow;

use super::failure::Failure;

/// The reply to one request.
#[derive(Clone, Default)]
pub(super) struct DriverReply {
    pub(super) emitted: Vec<Emission>,
    pub(super) error: Option<String>,
    /// The text after `ready`.
    pub(super) ready: String,
}

/// What a decoder emits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Emission {
    /// A part of a frame, before others and the frame that ends it.
    Piece(String),
    Frame(String),
    /// An error after which the decoder goes on.
    Rejection(String),
}

/// A line of a reply.
pub(super) enum ReplyLine<'a> {
    Emission(Emission),
    Error(&'a str),
    Ready(&'a str),
    Unknown(&'a str),
}

impl<'a> ReplyLine<'a> {
    pub(super) fn parse(line: &'a str) -> Self {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "ready" => Self::Ready(rest),
            "frame" => Self::Emission(Emission::Frame(rest.into())),
            "piece" => Self::Emission(Emission::Piece(rest.into())),
            "reject" => Self::Emission(Emission::Rejection(rest.into())),
            "error" => Self::Error(rest),
            _ => Self::Unknown(line),
        }
    }
}

impl DriverReply {
    /// Adds a line. Breaks after the last one.
    pub(super) fn add(
        &mut self,
        line: ReplyLine<'_>,
        max_frames: usize,
    ) -> Result<ControlFlow<()>, Failure> {
        match line {
            ReplyLine::Ready(rest) => {
                self.ready = rest.into();
                return Ok(ControlFlow::Break(()));
            }
            ReplyLine::Unknown(line) => return Err(Failure::UnknownLine(line.into())),
            ReplyLine::Emission(_) | ReplyLine::Error(_) if self.error.is_some() => {
                return Err(Failure::AfterError);
            }
            ReplyLine::Emission(_) if self.emitted.len() == max_frames => {
                return Err(Failure::TooManyFrames(max_frames));
            }
            ReplyLine::Emission(emission) => self.emitted.push(emission),
            ReplyLine::Error(kind) => self.error = Some(kind.into()),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Returns how many bytes of its buffer a decoder whose caller owns it has consumed.
    pub(super) fn consumed(&self, buffered: usize) -> Result<usize, Failure> {
        let word = self.ready.split(' ').next().unwrap_or_default();
        match word.parse() {
            Ok(consumed) if consumed > buffered => {
                Err(Failure::ConsumesTooMuch { consumed, buffered })
            }
            Ok(consumed) => Ok(consumed),
            Err(_) => Err(Failure::NoNumber(self.ready.clone())),
        }
    }

    /// Returns whether there is more than one frame, or something after it.
    pub(super) fn ends_several_frames(&self) -> bool {
        let is_piece = |emission: &Emission| matches!(emission, Emission::Piece(_));
        self.emitted.iter().skip_while(|it| is_piece(it)).count() > 1
    }

    /// Returns the name of the state after a call, if the driver saves states.
    pub(super) fn state(&self, is_caller_buffered: bool) -> Option<&str> {
        let mut words = self.ready.split(' ').skip(usize::from(is_caller_buffered));
        words.next().filter(|state| !state.is_empty())
    }

    /// Removes the name of the state after a call.
    pub(super) fn forget_state(&mut self, is_caller_buffered: bool) {
        let end = if is_caller_buffered {
            self.ready.find(' ').unwrap_or(self.ready.len())
        } else {
            0
        };
        self.ready.truncate(end);
    }
}
