//! Bytes from anybody to a server that waits for an answer: frames come out behind the
//! right one alone, whatever the split.
#![no_main]

use everysplit::Received;
use everysplit_formats::auth::fuzzing;

everysplit_fuzz::libfuzzer_sys::fuzz_target!(|case: Received| {
    for algorithm in fuzzing::ALGORITHMS {
        fuzzing::decode(fuzzing::guarded(algorithm), algorithm, &case).unwrap();
    }
});
