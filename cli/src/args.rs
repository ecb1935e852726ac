//! What the command can be asked. It does nothing.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZero;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use everysplit::{Case, Split};
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
    #[command(after_help = EXEC)]
    Exec(Exec),

    /// Tests a live server or client, unmodified: it gets the same in every split, and what it
    /// does must not change.
    ///
    /// On Linux each chunk is seen to have been read before the next is sent, so that the very
    /// chunks arrive. Elsewhere there is a delay between them, and the report says so.
    #[command(after_help = TCP)]
    Tcp(Box<Tcp>),

    /// Serves clients that are under test: every frame comes back, in the splits that are
    /// asked for.
    ///
    /// A frame over the limit, or none at all, is answered with the end of the connection.
    Serve(Serve),

    /// Prints streams of a format, with what each must give, as JSON for the tests of any
    /// language.
    ///
    /// An object has the stream, in hexadecimal digits; its frames, each with the offset at which
    /// it is complete; its outcome, which is clean, truncated or rejected, and then at which
    /// byte; and the edges of its fields. It must be so however the stream is cut.
    Vectors(Streams),

    /// Tries a violation again, of which the token was told.
    Replay(Replay),
}

const EXEC: &str = "\
Examples:
  everysplit exec --framing len16 -- python3 drivers/driver.py
  everysplit exec --stream recorded.bin --report report.html -- node driver.js";

const TCP: &str = "\
Examples:
  everysplit tcp --port 7000 --stream request.bin -- python3 server.py
  everysplit tcp --connect localhost:7000 --framing len32 --message ls --hostile
  everysplit tcp --listen 7000 --stream reply.bin -- python3 client.py";

#[derive(Arguments, Clone, Debug)]
pub(crate) struct Serve {
    /// The port on 127.0.0.1; 0 for one that is free, which is told.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: u16,

    /// The format.
    #[arg(long, value_enum)]
    pub(crate) framing: Framing,

    /// The order of the bytes of a length; without it, that of the format.
    #[arg(long, value_enum, value_name = "ORDER")]
    pub(crate) order: Option<Order>,

    /// The most bytes of body.
    #[arg(long, default_value_t = 8 * 1024 * 1024, value_name = "BYTES")]
    pub(crate) limit: u32,

    /// How many seconds the rest of a frame is waited for.
    #[arg(long, default_value = "3", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) idle: Duration,

    /// How each reply is cut: whole, bytes, random, or the cuts, such as 3,12.
    #[arg(long, default_value = "whole", value_name = "SPLIT")]
    pub(crate) split: Cutting,
}

/// How a reply is cut.
#[derive(Clone, Debug)]
pub(crate) enum Cutting {
    At(Split),
    Bytes,
    Random,
}

impl FromStr for Cutting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "bytes" => Ok(Self::Bytes),
            "random" => Ok(Self::Random),
            cuts => match cuts.parse() {
                Ok(split) => Ok(Self::At(split)),
                Err(error) => Err(format!("{error}, bytes or random")),
            },
        }
    }
}

#[derive(Arguments, Debug)]
pub(crate) struct Replay {
    /// The token: the bytes of the stream in hexadecimal digits, @, and the cuts.
    pub(crate) token: Case,

    #[command(subcommand)]
    pub(crate) of: Under,
}

/// What is under test, as it was when the token was told.
#[derive(Debug, Subcommand)]
pub(crate) enum Under {
    /// A decoder, through its driver.
    Exec(Box<Exec>),
    /// A server or a client.
    Tcp(Box<Tcp>),
}

#[derive(Arguments, Debug)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) streams: Streams,

    #[command(flatten)]
    pub(crate) reporting: Reporting,

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

    /// Declares that the end of a stream drops what is no whole frame, and is no error.
    #[arg(long)]
    pub(crate) discards_at_end: bool,

    /// How many seconds it all may take.
    #[arg(long, default_value = "600", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) time: Duration,

    /// How many times a decoder may be fed for a proof. Of a longer stream, splits are drawn by
    /// chance; one of more than a quarter as many bytes is not asked of.
    #[arg(long, default_value_t = 200_000, value_name = "N")]
    pub(crate) feeds: u64,

    /// The driver and its arguments, behind --.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) driver: Vec<OsString>,
}

#[derive(Arguments, Debug)]
pub(crate) struct Tcp {
    #[command(flatten)]
    pub(crate) streams: Streams,

    #[command(flatten)]
    pub(crate) reporting: Reporting,

