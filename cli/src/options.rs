//! The options of a run, typed: converted once from the command line, and written back as one.

mod command_line;
mod shard;
mod title;

pub(crate) use command_line::shell_line;
use shard::empty;
pub(crate) use shard::{Shard, some_of};
pub(crate) use title::{Title, VERBS};

use std::ffi::OsString;
use std::fmt::Write as _;
use std::num::NonZero;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap_complete::Shell;
use everysplit::reference::ByteOrder;
use everysplit::{Case, Deviation, Property, Split};
use regex::bytes::Regex;

use crate::address::Address;
use crate::framing::{Description, Framing};
use crate::http::Target;
use crate::text::count;
use crate::{Error, args};

/// What the options are when the command line does not name them.
pub(crate) mod default {
    use super::{Duration, NonZero};

    /// Two frames with a length of two bytes.
    pub(crate) const CHECK_HEX: &str = "00026f6b000161";
    pub(crate) const DRIVER_TIMEOUT: Duration = Duration::from_secs(10);
    pub(crate) const MAX_CUTS: usize = 2;
    pub(crate) const MAX_FEEDS: u64 = 200_000;
    /// In MiB.
    pub(crate) const MAX_MEMORY: u64 = 1024;
    pub(crate) const MAX_TIME: Duration = Duration::from_secs(600);

    pub(crate) const HTTP_BODY: &str = "a=1&b=2";
    pub(crate) const HTTP_HOST: &str = "localhost";
    pub(crate) const HTTP_PATH: &str = "/";
    pub(crate) const MAX_CONNECTIONS: NonZero<usize> = NonZero::new(1000).unwrap();
    /// In MiB.
    pub(crate) const MAX_GROWTH: u64 = 16;
    /// In connections per second.
    /// In bytes.
    pub(crate) const MAX_REPLY: NonZero<usize> = NonZero::new(16 * 1024 * 1024).unwrap();
    pub(crate) const MAX_RATE: NonZero<u32> = NonZero::new(5000).unwrap();
    pub(crate) const PEER_MAX_IDLE: Duration = Duration::from_secs(5);
    pub(crate) const PEER_TIMEOUT: Duration = Duration::from_secs(5);
    pub(crate) const REPLY_IDLE: Duration = Duration::from_secs(1);
    pub(crate) const SEED: u64 = 0;
    pub(crate) const SERVER_NAME: &str = "localhost";
    /// Each `ClientHello` is cut at every offset.
    pub(crate) const TLS_CONNECTIONS: NonZero<usize> = NonZero::new(2000).unwrap();

    pub(crate) const PROXY_MAX_CUTS: u64 = 1000;
    pub(crate) const PROXY_MAX_WAIT: Duration = Duration::from_secs(1);
    pub(crate) const PROXY_RUNS: NonZero<u32> = NonZero::new(20).unwrap();
    pub(crate) const PROXY_SAVE: &str = "everysplit-proxy.cuts";

    pub(crate) const SERVE_MAX_IDLE: Duration = Duration::from_secs(3);
    /// In bytes.
    pub(crate) const SERVE_SIZE_LIMIT: u32 = 8 * 1024 * 1024;
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Options {
    Run(Tested),
    Replay(ReplayOptions),
    Proxy(ProxyOptions),
    Serve(ServeOptions),
    Vectors(StreamOptions),
    Pcap(PcapOptions),
    Merge(MergeOptions),
    /// The ready driver of this name.
    Driver(String),
    DriverList,
    DriverCheck(DriverCheckOptions),
    Protocol,
    Completions(Shell),
    /// The manual page of the command, or of a verb.
    Man(Option<String>),
}

/// The options that declare where a decoder differs from the strict policy, in the order of their
/// help. What it may allocate in advance is not among them, as the memory of a decoder in a driver
/// is not known, and a decoder without limit is one without --size-limit.
pub(crate) const DECLARATIONS: [(Deviation, &str); 6] = [
    (Deviation::DiscardsAtEnd, "--discards-at-end"),
    (Deviation::Resynchronises, "--resynchronises"),
    (Deviation::CallerStops, "--caller-stops"),
    (Deviation::BytesBetweenFrames, "--bytes-between-frames"),
    (Deviation::CountsHeader, "--counts-header"),
    (Deviation::NoEmptyFrame, "--no-empty-frame"),
];

/// Returns the property of a name, if there is one.
pub(crate) fn property(name: &str) -> Option<Property> {
    let mut properties = Property::ALL.into_iter();
    properties.find(|property| property.name() == name)
}

/// Returns the option that declares a deviation, if there is one.
pub(crate) fn declaration(deviation: Deviation) -> Option<&'static str> {
    let mut declarations = DECLARATIONS.iter();
    let (_, option) = declarations.find(|(known, _)| *known == deviation)?;
    Some(option)
}

