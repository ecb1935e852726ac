//! Frames from a right peer: they come back equal whatever the split.
#![no_main]

use everysplit::{Framer, Sent, suite};

everysplit_fuzz::target!(|case: Sent| {
    for config in suite::CONFIGS {
        suite::round_trip(Framer::new, config.byte_order, &case).unwrap();
    }
});
