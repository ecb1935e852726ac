//! Tests of the formats: against vectors that CPython wrote, against naive parsers for every split,
//! against a Python peer, and over real sockets.

#[path = "../../../tests/common/mod.rs"]
mod common;

mod auth;
mod clients;
mod cpython;
mod described;
mod json_header;
mod len32;
mod memory;
mod receive_loops;
mod seeds;
mod support;
mod udp;
