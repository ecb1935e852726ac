//! Panics at three whole frames in a row: how far a campaign sees.
#![no_main]

use everysplit::{naive, suite};

everysplit_fuzz::target!(|stream: &[u8]| {
    for config in suite::CONFIGS {
        assert!(naive::parse(config, stream).frames.len() < 3);
    }
});
