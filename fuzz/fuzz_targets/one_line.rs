//! The one-line target that a user writes, here for the reference framer.
#![no_main]

use everysplit::Harness;
use everysplit::reference::{Framer, fuzzing::CONFIGS, naive};

everysplit::framer_fuzz!(
    Harness::framer(|| Framer::new(CONFIGS[0])).oracle(|stream| naive::parse(CONFIGS[0], stream))
);
