//! TLS: `ClientHello` messages as streams, and the kinds of answers to them.

mod answer;
mod client_hello;

pub(crate) use answer::Answer;
pub(crate) use client_hello::{edges, streams};
