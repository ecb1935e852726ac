//! Bytes from anybody to a server that waits for an answer: frames come out behind the
//! right one alone, whatever the split.
#![no_main]

use everysplit::{Received, suite::auth};

everysplit_fuzz::libfuzzer_sys::fuzz_target!(|case: Received| {
    for algorithm in auth::ALGORITHMS {
        auth::decode(auth::guarded(algorithm), algorithm, &case).unwrap();
    }
});
