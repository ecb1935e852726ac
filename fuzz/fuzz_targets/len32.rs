//! Bytes from anybody behind signed lengths: the same bodies and the same error
//! whatever the split; and the same bytes as a body to be written.
#![no_main]

use everysplit::framing::len32::{Config, Decoder};
use everysplit::{Buffered, Received, suite::len32};

everysplit_fuzz::libfuzzer_sys::fuzz_target!(|case: Received| {
    for config in len32::CONFIGS {
        len32::decode(|| Buffered::new(Decoder::new(config)), config, &case).unwrap();
        len32::encode(Config::encode, config.byte_order, &case.stream).unwrap();
    }
});
