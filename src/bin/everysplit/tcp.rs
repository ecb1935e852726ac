//! `everysplit tcp`: asks a live server the same in every split. What it should answer is
//! what it answers to the whole; nothing here knows a format.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use everysplit::Split;
use everysplit::check::Property;
use indicatif::ProgressBar;
use regex::bytes::Regex;

use crate::Cannot;
use crate::args::Tcp;
use crate::queues::{Queues, Seen};
use crate::streams::{self, Stream};
use crate::tail::Tail;

/// How often the whole stream is sent first.
const BASELINES: usize = 3;
/// How long one waits between chunks where it cannot be seen that they are read.
const DELAY: Duration = Duration::from_millis(20);
/// How many random splits there are for a stream, if the budget allows.
const RANDOM: usize = 64;

/// Returns whether everything held.
pub(crate) fn run(tcp: &Tcp) -> Result<bool, Cannot> {
    let streams = streams::gather(&tcp.streams)?;
    let mut server = Server::new(tcp)?;
    let (mut violations, mut covered) = (Vec::new(), Covered::default());
    let mut replied = false;
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    for Stream { name, bytes } in streams.iter().filter(|stream| !stream.bytes.is_empty()) {
        let baseline = baseline(&mut server, name, bytes)?;
        replied |= !baseline.reply.is_empty();
        let before = covered.splits;
        let mut violated = None;
        for split in splits(bytes.len(), tcp) {
            bar.set_message(format!("{name}: {split}"));
            covered.splits += 1;
            let (reply, observed) = server.ask(bytes, &split, baseline.ending)?;
            covered.timed += usize::from(!observed);
            if server.masked(&reply) != baseline.masked {
                violated = Some((split, reply));
                break;
            }
        }
        bar.suspend(|| match violated {
            None => println!(
                "ok   {name}: {} bytes, {} splits, each on a connection of its own, and one reply of {} bytes",
                bytes.len(),
                covered.splits - before,
                baseline.reply.len(),
            ),
            Some((split, reply)) => {
                println!("FAIL {name}: {}", Property::EverySplit.name());
                violations.push(told(bytes, &split, &baseline.reply, &reply));
            }
        });
    }
    bar.finish_and_clear();
    if !replied {
        return Err("the server replied to nothing: send it requests of its format".into());
    }
    for violation in &violations {
        println!("\n{violation}");
    }
    println!(
        "\n{covered}; {} streams, {} violated",
        streams.len(),
        violations.len()
    );
    Ok(violations.is_empty())
}

/// What was done.
#[derive(Default)]
struct Covered {
    splits: usize,
    /// Those of which it was not seen that each chunk was read before the next.
    timed: usize,
}

impl std::fmt::Display for Covered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { splits, timed } = self;
        match timed {
            0 => write!(
                f,
                "{splits} splits, observed: each chunk was read before the next was sent"
            ),
            _ => write!(
                f,
                "{splits} splits, {timed} of them timed: {DELAY:?} between chunks, of which the server may have read several at once"
            ),
        }
    }
}

/// Every split of one cut, byte by byte, random ones, then those of two cuts, as many as
/// the budget allows.
fn splits(len: usize, tcp: &Tcp) -> impl Iterator<Item = Split> {
    let one = Split::up_to(len, 1);
    let random = (0..RANDOM as u64).map(move |n| Split::sample(len, &[], tcp.seed.wrapping_add(n)));
    let two = Split::up_to(len, 2).filter(|split| split.cuts().len() == 2);
    let rest = [Split::bytes(len)].into_iter().chain(random).chain(two);
    one.chain(rest).take(tcp.budget)
}

/// What the server replies to the whole stream.
struct Baseline {
    reply: Vec<u8>,
    masked: Vec<u8>,
    ending: Ending,
}

/// How a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nobody knows yet: with the end of the stream, or when nothing comes any more.
    Unknown,
    /// The server closes by itself.
    Closed,
    /// The server has replied when so many bytes have come.
    Length(usize),
    /// The server replies when it is told that nothing more is sent.
    HalfClosed,
}

