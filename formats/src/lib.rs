//! The other formats of the documents, one file each: framers on the same footing as
//! the reference one, and what comes before and beside a framer.

#![no_std]

extern crate alloc;
#[cfg(feature = "tokio")]
extern crate std;

#[cfg(feature = "auth")]
pub mod auth;
pub mod datagram;
#[cfg(feature = "json_header")]
pub mod json_header;
pub mod len32;
