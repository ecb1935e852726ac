#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod case;
pub mod check;
#[cfg(feature = "tokio")]
mod codec;
mod decoder;
mod error;
mod frame;
pub mod framing;
mod macros;
#[cfg(feature = "arbitrary")]
pub mod mutator;
pub mod naive;
mod split;
#[cfg(feature = "proptest")]
pub mod strategy;
mod subject;
pub mod suite;

pub use case::{ParseTokenError, Received, Sent};
#[cfg(feature = "tokio")]
pub use codec::Codec;
pub use decoder::{Decoder, Framer, Walk};
pub use error::{DecodeError, EncodeError};
pub use frame::{ByteOrder, Config, Frame, FrameRef, Header};
pub use split::{ParseSplitError, Split};
#[cfg(feature = "auth")]
pub use subject::GuardedError;
pub use subject::{
    Buffered, Decode, Joined, Parser, Push, Resynchronises, Sink, Subject, with_length,
};
#[cfg(feature = "tokio")]
pub use subject::{Tokio, encoder};
