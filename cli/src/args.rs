//! The command line as clap reads it: names, help texts, and the form of each value. Only
//! `options` reads these types.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::num::NonZero;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgGroup, Args, Command, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use everysplit::{Case, Property};
use regex::bytes::Regex;

use crate::address::Address;
use crate::drivers;
use crate::framing::{DESCRIBED, Description, NAMED};
use crate::options::{self, ConfigEntry, ReplySplit, Shard, default};
use crate::text::count;

/// Tests whether a decoder, server or client handles a byte stream the same way however the
/// stream is split into chunks.
///
/// Exit status: 0 if everything held, 1 if there is a violation, 2 if there is no verdict.
#[derive(Debug, Parser)]
#[command(
    name = "everysplit",
    version,
    before_help = "Example: everysplit exec --framing len16 -- python3 driver.py"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: VerbArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VerbArgs {
    /// Test a decoder in any language, through a driver program.
    ///
    /// The driver reads chunks from stdin and writes the decoded frames to stdout, one per line.
    /// "everysplit driver LANGUAGE" prints a ready driver, in which up to three functions are to be
    /// replaced; "everysplit driver --list" lists the languages, and "everysplit protocol" prints
    /// the protocol.
    #[command(before_help = EXEC_EXAMPLES)]
    Exec(Box<ExecArgs>),

    /// Print a ready driver for a language, or test a driver.
    ///
    /// A driver is one file: above a line in it, up to three functions are to be replaced; below it
    /// is the protocol.
    #[command(before_help = DRIVER_EXAMPLES)]
    Driver(DriverArgs),

    /// Print the protocol between everysplit and a driver.
    #[command(before_help = "Example: everysplit protocol | less")]
    Protocol,

    /// Test a live server or client over TCP, unmodified.
    ///
    /// Sends each stream uncut and then in many splits; the reply must always be the same.
    ///
    /// On Linux a chunk is sent only after the peer has read the previous one, so the peer
    /// reads exactly these chunks. Elsewhere there is a delay of 20 ms between chunks, and the
    /// report says so.
    #[command(before_help = TCP_EXAMPLES)]
    Tcp(Box<TcpArgs>),

    /// Test an HTTP/1.1 server, with requests of many shapes.
    ///
    /// Sends minimal and usual requests, Connection: close, query strings, bodies with
    /// Content-Length and chunked, trailers, Expect: 100-continue and pipelined requests: each
    /// uncut, cut at every offset, byte by byte, and in some random splits. The replies must always be the same. One more request
    /// on the same connection shows if the server replied to something that was no request.
    ///
    /// Date and similar header fields are not compared. For requests of your own, use `everysplit
    /// tcp --framing http1 --stream FILE`.
    #[command(before_help = HTTP_EXAMPLES)]
    Http(Box<HttpArgs>),

    /// Test how a server of TLS reads the first message of a connection, the `ClientHello`.
    ///
    /// Sends a small one, and one with a large key share that spans several segments, as hybrid
    /// post-quantum clients send it: each uncut, cut at every offset, byte by byte, and in random
    /// splits. The answer must always be of the same kind: the same records, messages and alerts.
    ///
    /// No connection is completed, so certificates do not matter.
    #[command(before_help = TLS_EXAMPLES)]
    Tls(Box<TlsArgs>),

    /// Cut the streams between any client and any server, and run a test command through it.
    ///
    /// Each direction of each connection is split in its own way: one byte at a time, into short
    /// chunks, around powers of two, or into chunks of mixed lengths. Bytes are never changed.
    ///
    /// With a test command, runs it uncut and then with each seed. When it fails, reduces the cuts
    /// to the fewest with which it still fails, and saves them in a file that replays them. Without
    /// one, forwards until Ctrl-C.
    ///
    /// On Linux a chunk is sent only after the other end, if it is on this machine, has read the
    /// previous one. Elsewhere there is a delay of 20 ms between chunks, and the summary says so.
    #[command(before_help = PROXY_EXAMPLES)]
    Proxy(Box<ProxyArgs>),

    /// Run a server that echoes frames, to test a client against.
    ///
    /// The server closes the connection after an invalid or oversized frame.
    #[command(before_help = "Example: everysplit serve --port 7000 --framing len32 --split bytes")]
    Serve(ServeArgs),

    /// Print test streams of a format and their expected frames as JSON.
    ///
    /// Each object has the stream in hexadecimal, its frames with the offset at which each is
    /// complete, its outcome (clean, truncated or rejected, and at which byte), and the offsets
    /// of its field edges. A correct decoder has these results for every split.
    #[command(before_help = "Example: everysplit vectors --framing len32 --message hello")]
    Vectors(StreamArgs),

    /// List the TCP streams of a capture of network traffic (pcap or pcapng).
    ///
    /// Segments are put in order by their sequence numbers. A stream ends before a gap.
    #[command(before_help = "Example: everysplit pcap traffic.pcap --save corpus")]
    Pcap(PcapArgs),

    /// Work with reports.
    Report(ReportVerbArgs),

    /// Print completions for a shell.
    #[command(
        before_help = "Example: everysplit completions bash > /etc/bash_completion.d/everysplit"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },

    /// Print the manual page of the command, or of a verb.
    #[command(before_help = "Example: everysplit man exec | man -l -")]
    Man {
        /// The verb.
        verb: Option<String>,
    },

    /// Try one split of one stream again, from the token in a violation.
    #[command(
        before_help = "Example: everysplit replay 00026f6b@2 exec --framing len16 -- python3 driver.py"
    )]
    Replay(ReplayArgs),
}

