//! The keyed check of a connection: a challenge and its digest, ahead of any framer.
