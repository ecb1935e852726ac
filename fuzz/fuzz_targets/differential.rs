//! Bytes from anybody, read by tokio-util's `LengthDelimitedCodec` beside ours.
#![no_main]

use everysplit::{Framer, Received, suite};

everysplit_fuzz::target!(|case: Received| {
    for config in suite::CONFIGS {
        suite::differential(|| Framer::new(config), config, &case).unwrap();
    }
});