const EXEC_EXAMPLES: &str = "\
Examples:
  everysplit exec --framing len16 -- python3 driver.py
  everysplit exec --framing length:offset=2,width=2,counts=frame -- python3 driver.py
  everysplit exec --stream recorded.bin --report report.html -- node driver.js";

const DRIVER_EXAMPLES: &str = "\
Examples:
  everysplit driver python > driver.py
  everysplit driver --list
  everysplit driver --check -- python3 driver.py";

const TCP_EXAMPLES: &str = "\
Examples:
  everysplit tcp --port 7000 --stream request.bin -- python3 server.py
  everysplit tcp --connect localhost:7000 --framing len32 --message ls --hostile
  everysplit tcp --connect localhost:25 --script session.txt
  everysplit tcp --listen 7000 --stream reply.bin -- python3 client.py";

const HTTP_EXAMPLES: &str = "\
Examples:
  everysplit http --connect localhost:8080 --path /hello
  everysplit http --port 8080 --body 'a=1' -- python3 server.py";

/// The default of --max-connections for `tls`, as text.
const TLS_CONNECTIONS: &str = "2000";

const TLS_EXAMPLES: &str = "\
Examples:
  everysplit tls localhost:8443
  everysplit tls --port 8443 -- openssl s_server -accept 8443 -cert cert.pem -key key.pem";

const PROXY_EXAMPLES: &str = "\
Examples:
  everysplit proxy --listen 0 --to localhost:6379 -- sh -c 'redis-cli -p $EVERYSPLIT_PORT ping'
  everysplit proxy --listen localhost:7001 --to localhost:7000 --seed 3
  everysplit proxy --listen unix:/tmp/cut.sock --to unix:/tmp/server.sock -- pytest tests";

