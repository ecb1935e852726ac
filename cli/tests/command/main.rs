//! The command: decoders, servers and clients under test, right and wrong.

mod run;

mod exec;
mod hostile;
mod listen;
mod reports;
mod serve;
mod servers;
