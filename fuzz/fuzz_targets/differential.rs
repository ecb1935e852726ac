//! Bytes from anybody, read by tokio-util's `LengthDelimitedCodec` beside ours.
#![no_main]

use everysplit::Received;
use everysplit::reference::{Framer, fuzzing};

everysplit_fuzz::target!(|case: Received| {
    for config in fuzzing::CONFIGS {
        fuzzing::differential(|| Framer::new(config), config, &case).unwrap();
    }
});