#[derive(Args, Debug)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    pub(crate) streams: StreamArgs,

    /// Prove all streams of the format up to this length, in bytes, each in every split.
    ///
    /// Their bytes are those that the format can tell apart in each place, so use a small
    /// --size-limit. Shorter streams are proved first. The verdict says how far --max-time allowed.
    #[arg(
        long,
        requires = "framing",
        conflicts_with_all = ["stream", "corpus", "pcap", "hex", "message", "shard"],
        value_name = "BYTES"
    )]
    pub(crate) every_stream: Option<NonZero<usize>>,

    #[command(flatten)]
    pub(crate) report: ReportArgs,

    /// Configuration passed to the decoder, such as max=64. Can be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) config: Vec<ConfigEntry>,

    #[command(flatten)]
    pub(crate) declared: DeclaredArgs,

    /// Maximum time to wait for a reply of the driver, in seconds.
    #[arg(long, default_value_t = Seconds(default::DRIVER_TIMEOUT), value_name = "SECONDS")]
    pub(crate) timeout: Seconds,

    /// Maximum memory of the driver, in MiB.
    #[arg(long, default_value_t = default::MAX_MEMORY, value_name = "MIB")]
    pub(crate) max_memory: u64,

    /// Maximum number of cuts in the splits that are tried if the driver saves no states.
    #[arg(long, default_value_t = default::MAX_CUTS, value_name = "N")]
    pub(crate) max_cuts: usize,

    /// Maximum number of feeds for the proof of one stream.
    ///
    /// A stream that would need more is sampled. A stream with more bytes than a quarter of this
    /// number is an error.
    #[arg(long, default_value_t = default::MAX_FEEDS, value_name = "N")]
    pub(crate) max_feeds: u64,

    /// Maximum time for the whole run, in seconds.
    #[arg(long, default_value_t = Seconds(default::MAX_TIME), value_name = "SECONDS")]
    pub(crate) max_time: Seconds,

    /// Seed of the random splits of a stream that is too long for a proof.
    #[arg(long, default_value_t = default::SEED, value_name = "N")]
    pub(crate) seed: u64,

    /// Check only a share of the streams, such as 1/4: the first of four shards.
    ///
    /// Streams are dealt out in turn, so each is in exactly one shard.
    #[arg(long, default_value_t = Shard::WHOLE, hide_default_value = true, value_name = "K/N")]
    pub(crate) shard: Shard,

    /// The driver and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) driver: Vec<OsString>,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("action").args(["language", "list", "check"]).required(true))]
pub(crate) struct DriverArgs {
    /// The ready driver to print: a language, and the kind of decoder if it is not fed.
    #[arg(value_name = "LANGUAGE", value_parser = PossibleValuesParser::new(drivers::names()))]
    pub(crate) language: Option<String>,

    /// List the ready drivers.
    #[arg(long)]
    pub(crate) list: bool,

    /// Test whether the driver after -- keeps to the protocol.
    #[arg(long, requires = "driver")]
    pub(crate) check: bool,

    /// The stream for the test, in hexadecimal: best one that the decoder accepts.
    #[arg(long, requires = "check", default_value = default::CHECK_HEX, value_name = "HEX")]
    pub(crate) hex: HexBytes,

    /// Configuration passed to the decoder, such as max=64. Can be repeated.
    #[arg(long, requires = "check", value_name = "KEY=VALUE")]
    pub(crate) config: Vec<ConfigEntry>,

    /// Maximum time to wait for a reply of the driver, in seconds.
    #[arg(
        long,
        requires = "check",
        default_value_t = Seconds(default::DRIVER_TIMEOUT),
        value_name = "SECONDS"
    )]
    pub(crate) timeout: Seconds,

    /// The driver to test, and its arguments.
    #[arg(last = true, requires = "check", value_name = "CMD")]
    pub(crate) driver: Vec<OsString>,
}

/// Where the decoder is meant to differ from the strict policy.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct DeclaredArgs {
    /// Declare that the decoder silently discards an incomplete frame at the end of a stream.
    #[arg(long)]
    pub(crate) discards_at_end: bool,

    /// Declare that the decoder goes on after an error.
    ///
    /// The driver gets resynchronises=yes, and writes such errors as `reject`. What a format expects
    /// of an invalid stream is not known then: its frames byte by byte are expected.
    #[arg(long)]
    pub(crate) resynchronises: bool,

    /// Declare that the decoder's caller stops at the first error, so that no call comes after it.
    #[arg(long)]
    pub(crate) caller_stops: bool,

    /// Declare that the decoder drops bytes that belong to no frame, such as padding.
    #[arg(long)]
    pub(crate) bytes_between_frames: bool,

    /// Declare that the size limit applies to header and body together.
    #[arg(long, requires = "size_limit")]
    pub(crate) counts_header: bool,

    /// Declare that the decoder rejects a frame with an empty body.
    #[arg(long, requires = "framing")]
    pub(crate) no_empty_frame: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("peer").args(["connect", "port", "listen"]).required(true))]
