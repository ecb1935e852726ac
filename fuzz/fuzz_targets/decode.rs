//! Bytes from anybody: the same frames and the same error whatever the split.
#![no_main]

use everysplit::{Framer, Received, suite};

everysplit_fuzz::target!(|case: Received| {
    for config in suite::CONFIGS {
        suite::decode(Framer::new(config), config, &case).unwrap();
    }
});
