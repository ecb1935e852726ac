//! Implements the harness's traits for the reference framer and decoder.

use bytes::BytesMut;

use super::decoder::{Decoder, Framer};
use super::error::DecodeError;
use super::frame::Frame;
use crate::subject::{Decode, Frames, Subject};

impl Decode for Decoder {
    type Frame = Frame;
    type Error = DecodeError;

    /// It parses a shared slice, and then takes the frame from the front of the buffer.
    const READS_ONLY: bool = true;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        Decoder::decode(self, buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        Decoder::decode_eof(self, buffer)
    }
}

impl Subject for Framer {
    type Frame = Frame;
    type Error = DecodeError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        Framer::feed(self, chunk, frames.frames())
    }

    fn finish(&mut self, _: &mut Frames<Frame>) -> Result<(), DecodeError> {
        Framer::finish(self)
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(Framer::buffered_bytes(self))
    }
}