#[command(group = ArgGroup::new("running").args(["connect"]))]
pub(crate) struct TcpArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,

    /// Listen on this port of 127.0.0.1, start the client after -- for each connection, and
    /// test how it handles the streams.
    #[arg(
        long,
        requires = "command",
        conflicts_with_all = ["ready", "tls"],
        value_name = "PORT",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub(crate) listen: Option<u16>,

    #[command(flatten)]
    pub(crate) tls: EncryptionArgs,

    /// File with a conversation, for a peer that speaks first or in turns. Can be repeated.
    ///
    /// A line is a step: expect "REGEX" waits for a reply, after the previous match, and captures
    /// its named groups; send "TEXT" sends, with \r, \n, \xNN and ${NAME} for a captured value;
    /// send-hex HEX sends bytes. Lines that begin with # are comments. Every send is cut. The text of
    /// captured values is not compared.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "stream", "corpus", "pcap", "hex", "framing", "message",
        ]
    )]
    pub(crate) script: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) streams: StreamArgs,

    /// Never shut down the sending direction of a connection.
    ///
    /// Without this option, it is shut down after the stream if no reply comes before that, and
    /// after the reply if the server then closes the connection too.
    #[arg(long)]
    pub(crate) no_half_close: bool,

    /// Also send invalid input, and check that the peer survives it.
    ///
    /// Sends streams that end at every offset, a stream that stops in the middle, and, with
    /// --framing, lengths that are over the limit, negative and maximal. After each, the peer
    /// must reply or close the connection in time, serve the next connection, and not grow.
    #[arg(long)]
    pub(crate) hostile: bool,

    /// Time without a byte that ends a reply if the server keeps the connection open, in
    /// seconds.
    #[arg(long, default_value_t = Seconds(default::REPLY_IDLE), value_name = "SECONDS")]
    pub(crate) reply_idle: Seconds,

    /// Maximum time that the peer may wait for the rest of a frame, in seconds.
    #[arg(long, default_value_t = Seconds(default::PEER_MAX_IDLE), value_name = "SECONDS")]
    pub(crate) max_idle: Seconds,

    /// Maximum memory that an invalid stream may add to a started program, in MiB.
    #[arg(long, default_value_t = default::MAX_GROWTH, value_name = "MIB")]
    pub(crate) max_growth: u64,

    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("peer").args(["connect", "port"]).required(true))]
#[command(group = ArgGroup::new("running").args(["connect"]))]
pub(crate) struct HttpArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,

    #[command(flatten)]
    pub(crate) tls: EncryptionArgs,

    /// Path of the requests, with a query string if it has one.
    #[arg(long, default_value = default::HTTP_PATH, value_name = "PATH", value_parser = path)]
    pub(crate) path: String,

    /// Value of the header field Host.
    #[arg(long, default_value = default::HTTP_HOST, value_name = "HOST", value_parser = host)]
    pub(crate) host: String,

    /// Body of the requests that have one.
    #[arg(long, default_value = default::HTTP_BODY, value_name = "TEXT")]
    pub(crate) body: String,

    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("peer").args(["address", "connect", "port"]).required(true))]
#[command(group = ArgGroup::new("running").args(["address", "connect"]))]
#[command(mut_arg("max_connections", |arg| arg.default_value(TLS_CONNECTIONS)))]
pub(crate) struct TlsArgs {
    /// Test the running server at this address, such as localhost:443. The same as --connect.
    #[arg(value_name = "ADDRESS", conflicts_with = "command")]
    pub(crate) address: Option<Address>,

    #[command(flatten)]
    pub(crate) server: ServerArgs,

    /// Name of the server in the `ClientHello` [default: the host of the address, or localhost]. An
    /// IP address is not sent.
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(crate) server_name: Option<String>,

    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

/// TLS around the streams.
#[derive(Args, Debug)]
pub(crate) struct EncryptionArgs {
    /// Connect with TLS, and cut what is inside. Needs --tls-ca or --tls-insecure.
    ///
    /// Each chunk is a record of its own, which is sent after the server has read the previous one.
    /// A chunk of more than 16 KiB is several records.
    #[arg(long)]
    pub(crate) tls: bool,

