//! Frames to encode, under limits that accept them and limits that reject them.
#![no_main]

use everysplit::reference::{Sent, fuzzing};

everysplit_fuzz::target!(|case: Sent| {
    for config in fuzzing::CONFIGS {
        for frame in &case.frames {
            fuzzing::encode(fuzzing::encode_whole, config.byte_order, frame).unwrap();
            fuzzing::encode(fuzzing::encode_in_parts, config.byte_order, frame).unwrap();
        }
    }
});
