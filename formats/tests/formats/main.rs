//! Tests of the formats: against vectors that CPython wrote, against naive parsers for every split,
//! against a Python peer, and over real sockets.

#[path = "../../../tests/common/mod.rs"]
mod common;

mod auth;
mod clients;
mod cpython;
mod delimited;
mod described;
mod json_header;
mod len32;
mod length_field;
mod memory;
mod mutants;
mod netstring;
mod receive_loops;
mod seeds;
mod support;
mod udp;
mod varint;
