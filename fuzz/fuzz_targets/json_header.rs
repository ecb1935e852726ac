//! Bytes from anybody to the framing with a header in JSON: the same whole frames and
//! the same error whatever the split.
#![no_main]

use everysplit_formats::json_header::fuzzing::{CONFIGS, harness};

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    for config in CONFIGS {
        harness(config).fuzz(stream).unwrap();
    }
});
