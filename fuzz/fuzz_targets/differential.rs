//! Bytes from anybody, read by tokio-util's `LengthDelimitedCodec` beside ours.
#![no_main]

use everysplit::Case;
use everysplit::reference::{Framer, fuzzing};

everysplit_fuzz::target!(|case: Case| {
    for config in fuzzing::CONFIGS {
        fuzzing::differential(|| Framer::new(config), config, &case).unwrap();
    }
});
