//! A signed length of 32 bits, then the payload.
