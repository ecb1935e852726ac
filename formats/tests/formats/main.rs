//! The formats: their vectors, their proofs, CPython and real sockets at the other end.

#[path = "../../../tests/common/mod.rs"]
mod common;

mod auth;
mod clients;
mod cpython;
mod json_header;
mod len32;
mod memory;
mod receive_loops;
mod replay;
mod udp;
