//! Panics at three whole frames in a row: how far a campaign sees.
#![no_main]

use everysplit::reference::{fuzzing, naive};

everysplit_fuzz::target!(|stream: &[u8]| {
    for config in fuzzing::CONFIGS {
        assert!(naive::parse(config, stream).frames.len() < 3);
    }
});