/// A decoder under test, in a driver.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExecOptions {
    /// The driver and its arguments; never empty.
    pub(crate) driver: Vec<OsString>,
    pub(crate) streams: StreamOptions,
    /// The length of the longest stream, if all streams of the format are proved.
    pub(crate) every_stream: Option<NonZero<usize>>,
    pub(crate) report: ReportOptions,
    /// The decoder's configuration.
    pub(crate) config: Vec<ConfigEntry>,
    /// Where the decoder is declared to differ from the strict policy, as in [`DECLARATIONS`].
    pub(crate) declared: Vec<Deviation>,
    /// Maximum time to wait for a reply.
    pub(crate) timeout: Duration,
    /// Maximum memory of the driver, in MiB.
    pub(crate) max_memory: u64,
    /// Maximum number of cuts in a split, for a driver without save and load.
    pub(crate) max_cuts: usize,
    /// Maximum number of feeds for the proof of one stream.
    pub(crate) max_feeds: u64,
    /// Maximum time for the whole run.
    pub(crate) max_time: Duration,
    /// Seed of the random splits.
    pub(crate) seed: u64,
    /// Which streams are checked.
    pub(crate) shard: Shard,
}

/// A server or client under test.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TcpOptions {
    pub(crate) peer: PeerOptions,
    /// TLS around the streams.
    pub(crate) tls: Option<TlsOptions>,
    pub(crate) protocol: Protocol,
    /// What the requests of the verb `http` are about. There are no other streams then.
    pub(crate) http: Option<Target>,
    /// The name of the server in the messages of the verb `tls`. There are no other streams then.
    pub(crate) client_hello: Option<String>,
    /// Files with conversations. There are no other streams then.
    pub(crate) scripts: Vec<PathBuf>,
    pub(crate) streams: StreamOptions,
    pub(crate) report: ReportOptions,
    /// Whether to send invalid input too.
    pub(crate) hostile: bool,
    /// What to ignore in a reply.
    pub(crate) mask: Vec<Mask>,
    /// What the reply to the first stream is like once the server is ready.
    pub(crate) ready: Option<Mask>,
    /// Whether the sending direction may be shut down.
    pub(crate) half_close: bool,
    /// Maximum time to read a chunk, to reply, and to exit.
    pub(crate) timeout: Duration,
    /// Time without a byte that ends a reply.
    pub(crate) reply_idle: Duration,
    /// Maximum time that the peer may wait for the rest of a frame.
    pub(crate) max_idle: Duration,
    /// Maximum memory that an invalid stream may add, in MiB.
    pub(crate) max_growth: u64,
    /// Maximum length of a reply, in bytes.
    pub(crate) max_reply: usize,
    /// Maximum number of connections for one stream.
    pub(crate) max_connections: NonZero<usize>,
    /// Maximum number of connections per second.
    pub(crate) max_rate: NonZero<u32>,
    /// Maximum time for the whole run.
    pub(crate) max_time: Duration,
    /// Seed of the random splits.
    pub(crate) seed: u64,
    /// Which streams are checked.
    pub(crate) shard: Shard,
}

/// What is known about the replies to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Nothing: they are bytes.
    Raw,
    Http1,
    /// The streams are `ClientHello` messages.
    Tls,
}

