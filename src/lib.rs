#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "tokio")]
extern crate std;

pub mod check;
#[cfg(feature = "tokio")]
mod codec;
mod decoder;
mod error;
mod frame;
pub mod naive;
mod split;
mod subject;

#[cfg(feature = "tokio")]
pub use codec::Codec;
pub use decoder::{Decoder, Framer, Walk};
pub use error::{DecodeError, EncodeError};
pub use frame::{ByteOrder, Config, Frame, FrameRef, Header};
pub use split::{ParseSplitError, Split};
pub use subject::Subject;
