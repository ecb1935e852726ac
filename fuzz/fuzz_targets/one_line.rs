//! What a user's own target looks like, with the reference framer under test.
#![no_main]

use everysplit::check::Harness;
use everysplit::reference::{Framer, fuzzing::CONFIGS, naive};

everysplit::framer_fuzz!(Harness::new(
    || Framer::new(CONFIGS[0]),
    |stream| naive::parse(CONFIGS[0], stream)
));