/// How TLS is used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TlsOptions {
    pub(crate) trust: Trust,
    /// The name of the server in its certificate.
    pub(crate) server_name: String,
}

/// Which certificates are accepted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trust {
    /// Those in a file, and those that are signed by one of them.
    Certificates(PathBuf),
    Any,
}

/// The program at the other end of the connections.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PeerOptions {
    /// A server that runs already. The user has allowed an address that is not on this machine.
    /// The process `pid` is the server, if it is known.
    RunningServer { address: Address, pid: Option<u32> },
    /// A server to start, which listens on `port`; `fresh` restarts it for each connection.
    StartedServer {
        port: u16,
        command: Vec<OsString>,
        fresh: bool,
    },
    /// A client to start for each connection, which connects to `port`.
    Client { port: u16, command: Vec<OsString> },
}

impl PeerOptions {
    /// Returns whether it is a server that is restarted for each connection.
    pub(crate) const fn is_fresh(&self) -> bool {
        matches!(self, Self::StartedServer { fresh: true, .. })
    }

    /// Returns the name of the server for TLS: the host that it is connected to, as typed.
    pub(crate) fn server_name(&self) -> String {
        let host = match self {
            Self::RunningServer { address, .. } => address.host(),
            Self::StartedServer { .. } | Self::Client { .. } => None,
        };
        host.unwrap_or(default::SERVER_NAME).into()
    }

    /// Removes what differs between runs at the same time: the port to listen on, and the process.
    const fn forget_place(&mut self) {
        match self {
            Self::RunningServer { pid, .. } => *pid = None,
            Self::StartedServer { port, .. } | Self::Client { port, .. } => *port = 0,
        }
    }
}

/// A split of a stream to try again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReplayOptions {
    pub(crate) case: Case,
    pub(crate) tested: Tested,
}

/// What is under test, with the options of the run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tested {
    Exec(Box<ExecOptions>),
    Tcp(Box<TcpOptions>),
}

/// A proxy between a client and a server, and a test command that uses it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProxyOptions {
    pub(crate) listen: Address,
    pub(crate) to: Address,
    /// The test command and its arguments; empty to forward until the program is ended.
    pub(crate) command: Vec<OsString>,
    /// Number of runs with cuts.
    pub(crate) runs: NonZero<u32>,
    /// The seed of the first.
    pub(crate) seed: u64,
    /// Which seeds are used.
    pub(crate) shard: Shard,
    /// File with the cuts to make instead.
    pub(crate) replay: Option<PathBuf>,
    /// File for the cuts of a failure.
    pub(crate) save: PathBuf,
    /// Files for the result.
    pub(crate) report: Vec<PathBuf>,
    /// Maximum number of cuts in each direction of a connection.
    pub(crate) max_cuts: u64,
    /// Maximum time to wait until a chunk is read.
    pub(crate) max_wait: Duration,
    /// Maximum time that the test command may run without a byte through the proxy.
    pub(crate) max_idle: Duration,
    /// Maximum time for the whole run.
    pub(crate) max_time: Option<Duration>,
}

/// The seeds of a shard, of which there is at least one.
pub(crate) struct Seeds {
    first: u64,
    step: u64,
    pub(crate) count: u64,
}

/// A server that echoes frames.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServeOptions {
    /// 0 for any free port.
    pub(crate) port: u16,
    pub(crate) framing: Framing,
    /// Maximum time to wait for the rest of a frame.
    pub(crate) max_idle: Duration,
    pub(crate) split: ReplySplit,
    /// Seed of the random splits.
    pub(crate) seed: u64,
}

/// A driver to test on its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DriverCheckOptions {
    /// The driver and its arguments; never empty.
    pub(crate) driver: Vec<OsString>,
    pub(crate) stream: Vec<u8>,
    /// The decoder's configuration.
    pub(crate) config: Vec<ConfigEntry>,
    /// Maximum time to wait for a reply.
    pub(crate) timeout: Duration,
}

/// A capture to list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PcapOptions {
    pub(crate) file: PathBuf,
    /// The folder that each stream is written to.
    pub(crate) save: Option<PathBuf>,
}

