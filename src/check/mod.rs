//! The checks: they run a framer and return a violation or nothing. They know no format: the expected
//! result of a stream is part of their input.

pub(crate) mod allocations;
pub(crate) mod declared;
mod encoder;
pub(crate) mod end;
#[cfg(feature = "tokio")]
mod executor;
pub(crate) mod finding;
pub(crate) mod input;
pub(crate) mod isolate;
pub(crate) mod judge;
#[cfg(feature = "std")]
pub(crate) mod linear;
pub(crate) mod minimize;
pub(crate) mod one_split;
pub(crate) mod prove;
#[cfg(feature = "std")]
pub(crate) mod read;
pub(crate) mod team;
mod values;
#[cfg(feature = "std")]
mod watchdog;
#[cfg(feature = "std")]
pub(crate) mod write;

pub use allocations::Allocated;
pub use encoder::check_encoder;
#[cfg(feature = "std")]
pub use team::{on_threads, parallel};
#[cfg(feature = "std")]
pub use watchdog::watchdog;
