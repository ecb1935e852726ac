//! Panics after three whole frames: measures how soon a campaign gets that far.
#![no_main]

use everysplit::reference::{fuzzing, naive};

everysplit_fuzz::target!(|stream: &[u8]| {
    for config in fuzzing::CONFIGS {
        assert!(naive::parse(config, stream).frames.len() < 3);
    }
});