/// The reports of a run's shards, and what to make of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MergeOptions {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) report: ReportOptions,
}

/// Where the reports go, and which violations are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReportOptions {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) known: Option<PathBuf>,
    /// The folder that the streams of violations are written to.
    pub(crate) save: Option<PathBuf>,
    /// The properties that can fail the run; empty for all.
    pub(crate) only: Vec<Property>,
    pub(crate) output: Output,
}

/// How much a run prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Output {
    /// Violations, and the result.
    Quiet,
    #[default]
    Normal,
    /// Each violation in full too.
    Verbose,
    /// The names of the streams, without a run.
    List,
}

/// Where the streams come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StreamOptions {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) captures: Vec<PathBuf>,
    pub(crate) hex: Vec<Vec<u8>>,
    pub(crate) framing: Option<Framing>,
    /// Bodies of the frames in generated streams.
    pub(crate) messages: Vec<String>,
}

/// A setting of a decoder. Neither part has whitespace, and the key has no `=`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConfigEntry {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Returns configuration as the driver protocol has it: ` KEY=VALUE` for each entry.
pub(crate) fn config_words(config: &[ConfigEntry]) -> String {
    let mut words = String::new();
    for ConfigEntry { key, value } in config {
        let _ = write!(words, " {key}={value}");
    }
    words
}

impl FromStr for ConfigEntry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
        if text.contains(char::is_whitespace) {
            return Err("expected KEY=VALUE without spaces".into());
        }
        Ok(Self {
            key: key.into(),
            value: value.into(),
        })
    }
}

/// A pattern for a reply or for a part of it. Equal if the patterns are.
#[derive(Clone, Debug)]
pub(crate) struct Mask(pub(crate) Regex);

impl PartialEq for Mask {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// How `serve` splits its replies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReplySplit {
    At(Split),
    Bytes,
    Random,
}

