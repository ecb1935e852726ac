//! TLS: `ClientHello` messages as streams, the kinds of answers to them, and connections inside
//! which streams are cut.

mod answer;
mod certificates;
mod client;
mod client_hello;

pub(crate) use answer::Answer;
pub(crate) use client::{Session, TlsClient};
pub(crate) use client_hello::{edges, streams};
