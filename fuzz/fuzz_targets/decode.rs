//! Untrusted bytes: the same frames and the same error whatever the split.
#![no_main]

use everysplit::Case;
use everysplit::reference::{Framer, fuzzing};

everysplit_fuzz::target!(|case: Case| {
    for config in fuzzing::CONFIGS {
        fuzzing::decode(Framer::new(config), config, &case).unwrap();
    }
});