    /// File (PEM) with the certificate of the server, or those that have signed it.
    #[arg(
        long,
        requires = "tls",
        conflicts_with = "tls_insecure",
        value_name = "FILE"
    )]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Accept any certificate of the server.
    #[arg(long, requires = "tls")]
    pub(crate) tls_insecure: bool,

    /// Name of the server in its certificate [default: the host of --connect, or localhost].
    #[arg(long, requires = "tls", value_name = "NAME", value_parser = host)]
    pub(crate) server_name: Option<String>,
}

/// The server under test.
#[derive(Args, Debug)]
pub(crate) struct ServerArgs {
    /// Test the running server at this address, such as localhost:7000 or unix:PATH.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "command")]
    pub(crate) connect: Option<Address>,

    /// Start the server after -- and test it on this port of 127.0.0.1.
    #[arg(long, requires = "command", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// The process that is the server, if it runs already: all chunks must be read by it or by its
    /// children.
    ///
    /// Without it, the report names the process that read them.
    #[arg(long, requires = "running", value_name = "PID")]
    pub(crate) pid: Option<u32>,

    /// Allow a --connect address that is not on this machine.
    #[arg(long, requires = "running")]
    pub(crate) allow_remote: bool,

    /// Restart the server for each connection, for a server that accepts only one.
    #[arg(long, requires = "port")]
    pub(crate) fresh: bool,

    /// Before the run, send the first stream until the reply matches this regular expression.
    ///
    /// For a server that listens before it can serve. It has the time of --timeout for that.
    #[arg(long, value_name = "REGEX")]
    pub(crate) ready: Option<Regex>,
}

/// What the tests of all live programs have in common.
#[derive(Args, Debug)]
pub(crate) struct LiveArgs {
    #[command(flatten)]
    pub(crate) report: ReportArgs,

    /// Part of the reply to ignore, as a regular expression. Can be repeated.
    ///
    /// It is matched against bytes, but `.` and classes match only valid UTF-8. For binary replies
    /// begin with (?s-u), as in '(?s-u)^.{4}': then `.` is any byte, and \xff is that byte.
    #[arg(long, value_name = "REGEX")]
    pub(crate) mask: Vec<Regex>,

    /// Maximum time to read a chunk, to reply, and to exit, in seconds.
    #[arg(long, default_value_t = Seconds(default::PEER_TIMEOUT), value_name = "SECONDS")]
    pub(crate) timeout: Seconds,

    /// Maximum length of a reply, in bytes, or with K, M or G.
    #[arg(long, default_value_t = default::MAX_REPLY, value_name = "BYTES", value_parser = length)]
    pub(crate) max_reply: NonZero<usize>,

    /// Maximum number of connections for the splits of one stream.
    ///
    /// Some more are made with the uncut stream, to know its reply.
    #[arg(long, default_value_t = default::MAX_CONNECTIONS, value_name = "N")]
    pub(crate) max_connections: NonZero<usize>,

    /// Maximum number of connections per second.
    #[arg(long, default_value_t = default::MAX_RATE, value_name = "N")]
    pub(crate) max_rate: NonZero<u32>,

    /// Maximum time for the whole run, in seconds.
    #[arg(long, default_value_t = Seconds(default::MAX_TIME), value_name = "SECONDS")]
    pub(crate) max_time: Seconds,

    /// Seed of the random splits.
    #[arg(long, default_value_t = default::SEED, value_name = "N")]
    pub(crate) seed: u64,

    /// Check only a share of the streams, such as 1/4: the first of four shards.
    ///
    /// Streams are dealt out in turn, so each is in exactly one shard.
    #[arg(long, default_value_t = Shard::WHOLE, hide_default_value = true, value_name = "K/N")]
    pub(crate) shard: Shard,

