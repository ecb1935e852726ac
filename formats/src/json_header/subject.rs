//! The decoder, under test.

use bytes::BytesMut;
use everysplit::Decode;

use super::{DecodeError, Decoder, Part};

/// Its frames are parts: [`JoinPieces`](everysplit::JoinPieces) makes whole ones of them.
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
