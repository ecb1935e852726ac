//! Does nothing: how fast the fuzzer itself is.
#![no_main]

everysplit_fuzz::target!(|_stream: &[u8]| {});
