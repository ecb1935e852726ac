//! Takes a body out of a read buffer.

use bytes::{Buf, Bytes, BytesMut};

/// Removes `before` bytes, a body of `size` bytes and `after` bytes from the front of `buffer`, and
/// returns the body. It shares the allocation of `buffer`, unless it is empty.
pub(crate) fn take(buffer: &mut BytesMut, before: usize, size: usize, after: usize) -> Bytes {
    buffer.advance(before);
    // An empty slice of the buffer would keep its whole allocation alive.
    let body = match size {
        0 => Bytes::new(),
        _ => buffer.split_to(size).freeze(),
    };
    buffer.advance(after);
    body
}
