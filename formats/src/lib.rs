//! More wire formats for everysplit: a decoder for each, and for each that is a stream, a naive
//! parser that serves as the oracle.
//!
//! Four of the formats come from Python tutorials on sockets. The receive loops of the tutorials
//! lose or corrupt messages when a stream is cut in an unexpected place. These decoders do not. The
//! others have settings, and describe most formats in use: [`length_field`], [`varint`],
//! [`delimited`] and [`netstring`].
//!
//! | format | wire layout | naive parser |
//! |---|---|---|
//! | [`len32`] | `i32` length, body | [`len32::naive`] |
//! | [`length_field`] | a length of 1, 2, 3, 4 or 8 bytes, anywhere in a header | [`length_field::naive`] |
//! | [`varint`] | length as a varint, body | [`varint::naive`] |
//! | [`delimited`] | body, delimiter | [`delimited::naive`] |
//! | [`netstring`] | decimal length, `:`, body, `,` | [`netstring::naive`] |
//! | `json_header` | `i32` length, JSON header with the body's size, body | `json_header::naive` |
//! | `auth` | 32-byte challenge, answered by its HMAC, then any format | `auth::naive` |
//! | [`datagram`] | one [reference frame](everysplit::reference) per UDP datagram | none |
//!
//! `json_header` and `auth` need the features of the same names. The feature `tokio` makes
//! `auth::Guarded` a tokio-util decoder.

#![no_std]

extern crate alloc;
#[cfg(feature = "tokio")]
extern crate std;

#[cfg(feature = "auth")]
pub mod auth;
mod body;
pub mod datagram;
pub mod delimited;
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "json_header")]
pub mod json_header;
pub mod len32;
pub mod length_field;
pub mod netstring;
mod subject;
pub mod varint;
