//! Writes options as a command line: the inverse of parsing one.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use everysplit::reference::ByteOrder;

use super::{
    ConfigEntry, DriverCheckOptions, ExecOptions, MergeOptions, Options, Output, PcapOptions,
    PeerOptions, Protocol, ProxyOptions, ReplayOptions, ReplySplit, ReportOptions, ServeOptions,
    Shard, StreamOptions, TcpOptions, Tested, TlsOptions, Trust, declaration, default,
};
use crate::framing::Framing;
use crate::http::Target;

impl Options {
    /// Returns the command line, quoted for a shell. Options with their default are left out.
    pub(crate) fn to_line(&self) -> String {
        shell_line(&self.to_words())
    }

    /// Returns the words of the command line, the program's name first.
    fn to_words(&self) -> Vec<OsString> {
        let mut words = Words(vec!["everysplit".into()]);
        match self {
            Self::Run(tested) => words.tested(tested),
            Self::Replay(ReplayOptions { case, tested }) => {
                words.word("replay");
                words.word(case.to_string());
                words.tested(tested);
            }
            Self::Proxy(options) => words.proxy(options),
            Self::Serve(options) => words.serve(options),
            Self::Vectors(options) => {
                words.word("vectors");
                words.streams(options);
            }
            Self::Driver(name) => {
                words.word("driver");
                words.word(name);
            }
            Self::DriverList => {
                words.word("driver");
                words.word("--list");
            }
            Self::DriverCheck(options) => words.driver_check(options),
            Self::Protocol => words.word("protocol"),
            Self::Completions(shell) => {
                words.word("completions");
                words.word(shell.to_string());
            }
            Self::Man(verb) => {
                words.word("man");
                words.0.extend(verb.iter().map(OsString::from));
            }
            Self::Merge(MergeOptions { files, report }) => {
                words.word("report");
                words.word("merge");
                words.report(report);
                words.word("--");
                words.0.extend(files.iter().map(OsString::from));
            }
            Self::Pcap(PcapOptions { file, save }) => {
                words.word("pcap");
                if let Some(folder) = save {
                    words.option("--save", folder);
                }
                words.word("--");
                words.word(file);
            }
        }
        words.0
    }
}

/// Quotes words for a shell. Bytes that are not UTF-8 are replaced.
pub(crate) fn shell_line(words: &[OsString]) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let quoted = shlex::try_join(words.iter().map(AsRef::as_ref));
    // Only a NUL byte cannot be quoted, and no argument has one.
    quoted.unwrap_or_else(|_| words.join(" "))
}

/// The words of a command line, as far as they are written.
struct Words(Vec<OsString>);

impl Words {
    fn word(&mut self, word: impl Into<OsString>) {
        self.0.push(word.into());
    }

    fn option(&mut self, name: &str, value: impl AsRef<OsStr>) {
        let value = value.as_ref();
        // A separate word that begins with - would be taken for an option.
        if value.as_encoded_bytes().starts_with(b"-") {
            let mut word = OsString::from(format!("{name}="));
            word.push(value);
            self.word(word);
        } else {
            self.word(name);
            self.word(value);
        }
    }

    fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.word(name);
        }
    }

    fn unless_default<T: Copy + Display + PartialEq>(&mut self, name: &str, value: T, default: T) {
        if value != default {
            self.option(name, value.to_string());
        }
    }

    fn seconds(&mut self, name: &str, value: Duration, default: Duration) {
        self.unless_default(name, value.as_secs_f64(), default.as_secs_f64());
    }

    /// Writes what follows `--`, unless it is empty.
    fn program(&mut self, command: &[OsString]) {
        if !command.is_empty() {
            self.word("--");
            self.0.extend_from_slice(command);
        }
    }

    fn tested(&mut self, tested: &Tested) {
        match tested {
            Tested::Exec(options) => self.exec(options),
            Tested::Tcp(options) => self.tcp(options),
        }
    }

    fn exec(&mut self, options: &ExecOptions) {
        let ExecOptions {
            driver,
            streams,
            every_stream,
            report,
            config,
            declared,
            timeout,
            max_memory,
            max_cuts,
            max_feeds,
            max_time,
            seed,
            shard,
        } = options;
        self.word("exec");
        self.streams(streams);
        if let Some(longest) = every_stream {
            self.option("--every-stream", longest.to_string());
        }
        self.report(report);
        self.config(config);
        for option in declared.iter().copied().filter_map(declaration) {
            self.word(option);
        }
        self.seconds("--timeout", *timeout, default::DRIVER_TIMEOUT);
        self.unless_default("--max-memory", *max_memory, default::MAX_MEMORY);
        self.unless_default("--max-cuts", *max_cuts, default::MAX_CUTS);
        self.unless_default("--max-feeds", *max_feeds, default::MAX_FEEDS);
        self.seconds("--max-time", *max_time, default::MAX_TIME);
        self.unless_default("--seed", *seed, default::SEED);
        self.unless_default("--shard", *shard, Shard::WHOLE);
        self.program(driver);
    }

    fn driver_check(&mut self, options: &DriverCheckOptions) {
        let DriverCheckOptions {
            driver,
            stream,
            config,
            timeout,
        } = options;
        self.word("driver");
        self.word("--check");
        self.unless_default("--hex", &*hex::encode(stream), default::CHECK_HEX);
        self.config(config);
        self.seconds("--timeout", *timeout, default::DRIVER_TIMEOUT);
        self.program(driver);
    }

    fn config(&mut self, config: &[ConfigEntry]) {
        for ConfigEntry { key, value } in config {
            self.option("--config", format!("{key}={value}"));
        }
    }

    fn tcp(&mut self, options: &TcpOptions) {
        let TcpOptions {
            peer,
            tls,
            protocol,
            http,
            client_hello,
            scripts,
            streams,
            report,
            hostile,
            mask,
            ready,
            half_close,
            timeout,
            reply_idle,
            max_idle,
            max_growth,
            max_reply,
            max_connections,
            max_rate,
            max_time,
            seed,
            shard,
        } = options;
        self.word(options.verb());
        let program: &[OsString] = match peer {
            PeerOptions::RunningServer { address, pid } => {
                self.option("--connect", address.to_string());
                self.flag("--allow-remote", !address.is_on_this_machine());
                if let Some(pid) = pid {
                    self.option("--pid", pid.to_string());
                }
                &[]
            }
            PeerOptions::StartedServer {
                port,
                command,
                fresh,
            } => {
                self.option("--port", port.to_string());
                self.flag("--fresh", *fresh);
                command
            }
            PeerOptions::Client { port, command } => {
                self.option("--listen", port.to_string());
                command
            }
        };
        if let Some(Target { path, host, body }) = http {
            self.unless_default("--path", &**path, default::HTTP_PATH);
            self.unless_default("--host", &**host, default::HTTP_HOST);
            self.unless_default("--body", &**body, default::HTTP_BODY);
        } else if let Some(name) = client_hello {
            self.unless_default("--server-name", &**name, &*peer.server_name());
        } else if *protocol == Protocol::Http1 {
            self.option("--framing", "http1");
        }
        if let Some(TlsOptions { trust, server_name }) = tls {
            self.word("--tls");
            match trust {
                Trust::Certificates(file) => self.option("--tls-ca", file),
                Trust::Any => self.word("--tls-insecure"),
            }
            self.unless_default("--server-name", &**server_name, &*peer.server_name());
        }
        for file in scripts {
            self.option("--script", file);
        }
        self.streams(streams);
        self.report(report);
        self.flag("--hostile", *hostile);
        for mask in mask {
            self.option("--mask", mask.0.as_str());
        }
        if let Some(ready) = ready {
            self.option("--ready", ready.0.as_str());
        }
        self.flag("--no-half-close", !half_close);
        self.seconds("--timeout", *timeout, default::PEER_TIMEOUT);
        self.seconds("--reply-idle", *reply_idle, default::REPLY_IDLE);
        self.seconds("--max-idle", *max_idle, default::PEER_MAX_IDLE);
        self.unless_default("--max-growth", *max_growth, default::MAX_GROWTH);
        self.unless_default("--max-reply", *max_reply, default::MAX_REPLY.get());
        let default_connections = match protocol {
            Protocol::Raw | Protocol::Http1 => default::MAX_CONNECTIONS,
            Protocol::Tls => default::TLS_CONNECTIONS,
        };
        self.unless_default("--max-connections", *max_connections, default_connections);
        self.unless_default("--max-rate", *max_rate, default::MAX_RATE);
        self.seconds("--max-time", *max_time, default::MAX_TIME);
        self.unless_default("--seed", *seed, default::SEED);
        self.unless_default("--shard", *shard, Shard::WHOLE);
        self.program(program);
    }

    fn proxy(&mut self, options: &ProxyOptions) {
        let ProxyOptions {
            listen,
            to,
            command,
            runs,
            seed,
            shard,
            replay,
            save,
            report,
            max_cuts,
            max_wait,
            max_idle,
            max_time,
        } = options;
        self.word("proxy");
        self.option("--listen", listen.to_string());
        self.option("--to", to.to_string());
        self.unless_default("--runs", *runs, default::PROXY_RUNS);
        self.unless_default("--seed", *seed, default::SEED);
        self.unless_default("--shard", *shard, Shard::WHOLE);
        if let Some(file) = replay {
            self.option("--replay", file);
        }
        if save != Path::new(default::PROXY_SAVE) {
            self.option("--save", save);
        }
        for file in report {
            self.option("--report", file);
        }
        self.unless_default("--max-cuts", *max_cuts, default::PROXY_MAX_CUTS);
        self.seconds("--max-wait", *max_wait, default::PROXY_MAX_WAIT);
        self.seconds("--max-idle", *max_idle, default::PEER_MAX_IDLE);
        if let Some(time) = max_time {
            self.option("--max-time", time.as_secs_f64().to_string());
        }
        self.program(command);
    }

    fn serve(&mut self, options: &ServeOptions) {
        let ServeOptions {
            port,
            framing,
            max_idle,
            split,
            seed,
        } = options;
        self.word("serve");
        self.option("--port", port.to_string());
        self.framing(framing, Some(default::SERVE_SIZE_LIMIT));
        self.seconds("--max-idle", *max_idle, default::SERVE_MAX_IDLE);
        match split {
            ReplySplit::At(split) => self.option("--split", split.to_string()),
            ReplySplit::Bytes => self.option("--split", "bytes"),
            ReplySplit::Random => self.option("--split", "random"),
        }
        self.unless_default("--seed", *seed, default::SEED);
    }

    fn report(&mut self, options: &ReportOptions) {
        let ReportOptions {
            files,
            known,
            save,
            only,
            output,
        } = options;
        for file in files {
            self.option("--report", file);
        }
        if let Some(file) = known {
            self.option("--known", file);
        }
        if let Some(folder) = save {
            self.option("--save", folder);
        }
        for property in only {
            self.option("--only", property.name());
        }
        match output {
            Output::Normal => {}
            Output::Quiet => self.word("--quiet"),
            Output::Verbose => self.word("--verbose"),
            Output::List => self.word("--list"),
        }
    }

    fn streams(&mut self, options: &StreamOptions) {
        let StreamOptions {
            files,
            folders,
            captures,
            hex,
            framing,
            messages,
        } = options;
        for file in files {
            self.option("--stream", file);
        }
        for folder in folders {
            self.option("--corpus", folder);
        }
        for file in captures {
            self.option("--pcap", file);
        }
        for bytes in hex {
            self.option("--hex", hex::encode(bytes));
        }
        if let Some(framing) = framing {
            self.framing(framing, None);
        }
        for message in messages {
            self.option("--message", message);
        }
    }

    fn framing(&mut self, framing: &Framing, default_limit: Option<u32>) {
        let Framing {
            kind,
            byte_order,
            size_limit,
        } = framing;
        self.option("--framing", kind.to_string());
        if kind.byte_order().is_some_and(|usual| usual != *byte_order) {
            let name = match byte_order {
                ByteOrder::Little => "little",
                ByteOrder::Big => "big",
            };
            self.option("--byte-order", name);
        }
        if let Some(limit) = size_limit.filter(|_| *size_limit != default_limit) {
            self.option("--size-limit", limit.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use everysplit::Split;

    use super::*;
    use crate::args::Arguments;

    #[track_caller]
    fn parse(line: &str) -> Options {
        let words = shlex::split(line).unwrap();
        let arguments = Arguments::try_parse_from(words).unwrap_or_else(|error| {
            panic!("{line}: {error}");
        });
        Options::try_from(arguments).unwrap()
    }

    /// Checks that options survive being written and parsed, also as those of a replay.
    #[track_caller]
    fn survives(options: &Options) {
        let line = options.to_line();
        assert_eq!(&parse(&line), options, "{line}");
        let Options::Run(tested) = options else {
            return;
        };
        let replay = Options::Replay(ReplayOptions {
            case: "00026f6b@1,3".parse().unwrap(),
            tested: tested.clone(),
        });
        let line = replay.to_line();
        assert_eq!(parse(&line), replay, "{line}");
    }

    /// Returns command lines with none of the groups of options, each, and all.
    fn lines(verb: &str, groups: &[&str], end: &str) -> Vec<String> {
        let all = groups.join(" ");
        let groups = ["", &all].into_iter().chain(groups.iter().copied());
        groups
            .map(|options| format!("everysplit {verb} {options} {end}"))
            .collect()
    }

    /// Words that a shell, or clap, could take for something else.
    const REPORT: &str = "--report 'a b.html' --report='-x.json' --known \"it's known\"";
    const STREAMS: &str = "--stream 'a b' --stream=-x --stream=--framing --corpus '$HOME' \
         --corpus '*' --pcap 'a b' --pcap=-x --hex '00 0A ff' --hex ''";
    const MESSAGES: [&str; 3] = [
        "--framing len16 --message '' --message=-m --message 'a \"b\"' --message \"it's\"",
        "--framing json-header --byte-order big --size-limit 64 --message 'a\nb' --message '你'",
        "--framing header12 --byte-order little --message '`id`; #' --message '\\'",
    ];

    #[test]
    fn other_masks_are_other_options() {
        let tcp = |mask| {
            parse(&format!(
                "everysplit tcp --connect=7 --hex=00 --mask={mask}"
            ))
        };
        assert_eq!(tcp("a+"), tcp("a+"));
        assert_ne!(tcp("a+"), tcp("a"));
    }

    #[test]
    fn exec_options_survive_the_command_line() {
        for messages in MESSAGES {
            let groups = [
                REPORT,
                STREAMS,
                messages,
                "--config a=b --config c= --config =d --config='-e=f=g' --config \"h=it's\"",
                "--discards-at-end --caller-stops",
                "--resynchronises --bytes-between-frames",
                "--timeout 0.7",
                "--max-memory 1",
                "--max-cuts 0",
                "--max-feeds 18446744073709551615",
                "--max-time 1e9",
                "--seed 7",
                "--shard 2/3",
                "--save 'a b' --only limit --only=prompt -q",
                "--stream -",
            ];
            for driver in [
                "-- cat",
                "-- 'my driver' --framing len32 -- '' 'a b' -x \"it's\"",
            ] {
                for line in lines("exec", &groups, driver) {
                    survives(&parse(&line));
                }
                let of_format = ["--no-empty-frame", "--counts-header", "--every-stream 7"];
                let verb = "exec --framing len16 --size-limit 9";
                for line in lines(verb, &of_format, driver) {
                    survives(&parse(&line));
                }
            }
        }
    }

    #[test]
    fn tcp_options_survive_the_command_line() {
        for (peer, end) in [
            ("tcp --connect 127.0.0.1:7000", ""),
            ("tcp --connect [::1]:7000 --pid 1", ""),
            ("tcp --connect localhost:7000", ""),
            ("tcp --connect 'unix:/tmp/a b'", ""),
            ("tcp --connect 192.0.2.1:1 --allow-remote", ""),
            ("tcp --port 7", "-- server 'a b' --port 8"),
            (
                "tcp --port 7 --fresh --ready 'HTTP/1.1 [23]'",
                "-- server -- ''",
            ),
            ("tcp --listen 65535", "-- 'a client'"),
        ] {
            let groups = [
                REPORT,
                STREAMS,
                MESSAGES[0],
                "--hostile",
                "--mask 'Date: [^\r]*' --mask=-+ --mask '' --mask \"'\"",
                "--no-half-close",
                "--max-reply 1",
                if peer.contains("--listen") {
                    "--mask a"
                } else {
                    "--tls --tls-ca=-a --server-name=-b"
                },
                "--timeout 0.001",
                "--reply-idle 0.123456789",
                "--max-idle 12345.678",
                "--max-growth 0",
                "--max-connections 1",
                "--max-rate 4294967295",
                "--max-time 0.5",
                "--seed 1",
                "--shard 4/4",
            ];
            for line in lines(peer, &groups, end) {
                survives(&parse(&line));
            }
        }
    }

    #[test]
    fn scripts_survive_the_command_line() {
        let groups = ["--script 'a b' --script=-x", "--script '$HOME' --seed 1"];
        for line in lines("tcp --connect 127.0.0.1:7", &groups, "") {
            survives(&parse(&line));
        }
        for line in lines("tcp --listen 7", &groups, "-- 'a client'") {
            survives(&parse(&line));
        }
    }

    #[test]
    fn http_options_survive_the_command_line() {
        for (server, end) in [
            ("--connect 127.0.0.1:7000 --pid 1", ""),
            ("--port 7 --fresh --ready 200", "-- server 'a b' --port 8"),
        ] {
            let groups = [
                REPORT,
                "--path '/a?b=c&d' --host '[::1]:80' --body='-a \"b\"'",
                "--body ''",
                "--tls --tls-insecure",
                "--tls --tls-ca 'a b' --server-name 127.0.0.1",
                "--mask 'x: [^\n]*' --max-reply 1 --timeout 0.001",
                "--max-connections 1 --max-rate 1 --max-time 0.5 --seed 1",
            ];
            for line in lines(&format!("http {server}"), &groups[..2], end) {
                survives(&parse(&line));
            }
            for line in lines(&format!("http {server}"), &groups[2..3], end) {
                survives(&parse(&line));
            }
            for line in lines(&format!("http {server}"), &groups[4..], end) {
                survives(&parse(&line));
            }
            for line in lines(&format!("http {server}"), &groups[3..4], end) {
                survives(&parse(&line));
            }
        }
        for line in lines("tcp --connect 127.0.0.1:7 --framing http1", &[STREAMS], "") {
            survives(&parse(&line));
        }
    }

    #[test]
    fn tls_options_survive_the_command_line() {
        for (server, end) in [
            ("127.0.0.1:7000 --pid 1", ""),
            ("--connect 192.0.2.1:1 --allow-remote", ""),
            ("--port 7 --fresh", "-- server 'a b' --port 8"),
        ] {
            let groups = [
                REPORT,
                "--server-name='-a'",
                "--max-connections 1000",
                "--mask a --timeout 0.001 --seed 1",
            ];
            for line in lines(&format!("tls {server}"), &groups, end) {
                survives(&parse(&line));
            }
        }
        let line = "everysplit tls --connect 127.0.0.1:7";
        assert_eq!(parse("everysplit tls 127.0.0.1:7").to_line(), line);
    }

    #[test]
    fn proxy_options_survive_the_command_line() {
        for (addresses, end) in [
            ("proxy --listen 127.0.0.1:0 --to [::1]:7000", ""),
            ("proxy --listen 'unix:a b' --to unix:-x", "-- cat"),
            ("proxy --listen 0 --to 7000", "-- 'a b' --listen -- ''"),
        ] {
            let mut groups = vec![
                "--seed 9",
                "--max-cuts 0",
                "--max-wait 0.5",
                "--max-time 0.1",
            ];
            if !end.is_empty() {
                groups.extend([
                    "--runs 1",
                    "--shard 1/9",
                    "--report a.xml --report=-b.json",
                    "--save='-a b'",
                    "--max-idle 0.2",
                ]);
            }
            for line in lines(addresses, &groups, end) {
                survives(&parse(&line));
            }
            let replay = format!("everysplit {addresses} --replay \"it's\" --max-wait 2 {end}");
            survives(&parse(&replay));
        }
    }

    #[test]
    fn serve_and_vectors_options_survive_the_command_line() {
        for split in ["whole", "bytes", "random", "1,3"] {
            let line = format!("everysplit serve --port 0 --framing len32u --split {split}");
            survives(&parse(&line));
            survives(&parse(&format!(
                "{line} --byte-order little --size-limit 5K --max-idle 0.2 --seed 3"
            )));
        }
        for messages in MESSAGES {
            survives(&parse(&format!("everysplit vectors {STREAMS} {messages}")));
        }
    }

    /// Descriptions of formats, each as it is written.
    #[test]
    fn formats_survive_the_command_line() {
        for framing in [
            "header12",
            "json-header",
            "length:width=4",
            "length:width=1,signed",
            "length:offset=2,width=2,adjust=-4,strip=0",
            "length:offset=1,width=3,signed,adjust=7,strip=12",
            "length:width=8 --byte-order little --size-limit 5",
            "varint",
            "varint:bits=32",
            "delimiter:lf",
            "delimiter:crlf --size-limit 1024",
            "delimiter:nul",
            "delimiter:0d0d0a",
            "netstring --size-limit 0",
        ] {
            let line = format!("everysplit vectors --framing {framing}");
            survives(&parse(&line));
            assert_eq!(parse(&line).to_line().replace('\'', ""), line);
        }
        for (described, written) in [
            ("length", "length:width=4"),
            (
                "length:offset=2,counts=frame,width=2",
                "length:offset=2,width=2,adjust=-4",
            ),
            (
                "length:strip=4,width=4,order=little,counts=rest,max=64",
                "length:width=4 --byte-order little --size-limit 64",
            ),
            ("length:order=big,width=1,adjust=0", "length:width=1"),
            ("varint:bits=64,max=7", "varint --size-limit 7"),
            ("delimiter:0D0a", "delimiter:crlf"),
            ("delimiter:max=1,00", "delimiter:nul --size-limit 1"),
            ("netstring:max=9", "netstring --size-limit 9"),
            ("len16:max=9", "len16 --size-limit 9"),
        ] {
            let line = parse(&format!("everysplit vectors --framing {described}")).to_line();
            let written = format!("everysplit vectors --framing {written}");
            assert_eq!(line.replace('\'', ""), written);
        }
    }

    #[test]
    fn the_amount_of_output_survives_the_command_line() {
        for output in ["-q", "-v", "--list", "-v --list"] {
            survives(&parse(&format!("everysplit exec {output} -- cat")));
        }
        for line in [
            "completions zsh",
            "man",
            "man exec",
            "driver node",
            "driver --list",
            "driver --check -- cat",
            "driver --check --hex '' --config a=b --timeout 1 -- 'my driver' -x",
            "protocol",
        ] {
            survives(&parse(&format!("everysplit {line}")));
        }
    }

    #[test]
    fn pcap_options_survive_the_command_line() {
        for options in ["a", "'a b' --save=-x", "--save 'it'\\''s' -- -a"] {
            survives(&parse(&format!("everysplit pcap {options}")));
        }
    }

    #[test]
    fn tokens_survive_the_command_line() {
        for token in ["@whole", "00@whole", "00026f6b@2", "'00026f6b@1,2,3'"] {
            let line = format!("everysplit replay {token} exec -- cat");
            assert_eq!(parse(&line).to_line(), line);
        }
    }

    #[test]
    fn an_option_with_its_default_is_not_written() {
        let line = "everysplit exec --framing len16 -- cat";
        assert_eq!(parse(line).to_line(), line);
        let line = "everysplit tcp --connect 127.0.0.1:7000 --hex 00";
        assert_eq!(parse(line).to_line(), line);
    }

    /// An option that is not kept would survive the command line too.
    #[test]
    fn each_option_is_kept() {
        let tcp = "everysplit tcp --connect 7 --hex 00";
        for (line, option) in [
            (tcp, "--framing http1"),
            ("everysplit tcp --connect 7 --script a", "--script b"),
            (tcp, "--no-half-close"),
            (tcp, "--reply-idle 7"),
            (tcp, "--max-idle 7"),
            (tcp, "--max-growth 7"),
        ] {
            assert_ne!(parse(&format!("{line} {option}")), parse(line), "{option}");
        }
        let serve = "everysplit serve --port 0 --framing len32";
        let limit = format!("{serve} --size-limit {}", default::SERVE_SIZE_LIMIT);
        assert_eq!(parse(serve), parse(&limit));
    }

    #[test]
    fn a_server_is_named_as_it_was_typed() {
        for (server, name) in [
            ("--connect localhost:7", "localhost"),
            ("--connect 127.0.0.1:7", "127.0.0.1"),
            ("--port 7 -- cat", default::SERVER_NAME),
        ] {
            let options = parse(&format!("everysplit tcp --hex 00 {server}"));
            let Options::Run(Tested::Tcp(options)) = options else {
                panic!("{server}");
            };
            assert_eq!(options.peer.server_name(), name);
        }
    }

    #[test]
    fn what_starts_programs_is_supervised() {
        for (line, starts) in [
            ("exec -- cat", true),
            ("driver --check -- cat", true),
            ("proxy --listen 0 --to 7 -- cat", true),
            ("proxy --listen 0 --to 7", false),
            ("vectors --framing len16", false),
        ] {
            let options = parse(&format!("everysplit {line}"));
            assert_eq!(options.starts_programs(), starts, "{line}");
        }
    }

    /// The saved cuts are made again in one run, which is not reported.
    #[test]
    fn a_replay_of_the_proxy_needs_no_seeds() {
        let proxy = "everysplit proxy --listen 127.0.0.1:1 --to 127.0.0.1:7";
        let more = "--max-wait 2 -- cat";
        for (options, file) in [
            (
                "--seed 3 --shard 1/2 --runs 5 --max-cuts 9 --save a --report b.xml",
                "a",
            ),
            ("--replay c", "c"),
        ] {
            let Options::Proxy(parsed) = parse(&format!("{proxy} {options} {more}")) else {
                panic!("{options}");
            };
            let expected = format!("{proxy} --replay {file} {more}");
            assert_eq!(parsed.replay_line(), expected);
        }
    }

    #[test]
    fn merge_options_survive_the_command_line() {
        for options in [
            "a.json",
            "--report r.html --report 'r r.xml' a.json -- -b.json",
        ] {
            survives(&parse(&format!("everysplit report merge {options}")));
        }
    }

    #[test]
    fn a_replay_keeps_only_what_it_needs() {
        let case = everysplit::Case::new([0, 1], Split::new([1]));
        for (line, replay) in [
            (
                "everysplit exec --hex 00 --framing len16 --size-limit 9 --message a --report r.html \
                 --known k --max-cuts 1 -- cat '--hex x'",
                "everysplit replay 0001@1 exec --framing len16 --size-limit 9 --max-cuts 1 -- cat \
                 '--hex x'",
            ),
            (
                "everysplit tcp --connect 127.0.0.1:7 --hex 00 --report r.html",
                "everysplit replay 0001@1 tcp --connect 127.0.0.1:7",
            ),
            (
                "everysplit http --connect 127.0.0.1:7 --path /a --report r.html",
                "everysplit replay 0001@1 http --connect 127.0.0.1:7",
            ),
            (
                "everysplit tls 127.0.0.1:7 --server-name a --report r.html --shard 1/2",
                "everysplit replay 0001@1 tls --connect 127.0.0.1:7",
            ),
            (
                "everysplit tcp --connect 127.0.0.1:7 --hex 00 --report r.html --hostile",
                "everysplit replay 0001@1 tcp --connect 127.0.0.1:7 --hex 00 --hostile",
            ),
        ] {
            let Options::Run(tested) = parse(line) else {
                panic!("{line}");
            };
            assert_eq!(tested.replay_line(&case), replay);
        }
    }
}
