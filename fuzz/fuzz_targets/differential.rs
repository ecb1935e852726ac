//! Untrusted bytes: the reference framer agrees with tokio-util's `LengthDelimitedCodec`.
#![no_main]

use everysplit::Case;
use everysplit::reference::{Framer, fuzzing};

everysplit_fuzz::target!(|case: Case| {
    for config in fuzzing::CONFIGS {
        fuzzing::differential(move || Framer::new(config), config, &case).unwrap();
    }
});
