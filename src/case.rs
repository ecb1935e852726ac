//! Test cases: what a check is tried on. Where they come from is the business
//! of `strategy`, `arbitrary` and the fuzzer.

use alloc::vec::Vec;

use crate::frame::Frame;
use crate::split::Split;

/// Bytes as they arrive from anybody, and how they were cut on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The bytes: frames, the beginning of one, or anything else.
    pub stream: Vec<u8>,
    /// The cuts.
    pub split: Split,
}

/// Frames as a right peer sends them, and how their bytes are cut on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The frames, in order.
    pub frames: Vec<Frame>,
    /// The cuts of the stream that they make.
    pub split: Split,
}
