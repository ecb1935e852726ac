//! Valid frames and a split of their stream: the input of a round-trip test.

use alloc::vec::Vec;

use super::frame::Frame;
use crate::split::Split;

/// Valid frames and a split of the stream that they encode to: the input of a round-trip test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The frames, in the order in which they are sent.
    pub frames: Vec<Frame>,
    /// The cuts of the encoded stream.
    pub split: Split,
}