impl FromStr for ReplySplit {
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

impl Options {
    /// Returns whether programs may be started, which must not survive the command.
    pub(crate) const fn starts_programs(&self) -> bool {
        match self {
            Self::Run(_) | Self::Replay(_) | Self::DriverCheck(_) => true,
            Self::Proxy(options) => !options.command.is_empty(),
            Self::Serve(_)
            | Self::Vectors(_)
            | Self::Pcap(_)
            | Self::Merge(_)
            | Self::Driver(_)
            | Self::DriverList
            | Self::Protocol
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

impl ProxyOptions {
    /// Returns the seeds of the shard, of as many as there are runs.
    ///
    /// # Errors
    ///
    /// If the shard has none, or if there are no such numbers.
    pub(crate) fn seeds(&self) -> Result<Seeds, Error> {
        let (seed, runs) = (self.seed, u64::from(self.runs.get()));
        if seed.checked_add(runs - 1).is_none() {
            let seeds = count(u64::MAX - seed + 1, "seed");
            return Err(format!(
                "--seed {seed} leaves only {seeds} for {runs} runs; choose a smaller one"
            )
            .into());
        }
        let (number, step) = (self.shard.number() as u64, self.shard.count() as u64);
        if number > runs {
            return Err(empty(self.shard, runs, "seed"));
        }
        Ok(Seeds {
            first: seed + number - 1,
            step,
            count: (runs - number) / step + 1,
        })
    }

    /// Returns the command line without what the shards of a run need not share.
    pub(crate) fn run_line(&self) -> String {
        Options::Proxy(Self {
            listen: Address::local_port(0),
            shard: Shard::WHOLE,
            save: default::PROXY_SAVE.into(),
            report: Vec::new(),
            ..self.clone()
        })
        .to_line()
    }

    /// Returns the command line that makes the saved cuts again, as typed in a shell.
    pub(crate) fn replay_line(&self) -> String {
        let file = self.replay.as_ref().unwrap_or(&self.save);
        Options::Proxy(Self {
            replay: Some(file.clone()),
            seed: default::SEED,
            shard: Shard::WHOLE,
            runs: default::PROXY_RUNS,
            save: default::PROXY_SAVE.into(),
            report: Vec::new(),
            max_cuts: default::PROXY_MAX_CUTS,
            ..self.clone()
        })
        .to_line()
    }
}

impl Seeds {
    /// Returns a seed, the first of which has the index 0.
    pub(crate) const fn get(&self, index: u64) -> u64 {
        self.first + index * self.step
    }
}

impl Tested {
    /// Returns the maximum time for the whole run.
    pub(crate) const fn max_time(&self) -> Duration {
        match self {
            Self::Exec(options) => options.max_time,
            Self::Tcp(options) => options.max_time,
        }
    }

    pub(crate) fn shard(&self) -> Shard {
        match self {
            Self::Exec(options) => options.shard,
            Self::Tcp(options) => options.shard,
        }
    }

    pub(crate) fn report(&self) -> &ReportOptions {
        match self {
            Self::Exec(options) => &options.report,
            Self::Tcp(options) => &options.report,
        }
    }

    /// Returns an option that is given and is only about the streams of a run, if there is one.
    pub(crate) fn option_for_streams(&self) -> Option<&'static str> {
        let every_stream = match self {
            Self::Exec(options) => options.every_stream,
            Self::Tcp(_) => None,
        };
        let options = [
            ("--known", self.report().known.is_some()),
            ("--shard", self.shard() != Shard::WHOLE),
            ("--every-stream", every_stream.is_some()),
        ];
        let given = options.into_iter().find(|(_, is_given)| *is_given);
        given.map(|(option, _)| option)
    }

    /// Returns the command line without what the shards of a run need not share.
    pub(crate) fn run_line(&self) -> String {
        let mut tested = self.clone();
        let report = match &mut tested {
            Self::Exec(options) => {
                options.shard = Shard::WHOLE;
                &mut options.report
            }
            Self::Tcp(options) => {
                options.shard = Shard::WHOLE;
                options.peer.forget_place();
                &mut options.report
            }
        };
        *report = ReportOptions {
            only: std::mem::take(&mut report.only),
            ..ReportOptions::default()
        };
        Options::Run(tested).to_line()
    }

    /// Returns the command line that tries a split again, as typed in a shell.
    pub(crate) fn replay_line(&self, case: &Case) -> String {
        let mut tested = self.clone();
        let (streams, report, hostile) = match &mut tested {
            Self::Exec(options) => {
                options.shard = Shard::WHOLE;
                options.every_stream = None;
                (&mut options.streams, &mut options.report, false)
            }
            Self::Tcp(options) => {
                options.shard = Shard::WHOLE;
                // The token has the request.
                options.http = options.http.take().map(|_| Target::default());
                let name = options.client_hello.take();
                options.client_hello = name.map(|_| options.peer.server_name());
                (&mut options.streams, &mut options.report, options.hostile)
            }
        };
        *report = ReportOptions::default();
        // An invalid stream is followed by a valid one, which the stream options name.
        if !hostile {
            *streams = StreamOptions {
                framing: streams.framing,
                ..StreamOptions::default()
            };
        }
        Options::Replay(ReplayOptions {
            case: case.clone(),
            tested,
        })
        .to_line()
    }
}

impl TryFrom<args::Arguments> for Options {
    type Error = Error;

    fn try_from(arguments: args::Arguments) -> Result<Self, Error> {
        Ok(match arguments.verb {
            args::VerbArgs::Exec(exec) => Self::Run(Tested::Exec(Box::new((*exec).try_into()?))),
            args::VerbArgs::Tcp(tcp) => Self::Run(Tested::Tcp(Box::new((*tcp).try_into()?))),
            args::VerbArgs::Http(http) => Self::Run(Tested::Tcp(Box::new((*http).try_into()?))),
            args::VerbArgs::Tls(tls) => Self::Run(Tested::Tcp(Box::new((*tls).try_into()?))),
            args::VerbArgs::Proxy(proxy) => Self::Proxy((*proxy).try_into()?),
            args::VerbArgs::Serve(serve) => Self::Serve(serve.try_into()?),
            args::VerbArgs::Vectors(streams) => Self::Vectors(streams.try_into()?),
            args::VerbArgs::Report(args::ReportVerbArgs {
                verb: args::ReportVerb::Merge(merge),
            }) => Self::Merge(MergeOptions {
                files: merge.files,
                report: ReportOptions {
                    files: merge.report,
                    ..ReportOptions::default()
                },
            }),
            args::VerbArgs::Pcap(pcap) => Self::Pcap(PcapOptions {
                file: pcap.file,
                save: pcap.save,
            }),
            args::VerbArgs::Driver(driver) => driver.into(),
            args::VerbArgs::Protocol => Self::Protocol,
            args::VerbArgs::Completions { shell } => Self::Completions(shell),
            args::VerbArgs::Man { verb } => Self::Man(verb),
            args::VerbArgs::Replay(args::ReplayArgs { token, tested }) => {
                Self::Replay(ReplayOptions {
                    case: token,
                    tested: match tested {
                        args::TestedArgs::Exec(exec) => Tested::Exec(Box::new((*exec).try_into()?)),
                        args::TestedArgs::Tcp(tcp) => Tested::Tcp(Box::new((*tcp).try_into()?)),
                        args::TestedArgs::Http(http) => Tested::Tcp(Box::new((*http).try_into()?)),
                        args::TestedArgs::Tls(tls) => Tested::Tcp(Box::new((*tls).try_into()?)),
                    },
                })
            }
        })
    }
}

impl TryFrom<args::ExecArgs> for ExecOptions {
    type Error = Error;

    fn try_from(exec: args::ExecArgs) -> Result<Self, Error> {
        Ok(Self {
            driver: exec.driver,
            streams: exec.streams.try_into()?,
            every_stream: exec.every_stream,
            report: exec.report.into(),
            config: exec.config,
            declared: exec.declared.into(),
            timeout: exec.timeout.0,
            max_memory: exec.max_memory,
            max_cuts: exec.max_cuts,
            max_feeds: exec.max_feeds,
            max_time: exec.max_time.0,
            seed: exec.seed,
            shard: exec.shard,
        })
    }
}

impl From<args::DriverArgs> for Options {
    fn from(args: args::DriverArgs) -> Self {
        match args.language {
            Some(language) => Self::Driver(language),
            None if args.list => Self::DriverList,
            None => Self::DriverCheck(DriverCheckOptions {
                driver: args.driver,
                stream: args.hex.0,
                config: args.config,
                timeout: args.timeout.0,
            }),
        }
    }
}

impl From<args::DeclaredArgs> for Vec<Deviation> {
    fn from(declared: args::DeclaredArgs) -> Self {
        // In the order of DECLARATIONS.
        let given = [
            declared.discards_at_end,
            declared.resynchronises,
            declared.caller_stops,
            declared.bytes_between_frames,
            declared.counts_header,
            declared.no_empty_frame,
        ];
        let given = DECLARATIONS.iter().zip(given).filter(|(_, given)| *given);
        given.map(|((deviation, _), _)| *deviation).collect()
    }
}

impl TryFrom<args::TcpArgs> for TcpOptions {
    type Error = Error;

    fn try_from(mut tcp: args::TcpArgs) -> Result<Self, Error> {
        let is_http1 = tcp.streams.framing == Some(args::FormatArg::Http1);
        if is_http1 && tcp.listen.is_some() {
            return Err("--framing http1 is for servers, not with --listen".into());
        }
        if tcp.hostile && !tcp.script.is_empty() {
            return Err("--hostile sends parts of single streams, not of conversations; leave out --script, and give requests as --stream or --hex".into());
        }
        if is_http1 {
            tcp.streams.refuse_framing_options()?;
            tcp.streams.framing = None;
        }
        Ok(Self {
            protocol: if is_http1 {
                Protocol::Http1
            } else {
                Protocol::Raw
            },
            scripts: tcp.script,
            streams: tcp.streams.try_into()?,
            hostile: tcp.hostile,
            half_close: !tcp.no_half_close,
            reply_idle: tcp.reply_idle.0,
            max_idle: tcp.max_idle.0,
            max_growth: tcp.max_growth,
            ..Self::live(tcp.server, tcp.listen, tcp.live)?.with_tls(tcp.tls)?
        })
    }
}

impl TryFrom<args::HttpArgs> for TcpOptions {
    type Error = Error;

    fn try_from(http: args::HttpArgs) -> Result<Self, Error> {
        Ok(Self {
            protocol: Protocol::Http1,
            http: Some(Target {
                path: http.path,
                host: http.host,
                body: http.body,
            }),
            ..Self::live(http.server, None, http.live)?.with_tls(http.tls)?
        })
    }
}

impl TryFrom<args::TlsArgs> for TcpOptions {
    type Error = Error;

    fn try_from(mut tls: args::TlsArgs) -> Result<Self, Error> {
        tls.server.connect = tls.server.connect.or(tls.address);
        let live = Self::live(tls.server, None, tls.live)?;
        let name = tls.server_name;
        Ok(Self {
            protocol: Protocol::Tls,
            client_hello: Some(name.unwrap_or_else(|| live.peer.server_name())),
            ..live
        })
    }
}

impl TcpOptions {
    /// Adds TLS, if it is wanted.
    fn with_tls(mut self, args: args::EncryptionArgs) -> Result<Self, Error> {
        if !args.tls {
            return Ok(self);
        }
        let trust = match args.tls_ca {
            Some(file) => Trust::Certificates(file),
            None if args.tls_insecure => Trust::Any,
            None => {
                return Err("with --tls, add --tls-ca FILE with the certificate of the server or of its CA, or --tls-insecure to accept any".into());
            }
        };
        let name = args.server_name;
        self.tls = Some(TlsOptions {
            trust,
            server_name: name.unwrap_or_else(|| self.peer.server_name()),
        });
        Ok(self)
    }

    /// Returns the options that all verbs have, and the defaults of the others.
    fn live(
        server: args::ServerArgs,
        listen: Option<u16>,
        live: args::LiveArgs,
    ) -> Result<Self, Error> {
        let (command, fresh) = (live.command, server.fresh);
        let peer = match (server.connect, server.port, listen) {
            (Some(address), _, _) if !address.is_on_this_machine() && !server.allow_remote => {
                return Err(format!(
                    "{address} is not on this machine; to test it all the same, add --allow-remote"
                )
                .into());
            }
            (Some(address), _, _) => PeerOptions::RunningServer {
                address,
                pid: server.pid,
            },
            (_, Some(port), _) => PeerOptions::StartedServer {
                port,
                command,
                fresh,
            },
            (_, _, Some(port)) => PeerOptions::Client { port, command },
            (None, None, None) => {
                return Err(
                    "no server or client to test; add --connect ADDRESS, --port PORT or --listen PORT"
                        .into(),
                );
            }
        };
        Ok(Self {
            peer,
            tls: None,
            protocol: Protocol::Raw,
            http: None,
            client_hello: None,
            scripts: Vec::new(),
            streams: StreamOptions::default(),
            report: live.report.into(),
            hostile: false,
            mask: live.mask.into_iter().map(Mask).collect(),
            ready: server.ready.map(Mask),
            half_close: true,
            timeout: live.timeout.0,
            reply_idle: default::REPLY_IDLE,
            max_idle: default::PEER_MAX_IDLE,
            max_growth: default::MAX_GROWTH,
            max_reply: live.max_reply.get(),
            max_connections: live.max_connections,
            max_rate: live.max_rate,
            max_time: live.max_time.0,
            seed: live.seed,
            shard: live.shard,
        })
    }
}

impl TryFrom<args::ProxyArgs> for ProxyOptions {
    type Error = Error;

    fn try_from(proxy: args::ProxyArgs) -> Result<Self, Error> {
        if proxy.listen == proxy.to {
            let to = proxy.to;
            return Err(format!("--listen and --to are both {to}; choose another port").into());
        }
        Ok(Self {
            listen: proxy.listen,
            to: proxy.to,
            command: proxy.command,
            runs: proxy.runs,
            seed: proxy.seed,
            shard: proxy.shard,
            replay: proxy.replay,
            save: proxy.save,
            report: proxy.report,
            max_cuts: proxy.max_cuts,
            max_wait: proxy.max_wait.0,
            max_idle: proxy.max_idle.0,
            max_time: proxy.max_time.map(|time| time.0),
        })
    }
}

impl TryFrom<args::ServeArgs> for ServeOptions {
    type Error = Error;

    fn try_from(serve: args::ServeArgs) -> Result<Self, Error> {
        let size_limit = serve.size_limit.map(|limit| limit.0);
        let framing = framing(serve.framing, serve.byte_order, size_limit)?;
        Ok(Self {
            port: serve.port,
            framing: Framing {
                size_limit: framing.size_limit.or(Some(default::SERVE_SIZE_LIMIT)),
                ..framing
            },
            max_idle: serve.max_idle.0,
            split: serve.split,
            seed: serve.seed,
        })
    }
}

impl From<args::ReportArgs> for ReportOptions {
    fn from(report: args::ReportArgs) -> Self {
        Self {
            files: report.report,
            known: report.known,
            save: report.save,
            only: report.only,
            output: match report.output {
                args::OutputArgs { list: true, .. } => Output::List,
                args::OutputArgs { quiet: true, .. } => Output::Quiet,
                args::OutputArgs { verbose: true, .. } => Output::Verbose,
                args::OutputArgs { .. } => Output::Normal,
            },
        }
    }
}

impl args::StreamArgs {
    /// Checks that no option is given that needs a format with lengths.
    fn refuse_framing_options(&self) -> Result<(), Error> {
        let options = [
            ("--byte-order", self.byte_order.is_some()),
            ("--size-limit", self.size_limit.is_some()),
            ("--message", !self.message.is_empty()),
        ];
        match options.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(format!("--framing http1 has no {option}").into()),
            None => Ok(()),
        }
    }
}

impl TryFrom<args::StreamArgs> for StreamOptions {
    type Error = Error;

