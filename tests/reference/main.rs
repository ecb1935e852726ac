//! The reference framer: its vectors, its properties, its tools.

#[path = "../common/mod.rs"]
mod common;

mod codec;
mod mutator;
mod properties;
mod split;
mod tcp;
mod vectors;
