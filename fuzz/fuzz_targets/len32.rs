//! Untrusted bytes to the decoder of signed lengths: the same bodies and the same error
//! whatever the split. The encoder gets the same bytes as a body.
#![no_main]

use everysplit::Case;
use everysplit_formats::len32::Config;
use everysplit_formats::len32::fuzzing;

everysplit_fuzz::libfuzzer_sys::fuzz_target!(|case: Case| {
    for config in fuzzing::CONFIGS {
        fuzzing::harness(config).fuzz(&case.stream).unwrap();
        fuzzing::encode(Config::encode, config.byte_order, &case.stream).unwrap();
    }
});