    /// The server or client to start, and its arguments.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct ProxyArgs {
    /// Address to listen on: HOST:PORT, a port of 127.0.0.1, or unix:PATH. With port 0, a free
    /// port is chosen.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Address,

    /// Address of the server: HOST:PORT, a port of 127.0.0.1, or unix:PATH.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Address,

    /// Number of runs with cuts, each with a seed of its own.
    #[arg(long, default_value_t = default::PROXY_RUNS, requires = "command", value_name = "N")]
    pub(crate) runs: NonZero<u32>,

    /// The first seed of the cuts.
    #[arg(long, default_value_t = default::SEED, value_name = "N")]
    pub(crate) seed: u64,

    /// Use only a share of the seeds, such as 1/4: the first of four shards.
    ///
    /// Seeds are dealt out in turn, so each is in exactly one shard.
    #[arg(
        long,
        default_value_t = Shard::WHOLE,
        hide_default_value = true,
        requires = "command",
        value_name = "K/N"
    )]
    pub(crate) shard: Shard,

    /// Make the cuts of this file, which an earlier run has saved.
    #[arg(long, conflicts_with_all = ["runs", "seed", "shard", "max_cuts", "save"], value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,

    /// File for the cuts with which the test command fails.
    #[arg(long, default_value = default::PROXY_SAVE, requires = "command", value_name = "FILE")]
    pub(crate) save: PathBuf,

    /// Write a report to a file: HTML (.html), JSON (.json) or JUnit (.xml). Can be repeated.
    #[arg(long, requires = "command", value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,

    /// Maximum number of cuts in each direction of a connection. The rest passes uncut.
    ///
    /// After each tenth of them, chunks become twice as long: one byte at a time, 1000 cuts reach
    /// into the first 100 KiB of a stream.
    #[arg(long, default_value_t = default::PROXY_MAX_CUTS, value_name = "N")]
    pub(crate) max_cuts: u64,

    /// Maximum time to wait until a chunk is read, in seconds. Then the next one is sent all the
    /// same, and the summary says so.
    #[arg(long, default_value_t = Seconds(default::PROXY_MAX_WAIT), value_name = "SECONDS")]
    pub(crate) max_wait: Seconds,

    /// Maximum time that the test command may run without a byte through the proxy, in seconds.
    /// Then it has failed.
    #[arg(
        long,
        default_value_t = Seconds(default::PEER_MAX_IDLE),
        requires = "command",
        value_name = "SECONDS"
    )]
    pub(crate) max_idle: Seconds,

    /// Maximum time for the whole run, in seconds [default: 600 with a test command, else no
    /// limit].
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_time: Option<Seconds>,

    /// The test command and its arguments. It must exit with status 0 if all is well.
    ///
    /// It finds the address of the proxy in the environment variable `EVERYSPLIT_ADDRESS`,
    /// as HOST:PORT or the path of the Unix socket, and the port alone in `EVERYSPLIT_PORT`.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Port on 127.0.0.1 to listen on. With 0, a free port is chosen and printed.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: u16,

    /// Format of the frames.
    #[arg(long, value_name = "FORMAT", value_parser = FormatParser)]
    pub(crate) framing: FormatArg,

    /// Byte order of the length fields [default: that of the format].
    #[arg(long, value_enum, value_name = "ORDER")]
    pub(crate) byte_order: Option<ByteOrderName>,

    /// Maximum body size, in bytes [default: 8M].
    #[arg(long, value_name = "BYTES")]
    pub(crate) size_limit: Option<ByteCount>,

    /// Maximum time to wait for the rest of a frame, in seconds.
    #[arg(long, default_value_t = Seconds(default::SERVE_MAX_IDLE), value_name = "SECONDS")]
    pub(crate) max_idle: Seconds,

    /// How to split each reply: whole, bytes, random, or a list of cuts such as 3,12.
    #[arg(long, default_value = "whole", value_name = "SPLIT")]
    pub(crate) split: ReplySplit,

    /// Seed of the random splits.
    #[arg(long, default_value_t = default::SEED, value_name = "N")]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct ReportVerbArgs {
    #[command(subcommand)]
    pub(crate) verb: ReportVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportVerb {
    /// Make one result of the JSON reports of all shards of a run.
    ///
    /// Prints it, and exits as one run of all streams would have done: with 0 if everything held, 1
    /// if there is a violation, and 2 if a shard is missing or stopped early.
    #[command(before_help = "Example: everysplit report merge shard-*.json --report all.html")]
    Merge(MergeArgs),
}

