//! Bytes from anybody to a server that waits for an answer: frames come out behind the
//! right one alone, whatever the split.
#![no_main]

use everysplit::Case;
use everysplit_formats::auth::fuzzing;

everysplit_fuzz::libfuzzer_sys::fuzz_target!(|case: Case| {
    for algorithm in fuzzing::ALGORITHMS {
        fuzzing::decode(fuzzing::guarded(algorithm), algorithm, &case).unwrap();
    }
});
