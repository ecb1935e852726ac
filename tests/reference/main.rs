//! Tests of the reference framer: vectors, properties and tools.

#[path = "../common/mod.rs"]
mod common;

mod codec;
mod coq;
mod mutator;
mod properties;
mod split;
mod tcp;
mod vectors;
