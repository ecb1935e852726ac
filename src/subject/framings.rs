//! The framers of the other formats, as the checks see them.

#[cfg(feature = "json_header")]
mod json_header {
    use bytes::BytesMut;

    use crate::framing::json_header::{DecodeError, Decoder, Part};
    use crate::subject::Decode;

    /// Its frames are parts: [`Joined`](crate::Joined) makes whole ones of them.
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
}
