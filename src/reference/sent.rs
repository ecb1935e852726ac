//! Frames to be sent, and how their bytes are cut.

use alloc::vec::Vec;

use super::frame::Frame;
use crate::split::Split;

/// Frames as a right peer sends them, and how their bytes are cut on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The frames, in order.
    pub frames: Vec<Frame>,
    /// The cuts of the stream that they make.
    pub split: Split,
}
