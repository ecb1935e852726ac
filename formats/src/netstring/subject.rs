//! Implements the harness's trait for the decoder.

use bytes::{Bytes, BytesMut};
use everysplit::subject::Decode;

use super::{DecodeError, Decoder};

impl Decode for Decoder {
    type Frame = Bytes;
    type Error = DecodeError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        Decoder::decode(self, buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        Decoder::decode_eof(self, buffer)
    }
}
