//! The reference framer for MNetSocket's format, and all that belongs to it.

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