fn baseline(server: &mut Server<'_>, name: &str, stream: &[u8]) -> Result<Baseline, Cannot> {
    let whole = Split::whole();
    let (open, _) = server.ask(stream, &whole, Ending::Unknown)?;
    let closed = server.closed;
    let (reply, _) = server.ask(stream, &whole, Ending::HalfClosed)?;
    let masked = server.masked(&reply);
    let ending = if server.masked(&open) != masked {
        Ending::HalfClosed
    } else if closed {
        Ending::Closed
    } else if open.len() == reply.len() {
        Ending::Length(reply.len())
    } else {
        Ending::HalfClosed
    };
    for _ in 1..BASELINES {
        let (again, _) = server.ask(stream, &whole, ending)?;
        let again = server.masked(&again);
        if again != masked {
            let at = same(&again, &masked);
            let (one, other) = (excerpt(&masked, at), excerpt(&again, at));
            return Err(format!(
                "the server's own replies to {name} differ, from byte {at}: \"{one}\" and \"{other}\"; mask what does not matter with --mask"
            )
            .into());
        }
    }
    Ok(Baseline {
        reply,
        masked,
        ending,
    })
}

/// Tells of a split with another reply.
fn told(stream: &[u8], split: &Split, expected: &[u8], actual: &[u8]) -> String {
    let property = Property::EverySplit;
    let mut told = format!("{}: {}\n", property.name(), property.sentence());
    let at = same(expected, actual);
    let chunks = split
        .chunks(stream)
        .map(|chunk| format!("\"{}\"", chunk.escape_ascii()));
    let _ = writeln!(
        told,
        "  sent      {}",
        chunks.collect::<Vec<_>>().join(" | ")
    );
    let _ = writeln!(told, "  split     {split}");
    let _ = writeln!(
        told,
        "  expected  a reply of {} bytes, from byte {at}: \"{}\"",
        expected.len(),
        excerpt(expected, at)
    );
    let _ = writeln!(
        told,
        "  actual    a reply of {} bytes, from byte {at}: \"{}\"",
        actual.len(),
        excerpt(actual, at)
    );
    let _ = write!(told, "  replay    {}@{split}", hex::encode(stream));
    told
}

/// Returns how many bytes two replies begin alike.
fn same(one: &[u8], other: &[u8]) -> usize {
    let alike = one
        .iter()
        .zip(other)
        .take_while(|(one, other)| one == other);
    alike.count()
}

fn excerpt(reply: &[u8], at: usize) -> String {
    let rest = reply.get(at..).unwrap_or_default();
    rest[..rest.len().min(40)].escape_ascii().to_string()
}

/// The server under test.
struct Server<'a> {
    address: SocketAddr,
    tcp: &'a Tcp,
    /// The program and what it says, if it was started here.
    child: Option<(Child, Tail)>,
    /// Whether it closed the last connection by itself.
    closed: bool,
}

impl<'a> Server<'a> {
    fn new(tcp: &'a Tcp) -> Result<Self, Cannot> {
        let address = match (tcp.connect, tcp.port) {
            (Some(address), _) => address,
            (None, Some(port)) => SocketAddr::from(([127, 0, 0, 1], port)),
            (None, None) => {
                return Err("there is no server: give --connect ADDRESS, or --port PORT and a command behind --".into());
            }
        };
        if !address.ip().is_loopback() && !tcp.allow_remote {
            return Err(format!(
                "{address} is not on this machine: --allow-remote lets it be tested"
            )
            .into());
        }
        let mut server = Self {
            address,
            tcp,
            child: None,
            closed: false,
        };
        if tcp.connect.is_none() {
            if TcpStream::connect(address).is_ok() {
                return Err(format!(
                    "something listens on {address} already: stop it, or name another --port"
                )
                .into());
            }
            server.start()?;
        }
        Ok(server)
    }

