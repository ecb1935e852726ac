//! Implements the harness's trait for the decoder.

use bytes::BytesMut;
use everysplit::subject::Decode;

use super::{DecodeError, Decoder, Part};

/// Returns each [`Part`] as a frame. [`JoinPieces`](everysplit::subject::JoinPieces) joins them into whole
/// frames.
impl Decode for Decoder {
    type Frame = Part;
    type Error = DecodeError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Part>, DecodeError> {
        Decoder::decode(self, buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Part>, DecodeError> {
        Decoder::decode_eof(self, buffer)
    }
}
