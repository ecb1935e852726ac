//! Rows: the replies to all calls that can follow a state on the stream that is being proved.

use std::collections::HashMap;

use super::reply::DriverReply;

/// The rows of one stream, by offset and state.
#[derive(Default)]
pub(super) struct Rows(HashMap<usize, HashMap<Box<str>, Row>>);

/// The replies to calls with 0, 1, 2 ... bytes, from one state.
#[derive(Default)]
pub(super) struct Row {
    /// `None` for one that has been used.
    replies: Vec<Option<DriverReply>>,
    /// Whether the driver failed before the end of the row.
    is_cut_off: bool,
}

impl Rows {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn get(&mut self, state: &str, offset: usize) -> Option<&mut Row> {
        self.0.get_mut(&offset)?.get_mut(state)
    }

    pub(super) fn insert(&mut self, state: &str, offset: usize, row: Row) {
        self.0.entry(offset).or_default().insert(state.into(), row);
    }
}

impl Row {
    pub(super) fn add(&mut self, reply: DriverReply) {
        self.replies.push(Some(reply));
    }

    /// Records that the driver failed. It has forgotten the states that it named.
    pub(super) fn cut_off(&mut self, is_caller_buffered: bool) {
        self.is_cut_off = true;
        for reply in self.replies.iter_mut().flatten() {
            reply.forget_state(is_caller_buffered);
        }
    }

    pub(super) const fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    pub(super) const fn len(&self) -> usize {
        self.replies.len()
    }

    /// Takes the reply to a call with so many bytes. A search needs each only once.
    pub(super) fn take(&mut self, bytes: usize) -> Option<DriverReply> {
        self.replies.get_mut(bytes)?.take()
    }
}
