//! Encoded frames: they come back equal whatever the split.
#![no_main]

use everysplit::reference::{Framer, Sent, fuzzing};

everysplit_fuzz::target!(|case: Sent| {
    for config in fuzzing::CONFIGS {
        fuzzing::round_trip(Framer::new, config.byte_order, &case).unwrap();
    }
});
