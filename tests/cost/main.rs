//! The cost of framers: memory and time.

mod dribble;
mod memory;
