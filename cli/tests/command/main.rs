//! The command: decoders, servers and clients under test, right and wrong.

mod program;

mod exec;
mod hostile;
mod listen;
mod reports;
mod serve;
mod servers;
