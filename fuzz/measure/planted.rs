//! Panics at a third frame of exactly the limit: a bug that lies deep.
#![no_main]

use everysplit::{naive, suite};

everysplit_fuzz::target!(|stream: &[u8]| {
    for config in suite::CONFIGS {
        if let Some((_, frame)) = naive::parse(config, stream).frames.get(2) {
            assert!(frame.body.len() < config.max_body_size as usize);
        }
    }
});
