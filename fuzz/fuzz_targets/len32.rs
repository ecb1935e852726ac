//! Untrusted bytes to the decoder of signed lengths: the same bodies and the same error
//! whatever the split. The encoder gets the same bytes as a body.
#![no_main]

use everysplit::{Buffered, Case};
use everysplit_formats::len32::fuzzing;
use everysplit_formats::len32::{Config, Decoder};

everysplit_fuzz::libfuzzer_sys::fuzz_target!(|case: Case| {
    for config in fuzzing::CONFIGS {
        fuzzing::decode(|| Buffered::new(Decoder::new(config)), config, &case).unwrap();
        fuzzing::encode(Config::encode, config.byte_order, &case.stream).unwrap();
    }
});
