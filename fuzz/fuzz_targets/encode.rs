//! Frames to be written, under limits that allow them and limits that do not.
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
