//! Untrusted bytes to the decoder of JSON headers: the same frames and the same error whatever
//! the split.
#![no_main]

use everysplit_formats::json_header::fuzzing::{CONFIGS, harness};

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    for config in CONFIGS {
        harness(config).fuzz(stream).unwrap();
    }
});
