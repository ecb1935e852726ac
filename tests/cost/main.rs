//! What framers cost: bytes allocated, and time.

mod dribble;
mod memory;
