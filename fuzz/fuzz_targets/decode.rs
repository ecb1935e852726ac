//! Bytes from anybody: the same frames and the same error whatever the split.
#![no_main]

use everysplit::Received;
use everysplit::reference::{Framer, fuzzing};

everysplit_fuzz::target!(|case: Received| {
    for config in fuzzing::CONFIGS {
        fuzzing::decode(Framer::new(config), config, &case).unwrap();
    }
});
