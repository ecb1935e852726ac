//! Panics at a third frame of exactly the limit: a bug that lies deep.
#![no_main]

use everysplit::reference::{fuzzing, naive};

everysplit_fuzz::target!(|stream: &[u8]| {
    for config in fuzzing::CONFIGS {
        if let Some((_, frame)) = naive::parse(config, stream).frames.get(2) {
            assert!(frame.body.len() < config.max_body_size as usize);
        }
    }
});
