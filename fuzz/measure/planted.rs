//! Panics if the body of the third frame has exactly the size of the limit: a bug that is hard
//! to reach.
#![no_main]

use everysplit::reference::{fuzzing, naive};

everysplit_fuzz::target!(|stream: &[u8]| {
    for config in fuzzing::CONFIGS {
        if let Some((_, frame)) = naive::parse(config, stream).frames.get(2) {
            assert!(frame.body.len() < config.max_body_size as usize);
        }
    }
});