#[derive(Args, Debug)]
pub(crate) struct MergeArgs {
    /// The JSON reports, in any order.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Write the result to a file: HTML (.html), JSON (.json) or JUnit (.xml). Can be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct PcapArgs {
    /// The capture.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Write each stream to a file of this folder, for --corpus.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The token: the stream in hexadecimal, @, and the cuts, such as 00026f6b@2.
    #[arg(value_parser = token)]
    pub(crate) token: Case,

    #[command(subcommand)]
    pub(crate) tested: TestedArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TestedArgs {
    /// Test a decoder, through its driver.
    Exec(Box<ExecArgs>),
    /// Test a server or a client.
    Tcp(Box<TcpArgs>),
    /// Test an HTTP/1.1 server.
    Http(Box<HttpArgs>),
    /// Test how a server reads a `ClientHello` of TLS.
    Tls(Box<TlsArgs>),
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// Write a report to a file: HTML (.html), JSON (.json) or JUnit (.xml). Can be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,

    /// File of known violations, which do not fail the run.
    ///
    /// Each line is a property, a space, and the name of the stream, in which * stands for any text. A
    /// listed violation that no longer occurs fails the run, so the list cannot go stale. On a stream
    /// with a known violation, other properties are unknown.
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,

    /// Write the stream of each violation to a file of this folder, for --corpus.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,

    /// Fail only on violations of this property. Can be repeated.
    ///
    /// Violations of other properties are printed, and do not fail the run. If the property was not
    /// checked, or is unknown because of them, there is no verdict.
    #[arg(long, value_name = "PROPERTY", value_parser = property)]
    pub(crate) only: Vec<Property>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// Print violations and the result only.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print each violation in full, not only the smallest of each property.
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// List the streams, and test nothing.
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StreamArgs {
    /// File with a stream, as recorded from the wire; - is stdin. Can be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) stream: Vec<PathBuf>,

    /// Folder of such files. Can be repeated.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) corpus: Vec<PathBuf>,

    /// Capture of network traffic (pcap or pcapng), of which each TCP stream is used. Can be
    /// repeated.
    ///
    /// A decoder gets both directions of each connection, a server what clients sent, and a client
    /// what servers sent. The segments of the capture are the first split. "everysplit pcap FILE"
    /// lists the streams.
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Vec<PathBuf>,

    /// A stream in hexadecimal. Can be repeated.
    #[arg(long, value_name = "HEX")]
    pub(crate) hex: Vec<HexBytes>,

    /// Format of the frames. Adds generated streams; of a decoder, the frames are checked too.
    #[arg(long, value_name = "FORMAT", value_parser = FormatParser)]
    pub(crate) framing: Option<FormatArg>,

    /// Byte order of the length fields [default: that of the format].
    #[arg(long, value_enum, requires = "framing", value_name = "ORDER")]
    pub(crate) byte_order: Option<ByteOrderName>,

    /// Maximum body size that the format allows, in bytes [default: no limit].
    ///
    /// K, M and G stand for KiB, MiB and GiB: 64K is 65536.
    ///
    /// A larger length must be rejected, and so must a JSON header of more than 64 KiB. A driver
    /// gets the limit as max=BYTES.
    #[arg(long, requires = "framing", value_name = "BYTES")]
    pub(crate) size_limit: Option<ByteCount>,

    /// Body of a frame in the generated streams. Can be repeated.
    #[arg(long, requires = "framing", value_name = "TEXT")]
    pub(crate) message: Vec<String>,
}

/// The value of `--framing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatArg {
    Described(Description),
    /// For `tcp` only.
    Http1,
}

/// Parses the description of a format, and lists the formats in help texts and completions.
#[derive(Clone)]
struct FormatParser;

impl TypedValueParser for FormatParser {
    type Value = FormatArg;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<FormatArg, clap::Error> {
        let parse = |text: &str| match text {
            "http1" => Ok(FormatArg::Http1),
            text => text.parse().map(FormatArg::Described),
        };
        parse.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        const HTTP1: &str = "HTTP/1.1, for `tcp` only. Streams are requests of your own; replies \
            end where HTTP says, and are compared without Date and similar fields";
        let named = NAMED.into_iter().map(|(name, _, help)| (name, help));
        let formats = named.chain(DESCRIBED).chain([("http1", HTTP1)]);
        let values = formats.map(|(name, help)| PossibleValue::new(name).help(help));
        Some(Box::new(values))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByteOrderName {
    Little,
    Big,
}

/// The longest time that an option accepts: clocks cannot add any time.
const MAX_TIME: Duration = Duration::from_secs(1_000_000_000);

/// A time in seconds, such as 0.5.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) Duration);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
        let time = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
        if time.is_zero() || time > MAX_TIME {
            return Err(format!(
                "must be more than 0 and at most {} seconds",
                MAX_TIME.as_secs()
            ));
        }
        Ok(Self(time))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs_f64())
    }
}

