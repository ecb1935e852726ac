//! Does nothing: measures the speed of the fuzzer itself.
#![no_main]

everysplit_fuzz::target!(|_stream: &[u8]| {});
