//! Untrusted bytes to a server that waits for the answer to its challenge: frames are emitted
//! only after the correct answer, whatever the split.
#![no_main]

use everysplit::Case;
use everysplit_formats::auth::fuzzing;

everysplit_fuzz::libfuzzer_sys::fuzz_target!(|case: Case| {
    for algorithm in fuzzing::ALGORITHMS {
        fuzzing::harness(algorithm).one_split(&case).unwrap();
    }
});