/// A number of bytes, such as 65535, 64K or 8M.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteCount(pub(crate) u32);

impl FromStr for ByteCount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = bytes(text)?.and_then(|bytes| u32::try_from(bytes).ok());
        bytes
            .map(Self)
            .ok_or_else(|| format!("must be at most {} bytes", u32::MAX))
    }
}

/// Parses a number of bytes, such as 65535, 64K or 8M. Returns `None` if it is too large.
fn bytes(text: &str) -> Result<Option<u64>, String> {
    let units = [("K", 10), ("M", 20), ("G", 30)];
    let unit = units.iter().find_map(|(name, bits)| {
        let upper = text.to_ascii_uppercase();
        upper.ends_with(name).then_some((text.len() - 1, *bits))
    });
    let (end, bits) = unit.unwrap_or((text.len(), 0));
    let number: u64 = text[..end]
        .parse()
        .map_err(|_| "write a number of bytes, such as 65535, 64K or 8M")?;
    Ok(number.checked_mul(1 << bits))
}

/// Parses a length that is not 0.
fn length(text: &str) -> Result<NonZero<usize>, String> {
    let bytes = bytes(text)?.and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| format!("must be at most {} bytes", usize::MAX))?;
    NonZero::new(bytes).ok_or_else(|| "must be at least 1 byte".into())
}

/// Bytes in hexadecimal digits; spaces between them are ignored.
#[derive(Clone, Debug)]
pub(crate) struct HexBytes(pub(crate) Vec<u8>);

impl FromStr for HexBytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.split_whitespace().collect();
        hex::decode(digits)
            .map(Self)
            .map_err(|error| format!("{error}; write two hexadecimal digits per byte"))
    }
}

/// Parses the name of a property.
fn property(name: &str) -> Result<Property, String> {
    options::property(name).ok_or_else(|| {
        let names = Property::ALL.map(Property::name);
        format!("there is no such property; these are: {}", names.join(", "))
    })
}

/// Checks the target of a request.
fn path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("must begin with /".into());
    }
    if text.contains(|letter: char| !letter.is_ascii_graphic()) {
        return Err("must be ASCII without spaces; write other characters as %XX".into());
    }
    Ok(text.into())
}

/// Checks the value of the header field Host.
fn host(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(|letter: char| !letter.is_ascii_graphic()) {
        return Err("must be ASCII without spaces".into());
    }
    Ok(text.into())
}

/// Parses a token, and checks that its cuts are inside its stream.
fn token(text: &str) -> Result<Case, String> {
    let case: Case = text.parse().map_err(|error| format!("{error}"))?;
    let len = case.stream.len();
    match case.split.cuts().last() {
        Some(cut) if *cut >= len => Err(format!(
            "the cut {cut} is not inside the stream of {}",
            count(len as u64, "byte")
        )),
        _ => Ok(case),
    }
}
