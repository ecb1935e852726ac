#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod case;
pub mod check;
mod macros;
pub mod reference;
mod split;
mod subject;

pub use case::{ParseTokenError, Received};
pub use split::{ParseSplitError, Split};
pub use subject::{
    Buffered, Decode, Joined, Parser, Push, Resynchronises, Sink, Subject, with_length,
};
#[cfg(feature = "tokio")]
pub use subject::{Tokio, encoder};
