//! A decoder in the driver: the one that the driver made last, or one in a saved state.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;

use super::failure::Failure;
use super::reply::DriverReply;
use super::step::Step;
use super::{Driver, hex_word};

/// A decoder in a driver.
///
/// One that was made is *live*: only the one that was called last exists, as a fresh one replaces
/// it. Its clones before the first call are *saved*: each call begins in their state. So a proof,
/// which calls only clones, is checked on decoders that are never saved.
pub(super) struct Handle {
    driver: Rc<RefCell<Driver>>,
    place: Place,
}

enum Place {
    /// Made by the next call.
    Unmade,
    Live,
    Saved(Step),
}

impl Handle {
    pub(super) fn new(driver: &Rc<RefCell<Driver>>) -> Self {
        Self {
            driver: Rc::clone(driver),
            place: Place::Unmade,
        }
    }

    /// Calls the decoder with bytes. Returns the reply, and how many of them it consumed.
    ///
    /// Panics if the driver fails: the checks report a panic of the subject as a violation.
    pub(super) fn call(&mut self, input: &[u8]) -> (DriverReply, usize) {
        let mut driver = self.driver.borrow_mut();
        let reply = match &self.place {
            Place::Saved(step) => driver.call_saved(step, input),
            live => {
                let request = driver.call_request(input);
                driver.call_live(matches!(live, Place::Unmade), &request)
            }
        };
        let reply = unwrap(reply);
        let consumed = unwrap(consumed(&mut driver, &reply, input.len()));
        self.place = match &self.place {
            Place::Unmade | Place::Live => Place::Live,
            Place::Saved(step) => {
                let state = reply.state(driver.is_caller_buffered()).map(Into::into);
                Place::Saved(step.then(input, consumed, driver.generation, state))
            }
        };
        (reply, consumed)
    }

    /// Ends the decoder's stream, with the bytes that are left in a buffer of its caller.
    ///
    /// Panics if the driver fails.
    pub(super) fn finish(&mut self, buffer: &[u8]) -> (DriverReply, usize) {
        let mut driver = self.driver.borrow_mut();
        let request = format!("finish{}\n", hex_word(buffer));
        let reply = match &self.place {
            Place::Saved(step) => driver.call_on_path(step, &request),
            live => driver.call_live(matches!(live, Place::Unmade), &request),
        };
        self.place = Place::Live;
        let reply = unwrap(reply);
        let consumed = unwrap(consumed(&mut driver, &reply, buffer.len()));
        (reply, consumed)
    }

    /// Returns the state that a saved decoder is in, or that a clone would be in.
    fn step(&self) -> Option<Step> {
        match &self.place {
            Place::Unmade => Some(self.driver.borrow().fresh_step()),
            Place::Live => None,
            Place::Saved(step) => Some(step.clone()),
        }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self {
            driver: Rc::clone(&self.driver),
            place: self.step().map_or(Place::Live, Place::Saved),
        }
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        match (self.step(), other.step()) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Handle {}

/// Returns how many bytes of `buffered` a call consumed: all, if the decoder has a buffer.
fn consumed(driver: &mut Driver, reply: &DriverReply, buffered: usize) -> Result<usize, String> {
    if !driver.is_caller_buffered() {
        return Ok(buffered);
    }
    let consumed = match reply.error {
        // The decoder is not called with another buffer after an error.
        Some(_) => Ok(0),
        None if reply.ends_several_frames() => Err(Failure::SeveralFrames),
        None => reply.consumed(buffered),
    };
    consumed.map_err(|failure| driver.fail(&failure))
}

fn unwrap<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|failure| resume_unwind(Box::new(failure)))
}
