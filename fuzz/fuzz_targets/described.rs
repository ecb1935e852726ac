//! Untrusted bytes to the decoders with settings: the same messages and the same error whatever the
//! split.
#![no_main]

use everysplit_formats::fuzzing::FORMATS;

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    for format in FORMATS {
        format.harness().fuzz(stream).unwrap();
    }
});
