//! Implements the harness's trait for the decoders.

use bytes::{Bytes, BytesMut};
use everysplit::subject::Decode;

macro_rules! decodes {
    ($($format:ident: $frame:ty;)*) => {
        $(impl Decode for crate::$format::Decoder {
            type Frame = $frame;
            type Error = crate::$format::DecodeError;

            fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<$frame>, Self::Error> {
                Self::decode(self, buffer)
            }

            fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<$frame>, Self::Error> {
                Self::decode_eof(self, buffer)
            }
        })*
    };
}

decodes! {
    delimited: Bytes;
    len32: Bytes;
    length_field: Bytes;
    netstring: Bytes;
    varint: Bytes;
}

// Each part is a frame. `JoinPieces` joins them into whole frames.
#[cfg(feature = "json_header")]
decodes! {
    json_header: crate::json_header::Part;
}
