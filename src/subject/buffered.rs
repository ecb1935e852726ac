//! The buffer that a decoder needs to be fed.

use bytes::BytesMut;

use super::{Decode, Frames, Subject};

/// A [`Decode`] with a buffer, as a [`Subject`]: a chunk is appended to the buffer, then the decoder
/// is called until it returns no frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffered<D> {
    decoder: D,
    buffer: BytesMut,
}

impl<D> Buffered<D> {
    /// Takes a decoder at the beginning of a stream.
    pub fn new(decoder: D) -> Self {
        Self {
            decoder,
            buffer: BytesMut::new(),
        }
    }

    /// Returns the decoder.
    pub const fn decoder(&self) -> &D {
        &self.decoder
    }

    /// Returns the bytes that the decoder has not taken from the buffer.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Takes a decoder that has left these bytes in its buffer.
    pub(crate) fn resumed(decoder: D, buffer: &[u8]) -> Self {
        Self {
            decoder,
            buffer: buffer.into(),
        }
    }
}

impl<D: Decode> Subject for Buffered<D> {
    type Frame = D::Frame;
    type Error = D::Error;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<D::Frame>) -> Result<(), D::Error> {
        self.buffer.extend_from_slice(chunk);
        while let Some(frame) = self.decoder.decode(&mut self.buffer)? {
            frames.push(frame);
        }
        Ok(())
    }

    fn finish(&mut self, frames: &mut Frames<D::Frame>) -> Result<(), D::Error> {
        while let Some(frame) = self.decoder.decode_eof(&mut self.buffer)? {
            frames.push(frame);
        }
        Ok(())
    }

    /// Returns the capacity of the buffer, with what the decoder holds as far as it is known.
    fn buffered_bytes(&self) -> Option<usize> {
        let held = self.decoder.buffered_bytes().unwrap_or(0);
        Some(self.buffer.capacity().saturating_add(held))
    }
}
