//! The decoder in a driver, as a [`Subject`] for the library's checks.

use std::cell::RefCell;
use std::fmt;
use std::panic::resume_unwind;
use std::rc::Rc;

use everysplit::subject::{Frames, Subject};

use super::Driver;
use super::running::DriverReply;
use crate::text::one_line;

/// Which errors are different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorComparison {
    /// Those of different kinds.
    ByKind,
    /// None: only the driver knows its kinds, and the expectation is from elsewhere.
    AllEqual,
}

/// An error of the decoder.
#[derive(Clone)]
pub(crate) struct DecoderError {
    pub(crate) kind: String,
    pub(crate) comparison: ErrorComparison,
}

impl PartialEq for DecoderError {
    fn eq(&self, other: &Self) -> bool {
        self.comparison == ErrorComparison::AllEqual || self.kind == other.kind
    }
}

impl Eq for DecoderError {}

impl fmt::Debug for DecoderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.kind))
    }
}

/// A decoder in a driver. Only the one that was fed last exists: a fresh one replaces it.
pub(crate) struct DriverDecoder {
    driver: Rc<RefCell<Driver>>,
    comparison: ErrorComparison,
    /// Whether the driver has made the decoder.
    exists: bool,
}

impl DriverDecoder {
    pub(crate) fn new(driver: &Rc<RefCell<Driver>>, comparison: ErrorComparison) -> Self {
        Self {
            driver: Rc::clone(driver),
            comparison,
            exists: false,
        }
    }

    /// Sends a request, to a fresh decoder the first time.
    fn request(&mut self, request: &str, frames: &mut Frames<String>) -> Result<(), DecoderError> {
        let mut driver = self.driver.borrow_mut();
        let (requests, index) = if std::mem::replace(&mut self.exists, true) {
            (request.into(), 0)
        } else {
            (format!("new{}\n{request}", driver.settings.config), 1)
        };
        let mut replies = unwrap(driver.request(requests, index + 1));
        take_result(&mut replies[index], self.comparison, frames)
    }
}

impl Subject for DriverDecoder {
    type Frame = String;
    type Error = DecoderError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<String>) -> Result<(), DecoderError> {
        self.request(&feed_request(chunk), frames)
    }

    fn finish(&mut self, frames: &mut Frames<String>) -> Result<(), DecoderError> {
        self.request("finish\n", frames)
    }
}

/// A decoder that the driver has saved, so that it can be cloned and compared.
#[derive(Clone)]
pub(crate) struct SavedDecoder {
    driver: Rc<RefCell<Driver>>,
    comparison: ErrorComparison,
    /// The text that loads it.
    saved: Rc<str>,
}

impl SavedDecoder {
    pub(crate) fn new(
        driver: &Rc<RefCell<Driver>>,
        comparison: ErrorComparison,
        saved: &Rc<str>,
    ) -> Self {
        Self {
            driver: Rc::clone(driver),
            comparison,
            saved: Rc::clone(saved),
        }
    }
}

/// Equal if the driver saves both under the same text: it then promises the same behaviour.
impl PartialEq for SavedDecoder {
    fn eq(&self, other: &Self) -> bool {
        self.saved == other.saved
    }
}

impl Eq for SavedDecoder {}

impl Subject for SavedDecoder {
    type Frame = String;
    type Error = DecoderError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<String>) -> Result<(), DecoderError> {
        let requests = format!("load {}\n{}save\n", self.saved, feed_request(chunk));
        let mut replies = unwrap(self.driver.borrow_mut().request(requests, 3));
        self.saved = replies[2].ready.as_str().into();
        take_result(&mut replies[1], self.comparison, frames)
    }

    fn finish(&mut self, frames: &mut Frames<String>) -> Result<(), DecoderError> {
        let requests = format!("load {}\nfinish\n", self.saved);
        let mut replies = unwrap(self.driver.borrow_mut().request(requests, 2));
        take_result(&mut replies[1], self.comparison, frames)
    }
}

fn feed_request(chunk: &[u8]) -> String {
    if chunk.is_empty() {
        "feed\n".into()
    } else {
        format!("feed {}\n", hex::encode(chunk))
    }
}

/// Panics if the driver failed: the checks report a panic of the subject as a violation.
fn unwrap(replies: Result<Vec<DriverReply>, String>) -> Vec<DriverReply> {
    replies.unwrap_or_else(|failure| resume_unwind(Box::new(failure)))
}

/// Moves the frames of a reply to `frames`, and returns its error.
fn take_result(
    reply: &mut DriverReply,
    comparison: ErrorComparison,
    frames: &mut Frames<String>,
) -> Result<(), DecoderError> {
    frames.extend(std::mem::take(&mut reply.frames));
    match reply.error.take() {
        None => Ok(()),
        Some(kind) => Err(DecoderError { kind, comparison }),
    }
}