    fn start(&mut self) -> Result<(), Cannot> {
        self.stop();
        let Some((program, arguments)) = self.tcp.server.split_first() else {
            return Ok(());
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let stderr = child.stderr.take().ok_or("the server has no stderr")?;
        self.child = Some((child, Tail::of(stderr)));
        Ok(())
    }

    fn stop(&mut self) {
        if let Some((mut child, _)) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn masked(&self, reply: &[u8]) -> Vec<u8> {
        let masks = self.tcp.mask.iter();
        masks.fold(reply.to_vec(), |reply, mask: &Regex| {
            mask.replace_all(&reply, &b"*"[..]).into_owned()
        })
    }

    /// Connects, once the server listens.
    fn connect(&mut self) -> Result<TcpStream, Cannot> {
        let until = Instant::now() + self.tcp.timeout;
        loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    if let Some((child, stderr)) = &mut self.child
                        && let Ok(Some(status)) = child.try_wait()
                    {
                        // What it wrote last may be under way.
                        thread::sleep(DELAY);
                        return Err(format!(
                            "the server ended ({status}){stderr}; one that serves a single client is tested with --fresh"
                        )
                        .into());
                    }
                    if self.child.is_none() || Instant::now() > until {
                        return Err(format!("nobody listens on {}: {error}", self.address).into());
                    }
                    thread::sleep(Duration::from_millis(10));
                }
            }
        }
    }

    /// Sends a stream in a split on a connection of its own; returns the reply, and
    /// whether each chunk was seen to have been read before the next.
    fn ask(
        &mut self,
        stream: &[u8],
        split: &Split,
        ending: Ending,
    ) -> Result<(Vec<u8>, bool), Cannot> {
        if self.tcp.fresh {
            self.start()?;
        }
        let socket = self.connect()?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let queues = Queues::new(socket.local_addr()?, self.address);
        let mut reply = Reply::new(&socket);
        let mut observed = true;
        for chunk in split.chunks(stream) {
            // A server that has closed is known by its reply.
            if !reply.send(chunk, self.tcp.timeout) {
                break;
            }
            match queues.wait(self.tcp.timeout) {
                Seen::Read => {}
                Seen::Closed => break,
                Seen::Unread => observed = false,
                Seen::Nothing => {
                    observed = false;
                    thread::sleep(DELAY);
                }
            }
        }
        if ending == Ending::HalfClosed {
            let _ = socket.shutdown(Shutdown::Write);
        }
        let Tcp { timeout, quiet, .. } = *self.tcp;
        reply.collect(ending, timeout, quiet);
        self.closed = reply.closed;
        let reply = reply.bytes;
        Ok((reply, observed))
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What comes back on a socket that does not block.
struct Reply<'a> {
    socket: &'a TcpStream,
    bytes: Vec<u8>,
    /// Whether no more can come.
    closed: bool,
}

impl<'a> Reply<'a> {
    const fn new(socket: &'a TcpStream) -> Self {
        Self {
            socket,
            bytes: Vec::new(),
            closed: false,
        }
    }

    /// Takes what is there; returns whether anything was.
    fn take(&mut self) -> bool {
        let before = self.bytes.len();
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => self.closed = true,
                Ok(read) => {
                    self.bytes.extend_from_slice(&chunk[..read]);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.closed = true,
            }
            return self.bytes.len() > before;
        }
    }

    /// Sends a chunk while taking what comes back; returns whether it could be sent.
    fn send(&mut self, chunk: &[u8], timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut rest = chunk;
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.take() && Instant::now() > until {
                        return false;
                    }
                    thread::yield_now();
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Takes the rest of the reply.
    fn collect(&mut self, ending: Ending, timeout: Duration, quiet: Duration) {
        let mut last = Instant::now();
        loop {
            if self.take() {
                last = Instant::now();
            }
            let patience = match ending {
                Ending::Length(len) if self.bytes.len() >= len => return,
                Ending::Closed | Ending::Length(_) => timeout,
                Ending::Unknown | Ending::HalfClosed if self.bytes.is_empty() => timeout,
                Ending::Unknown | Ending::HalfClosed => quiet,
            };
            if self.closed || last.elapsed() > patience {
                return;
            }
            thread::sleep(Duration::from_micros(50));
        }
    }
}
