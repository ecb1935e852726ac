//! Frames to be written, under limits that allow them and limits that do not.
#![no_main]

use everysplit::{Sent, suite};

everysplit_fuzz::target!(|case: Sent| {
    for config in suite::CONFIGS {
        for frame in &case.frames {
            suite::encode(suite::encode_whole, config.byte_order, frame).unwrap();
            suite::encode(suite::encode_in_parts, config.byte_order, frame).unwrap();
        }
    }
});
