//! What the command can be asked. It does nothing.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use regex::bytes::Regex;

/// Tests whether code that puts messages back together gives the same ones however the
/// stream is cut.
///
/// The exit status is 0 when everything held, 1 when something did not, 2 when nothing
/// could be said.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tests a decoder in any language, through a driver that has it under test.
    ///
    /// The driver is a program that is fed chunks over stdin and answers with frames over
    /// stdout, a line each. drivers/driver.py and drivers/driver.js are ready for a
    /// decoder in Python and in Node; drivers/PROTOCOL.md says how to write another.
    Exec(Exec),

    /// Tests a live server, unmodified: the same request in every split, and the reply must
    /// not change.
    ///
    /// On Linux each chunk is seen to have been read before the next is sent, so that the
    /// server gets the very chunks. Elsewhere there is a delay between them, and the report
    /// says so.
    Tcp(Tcp),
}

#[derive(Arguments, Debug)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) streams: Streams,

    /// What the decoder is configured with, such as max=64; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,

    /// How many seconds a driver may take to answer.
    #[arg(long, default_value = "10", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) timeout: Duration,

    /// How much memory a driver may take, in MiB.
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    pub(crate) memory: u64,

    /// How many cuts there are in the splits that are tried of a decoder that cannot be
    /// saved and loaded.
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub(crate) cuts: usize,

    /// The driver and its arguments, behind --.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) driver: Vec<OsString>,
}

#[derive(Arguments, Debug)]
pub(crate) struct Tcp {
    #[command(flatten)]
    pub(crate) streams: Streams,

    /// The address of a server that runs, such as 127.0.0.1:7000.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "server")]
    pub(crate) connect: Option<SocketAddr>,

    /// The port on 127.0.0.1 of a server that is started: its command stands behind --.
    #[arg(long, requires = "server", value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// Starts the server anew for each connection, for one that serves only one.
    #[arg(long, requires = "server")]
    pub(crate) fresh: bool,

    /// How many connections are made for a stream, at most.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(crate) budget: usize,

    /// What random splits are drawn from.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) seed: u64,

    /// How many seconds the server may take to read a chunk, and to reply.
    #[arg(long, default_value = "5", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) timeout: Duration,

    /// How many seconds without a byte end the reply of a server that does not close.
    #[arg(long, default_value = "1", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) quiet: Duration,

    /// What differs from reply to reply and does not matter, as a regular expression; may
    /// be given several times.
    #[arg(long, value_name = "REGEX")]
    pub(crate) mask: Vec<Regex>,

    /// Allows another address than one of this machine.
    #[arg(long)]
    pub(crate) allow_remote: bool,

    /// The server and its arguments, behind --.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) server: Vec<OsString>,
}

/// Where streams come from. Without any, and with no framing, there is nothing to ask.
#[derive(Arguments, Debug)]
pub(crate) struct Streams {
    /// A file that holds a stream, as it comes off the wire; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) stream: Vec<PathBuf>,

    /// A folder of such files.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) corpus: Vec<PathBuf>,

    /// A stream in hexadecimal digits; may be given several times.
    #[arg(long, value_name = "HEX")]
    pub(crate) hex: Vec<String>,

    /// The format: makes streams, and tells what each must give. Without it, what the
    /// decoder gives byte by byte is expected of every other split.
    #[arg(long, value_enum)]
    pub(crate) framing: Option<Framing>,

    /// The most bytes of body; a header that claims more is to be refused. Without it,
    /// nothing is. The decoder is told as max=BYTES.
    #[arg(long, requires = "framing", value_name = "BYTES")]
    pub(crate) limit: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Framing {
    /// bodySize, cmd, recv: three u32, little-endian, then the body. A frame is told as
    /// "cmd recv body", the body in hexadecimal digits.
    Header12,
    /// A length of 16 bits, big-endian, then the body. A frame is told as its body in
    /// hexadecimal digits.
    Len16,
    /// A signed length of 32 bits, little-endian, then the body. A frame is told as its
    /// body in hexadecimal digits.
    Len32,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
