//! Tests of the command `everysplit` on correct and buggy decoders, servers and clients.

mod program;

mod captures;
mod ci;
#[cfg(unix)]
mod crashes;
#[cfg(unix)]
mod decoders;
mod drivers;
#[cfg(unix)]
mod ending;
mod every_stream;
mod exec;
mod formats;
mod frameworks;
mod hostile;
mod http;
#[cfg(unix)]
mod installed;
mod listen;
mod merge;
mod options;
#[cfg(unix)]
mod proxy;
mod python_package;
mod readers;
mod replies;
mod reports;
mod scripts;
mod serve;
mod servers;
mod shards;
mod tls;
mod transcripts;
mod untrusted;