    fn try_from(streams: args::StreamArgs) -> Result<Self, Error> {
        let (byte_order, size_limit) =
            (streams.byte_order, streams.size_limit.map(|limit| limit.0));
        let framing = streams
            .framing
            .map(|format| framing(format, byte_order, size_limit))
            .transpose()?;
        if let Some(framing) = framing {
            framing.check_messages(&streams.message)?;
        }
        Ok(Self {
            files: streams.stream,
            folders: streams.corpus,
            captures: streams.pcap,
            hex: streams.hex.into_iter().map(|bytes| bytes.0).collect(),
            framing,
            messages: streams.message,
        })
    }
}

fn framing(
    format: args::FormatArg,
    byte_order: Option<args::ByteOrderName>,
    size_limit: Option<u32>,
) -> Result<Framing, Error> {
    let Description {
        kind,
        byte_order: described_order,
        size_limit: described_limit,
    } = match format {
        args::FormatArg::Described(description) => description,
        args::FormatArg::Http1 => {
            return Err("--framing http1 is only for `everysplit tcp`".into());
        }
    };
    if described_order.is_some() && byte_order.is_some() {
        return Err("--framing has the byte order; leave out --byte-order".into());
    }
    if described_limit.is_some() && size_limit.is_some() {
        return Err("--framing has the maximum; leave out --size-limit".into());
    }
    let byte_order = byte_order.map(|order| match order {
        args::ByteOrderName::Little => ByteOrder::Little,
        args::ByteOrderName::Big => ByteOrder::Big,
    });
    if byte_order.is_some() && kind.byte_order().is_none() {
        return Err(format!("--framing {kind} has no --byte-order").into());
    }
    let byte_order = byte_order.or(described_order).or(kind.byte_order());
    Ok(Framing {
        kind,
        byte_order: byte_order.unwrap_or(ByteOrder::Big),
        size_limit: size_limit.or(described_limit),
    })
}