    /// Tests a server that runs, at an address such as 127.0.0.1:7000.
    #[arg(long, value_name = "ADDRESS", value_parser = address, conflicts_with_all = ["command", "port", "listen"])]
    pub(crate) connect: Option<SocketAddr>,

    /// Tests a server that is started: its port on 127.0.0.1. Its command stands behind --.
    #[arg(
        long,
        requires = "command",
        value_name = "PORT",
        conflicts_with = "listen"
    )]
    pub(crate) port: Option<u16>,

    /// Tests a client, which is started for each connection and connects to this port on
    /// 127.0.0.1. Its command stands behind --; the streams are what it is replied.
    #[arg(long, requires = "command", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) listen: Option<u16>,

    /// Starts the server anew for each connection, for one that serves only one.
    #[arg(long, requires = "port")]
    pub(crate) fresh: bool,

    /// Sends what nobody should: streams that end at every offset, the beginning of one and then
    /// nothing, and, of a --framing, lengths that are over the limit, negative and maximal. It is
    /// to answer or to close in time, to serve the next client, and not to grow.
    #[arg(long)]
    pub(crate) hostile: bool,

    /// How many seconds whoever gets the beginning of a frame may wait for the rest.
    #[arg(long, default_value = "5", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) idle: Duration,

    /// How much memory a hostile stream may take, in MiB, of what was started here.
    #[arg(long, default_value_t = 16, value_name = "MIB")]
    pub(crate) growth: u64,

    /// How many connections are made for a stream, at most.
    #[arg(long, default_value = "1000", value_name = "N")]
    pub(crate) budget: NonZero<usize>,

    /// How many connections are made in a second, at most.
    #[arg(long, default_value_t = 5000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,

    /// How many seconds it all may take.
    #[arg(long, default_value = "600", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) time: Duration,

    /// What random splits are drawn from.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) seed: u64,

    /// How many seconds it may take to read a chunk, to reply, and to end.
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

    /// The server or client and its arguments, behind --.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// How what came of a run is told, beside the terminal.
#[derive(Arguments, Debug)]
pub(crate) struct Reporting {
    /// Writes what came of it to a file too: a page (.html), JSON (.json) or what
    /// JUnit writes (.xml); may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,

    /// A file of known violations, which fail nothing, but for those that are not met. A line
    /// each: the property, a space, and the name of the stream.
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
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

    /// The format: makes streams, and knows what is in them.
    #[arg(long, value_enum)]
    pub(crate) framing: Option<Framing>,

    /// The order of the bytes of a length; without it, that of the format.
    #[arg(long, value_enum, requires = "framing", value_name = "ORDER")]
    pub(crate) order: Option<Order>,

    /// The most bytes of body; a header that claims more is to be refused, and so is one in JSON
    /// of more than 64 KiB. Without it, nothing is. A driver is told as max=BYTES.
    #[arg(long, requires = "framing", value_name = "BYTES")]
    pub(crate) limit: Option<u32>,

    /// The body of a frame, for the streams that are made; may be given several times.
    #[arg(long, requires = "framing", value_name = "TEXT")]
    pub(crate) message: Vec<String>,
}

impl Reporting {
    /// Returns what there is to tell when a token is replayed: no stream of it is known.
    pub(crate) fn replayed(&self) -> Self {
        Self {
            report: self.report.clone(),
            known: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framing {
    /// bodySize, cmd, recv: three u32, little-endian, then the body. A driver tells a frame
    /// as "cmd recv body", the body in hexadecimal digits.
    Header12,
    /// A length of 16 bits, big-endian, then the body. A driver tells a frame as its body in
    /// hexadecimal digits.
    Len16,
    /// A signed length of 32 bits, little-endian, then the body. A driver tells a frame as
    /// its body in hexadecimal digits.
    Len32,
    /// An unsigned length of 32 bits, big-endian, then the body. A driver tells a frame as its
    /// body in hexadecimal digits.
    Len32u,
    /// A signed length of 32 bits, little-endian, a header in JSON that tells the size of the
    /// body, such as `{"total_size": 5}`, then the body. A driver tells a frame as its body in
    /// hexadecimal digits.
    JsonHeader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    Little,
    Big,
}

/// Resolves a name; one of IPv4 is what most servers listen on.
fn address(text: &str) -> Result<SocketAddr, String> {
    let addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
    let address = addresses.min_by_key(SocketAddr::is_ipv6);
    address.ok_or_else(|| "nobody has this name".into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    let seconds = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if seconds.is_zero() {
        return Err("no time at all".into());
    }
    Ok(seconds)
}
