//! A reference framer for MNetSocket's format, and the tools that test it.
//!
//! A frame is a header of three unsigned 32-bit integers, then the body:
//!
//! ```text
//! +-- bodySize: u32 --+---- cmd: u32 ----+---- recv: u32 ---+---- body ----------+
//! |  bytes of body    |  command, opaque |  1 = reply wanted |  bodySize bytes    |
//! +-------------------+------------------+------------------+--------------------+
//! ```
//!
//! MNetSocket packs the header with `struct.pack("3I")`, in the byte order of the machine, while
//! its own test sends `"!3I"`, in network byte order. The byte order is therefore part of the
//! [`Config`], and so is the size limit.
//!
//! | you have | use | copies of a body |
//! |---|---|---|
//! | the bytes in a slice | [`Walk`] | none |
//! | a read buffer, `BytesMut` | [`Decoder`] | none, bodies share the buffer |
//! | one chunk after another | [`Framer`] | one, into its own buffer |
//! | tokio-util, with the feature `tokio` | `Codec` | none, bodies share the buffer |
//!
//! What all of them guarantee:
//!
//! - A bodySize over the limit is rejected as soon as its four bytes have been received.
//! - Memory use follows the bytes received, never the size that a header claims.
//! - A body of 0 bytes is a whole frame, and every value of cmd and recv is accepted.
//! - The stream may end between two frames. Inside a frame, its end is
//!   [`DecodeError::Truncated`].
//! - After an error a decoder is poisoned: every later call returns the same error. Nothing in the
//!   format marks where a frame begins, so there is no way to find the next one.
//! - The encoder rejects what the decoder would reject, and then leaves its output unchanged.
//!
//! [`naive`] parses whole streams and serves as the oracle. The feature `proptest` adds `strategy`,
//! the feature `arbitrary` adds `mutator` and implementations of `Arbitrary`.

#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(feature = "tokio")]
mod codec;
mod decoder;
mod error;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "arbitrary")]
pub mod mutator;
pub mod naive;
mod sent;
#[cfg(feature = "proptest")]
pub mod strategy;
mod subject;

#[cfg(feature = "tokio")]
pub use codec::Codec;
pub use decoder::{Decoder, Framer, Walk};
pub use error::{DecodeError, EncodeError};
pub use frame::{ByteOrder, Config, Frame, FrameRef, Header};
pub use sent::Sent;
