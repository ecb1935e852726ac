//! What a run is called in reports.

use std::ffi::OsString;
use std::path::Path;

use everysplit::Property;

use super::{ExecOptions, PeerOptions, Protocol, ProxyOptions, TcpOptions, Tested, shell_line};

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 60;

/// The verbs that have reports.
pub(crate) const VERBS: [&str; 5] = ["exec", "http", "proxy", "tcp", "tls"];

/// The name of a run: what it does, and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Title {
    /// The verb of the command.
    pub(crate) verb: &'static str,
    /// The program, or the address of the server.
    pub(crate) subject: String,
}

impl Title {
    /// Returns what is checked of a property, in a sentence. Of a live program that is less than of a
    /// decoder.
    pub(crate) fn sentence(&self, property: Property) -> &'static str {
        match (self.verb, property) {
            ("proxy", Property::EverySplit) => "the command passes however its connections are cut",
            ("http" | "tcp" | "tls", Property::EverySplit) => {
                "what comes back does not depend on how the stream is cut"
            }
            ("http" | "tcp" | "tls", Property::Limit) => {
                "a length over the limit, or another invalid one, gets a reply or a closed connection in time"
            }
            ("http" | "tcp" | "tls", Property::Truncation) => {
                "a connection whose stream ends early is closed in time"
            }
            ("http" | "tcp" | "tls", Property::Progress) => {
                "a stream that is invalid or stops inside a frame gets a reaction in time, ends no program, and the next connection is served"
            }
            ("http" | "tcp" | "tls", Property::Memory) => {
                "invalid input makes the program grow by no more than --max-growth"
            }
            _ => property.sentence(),
        }
    }
}

impl From<&Tested> for Title {
    fn from(tested: &Tested) -> Self {
        match tested {
            Tested::Exec(options) => {
                let ExecOptions { driver, .. } = &**options;
                Self {
                    verb: "exec",
                    subject: program(driver),
                }
            }
            Tested::Tcp(options) => Self {
                verb: options.verb(),
                subject: match &options.peer {
                    PeerOptions::RunningServer { address, .. } => address.to_string(),
                    PeerOptions::StartedServer { command, .. }
                    | PeerOptions::Client { command, .. } => program(command),
                },
            },
        }
    }
}

impl From<&ProxyOptions> for Title {
    fn from(options: &ProxyOptions) -> Self {
        Self {
            verb: "proxy",
            subject: program(&options.command),
        }
    }
}

impl TcpOptions {
    /// Returns the verb of the command.
    pub(crate) const fn verb(&self) -> &'static str {
        match self.protocol {
            Protocol::Tls => "tls",
            Protocol::Raw | Protocol::Http1 if self.http.is_none() => "tcp",
            Protocol::Raw | Protocol::Http1 => "http",
        }
    }
}

/// Returns the beginning of a command line, without the folders of absolute paths.
fn program(command: &[OsString]) -> String {
    let short = command.iter().map(|word| {
        let path = Path::new(word);
        let name = path.file_name().filter(|_| path.is_absolute());
        name.map_or_else(|| word.clone(), OsString::from)
    });
    let line = shell_line(&short.collect::<Vec<_>>());
    match line.char_indices().nth(MAX_SUBJECT) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
