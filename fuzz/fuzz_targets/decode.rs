//! Untrusted bytes: the same frames and the same error whatever the split.
#![no_main]

use everysplit::Case;
use everysplit::reference::{Framer, fuzzing};

everysplit_fuzz::target!(|case: Case| {
    for config in fuzzing::CONFIGS {
        let framer = move || Framer::new(config);
        fuzzing::harness(framer, config).one_split(&case).unwrap();
    }
});
